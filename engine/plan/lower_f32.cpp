// Nodes that read floats. A convolution is direct, sparse or Winograd's, as it was chosen; in a
// quantized network it is the one kernel that all instruction sets compute alike.
#include <algorithm>
#include <utility>

#include "engine/plan/call_parts.h"
#include "engine/plan/lowering.h"

namespace lprnet {
namespace {

using kernels::Kernel;

// Tiles that go through Winograd's transforms at a time: enough for whole tiles of the
// convolution between them, few enough for the second-level cache.
constexpr int kWinogradBlock = 24;

kernels::StoredWeights stored_f32(const Node& conv) noexcept {
    return stored(conv, conv.weight.data(), data_or_null(conv.gain));
}

class F32Lowering final : public Lowering {
public:
    explicit F32Lowering(const Draft& draft)
        : draft_(draft), table_(draft.table), exact_(draft.graph.quantized()) {
        // Counting the weights takes a while, so it is done once.
        for (std::size_t i = 0; i < draft.choices.size(); ++i) {
            const ConvShape& s = draft.choices[i].shape;
            sparse_.push_back(draft.choices[i].algorithm.sparse
                                  ? kernels::packed_conv2d_sparse_f32(
                                        stored_f32(draft.graph.nodes[i]), s.oc, s.ic, s.kh, s.kw)
                                  : kernels::SparseSize());
        }
    }

    void type_output(int index, Tensor& output,
                     std::optional<LevelScale>& /*levels*/) const override {
        if (!draft_.choice(index).panels.output) return;
        output.layout = PanelLayout(output.shape, table_.sparse_pixels);
    }

    Result<Lowered> lower(int index, PackedMemory& packed) const override {
        const Node& node = node_at(draft_.graph, index);
        const Tensor& in = draft_.input(node);
        const Tensor& out = draft_.output(index);
        switch (node.op) {
            case Op::conv2d:
                if (node.quantized()) return not_quantized(node);
                return lower_conv(index, node, in, out, packed);
            case Op::max_pool:
                return lowered<Kernel::max_pool2d_f32>(
                    max_pool<kernels::MaxPool2dF32>(node, in, out));
            case Op::affine_sample: return lower_sample(node, in, out);
            case Op::context_tap:
                // Its sums of floats differ from table to table.
                if (exact_) return not_quantized(node);
                return lower_tap(node, in, out);
            case Op::concat: return lower_context(node);
            default: return no_kernel(node);
        }
    }

private:
    static Error not_quantized(const Node& node) {
        return cannot_lower(node, "quantized, but what it reads is not");
    }

    Lowered lower_conv(int index, const Node& node, const Tensor& in, const Tensor& out,
                       PackedMemory& packed) const {
        const ConvAlgorithm& algorithm = draft_.choice(index).algorithm;
        if (exact_) return lower_direct<Kernel::conv2d_f32_exact>(node, in, out, packed);
        if (algorithm.sparse) return lower_sparse(index, node, in, out, packed);
        if (algorithm.winograd()) return lower_winograd(algorithm, node, in, out, packed);
        return lower_direct<Kernel::conv2d_f32>(node, in, out, packed);
    }

    template <Kernel K>
    Lowered lower_direct(const Node& node, const Tensor& in, const Tensor& out,
                         PackedMemory& packed) const {
        const DirectF32<K> conv(table_, node, in, out, packed);
        if (!packed.counting()) conv.pack(table_, stored_f32(node), node.bias.data());
        return lowered<K>(conv.call);
    }

