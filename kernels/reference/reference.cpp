// The scalar oracle: every kernel as plain loops over the formula in shapes.h, summing in
// double or, for quantized tensors, in integers. Slow on purpose; all other tables are tested
// against it.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/kernel_table.h"
#include "kernels/winograd.h"

namespace lprnet::kernels {
namespace {

// Weights packed for one lane and one vector per block are [oc][kh][kw][ic].
void conv2d_f32(const Conv2dF32& a) noexcept {
    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            const float* weight = a.weights;
            for (int o = 0; o < a.oc; ++o) {
                double sum = static_cast<double>(a.bias[o]);
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        const float* pixel = a.input + (y + r) * a.input_row +
                                             static_cast<std::ptrdiff_t>(x + s) * a.ic;
                        for (int i = 0; i < a.ic; ++i) {
                            sum += static_cast<double>(*weight++) * static_cast<double>(pixel[i]);
                        }
                    }
                }
                if (a.relu && sum < 0.0) sum = 0.0;
                a.output[y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc + o] =
                    static_cast<float>(sum);
            }
        }
    }
}

// What is left of the lists of a sparse convolution's weights.
struct SparseLists {
    const std::uint16_t* inputs;
    const float* weights;
};

// Passes one list, calling visit(input in the part, channel of the group, weight) for all it has.
template <class Visit>
void pass_list(SparseLists& lists, Visit visit) noexcept {
    const std::uint16_t* counts = lists.inputs;
    lists.inputs += kSparsePatterns;
    for (int pattern = 1; pattern <= kSparsePatterns; ++pattern) {
        for (int n = counts[pattern - 1]; n > 0; --n, ++lists.inputs) {
            for (int c = 0; c < kSparseGroup; ++c) {
                if (sparse_pattern_has(pattern, c)) visit(*lists.inputs, c, *lists.weights++);
            }
        }
    }
}

// A block is one pixel, so that panels are NHWC and an input's place in a panel is its number.
void conv2d_sparse_f32(const Conv2dSparseF32& a) noexcept {
    const int inputs = a.kh * a.kw * a.ic;
    for (int pixel = a.first_pixel; pixel < a.first_pixel + a.pixels; ++pixel) {
        const std::ptrdiff_t y = pixel / a.ow, x = pixel % a.ow;
        const float* input = a.input_panels ? a.input + std::ptrdiff_t{pixel} * a.ic
                                            : a.input + y * a.input_row + x * a.ic;
        float* output = a.output_panels ? a.output + std::ptrdiff_t{pixel} * a.oc
                                        : a.output + y * a.output_row + x * a.oc;
        // The lists of a part come behind those of all groups for the part before: a group's
        // sums wait in the output for the next part.
        SparseLists lists = {a.lists, a.weights};
        std::copy_n(a.bias, a.oc, output);
        for (int first = 0; first < inputs; first += kSparsePart) {
            for (int group = 0; group < a.oc; group += kSparseGroup) {
                double sums[kSparseGroup] = {};
                pass_list(lists, [&](int k, int channel, float weight) {
                    const int tap = (first + k) / a.ic;
                    const std::ptrdiff_t r = tap / a.kw, s = tap % a.kw;
                    std::ptrdiff_t at = r * a.input_row + s * a.ic;
                    if (a.input_panels) {
                        const std::ptrdiff_t dy = r - (a.kh - 1) / 2, dx = s - (a.kw - 1) / 2;
                        if (y + dy < 0 || y + dy >= a.oh || x + dx < 0 || x + dx >= a.ow) return;
                        at = (dy * a.ow + dx) * a.ic;
                    }
                    const float value = input[at + (first + k) % a.ic];
                    sums[channel] += static_cast<double>(weight) * static_cast<double>(value);
                });
                for (int c = 0; c < kSparseGroup && group + c < a.oc; ++c) {
                    const double sum = sums[c] + static_cast<double>(output[group + c]);
                    output[group + c] = static_cast<float>(sum);
                }
            }
        }
        for (int o = 0; o < a.oc; ++o) {
            if (a.relu && output[o] < 0.0f) output[o] = 0.0f;
        }
    }
}

void winograd_weights_f32(const WinogradWeightsF32& a) noexcept {
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
void conv1d_winograd_f32(const Conv1dWinogradF32& a) noexcept {
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

void max_pool2d_f32(const MaxPool2dF32& a) noexcept {
    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            for (int c = 0; c < a.oc; ++c) {
                const float* window = a.input + y * a.stride_h * a.input_row +
                                      static_cast<std::ptrdiff_t>(x) * a.stride_w * a.ic +
                                      c * a.channel_stride;
                float top = *window;
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        const float value =
                            window[r * a.input_row + static_cast<std::ptrdiff_t>(s) * a.ic];
                        if (value > top) top = value;
                    }
                }
                a.output[y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc + c] = top;
            }
        }
    }
}

