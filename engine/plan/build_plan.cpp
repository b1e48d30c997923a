// The last pass: from a graph to kernel calls. Choose borders, place tensors in
// the arena, pack weights, fill in the arguments.
#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"
#include "engine/plan/plan.h"
#include "kernels/pack.h"

namespace lprnet {
namespace {

constexpr std::size_t kAlignedFloats = kernels::kWeightAlignment / sizeof(float);

std::size_t align_up(std::size_t floats) noexcept {
    return (floats + kAlignedFloats - 1) / kAlignedFloats * kAlignedFloats;
}

// A tensor of the graph and the nodes between which it must stay intact.
struct Placement {
    Tensor tensor;
    int first = 0;
    int last = 0;
    int host = -1;                // the concatenation that this tensor is a part of
    std::size_t host_offset = 0;  // channels before it there
};

std::vector<Placement> tensors_of(const Graph& graph) {
    const int count = node_count(graph);
    std::vector<Placement> placements(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        const Node& node = node_at(graph, i);
        Placement& placement = placements[static_cast<std::size_t>(i)];
        placement.tensor.h = node.shape.h;
        placement.tensor.w = node.shape.w;
        placement.tensor.c = node.shape.c;
        placement.first = placement.last = i;
        std::size_t channels_before = 0;
        for (const int input : node.inputs) {
            Placement& source = placements[static_cast<std::size_t>(input)];
            source.last = i;
            source.tensor.border_h = std::max(source.tensor.border_h, node.pad_h);
            source.tensor.border_w = std::max(source.tensor.border_w, node.pad_w);
            if (node.op == Op::concat) {
                source.host = i;
                source.host_offset = channels_before;
                channels_before += static_cast<std::size_t>(source.tensor.c);
                placement.first = std::min(placement.first, source.first);
            }
        }
    }
    // The input survives the run, so that the same image can be run again; the
    // logits survive it, so that they can be decoded.
    placements.front().last = count;
    placements.back().last = count;
    return placements;
}

// Largest first, each at the lowest offset that no tensor alive at the same time
// occupies. Returns the arena's size in floats.
std::size_t place(std::vector<Placement>& placements) {
    std::vector<Placement*> order;
    for (Placement& placement : placements) {
        if (placement.host < 0) order.push_back(&placement);
    }
    std::stable_sort(order.begin(), order.end(), [](const Placement* a, const Placement* b) {
        return a->tensor.size() > b->tensor.size();
    });
    std::size_t arena = 0;
    std::vector<const Placement*> placed;  // by offset
    for (Placement* next : order) {
        std::size_t begin = 0;
        for (const Placement* other : placed) {
            if (other->last < next->first || next->last < other->first) continue;
            if (other->tensor.begin >= begin + next->tensor.size()) break;
            begin = std::max(begin, align_up(other->tensor.begin + other->tensor.size()));
        }
        next->tensor.begin = begin;
        arena = std::max(arena, begin + next->tensor.size());
        placed.insert(std::upper_bound(placed.begin(), placed.end(), next,
                                       [](const Placement* a, const Placement* b) {
                                           return a->tensor.begin < b->tensor.begin;
                                       }),
                      next);
    }
    for (Placement& placement : placements) {
        if (placement.host < 0) continue;
        placement.tensor.begin = placements[static_cast<std::size_t>(placement.host)].tensor.begin +
                                 placement.host_offset;
    }
    return align_up(arena);
}

std::size_t packed_size(const Graph& graph, const kernels::KernelTable& table) {
    std::size_t size = 0;
    for (const Node& node : graph.nodes) {
        if (node.op != Op::conv2d) continue;
        const int ic = node_at(graph, only_input(node)).shape.c;
        size +=
            align_up(kernels::packed_conv2d_f32_weights(table, node.shape.c, ic, node.kh, node.kw));
        size += align_up(kernels::packed_conv2d_f32_bias(table, node.shape.c));
    }
    return size;
}

kernels::Conv2dF32 conv2d_call(const Node& node, const Tensor& in, const Tensor& out) {
    kernels::Conv2dF32 call = {
        .input = nullptr,
        .input_row = in.row(),
        .weights = nullptr,
        .bias = nullptr,
        .output = nullptr,
        .output_row = out.row(),
        .oh = out.h,
        .ow = out.w,
        .ic = in.c,
        .oc = out.c,
        .kh = node.kh,
        .kw = node.kw,
        .relu = node.relu,
    };
    // Without horizontal taps or borders all rows form one: the kernel then cuts
    // tiles across row ends and none is left narrow.
    if (node.kw == 1 && in.border_w == 0 && out.border_w == 0) {
        call.ow = out.h * out.w;
        call.oh = 1;
    }
    return call;
}

std::string kernel_text(const char* kernel, int h, int w) {
    return std::string(kernel) + " " + std::to_string(h) + "x" + std::to_string(w);
}

}  // namespace

Result<Plan> build_plan(Graph graph, const kernels::KernelTable& table) {
    graph = fold_batch_norm(std::move(graph));
    graph = fuse_relu(std::move(graph));
    graph = move_mean(std::move(graph));
    graph = fuse_context_tap(std::move(graph));
    graph = sort_pooled_channels(std::move(graph));
    graph = schedule_taps(std::move(graph));

    std::vector<Placement> placements = tensors_of(graph);
    Plan plan;
    plan.table = &table;
    plan.arena_size = place(placements);
    plan.input = placements.front().tensor;
    plan.output = placements.back().tensor;
    plan.packed = kernels::AlignedBuffer(packed_size(graph, table));

    float* packed = plan.packed.data();
    for (int i = 1; i < node_count(graph); ++i) {
        const Node& node = node_at(graph, i);
        if (node.op == Op::concat) continue;  // its parts were written in place
        const Placement& placement = placements[static_cast<std::size_t>(i)];
        const Tensor& in = placements[static_cast<std::size_t>(only_input(node))].tensor;
        const Tensor& out = placement.tensor;

        Step step;
        step.name = node.name;
        step.reads = node_at(graph, only_input(node)).name;
        step.op = node.op;
        step.output = out;
        step.channel_order = node.channel_order;
        step.input_offset = in.origin();
        step.output_offset = out.origin();
        step.multiply_accumulates = multiply_accumulates(graph, node);
        switch (node.op) {
            case Op::conv2d: {
                kernels::Conv2dF32 call = conv2d_call(node, in, out);
                float* weights = packed;
                packed += align_up(
                    kernels::packed_conv2d_f32_weights(table, out.c, in.c, node.kh, node.kw));
                float* bias = packed;
                packed += align_up(kernels::packed_conv2d_f32_bias(table, out.c));
                kernels::pack_conv2d_f32(table, node.weight.data(), node.bias.data(), out.c, in.c,
                                         node.kh, node.kw, weights, bias);
                call.weights = weights;
                call.bias = bias;
                step.input_offset -=
                    static_cast<std::size_t>(node.pad_h * in.row()) +
                    static_cast<std::size_t>(node.pad_w) * static_cast<std::size_t>(in.c);
                step.weight_bytes = static_cast<std::size_t>(packed - weights) * sizeof(float);
                step.kernel = kernel_text("conv2d_f32", node.kh, node.kw);
                step.call = call;
                break;
            }
            case Op::max_pool:
                step.call = kernels::MaxPool2dF32{
                    .input = nullptr,
                    .input_row = in.row(),
                    .output = nullptr,
                    .output_row = out.row(),
                    .oh = out.h,
                    .ow = out.w,
                    .ic = in.c,
                    .oc = out.c,
                    .kh = node.window.h,
                    .kw = node.window.w,
                    .stride_h = node.stride.h,
                    .stride_w = node.stride.w,
                    .channel_stride = node.channel_stride,
                };
                step.kernel = kernel_text("max_pool2d_f32", node.window.h, node.window.w);
                break;
            case Op::context_tap: {
                const int column =
                    placement.host < 0
                        ? out.c
                        : placements[static_cast<std::size_t>(placement.host)].tensor.c;
                step.call = kernels::ContextTapF32{
                    .input = nullptr,
                    .input_row = in.row(),
                    .output = nullptr,
                    .output_column = column,
                    .oh = (in.h - node.window.h) / node.stride.h + 1,
                    .ow = out.w,
                    .channels = out.c,
                    .kh = node.window.h,
                    .kw = node.window.w,
                    .stride_h = node.stride.h,
                    .stride_w = node.stride.w,
                };
                step.kernel = kernel_text("context_tap_f32", node.window.h, node.window.w);
                break;
            }
            default:
                return Error{ErrorCode::unsupported, "layer '" + node.name +
                                                         "': no kernel computes " +
                                                         op_name(node.op) + " on its own"};
        }
        plan.steps.push_back(std::move(step));
    }
    return plan;
}

}  // namespace lprnet
