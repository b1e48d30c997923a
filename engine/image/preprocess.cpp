// Validation, and the walk over the rows of the output.
#include "engine/image/preprocess.h"

#include <cmath>
#include <string>
#include <utility>

namespace lprnet {
namespace {

constexpr int kLevels = 256;

Error invalid(std::string message) {
    return {ErrorCode::invalid_argument, std::move(message)};
}

Status check_side(const char* what, int found, int limit) {
    if (found >= 1 && found <= limit) return {};
    return invalid(std::string(what) + ": expected 1.." + std::to_string(limit) + ", found " +
                   std::to_string(found));
}

Status check_preprocess(const Preprocess& preprocess) {
    if (Status s = check_side("preprocess width", preprocess.width, kMaxInputSide); !s) return s;
    if (Status s = check_side("preprocess height", preprocess.height, kMaxInputSide); !s) return s;
    const int count = channels(preprocess.order);
    if (count == 0)
        return invalid("preprocess channel order: expected bgr, rgb or gray, found value " +
                       std::to_string(static_cast<int>(preprocess.order)));
    for (int c = 0; c < count; ++c) {
        if (!std::isfinite(preprocess.mean[c]))
            return invalid("preprocess mean[" + std::to_string(c) +
                           "]: expected a finite number, found " +
                           std::to_string(preprocess.mean[c]));
        if (!std::isfinite(preprocess.scale[c]) || preprocess.scale[c] == 0.0f)
            return invalid("preprocess scale[" + std::to_string(c) +
                           "]: expected a finite number other than 0, found " +
                           std::to_string(preprocess.scale[c]));
    }
    return {};
}

// A table lookup per value: the arithmetic was done once for each of the 256
// levels. The channel count is a template argument so the inner loop unrolls.
template <int Channels>
void normalize_row(const std::uint8_t* pixels, int width, const float* levels, float* out) {
    for (int x = 0; x < width; ++x)
        for (int c = 0; c < Channels; ++c)
            out[x * Channels + c] = levels[c * kLevels + pixels[x * Channels + c]];
}

}  // namespace

Preprocessor::Preprocessor(const Preprocess& preprocess)
    : preprocess_(preprocess),
      resizer_(preprocess.width, preprocess.height, preprocess.order),
      rectifier_(preprocess.width, preprocess.height, preprocess.order),
      row_(static_cast<std::size_t>(preprocess.width * channels(preprocess.order))),
      levels_(static_cast<std::size_t>(kLevels * channels(preprocess.order))) {
    for (int c = 0; c < channels(preprocess.order); ++c)
        for (int level = 0; level < kLevels; ++level) {
            // A product of a difference: there is no sum of a product to fuse.
            const float centered = static_cast<float>(level) - preprocess.mean[c];
            levels_[static_cast<std::size_t>(c * kLevels + level)] = centered * preprocess.scale[c];
        }
}

Result<Preprocessor> Preprocessor::create(const Preprocess& preprocess) {
    if (Status s = check_preprocess(preprocess); !s) return s.error();
    return Preprocessor(preprocess);
}

std::size_t Preprocessor::output_size() const noexcept {
    return row_.size() * static_cast<std::size_t>(preprocess_.height);
}

template <class Rows>
void Preprocessor::write(Rows& rows, float* output) noexcept {
    const bool color = channels(preprocess_.order) == 3;
    for (int y = 0; y < preprocess_.height; ++y) {
        rows.row(y, row_.data());
        float* out = output + static_cast<std::size_t>(y) * row_.size();
        if (color)
            normalize_row<3>(row_.data(), preprocess_.width, levels_.data(), out);
        else
            normalize_row<1>(row_.data(), preprocess_.width, levels_.data(), out);
    }
}

template <class Rows>
void Preprocessor::write(Rows& rows, std::uint8_t* output) noexcept {
    for (int y = 0; y < preprocess_.height; ++y)
        rows.row(y, output + static_cast<std::size_t>(y) * row_.size());
}

template <class Value>
Status Preprocessor::resize_to(const ImageView& image, const Region* region, Value* output) {
    const Result<Picture> picture = check_picture(image);
    if (!picture) return picture.error();
    if (output == nullptr) return invalid("image output: expected memory, found a null pointer");
    const Region part = region != nullptr ? *region : Region{0, 0, picture->width, picture->height};
    if (Status s = check_region(*picture, part); !s) return s;
    resizer_.begin(*picture, part);
    write(resizer_, output);
    return {};
}

template <class Value>
Status Preprocessor::rectify_to(const ImageView& image, const Quad& quad, Value* output) {
    const Result<Picture> picture = check_picture(image);
    if (!picture) return picture.error();
    if (output == nullptr) return invalid("image output: expected memory, found a null pointer");
    if (Status s = check_quad(*picture, quad); !s) return s;
    rectifier_.begin(*picture, quad);
    write(rectifier_, output);
    return {};
}

Status Preprocessor::run(const ImageView& image, float* output_nhwc) {
    return resize_to(image, nullptr, output_nhwc);
}

Status Preprocessor::run(const ImageView& image, const Region& region, float* output_nhwc) {
    return resize_to(image, &region, output_nhwc);
}

Status Preprocessor::run(const ImageView& image, const Quad& quad, float* output_nhwc) {
    return rectify_to(image, quad, output_nhwc);
}

Status Preprocessor::resize(const ImageView& image, std::uint8_t* output_nhwc) {
    return resize_to(image, nullptr, output_nhwc);
}

Status Preprocessor::resize(const ImageView& image, const Region& region,
                            std::uint8_t* output_nhwc) {
    return resize_to(image, &region, output_nhwc);
}

Status Preprocessor::rectify(const ImageView& image, const Quad& quad, std::uint8_t* output_nhwc) {
    return rectify_to(image, quad, output_nhwc);
}

}  // namespace lprnet
