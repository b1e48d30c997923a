#include "engine/cli/resample.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace lprnet::cli {
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

std::vector<std::uint8_t> resample(const ImageView& rgb, int width, int height, Resize resize) {
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

}  // namespace lprnet::cli
