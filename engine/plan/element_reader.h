// The elements of a tensor of any type and layout, one by one: the only place that loads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/plan/tensor.h"

namespace lprnet {

class ElementReader {
public:
    // Both have to outlive it.
    ElementReader(const Tensor& tensor, const void* arena) noexcept
        : tensor_(tensor), arena_(static_cast<const char*>(arena)) {}

    // As it is stored, a float or a level, or a sum as the nearest float. NHWC tensors may also be
    // read in their border, which is 0.
    float stored(int y, int x, int channel) const noexcept {
        const char* at = arena_ + tensor_.byte_at(y, x, channel);
        if (tensor_.element.type == ElementType::f32) {
            float value;
            std::memcpy(&value, at, sizeof value);
            return value;
        }
        std::int32_t integer = 0;  // little-endian: the low bytes come first
        std::memcpy(&integer, at, tensor_.element.bytes);
        return static_cast<float>(integer);
    }

private:
    const Tensor& tensor_;
    const char* arena_;
};

}  // namespace lprnet
