#include "engine/compress/quantize.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "engine/cli/evaluation.h"
#include "engine/cli/golden.h"
#include "engine/cli/inputs.h"
#include "engine/cli/labels.h"
#include "engine/cli/model_file.h"
#include "engine/cli/model_option.h"
#include "engine/cli/number_range.h"
#include "engine/cli/quantize_report.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "engine/image_file/image_file.h"
#include "engine/run/choose_table.h"
#include "engine/text/printable.h"
#include "weights/whole_file.h"

namespace lprnet::cli {
namespace {

using weights::SafetensorsFile;

constexpr std::array<std::pair<const char*, ClipMethod>, 5> kMethods = {
    {{"mse", ClipMethod::mse},
     {"percentile", ClipMethod::percentile},
     {"kl", ClipMethod::kl},
     {"max", ClipMethod::max},
     {"search", ClipMethod::search}}};

struct QuantizeOptions {
    std::string model;  // empty: built in
    std::string output;
    std::string calibration;
    std::string method = "mse";
    std::size_t images = 256;
    bool plain = false;
    double zero_below = 0.0;
    bool weights_only = false;
    std::vector<std::string> keep_float;
    std::string test;
    bool report = false;
    bool json = false;
};

// The normalized inputs of up to `options.images` images, spread evenly over those there are.
ExitStatus read_inputs(const QuantizeOptions& options, Recognizer& recognizer,
                       std::vector<std::vector<float>>& inputs) {
    const Inputs found = expand_inputs({options.calibration});
    for (const std::string& line : found.skipped) print_error(line);
    for (const std::string& line : found.errors) print_error(line);
    ExitStatus status = found.errors.empty() ? kDone : kUnreadable;
    const std::size_t count = std::min(options.images, found.images.size());
    for (std::size_t i = 0; i < count; ++i) {
        const std::string& path = found.images[i * found.images.size() / count];
        const Result<DecodedImage> image = open_image(path);
        const Status set = image ? recognizer.set_image(image->view()) : Status(image.error());
        if (!set) {
            print_error(set.error().message);
            status = kUnreadable;
            continue;
        }
        inputs.emplace_back(recognizer.input().begin(), recognizer.input().end());
    }
    if (inputs.empty()) {
        print_error(printable(options.calibration) +
                    ": expected images to calibrate on, found none that can be read");
        return kUnreadable;
    }
    return status;
}

std::string method_name(const QuantizeOptions& options) {
    std::string name = "int8 weights";
    if (!options.weights_only) {
        name = "int8, clipped by " + options.method;
        if (options.plain) name += ", plain";
        if (options.zero_below > 0.0) name += ", zero below " + short_number(options.zero_below);
    }
    for (const std::string& layer : options.keep_float) name += ", " + layer + " float32";
    return name;
}

ExitStatus run(const QuantizeOptions& options) {
    if (!options.weights_only && options.calibration.empty()) {
        return fail({ErrorCode::invalid_argument,
                     "quantize: expected --calibration DIR, or --weights-only"});
    }
    if (Status path = weights::check_output_path(options.output); !path) return fail(path.error());
    const Result<Model> model =
        options.model.empty() ? Model::builtin() : Model::load(options.model);
    if (!model) return fail(model.error());
    const Result<SafetensorsFile> file = open_model_file(options.model, *model);
    if (!file) return fail(file.error());
    Result<Recognizer> before = Recognizer::create(*model);
    if (!before) return fail(before.error());
    std::vector<LabelledImage> test;
    if (!options.test.empty()) {
        Result<std::vector<LabelledImage>> labelled = read_labels(options.test);
        if (!labelled) {
            print_error(labelled.error().message);
            return kUnreadable;
        }
        test = std::move(*labelled);
    }
    std::vector<std::vector<float>> inputs;
    ExitStatus status = kDone;
    if (!options.calibration.empty()) {
        status = read_inputs(options, *before, inputs);
        if (inputs.empty()) return status;
    }

    const Result<const kernels::KernelTable*> table = table_for("");
    if (!table) return fail(table.error());
    QuantizeMethod method;
    method.table = *table;
    method.equalise = method.reconstruct = !options.plain;
    method.zero_below = options.zero_below;
    method.keep_float.insert(options.keep_float.begin(), options.keep_float.end());
    for (const auto& [name, value] : kMethods) {
        if (options.method == name) method.clip = value;
    }
    const Result<QuantizedModel> quantized =
        options.weights_only ? quantize_weights(*file, model->data(), method.keep_float)
                             : quantize(model->data(), inputs, method);
    if (!quantized) return fail(quantized.error());
    weights::Metadata metadata = file->metadata();
    std::string& source = metadata["lprnet.source"];
    source += source.empty() ? "" : "; ";
    source += method_name(options);
    const std::vector<weights::TensorView> views = quantized->views();
    metadata.erase(kGoldenKey);
    Result<std::vector<std::byte>> bytes = weights::serialize_safetensors(views, metadata);
    if (!bytes) return fail(bytes.error());
    // The file is read back before it is written: what cannot be loaded never appears.
    const Result<Model> loaded = Model::from_memory(*bytes, options.output);
    if (!loaded) return fail(loaded.error());
    if (!options.weights_only) {
        const Result<std::vector<float>> golden = golden_logits(*loaded, **table);
        if (!golden) return fail(golden.error());
        metadata[kGoldenKey] = golden_hash(*golden);
        bytes = weights::serialize_safetensors(views, metadata);
        if (!bytes) return fail(bytes.error());
    }
    Result<Recognizer> after = Recognizer::create(*loaded);
    if (!after) return fail(after.error());

    QuantizeReport report;
    for (const QuantizedLayer& layer : quantized->layers) {
        report.layers.push_back({.layer = layer});
    }
    report.bytes_before = file_bytes(*file);
    report.bytes_after = bytes->size();
    if (Status s = compare_networks(*before, *after, inputs, report); !s) return fail(s.error());
    if (options.report && !options.weights_only) {
        if (Status s = add_damage(*model, *loaded, inputs, **table, report); !s)
            return fail(s.error());
    }
    if (Status s = weights::write_safetensors(options.output, views, metadata); !s) {
        return fail(s.error());
    }
    if (!test.empty()) {
        std::vector<Recognizer> recognizers;
        recognizers.push_back(std::move(*before));
        recognizers.push_back(std::move(*after));
        report.evaluations.resize(recognizers.size());
        status = std::max(status, evaluate(test, recognizers, report.evaluations));
    }
    if (options.json) {
        print_json(report, *model, options.output, method_name(options));
    } else {
        print_text(report, options.output);
    }
    return status;
}

}  // namespace

Verb add_quantize(CLI::App& app) {
    auto options = std::make_shared<QuantizeOptions>();
    app.add_option("-m,--model", options->model,
                   "Weights file (.safetensors); default: the one built in");
    app.add_option("-o,--output", options->output,
                   "Weights file to write, whole or not at all; may be the one read")
        ->required();
    app.add_option("--calibration", options->calibration,
                   "Folder of images, or an image; no labels are needed");
    app.add_option("--images", options->images, "Images to use at most, spread over the folder")
        ->check(CLI::Range(1, 1000000))
        ->capture_default_str();
    app.add_option("--method", options->method,
                   "Where activations saturate: mse, percentile (99.99 %), kl, max, or, by search, "
                   "for each layer that of these which changes the logits least")
        ->check(CLI::IsMember({"mse", "percentile", "kl", "max", "search"}))
        ->capture_default_str();
    app.add_flag(
        "--plain", options->plain,
        "One step for all channels of a layer's output and weights to the nearest, without "
        "a look at what is lost: as a baseline");
    app.add_option("--zero-below", options->zero_below,
                   "Weights below this share of the largest of their output channel become zero, "
                   "for smaller files of pruned networks")
        ->check(number_range(0.0, 1.0))
        ->capture_default_str();
    app.add_option("--keep-float", options->keep_float,
                   "A layer whose weights stay float32, by its name in the report or in the file. "
                   "Repeatable")
        ->type_name("LAYER")
        ->allow_extra_args(false);
    app.add_flag("--weights-only", options->weights_only,
                 "Weights of a byte alone: a small file, computed in float32");
    app.add_flag("--report", options->report,
                 "Also what each layer alone, and all but it, do to the logits; takes seconds");
    app.add_option("--test", options->test,
                   "Labelled images, a folder or labels.tsv, to read before and after");
    app.add_flag("-j,--json", options->json, "One JSON object");
    return [options] { return run(*options); };
}

}  // namespace lprnet::cli
