// The passes, and behind them the last one, from a graph to kernel calls: it gives every tensor its
// elements, layout and place, takes memory for packed weights, and asks a lowering for each call.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan/graph_tensors.h"
#include "engine/plan/lowering.h"
#include "engine/plan/passes.h"
#include "engine/plan/place_memory.h"
#include "engine/plan/plan.h"
#include "engine/plan/step.h"
#include "kernels/context/context.h"

namespace lprnet {
namespace {

using kernels::Memory;

// Lanes of the widest table: with those of each its own, some tables would have a channel that
// others do without, and might refuse a network for what it could sum up to.
constexpr int kWidestVector = 16;

// Kernels on levels may read a few elements behind their input.
constexpr std::size_t kLevelsSlack = kernels::kWeightAlignment;

// For people: "conv2d_f32 3x1".
std::string kernel_text(const Node& node, kernels::Kernel kernel, const ConvAlgorithm& algorithm,
                        const Tensor& in, const Tensor& out) {
    std::string text = kernels::kernel_name(kernel);
    const auto add_extents = [&](int h, int w) {
        text += " " + std::to_string(h) + "x" + std::to_string(w);
    };
    if (node.op == Op::conv2d) add_extents(node.kh, node.kw);
    if (node.op == Op::max_pool || node.op == Op::context_tap) {
        add_extents(node.window.h, node.window.w);
    }
    if (algorithm.winograd()) text += " " + algorithm_text(algorithm);
    if (in.panels() != nullptr) text += " from panels";
    if (out.panels() != nullptr) text += " to panels";
    return text;
}

// Of PyTorch's output: with the channels that are not computed, without one that stands for
// several.
Shape whole_shape(const Node& node) {
    Shape shape = node.shape;
    if (node.op == Op::context_tap) {
        shape.c = channels_in_mean(node);
    } else if (!node.constants.empty()) {
        const auto joint = std::count(node.channel_order.begin(), node.channel_order.end(), -1);
        shape.c += static_cast<int>(node.constants.size()) - static_cast<int>(joint);
    }
    return shape;
}

class PlanBuilder {
public:
    PlanBuilder(const Graph& graph, const kernels::KernelTable& table, const PlanOptions& options)
        : graph_(graph),
          draft_{.graph = graph,
                 .table = table,
                 .threads = options.threads,
                 .choices = choose_convs(graph, options.tuning, !options.whole_tensors, table),
                 .outputs = tensors_of(graph),
                 .levels = {}},
          f32_(make_f32_lowering(draft_)),
          levels_(make_levels_lowering(draft_)) {
        draft_.levels.resize(graph.nodes.size());
        for (int i = 1; i < node_count(graph); ++i) {
            const auto at = static_cast<std::size_t>(i);
            lowering_of(i).type_output(i, draft_.outputs[at], draft_.levels[at]);
        }
        find_contexts();
    }

    Result<Plan> build() {
        if (Status status = check_borders(); !status) return status.error();
        // Twice through the lowerings: the first time says what memory is needed.
        for (int i = 1; i < node_count(graph_); ++i) {
            if (Status status = measure(i); !status) return status.error();
        }
        place();
        plan_.packed.allocate();
        for (int i = 1; i < node_count(graph_); ++i) {
            if (Status status = add_step(i); !status) return status.error();
        }
        plan_.table = &draft_.table;
        plan_.threads = draft_.threads;
        plan_.quantized = graph_.quantized();
        plan_.input = draft_.outputs.front();
        plan_.output = draft_.outputs.back();
        return std::move(plan_);
    }

private:
    // What a node needs beside its tensors, in bytes.
    struct Working {
        int context = -1;         // of a branch of the context: the node that joins it
        std::size_t squares = 0;  // that a branch leaves for that node
        std::size_t scratch = 0;  // of all threads
        int placement = -1;       // of the scratch memory, or of the squares of all branches
    };

    Working& working(int index) { return working_[static_cast<std::size_t>(index)]; }

    const Lowering& lowering_of(int index) const {
        const Node& node = node_at(graph_, index);
        const bool reads_f32 = draft_.input(node).element.type == ElementType::f32;
        return reads_f32 && node.op != Op::quantize ? *f32_ : *levels_;
    }

    // A concatenation of branches that nobody else reads.
    bool is_context(const Node& node) const {
        return node.op == Op::concat &&
               std::all_of(node.inputs.begin(), node.inputs.end(),
                           [&](int input) { return is_private(graph_, input, Op::context_tap); });
    }
    void find_contexts() {
        working_.resize(graph_.nodes.size());
        for (int i = 1; i < node_count(graph_); ++i) {
            if (!is_context(node_at(graph_, i))) continue;
            working(i).context = i;
            for (const int tap : node_at(graph_, i).inputs) working(tap).context = i;
        }
    }

    // Kernels that write rows leave a border around them. Others, and who fills the input in, know
    // pixels one behind the other.
    Status check_borders() const {
        for (int i = 0; i < node_count(graph_); ++i) {
            const Node& node = node_at(graph_, i);
            const bool by_rows =
                node.op == Op::conv2d || node.op == Op::max_pool || node.op == Op::affine_sample;
            if (draft_.output(i).has_border() && !by_rows) return padded(node);
        }
        return {};
    }

    // Of a branch of the context, or of the node that joins them.
    Status check_context(int index) {
        const Node& node = node_at(graph_, index);
        if (working(index).context < 0) return no_kernel(node);
        if (node.inputs.size() > std::size_t{kernels::kMaxContextBranches}) {
            return cannot_lower(
                node, "more than " + std::to_string(kernels::kMaxContextBranches) + " branches");
        }
        return {};
    }