double pooled(const ContextTapF32& a, int y, int x, int c) noexcept {
    double sum = 0.0;
    for (int r = 0; r < a.kh; ++r) {
        for (int s = 0; s < a.kw; ++s) {
            sum += static_cast<double>(
                a.input[(y * a.stride_h + r) * a.input_row +
                        static_cast<std::ptrdiff_t>(x * a.stride_w + s) * a.channels + c]);
        }
    }
    return sum / (a.kh * a.kw);
}

// One lane: every channel is a group of its own.
void context_tap_f32(const ContextTapF32& a) noexcept {
    for (int c = 0; c < a.channels_used; ++c) {
        double squares = 0.0;
        for (int x = 0; x < a.ow; ++x) {
            double sum = 0.0;
            for (int y = 0; y < a.oh; ++y) {
                const double value = pooled(a, y, x, c);
                sum += value;
                squares += value * value;
            }
            a.output[x * a.output_column + c] = static_cast<float>(sum / a.oh);
        }
        a.squares[c] = static_cast<float>(squares);
    }
}

void context_scale_f32(const ContextScaleF32& a) noexcept {
    int first = 0;
    for (int b = 0; b < a.branches; ++b) {
        double total = 0.0;
        for (int c = 0; c < a.channels[b]; ++c) total += static_cast<double>(a.squares[first + c]);
        for (int x = 0; x < a.ow; ++x) {
            for (int c = 0; c < a.channels[b]; ++c) {
                float& value = a.data[x * a.column + first + c];
                value = total > 0.0
                            ? static_cast<float>(static_cast<double>(value) * a.values[b] / total)
                            : 0.0f;
            }
        }
        first += a.channels[b];
    }
}

// Elements of quantized tensors are int32, weights packed for one lane [oc][kh][kw][ic].
using Level = std::int32_t;

void conv2d_s8(const Conv2dS8& a) noexcept {
    const Level* input = static_cast<const Level*>(a.input);
    Level* output = static_cast<Level*>(a.output);
    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            const std::int32_t* weight = a.weights;
            for (int o = 0; o < a.oc; ++o) {
                std::int32_t sum = a.bias[o];
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        const Level* pixel = input + (y + r) * a.input_row +
                                             static_cast<std::ptrdiff_t>(x + s) * a.ic;
                        for (int i = 0; i < a.ic; ++i) sum += *weight++ * pixel[i];
                    }
                }
                const float q = std::nearbyint(static_cast<float>(sum) * a.scale[o]);
                output[y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc + o] =
                    static_cast<Level>(std::clamp(q, 0.0f, 255.0f));
            }
        }
    }
}

void conv2d_levels_f32(const Conv2dLevelsF32& a) noexcept {
    const Level* input = static_cast<const Level*>(a.input);
    Level* output = static_cast<Level*>(a.output);
    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            const float* weight = a.weights;
            for (int o = 0; o < a.oc; ++o) {
                float sum = a.bias[o];
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        const Level* pixel = input + (y + r) * a.input_row +
                                             static_cast<std::ptrdiff_t>(x + s) * a.ic;
                        for (int i = 0; i < a.ic; ++i) {
                            const float product = *weight++ * static_cast<float>(pixel[i]);
                            sum += product;
                        }
                    }
                }
                const float level = std::nearbyint(std::clamp(sum, 0.0f, 255.0f));
                output[y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc + o] =
                    static_cast<Level>(level);
            }
        }
    }
}

void conv2d_f32_exact(const Conv2dF32& a) noexcept {
    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            const float* weight = a.weights;
            for (int o = 0; o < a.oc; ++o) {
                float sum = a.bias[o];
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        const float* pixel = a.input + (y + r) * a.input_row +
                                             static_cast<std::ptrdiff_t>(x + s) * a.ic;
                        for (int i = 0; i < a.ic; ++i) {
                            const float product = *weight++ * pixel[i];
                            sum += product;
                        }
                    }
                }
                a.output[y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc + o] =
                    a.relu && sum < 0.0f ? 0.0f : sum;
            }
        }
    }
}

void quantize_f32(const QuantizeF32& a) noexcept {
    for (int i = 0; i < a.count; ++i) {
        const float scaled = a.input[i] * a.factor[i % a.period];
        const float value = scaled + a.offset[i % a.period];
        const float limited = value > 0.0f ? std::min(value, 255.0f) : 0.0f;
        static_cast<Level*>(a.output)[i] = static_cast<Level>(std::nearbyint(limited));
    }
}

