#include "engine/compress/quantize.h"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "engine/cli/evaluation.h"
#include "engine/cli/html_option.h"
#include "engine/cli/inputs.h"
#include "engine/cli/labels.h"
#include "engine/cli/model_option.h"
#include "engine/cli/number_range.h"
#include "engine/cli/process.h"
#include "engine/cli/progress.h"
#include "engine/cli/quantize_report.h"
#include "engine/cli/verbs.h"
#include "engine/image_file/image_file.h"
#include "engine/measure/smaller_model.h"
#include "engine/model/model_file.h"
#include "engine/report/layers_page.h"
#include "engine/run/choose_table.h"
#include "engine/text/printable.h"
#include "weights/whole_file.h"

namespace lprnet::cli {
namespace {

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
    HtmlOption html;
};

// The normalized inputs of up to `options.images` images, spread evenly over those there are.
ExitStatus read_inputs(const QuantizeOptions& options, Recognizer& recognizer,
                       measure::Inputs& inputs) {
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

QuantizeMethod method_of(const QuantizeOptions& options, const kernels::KernelTable& table) {
    QuantizeMethod method;
    method.table = &table;
    method.equalise = method.reconstruct = !options.plain;
    method.zero_below = options.zero_below;
    method.keep_float.insert(options.keep_float.begin(), options.keep_float.end());
    for (const ClipMethodTraits& traits : kClipMethods) {
        if (options.method == traits.name) method.clip = traits.method;
    }
    return method;
}

// The networks before and after, layer by layer.
Result<measure::QuantizationReport> compare(const QuantizeOptions& options, const Model& before,
                                            const Model& after,
                                            std::vector<Recognizer>& recognizers,
                                            const QuantizedModel& quantized,
                                            const measure::Inputs& inputs,
                                            const kernels::KernelTable& table) {
    MeasureProgress progress("comparing");
    Result<measure::QuantizationReport> report = measure::compare_networks(
        recognizers.front(), recognizers.back(), quantized.layers, inputs, progress);
    if (report && options.report && !options.weights_only) {
        if (Status s = measure::add_damage(before, after, inputs, table, *report); !s)
            return s.error();
    }
    return report;
}

Status write_html(const QuantizeReport& report, const QuantizeOptions& options,
                  const std::string& note, const Model& before, const Model& after) {
    if (!options.html) return {};
    return report::write_quantize_page(options.html.path,
                                       {{"from", before.name()},
                                        {"to", after.name()},
                                        {"method", note},
                                        {"bytes before", std::to_string(report.bytes_before)},
                                        {"bytes after", std::to_string(report.bytes_after)}},
                                       report.quantization, report.evaluations);
}

// Everything but the options and what was read.
ExitStatus quantize_and_report(const QuantizeOptions& options, const ModelFile& from,
                               Recognizer before, const measure::Inputs& inputs,
                               const std::vector<LabelledImage>& test) {
    const Result<const kernels::KernelTable*> table = table_for("");
    if (!table) return fail(table.error());
    const QuantizeMethod method = method_of(options, **table);
    const Result<QuantizedModel> quantized =
        options.weights_only ? quantize_weights(from.file, from.model.data(), method.keep_float)
                             : quantize(from.model.data(), inputs, method);
    if (!quantized) return fail(quantized.error());
    const std::string note = options.weights_only ? measure::note_of_weights_only(method.keep_float)
                                                  : measure::note_of(method);
    const Result<measure::SmallerModel> made = measure::quantized_model(
        from.file, *quantized, note, options.output, options.weights_only ? nullptr : *table);
    if (!made) return fail(made.error());
    Result<Recognizer> after = Recognizer::create(made->model);
    if (!after) return fail(after.error());
    std::vector<Recognizer> recognizers;
    recognizers.push_back(std::move(before));
    recognizers.push_back(std::move(*after));
    Result<measure::QuantizationReport> compared =
        compare(options, from.model, made->model, recognizers, *quantized, inputs, **table);
    if (!compared) return fail(compared.error());
    QuantizeReport report = {std::move(*compared), file_bytes(from.file), made->bytes.size(), {}};
    const std::span<const std::byte> bytes = made->bytes;
    if (Status s = weights::write_whole_file(options.output, {&bytes, 1}); !s) {
        return fail(s.error());
    }
    ExitStatus status = kDone;
    if (!test.empty()) {
        report.evaluations.resize(recognizers.size());
        status = evaluate(test, recognizers, report.evaluations);
    }
    if (options.json) {
        print_json(report, from.model, options.output, note);
    } else {
        print_text(report, options.output);
    }
    if (Status s = write_html(report, options, note, from.model, made->model); !s)
        return fail(s.error());
    return status;
}

ExitStatus run(const QuantizeOptions& options) {
    if (!options.weights_only && options.calibration.empty()) {
        return fail({ErrorCode::invalid_argument,
                     "quantize: expected --calibration DIR, or --weights-only"});
    }
    if (Status path = weights::check_output_path(options.output); !path) return fail(path.error());
    if (Status path = options.html.check(); !path) return fail(path.error());
    const Result<ModelFile> from = load_model_file(options.model);
    if (!from) return fail(from.error());
    Result<Recognizer> before = Recognizer::create(from->model);
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
    measure::Inputs inputs;
    ExitStatus status = kDone;
    if (!options.calibration.empty()) {
        status = read_inputs(options, *before, inputs);
        if (inputs.empty()) return status;
    }
    return std::max(status, quantize_and_report(options, *from, std::move(*before), inputs, test));
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
    options->html.add_to(app);
    app.add_flag("-j,--json", options->json, "One JSON object");
    return [options] { return run(*options); };
}

}  // namespace lprnet::cli
