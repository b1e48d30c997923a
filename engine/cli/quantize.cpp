#include "engine/compress/quantize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "engine/cli/image_file.h"
#include "engine/cli/inputs.h"
#include "engine/cli/model_file.h"
#include "engine/cli/model_option.h"
#include "engine/cli/progress.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "engine/plan/tensor_elements.h"
#include "engine/run/recognizer_state.h"
#include "weights/printable.h"

namespace lprnet::cli {
namespace {

using Json = nlohmann::ordered_json;
using weights::SafetensorsFile;

constexpr std::array<std::pair<const char*, ClipMethod>, 3> kMethods = {
    {{"mse", ClipMethod::mse}, {"percentile", ClipMethod::percentile}, {"max", ClipMethod::max}}};

struct QuantizeOptions {
    std::string model;  // empty: built in
    std::string output;
    std::string calibration;
    std::string method = "mse";
    std::size_t images = 256;
    bool weights_only = false;
    bool json = false;
};

// A layer before and after, over all calibration images.
struct LayerReport {
    QuantizedLayer layer;
    double product = 0, exact = 0, found = 0, error = 0;  // sums of products and squares

    double cosine() const { return exact > 0 ? product / std::sqrt(exact * found) : 1.0; }
    double relative_error() const { return exact > 0 ? std::sqrt(error / exact) : 0.0; }
};

struct Report {
    std::vector<LayerReport> layers;  // the last are the logits
    std::size_t images = 0, texts_changed = 0;
    std::size_t bytes_before = 0, bytes_after = 0;
};

// The normalised inputs of up to `options.images` images, spread evenly over those there are.
ExitStatus read_inputs(const QuantizeOptions& options, Recognizer& recognizer,
                       std::vector<std::vector<float>>& inputs) {
    const Inputs found = expand_inputs({options.calibration});
    for (const std::string& line : found.skipped) print_error(line);
    for (const std::string& line : found.errors) print_error(line);
    ExitStatus status = found.errors.empty() ? kDone : kUnreadable;
    const std::size_t count = std::min(options.images, found.images.size());
    for (std::size_t i = 0; i < count; ++i) {
        const std::string& path = found.images[i * found.images.size() / count];
        const Result<DecodedImage> image = DecodedImage::open(path);
        const Status set = image ? recognizer.set_image(image->view()) : Status(image.error());
        if (!set) {
            print_error(set.error().message);
            status = kUnreadable;
            continue;
        }
        inputs.emplace_back(recognizer.input().begin(), recognizer.input().end());
    }
    if (inputs.empty()) {
        print_error(weights::printable(options.calibration) +
                    ": expected images to calibrate on, found none that can be read");
        return kUnreadable;
    }
    return status;
}

// Both networks on every input, layer by layer.
void compare(Recognizer& before, Recognizer& after, const std::vector<std::vector<float>>& inputs,
             Report& report) {
    std::map<std::string, LayerReport*> layers;
    for (LayerReport& layer : report.layers) layers[layer.layer.name] = &layer;
    std::map<std::string, std::vector<double>> exact;
    Progress progress(inputs.size());
    Reading first, second;
    for (const std::vector<float>& input : inputs) {
        for (Recognizer* recognizer : {&before, &after}) {
            Recognizer::State& state = recognizer->state();
            std::copy(input.begin(), input.end(), recognizer->input().begin());
            for (const Step& step : state.plan->steps) {
                run_step(*state.plan, step, state.arena.data());
                const auto layer = layers.find(step.name);
                if (layer == layers.end()) continue;
                std::vector<double>& values = exact[step.name];
                const bool is_exact = recognizer == &before;
                if (is_exact) values.resize(step.output.size());
                LayerReport& sums = *layer->second;
                for_each_value(step.output, step.channel_order, state.arena.data(),
                               [&](std::size_t i, double value) {
                                   if (is_exact) {
                                       values[i] = value;
                                       return;
                                   }
                                   const double difference = values[i] - value;
                                   sums.product += values[i] * value;
                                   sums.exact += values[i] * values[i];
                                   sums.found += value * value;
                                   sums.error += difference * difference;
                               });
            }
        }
        before.decode(first);
        after.decode(second);
        ++report.images;
        if (first.text != second.text) ++report.texts_changed;
        progress.advance();
    }
}

void print_json(const Report& report, const QuantizeOptions& options, const Model& model) {
    Json layers = Json::array();
    for (const LayerReport& layer : report.layers) {
        layers.push_back({{"name", layer.layer.name},
                          {"largest", layer.layer.largest},
                          {"clip", layer.layer.clip},
                          {"cosine", layer.cosine()},
                          {"relative_error", layer.relative_error()}});
    }
    const Json json = {
        {"model", model.name()},
        {"output", options.output},
        {"method", options.weights_only ? "weights" : options.method},
        {"images", report.images},
        {"texts_changed", report.texts_changed},
        {"layers", layers},
        {"file_bytes", {{"before", report.bytes_before}, {"after", report.bytes_after}}}};
    std::puts(json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
}

void print_text(const Report& report, const QuantizeOptions& options) {
    if (report.images > 0) {
        std::vector<std::vector<std::string>> rows = {
            {"layer", "largest", "clip", "cosine", "error %"}};
        for (const LayerReport& layer : report.layers) {
            const bool clipped = layer.layer.clip > 0.0f;
            rows.push_back({layer.layer.name,
                            clipped ? fixed(static_cast<double>(layer.layer.largest), 3) : "",
                            clipped ? fixed(static_cast<double>(layer.layer.clip), 3) : "",
                            fixed(layer.cosine(), 6), fixed(100.0 * layer.relative_error(), 2)});
        }
        print_table(rows, {true, false, false, false, false});
        std::printf("\n%zu of %zu texts changed\n", report.texts_changed, report.images);
    }
    std::printf("%s: %zu bytes, before %zu\n", weights::printable(options.output).c_str(),
                report.bytes_after, report.bytes_before);
}

ExitStatus run(const QuantizeOptions& options) {
    if (!options.weights_only && options.calibration.empty()) {
        return fail({ErrorCode::invalid_argument,
                     "quantize: expected --calibration DIR, or --weights-only"});
    }
    const Result<Model> model =
        options.model.empty() ? Model::builtin() : Model::load(options.model);
    if (!model) return fail(model.error());
    const Result<SafetensorsFile> file = open_model_file(options.model, *model);
    if (!file) return fail(file.error());
    Result<Recognizer> before = Recognizer::create(*model);
    if (!before) return fail(before.error());
    std::vector<std::vector<float>> inputs;
    ExitStatus status = kDone;
    if (!options.calibration.empty()) {
        status = read_inputs(options, *before, inputs);
        if (inputs.empty()) return status;
    }

    ClipMethod method = ClipMethod::mse;
    for (const auto& [name, value] : kMethods) {
        if (options.method == name) method = value;
    }
    const Result<QuantizedModel> quantised = options.weights_only
                                                 ? quantize_weights(*file, model->data())
                                                 : quantize(model->data(), inputs, method);
    if (!quantised) return fail(quantised.error());
    weights::Metadata metadata = file->metadata();
    std::string& source = metadata["lprnet.source"];
    source += source.empty() ? "" : "; ";
    source += options.weights_only ? "int8 weights" : "int8, clipped by " + options.method;
    const std::vector<weights::TensorView> views = quantised->views();
    const Result<std::vector<std::byte>> bytes = weights::serialize_safetensors(views, metadata);
    if (!bytes) return fail(bytes.error());
    // The file is read back before it is written: what cannot be loaded never appears.
    const Result<Model> loaded = Model::from_memory(*bytes, options.output);
    if (!loaded) return fail(loaded.error());
    Result<Recognizer> after = Recognizer::create(*loaded);
    if (!after) return fail(after.error());

    Report report;
    for (const QuantizedLayer& layer : quantised->layers) {
        report.layers.push_back({.layer = layer});
    }
    report.layers.push_back({.layer = {.name = "logits"}});
    report.bytes_before = file_bytes(*file);
    report.bytes_after = bytes->size();
    compare(*before, *after, inputs, report);
    if (Status s = weights::write_safetensors(options.output, views, metadata); !s) {
        return fail(s.error());
    }
    if (options.json) {
        print_json(report, options, *model);
    } else {
        print_text(report, options);
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
                   "Where activations saturate: mse, percentile (99.99 %) or max")
        ->check(CLI::IsMember({"mse", "percentile", "max"}))
        ->capture_default_str();
    app.add_flag("--weights-only", options->weights_only,
                 "Weights of a byte alone: a small file, computed in float32");
    app.add_flag("-j,--json", options->json, "One JSON object");
    return [options] { return run(*options); };
}

}  // namespace lprnet::cli
