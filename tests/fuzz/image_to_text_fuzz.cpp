// Fuzz target for the whole way from the bytes of a picture file to a text: decoded, by whatever
// its first bytes say it is, and read by the network that is built in.
#include <cmath>
#include <string>

#include "engine/text/utf8.h"
#include "lprnet/recognizer.h"
#include "tests/fuzz/check_picture.h"
#include "tests/fuzz/picture_mutator.h"
#include "tests/fuzz/target.h"

namespace {

using namespace lprnet;
using fuzz::check;

// In integers, which no instruction set computes otherwise; float32 in a build without it.
Recognizer& recognizer() {
    static Recognizer* const one = [] {
        Result<Model> model = Model::builtin("int8");
        if (!model) model = Model::builtin();
        check(model.ok(), "no model is built in");
        RecognizerOptions options;
        options.decoding.candidates = 3;
        options.decoding.decoder = Decoder::beam;
        Result<Recognizer> made = Recognizer::create(*model, options);
        check(made.ok(), "no recognizer");
        return new Recognizer(std::move(*made));
    }();
    return *one;
}

void check_reading(const ImageView& view) {
    Reading reading, again;
    const Status status = recognizer().read(view, reading);
    if (!status) {
        fuzz::check_error(status.error());
        return;
    }
    for (const float logit : recognizer().logits())
        check(std::isfinite(logit), "a logit that is none");
    check(find_invalid_utf8(reading.text) == std::string::npos, "a text is no UTF-8");
    check(reading.confidence >= 0.0f && reading.confidence <= 1.0f, "no confidence");
    check(reading.reject_score >= 0.0f && reading.reject_score <= 1.0f, "no reject score");
    check(reading.candidates.size() <= 3, "more candidates than asked for");
    // Not each of them: a pass of the network takes most of the time.
    if (fuzz::accepted % 8 != 0) return;
    check(recognizer().read(view, again).ok() && again.text == reading.text &&
              again.confidence == reading.confidence,
          "two readings of one picture");
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
    return fuzz::mutate_picture(data, size, max_size, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto image = fuzz::check_picture(data, size);
    if (image) check_reading(image->view());
    return 0;
}
