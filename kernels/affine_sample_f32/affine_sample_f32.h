// A picture sampled anew, at the positions that an affine map gives: the end of a spatial
// transformer.
#pragma once

#include <cstddef>

#include "kernels/part.h"

namespace lprnet::kernels {

// As PyTorch's affine_grid and grid_sample do it, bilinear, with zeros outside. They give positions
// from -1 to 1, which lie on the centers of the corner pixels with align_corners, else on the
// corners. In pixels, with cx = (width - 1) / 2, u = column - cx, the same for rows, and the spans
// sx and sy from -1 to 1, which are width - 1 or width and height - 1 or height:
//   x = theta[0] u + (theta[1] sx/sy v + theta[2] sx/2 + cx)
//   y = theta[3] sy/sx u + (theta[4] v + theta[5] sy/2 + cy)
// What stands in parentheses, and theta[3] sy/sx, are computed in double, limited to +-1e30 and
// rounded; all else in float32, with a rounding after each operation, the four products with their
// weights added in pairs: all tables give the same bits. A position that is not a number lies
// outside. No extent may be above 2^24, where float32 stops counting.
struct AffineSampleF32 {
    const float* input;
    std::ptrdiff_t input_row;
    const float* theta;  // six
    float* output;       // of the rows from first_row on
    std::ptrdiff_t output_row;
    int height, width, channels;  // of the input, and of all of the output
    int first_row, rows;          // of the output
    bool align_corners;
};

template <class Visit>
void each_memory(AffineSampleF32& a, Visit visit) {
    visit(Memory::input, a.input);
    visit(Memory::theta, a.theta);
    visit(Memory::output, a.output);
}

// By rows.
bool narrow(AffineSampleF32& a, const Part& part, const KernelTable& table) noexcept;

}  // namespace lprnet::kernels
