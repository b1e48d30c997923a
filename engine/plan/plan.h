// A plan: the network as the list of kernel calls that one instruction set makes
// for one image, with packed weights and the place of every tensor in one arena.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/graph.h"
#include "engine/plan/conv_algorithm.h"
#include "engine/plan/packed_memory.h"
#include "engine/plan/tensor.h"
#include "engine/plan/tuning.h"
#include "lprnet/error.h"

namespace lprnet {

// What tools read about a step.
struct StepInfo {
    // PyTorch module whose output this step computes.
    std::string name;
    // The module whose output it reads, or "input", or "context" for the joined branches.
    std::string reads;
    Op op = Op::conv2d;
    int layer = -1;  // of a convolution, as Node::layer

    Tensor output;
    // Of PyTorch's output; `output` has fewer channels where some are constant.
    Shape shape;
    std::vector<Node::Constant> constants;
    // Stored channel i is PyTorch's channel channel_order[i]; -1 for one that PyTorch does not
    // have; empty if they are equal.
    std::vector<int> channel_order;
    std::optional<LevelScale> levels;  // exactly if the output has levels
    // conv2d: stored input channel i is PyTorch's channel input_order[i]; empty if they are equal.
    std::vector<int> input_order;
    std::int64_t multiply_accumulates = 0;  // of the definition, whatever the algorithm
    std::size_t weight_bytes = 0;
    std::string kernel;  // for people: "conv2d_f32 3x1"
    // conv2d only
    ConvShape conv_shape;
    ConvAlgorithm algorithm;

    // PyTorch's channel of a stored one of the output, or -1.
    int channel_of(int stored) const noexcept {
        return static_cast<int>(channel_at(channel_order, static_cast<std::size_t>(stored)));
    }
};

struct Step;  // what runs, see engine/plan/step.h

// Parts that a step is divided into for so many threads. More of them than threads would be
// smoother where one is late, but read the weights more often. No step has more rows than the most.
inline constexpr int kMaxParts = 47;
constexpr int parts_for(int threads) noexcept {
    return std::min(threads, kMaxParts);
}

struct Plan {
    Plan();
    Plan(Plan&&) noexcept;
    Plan& operator=(Plan&&) noexcept;
    ~Plan();

    const kernels::KernelTable* table = nullptr;
    std::vector<Step> steps;
    std::vector<StepInfo> info;  // of each step
    Tensor input;
    Tensor output;
    bool quantized = false;
    std::size_t arena_size = 0;  // floats
    int threads = 1;             // that share one image
    PackedMemory packed;         // what the steps have of weights
};

struct PlanOptions {
    Tuning tuning = {};
    int threads = 1;  // that share one image, at least 1; results do not depend on it
    // Every tensor is NHWC with all of its channels, for who changes those between the layers.
    bool whole_tensors = false;
};

// Applies the passes of passes.h and lays out the result for `table`. All tables compute the same
// bits with the plan of a quantized network. `unsupported` if a node is left that no kernel
// computes, or if the numbers of a quantized layer could leave the range of its kernel.
// May throw std::bad_alloc.
Result<Plan> build_plan(Graph graph, const kernels::KernelTable& table,
                        const PlanOptions& options = {});

// The table called `name`; if that is empty, the best for this CPU. An unknown or unsupported name
// is an error that lists what there is.
Result<const kernels::KernelTable*> select_table(const std::string& name);

}  // namespace lprnet
