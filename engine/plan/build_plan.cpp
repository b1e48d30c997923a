// The last pass: from a graph to kernel calls. Choose algorithms and borders, place tensors
// in the arena, pack weights, fill in the arguments.
#include <algorithm>
#include <utility>

#include "engine/plan/build_quantized_plan.h"
#include "engine/plan/choose_convs.h"
#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"
#include "engine/plan/place_tensors.h"
#include "engine/plan/plan.h"
#include "engine/plan/plan_parts.h"
#include "kernels/kernel_arguments.h"

namespace lprnet {
namespace {

using kernels::Kernel;
using kernels::Memory;

// Tiles that go through Winograd's transforms at a time: enough for whole tiles of the
// convolution between them, few enough for the second-level cache.
constexpr int kWinogradBlock = 24;

// Elements from one row to the next; 0 in panels, which have none.
std::ptrdiff_t row_of(const Tensor& tensor) noexcept {
    return tensor.nhwc() != nullptr ? tensor.nhwc()->row() : 0;
}

// Builds one step after the other; holds what they share.
class Builder {
public:
    Builder(const Graph& graph, const kernels::KernelTable& table, const PlanOptions& options)
        : graph_(graph), table_(table), options_(options) {
        choices_ = choose_convs(graph, options.tuning, options.panels, table);
        measure_sparse();
        placements_ = tensors_of(graph);
        for (int i = 0; i < node_count(graph); ++i) {
            if (!choice(i).panels.output) continue;
            Tensor& tensor = placement(i).tensor;
            tensor.layout = PanelLayout(tensor.shape, table.sparse_pixels);
        }
        reserve_extra();
        plan_.table = &table;
        plan_.threads = options.threads;
        plan_.arena_size = place_tensors(placements_);
        plan_.input = placements_.front().tensor;
        plan_.output = placements_[static_cast<std::size_t>(node_count(graph) - 1)].tensor;
        plan_.packed = kernels::AlignedBuffer(packed_size());
        packed_ = plan_.packed.data();
        plan_.lists.resize(lists_size());
        lists_ = plan_.lists.data();
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
        step.info.input_order = node.input_order;
        step.info.multiply_accumulates = multiply_accumulates(graph_, node);
        kernels::KernelCall& call = step.call;
        call.at(Memory::input) = in.byte_at(0, 0, 0);
        call.at(Memory::output) = out.byte_at(0, 0, 0);
        switch (node.op) {
            case Op::conv2d: add_conv2d(index, in, out, step); break;
            case Op::max_pool: add_max_pool(node, in, out, step); break;
            case Op::context_tap: add_context_tap(index, in, out, step); break;
            case Op::concat:
                if (!is_context(node)) return {};  // its parts were written in place
                add_context_scale(index, out, step);
                break;
            default:
                return Error{ErrorCode::unsupported, "layer '" + node.name +
                                                         "': no kernel computes " +
                                                         op_name(node.op) + " on its own"};
        }
        append(std::move(step), plan_);
        return {};
    }

    Plan take() { return std::move(plan_); }

private:
    Placement& placement(int index) { return placements_[static_cast<std::size_t>(index)]; }
    Placement& extra(int index) {
        return placements_[static_cast<std::size_t>(extra_[static_cast<std::size_t>(index)])];
    }

    bool is_context(const Node& node) const {
        return node.op == Op::concat &&
               node.inputs.size() <= std::size_t{kernels::kMaxContextBranches} &&
               std::all_of(node.inputs.begin(), node.inputs.end(), [this](int input) {
                   return node_at(graph_, input).op == Op::context_tap;
               });
    }

    // Working memory beyond the tensors: a placement of its own for each node that needs some.
    void reserve_extra() {
        extra_.assign(graph_.nodes.size(), -1);
        for (int i = 0; i < node_count(graph_); ++i) {
            const Node& node = node_at(graph_, i);
            std::size_t size = 0;
            int first = i;
            if (!algorithm(i).direct()) {
                size = scratch(i) * static_cast<std::size_t>(options_.threads);
            } else if (is_context(node)) {
                first = placement(i).first;
                for (const int tap : node.inputs) size += squares_of(tap);
            }
            if (size == 0) continue;
            Placement memory;
            memory.tensor.shape = {.c = 1, .h = 1, .w = static_cast<int>(size)};
            memory.tensor.layout = NhwcLayout(memory.tensor.shape, 0, 0);
            memory.first = first;
            memory.last = i;
            extra_[static_cast<std::size_t>(i)] = static_cast<int>(placements_.size());
            placements_.push_back(memory);
        }
    }

