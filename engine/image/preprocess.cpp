// Validation, and the walk over the rows of the output.
#include "engine/image/preprocess.h"

#include <cmath>
#include <limits>
#include <new>
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

Status check_image(const ImageView& image, const void* output) {
    if (image.data == nullptr) return invalid("image data: expected pixels, found a null pointer");
    if (output == nullptr) return invalid("image output: expected memory, found a null pointer");
    if (Status s = check_side("image width", image.width, kMaxImageSide); !s) return s;
    if (Status s = check_side("image height", image.height, kMaxImageSide); !s) return s;
    const std::ptrdiff_t pixel_bytes = channels(image.format);
    if (pixel_bytes == 0)
        return invalid("image format: expected bgr, rgb, bgra, rgba or gray, found value " +
                       std::to_string(static_cast<int>(image.format)));
    const std::ptrdiff_t row_bytes = image.width * pixel_bytes;
    if (image.stride < row_bytes && image.stride > -row_bytes)
        return invalid("image stride: expected at least " + std::to_string(row_bytes) +
                       " bytes a row either way, found " + std::to_string(image.stride));
    const std::ptrdiff_t limit = std::numeric_limits<std::ptrdiff_t>::max() / image.height;
    if (image.stride > limit || image.stride < -limit)
        return invalid("image stride: expected at most " + std::to_string(limit) +
                       " bytes either way for " + std::to_string(image.height) + " rows, found " +
                       std::to_string(image.stride));
    return {};
}

// A table lookup per value: the arithmetic was done once for each of the 256
// levels. The channel count is a template argument so the inner loop unrolls.
template <int Channels>
void normalise_row(const std::uint8_t* pixels, int width, const float* levels, float* out) {
    for (int x = 0; x < width; ++x)
        for (int c = 0; c < Channels; ++c)
            out[x * Channels + c] = levels[c * kLevels + pixels[x * Channels + c]];
}

}  // namespace

Preprocessor::Preprocessor(const Preprocess& preprocess)
    : preprocess_(preprocess),
      resizer_(preprocess.width, preprocess.height, preprocess.order),
      row_(static_cast<std::size_t>(preprocess.width * channels(preprocess.order))),
      levels_(static_cast<std::size_t>(kLevels * channels(preprocess.order))) {
    for (int c = 0; c < channels(preprocess.order); ++c)
        for (int level = 0; level < kLevels; ++level) {
            // A product of a difference: there is no sum of a product to fuse.
            const float centred = static_cast<float>(level) - preprocess.mean[c];
            levels_[static_cast<std::size_t>(c * kLevels + level)] = centred * preprocess.scale[c];
        }
}

Result<Preprocessor> Preprocessor::create(const Preprocess& preprocess) {
    if (Status s = check_preprocess(preprocess); !s) return s.error();
    try {
        return Preprocessor(preprocess);
    } catch (const std::bad_alloc&) {
        return Error{ErrorCode::out_of_memory, "preprocess: no memory for the workspace"};
    }
}

std::size_t Preprocessor::output_size() const noexcept {
    return row_.size() * static_cast<std::size_t>(preprocess_.height);
}

Status Preprocessor::run(const ImageView& image, float* output_nhwc) {
    if (Status s = check_image(image, output_nhwc); !s) return s;
    resizer_.begin(image);
    const bool colour = channels(preprocess_.order) == 3;
    for (int y = 0; y < preprocess_.height; ++y) {
        resizer_.row(y, row_.data());
        float* out = output_nhwc + static_cast<std::size_t>(y) * row_.size();
        if (colour)
            normalise_row<3>(row_.data(), preprocess_.width, levels_.data(), out);
        else
            normalise_row<1>(row_.data(), preprocess_.width, levels_.data(), out);
    }
    return {};
}

Status Preprocessor::resize(const ImageView& image, std::uint8_t* output_nhwc) {
    if (Status s = check_image(image, output_nhwc); !s) return s;
    resizer_.begin(image);
    for (int y = 0; y < preprocess_.height; ++y)
        resizer_.row(y, output_nhwc + static_cast<std::size_t>(y) * row_.size());
    return {};
}

}  // namespace lprnet
