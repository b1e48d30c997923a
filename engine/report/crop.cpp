// The one translation unit that holds stb_image_write, and what it is needed for.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/image/preprocess.h"
#include "engine/report/page.h"

// Sizes of pictures here are small and checked: nothing is asserted, and no file is written.
#define STBIW_ASSERT(x) static_cast<void>(x)
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <stb_image_write.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

namespace lprnet::report {
namespace {

constexpr int kHeight = 48;  // of a crop, in pixels
constexpr int kLeastWidth = 24, kMostWidth = 288;
constexpr int kQuality = 85;

std::string base64(const std::vector<std::uint8_t>& bytes) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve(bytes.size() / 3 * 4 + 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < left ? bytes[i + k] : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            text += k <= left ? kDigits[group >> (18 - 6 * k) & 63U] : '=';
    }
    return text;
}

void append(void* context, void* data, int size) {
    auto& bytes = *static_cast<std::vector<std::uint8_t>*>(context);
    const auto* begin = static_cast<const std::uint8_t*>(data);
    bytes.insert(bytes.end(), begin, begin + size);
}

double distance(const Point& a, const Point& b) {
    return std::hypot(static_cast<double>(a.x) - static_cast<double>(b.x),
                      static_cast<double>(a.y) - static_cast<double>(b.y));
}

}  // namespace

std::string crop_address(const ImageView& image, const Quad& quad) {
    const double width = std::max(distance(quad.top_left, quad.top_right),
                                  distance(quad.bottom_left, quad.bottom_right));
    const double height = std::max(distance(quad.top_left, quad.bottom_left),
                                   distance(quad.top_right, quad.bottom_right));
    if (!(width > 0.0 && height > 0.0)) return {};
    Preprocess size;
    size.height = kHeight;
    size.width = static_cast<int>(
        std::clamp(std::round(kHeight * width / height), double{kLeastWidth}, double{kMostWidth}));
    size.order = ChannelOrder::rgb;
    Result<Preprocessor> preprocessor = Preprocessor::create(size);
    if (!preprocessor) return {};
    std::vector<std::uint8_t> pixels(preprocessor->output_size());
    Quad whole = quad;
    whole.rows = 1;
    if (!preprocessor->rectify(image, whole, pixels.data())) return {};
    std::vector<std::uint8_t> file;
    if (stbi_write_jpg_to_func(append, &file, size.width, size.height, 3, pixels.data(),
                               kQuality) == 0) {
        return {};
    }
    return "data:image/jpeg;base64," + base64(file);
}

}  // namespace lprnet::report
