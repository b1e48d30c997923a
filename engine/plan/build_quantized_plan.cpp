#include "engine/plan/build_quantized_plan.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "engine/model/quantization.h"
#include "engine/plan/graph_edit.h"
#include "engine/plan/place_tensors.h"
#include "engine/plan/plan_parts.h"
#include "kernels/kernel_arguments.h"

namespace lprnet {
namespace {

using kernels::Kernel;
using kernels::Memory;

// Kernels may read so far behind their input.
constexpr std::size_t kSlackFloats = kernels::kWeightAlignment / sizeof(float);

class QuantizedBuilder {
public:
    QuantizedBuilder(const Graph& graph, const kernels::KernelTable& table,
                     const PlanOptions& options)
        : graph_(graph), table_(table), options_(options), placements_(tensors_of(graph)) {
        choose_elements();
        reserve_squares();
        plan_.table = &table;
        plan_.quantized = true;
        plan_.threads = options.threads;
        plan_.arena_size = place_tensors(placements_) + kSlackFloats;
        plan_.input = placements_.front().tensor;
        plan_.output = placements_[static_cast<std::size_t>(node_count(graph) - 1)].tensor;
        plan_.packed = kernels::AlignedBuffer(packed_size());
        packed_ = plan_.packed.data();
    }

    Status add(int index) {
        const Node& node = node_at(graph_, index);
        const Tensor& in = placement(only_input(node)).tensor;
        const Tensor& out = placement(index).tensor;
        NewStep step;
        step.info.name = node.name;
        step.info.reads = node_at(graph_, only_input(node)).name;
        step.info.op = node.op;
        step.info.layer = node.layer;
        step.info.output = out;
        step.info.channel_order = node.channel_order;
        step.info.levels = levels_[static_cast<std::size_t>(index)];
        step.info.input_order = node.input_order;
        step.info.multiply_accumulates = multiply_accumulates(graph_, node);
        step.call.at(Memory::input) = in.byte_at(0, 0, 0);
        step.call.at(Memory::output) = out.byte_at(0, 0, 0);
        Status status;
        switch (node.op) {
            case Op::quantize: add_quantize(node, in, step); break;
            case Op::conv2d:
                if (node.keeps_float()) {
                    status = add_conv2d_levels(node, in, out, step);
                } else if (node.quantized()) {
                    status = add_conv2d_s8(node, in, out, step);
                } else {
                    status = add_conv2d_f32(node, in, out, step);
                }
                break;
            case Op::max_pool: add_max_pool(node, in, out, step); break;
            case Op::context_tap: status = add_context_tap(index, in, out, step); break;
            case Op::concat: status = add_context_scale(index, out, step); break;
            default:
                status = unsupported(
                    node, "no kernel computes " + std::string(op_name(node.op)) + " on its own");
        }
        if (!status) return status;
        append(std::move(step), plan_);
        return {};
    }

    Plan take() { return std::move(plan_); }

private:
    Placement& placement(int index) { return placements_[static_cast<std::size_t>(index)]; }

    static Error unsupported(const Node& node, const std::string& what) {
        return {ErrorCode::unsupported, "layer '" + node.name + "': " + what};
    }

    // What the elements of each tensor are, and what its levels stand for.
    void choose_elements() {
        levels_.resize(graph_.nodes.size());
        for (int i = 0; i < node_count(graph_); ++i) {
            const Node& node = node_at(graph_, i);
            Tensor& tensor = placement(i).tensor;
            float scale = 0.0f;
            if (node.op == Op::quantize) {
                scale = 1.0f;
            } else if (node.op == Op::conv2d) {
                scale = node.output_scale;
            } else if (node.op == Op::max_pool) {
                scale =
                    levels(only_input(node)) != nullptr ? levels(only_input(node))->scale : 0.0f;
            } else if (node.op == Op::context_tap) {
                tensor.element = Element::sum();
            }
            if (scale == 0.0f) continue;
            tensor.element = Element::level(table_);
            levels_[static_cast<std::size_t>(i)] = LevelScale{scale, factors_of(node)};
        }
    }
    // Of what `node` reads, which has levels.
    double input_scale(const Node& node) const {
        return static_cast<double>(levels(only_input(node))->scale);
    }
    // Null for a tensor that has none.
    const LevelScale* levels(int index) const {
        const std::optional<LevelScale>& found = levels_[static_cast<std::size_t>(index)];
        return found ? &*found : nullptr;
    }

