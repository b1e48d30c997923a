#include "engine/cli/quantize_report.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/cli/before_after.h"
#include "engine/cli/json_line.h"
#include "engine/cli/progress.h"
#include "engine/cli/table.h"
#include "engine/compress/damage.h"
#include "engine/run/network.h"
#include "engine/text/printable.h"

namespace lprnet::cli {
namespace {

using Json = nlohmann::ordered_json;

// Each layer takes two passes over these.
constexpr std::size_t kDamageInputs = 32;
constexpr double kBarWidth = 40.0;  // characters of a share of 1

// Adds what one image's output of a layer is in both networks.
void add_output(const std::vector<float>& exact, const std::vector<float>& found,
                LayerReport& sums) {
    // Several sums, which gives a loop that compilers turn into vectors.
    constexpr std::size_t kSums = 8;
    double product[kSums] = {}, left[kSums] = {}, right[kSums] = {}, error[kSums] = {};
    for (std::size_t i = 0; i < exact.size(); ++i) {
        const auto l = static_cast<double>(exact[i]), r = static_cast<double>(found[i]);
        product[i % kSums] += l * r;
        left[i % kSums] += l * l;
        right[i % kSums] += r * r;
        error[i % kSums] += (l - r) * (l - r);
    }
    for (std::size_t i = 0; i < kSums; ++i) {
        sums.product += product[i];
        sums.exact += left[i];
        sums.found += right[i];
        sums.error += error[i];
    }
}

// Of the damage: one character for each 1/kBarWidth, at least one where there is any.
std::string bar(double share) {
    std::string text;
    for (int i = 0; i < static_cast<int>(std::ceil(share * kBarWidth)); ++i) text += '#';
    return text;
}

const char* weights_name(const LayerReport& layer) {
    return layer.layer.keeps_float ? "float32" : "int8";
}

void print_layers(const QuantizeReport& report) {
    std::vector<std::vector<std::string>> rows = {
        {"layer", "type", "weights", "kernel", "largest", "clip", "cosine", "error %"}};
    std::vector<bool> left = {true, true, true, true, false, false, false, false};
    if (report.has_damage) {
        for (const char* heading : {"alone %", "all but it %", "share %", ""}) {
            rows.front().push_back(heading);
            left.push_back(*heading == '\0');
        }
    }
    for (const LayerReport& layer : report.layers) {
        const bool clipped = layer.layer.clip > 0.0f;
        rows.push_back({layer.layer.name, layer.type, weights_name(layer), layer.kernel,
                        clipped ? fixed(static_cast<double>(layer.layer.largest), 3) : "",
                        clipped ? fixed(static_cast<double>(layer.layer.clip), 3) : "",
                        fixed(layer.cosine(), 6), fixed(100.0 * layer.relative_error(), 2)});
        if (!report.has_damage) continue;
        for (const double value : {layer.alone, layer.without}) {
            rows.back().push_back(fixed(100.0 * value, 3));
        }
        rows.back().push_back(fixed(100.0 * layer.share, 1));
        rows.back().push_back(bar(layer.share));
    }
    print_table(rows, left);
    std::puts("");
    if (report.has_damage) {
        std::printf("all layers quantized: logits off by %s %%\n",
                    fixed(100.0 * report.damage, 3).c_str());
    }
}

}  // namespace

double LayerReport::cosine() const {
    return exact > 0 ? product / std::sqrt(exact * found) : 1.0;
}
double LayerReport::relative_error() const {
    return exact > 0 ? std::sqrt(error / exact) : 0.0;
}

Status compare_networks(Recognizer& before, Recognizer& after,
                        const std::vector<std::vector<float>>& inputs, QuantizeReport& report) {
    std::map<std::string, LayerReport*> layers;
    for (LayerReport& layer : report.layers) layers[layer.layer.name] = &layer;
    Network& exact = before.network();
    Network& found = after.network();
    for (const StepInfo& step : found.steps()) {
        const auto layer = layers.find(step.name);
        if (layer == layers.end()) continue;
        layer->second->type = op_name(step.op);
        layer->second->kernel = step.kernel;
    }
    Progress progress(inputs.size());
    Reading first, second;
    std::vector<float> expected, values;
    for (const std::vector<float>& input : inputs) {
        std::copy(input.begin(), input.end(), before.input().begin());
        std::copy(input.begin(), input.end(), after.input().begin());
        std::size_t other = 0;
        for (std::size_t s = 0; s < found.steps().size(); ++s) {
            const StepInfo& step = found.steps()[s];
            found.run_step(s);
            // The other network has the same steps but for the one that makes levels of pixels.
            if (exact.steps()[other].name != step.name) continue;
            exact.run_step(other);
            const auto layer = layers.find(step.name);
            if (layer != layers.end()) {
                exact.read_output(other, expected);
                found.read_output(s, values);
                add_output(expected, values, *layer->second);
            }
            ++other;
        }
        if (Status s = before.decode(first); !s) return s;
        if (Status s = after.decode(second); !s) return s;
        ++report.images;
        if (first.text != second.text) ++report.texts_changed;
        progress.advance();
    }
    return {};
}

Status add_damage(const Model& before, const Model& after,
                  const std::vector<std::vector<float>>& inputs, const kernels::KernelTable& table,
                  QuantizeReport& report) {
    // Spread over all of them.
    std::vector<std::vector<float>> some;
    const std::size_t count = std::min(inputs.size(), kDamageInputs);
    for (std::size_t i = 0; i < count; ++i) some.push_back(inputs[i * inputs.size() / count]);
    const Result<Damage> damage = measure_damage(before.data(), after.data(), some, table);
    if (!damage) return damage.error();
    double squares = 0.0;
    for (const Damage::LayerDamage& layer : damage->layers) squares += layer.alone * layer.alone;
    // The layers of the report are the convolutions, the logits the last of them.
    for (std::size_t i = 0; i < damage->layers.size(); ++i) {
        LayerReport& layer = report.layers[i];
        layer.alone = damage->layers[i].alone;
        layer.without = damage->layers[i].without;
        layer.share = squares > 0.0 ? layer.alone * layer.alone / squares : 0.0;
    }
    report.damage = damage->all;
    report.has_damage = true;
    return {};
}

void print_json(const QuantizeReport& report, const Model& model, const std::string& output,
                const std::string& method) {
    Json layers = Json::array();
    for (const LayerReport& layer : report.layers) {
        layers.push_back({{"name", layer.layer.name},
                          {"type", layer.type},
                          {"weights", weights_name(layer)},
                          {"kernel", layer.kernel},
                          {"largest", layer.layer.largest},
                          {"clip", layer.layer.clip},
                          {"cosine", layer.cosine()},
                          {"relative_error", layer.relative_error()}});
        if (!report.has_damage) continue;
        layers.back()["error_alone"] = layer.alone;
        layers.back()["error_without"] = layer.without;
        layers.back()["share"] = layer.share;
    }
    Json json = {{"model", model.name()},
                 {"output", output},
                 {"method", method},
                 {"images", report.images},
                 {"texts_changed", report.texts_changed},
                 {"layers", layers},
                 {"file_bytes", {{"before", report.bytes_before}, {"after", report.bytes_after}}}};
    if (report.has_damage) json["error"] = report.damage;
    if (!report.evaluations.empty()) {
        add_before_after(json["test"], report.evaluations);
    }
    print_json_line(json);
}

void print_text(const QuantizeReport& report, const std::string& output) {
    if (report.images > 0) {
        print_layers(report);
        std::printf("%zu of %zu texts changed\n", report.texts_changed, report.images);
    }
    if (!report.evaluations.empty()) {
        print_before_after("greedy", report.evaluations);
    }
    std::printf("%s: %zu bytes, before %zu\n", printable(output).c_str(), report.bytes_after,
                report.bytes_before);
}

}  // namespace lprnet::cli