    const ConvChoice& choice(int index) const { return choices_[static_cast<std::size_t>(index)]; }
    const ConvAlgorithm& algorithm(int index) const { return choice(index).algorithm; }

    // Of one call, for what is not direct.
    std::size_t scratch(int index) const {
        const ConvShape& s = choice(index).shape;
        const ConvAlgorithm& a = algorithm(index);
        if (a.sparse) return kernels::conv2d_sparse_f32_scratch(table_, s.oc, s.ic, s.kh, s.kw);
        return kernels::conv1d_winograd_f32_scratch(s.oc, s.ic, std::max(s.kh, s.kw), a.points,
                                                    a.tile, kWinogradBlock);
    }

    kernels::StoredWeights stored_weights(int index) const {
        const Node& conv = node_at(graph_, index);
        return {
            .oihw = conv.weight.data(),
            .scale = data_or_null(conv.gain),
            .output_order = data_or_null(conv.channel_order),
            .input_order = data_or_null(conv.input_order),
        };
    }

    void measure_sparse() {
        sparse_.resize(choices_.size());
        for (std::size_t i = 0; i < choices_.size(); ++i) {
            const ConvShape& s = choices_[i].shape;
            if (!choices_[i].algorithm.sparse) continue;
            sparse_[i] = kernels::packed_conv2d_sparse_f32(stored_weights(static_cast<int>(i)),
                                                           s.oc, s.ic, s.kh, s.kw);
        }
    }

    std::size_t lists_size() const {
        std::size_t size = 0;
        for (const kernels::SparseSize& sparse : sparse_) size += sparse.lists;
        return size;
    }

    std::size_t squares_of(int tap) const {
        return static_cast<std::size_t>(
            kernels::context_squares(table_.lanes, node_at(graph_, tap).shape.c));
    }

    std::size_t packed_weights(int index) const {
        const ConvShape& s = choice(index).shape;
        const ConvAlgorithm& a = algorithm(index);
        if (a.sparse) return align_floats(sparse_[static_cast<std::size_t>(index)].weights);
        return align_floats(a.direct()
                                ? kernels::packed_conv2d_f32_weights(table_, s.oc, s.ic, s.kh, s.kw)
                                : kernels::packed_conv1d_winograd_f32_weights(
                                      table_, s.oc, s.ic, std::max(s.kh, s.kw), a.points, a.tile));
    }

    std::size_t packed_size() const {
        std::size_t size = 0;
        for (int i = 0; i < node_count(graph_); ++i) {
            if (node_at(graph_, i).op != Op::conv2d) continue;
            size += packed_weights(i) + align_floats(kernels::packed_conv2d_f32_bias(
                                            table_, node_at(graph_, i).shape.c));
        }
        return size;
    }

    void add_conv2d(int index, const Tensor& in, const Tensor& out, NewStep& step) {
        const Node& node = node_at(graph_, index);
        const ConvAlgorithm& a = algorithm(index);
        float* weights = packed_;
        packed_ += packed_weights(index);
        float* bias = packed_;
        packed_ += align_floats(kernels::packed_conv2d_f32_bias(table_, out.shape.c));
        step.info.conv_shape = choice(index).shape;
        step.info.algorithm = a;
        step.info.weight_bytes = static_cast<std::size_t>(packed_ - weights) * sizeof(float);
        if (in.nhwc() != nullptr) step.call.at(Memory::input) -= window_offset(node, in);
        if (a.direct()) {
            add_direct(index, in, out, weights, bias, step);
            return;
        }
        step.call.at(Memory::scratch) = extra(index).tensor.begin;
        step.call.scratch_bytes = scratch(index) * sizeof(float);
        if (a.sparse) {
            add_sparse(index, in, out, weights, bias, step);
            return;
        }
        add_winograd(index, in, out, weights, bias, step);
    }