    Status measure(int index) {
        const Node& node = node_at(graph_, index);
        if (node.op == Op::context_tap || node.op == Op::concat) {
            if (Status status = check_context(index); !status) return status;
        }
        const Result<Lowered> made = lowering_of(index).lower(index, plan_.packed);
        if (!made) return made.error();
        working(index).squares = made->squares_bytes;
        working(index).scratch =
            made->call.scratch_bytes * static_cast<std::size_t>(draft_.threads);
        return {};
    }

    // Tensors and working memory.
    void place() {
        placements_ = placements_of(graph_, draft_.outputs);
        const std::size_t tensors = placements_.size();
        for (int i = 1; i < node_count(graph_); ++i) {
            Placement memory = {.bytes = working(i).scratch, .first = i, .last = i};
            if (node_at(graph_, i).op == Op::concat) {
                memory.first = placements_[static_cast<std::size_t>(i)].first;
                for (const int tap : node_at(graph_, i).inputs)
                    memory.bytes += working(tap).squares;
            }
            if (memory.bytes == 0) continue;
            working(i).placement = static_cast<int>(placements_.size());
            placements_.push_back(memory);
        }
        const std::size_t bytes = place_memory(placements_);
        bool levels = false;
        for (std::size_t i = 0; i < tensors; ++i) {
            draft_.outputs[i].begin = placements_[i].begin;
            levels = levels || draft_.outputs[i].has_levels();
        }
        plan_.arena_size = (bytes + (levels ? kLevelsSlack : 0)) / sizeof(float);
    }

    std::size_t working_begin(int index) {
        return placements_[static_cast<std::size_t>(working(index).placement)].begin;
    }

    Status add_step(int index) {
        const Node& node = node_at(graph_, index);
        const Tensor& in = draft_.input(node);
        const Tensor& out = draft_.output(index);
        const std::size_t packed_before = plan_.packed.bytes();
        Result<Lowered> made = lowering_of(index).lower(index, plan_.packed);
        if (!made) return made.error();

        Step step;
        step.call = made->call;
        // A window may begin in the border; panels have none.
        step.call.at(Memory::input) =
            in.nhwc() != nullptr ? in.byte_at(-node.pad_h, -node.pad_w, 0) : in.byte_at(0, 0, 0);
        if (node.op == Op::affine_sample) {
            step.call.at(Memory::theta) = draft_.output(node.inputs.back()).byte_at(0, 0, 0);
        }
        step.call.at(Memory::output) = out.byte_at(0, 0, 0);
        if (working(index).scratch > 0) step.call.at(Memory::scratch) = working_begin(index);
        if (working(index).context >= 0) step.call.at(Memory::squares) = squares_begin(index);
        if (out.has_border()) step.border = out;
        if (node.op == Op::concat) {
            step.context = Step::Context{out, {}};
            for (const int tap : node.inputs) {
                step.context->channels.push_back(draft_.output(tap).shape.c);
            }
        }
        plan_.steps.push_back(std::move(step));
        plan_.info.push_back(
            info_of(index, made->call.kernel(), plan_.packed.bytes() - packed_before));
        return {};
    }

    // Those of a branch, or of all for the node that joins them: one branch behind the other.
    std::size_t squares_begin(int index) {
        const int context = working(index).context;
        std::size_t begin = working_begin(context);
        if (index == context) return begin;
        for (const int tap : node_at(graph_, context).inputs) {
            if (tap == index) break;
            begin += working(tap).squares;
        }
        return begin;
    }

    StepInfo info_of(int index, kernels::Kernel kernel, std::size_t packed_bytes) const {
        const Node& node = node_at(graph_, index);
        const ConvChoice& choice = draft_.choice(index);
        return {
            .name = node.name,
            .reads = node_at(graph_, only_input(node)).name,
            .op = node.op,
            .layer = node.layer,
            .output = draft_.output(index),
            .shape = whole_shape(node),
            .constants = node.constants,
            .channel_order = node.channel_order,
            .levels = draft_.levels[static_cast<std::size_t>(index)],
            .input_order = node.input_order,
            .multiply_accumulates = multiply_accumulates(graph_, node),
            .weight_bytes = node.op == Op::conv2d ? packed_bytes : 0,
            .kernel = kernel_text(node, kernel, choice.algorithm, draft_.input(node),
                                  draft_.output(index)),
            .conv_shape = choice.shape,
            .algorithm = choice.algorithm,
        };
    }

    const Graph& graph_;
    Draft draft_;
    std::unique_ptr<Lowering> f32_, levels_;
    std::vector<Working> working_;       // by node
    std::vector<Placement> placements_;  // by node, then the working memory
    Plan plan_;
};

}  // namespace

Result<Plan> build_plan(Graph graph, const kernels::KernelTable& table,
                        const PlanOptions& options) {
    graph = fold_batch_norm(std::move(graph));
    graph = fuse_relu(std::move(graph));
    graph = move_mean(std::move(graph));
    graph = fuse_context_tap(std::move(graph));
    graph = sort_pooled_channels(std::move(graph));
    if (!options.whole_tensors) {
        graph = remove_constant_channels(std::move(graph), kWidestVector);
    }
    graph = schedule_taps(std::move(graph));
    return PlanBuilder(graph, table, options).build();
}

}  // namespace lprnet