    // Of each stored channel; empty if they are 1.
    std::vector<float> factors_of(const Node& node) const {
        std::vector<float> factors;
        if (node.op == Op::conv2d && !node.output_factor.empty()) {
            for (int c = 0; c < node.shape.c; ++c) {
                const int from = node.channel_order.empty()
                                     ? c
                                     : node.channel_order[static_cast<std::size_t>(c)];
                factors.push_back(node.output_factor[static_cast<std::size_t>(from)]);
            }
        } else if (node.op == Op::max_pool) {
            const LevelScale* from = levels(only_input(node));
            const std::vector<float> before = from != nullptr ? from->factor : std::vector<float>();
            for (int c = 0; c < node.shape.c && !before.empty(); ++c) {
                factors.push_back(before[static_cast<std::size_t>(c * node.channel_stride)]);
            }
        }
        return factors;
    }

    int parts_of(int tap) const {
        return kernels::context_tap_levels_parts(node_at(graph_, tap).shape.c,
                                                 parts_for(options_.threads));
    }

    // The context's sums of squares: a placement of its own.
    void reserve_squares() {
        for (int i = 0; i < node_count(graph_); ++i) {
            const Node& node = node_at(graph_, i);
            if (node.op != Op::concat) continue;
            int count = 0;
            for (const int tap : node.inputs) count += parts_of(tap);
            Placement memory;
            memory.tensor.shape = {.c = 1, .h = 1, .w = count};
            memory.tensor.element.bytes = sizeof(std::int64_t);
            memory.tensor.layout = NhwcLayout(memory.tensor.shape, 0, 0);
            memory.first = placement(i).first;
            memory.last = i;
            squares_ = static_cast<int>(placements_.size());
            placements_.push_back(memory);
        }
    }

    int input_channels(const Node& node) const { return node_at(graph_, only_input(node)).shape.c; }

    static bool has_int8(const Node& conv) { return conv.quantized() && !conv.keeps_float(); }

    std::size_t packed_weights(const Node& conv) const {
        const int oc = conv.shape.c, ic = input_channels(conv);
        return align_floats(
            has_int8(conv)
                ? kernels::packed_conv2d_s8_weights(table_, oc, ic, conv.kh, conv.kw)
                : kernels::packed_conv2d_f32_weights(table_, oc, ic, conv.kh, conv.kw, false));
    }
    std::size_t packed_bias(const Node& conv) const {
        return align_floats(kernels::packed_conv2d_s8_bias(table_, conv.shape.c));
    }
    // Of a quantize: the factors, or the offsets.
    static std::size_t pattern(const Node& quantize) {
        return quantize.level_factor.size() * kernels::kQuantizePeriod;
    }

    std::size_t packed_size() const {
        std::size_t size = 0;
        for (const Node& node : graph_.nodes) {
            if (node.op == Op::conv2d) {
                size += packed_weights(node) + (has_int8(node) ? 2 : 1) * packed_bias(node);
            } else if (node.op == Op::quantize) {
                size += 2 * align_floats(pattern(node));
            } else if (node.op == Op::context_tap) {
                size += 2 * align_floats(tap_factors(node).size());
            }
        }
        return size;
    }

    float* take_packed(std::size_t floats) {
        float* memory = packed_;
        packed_ += floats;
        return memory;
    }

    void add_quantize(const Node& node, const Tensor& in, NewStep& step) {
        float* factor = take_packed(align_floats(pattern(node)));
        float* offset = take_packed(align_floats(pattern(node)));
        for (std::size_t i = 0; i < pattern(node); ++i) {
            factor[i] = node.level_factor[i % node.level_factor.size()];
            offset[i] = node.level_offset[i % node.level_offset.size()];
        }
        const kernels::QuantizeF32 quantize = {.input = nullptr,
                                               .multiplier = factor,
                                               .offset = offset,
                                               .output = nullptr,
                                               .period = static_cast<int>(pattern(node)),
                                               .count = static_cast<int>(in.values())};
        set_arguments<Kernel::quantize_f32>(step.call, quantize);
        step.info.kernel = "quantize_f32";
    }

