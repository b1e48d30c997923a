#include "engine/compress/prune.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "engine/cli/before_after.h"
#include "engine/cli/evaluation.h"
#include "engine/cli/json_line.h"
#include "engine/cli/labels.h"
#include "engine/cli/model_option.h"
#include "engine/cli/process.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "engine/measure/smaller_model.h"
#include "engine/model/model_data.h"
#include "engine/model/model_file.h"
#include "engine/text/printable.h"
#include "weights/whole_file.h"

namespace lprnet::cli {
namespace {

using Json = nlohmann::ordered_json;

struct PruneVerbOptions {
    std::string model;  // empty: built in
    std::string output;
    std::optional<double> amount;
    std::vector<std::pair<std::string, double>> layers;  // --keep and --layer, as given
    bool global = false;
    std::string shape = "weights";
    std::string calibration;
    bool json = false;
};

double parse_amount(const std::string& option, const std::string& text) {
    double amount = 0.0;
    const char* const end = text.data() + text.size();
    const auto [next, error] = std::from_chars(text.data(), end, amount);
    if (error != std::errc() || next != end || !(amount >= 0.0 && amount <= 1.0)) {
        throw CLI::ValidationError(option,
                                   "expected a share from 0 to 1, found " + in_quotes(text));
    }
    return amount;
}

// "NAME=AMOUNT"; a layer's name holds no '='.
std::pair<std::string, double> parse_layer(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
        throw CLI::ValidationError("--layer", "expected NAME=AMOUNT, found " + in_quotes(text));
    }
    return {text.substr(0, equals), parse_amount("--layer", text.substr(equals + 1))};
}

Result<PruneOptions> prune_options(const PruneVerbOptions& options) {
    PruneOptions prune;
    if (!options.amount && options.layers.empty()) {
        return Error{ErrorCode::invalid_argument, "prune: expected --amount or --layer"};
    }
    prune.amount = options.amount.value_or(0.0);
    prune.global = options.global;
    prune.unit = options.shape == "groups" ? PruneUnit::groups : PruneUnit::weights;
    for (const auto& [name, amount] : options.layers) {
        if (!prune.layer_amounts.emplace(name, amount).second) {
            return Error{ErrorCode::invalid_argument, "prune: layer " + in_quotes(name) +
                                                          " is named twice by --keep and --layer"};
        }
    }
    return prune;
}

// None if there is nothing to read.
Result<std::vector<Recognizer>> recognizers_of(const Model& before, const Model& after,
                                               const std::vector<LabelledImage>& images) {
    std::vector<Recognizer> recognizers;
    for (const Model* model : {&before, &after}) {
        if (images.empty()) break;
        Result<Recognizer> recognizer = Recognizer::create(*model);
        if (!recognizer) return recognizer.error();
        recognizers.push_back(std::move(*recognizer));
    }
    return recognizers;
}

struct Report {
    std::vector<PrunedLayer> layers;
    std::vector<std::size_t> stored_bytes;  // of each layer's weight
    std::size_t bytes_before = 0, bytes_after = 0;
    // With the weights before and after; empty without --calibration.
    std::vector<measure::Evaluation> evaluations;
};

PrunedLayer total(const std::vector<PrunedLayer>& layers) {
    PrunedLayer all;
    all.name = "all";
    for (const PrunedLayer& layer : layers) {
        all.weights += layer.weights;
        all.zeros += layer.zeros;
        all.l1 += layer.l1;
        all.l1_removed += layer.l1_removed;
        all.squares += layer.squares;
        all.squares_removed += layer.squares_removed;
    }
    return all;
}

std::size_t sum(const std::vector<std::size_t>& values) {
    std::size_t all = 0;
    for (const std::size_t value : values) all += value;
    return all;
}

Json layer_json(const PrunedLayer& layer, std::size_t stored_bytes) {
    return {{"name", layer.name},
            {"weights", layer.weights},
            {"zeros", layer.zeros},
            {"share", layer.zero_share()},
            {"l1_removed", layer.l1_share()},
            {"l2_removed", layer.l2_share()},
            {"stored_bytes", stored_bytes}};
}

void print_json(const Report& report, const PruneVerbOptions& options, const PruneOptions& prune,
                const Model& model) {
    Json layers = Json::array();
    for (std::size_t i = 0; i < report.layers.size(); ++i) {
        layers.push_back(layer_json(report.layers[i], report.stored_bytes[i]));
    }
    Json json = {{"model", model.name()},
                 {"output", options.output},
                 {"amount", prune.amount},
                 {"shape", options.shape},
                 {"global", prune.global},
                 {"layers", layers},
                 {"all", layer_json(total(report.layers), sum(report.stored_bytes))},
                 {"file_bytes", {{"before", report.bytes_before}, {"after", report.bytes_after}}}};
    if (!report.evaluations.empty()) {
        json["calibration"] = {{"decode", "greedy"}, {"precision", "fp32"}};
        add_before_after(json["calibration"], report.evaluations);
    }
    print_json_line(json);
}

std::vector<std::string> layer_row(const PrunedLayer& layer, std::size_t stored_bytes) {
    return {layer.name,
            std::to_string(layer.weights),
            std::to_string(layer.zeros),
            fixed(100.0 * layer.zero_share(), 2),
            fixed(100.0 * layer.l1_share(), 2),
            fixed(100.0 * layer.l2_share(), 2),
            std::to_string(stored_bytes)};
}

void print_text(const Report& report, const PruneVerbOptions& options) {
    std::vector<std::vector<std::string>> rows = {
        {"layer", "weights", "zeros", "zero %", "L1 lost %", "L2 lost %", "bytes"}};
    for (std::size_t i = 0; i < report.layers.size(); ++i) {
        rows.push_back(layer_row(report.layers[i], report.stored_bytes[i]));
    }
    rows.push_back(layer_row(total(report.layers), sum(report.stored_bytes)));
    print_table(rows, {true, false, false, false, false, false, false});
    if (!report.evaluations.empty()) {
        std::puts("");
        print_before_after("fp32, greedy", report.evaluations);
    }
    std::printf("\n%s: %zu bytes, before %zu\n", printable(options.output).c_str(),
                report.bytes_after, report.bytes_before);
}

// Everything but the options and what was read.
ExitStatus prune_and_report(const PruneVerbOptions& options, const PruneOptions& prune_by,
                            const ModelFile& from, const std::vector<LabelledImage>& images) {
    Graph graph = from.model.data().graph;
    Result<std::vector<PrunedLayer>> pruned = prune(graph, prune_by);
    if (!pruned) {
        return fail({pruned.error().code, from.model.name() + ": " + pruned.error().message});
    }
    const Result<measure::SmallerModel> made =
        measure::pruned_model(from.file, graph, measure::note_of(prune_by), options.output);
    if (!made) return fail(made.error());
    Report report;
    report.layers = std::move(*pruned);
    report.bytes_before = file_bytes(from.file);
    report.bytes_after = made->bytes.size();
    for (const Node& node : made->model.data().graph.nodes) {
        if (node.op == Op::conv2d) report.stored_bytes.push_back(node.stored_bytes);
    }
    Result<std::vector<Recognizer>> recognizers = recognizers_of(from.model, made->model, images);
    if (!recognizers) return fail(recognizers.error());
    report.evaluations.resize(recognizers->size());
    const std::span<const std::byte> bytes = made->bytes;
    if (Status s = weights::write_whole_file(options.output, {&bytes, 1}); !s) {
        return fail(s.error());
    }
    const ExitStatus status = evaluate(images, *recognizers, report.evaluations);
    if (options.json) {
        print_json(report, options, prune_by, from.model);
    } else {
        print_text(report, options);
    }
    return status;
}

ExitStatus run(const PruneVerbOptions& options) {
    const Result<PruneOptions> prune_by = prune_options(options);
    if (!prune_by) return fail(prune_by.error());
    if (Status path = weights::check_output_path(options.output); !path) return fail(path.error());
    const Result<ModelFile> from = load_model_file(options.model);
    if (!from) return fail(from.error());
    std::vector<LabelledImage> images;
    if (!options.calibration.empty()) {
        Result<std::vector<LabelledImage>> labelled = read_labels(options.calibration);
        if (!labelled) {
            print_error(labelled.error().message);
            return kUnreadable;
        }
        images = std::move(*labelled);
    }
    return prune_and_report(options, *prune_by, *from, images);
}

}  // namespace

