#include "engine/cli/backend_option.h"

#include <utility>

#include "engine/cli/process.h"

namespace lprnet::cli {
namespace {

Result<bpu::Recognizer> open_bpu(const BackendOption& option, const Model& model,
                                 const DecodeOptions& decoding) {
    if (option.bin.empty())
        return Error{ErrorCode::invalid_argument, "the BPU needs a model of its own: --bpu-model"};
    bpu::RecognizerOptions options;
    if (!option.library.empty()) options.library = option.library;
    options.timeout_ms = option.timeout_ms;
    options.decoding = decoding;
    options.nv12_range = option.nv12 == "full" ? bpu::Nv12Range::full : bpu::Nv12Range::video;
    return bpu::Recognizer::create(model, option.bin, options);
}

}  // namespace

void BackendOption::add_to(CLI::App& app) {
    app.add_option("--backend", name,
                   "Who computes: cpu, the bpu of an RDK X5 board, or auto, the bpu where there is "
                   "one; default: cpu, with --bpu-model bpu")
        ->check(CLI::IsMember({"cpu", "bpu", "auto"}));
    app.add_option("--bpu-model", bin, "The .bin that was made of the weights file for the BPU");
    app.add_option("--bpu-library", library, "The BPU's runtime; default: libdnn.so");
    app.add_option("--bpu-nv12", nv12,
                   "Range of the NV12 pixels that the .bin was made for: video or full")
        ->check(CLI::IsMember({"video", "full"}))
        ->capture_default_str();
    app.add_option("--bpu-timeout", timeout_ms, "Longest wait for the BPU, in ms")
        ->check(CLI::Range(1, bpu::kMaxTimeoutMs))
        ->capture_default_str();
}

Result<AnyRecognizer> BackendOption::open(const ModelOption& model_option, const Model& model,
                                          const DecodeOptions& decoding, int threads) const {
    const std::string chosen = !name.empty() ? name : bin.empty() ? "cpu" : "bpu";
    if (chosen != "cpu") {
        Result<bpu::Recognizer> recognizer = open_bpu(*this, model, decoding);
        if (recognizer) return AnyRecognizer(std::move(*recognizer));
        if (chosen == "bpu") return recognizer.error();
        print_error("backend cpu: " + recognizer.error().message);
    }
    RecognizerOptions options;
    options.threads = threads;
    options.decoding = decoding;
    Result<Recognizer> recognizer = model_option.recognizer(model, std::move(options));
    if (!recognizer) return recognizer.error();
    return AnyRecognizer(std::move(*recognizer));
}

}  // namespace lprnet::cli