    // Bias and scale of each output channel, from real values to the integers of conv2d_s8.
    // Fails where a sum of the largest activations could leave 32 bits, or its product with the
    // scale.
    Status requantization(const Node& node, std::vector<std::int32_t>& bias,
                          std::vector<float>& scale) const {
        const std::size_t per_channel = node.quantized_weight.size() / node.bias.size();
        for (std::size_t o = 0; o < node.bias.size(); ++o) {
            const std::size_t from =
                node.channel_order.empty() ? o : static_cast<std::size_t>(node.channel_order[o]);
            const double step = input_scale(node) * static_cast<double>(node.weight_scale[from]);
            const double rounded = std::nearbyint(static_cast<double>(node.bias[o]) / step);
            double largest = std::abs(rounded);
            for (std::size_t k = 0; k < per_channel; ++k) {
                largest +=
                    kMostLevel * std::abs(int{node.quantized_weight[from * per_channel + k]});
            }
            const double factor = step / static_cast<double>(node.output_scale);
            if (!(largest < kMostSum) || !(largest * factor < kMostSum)) {
                return unsupported(node, "channel " + std::to_string(from) + ": the largest sum, " +
                                             std::to_string(largest) + " times " +
                                             std::to_string(factor) + ", does not fit 32 bits");
            }
            bias.push_back(static_cast<std::int32_t>(rounded));
            scale.push_back(static_cast<float>(factor));
        }
        return {};
    }

    Status add_conv2d_s8(const Node& node, const Tensor& in, const Tensor& out, NewStep& step) {
        if (!in.has_levels()) return unsupported(node, "quantized, but what it reads is not");
        std::vector<std::int32_t> bias;
        std::vector<float> scale;
        if (Status s = requantization(node, bias, scale); !s) return s;
        const float* begin = packed_;
        auto* weights = reinterpret_cast<std::int32_t*>(take_packed(packed_weights(node)));
        auto* packed = reinterpret_cast<std::int32_t*>(take_packed(packed_bias(node)));
        float* packed_scale = take_packed(packed_bias(node));
        kernels::pack_conv2d_s8(table_,
                                {.oihw = node.quantized_weight.data(),
                                 .output_order = data_or_null(node.channel_order),
                                 .input_order = data_or_null(node.input_order)},
                                bias.data(), scale.data(), out.shape.c, in.shape.c, node.kh,
                                node.kw, weights, packed, packed_scale);
        kernels::Conv2dS8 conv = {
            .input = nullptr,
            .input_row = in.nhwc()->row(),
            .weights = weights,
            .bias = packed,
            .scale = packed_scale,
            .output = nullptr,
            .output_row = out.nhwc()->row(),
            .oh = out.shape.h,
            .ow = out.shape.w,
            .ic = in.shape.c,
            .oc = out.shape.c,
            .kh = node.kh,
            .kw = node.kw,
        };
        set_padded<Kernel::conv2d_s8>(conv, node, in, out, step.call);
        step.info.conv_shape = {in.shape.c, out.shape.c, node.kh,
                                node.kw,    out.shape.h, out.shape.w};
        step.info.weight_bytes = static_cast<std::size_t>(packed_ - begin) * sizeof(float);
        step.info.kernel = kernel_text("conv2d_s8", node.kh, node.kw);
        return {};
    }

    // The call of a convolution whose window begins in the border of its input.
    template <Kernel K>
    static void set_padded(kernels::CallOf<K> conv, const Node& node, const Tensor& in,
                           const Tensor& out, kernels::KernelCall& call) {
        join_rows(conv, in, out);
        call.at(Memory::input) -= window_offset(node, in);
        set_arguments<K>(call, conv);
    }

    // The bias of a layer with float32 weights in steps of the output, in the order of its
    // channels. Fails where a sum of the largest activations could leave the range of float32.
    Status bias_in_levels(const Node& node, double factor, std::vector<float>& bias) const {
        constexpr double kLimit = 1e38;  // rounding may add to it
        const std::size_t per_channel = node.weight.size() / node.bias.size();
        for (std::size_t o = 0; o < node.bias.size(); ++o) {
            const std::size_t from =
                node.channel_order.empty() ? o : static_cast<std::size_t>(node.channel_order[o]);
            const double offset =
                static_cast<double>(node.bias[o]) / static_cast<double>(node.output_scale);
            double largest = std::abs(offset);
            for (std::size_t k = 0; k < per_channel; ++k) {
                const auto weight = static_cast<double>(node.weight[from * per_channel + k]);
                largest += kMostLevel * std::abs(weight * factor);
            }
            if (!(largest < kLimit)) {
                return unsupported(node, "channel " + std::to_string(from) + ": the largest sum, " +
                                             std::to_string(largest) +
                                             " steps of the output, does not fit float32");
            }
            bias.push_back(static_cast<float>(offset));
        }
        return {};
    }

