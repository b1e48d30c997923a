#include "engine/cli/model_option.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "engine/text/printable.h"
#include "weights/text_file.h"

namespace lprnet::cli {
namespace {

// For an error message: what makes weights of that precision.
std::string maker_of(const std::string& precision) {
    if (precision == "int8") return "; lprnet quantize makes int8 ones";
    if (precision == "sparse") return "; lprnet prune makes sparse ones";
    return "";
}

}  // namespace

void ModelOption::add_to(CLI::App& app) {
    app.add_option("-m,--model", path, "Weights file (.safetensors); default: the one built in");
    app.add_option("--precision", precision,
                   "Which of the built-in weights, fp32 by default or int8, or what those of "
                   "--model have to be")
        ->check(CLI::IsMember({"fp32", "sparse", "int8"}));
    app.add_option("--tuning", tuning, "Kernel choices written by lprnet tune");
}

Result<Model> ModelOption::load() const {
    if (path.empty()) return Model::builtin(precision.empty() ? "fp32" : precision);
    Result<Model> model = Model::load(path);
    if (model && !precision.empty() && precision != model->precision()) {
        return Error{ErrorCode::invalid_argument, model->name() + ": expected " + precision +
                                                      " weights, found " + model->precision() +
                                                      " ones" + maker_of(precision)};
    }
    return model;
}

Result<Recognizer> ModelOption::recognizer(const Model& model, RecognizerOptions options) const {
    const char* named = std::getenv("LPRNET_TUNING");
    const std::string file = !tuning.empty() ? tuning : named != nullptr ? named : "";
    if (!file.empty()) {
        Result<std::string> text = weights::read_text_file(file, kMaxTuningBytes);
        if (!text) return Error{text.error().code, "tuning " + text.error().message};
        options.tuning = std::move(*text);
        options.tuning_name = file;
    }
    return Recognizer::create(model, options);
}

}  // namespace lprnet::cli
