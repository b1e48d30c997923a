// A plan: the network as the list of kernel calls that one instruction set makes
// for one image, with packed weights and the place of every tensor in one arena.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/model/graph.h"
#include "engine/plan/conv_algorithm.h"
#include "engine/plan/tuning.h"
#include "kernels/aligned_buffer.h"
#include "kernels/kernel_call.h"
#include "lprnet/error.h"

namespace lprnet {

// Where a tensor lies in the arena: NHWC with tight channels, inside a border of
// zero pixels that the convolutions reading it need; or, without a border, in panels, see
// kernels::Conv2dSparseF32.
struct Tensor {
    std::size_t begin = 0;  // offset in bytes of the border, or of the tensor if it has none
    int h = 0, w = 0, c = 0;
    int border_h = 0, border_w = 0;             // pixels on each side
    int panel = 0;                              // pixels in a block of panels; 0 is NHWC
    std::size_t element_bytes = sizeof(float);  // of a quantized tensor the table's choice
    float scale = 0.0f;                         // of a quantized tensor: real value / element

    bool quantized() const noexcept { return scale != 0.0f; }
    // Elements from one row to the next in NHWC.
    std::ptrdiff_t row() const noexcept {
        return static_cast<std::ptrdiff_t>(w + 2 * border_w) * c;
    }
    // Elements in all, border included.
    std::size_t size() const noexcept {
        if (panel > 0) return static_cast<std::size_t>((h * w + panel - 1) / panel * panel * c);
        return static_cast<std::size_t>(row()) * static_cast<std::size_t>(h + 2 * border_h);
    }
    std::size_t size_bytes() const noexcept { return size() * element_bytes; }
    // Offset in bytes of pixel (0, 0).
    std::size_t origin() const noexcept {
        return begin + (static_cast<std::size_t>(border_h * row()) +
                        static_cast<std::size_t>(border_w) * static_cast<std::size_t>(c)) *
                           element_bytes;
    }
    // Pixel (0, 0) of a tensor of floats in NHWC.
    float* floats(float* arena) const noexcept {
        assert(panel == 0);
        return arena + origin() / sizeof(float);
    }
    // Offset in bytes of one element.
    std::size_t at(int y, int x, int channel) const noexcept {
        if (panel == 0)
            return origin() + static_cast<std::size_t>(y * row() + x * c + channel) * element_bytes;
        const int pixel = y * w + x;
        return begin +
               static_cast<std::size_t>((pixel / panel * c + channel) * panel + pixel % panel) *
                   element_bytes;
    }
};

// What computes one node.
struct Step {
    // PyTorch module whose output this step computes.
    std::string name;
    // The module whose output it reads, or "input", or "context" for the joined branches.
    std::string reads;
    Op op = Op::conv2d;
    kernels::KernelCall call;  // not bound to an arena

    Tensor output;
    // Stored channel i is PyTorch's channel channel_order[i]; empty if they are equal.
    std::vector<int> channel_order;
    // What a step of each stored channel of a quantized output is, in units of output.scale; empty
    // if it is 1.
    std::vector<float> channel_factor;
    // conv2d: stored input channel i is PyTorch's channel input_order[i]; empty if they are equal.
    std::vector<int> input_order;
    std::int64_t multiply_accumulates = 0;  // of the definition, whatever the algorithm
    std::size_t weight_bytes = 0;
    std::string kernel;  // for people: "conv2d_f32 3x1"
    // conv2d only
    ConvShape conv_shape;
    ConvAlgorithm algorithm;
    // Channels of each branch if the step joins the context, else empty.
    std::vector<int> context_branches;
};

struct Plan {
    const kernels::KernelTable* table = nullptr;
    std::vector<Step> steps;
    Tensor input;
    Tensor output;
    bool quantized = false;
    std::size_t arena_size = 0;  // floats
    int threads = 1;             // that share one image
    kernels::AlignedBuffer packed;
    std::vector<std::uint16_t> lists;  // of sparse convolutions
};

struct PlanOptions {
    Tuning tuning = {};
    int threads = 1;     // that share one image, at least 1; results do not depend on it
    bool panels = true;  // false: every tensor is NHWC, for who reads those between the layers
};

// Applies the passes of passes.h and lays out the result for `table`.
// May throw std::bad_alloc. `unsupported` if a node is left that no kernel computes.
Result<Plan> build_plan(Graph graph, const kernels::KernelTable& table,
                        const PlanOptions& options = {});

// The table called `name`; if that is empty, the one named by the environment
// variable LPRNET_ISA; if that is empty too, the best for this CPU. An unknown or
// unsupported name is an error that lists what there is.
Result<const kernels::KernelTable*> select_table(const std::string& name);

}  // namespace lprnet
