// What a network is made of beside its tensors: a table with a row per PyTorch module or function
// call, in the order of the forward pass. Another network of the same kinds of layers is another
// table, added to architectures(); a weights file names its own (weights/FORMAT.md).
#pragma once

#include <span>
#include <string_view>

#include "engine/model/graph.h"

namespace lprnet {

// What the picture is called in a table.
inline constexpr std::string_view kInputName = "input";

enum class Padding {
    valid,  // none
    same,   // zeros, so that the extent is kept
};

// Windows, strides and taps are the architecture and stand here; channel widths, class count and
// kernel sizes are read from the tensors.
struct LayerRow {
    std::string_view name;
    Op op;
    // Rows whose outputs are read, or "input"; empty means the row above.
    std::string_view from[4] = {};
    Padding padding = Padding::valid;
    Window window = {};
    Window stride = {};
    int channel_stride = 1;
    bool linear = false;  // a linear layer, see Node::linear
};

struct Architecture {
    std::string_view name;
    // Sound, see is_sound().
    std::span<const LayerRow> layers;
    // Rows that come before those in a file that has any of their tensors: a spatial transformer.
    std::span<const LayerRow> front = {};
};

// True if build_network() can walk the table: it begins with a convolution, which reads the input
// or the last row in front and tells whether the network is quantized, its names are there and
// differ, and rows read rows above. A test asks this of every architecture.
bool is_sound(const Architecture& architecture) noexcept;

// Those that a file may name. The first is that of a file which names none.
std::span<const Architecture> architectures() noexcept;

}  // namespace lprnet
