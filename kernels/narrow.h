// What the kernels' narrow() functions have in common. For portable code alone, not for that of an
// instruction set.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/part.h"

namespace lprnet::kernels {

struct Range {
    int begin, end;
    int size() const noexcept { return end - begin; }
};

// A part of 0..total.
inline Range range_of(const Part& part, int total) noexcept {
    const auto at = [&](int k) { return static_cast<int>(std::int64_t{total} * k / part.count); };
    return {at(part.index), at(part.index + 1)};
}

// A part of 0..total by whole units, the last of which may be cut off.
inline Range range_of_units(const Part& part, int total, int unit) noexcept {
    const Range units = range_of(part, (total + unit - 1) / unit);
    return {std::min(units.begin * unit, total), std::min(units.end * unit, total)};
}

// Moves a pointer by elements, of so many bytes if it points to void.
template <class T>
void advance(T*& pointer, std::ptrdiff_t elements, [[maybe_unused]] std::size_t bytes) noexcept {
    if constexpr (std::is_void_v<T>) {
        using Byte = std::conditional_t<std::is_const_v<T>, const char, char>;
        pointer = static_cast<Byte*>(pointer) + elements * static_cast<std::ptrdiff_t>(bytes);
    } else {
        pointer += elements;
    }
}

// A part of the output's rows, `stride` input rows apart; false if it is empty.
template <class Call>
bool narrow_rows(Call& a, int stride, const Part& part, std::size_t bytes) noexcept {
    const Range y = range_of(part, a.oh);
    advance(a.input, y.begin * stride * a.input_row, bytes);
    advance(a.output, y.begin * a.output_row, bytes);
    a.oh = y.size();
    return a.oh > 0;
}

// A part of a convolution's output: of its pixels if all rows form one, else of its rows.
template <class Call>
bool narrow_convolution(Call& a, const Part& part, std::size_t bytes) noexcept {
    if (a.oh > 1) return narrow_rows(a, 1, part, bytes);
    const Range x = range_of(part, a.ow);
    advance(a.input, std::ptrdiff_t{x.begin} * a.ic, bytes);
    advance(a.output, std::ptrdiff_t{x.begin} * a.oc, bytes);
    a.ow = x.size();
    return a.ow > 0;
}

}  // namespace lprnet::kernels
