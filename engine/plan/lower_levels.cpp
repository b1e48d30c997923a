// Nodes that make or read levels: integers from the pixels to the context. All tables compute the
// same bits, whatever the number of threads.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "engine/model/quantization.h"
#include "engine/plan/call_parts.h"
#include "engine/plan/levels_bounds.h"
#include "engine/plan/lowering.h"
#include "engine/plan/plan.h"

namespace lprnet {
namespace {

using kernels::Kernel;

// 4^k if the smallest of the factors is 2^-k.
double largest_square_factor(const std::vector<float>& factors) {
    if (factors.empty()) return 1.0;
    const double least = static_cast<double>(*std::min_element(factors.begin(), factors.end()));
    return 1.0 / (least * least);
}

class LevelsLowering final : public Lowering {
public:
    explicit LevelsLowering(const Draft& draft) : draft_(draft), table_(draft.table) {}

    void type_output(int index, Tensor& output, std::optional<LevelScale>& levels) const override {
        const Node& node = node_at(draft_.graph, index);
        if (node.op == Op::quantize) {
            levels = LevelScale{1.0f, {}};
        } else if (node.op == Op::conv2d && node.quantized()) {
            levels = levels_of_conv(node);
        } else if (node.op == Op::max_pool && draft_.input_levels(node) != nullptr) {
            levels = levels_of_pool(node);
        } else if (node.op == Op::context_tap) {
            output.element = Element::sum();
        }
        if (levels) output.element = Element::level(table_);
    }

    Result<Lowered> lower(int index, PackedMemory& packed) const override {
        const Node& node = node_at(draft_.graph, index);
        const Tensor& in = draft_.input(node);
        const Tensor& out = draft_.output(index);
        switch (node.op) {
            case Op::quantize:
                // Its kernel knows pixels one behind the other.
                if (in.has_border()) return padded(node_at(draft_.graph, only_input(node)));
                return lower_quantize(node, in, packed);
            case Op::conv2d:
                if (!node.quantized()) {
                    return cannot_lower(node, "not quantized, but what it reads is");
                }
                return node.keeps_float() ? lower_kept(node, in, out, packed)
                                          : lower_s8(node, in, out, packed);
            case Op::max_pool:
                return lowered<Kernel::max_pool2d_levels>(
                    max_pool<kernels::MaxPool2dLevels>(node, in, out));
            case Op::dequantize:
                if (in.has_border()) return padded(node_at(draft_.graph, only_input(node)));
                return lower_dequantize(node, in, packed);
            case Op::context_tap: return lower_tap(node, in, out, packed);
            case Op::concat: return lower_context(node, packed);
            default: return no_kernel(node);
        }
    }

private:
    static LevelScale levels_of_conv(const Node& conv) {
        LevelScale levels = {conv.output_scale, {}};
        for (std::size_t c = 0; c < conv.output_factor.size(); ++c) {
            levels.factor.push_back(conv.output_factor[conv.parameter_row(c)]);
        }
        return levels;
    }
    LevelScale levels_of_pool(const Node& pool) const {
        const LevelScale& from = *draft_.input_levels(pool);
        LevelScale levels = {from.scale, {}};
        for (int c = 0; c < pool.shape.c && !from.factor.empty(); ++c) {
            levels.factor.push_back(from.factor[static_cast<std::size_t>(c * pool.channel_stride)]);
        }
        return levels;
    }

    Lowered lower_quantize(const Node& node, const Tensor& in, PackedMemory& packed) const {
        const std::size_t period = node.level_factor.size() * kernels::kQuantizePeriod;
        auto* multiplier = packed.take<float>(period);
        auto* offset = packed.take<float>(period);
        for (std::size_t i = 0; i < period && !packed.counting(); ++i) {
            multiplier[i] = node.level_factor[i % node.level_factor.size()];
            offset[i] = node.level_offset[i % node.level_offset.size()];
        }
        kernels::QuantizeF32 quantize = {};
        quantize.multiplier = multiplier;
        quantize.offset = offset;
        quantize.period = static_cast<int>(period);
        quantize.count = static_cast<int>(in.values());
        return lowered<Kernel::quantize_f32>(quantize);
    }

    Lowered lower_dequantize(const Node& node, const Tensor& in, PackedMemory& packed) const {
        auto* scale = packed.take<float>(static_cast<std::size_t>(in.shape.c));
        for (int c = 0; c < in.shape.c && !packed.counting(); ++c) {
            scale[c] = static_cast<float>(draft_.input_levels(node)->of(c));
        }
        kernels::DequantizeLevels dequantize = {};
        dequantize.scale = scale;
        dequantize.channels = in.shape.c;
        dequantize.pixels = in.shape.h * in.shape.w;
        return lowered<Kernel::dequantize_levels>(dequantize);
    }

    // What 1 of the node's input is.
    double input_scale(const Node& node) const {
        return static_cast<double>(draft_.input_levels(node)->scale);
    }