    void add_direct(int index, const Tensor& in, const Tensor& out, float* weights, float* bias,
                    NewStep& step) {
        const Node& node = node_at(graph_, index);
        kernels::pack_conv2d_f32(table_, stored_weights(index), node.bias.data(), out.shape.c,
                                 in.shape.c, node.kh, node.kw, weights, bias);
        kernels::Conv2dF32 conv = {
            .input = nullptr,
            .input_row = row_of(in),
            .weights = weights,
            .bias = bias,
            .output = nullptr,
            .output_row = row_of(out),
            .oh = out.shape.h,
            .ow = out.shape.w,
            .ic = in.shape.c,
            .oc = out.shape.c,
            .kh = node.kh,
            .kw = node.kw,
            .relu = node.relu,
        };
        join_rows(conv, in, out);
        set_arguments<Kernel::conv2d_f32>(step.call, conv);
        step.info.kernel = kernel_text("conv2d_f32", node.kh, node.kw);
    }

    void add_winograd(int index, const Tensor& in, const Tensor& out, float* weights, float* bias,
                      NewStep& step) {
        const Node& node = node_at(graph_, index);
        const ConvAlgorithm& a = algorithm(index);
        const int taps = std::max(node.kh, node.kw);
        const bool vertical = node.kh > 1;
        kernels::pack_conv1d_winograd_f32(table_, stored_weights(index), node.bias.data(),
                                          out.shape.c, in.shape.c, taps, a.points, a.tile, weights,
                                          bias);
        const int across = vertical ? out.shape.w : out.shape.h;
        const kernels::Conv1dWinogradF32 conv = {
            .input = nullptr,
            .input_row = row_of(in),
            .weights = weights,
            .point_weights =
                static_cast<std::ptrdiff_t>(kernels::packed_conv1d_winograd_f32_weights(
                    table_, out.shape.c, in.shape.c, taps, a.points, a.tile)) /
                a.points,
            .bias = bias,
            .output = nullptr,
            .output_row = row_of(out),
            .oh = out.shape.h,
            .ow = out.shape.w,
            .ic = in.shape.c,
            .oc = out.shape.c,
            .taps = taps,
            .vertical = vertical,
            .relu = node.relu,
            .points = a.points,
            .tile = a.tile,
            .first_tile = 0,
            .tiles = kernels::winograd_tiles(vertical ? out.shape.h : out.shape.w, a.tile) * across,
            .block = kWinogradBlock,
            .scratch = nullptr,
        };
        set_arguments<Kernel::conv1d_winograd_f32>(step.call, conv);
        step.info.kernel =
            kernel_text("conv1d_winograd_f32", node.kh, node.kw) + " " + algorithm_text(a);
    }

    void add_sparse(int index, const Tensor& in, const Tensor& out, float* weights, float* bias,
                    NewStep& step) {
        const Node& node = node_at(graph_, index);
        const Panels& panels = choice(index).panels;
        std::uint16_t* lists = lists_;
        lists_ += sparse_[static_cast<std::size_t>(index)].lists;
        step.info.weight_bytes += sparse_[static_cast<std::size_t>(index)].lists * sizeof(*lists);
        kernels::pack_conv2d_sparse_f32(table_, stored_weights(index), node.bias.data(),
                                        out.shape.c, in.shape.c, node.kh, node.kw, weights, lists,
                                        bias);
        const kernels::Conv2dSparseF32 conv = {
            .input = nullptr,
            .input_row = row_of(in),
            .weights = weights,
            .lists = lists,
            .bias = bias,
            .output = nullptr,
            .output_row = row_of(out),
            .oh = out.shape.h,
            .ow = out.shape.w,
            .ic = in.shape.c,
            .oc = out.shape.c,
            .kh = node.kh,
            .kw = node.kw,
            .relu = node.relu,
            .input_panels = panels.input,
            .output_panels = panels.output,
            .first_pixel = 0,
            .pixels = out.shape.h * out.shape.w,
            .scratch = nullptr,
        };
        set_arguments<Kernel::conv2d_sparse_f32>(step.call, conv);
        step.info.kernel = kernel_text("conv2d_sparse_f32", node.kh, node.kw);
        if (panels.input) step.info.kernel += " from panels";
        if (panels.output) step.info.kernel += " to panels";
    }

