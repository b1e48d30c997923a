#include "kernels/context_levels/context_levels.h"

#include <cstring>

#include "kernels/reference/reference.h"

namespace lprnet::kernels {

void ReferenceKernels::context_tap_levels(const ContextTapLevels& a) noexcept {
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

void ReferenceKernels::context_scale_levels(const ContextScaleLevels& a) noexcept {
    const std::int64_t* squares = a.squares;
    int first = 0;
    for (int b = 0; b < a.branches; ++b) {
        std::int64_t total = 0;
        for (int i = 0; i < a.parts[b]; ++i) total += *squares++;
        const float gain =
            total == 0 ? 0.0f : static_cast<float>(a.gains[b] / static_cast<double>(total));
        for (int x = 0; x < a.ow; ++x) {
            for (int c = first; c < first + a.channels[b]; ++c) {
                char* at = static_cast<char*>(a.data) + (x * a.column + c) * 4;
                std::int32_t sum;
                std::memcpy(&sum, at, 4);
                float value = static_cast<float>(sum) * gain;
                if (a.channel_factors[b] != nullptr) value *= a.channel_factors[b][c - first];
                std::memcpy(at, &value, 4);
            }
        }
        first += a.channels[b];
    }
}

}  // namespace lprnet::kernels
