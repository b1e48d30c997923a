#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "engine/cli/decode_option.h"
#include "engine/cli/json_line.h"
#include "engine/cli/model_option.h"
#include "engine/cli/process.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "engine/model/model_data.h"
#include "engine/run/network.h"
#include "kernels/dispatch.h"
#include "lprnet/patterns.h"
#include "lprnet/version.h"

namespace lprnet::cli {
namespace {

using Json = nlohmann::ordered_json;

struct InfoOptions {
    ModelOption model;
    std::string patterns;
    bool json = false;
    bool formats = false;
};

Json per_channel(const float (&values)[3], int count) {
    Json array = Json::array();
    for (int c = 0; c < count; ++c) array.push_back(values[c]);
    return array;
}

std::string shape_text(const Shape& t) {
    return std::to_string(t.c) + "x" + std::to_string(t.h) + "x" + std::to_string(t.w);
}

Json formats_of(const Patterns& patterns, const Model& model) {
    Json formats = Json::array();
    const Result<std::vector<bool>> writable = patterns.writable(model);
    for (std::size_t i = 0; writable && i < writable->size(); ++i) {
        formats.push_back({{"name", patterns.formats()[i].name},
                           {"prior", patterns.formats()[i].prior},
                           {"used", static_cast<bool>((*writable)[i])}});
    }
    return formats;
}

// What the file says of its spatial transformer; null without one.
Json transformer_of(const Graph& graph) {
    for (const Node& node : graph.nodes) {
        if (node.op == Op::affine_sample) return {{"align_corners", node.align_corners}};
    }
    return nullptr;
}

Json describe(const Model& model, const Patterns& patterns, Recognizer& recognizer) {
    const Plan& plan = recognizer.network().plan();
    const Preprocess& preprocess = model.data().preprocess;
    const int count = channels(preprocess.order);

    Json features = Json::array();
    const kernels::CpuFeatures cpu = kernels::detect_cpu_features();
    for (const auto& feature : kernels::kNamedFeatures) {
        if (cpu.*feature.present) features.push_back(feature.name);
    }
    Json isas = Json::array();
    for (const kernels::IsaEntry& entry : kernels::all_isas()) {
        if (entry.supported(cpu)) isas.push_back(entry.table->name);
    }
    Json weights = Json::array();
    for (const Node& node : model.data().graph.nodes) {
        if (node.op != Op::conv2d) continue;
        weights.push_back({{"name", node.name},
                           {"weights", node.weight.size() + node.quantized_weight.size()},
                           {"zeros", std::count(node.weight.begin(), node.weight.end(), 0.0F) +
                                         std::count(node.quantized_weight.begin(),
                                                    node.quantized_weight.end(), 0)},
                           {"stored_bytes", node.stored_bytes}});
    }
    Json layers = Json::array();
    std::int64_t macs = 0;
    std::size_t constants = 0;
    for (const StepInfo& step : plan.info) {
        macs += step.multiply_accumulates;
        // A pool's are those of the convolution that it reads.
        if (step.op == Op::conv2d) constants += step.constants.size();
        layers.push_back({{"name", step.name},
                          {"shape", {step.shape.c, step.shape.h, step.shape.w}},
                          {"kernel", step.kernel},
                          {"macs", step.multiply_accumulates},
                          {"constant_channels", step.constants.size()},
                          {"weight_bytes", step.weight_bytes},
                          {"output_bytes", step.output.bytes()}});
    }
    return {{"version", LPRNET_VERSION},
            {"model", model.name()},
            {"precision", model.precision()},
            {"source", model.source()},
            {"architecture", model.architecture()},
            {"parameters", model.parameters()},
            {"classes", model.charset().size()},
            {"charset", model.charset()},
            {"blank", model.blank()},
            {"steps", model.steps()},
            {"temperature", model.temperature()},
            {"formats", formats_of(patterns, model)},
            {"transformer", transformer_of(model.data().graph)},
            {"preprocess",
             {{"width", preprocess.width},
              {"height", preprocess.height},
              {"channel_order", name_of(preprocess.order)},
              {"mean", per_channel(preprocess.mean, count)},
              {"scale", per_channel(preprocess.scale, count)},
              {"resize", "bilinear"}}},
            {"cpu", kernels::cpu_brand().text},
            {"cpu_features", features},
            {"isas", isas},
            {"isa", recognizer.isa()},
            {"macs", macs},
            {"constant_channels", constants},
            {"arena_bytes", recognizer.arena_bytes()},
            {"packed_bytes", recognizer.packed_bytes()},
            {"layers", layers},
            {"weights", weights}};
}

std::string joined(const Json& array, const char* separator) {
    std::string text;
    for (const Json& item : array) {
        if (!text.empty()) text += separator;
        text += item.is_string() ? item.get<std::string>() : item.dump();
    }
    return text;
}

// The convolutions of the file, by the names they have there: what is zero and what is stored.
void print_weights(const Json& weights) {
    const auto row = [](const std::string& name, std::size_t count, std::size_t zeros,
                        std::size_t bytes) {
        const double share =
            count == 0 ? 0.0 : static_cast<double>(zeros) / static_cast<double>(count);
        return std::vector<std::string>{name, std::to_string(count), std::to_string(zeros),
                                        fixed(100.0 * share, 2), std::to_string(bytes)};
    };
    std::vector<std::vector<std::string>> rows = {
        {"convolution", "weights", "zeros", "zero %", "bytes in the file"}};
    std::size_t count = 0, zeros = 0, bytes = 0;
    for (const Json& layer : weights) {
        rows.push_back(row(layer["name"], layer["weights"], layer["zeros"], layer["stored_bytes"]));
        count += layer["weights"].get<std::size_t>();
        zeros += layer["zeros"].get<std::size_t>();
        bytes += layer["stored_bytes"].get<std::size_t>();
    }
    rows.push_back(row("all", count, zeros, bytes));
    std::puts("");
    print_table(rows, {true, false, false, false, false});
}

// Names of the formats that the model can write, or of those that it cannot.
std::string format_names(const Json& formats, bool used) {
    std::string names;
    for (const Json& format : formats) {
        if (format["used"].get<bool>() != used) continue;
        names += (names.empty() ? "" : ", ") + format["name"].get<std::string>();
    }
    return names.empty() ? "none" : names;
}

void print_text(const Json& info, const Plan& plan) {
    const Json& preprocess = info["preprocess"];
    print_field("version", info["version"].get<std::string>());
    print_field("model", info["model"].get<std::string>());
    print_field("source", info["source"].get<std::string>());
    print_field("architecture", info["architecture"].get<std::string>());
    print_field("precision", info["precision"].get<std::string>());
    print_field("parameters", info["parameters"].dump());
    print_field("charset", info["classes"].dump() + ": " + joined(info["charset"], ""));
    print_field("blank", info["blank"].dump());
    print_field("temperature", info["temperature"].dump());
    print_field("formats",
                format_names(info["formats"], true) +
                    "; left out for want of characters: " + format_names(info["formats"], false));
    print_field("input", preprocess["channel_order"].get<std::string>() + " " +
                             preprocess["width"].dump() + "x" + preprocess["height"].dump() +
                             ", resize bilinear, (x - [" + joined(preprocess["mean"], ", ") +
                             "]) * [" + joined(preprocess["scale"], ", ") + "]");
    if (!info["transformer"].is_null()) {
        print_field("transformer", "straightens the picture first, align_corners " +
                                       info["transformer"]["align_corners"].dump());
    }
    print_field("cpu", info["cpu"].get<std::string>());
    print_field("features", joined(info["cpu_features"], " "));
    print_field("isas", joined(info["isas"], " ") + "; in use: " + info["isa"].get<std::string>());
    if (info["constant_channels"] != 0) {
        print_field("constant",
                    info["constant_channels"].dump() +
                        " channels are the same for every picture and are not computed");
    }
    print_field("arena", std::to_string(info["arena_bytes"].get<std::size_t>() / 1024) + " KiB");
    print_field("packed", std::to_string(info["packed_bytes"].get<std::size_t>() / 1024) + " KiB");
    std::puts("");

    std::vector<std::vector<std::string>> rows = {
        {"layer", "output", "kernel", "MMAC", "weights", "output bytes"}};
    for (const StepInfo& step : plan.info) {
        rows.push_back({step.name, shape_text(step.shape), step.kernel,
                        step.multiply_accumulates == 0
                            ? "-"
                            : fixed(static_cast<double>(step.multiply_accumulates) * 1e-6, 2),
                        std::to_string(step.weight_bytes), std::to_string(step.output.bytes())});
    }
    rows.push_back({"all", "", "", fixed(info["macs"].get<double>() * 1e-6, 2),
                    info["packed_bytes"].dump(), ""});
    print_table(rows, {true, false, true, false, false, false});
    print_weights(info["weights"]);
}

ExitStatus run(const InfoOptions& options) {
    if (options.formats) {
        const std::string_view text = Patterns::builtin_text();
        std::fwrite(text.data(), 1, text.size(), stdout);
        return kDone;
    }
    Result<Model> model = options.model.load();
    if (!model) return fail(model.error());
    Result<Recognizer> recognizer = options.model.recognizer(*model);
    if (!recognizer) return fail(recognizer.error());
    Result<Patterns> patterns = load_patterns(options.patterns);
    if (!patterns) return fail(patterns.error());
    const Json info = describe(*model, *patterns, *recognizer);
    if (options.json) {
        print_json_line(info);
    } else {
        print_text(info, recognizer->network().plan());
    }
    return kDone;
}

}  // namespace

Verb add_info(CLI::App& app) {
    auto options = std::make_shared<InfoOptions>();
    options->model.add_to(app);
    CLI::Option* patterns =
        app.add_option("-p,--pattern", options->patterns,
                       "File with formats of plates to check; default: the built-in cn");
    CLI::Option* json = app.add_flag("-j,--json", options->json, "One JSON object");
    app.add_flag("--formats", options->formats,
                 "Nothing but the built-in formats of plates, as a file for --pattern")
        ->excludes(patterns)
        ->excludes(json);
    return [options] { return run(*options); };
}

}  // namespace lprnet::cli