    void add_max_pool(const Node& node, const Tensor& in, const Tensor& out, NewStep& step) {
        set_arguments<Kernel::max_pool2d_f32>(step.call,
                                              max_pool<kernels::MaxPool2dF32>(node, in, out));
        step.info.kernel = kernel_text("max_pool2d_f32", node.window.h, node.window.w);
    }

    // The concatenation that `tap` is a part of, or -1.
    int context_of(int tap) const {
        for (int i = tap + 1; i < node_count(graph_); ++i) {
            const Node& node = node_at(graph_, i);
            if (is_context(node) &&
                std::find(node.inputs.begin(), node.inputs.end(), tap) != node.inputs.end())
                return i;
        }
        return -1;
    }

    void add_context_tap(int index, const Tensor& in, const Tensor& out, NewStep& step) {
        const Node& node = node_at(graph_, index);
        const int context = context_of(index);
        std::size_t& squares = step.call.at(Memory::squares);
        squares = extra(context).tensor.begin;
        for (const int tap : node_at(graph_, context).inputs) {
            if (tap == index) break;
            squares += squares_of(tap) * sizeof(float);
        }
        const kernels::ContextTapF32 tap = {
            .input = nullptr,
            .input_row = row_of(in),
            .output = nullptr,
            .output_column = out.nhwc()->pixel(),
            .squares = nullptr,
            .oh = (in.shape.h - node.window.h) / node.stride.h + 1,
            .ow = out.shape.w,
            .channels = out.shape.c,
            .channels_used = out.shape.c,
            .kh = node.window.h,
            .kw = node.window.w,
            .stride_h = node.stride.h,
            .stride_w = node.stride.w,
        };
        set_arguments<Kernel::context_tap_f32>(step.call, tap);
        step.info.kernel = kernel_text("context_tap_f32", node.window.h, node.window.w);
    }

    void add_context_scale(int index, const Tensor& out, NewStep& step) {
        kernels::ContextScaleF32 scale = {};
        scale.column = out.shape.c;
        scale.ow = out.shape.w;
        for (const int tap : node_at(graph_, index).inputs) {
            const Node& node = node_at(graph_, tap);
            const Shape& in = node_at(graph_, only_input(node)).shape;
            const int rows = (in.h - node.window.h) / node.stride.h + 1;
            scale.channels[scale.branches] = node.shape.c;
            scale.values[scale.branches] = rows * node.shape.w * node.shape.c;
            ++scale.branches;
        }
        step.context_branches.assign(scale.channels, scale.channels + scale.branches);
        step.call.at(Memory::squares) = extra(index).tensor.begin;
        set_arguments<Kernel::context_scale_f32>(step.call, scale);
        step.info.kernel = "context_scale_f32";
    }

    const Graph& graph_;
    const kernels::KernelTable& table_;
    const PlanOptions& options_;
    std::vector<ConvChoice> choices_;          // by node
    std::vector<kernels::SparseSize> sparse_;  // by node
    std::vector<Placement> placements_;        // by node, then the working memory
    std::vector<int> extra_;                   // by node: index of its working memory, or -1
    Plan plan_;
    float* packed_ = nullptr;
    std::uint16_t* lists_ = nullptr;
};

}  // namespace

Result<Plan> build_plan(Graph graph, const kernels::KernelTable& table,
                        const PlanOptions& options) {
    graph = fold_batch_norm(std::move(graph));
    graph = fuse_relu(std::move(graph));
    graph = move_mean(std::move(graph));
    graph = fuse_context_tap(std::move(graph));
    graph = sort_pooled_channels(std::move(graph));
    graph = schedule_taps(std::move(graph));
    if (graph.quantized()) return build_quantized_plan(graph, table, options);

    Builder builder(graph, table, options);
    for (int i = 1; i < node_count(graph); ++i) {
        if (Status status = builder.add(i); !status) return status.error();
    }
    return builder.take();
}

}  // namespace lprnet
