#include "engine/bpu/input_tensor.h"

#include <algorithm>

namespace lprnet::bpu {
namespace {

// ITU-R BT.601 in 16-bit fixed point, rounded to the nearest. The factors of luma sum to its range,
// those of chroma to 0, so that white is white and gray has no color.
constexpr int kBits = 16;
constexpr int kHalf = 1 << (kBits - 1);

struct Yuv {
    int y[3], u[3], v[3];  // factors of red, green, blue
    int black;             // luma of black
};

constexpr int fixed(double x) {
    return static_cast<int>(x * (1 << kBits) + (x < 0 ? -0.5 : 0.5));
}

// `luma` and `chroma` are the shares of 0..255 that they use.
constexpr Yuv yuv(double luma, double chroma, int black) {
    const int yr = fixed(0.299 * luma), yb = fixed(0.114 * luma), y = fixed(luma);
    const int most = fixed(0.5 * chroma);
    const int ur = fixed(-0.168736 * chroma), vb = fixed(-0.081312 * chroma);
    return {{yr, y - yr - yb, yb}, {ur, -ur - most, most}, {most, -most - vb, vb}, black};
}

constexpr Yuv kFull = yuv(1.0, 1.0, 0);
constexpr Yuv kVideo = yuv(219.0 / 255.0, 224.0 / 255.0, 16);

std::byte to_byte(int value) {
    return static_cast<std::byte>(std::clamp(value, 0, 255));
}

// Where rows and columns stand among the four dimensions of a picture.
struct PictureAxes {
    int rows, columns;
};

Result<PictureAxes> picture_axes(const abi::TensorProperties& properties, Shape shape,
                                 const std::string& what) {
    const std::int32_t* extents = properties.valid_shape.extents;
    if (properties.valid_shape.count == 4 && extents[0] == 1) {
        if (extents[1] == 3 && extents[2] == shape.h && extents[3] == shape.w)
            return PictureAxes{2, 3};
        if (extents[1] == shape.h && extents[2] == shape.w && extents[3] == 3)
            return PictureAxes{1, 2};
    }
    return Error{ErrorCode::mismatch, what + ": expected a picture of " + std::to_string(shape.w) +
                                          "x" + std::to_string(shape.h) + " pixels, found shape " +
                                          shape_text(properties.valid_shape)};
}

}  // namespace

Result<InputTensor> InputTensor::create(const abi::TensorProperties& properties,
                                        const Preprocess& preprocess, Nv12Range range,
                                        const std::string& what) {
    InputTensor input;
    input.range_ = range;
    input.type_ = properties.type;
    input.shape_ = {channels(preprocess.order), preprocess.height, preprocess.width};
    input.blue_first_ = preprocess.order == ChannelOrder::bgr;
    switch (properties.type) {
        case abi::kTypeNv12:
        case abi::kTypeNv12Separate:
            if (Status s = input.set_nv12(properties, what); !s) return s.error();
            return input;
        case abi::kTypeRgb:
        case abi::kTypeBgr:
        case abi::kTypeY:
            if (Status s = input.set_packed(properties, what); !s) return s.error();
            return input;
        default: break;
    }
    Result<TensorLayout> layout = TensorLayout::create(properties, input.shape_, what);
    if (!layout) return layout.error();
    input.blocks_ = {layout->bytes()};
    input.layout_ = std::move(*layout);
    return input;
}

Status InputTensor::set_nv12(const abi::TensorProperties& properties, const std::string& what) {
    kind_ = Kind::nv12;
    if (shape_.c != 3) return Error{ErrorCode::unsupported, what + ": NV12 for a gray model"};
    if (shape_.w % 2 != 0 || shape_.h % 2 != 0)
        return Error{ErrorCode::unsupported, what + ": NV12 of an odd size"};
    Result<PictureAxes> axes = picture_axes(properties, shape_, what);
    if (!axes) return axes.error();
    const abi::TensorShape& aligned = properties.aligned_shape;
    if (Status s = check_shape(aligned, what + ", aligned"); !s) return s;
    if (aligned.count != 4 || aligned.extents[axes->rows] < shape_.h ||
        aligned.extents[axes->columns] < shape_.w || aligned.extents[axes->rows] % 2 != 0)
        return Error{ErrorCode::malformed, what + ": aligned shape " + shape_text(aligned) +
                                               " does not hold the picture"};
    row_bytes_ = static_cast<std::size_t>(aligned.extents[axes->columns]);
    luma_bytes_ = row_bytes_ * static_cast<std::size_t>(aligned.extents[axes->rows]);
    if (type_ == abi::kTypeNv12Separate) {
        blocks_ = {luma_bytes_, luma_bytes_ / 2};
        return {};
    }
    const std::size_t bytes = luma_bytes_ + luma_bytes_ / 2;
    if (properties.aligned_bytes < 0 || static_cast<std::size_t>(properties.aligned_bytes) < bytes)
        return Error{ErrorCode::malformed,
                     what + ": takes " + std::to_string(properties.aligned_bytes) +
                         " bytes, expected at least " + std::to_string(bytes)};
    blocks_ = {static_cast<std::size_t>(properties.aligned_bytes)};
    return {};
}

Status InputTensor::set_packed(const abi::TensorProperties& properties, const std::string& what) {
    kind_ = Kind::packed;
    // Bytes whose values are the pixels.
    float one = 1.0f;
    abi::TensorProperties bytes = properties;
    bytes.type = abi::kTypeU8;
    bytes.quant_type = abi::kQuantScale;
    bytes.scale = {1, &one, 0, nullptr};
    Result<TensorLayout> layout = TensorLayout::create(bytes, shape_, what);
    if (!layout) return layout.error();
    blocks_ = {layout->bytes()};
    layout_ = std::move(*layout);
    pixels_.resize(static_cast<std::size_t>(shape_.c) * static_cast<std::size_t>(shape_.h) *
                   static_cast<std::size_t>(shape_.w));
    return {};
}

std::string InputTensor::describe() const {
    return kind_ == Kind::values ? layout_->describe() : type_name(type_);
}

void InputTensor::write_values(const float* values, std::byte* const* blocks) const noexcept {
    layout_->write(values, blocks[0]);
}

void InputTensor::write_pixels(const std::uint8_t* pixels, std::byte* const* blocks) noexcept {
    if (kind_ == Kind::nv12) {
        const bool separate = type_ == abi::kTypeNv12Separate;
        write_nv12(pixels, blocks[0], separate ? blocks[1] : blocks[0] + luma_bytes_);
        return;
    }
    const bool swap = shape_.c == 3 && blue_first_ != (type_ == abi::kTypeBgr);
    for (std::size_t i = 0; i < pixels_.size(); ++i)
        pixels_[i] = pixels[swap ? i - i % 3 + (2 - i % 3) : i];
    layout_->write(pixels_.data(), blocks[0]);
}

void InputTensor::write_nv12(const std::uint8_t* pixels, std::byte* luma,
                             std::byte* chroma) const noexcept {
    const Yuv& to = range_ == Nv12Range::full ? kFull : kVideo;
    const auto row = static_cast<std::size_t>(shape_.w) * 3;
    const std::size_t red = blue_first_ ? 2 : 0;
    const auto weigh = [](const int(&factors)[3], const int(&rgb)[3], int offset, int bits) {
        return to_byte((factors[0] * rgb[0] + factors[1] * rgb[1] + factors[2] * rgb[2] + offset) >>
                       bits);
    };
    const int black = (to.black << kBits) + kHalf;
    // Of the sums over four pixels; 128 is the middle of the range.
    constexpr int kGray = (128 << (kBits + 2)) + (kHalf << 2);
    for (std::size_t y = 0; y < static_cast<std::size_t>(shape_.h); y += 2) {
        for (std::size_t x = 0; x < static_cast<std::size_t>(shape_.w); x += 2) {
            int sum[3] = {};
            for (std::size_t dy = 0; dy < 2; ++dy) {
                for (std::size_t dx = 0; dx < 2; ++dx) {
                    const std::uint8_t* p = pixels + (y + dy) * row + (x + dx) * 3;
                    const int rgb[] = {p[red], p[1], p[2 - red]};
                    luma[(y + dy) * row_bytes_ + x + dx] = weigh(to.y, rgb, black, kBits);
                    for (std::size_t c = 0; c < 3; ++c) sum[c] += rgb[c];
                }
            }
            std::byte* pair = chroma + y / 2 * row_bytes_ + x;
            pair[0] = weigh(to.u, sum, kGray, kBits + 2);
            pair[1] = weigh(to.v, sum, kGray, kBits + 2);
        }
    }
}

}  // namespace lprnet::bpu
