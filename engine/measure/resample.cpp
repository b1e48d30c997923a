#include "engine/measure/resample.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "engine/image/pixel_layout.h"

namespace lprnet::measure {
namespace {

constexpr int kChannels = 3;

// The input samples of one output sample and their weights, which add up to 1.
using Taps = std::vector<std::pair<int, double>>;

Taps taps_of(Resize resize, int output, int input_size, int output_size) {
    const double scale = static_cast<double>(input_size) / output_size;
    const auto clamped = [&](int i) { return std::clamp(i, 0, input_size - 1); };
    if (resize == Resize::nearest) return {{clamped(static_cast<int>(output * scale)), 1.0}};
    Taps taps;
    if (resize == Resize::area && scale > 1.0) {
        const double begin = output * scale;
        const double end = begin + scale;
        for (int i = static_cast<int>(begin); i < end; ++i) {
            const double covered = std::min(end, i + 1.0) - std::max(begin, static_cast<double>(i));
            if (covered > 0.0) taps.emplace_back(clamped(i), covered / scale);
        }
        return taps;
    }
    const double center = (output + 0.5) * scale - 0.5;
    const int lower = static_cast<int>(std::floor(center));
    const double t = center - lower;
    if (resize != Resize::cubic) return {{clamped(lower), 1.0 - t}, {clamped(lower + 1), t}};
    // Keys (1981), with the a that OpenCV takes.
    constexpr double a = -0.75;
    for (int i = -1; i <= 2; ++i) {
        const double x = std::fabs(i - t);
        const double weight = x <= 1.0 ? ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
                                       : ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a;
        taps.emplace_back(clamped(lower + i), weight);
    }
    return taps;
}

std::vector<Taps> axis(Resize resize, int input_size, int output_size) {
    std::vector<Taps> taps;
    for (int i = 0; i < output_size; ++i)
        taps.push_back(taps_of(resize, i, input_size, output_size));
    return taps;
}

// Pixels of RGB.
struct RgbPicture {
    const std::uint8_t* data;
    std::ptrdiff_t stride;
    int width, height;
    std::vector<std::uint8_t> converted;  // where `data` lies if the picture had another format
};

template <class Layout>
void convert(const Picture& picture, std::uint8_t* rgb) {
    for (int y = 0; y < picture.height; ++y) {
        const PictureRow row = picture.row(y);
        for (int x = 0; x < picture.width; ++x) {
            const auto pixel = Layout::load(row, x);
            for (std::size_t c = 0; c < kChannels; ++c)
                *rgb++ = static_cast<std::uint8_t>(pixel[c % pixel.size()]);
        }
    }
}

RgbPicture rgb_of(const Picture& picture) {
    RgbPicture rgb = {picture.first.data, picture.stride, picture.width, picture.height, {}};
    if (picture.format == PixelFormat::rgb) return rgb;
    rgb.stride = std::ptrdiff_t{kChannels} * picture.width;
    rgb.converted.resize(static_cast<std::size_t>(rgb.stride) *
                         static_cast<std::size_t>(picture.height));
    rgb.data = rgb.converted.data();
    with_layout(picture.format, ChannelOrder::rgb,
                [&]<class Layout>() { convert<Layout>(picture, rgb.converted.data()); });
    return rgb;
}

}  // namespace

const char* name_of(Resize resize) {
    switch (resize) {
        case Resize::bilinear: return "bilinear";
        case Resize::area: return "area";
        case Resize::nearest: return "nearest";
        case Resize::cubic: return "cubic";
        case Resize::letterbox: return "letterbox";
    }
    return "";
}

Result<std::vector<std::uint8_t>> resample(const ImageView& image, int width, int height,
                                           Resize resize) {
    const Result<Picture> picture = check_picture(image);
    if (!picture) return picture.error();
    const RgbPicture rgb = rgb_of(*picture);
    int inner_width = width, inner_height = height;
    if (resize == Resize::letterbox) {
        const double scale = std::min(static_cast<double>(width) / rgb.width,
                                      static_cast<double>(height) / rgb.height);
        inner_width = std::clamp(static_cast<int>(rgb.width * scale + 0.5), 1, width);
        inner_height = std::clamp(static_cast<int>(rgb.height * scale + 0.5), 1, height);
    }
    const std::vector<Taps> columns = axis(resize, rgb.width, inner_width);
    const std::vector<Taps> rows = axis(resize, rgb.height, inner_height);
    constexpr std::uint8_t kBorder = 127;  // about 0 once normalized
    std::vector<std::uint8_t> out(static_cast<std::size_t>(width * height * kChannels), kBorder);
    const int left = (width - inner_width) / 2, top = (height - inner_height) / 2;
    for (int y = 0; y < inner_height; ++y) {
        for (int x = 0; x < inner_width; ++x) {
            double sum[kChannels] = {};
            for (const auto& [from_y, down] : rows[static_cast<std::size_t>(y)]) {
                const std::uint8_t* row = rgb.data + from_y * rgb.stride;
                for (const auto& [from_x, across] : columns[static_cast<std::size_t>(x)])
                    for (int c = 0; c < kChannels; ++c)
                        sum[c] += down * across * row[from_x * kChannels + c];
            }
            std::uint8_t* pixel =
                &out[static_cast<std::size_t>(((top + y) * width + left + x) * kChannels)];
            for (int c = 0; c < kChannels; ++c)
                pixel[c] = static_cast<std::uint8_t>(std::clamp(sum[c] + 0.5, 0.0, 255.0));
        }
    }
    return out;
}

}  // namespace lprnet::measure
