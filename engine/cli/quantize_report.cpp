#include "engine/cli/quantize_report.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/cli/before_after.h"
#include "engine/cli/json_line.h"
#include "engine/cli/table.h"
#include "engine/text/printable.h"

namespace lprnet::cli {
namespace {

using Json = nlohmann::ordered_json;
using measure::LayerChange;
using measure::QuantizationReport;

constexpr double kBarWidth = 40.0;  // characters of a share of 1

// Of the damage: one character for each 1/kBarWidth, at least one where there is any.
std::string bar(double share) {
    std::string text;
    for (int i = 0; i < static_cast<int>(std::ceil(share * kBarWidth)); ++i) text += '#';
    return text;
}

const char* weights_name(const LayerChange& layer) {
    return layer.layer.keeps_float ? "float32" : "int8";
}

void print_layers(const QuantizationReport& report) {
    std::vector<std::vector<std::string>> rows = {
        {"layer", "type", "weights", "kernel", "largest", "clip", "cosine", "error %"}};
    for (const LayerChange& layer : report.layers) {
        const bool clipped = layer.layer.clip > 0.0f;
        rows.push_back({layer.layer.name, layer.type, weights_name(layer), layer.kernel,
                        clipped ? fixed(static_cast<double>(layer.layer.largest), 3) : "",
                        clipped ? fixed(static_cast<double>(layer.layer.clip), 3) : "",
                        fixed(layer.cosine(), 6), fixed(100.0 * layer.relative_error(), 2)});
    }
    print_table(rows, {true, true, true, true, false, false, false, false});
    std::puts("");
}

void print_damage(const QuantizationReport& report) {
    std::vector<std::vector<std::string>> rows = {
        {"logits off by", "alone %", "all but it %", "share %", ""}};
    for (const LayerChange& layer : report.layers) {
        rows.push_back({layer.layer.name, fixed(100.0 * layer.alone, 3),
                        fixed(100.0 * layer.without, 3), fixed(100.0 * layer.share, 1),
                        bar(layer.share)});
    }
    print_table(rows, {true, false, false, false, true});
    std::printf("\nall layers quantized: logits off by %s %%\n",
                fixed(100.0 * report.damage, 3).c_str());
}

}  // namespace

void print_json(const QuantizeReport& report, const Model& model, const std::string& output,
                const std::string& method) {
    Json layers = Json::array();
    for (const LayerChange& layer : report.quantization.layers) {
        layers.push_back({{"name", layer.layer.name},
                          {"type", layer.type},
                          {"weights", weights_name(layer)},
                          {"kernel", layer.kernel},
                          {"largest", layer.layer.largest},
                          {"clip", layer.layer.clip},
                          {"cosine", layer.cosine()},
                          {"relative_error", layer.relative_error()}});
        if (!report.quantization.has_damage) continue;
        layers.back()["error_alone"] = layer.alone;
        layers.back()["error_without"] = layer.without;
        layers.back()["share"] = layer.share;
    }
    Json json = {{"model", model.name()},
                 {"output", output},
                 {"method", method},
                 {"images", report.quantization.images},
                 {"texts_changed", report.quantization.texts_changed},
                 {"layers", layers},
                 {"file_bytes", {{"before", report.bytes_before}, {"after", report.bytes_after}}}};
    if (report.quantization.has_damage) json["error"] = report.quantization.damage;
    if (!report.evaluations.empty()) {
        add_before_after(json["test"], report.evaluations);
    }
    print_json_line(json);
}

void print_text(const QuantizeReport& report, const std::string& output) {
    if (report.quantization.images > 0) {
        print_layers(report.quantization);
        if (report.quantization.has_damage) print_damage(report.quantization);
        std::printf("%zu of %zu texts changed\n", report.quantization.texts_changed,
                    report.quantization.images);
    }
    if (!report.evaluations.empty()) {
        print_before_after("greedy", report.evaluations);
    }
    std::printf("%s: %zu bytes, before %zu\n", printable(output).c_str(), report.bytes_after,
                report.bytes_before);
}

}  // namespace lprnet::cli
