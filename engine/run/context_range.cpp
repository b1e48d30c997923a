#include "engine/run/context_range.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "engine/model/number_range.h"

namespace lprnet {

bool context_in_range(const Step::Context& context, const float* arena) noexcept {
    const Tensor& tensor = context.output;
    const char* begin = reinterpret_cast<const char*>(arena);
    int first = 0;
    for (const int channels : context.channels) {
        // Patterns without their sign are in the order of the numbers, those of infinities and NaN
        // behind all others.
        std::int32_t largest = 0;
        for (int x = 0; x < tensor.shape.w; ++x) {
            const char* value = begin + tensor.byte_at(0, x, first);
            for (int c = 0; c < channels; ++c, value += sizeof(float)) {
                std::int32_t bits;
                std::memcpy(&bits, value, sizeof bits);
                bits &= 0x7fffffff;
                largest = bits > largest ? bits : largest;
            }
        }
        if (largest != 0 && (largest < std::bit_cast<std::int32_t>(kLeastContext) ||
                             largest > std::bit_cast<std::int32_t>(kLargestContext))) {
            return false;
        }
        first += channels;
    }
    return true;
}

}  // namespace lprnet
