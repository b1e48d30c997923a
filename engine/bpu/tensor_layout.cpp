#include "engine/bpu/tensor_layout.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace lprnet::bpu {
namespace {

// Limits far above any LPRNet that keep every product below small.
constexpr std::int32_t kMaxExtent = 65536;
constexpr std::int64_t kMaxElements = 1 << 24;
constexpr std::int32_t kMaxBytes = 1 << 28;

Error malformed(const std::string& what, const std::string& problem) {
    return {ErrorCode::malformed, what + ": " + problem};
}

std::string join(const std::int32_t* extents, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += (i > 0 ? "x" : "") + std::to_string(extents[i]);
    return text.empty() ? "nothing" : text;
}

// Extents of 1 before or behind those of the valid shape do not count. -1: they do not fit.
int first_aligned(const abi::TensorShape& valid, const abi::TensorShape& aligned) {
    for (int first = 0; first + valid.count <= aligned.count; ++first) {
        bool fits = true;
        for (int i = 0; i < aligned.count; ++i) {
            const bool inside = i >= first && i < first + valid.count;
            fits = fits && (inside ? aligned.extents[i] >= valid.extents[i - first]
                                   : aligned.extents[i] == 1);
        }
        if (fits) return first;
    }
    return -1;
}

template <class T>
T load(const std::byte* from) noexcept {
    T value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <class T>
void store(std::byte* to, T value) noexcept {
    std::memcpy(to, &value, sizeof value);
}

}  // namespace

std::size_t element_bytes(std::int32_t type) noexcept {
    switch (type) {
        case abi::kTypeS8:
        case abi::kTypeU8: return 1;
        case abi::kTypeS16:
        case abi::kTypeU16: return 2;
        case abi::kTypeS32:
        case abi::kTypeF32: return 4;
        default: return 0;
    }
}

std::string type_name(std::int32_t type) {
    switch (type) {
        case abi::kTypeY: return "Y";
        case abi::kTypeNv12: return "NV12";
        case abi::kTypeNv12Separate: return "NV12 in two buffers";
        case abi::kTypeYuv444: return "YUV444";
        case abi::kTypeRgb: return "RGB";
        case abi::kTypeBgr: return "BGR";
        case abi::kTypeS8: return "int8";
        case abi::kTypeU8: return "uint8";
        case abi::kTypeF16: return "float16";
        case abi::kTypeS16: return "int16";
        case abi::kTypeU16: return "uint16";
        case abi::kTypeS32: return "int32";
        case abi::kTypeF32: return "float32";
        default: return "type " + std::to_string(type);
    }
}

std::string shape_text(const abi::TensorShape& shape) {
    return join(shape.extents, std::clamp(shape.count, 0, abi::kMaxDimensions));
}

std::string shape_text(const Shape& shape) {
    const std::int32_t extents[] = {shape.c, shape.h, shape.w};
    return join(extents, 3);
}

Status check_shape(const abi::TensorShape& shape, const std::string& what) {
    if (shape.count < 1 || shape.count > abi::kMaxDimensions)
        return malformed(what, "expected 1 to 8 dimensions, found " + std::to_string(shape.count));
    std::int64_t elements = 1;
    for (int i = 0; i < shape.count; ++i) {
        const std::int32_t extent = shape.extents[i];
        if (extent >= 1 && extent <= kMaxExtent) elements *= extent;
        if (extent < 1 || extent > kMaxExtent || elements > kMaxElements)
            return malformed(what, "shape " + shape_text(shape) + " is out of range");
    }
    return {};
}

Result<TensorLayout> TensorLayout::create(const abi::TensorProperties& properties, Shape shape,
                                          const std::string& what) {
    TensorLayout layout;
    layout.shape_ = shape;
    layout.type_ = properties.type;
    if (element_bytes(properties.type) == 0)
        return Error{ErrorCode::unsupported,
                     what + ": expected float32 or integers, found " + type_name(properties.type)};
    if (Status s = check_shape(properties.valid_shape, what); !s) return s.error();
    if (Status s = layout.set_strides(properties, what); !s) return s.error();
    if (Status s = layout.place(properties, what); !s) return s.error();
    if (Status s = layout.set_factors(properties, what); !s) return s.error();
    return layout;
}

// Strides that are not told are those of the aligned shape, whose rank may be another.
Status TensorLayout::take_aligned_strides(const abi::TensorProperties& properties,
                                          const std::string& what) {
    const abi::TensorShape& valid = properties.valid_shape;
    const abi::TensorShape& aligned = properties.aligned_shape;
    if (Status s = check_shape(aligned, what + ", aligned"); !s) return s;
    const int first = first_aligned(valid, aligned);
    if (first < 0)
        return malformed(what, "aligned shape " + shape_text(aligned) + " does not hold shape " +
                                   shape_text(valid));
    auto stride = static_cast<std::int64_t>(element_bytes(type_));
    for (int i = aligned.count; i-- > 0;) {
        if (i >= first && i < first + valid.count)
            dimensions_[static_cast<std::size_t>(i - first)].stride = stride;
        stride *= aligned.extents[i];
    }
    return {};
}

Status TensorLayout::set_strides(const abi::TensorProperties& properties, const std::string& what) {
    const abi::TensorShape& valid = properties.valid_shape;
    const auto element = static_cast<std::int64_t>(element_bytes(type_));
    if (properties.aligned_bytes < 1 || properties.aligned_bytes > kMaxBytes)
        return malformed(what, "takes " + std::to_string(properties.aligned_bytes) + " bytes");
    bytes_ = static_cast<std::size_t>(properties.aligned_bytes);

    bool any = false;
    for (int i = 0; i < valid.count; ++i) {
        any = any || properties.strides[i] != 0;
        dimensions_.push_back({valid.extents[i], properties.strides[i]});
    }
    if (!any) {
        if (Status s = take_aligned_strides(properties, what); !s) return s;
    }
    std::int64_t extent = element;
    for (const Dimension& d : dimensions_) {
        if (d.extent == 1) continue;  // its stride is of no meaning
        if (d.stride < element)
            return malformed(what, "expected strides of at least " + std::to_string(element) +
                                       " bytes, found " + std::to_string(d.stride));
        extent += std::int64_t{d.extent - 1} * d.stride;
    }
    if (extent > properties.aligned_bytes)
        return malformed(what, "reaches to byte " + std::to_string(extent) + " of " +
                                   std::to_string(properties.aligned_bytes));
    return {};
}

// True if the dimensions that are not 1 are those of shape_ in that order of channels (0), rows (1)
// and columns (2).
bool TensorLayout::try_order(const int (&order)[3]) noexcept {
    const int extents[] = {shape_.c, shape_.h, shape_.w};
    int found[3] = {-1, -1, -1};
    std::size_t d = 0;
    for (const int axis : order) {
        if (extents[axis] == 1) continue;
        while (d < dimensions_.size() && dimensions_[d].extent == 1) ++d;
        if (d == dimensions_.size() || dimensions_[d].extent != extents[axis]) return false;
        found[axis] = static_cast<int>(d++);
    }
    while (d < dimensions_.size() && dimensions_[d].extent == 1) ++d;
    if (d != dimensions_.size()) return false;
    for (int axis = 0; axis < 3; ++axis) {
        dimension_[axis] = found[axis];
        stride_[axis] =
            found[axis] < 0 ? 0 : dimensions_[static_cast<std::size_t>(found[axis])].stride;
    }
    return true;
}

Status TensorLayout::place(const abi::TensorProperties& properties, const std::string& what) {
    constexpr int kNchw[] = {0, 1, 2};
    constexpr int kNhwc[] = {1, 2, 0};
    // Where both orders fit the extents, the layout decides.
    const bool nhwc = properties.layout == abi::kLayoutNhwc;
    if (try_order(nhwc ? kNhwc : kNchw) || try_order(nhwc ? kNchw : kNhwc)) return {};

    const auto counts = [](const Dimension& d) { return d.extent != 1; };
    const auto only = std::find_if(dimensions_.begin(), dimensions_.end(), counts);
    const bool flat = std::count_if(dimensions_.begin(), dimensions_.end(), counts) == 1;
    if (flat && shape_.h == 1 && only->extent == shape_.c * shape_.w) {
        stride_[0] = only->stride * shape_.w;
        stride_[1] = 0;
        stride_[2] = only->stride;
        return {};
    }
    return Error{ErrorCode::mismatch, what + ": expected " + shape_text(shape_) +
                                          " (channels, rows, columns), found " +
                                          shape_text(properties.valid_shape)};
}

Status TensorLayout::set_factors(const abi::TensorProperties& properties, const std::string& what) {
    quant_type_ = properties.quant_type;
    if (type_ == abi::kTypeF32) {
        if (quant_type_ == abi::kQuantNone) return {};
        return Error{ErrorCode::unsupported,
                     what + ": float32 with a quantization (" + std::to_string(quant_type_) + ")"};
    }
    if (quant_type_ == abi::kQuantShift) {
        if (Status s = set_quant_axis(properties, properties.shift.count, what); !s) return s;
        return set_shifts(properties.shift, what);
    }
    if (quant_type_ == abi::kQuantScale) {
        if (Status s = set_quant_axis(properties, properties.scale.count, what); !s) return s;
        return set_scales(properties.scale, what);
    }
    return Error{ErrorCode::unsupported,
                 what + ": " + type_name(type_) + " without a scale or a shift"};
}

// With room for so many factors.
Status TensorLayout::set_quant_axis(const abi::TensorProperties& properties, std::int32_t count,
                                    const std::string& what) {
    if (count != 1) {
        for (int i = 0; i < 3; ++i)
            if (dimension_[i] >= 0 && dimension_[i] == properties.quant_axis) quant_axis_ = i;
        const int extents[] = {shape_.c, shape_.h, shape_.w};
        if (quant_axis_ < 0 || extents[quant_axis_] != count)
            return malformed(what, std::to_string(count) + " factors for dimension " +
                                       std::to_string(properties.quant_axis) + " of " +
                                       shape_text(properties.valid_shape));
    }
    factor_.resize(static_cast<std::size_t>(count));
    zero_point_.assign(static_cast<std::size_t>(count), 0.0f);
    return {};
}

Status TensorLayout::set_shifts(const abi::QuantShift& shift, const std::string& what) {
    if (shift.shifts == nullptr) return malformed(what, "no shifts");
    constexpr int kMostShift = 31;
    for (std::size_t i = 0; i < factor_.size(); ++i) {
        const int bits = shift.shifts[i];
        if (bits > kMostShift) return malformed(what, "shift " + std::to_string(bits));
        factor_[i] = std::ldexp(1.0f, -bits);
    }
    return {};
}

Status TensorLayout::set_scales(const abi::QuantScale& scale, const std::string& what) {
    if (scale.scales == nullptr) return malformed(what, "no scales");
    for (std::size_t i = 0; i < factor_.size(); ++i) {
        factor_[i] = scale.scales[i];
        if (!std::isfinite(factor_[i]) || !(factor_[i] > 0.0f))
            return malformed(what, "scale " + std::to_string(factor_[i]));
    }
    if (scale.zero_point_count == 0) return {};
    if ((scale.zero_point_count != 1 && scale.zero_point_count != scale.count) ||
        scale.zero_points == nullptr)
        return malformed(what, std::to_string(scale.zero_point_count) + " zero points for " +
                                   std::to_string(scale.count) + " scales");
    for (std::size_t i = 0; i < zero_point_.size(); ++i)
        zero_point_[i] = scale.zero_points[scale.zero_point_count == 1 ? 0 : i];
    return {};
}

std::string TensorLayout::describe() const {
    std::string text = type_name(type_);
    if (quant_type_ != abi::kQuantNone)
        text += quant_type_ == abi::kQuantShift ? ", shift" : ", scale";
    if (quant_axis_ >= 0) text += " per channel";
    return text;
}

// visit(element, index in [h][w][c], index of its factor)
template <class Byte, class Visit>
void TensorLayout::for_each(Byte* memory, Visit visit) const noexcept {
    const std::size_t c_step = quant_axis_ == 0 ? 1 : 0;
    std::size_t i = 0;
    for (int h = 0; h < shape_.h; ++h) {
        for (int w = 0; w < shape_.w; ++w) {
            Byte* element = memory + h * stride_[1] + w * stride_[2];
            std::size_t factor = static_cast<std::size_t>(quant_axis_ == 1   ? h
                                                          : quant_axis_ == 2 ? w
                                                                             : 0);
            for (int c = 0; c < shape_.c; ++c, element += stride_[0], factor += c_step)
                visit(element, i++, factor);
        }
    }
}

void TensorLayout::read(const std::byte* memory, float* out) const noexcept {
    const auto as = [&]<class T>(T) {
        for_each(memory, [&](const std::byte* element, std::size_t i, std::size_t f) {
            out[i] = (static_cast<float>(load<T>(element)) - zero_point_[f]) * factor_[f];
        });
    };
    switch (type_) {
        case abi::kTypeS8: as(std::int8_t{}); break;
        case abi::kTypeU8: as(std::uint8_t{}); break;
        case abi::kTypeS16: as(std::int16_t{}); break;
        case abi::kTypeU16: as(std::uint16_t{}); break;
        case abi::kTypeS32: as(std::int32_t{}); break;
        default:
            for_each(memory, [&](const std::byte* element, std::size_t i, std::size_t) {
                out[i] = load<float>(element);
            });
    }
}

void TensorLayout::write(const float* in, std::byte* memory) const noexcept {
    const auto as = [&]<class T>(T) {
        constexpr auto kLowest = static_cast<double>(std::numeric_limits<T>::lowest());
        constexpr auto kHighest = static_cast<double>(std::numeric_limits<T>::max());
        const bool shifted = quant_type_ == abi::kQuantShift;
        for_each(memory, [&](std::byte* element, std::size_t i, std::size_t f) {
            const float steps = in[i] / factor_[f] + zero_point_[f];
            const auto rounded =
                static_cast<double>(shifted ? std::round(steps) : std::nearbyint(steps));
            // In this order, which makes something of NaN too.
            store(element, static_cast<T>(std::fmin(std::fmax(rounded, kLowest), kHighest)));
        });
    };
    switch (type_) {
        case abi::kTypeS8: as(std::int8_t{}); break;
        case abi::kTypeU8: as(std::uint8_t{}); break;
        case abi::kTypeS16: as(std::int16_t{}); break;
        case abi::kTypeU16: as(std::uint16_t{}); break;
        case abi::kTypeS32: as(std::int32_t{}); break;
        default:
            for_each(memory, [&](std::byte* element, std::size_t i, std::size_t) {
                store(element, in[i]);
            });
    }
}

}  // namespace lprnet::bpu