Verb add_prune(CLI::App& app) {
    auto options = std::make_shared<PruneVerbOptions>();
    app.add_option("-m,--model", options->model,
                   "Weights file (.safetensors); default: the one built in");
    app.add_option("-o,--output", options->output,
                   "Weights file to write, whole or not at all; may be the one read")
        ->required();
    app.add_option_function<std::string>(
           "--amount",
           [options](const std::string& text) { options->amount = parse_amount("--amount", text); },
           "Share of the weights, or groups, of each layer that become zero, 0..1")
        ->type_name("FLOAT");
    app.add_option_function<std::vector<std::string>>(
           "--layer",
           [options](const std::vector<std::string>& texts) {
               for (const std::string& text : texts) options->layers.push_back(parse_layer(text));
           },
           "A layer with a share of its own; without --amount the others stay. Repeatable")
        ->type_name("NAME=FLOAT")
        ->allow_extra_args(false);
    app.add_option_function<std::vector<std::string>>(
           "--keep",
           [options](const std::vector<std::string>& names) {
               for (const std::string& name : names) options->layers.emplace_back(name, 0.0);
           },
           "A layer to leave as it is, by its name in the report or in the file. Repeatable")
        ->type_name("NAME")
        ->allow_extra_args(false);
    app.add_flag("--global", options->global,
                 "One threshold over all layers but those of --layer and --keep");
    app.add_option("--shape", options->shape,
                   "What is removed as a whole: weights, or groups of one input channel x 16 "
                   "output channels")
        ->check(CLI::IsMember({"weights", "groups"}))
        ->capture_default_str();
    app.add_option("--calibration", options->calibration,
                   "Folder or table of labelled images: also the accuracy before and after");
    app.add_flag("-j,--json", options->json, "One JSON object");
    return [options] { return run(*options); };
}

}  // namespace lprnet::cli
