// Fuzz target for the metadata of a model file: lines of KEY=VALUE replace or add to those of a
// network that is fine, with as many classes as the first byte says. What is accepted is planned
// and reads a picture.
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/text/utf8.h"
#include "lprnet/recognizer.h"
#include "tests/fuzz/small_network.h"
#include "tests/fuzz/target.h"

namespace {

using namespace lprnet;
using fuzz::check;

const fuzz::SmallNetwork& network_of(int classes) {
    static auto* const networks = new std::map<int, fuzz::SmallNetwork>;
    return networks->try_emplace(classes, classes).first->second;
}

void check_model(const Model& model) {
    const std::vector<std::string>& charset = model.charset();
    check(charset.size() >= 2, "fewer than two classes");
    check(model.blank() >= 0 && static_cast<std::size_t>(model.blank()) < charset.size(),
          "a blank outside of the alphabet");
    for (const std::string& entry : charset) {
        check(!entry.empty(), "a class without a text");
        check(find_invalid_utf8(entry) == std::string::npos, "a class is no UTF-8");
    }
    check(model.temperature() >= 0.05 && model.temperature() <= 20.0, "a strange temperature");
    check(model.input_width() > 0 && model.input_height() > 0, "an input without pixels");
}

void read_picture(const Model& model) {
    RecognizerOptions options;

    Result<Recognizer> recognizer = Recognizer::create(model, options);
    if (!recognizer) {
        fuzz::check_error(recognizer.error());
        return;
    }
    const std::vector<std::uint8_t> pixels(3 * 31 * 11, 90);
    const Result<Reading> reading =
        recognizer->read({pixels.data(), 31, 11, 3 * 31, PixelFormat::rgb});
    if (!reading) {
        fuzz::check_error(reading.error());
        return;
    }
    check(find_invalid_utf8(reading->text) == std::string::npos, "a text is no UTF-8");
    check(reading->confidence >= 0.0f && reading->confidence <= 1.0f, "no confidence");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Pieces pieces(data, size);
    const fuzz::SmallNetwork& network = network_of(2 + pieces.value<std::uint8_t>() % 8);
    weights::Metadata metadata = network.metadata();
    while (!pieces.empty()) {
        const std::string_view line = pieces.line();
        const std::size_t equals = std::min(line.find('='), line.size());
        const std::string key = "lprnet." + std::string(line.substr(0, equals));
        const std::string value(line.substr(std::min(equals + 1, line.size())));
        // The writer keeps to UTF-8, so that a reader has no other.
        if (find_invalid_utf8(key) == std::string::npos &&
            find_invalid_utf8(value) == std::string::npos)
            metadata[key] = value;
    }
    const Result<Model> model = Model::from_memory(network.file(metadata), "m");
    if (!model) {
        fuzz::check_error(model.error());
        return 0;
    }
    ++fuzz::accepted;
    check_model(*model);
    // The time of a pass grows with the input, which is the caller's choice.
    if (model->input_width() * model->input_height() <= 94 * 24) read_picture(*model);
    return 0;
}
