// What the builders of plans share.
#pragma once

#include <string>
#include <vector>

#include "engine/plan/place_tensors.h"

namespace lprnet {

template <class T>
const T* data_or_null(const std::vector<T>& v) noexcept {
    return v.empty() ? nullptr : v.data();
}

// Rounds floats up to whole cache lines.
inline std::size_t align_floats(std::size_t floats) noexcept {
    return align_up(floats * sizeof(float)) / sizeof(float);
}

inline std::string kernel_text(const char* kernel, int h, int w) {
    return std::string(kernel) + " " + std::to_string(h) + "x" + std::to_string(w);
}

}  // namespace lprnet
