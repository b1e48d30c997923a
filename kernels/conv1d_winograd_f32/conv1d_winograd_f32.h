// One-dimensional Winograd convolution with bias and ReLU, float32: the points, the matrices, the
// calls, the packing of weights.
//
// F(m, r) computes m outputs of a correlation with r taps from P = m + r - 1 inputs
// with P multiplications instead of m * r, by evaluating both as polynomials at P
// points (Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, Fast
// Algorithms for Convolutional Neural Networks, 2016):
//   y = A^T ((G g) * (B^T d))
// The points are pairs +-a, infinity and, where P is even, 0. Thereby rows of B^T and
// columns of A^T for +a and -a differ only in the sign of their odd or even terms, which
// halves the work.
// B^T depends on P alone: every m + r = P + 1 shares one input transform.
//
// A kernel with more than r taps is cut into groups of r taps, the last one filled up
// with zeros. Groups add up before A^T, where they are one sum over groups * ic inputs.
#pragma once

#include <array>
#include <cstddef>
#include <iterator>

#include "kernels/part.h"
#include "kernels/weight_layout.h"

namespace lprnet::kernels {

inline constexpr int kMaxWinogradPoints = 10;

// The F(tile, points + 1 - tile) that there are kernels for. For 3 taps more points pay as
// long as the tiles divide the extent; more taps are served by the widest groups that the
// error allows.
struct WinogradVariant {
    int points, tile;
};
inline constexpr WinogradVariant kWinogradVariants[] = {
    {4, 2},  {6, 4}, {7, 5}, {8, 6}, {10, 8},  // 3 taps
    {7, 4},  {8, 5}, {9, 6},                   // 4
    {8, 4},                                    // 5
    {10, 4},                                   // 7
};

// Magnitudes of the pairs in the order in which they are added as P grows. All are exact, and
// with them the entries of the matrices; of the fractions tried as the fourth, this one has
// the smallest error, three times that of 8 points.
inline constexpr double kWinogradPairs[] = {1.0, 2.0, 0.5, 0.75};
static_assert(2 + 2 * std::size(kWinogradPairs) == kMaxWinogradPoints);

constexpr int winograd_pairs(int points) noexcept {
    return (points - 1) / 2;
}
// Points before the first pair: 1 with 0, else 0.
constexpr int winograd_first_pair(int points) noexcept {
    return points % 2 == 0 ? 1 : 0;
}

// Coefficients of t^0, t^1, ... of the product of (t - a^2) over the first `pairs` pairs
// but pair `without`; -1 leaves none out. With t = x^2 these are what B^T consists of.
constexpr std::array<double, kMaxWinogradPoints / 2> winograd_product(int pairs,
                                                                      int without) noexcept {
    std::array<double, kMaxWinogradPoints / 2> product = {1.0};
    for (int p = 0; p < pairs; ++p) {
        if (p == without) continue;
        const double square = kWinogradPairs[p] * kWinogradPairs[p];
        for (std::size_t i = product.size() - 1; i > 0; --i) {
            product[i] = product[i - 1] - square * product[i];
        }
        product[0] *= -square;
    }
    return product;
}

// The matrices in full, in double: for packing, for the reference and for tests. Row and
// column j belong to point 0, if it is one (j = 0), +a and -a of pair p
// (j = winograd_first_pair() + 2 p and the next) and infinity (j = points - 1).
struct WinogradMatrices {
    double input[kMaxWinogradPoints][kMaxWinogradPoints];   // B^T: [point][input]
    double weight[kMaxWinogradPoints][kMaxWinogradPoints];  // G: [point][tap]
    double output[kMaxWinogradPoints][kMaxWinogradPoints];  // A^T: [output][point]
};

// `points` is 3 to 10 and `tile`, the outputs, 2 to points - 1.
WinogradMatrices winograd_matrices(int points, int tile) noexcept;

// The convolution of Conv2dF32 with taps along one axis only, by Winograd's algorithm F(tile,
// points + 1 - tile), see above. A tile is `tile` adjacent outputs along that axis;
// the last one may be cut off. Tiles are numbered along the width first: [row of tiles][x]
// if vertical, else [y][column of tiles]. A call computes `tiles` of them from first_tile.
struct Conv1dWinogradF32 {
    const float* input;  // as in Conv2dF32
    std::ptrdiff_t input_row;
    const float* weights;          // packed by pack_conv1d_winograd_f32 for the same table
    std::ptrdiff_t point_weights;  // floats from the weights of one point to those of the next
    const float* bias;
    float* output;
    std::ptrdiff_t output_row;
    int oh, ow;
    int ic, oc;
    int taps;       // at least 1
    bool vertical;  // taps x 1, else 1 x taps
    bool relu;
    int points, tile;  // one of kWinogradVariants
    int first_tile, tiles;
    int block;       // tiles at a time, at least 1
    float* scratch;  // conv1d_winograd_f32_scratch() floats, 64-byte aligned
};

// Tiles along an extent, and groups of taps.
constexpr int winograd_tiles(int extent, int tile) noexcept {
    return (extent + tile - 1) / tile;
}
constexpr int winograd_groups(int taps, int points, int tile) noexcept {
    return (taps + points - tile) / (points + 1 - tile);
}

// Floats from one point's matrix of rows x columns to the next: whole cache lines, an odd
// number of them, because equal addresses modulo 4096 compete for the same lines.
inline constexpr int kWinogradLine = 16;
constexpr std::ptrdiff_t winograd_plane(int rows, int columns) noexcept {
    const std::ptrdiff_t lines =
        (std::ptrdiff_t{rows} * columns + kWinogradLine - 1) / kWinogradLine;
    return (lines | 1) * kWinogradLine;
}
// Zeros in the place of a bias for the convolutions between the transforms.
constexpr std::ptrdiff_t winograd_zeros(int oc) noexcept {
    return winograd_plane(1, oc);
}

template <class Visit>
void each_memory(Conv1dWinogradF32& a, Visit visit) {
    visit(Memory::input, a.input);
    visit(Memory::output, a.output);
    visit(Memory::scratch, a.scratch);
}

// By tiles.
bool narrow(Conv1dWinogradF32& a, const Part& part, const KernelTable& table) noexcept;

// Weights to the packed weights of that algorithm, in double: of some inputs with one group of
// taps, and of up to kWinogradTogether output channels.
//   output[p][i][c] = sum_t matrices->weight[p][t] * weights[i][t][c] * scale[c]
// Channels that are not there, up to kWinogradTogether, may hold any number.
inline constexpr int kWinogradTogether = 16;
struct WinogradWeightsF32 {
    const WinogradMatrices* matrices;  // of `points`
    const float* weights;              // [inputs][taps][kWinogradTogether]
    const double* scale;               // [kWinogradTogether]
    float* output;
    std::ptrdiff_t point_stride;  // floats from one point to the next
    std::ptrdiff_t input_stride;  // the same for inputs and channels
    std::ptrdiff_t channel_stride;
    int points, taps, inputs;
    int channels;  // 1 to kWinogradTogether
};

// Floats in the packed weights: for each point those of a 1x1 convolution from
// groups * ic to oc channels, as pack_conv2d_f32 orders them.
std::size_t packed_conv1d_winograd_f32_weights(const KernelTable& table, int oc, int ic, int taps,
                                               int points, int tile) noexcept;

// Packs oc x ic x taps weights (one of the extents is 1) and the bias, computing G
// in double. The bias has packed_conv2d_f32_bias() floats.
void pack_conv1d_winograd_f32(const KernelTable& table, const StoredWeights& weights,
                              const float* bias, int oc, int ic, int taps, int points, int tile,
                              float* packed_weights, float* packed_bias) noexcept;

// Floats of scratch memory that a call with these extents needs: whole cache lines.
std::size_t conv1d_winograd_f32_scratch(int oc, int ic, int taps, int points, int tile,
                                        int block) noexcept;

}  // namespace lprnet::kernels