    Status add_conv2d_levels(const Node& node, const Tensor& in, const Tensor& out, NewStep& step) {
        if (!in.has_levels()) return unsupported(node, "quantized, but what it reads is not");
        const double factor = input_scale(node) / static_cast<double>(node.output_scale);
        std::vector<float> bias;
        if (Status s = bias_in_levels(node, factor, bias); !s) return s;
        const float* begin = packed_;
        float* weights = take_packed(packed_weights(node));
        float* packed = take_packed(packed_bias(node));
        const std::vector<double> factors(bias.size(), factor);
        kernels::pack_conv2d_f32(table_,
                                 {.oihw = node.weight.data(),
                                  .scale = factors.data(),
                                  .output_order = data_or_null(node.channel_order),
                                  .input_order = data_or_null(node.input_order)},
                                 bias.data(), out.shape.c, in.shape.c, node.kh, node.kw, weights,
                                 packed, false);
        set_padded<Kernel::conv2d_levels_f32>(
            kernels::Conv2dLevelsF32{.input = nullptr,
                                     .input_row = in.nhwc()->row(),
                                     .weights = weights,
                                     .bias = packed,
                                     .output = nullptr,
                                     .output_row = out.nhwc()->row(),
                                     .oh = out.shape.h,
                                     .ow = out.shape.w,
                                     .ic = in.shape.c,
                                     .oc = out.shape.c,
                                     .kh = node.kh,
                                     .kw = node.kw},
            node, in, out, step.call);
        step.info.conv_shape = {in.shape.c, out.shape.c, node.kh,
                                node.kw,    out.shape.h, out.shape.w};
        step.info.weight_bytes = static_cast<std::size_t>(packed_ - begin) * sizeof(float);
        step.info.kernel = kernel_text("conv2d_levels_f32", node.kh, node.kw);
        return {};
    }

    // The convolution behind the context.
    Status add_conv2d_f32(const Node& node, const Tensor& in, const Tensor& out, NewStep& step) {
        if (in.has_levels()) return unsupported(node, "not quantized, but what it reads is");
        const float* begin = packed_;
        float* weights = take_packed(packed_weights(node));
        float* bias = take_packed(packed_bias(node));
        kernels::pack_conv2d_f32(table_,
                                 {.oihw = node.weight.data(),
                                  .scale = data_or_null(node.gain),
                                  .output_order = data_or_null(node.channel_order),
                                  .input_order = data_or_null(node.input_order)},
                                 node.bias.data(), out.shape.c, in.shape.c, node.kh, node.kw,
                                 weights, bias, false);
        const kernels::Conv2dF32 conv = {
            .input = nullptr,
            .input_row = in.nhwc()->row(),
            .weights = weights,
            .bias = bias,
            .output = nullptr,
            .output_row = out.nhwc()->row(),
            .oh = out.shape.h,
            .ow = out.shape.w,
            .ic = in.shape.c,
            .oc = out.shape.c,
            .kh = node.kh,
            .kw = node.kw,
            .relu = node.relu,
        };
        set_arguments<Kernel::conv2d_f32_exact>(step.call, conv);
        step.info.conv_shape = {in.shape.c, out.shape.c, node.kh,
                                node.kw,    out.shape.h, out.shape.w};
        step.info.weight_bytes = static_cast<std::size_t>(packed_ - begin) * sizeof(float);
        step.info.kernel = kernel_text("conv2d_f32_exact", node.kh, node.kw);
        return {};
    }

    void add_max_pool(const Node& node, const Tensor& in, const Tensor& out, NewStep& step) {
        set_arguments<Kernel::max_pool2d_levels>(step.call,
                                                 max_pool<kernels::MaxPool2dLevels>(node, in, out));
        step.info.kernel = kernel_text("max_pool2d_levels", node.window.h, node.window.w);
    }

    // Those of the channels that a tap reads, powers of two from 1 down; empty if they are 1.
    const std::vector<float>& tap_factors(const Node& tap) const {
        static const std::vector<float> none;
        const LevelScale* found = levels(only_input(tap));
        return found != nullptr ? found->factor : none;
    }
    // 4^k if the smallest of them is 2^-k.
    static double largest_square_factor(const std::vector<float>& factors) {
        if (factors.empty()) return 1.0;
        const double least = static_cast<double>(*std::min_element(factors.begin(), factors.end()));
        return 1.0 / (least * least);
    }

    static int rows_of(const Node& tap, int input_height) {
        return (input_height - tap.window.h) / tap.stride.h + 1;
    }

