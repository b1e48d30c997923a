#include "kernels/conv2d_sparse_f32/conv2d_sparse_f32.h"

#include <algorithm>

#include "kernels/conv2d_f32/conv2d_f32.h"
#include "kernels/kernel_table.h"
#include "kernels/narrow.h"

namespace lprnet::kernels {

namespace {

constexpr int kAlignedFloats = static_cast<int>(kWeightAlignment / sizeof(float));

std::size_t round_up(std::size_t value, std::size_t multiple) noexcept {
    return (value + multiple - 1) / multiple * multiple;
}

// The weights of one group for one part of the inputs, zeros included.
struct Piece {
    int inputs;
    float weights[kSparsePart][kSparseGroup];
    int pattern[kSparsePart];
    int inputs_of[kSparsePatterns + 1];  // by pattern
};

// Calls visit(piece) for every part and, within it, every group.
template <class Visit>
void for_each_piece(const StoredWeights& stored, int oc, int ic, int taps, Visit visit) noexcept {
    const int inputs = ic * taps;
    Piece piece;
    for (int first = 0; first < inputs; first += kSparsePart) {
        piece.inputs = std::min(kSparsePart, inputs - first);
        // [kh][kw][ic] to OIHW
        std::ptrdiff_t stored_at[kSparsePart];
        for (int k = 0; k < piece.inputs; ++k) {
            const int tap = (first + k) / ic, i = (first + k) % ic;
            stored_at[k] = static_cast<std::ptrdiff_t>(stored.input(i)) * taps + tap;
        }
        for (int group = 0; group < oc; group += kSparseGroup) {
            std::fill_n(piece.pattern, piece.inputs, 0);
            std::fill_n(piece.inputs_of, kSparsePatterns + 1, 0);
            for (int c = 0; c < std::min(kSparseGroup, oc - group); ++c) {
                const float* channel =
                    stored.oihw + static_cast<std::ptrdiff_t>(stored.output(group + c)) * inputs;
                const double scale = stored.scale_of(group + c);
                for (int k = 0; k < piece.inputs; ++k) {
                    const double weight = static_cast<double>(channel[stored_at[k]]);
                    piece.weights[k][c] = static_cast<float>(weight * scale);
                    if (piece.weights[k][c] != 0.0f) piece.pattern[k] |= 1 << c;
                }
            }
            for (int k = 0; k < piece.inputs; ++k) ++piece.inputs_of[piece.pattern[k]];
            visit(piece);
        }
    }
}

constexpr int weights_of(int pattern) noexcept {
    return pattern == 0 ? 0 : pattern % 2 + weights_of(pattern / 2);
}

}  // namespace

bool narrow(Conv2dSparseF32& a, const Part& part, const KernelTable& table) noexcept {
    const int unit = a.input_panels || a.output_panels ? table.sparse_pixels : table.lanes;
    const Range pixels = range_of_units(part, a.pixels, unit);
    a.first_pixel += pixels.begin;
    a.pixels = pixels.size();
    return a.pixels > 0;
}

SparseSize packed_conv2d_sparse_f32(const StoredWeights& weights, int oc, int ic, int kh,
                                    int kw) noexcept {
    SparseSize size;
    for_each_piece(weights, oc, ic, kh * kw, [&](const Piece& piece) {
        size.lists += kSparsePatterns;
        for (int pattern = 1; pattern <= kSparsePatterns; ++pattern) {
            const auto inputs = static_cast<std::size_t>(piece.inputs_of[pattern]);
            size.lists += inputs;
            size.weights += inputs * static_cast<std::size_t>(weights_of(pattern));
        }
    });
    return size;
}

void pack_conv2d_sparse_f32(const KernelTable& table, const StoredWeights& weights,
                            const float* bias, int oc, int ic, int kh, int kw,
                            float* packed_weights, std::uint16_t* packed_lists,
                            float* packed_bias) noexcept {
    for_each_piece(weights, oc, ic, kh * kw, [&](const Piece& piece) {
        std::uint16_t* input_at[kSparsePatterns + 1];
        float* weight_at[kSparsePatterns + 1];
        std::uint16_t* input = packed_lists + kSparsePatterns;
        for (int pattern = 1; pattern <= kSparsePatterns; ++pattern) {
            const int inputs = piece.inputs_of[pattern];
            packed_lists[pattern - 1] = static_cast<std::uint16_t>(inputs);
            input_at[pattern] = input;
            weight_at[pattern] = packed_weights;
            input += inputs;
            packed_weights += inputs * weights_of(pattern);
        }
        packed_lists = input;
        for (int k = 0; k < piece.inputs; ++k) {
            const int pattern = piece.pattern[k];
            if (pattern == 0) continue;
            *input_at[pattern]++ = static_cast<std::uint16_t>(k * table.sparse_pixels);
            for (int c = 0; c < kSparseGroup; ++c) {
                if (sparse_pattern_has(pattern, c)) *weight_at[pattern]++ = piece.weights[k][c];
            }
        }
    });
    std::copy(bias, bias + oc, packed_bias);
    std::fill(packed_bias + oc, packed_bias + packed_conv2d_f32_bias(table, oc), 0.0f);
}

std::size_t conv2d_sparse_f32_scratch(const KernelTable& table, int oc, int ic, int kh,
                                      int kw) noexcept {
    // A part of the inputs, and the sums: of all channels if there is more than one part, else
    // of those that are stored together.
    const int inputs = ic * kh * kw;
    const auto stored = static_cast<std::size_t>(sparse_stored_channels(table.lanes, oc));
    const std::size_t sums =
        inputs > kSparsePart ? round_up(static_cast<std::size_t>(oc), stored) : stored;
    return round_up((static_cast<std::size_t>(std::min(inputs, kSparsePart)) + sums) *
                        static_cast<std::size_t>(table.sparse_pixels),
                    kAlignedFloats);
}

std::size_t sparse_panels(const KernelTable& table, int channels, int pixels) noexcept {
    return static_cast<std::size_t>(channels) *
           round_up(static_cast<std::size_t>(pixels),
                    static_cast<std::size_t>(table.sparse_pixels));
}

}  // namespace lprnet::kernels
