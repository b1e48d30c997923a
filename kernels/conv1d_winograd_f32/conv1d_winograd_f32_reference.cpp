#include "kernels/conv1d_winograd_f32/conv1d_winograd_f32.h"

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

// Weights packed for one lane and one vector per block are [point][oc][groups * ic].
void ReferenceKernels::conv1d_winograd_f32(const Conv1dWinogradF32& a) noexcept {
    const WinogradMatrices m = winograd_matrices(a.points, a.tile);
    const int extent = a.vertical ? a.oh : a.ow;
    const int other = a.vertical ? a.ow : a.oh;
    const int along = winograd_tiles(extent, a.tile);
    const int group_taps = a.points + 1 - a.tile;
    const int groups = winograd_groups(a.taps, a.points, a.tile);
    const std::ptrdiff_t k = std::ptrdiff_t{groups} * a.ic;
    for (int t = a.first_tile; t < a.first_tile + a.tiles; ++t) {
        const int across = a.vertical ? t % other : t / along;
        const int start = (a.vertical ? t / other : t % along) * a.tile;
        // Input and output at position i of the axis, on this tile's line.
        const auto input = [&](int i, int c) {
            if (i >= extent + a.taps - 1) return 0.0;
            const std::ptrdiff_t y = a.vertical ? i : across;
            const std::ptrdiff_t x = a.vertical ? across : i;
            return static_cast<double>(a.input[y * a.input_row + x * a.ic + c]);
        };
        for (int o = 0; o < a.oc; ++o) {
            double products[kMaxWinogradPoints] = {};
            for (int p = 0; p < a.points; ++p) {
                const float* weight = a.weights + p * a.point_weights + o * k;
                for (int g = 0; g < groups; ++g) {
                    for (int c = 0; c < a.ic; ++c) {
                        double transformed = 0.0;
                        for (int i = 0; i < a.points; ++i) {
                            transformed += m.input[p][i] * input(start + g * group_taps + i, c);
                        }
                        products[p] += static_cast<double>(*weight++) * transformed;
                    }
                }
            }
            for (int i = 0; i < a.tile && start + i < extent; ++i) {
                double sum = static_cast<double>(a.bias[o]);
                for (int p = 0; p < a.points; ++p) sum += m.output[i][p] * products[p];
                if (a.relu && sum < 0.0) sum = 0.0;
                const std::ptrdiff_t y = a.vertical ? start + i : across;
                const std::ptrdiff_t x = a.vertical ? across : start + i;
                a.output[y * a.output_row + x * a.oc + o] = static_cast<float>(sum);
            }
        }
    }
}

}  // namespace lprnet::kernels
