// Element types, views and the checks that reading and writing share.
#include "weights/safetensors.h"

#include <array>
#include <cstring>
#include <limits>

#include "engine/text/printable.h"
#include "engine/text/utf8.h"
#include "weights/safetensors_checks.h"

namespace lprnet::weights {
namespace {

struct DTypeRow {
    std::string_view name;
    std::size_t size;
};

// In the order of DType.
constexpr std::array<DTypeRow, 13> kDTypes = {{{"F64", 8},
                                               {"F32", 4},
                                               {"F16", 2},
                                               {"BF16", 2},
                                               {"I64", 8},
                                               {"I32", 4},
                                               {"I16", 2},
                                               {"I8", 1},
                                               {"U64", 8},
                                               {"U32", 4},
                                               {"U16", 2},
                                               {"U8", 1},
                                               {"BOOL", 1}}};
static_assert(kDTypes.size() == static_cast<std::size_t>(DType::boolean) + 1);

const DTypeRow& row(DType dtype) noexcept {
    return kDTypes[static_cast<std::size_t>(dtype)];
}

// An IEEE 754 pattern is NaN or infinite exactly when all its exponent bits are set, and is
// infinite when its fraction is zero too.
template <class Bits>
struct Layout {
    Bits exponent;
    Bits fraction;
};

// Without a branch for each element, for the usual answer: exponents that are all ones carry
// into the sign's place when one is added.
template <class Bits>
bool all_finite(const TensorView& tensor, Layout<Bits> layout) noexcept {
    const auto magnitude = static_cast<Bits>(layout.exponent | layout.fraction);
    const auto one = static_cast<Bits>(layout.fraction + 1);
    const std::size_t count = tensor.element_count();
    Bits carries = 0;
    for (std::size_t i = 0; i < count; ++i) {
        Bits bits;
        std::memcpy(&bits, tensor.bytes.data() + i * sizeof(Bits), sizeof(Bits));
        carries = static_cast<Bits>(carries | static_cast<Bits>((bits & magnitude) + one));
    }
    return (carries & static_cast<Bits>(~magnitude)) == 0;
}

template <class Bits>
Status check_finite_bits(const TensorView& tensor, Layout<Bits> layout) {
    if (all_finite(tensor, layout)) return {};
    const std::size_t count = tensor.element_count();
    for (std::size_t i = 0; i < count; ++i) {
        Bits bits;
        std::memcpy(&bits, tensor.bytes.data() + i * sizeof(Bits), sizeof(Bits));
        if ((bits & layout.exponent) != layout.exponent) continue;
        const bool infinite = (bits & layout.fraction) == 0;
        const bool negative = (bits >> (8 * sizeof(Bits) - 1)) != 0;
        return Error{ErrorCode::malformed, "tensor " + in_quotes(tensor.name) + ": element " +
                                               std::to_string(i) + " of " + std::to_string(count) +
                                               " is " +
                                               (!infinite ? "nan" : (negative ? "-inf" : "inf")) +
                                               ", expected a finite number"};
    }
    return {};
}

}  // namespace

std::size_t element_size(DType dtype) noexcept {
    return row(dtype).size;
}

std::string_view dtype_name(DType dtype) noexcept {
    return row(dtype).name;
}

bool TensorView::has_f32() const noexcept {
    return dtype == DType::f32 &&
           reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(float) == 0;
}

std::span<const float> TensorView::f32() const noexcept {
    if (!has_f32()) return {};
    return {reinterpret_cast<const float*>(bytes.data()), element_count()};
}

Status TensorView::copy_f32(std::vector<float>& out) const noexcept {
    try {
        if (dtype != DType::f32 && dtype != DType::f16) {
            return Error{ErrorCode::mismatch, "tensor " + in_quotes(name) +
                                                  ": expected dtype F32 or F16, found " +
                                                  std::string(dtype_name(dtype))};
        }
        if (bytes.size() % element_size(dtype) != 0) {
            return Error{ErrorCode::mismatch, "tensor " + in_quotes(name) + ": expected whole " +
                                                  std::string(dtype_name(dtype)) +
                                                  " elements, found " +
                                                  std::to_string(bytes.size()) + " bytes"};
        }
        out.resize(element_count());
        if (dtype == DType::f16) {
            to_floats(bytes.data(), out);
        } else if (!out.empty()) {
            std::memcpy(out.data(), bytes.data(), bytes.size());
        }
        return {};
    } catch (...) {
        return Error{ErrorCode::out_of_memory, "out of memory"};
    }
}

Status check_finite(const TensorView& tensor) noexcept {
    try {
        switch (tensor.dtype) {
            case DType::f64:
                return check_finite_bits<std::uint64_t>(
                    tensor, {0x7FF0'0000'0000'0000U, 0x000F'FFFF'FFFF'FFFFU});
            case DType::f32:
                return check_finite_bits<std::uint32_t>(tensor, {0x7F80'0000U, 0x007F'FFFFU});
            case DType::f16: return check_finite_bits<std::uint16_t>(tensor, {0x7C00U, 0x03FFU});
            case DType::bf16: return check_finite_bits<std::uint16_t>(tensor, {0x7F80U, 0x007FU});
            default: return {};
        }
    } catch (...) {
        return Error{ErrorCode::out_of_memory, "out of memory"};
    }
}

std::optional<std::uint64_t> byte_size(std::span<const std::int64_t> shape, DType dtype) noexcept {
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    std::uint64_t size = element_size(dtype);
    bool empty = false;
    for (const std::int64_t dimension : shape) {
        if (dimension < 0) return std::nullopt;
        if (dimension == 0) {
            empty = true;
            continue;
        }
        const auto factor = static_cast<std::uint64_t>(dimension);
        if (factor > kLargest / size) return std::nullopt;
        size *= factor;
    }
    return empty ? 0 : size;
}

std::optional<std::string> name_fault(std::string_view name) {
    if (name.empty()) return "is empty";
    if (name.size() > kMaxNameBytes) {
        return "is " + std::to_string(name.size()) + " bytes long, at most " +
               std::to_string(kMaxNameBytes) + " expected";
    }
    if (find_invalid_utf8(name) != std::string_view::npos) return "is not valid UTF-8";
    if (has_unprintable(name)) return "holds a control character";
    return std::nullopt;
}

std::string shape_text(std::span<const std::int64_t> shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (i != 0) text += ", ";
        text += std::to_string(shape[i]);
    }
    return text + "]";
}

}  // namespace lprnet::weights