    Result<Lowered> lower_s8(const Node& node, const Tensor& in, const Tensor& out,
                             PackedMemory& packed) const {
        auto conv = direct_convolution<kernels::Conv2dS8>(node, in, out);
        const std::size_t channels = kernels::packed_conv2d_s8_bias(table_, conv.oc);
        auto* weights = packed.take<std::int32_t>(
            kernels::packed_conv2d_s8_weights(table_, conv.oc, conv.ic, conv.kh, conv.kw));
        auto* bias = packed.take<std::int32_t>(channels);
        auto* scale = packed.take<float>(channels);
        conv.weights = weights;
        conv.bias = bias;
        conv.scale = scale;
        if (!packed.counting()) {
            const Result<Requantization> from = requantization(node, input_scale(node));
            if (!from) return from.error();
            kernels::pack_conv2d_s8(table_, stored(node, node.quantized_weight.data(), nullptr),
                                    from->bias.data(), from->scale.data(), conv.oc, conv.ic,
                                    conv.kh, conv.kw, weights, bias, scale);
        }
        return lowered<Kernel::conv2d_s8>(conv);
    }

    // A layer whose weights stay float32.
    Result<Lowered> lower_kept(const Node& node, const Tensor& in, const Tensor& out,
                               PackedMemory& packed) const {
        const DirectF32<Kernel::conv2d_levels_f32> conv(table_, node, in, out, packed);
        if (!packed.counting()) {
            const double factor = input_scale(node) / static_cast<double>(node.output_scale);
            const Result<std::vector<float>> bias = bias_in_levels(node, factor);
            if (!bias) return bias.error();
            const std::vector<double> factors(bias->size(), factor);
            conv.pack(table_, stored(node, node.weight.data(), factors.data()), bias->data());
        }
        return lowered<Kernel::conv2d_levels_f32>(conv.call);
    }

    // Of the channels that a tap reads, powers of two from 1 down; empty if they are 1.
    const std::vector<float>& tap_factors(const Node& tap) const {
        return draft_.input_levels(tap)->factor;
    }
    int parts_of(const Node& tap) const {
        return kernels::context_tap_levels_parts(tap.shape.c, parts_for(draft_.threads));
    }

    Result<Lowered> lower_tap(const Node& node, const Tensor& in, const Tensor& out,
                              PackedMemory& packed) const {
        const int window = node.window.h * node.window.w;
        if (window > kernels::kMaxContextWindowLevels) {
            return cannot_lower(node, "a window of more than " +
                                          std::to_string(kernels::kMaxContextWindowLevels) +
                                          " pixels");
        }
        const std::vector<float>& factors = tap_factors(node);
        const double largest_factor = largest_square_factor(factors);
        auto tap = context_tap<kernels::ContextTapLevels>(node, in, out);
        const double largest_sum = double(tap.oh) * tap.ow * tap.channels * largest_factor;
        if (largest_sum * std::pow(window * kMostLevel, 2) > 9e18) {
            return cannot_lower(node, "the largest sum of squares does not fit 64 bits");
        }
        tap.sums_column = out.nhwc()->pixel();
        if (!factors.empty()) {
            auto* squares = packed.take<std::uint32_t>(factors.size());
            for (std::size_t c = 0; c < factors.size() && !packed.counting(); ++c) {
                const auto factor = static_cast<double>(factors[c]);
                squares[c] = static_cast<std::uint32_t>(largest_factor * factor * factor);
            }
            tap.square_factors = squares;
        }
        Lowered made = lowered<Kernel::context_tap_levels>(tap);
        made.squares_bytes = sizeof(std::int64_t) * static_cast<std::size_t>(parts_of(node));
        return made;
    }

    Lowered lower_context(const Node& node, PackedMemory& packed) const {
        auto scale = context_scale<kernels::ContextScaleLevels>(draft_.graph, node);
        for (std::size_t b = 0; b < node.inputs.size(); ++b) {
            const Node& tap = node_at(draft_.graph, node.inputs[b]);
            const std::vector<float>& factors = tap_factors(tap);
            const int rows = context_rows(tap, draft_.input(tap));
            const double area = tap.window.h * tap.window.w;
            const double values = double(rows) * tap.shape.w * channels_in_mean(tap);
            scale.parts[b] = parts_of(tap);
            scale.gains[b] =
                area * values / (rows * input_scale(tap)) * largest_square_factor(factors);
            if (factors.empty()) continue;
            auto* channels = packed.take<float>(factors.size());
            if (!packed.counting()) std::copy(factors.begin(), factors.end(), channels);
            scale.channel_factors[b] = channels;
        }
        return lowered<Kernel::context_scale_levels>(scale);
    }

    const Draft& draft_;
    const kernels::KernelTable& table_;
};

}  // namespace

std::unique_ptr<Lowering> make_levels_lowering(const Draft& draft) {
    return std::make_unique<LevelsLowering>(draft);
}

}  // namespace lprnet
