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
#include "engine/run/recognizer_state.h"
#include "engine/text/printable.h"

namespace lprnet::cli {
namespace {

using Json = nlohmann::ordered_json;

// Each layer takes two passes over these.
constexpr std::size_t kDamageInputs = 32;
constexpr double kBarWidth = 40.0;  // characters of a share of 1

// The levels of a quantized tensor's pixel, whatever the table's elements are.
void read_levels(const Tensor& tensor, const char* pixel, std::vector<float>& levels) {
    const auto convert = [&]<class T>(T) {
        for (std::size_t c = 0; c < levels.size(); ++c) {
            T level;
            std::memcpy(&level, pixel + c * sizeof level, sizeof level);
            levels[c] = static_cast<float>(level);
        }
    };
    switch (tensor.element_bytes) {
        case 1: convert(std::uint8_t{}); break;
        case 2: convert(std::int16_t{}); break;
        default: convert(std::int32_t{}); break;
    }
}

// The channels of a pixel as they are stored: NHWC or panels, levels or floats.
void read_pixel(const Tensor& tensor, const float* arena, int y, int x,
                std::vector<float>& values) {
    if (tensor.panel > 0) {
        for (int c = 0; c < tensor.c; ++c) {
            values[static_cast<std::size_t>(c)] = arena[tensor.at(y, x, c) / sizeof(float)];
        }
        return;
    }
    const char* pixel = reinterpret_cast<const char*>(arena) + tensor.at(y, x, 0);
    if (tensor.quantized()) {
        read_levels(tensor, pixel, values);
    } else {
        std::memcpy(values.data(), pixel, values.size() * sizeof(float));
    }
}

// Adds what one image's output of a layer is in both networks. Channels are stored in the same
// order in both.
void add_output(const Step& exact, const float* exact_arena, const Step& found,
                const float* found_arena, LayerReport& sums) {
    const Tensor& a = exact.output;
    const Tensor& b = found.output;
    const auto channels = static_cast<std::size_t>(a.c);
    std::vector<float> expected(channels), values(channels),
        units(channels, b.quantized() ? b.scale : 1.0f);
    for (std::size_t c = 0; c < found.channel_factor.size(); ++c) {
        units[c] *= found.channel_factor[c];
    }
    // By channel, which gives loops that compilers turn into vectors.
    std::vector<double> product(channels), left(channels), right(channels), error(channels);
    for (int y = 0; y < a.h; ++y) {
        for (int x = 0; x < a.w; ++x) {
            read_pixel(a, exact_arena, y, x, expected);
            read_pixel(b, found_arena, y, x, values);
            for (std::size_t c = 0; c < channels; ++c) {
                const auto l = static_cast<double>(expected[c]);
                const auto r = static_cast<double>(values[c] * units[c]);
                product[c] += l * r;
                left[c] += l * l;
                right[c] += r * r;
                error[c] += (l - r) * (l - r);
            }
        }
    }
    for (std::size_t c = 0; c < channels; ++c) {
        sums.product += product[c];
        sums.exact += left[c];
        sums.found += right[c];
        sums.error += error[c];
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
    Network& exact = before.state().network;
    Network& found = after.state().network;
    for (const Step& step : found.steps()) {
        const auto layer = layers.find(step.name);
        if (layer == layers.end()) continue;
        layer->second->type = op_name(step.op);
        layer->second->kernel = step.kernel;
    }
    Progress progress(inputs.size());
    Reading first, second;
    for (const std::vector<float>& input : inputs) {
        std::copy(input.begin(), input.end(), before.input().begin());
        std::copy(input.begin(), input.end(), after.input().begin());
        std::size_t other = 0;
        for (std::size_t s = 0; s < found.steps().size(); ++s) {
            const Step& step = found.steps()[s];
            found.run_step(s);
            // The other network has the same steps but for the one that makes levels of pixels.
            if (exact.steps()[other].name != step.name) continue;
            exact.run_step(other);
            const auto layer = layers.find(step.name);
            if (layer != layers.end()) {
                add_output(exact.steps()[other], exact.arena(), step, found.arena(),
                           *layer->second);
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
                  const std::vector<std::vector<float>>& inputs, QuantizeReport& report) {
    // Spread over all of them.
    std::vector<std::vector<float>> some;
    const std::size_t count = std::min(inputs.size(), kDamageInputs);
    for (std::size_t i = 0; i < count; ++i) some.push_back(inputs[i * inputs.size() / count]);
    const Result<Damage> damage = measure_damage(before.data(), after.data(), some);
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