void max_pool2d_levels(const MaxPool2dLevels& a) noexcept {
    const Level* input = static_cast<const Level*>(a.input);
    Level* output = static_cast<Level*>(a.output);
    for (int y = 0; y < a.oh; ++y) {
        for (int x = 0; x < a.ow; ++x) {
            for (int c = 0; c < a.oc; ++c) {
                Level top = 0;
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        top = std::max(
                            top, input[(y * a.stride_h + r) * a.input_row +
                                       static_cast<std::ptrdiff_t>(x * a.stride_w + s) * a.ic +
                                       c * a.channel_stride]);
                    }
                }
                output[y * a.output_row + static_cast<std::ptrdiff_t>(x) * a.oc + c] = top;
            }
        }
    }
}

void context_tap_levels(const ContextTapLevels& a) noexcept {
    const Level* input = static_cast<const Level*>(a.input);
    *a.squares = 0;
    for (int c = 0; c < a.channels_used; ++c) {
        for (int x = 0; x < a.ow; ++x) {
            std::int32_t sum = 0;
            for (int y = 0; y < a.oh; ++y) {
                std::int32_t window = 0;
                for (int r = 0; r < a.kh; ++r) {
                    for (int s = 0; s < a.kw; ++s) {
                        window +=
                            input[(y * a.stride_h + r) * a.input_row +
                                  static_cast<std::ptrdiff_t>(x * a.stride_w + s) * a.channels + c];
                    }
                }
                sum += window;
                const std::int64_t factor = a.square_factors == nullptr ? 1 : a.square_factors[c];
                *a.squares += std::int64_t{window} * window * factor;
            }
            a.sums[x * a.sums_column + c] = sum;
        }
    }
}

void context_scale_levels(const ContextScaleLevels& a) noexcept {
    const std::int64_t* squares = a.squares;
    int first = 0;
    for (int b = 0; b < a.branches; ++b) {
        std::int64_t total = 0;
        for (int i = 0; i < a.parts[b]; ++i) total += *squares++;
        const float factor =
            total == 0 ? 0.0f : static_cast<float>(a.factors[b] / static_cast<double>(total));
        for (int x = 0; x < a.ow; ++x) {
            for (int c = first; c < first + a.channels[b]; ++c) {
                char* at = static_cast<char*>(a.data) + (x * a.column + c) * 4;
                std::int32_t sum;
                std::memcpy(&sum, at, 4);
                float value = static_cast<float>(sum) * factor;
                if (a.channel_factors[b] != nullptr) value *= a.channel_factors[b][c - first];
                std::memcpy(at, &value, 4);
            }
        }
        first += a.channels[b];
    }
}

std::int64_t peak_f32(std::int64_t rounds, float* sink) noexcept {
    float acc = 0.0f;
    for (std::int64_t r = 0; r < rounds; ++r) acc = acc * 0.5f + 0.5f;
    *sink = acc;
    return rounds;
}

std::int64_t peak_s8(std::int64_t rounds, float* sink) noexcept {
    std::int32_t acc = 0;
    for (std::int64_t r = 0; r < rounds; ++r) acc = acc / 2 * 3 + 1;
    *sink = static_cast<float>(acc);
    return rounds;
}

}  // namespace

extern const KernelTable table_reference;
const KernelTable table_reference = {
    .name = "reference",
    .lanes = 1,
    .block_vectors = 1,
    .sparse_pixels = 1,
    .levels = {.bytes = sizeof(Level), .offset = 0, .block_vectors = 1},
    .conv2d_f32 = conv2d_f32,
    .conv2d_f32_exact = conv2d_f32_exact,
    .conv2d_sparse_f32 = conv2d_sparse_f32,
    .conv2d_s8 = conv2d_s8,
    .conv2d_levels_f32 = conv2d_levels_f32,
    .conv1d_winograd_f32 = conv1d_winograd_f32,
    .winograd_weights_f32 = winograd_weights_f32,
    .max_pool2d_f32 = max_pool2d_f32,
    .context_tap_f32 = context_tap_f32,
    .context_scale_f32 = context_scale_f32,
    .quantize_f32 = quantize_f32,
    .max_pool2d_levels = max_pool2d_levels,
    .context_tap_levels = context_tap_levels,
    .context_scale_levels = context_scale_levels,
    .peak_f32 = peak_f32,
    .peak_s8 = peak_s8,
};

}  // namespace lprnet::kernels