    Lowered lower_winograd(const ConvAlgorithm& algorithm, const Node& node, const Tensor& in,
                           const Tensor& out, PackedMemory& packed) const {
        auto conv = call_between<kernels::Conv1dWinogradF32>(in, out);
        conv.taps = std::max(node.kh, node.kw);
        conv.vertical = node.kh > 1;
        conv.relu = node.relu;
        conv.points = algorithm.points;
        conv.tile = algorithm.tile;
        conv.tiles = kernels::winograd_tiles(conv.vertical ? conv.oh : conv.ow, conv.tile) *
                     (conv.vertical ? conv.ow : conv.oh);
        conv.block = kWinogradBlock;
        const std::size_t size = kernels::packed_conv1d_winograd_f32_weights(
            table_, conv.oc, conv.ic, conv.taps, conv.points, conv.tile);
        conv.point_weights = static_cast<std::ptrdiff_t>(size) / conv.points;
        auto* weights = packed.take<float>(size);
        auto* bias = packed.take<float>(kernels::packed_conv2d_f32_bias(table_, conv.oc));
        conv.weights = weights;
        conv.bias = bias;
        if (!packed.counting()) {
            kernels::pack_conv1d_winograd_f32(table_, stored_f32(node), node.bias.data(), conv.oc,
                                              conv.ic, conv.taps, conv.points, conv.tile, weights,
                                              bias);
        }
        Lowered made = lowered<Kernel::conv1d_winograd_f32>(conv);
        made.call.scratch_bytes =
            sizeof(float) * kernels::conv1d_winograd_f32_scratch(
                                conv.oc, conv.ic, conv.taps, conv.points, conv.tile, conv.block);
        return made;
    }

    Lowered lower_sparse(int index, const Node& node, const Tensor& in, const Tensor& out,
                         PackedMemory& packed) const {
        const kernels::SparseSize& size = sparse_[static_cast<std::size_t>(index)];
        auto conv = convolution<kernels::Conv2dSparseF32>(node, in, out);
        conv.input_panels = in.panels() != nullptr;
        conv.output_panels = out.panels() != nullptr;
        conv.pixels = conv.oh * conv.ow;
        auto* weights = packed.take<float>(size.weights);
        auto* bias = packed.take<float>(kernels::packed_conv2d_f32_bias(table_, conv.oc));
        auto* lists = packed.take_lists(size.lists);
        conv.weights = weights;
        conv.bias = bias;
        conv.lists = lists;
        if (!packed.counting()) {
            kernels::pack_conv2d_sparse_f32(table_, stored_f32(node), node.bias.data(), conv.oc,
                                            conv.ic, conv.kh, conv.kw, weights, lists, bias);
        }
        Lowered made = lowered<Kernel::conv2d_sparse_f32>(conv);
        made.call.scratch_bytes = sizeof(float) * kernels::conv2d_sparse_f32_scratch(
                                                      table_, conv.oc, conv.ic, conv.kh, conv.kw);
        return made;
    }

    static Lowered lower_sample(const Node& node, const Tensor& in, const Tensor& out) {
        kernels::AffineSampleF32 sample = {};
        sample.input_row = in.nhwc()->row();
        sample.output_row = out.nhwc()->row();
        sample.height = in.shape.h;
        sample.width = in.shape.w;
        sample.channels = in.shape.c;
        sample.rows = out.shape.h;
        sample.align_corners = node.align_corners;
        return lowered<Kernel::affine_sample_f32>(sample);
    }

    Lowered lower_tap(const Node& node, const Tensor& in, const Tensor& out) const {
        auto tap = context_tap<kernels::ContextTapF32>(node, in, out);
        tap.output_column = out.nhwc()->pixel();
        Lowered made = lowered<Kernel::context_tap_f32>(tap);
        made.squares_bytes = sizeof(float) * static_cast<std::size_t>(kernels::context_squares(
                                                 table_.lanes, out.shape.c));
        return made;
    }

    Lowered lower_context(const Node& node) const {
        auto scale = context_scale<kernels::ContextScaleF32>(draft_.graph, node);
        for (std::size_t b = 0; b < node.inputs.size(); ++b) {
            const Node& tap = node_at(draft_.graph, node.inputs[b]);
            scale.values[b] =
                context_rows(tap, draft_.input(tap)) * tap.shape.w * channels_in_mean(tap);
        }
        return lowered<Kernel::context_scale_f32>(scale);
    }

    const Draft& draft_;
    const kernels::KernelTable& table_;
    const bool exact_;
    std::vector<kernels::SparseSize> sparse_;  // by node
};

}  // namespace

std::unique_ptr<Lowering> make_f32_lowering(const Draft& draft) {
    return std::make_unique<F32Lowering>(draft);
}

}  // namespace lprnet
