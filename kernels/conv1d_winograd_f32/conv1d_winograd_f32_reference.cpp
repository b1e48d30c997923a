#include "kernels/conv1d_winograd_f32/conv1d_winograd_f32.h"

#include <algorithm>
#include <cstddef>

#include "kernels/reference/reference.h"

namespace lprnet::kernels {

void ReferenceKernels::winograd_weights_f32(const WinogradWeightsF32& a) noexcept {
    for (int p = 0; p < a.points; ++p) {
        for (int i = 0; i < a.inputs; ++i) {
            for (int c = 0; c < a.channels; ++c) {
                double sum = 0.0;
                for (int t = 0; t < a.taps; ++t) {
                    const float weight = a.weights[(i * a.taps + t) * kWinogradTogether + c];
                    sum += a.matrices->weight[p][t] * static_cast<double>(weight) * a.scale[c];
                }
                a.output[p * a.point_stride + i * a.input_stride + c * a.channel_stride] =
                    static_cast<float>(sum);
            }
        }
    }
}

namespace {

// A tile, which lies in one row or column of the picture.
class Tile {
public:
    Tile(const Conv1dWinogradF32& a, int number) noexcept : a_(a) {
        const int along = winograd_tiles(extent(), a.tile);
        line_ = a.vertical ? number % a.ow : number / along;
        start_ = (a.vertical ? number / a.ow : number % along) * a.tile;
    }

    // Outputs in it; the last one of a line may be cut.
    int outputs() const noexcept { return std::min(a_.tile, extent() - start_); }
    // Zero behind the padding, where the last tile of a line reaches.
    double input(int i, int channel) const noexcept {
        if (start_ + i >= extent() + a_.taps - 1) return 0.0;
        return static_cast<double>(a_.input[at(i, a_.input_row, a_.ic) + channel]);
    }
    float& output(int i, int channel) const noexcept {
        return a_.output[at(i, a_.output_row, a_.oc) + channel];
    }

private:
    // Of the axis that the filter runs along.
    int extent() const noexcept { return a_.vertical ? a_.oh : a_.ow; }
    std::ptrdiff_t at(int i, std::ptrdiff_t row, int channels) const noexcept {
        const std::ptrdiff_t y = a_.vertical ? start_ + i : line_;
        const std::ptrdiff_t x = a_.vertical ? line_ : start_ + i;
        return y * row + x * channels;
    }

    const Conv1dWinogradF32& a_;
    int line_ = 0;   // number of the row or column
    int start_ = 0;  // along it
};

}  // namespace

// Weights packed for one lane and one vector per block are [point][oc][groups * ic].
void ReferenceKernels::conv1d_winograd_f32(const Conv1dWinogradF32& a) noexcept {
    const WinogradMatrices m = winograd_matrices(a.points, a.tile);
    const int group_taps = a.points + 1 - a.tile;
    const int groups = winograd_groups(a.taps, a.points, a.tile);
    const std::ptrdiff_t k = std::ptrdiff_t{groups} * a.ic;
    for (int number = a.first_tile; number < a.first_tile + a.tiles; ++number) {
        const Tile tile(a, number);
        for (int o = 0; o < a.oc; ++o) {
            double products[kMaxWinogradPoints] = {};
            for (int p = 0; p < a.points; ++p) {
                const float* weight = a.weights + p * a.point_weights + o * k;
                for (int g = 0; g < groups; ++g) {
                    for (int c = 0; c < a.ic; ++c) {
                        double transformed = 0.0;
                        for (int i = 0; i < a.points; ++i) {
                            transformed += m.input[p][i] * tile.input(g * group_taps + i, c);
                        }
                        products[p] += static_cast<double>(*weight++) * transformed;
                    }
                }
            }
            for (int i = 0; i < tile.outputs(); ++i) {
                double sum = static_cast<double>(a.bias[o]);
                for (int p = 0; p < a.points; ++p) sum += m.output[i][p] * products[p];
                if (a.relu && sum < 0.0) sum = 0.0;
                tile.output(i, o) = static_cast<float>(sum);
            }
        }
    }
}

}  // namespace lprnet::kernels
