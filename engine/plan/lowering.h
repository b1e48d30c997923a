// What a node becomes: its kernel, the layout of its output, its packed weights. There are two
// lowerings, lower_f32.cpp for nodes that read floats and lower_levels.cpp for those that read or
// make levels; build_plan.cpp asks the one or the other for each node and does all else.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/graph.h"
#include "engine/plan/choose_convs.h"
#include "engine/plan/graph_edit.h"
#include "engine/plan/packed_memory.h"
#include "engine/plan/tensor.h"
#include "kernels/kernel_call.h"
#include "lprnet/error.h"

namespace lprnet {

// What is known of a plan before its steps are made.
struct Draft {
    const Graph& graph;
    const kernels::KernelTable& table;
    int threads = 1;
    std::vector<ConvChoice> choices;                // by node
    std::vector<Tensor> outputs;                    // by node
    std::vector<std::optional<LevelScale>> levels;  // by node: of outputs that have levels

    const Tensor& output(int index) const { return outputs[static_cast<std::size_t>(index)]; }
    const ConvChoice& choice(int index) const { return choices[static_cast<std::size_t>(index)]; }
    // What the node reads, of a concatenation the first part.
    const Tensor& input(const Node& node) const { return output(only_input(node)); }
    // Null if that has no levels.
    const LevelScale* input_levels(const Node& node) const {
        const auto& found = levels[static_cast<std::size_t>(only_input(node))];
        return found ? &*found : nullptr;
    }
};

struct Lowered {
    kernels::KernelCall call;       // all but its places in the arena
    std::size_t squares_bytes = 0;  // that a branch of the context leaves for the one behind it
};

class Lowering {
public:
    virtual ~Lowering() = default;

    // Gives the output of a node its elements and layout, and its levels if it has some. The nodes
    // before it have theirs. Floats in NHWC unless it says otherwise.
    virtual void type_output(int index, Tensor& output,
                             std::optional<LevelScale>& levels) const = 0;
    // The node's call, once for counting and once for packing: only the pointers to weights
    // differ, and what is costly is left out the first time.
    virtual Result<Lowered> lower(int index, PackedMemory& packed) const = 0;
};

// The draft has to outlive them and to have its choices. May throw std::bad_alloc.
std::unique_ptr<Lowering> make_f32_lowering(const Draft& draft);
std::unique_ptr<Lowering> make_levels_lowering(const Draft& draft);

// `unsupported`, of a layer.
inline Error cannot_lower(const Node& node, const std::string& why) {
    return {ErrorCode::unsupported, "layer '" + node.name + "': " + why};
}
inline Error no_kernel(const Node& node) {
    return cannot_lower(node,
                        "no kernel computes " + std::string(op_name(node.op)) + " on its own");
}

// Of an output that has to be without a border.
inline Error padded(const Node& node) {
    return cannot_lower(node, "a layer pads its output, which has no border");
}

}  // namespace lprnet
