#include "engine/plan/levels_bounds.h"

#include <cmath>
#include <cstdlib>
#include <string>

#include "engine/model/quantization.h"

namespace lprnet {
namespace {

Error does_not_fit(const Node& conv, std::size_t channel, double largest, const std::string& what) {
    return {ErrorCode::unsupported, "layer '" + conv.name + "': channel " +
                                        std::to_string(channel) + ": the largest sum, " +
                                        std::to_string(largest) + what};
}

// The sum of the absolute weights. In integers, which are exact and, other than doubles, may be
// added in any order: several at a time.
std::int64_t magnitudes(const std::int8_t* weights, std::size_t count) noexcept {
    std::int64_t sum = 0;
    for (std::size_t k = 0; k < count; ++k) sum += std::abs(int{weights[k]});
    return sum;
}

}  // namespace

Result<Requantization> requantization(const Node& conv, double input_scale) {
    Requantization made;
    const std::size_t per_channel = conv.quantized_weight.size() / conv.bias.size();
    for (std::size_t o = 0; o < conv.bias.size(); ++o) {
        const std::size_t from = conv.parameter_row(o);
        const double step = input_scale * static_cast<double>(conv.weight_scale[from]);
        const double rounded = std::nearbyint(static_cast<double>(conv.bias[o]) / step);
        const double largest =
            std::abs(rounded) +
            static_cast<double>(
                kMostLevel *
                magnitudes(conv.quantized_weight.data() + from * per_channel, per_channel));
        const double factor = step / static_cast<double>(conv.output_scale);
        if (!(largest < kMostSum) || !(largest * factor < kMostSum)) {
            return does_not_fit(conv, conv.channel_of(o), largest,
                                " times " + std::to_string(factor) + ", does not fit 32 bits");
        }
        made.bias.push_back(static_cast<std::int32_t>(rounded));
        made.scale.push_back(static_cast<float>(factor));
    }
    return made;
}

Result<std::vector<float>> bias_in_levels(const Node& conv, double factor) {
    constexpr double kLimit = 1e38;  // rounding may add to it
    std::vector<float> bias;
    const std::size_t per_channel = conv.weight.size() / conv.bias.size();
    for (std::size_t o = 0; o < conv.bias.size(); ++o) {
        const std::size_t from = conv.parameter_row(o);
        const double offset =
            static_cast<double>(conv.bias[o]) / static_cast<double>(conv.output_scale);
        double largest = std::abs(offset);
        for (std::size_t k = 0; k < per_channel; ++k) {
            const auto weight = static_cast<double>(conv.weight[from * per_channel + k]);
            largest += kMostLevel * std::abs(weight * factor);
        }
        if (!(largest < kLimit)) {
            return does_not_fit(conv, conv.channel_of(o), largest,
                                " steps of the output, does not fit float32");
        }
        bias.push_back(static_cast<float>(offset));
    }
    return bias;
}

}  // namespace lprnet