    Status add_context_tap(int index, const Tensor& in, const Tensor& out, NewStep& step) {
        const Node& node = node_at(graph_, index);
        if (node.window.h * node.window.w > kernels::kMaxContextWindowLevels) {
            return unsupported(node, "a window of more than " +
                                         std::to_string(kernels::kMaxContextWindowLevels) +
                                         " pixels");
        }
        const double largest_sum = double(rows_of(node, in.shape.h)) * out.shape.w * out.shape.c *
                                   largest_square_factor(tap_factors(node));
        if (largest_sum * std::pow(node.window.h * node.window.w * kMostLevel, 2) > 9e18) {
            return unsupported(node, "the largest sum of squares does not fit 64 bits");
        }
        int context = index + 1;
        while (node_at(graph_, context).op != Op::concat) ++context;
        std::size_t& squares = step.call.at(Memory::squares);
        squares = placement(squares_).tensor.begin;
        for (const int tap : node_at(graph_, context).inputs) {
            if (tap == index) break;
            squares += static_cast<std::size_t>(parts_of(tap)) * sizeof(std::int64_t);
        }
        const kernels::ContextTapLevels tap_call = {
            .input = nullptr,
            .input_row = in.nhwc()->row(),
            .sums = nullptr,
            .sums_column = out.nhwc()->pixel(),
            .squares = nullptr,
            .oh = rows_of(node, in.shape.h),
            .ow = out.shape.w,
            .channels = out.shape.c,
            .channels_used = out.shape.c,
            .kh = node.window.h,
            .kw = node.window.w,
            .stride_h = node.stride.h,
            .stride_w = node.stride.w,
            .square_factors = square_factors(node),
        };
        set_arguments<Kernel::context_tap_levels>(step.call, tap_call);
        step.info.kernel = kernel_text("context_tap_levels", node.window.h, node.window.w);
        return {};
    }

    // Of the squares of each channel, in packed memory.
    const std::uint32_t* square_factors(const Node& tap) {
        const std::vector<float>& factors = tap_factors(tap);
        if (factors.empty()) return nullptr;
        auto* squares = reinterpret_cast<std::uint32_t*>(take_packed(align_floats(factors.size())));
        const double largest = largest_square_factor(factors);
        for (std::size_t c = 0; c < factors.size(); ++c) {
            const auto factor = static_cast<double>(factors[c]);
            squares[c] = static_cast<std::uint32_t>(largest * factor * factor);
        }
        return squares;
    }

    Status add_context_scale(int index, const Tensor& out, NewStep& step) {
        const Node& node = node_at(graph_, index);
        if (node.inputs.size() > std::size_t{kernels::kMaxContextBranches}) {
            return unsupported(
                node, "more than " + std::to_string(kernels::kMaxContextBranches) + " branches");
        }
        kernels::ContextScaleLevels scale = {};
        scale.column = out.shape.c;
        scale.ow = out.shape.w;
        for (const int input : node.inputs) {
            const Node& tap = node_at(graph_, input);
            const Tensor& in = placement(only_input(tap)).tensor;
            const int rows = rows_of(tap, in.shape.h);
            const double area = tap.window.h * tap.window.w;
            const double values = double(rows) * tap.shape.w * tap.shape.c;
            scale.channels[scale.branches] = tap.shape.c;
            scale.parts[scale.branches] = parts_of(input);
            const std::vector<float>& factors = tap_factors(tap);
            scale.gains[scale.branches] =
                area * values / (rows * input_scale(tap)) * largest_square_factor(factors);
            if (!factors.empty()) {
                float* packed = take_packed(align_floats(factors.size()));
                std::copy(factors.begin(), factors.end(), packed);
                scale.channel_factors[scale.branches] = packed;
            }
            ++scale.branches;
        }
        step.context_branches.assign(scale.channels, scale.channels + scale.branches);
        step.call.at(Memory::squares) = placement(squares_).tensor.begin;
        set_arguments<Kernel::context_scale_levels>(step.call, scale);
        step.info.kernel = "context_scale_levels";
        return {};
    }

    const Graph& graph_;
    const kernels::KernelTable& table_;
    const PlanOptions& options_;
    std::vector<Placement> placements_;              // by node, then the sums of squares
    int squares_ = 0;                                // which one those are
    std::vector<std::optional<LevelScale>> levels_;  // by node
    Plan plan_;
    float* packed_ = nullptr;
};

}  // namespace

Result<Plan> build_quantized_plan(const Graph& graph, const kernels::KernelTable& table,
                                  const PlanOptions& options) {
    QuantizedBuilder builder(graph, table, options);
    for (int i = 1; i < node_count(graph); ++i) {
        if (Status status = builder.add(i); !status) return status.error();
    }
    return builder.take();
}

}  // namespace lprnet
