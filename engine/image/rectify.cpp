// Positions of an output row in double, then samples in integers, the second
// instantiated per pixel layout.
#include "engine/image/rectify.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "engine/image/pixel_layout.h"

namespace lprnet {
namespace {

constexpr int kBits = 11;
constexpr int kOne = 1 << kBits;  // a pixel

// Which part of the plate (shares of its width and height) fills which columns of the output
// (shares of the width).
struct Band {
    double left, right, top, bottom;
    double begin, end;
};

constexpr Band kOneRow[] = {{0.0, 1.0, 0.0, 1.0, 0.0, 1.0}};

// A plate of two rows is 440 x 220 mm (GA 36): two characters of 80 x 60 at x 110 and 250, y 15,
// then five of 65 x 110 at x 27.5 and every 80, y 90. One row is 440 x 140, seven characters of
// 45 x 90 from y 25; the second ends at x 117.5, the third begins at 151.5. The output is cut in
// the middle of that gap, at 134.5.
//   Heights are stretched so that characters get their place and height in one row, by 90 / 60 in
//   the upper row and 90 / 110 in the lower, which takes in a strip below the plate.
//   The lower row is narrowed so that its pitch of 80 becomes 57, each character on its place.
//   The upper row cannot have both: its pitch of 140 becomes 57 at a scale of 0.41, its width of
//   80 becomes 45 at 0.56. It is centered and scaled by 0.5, which of these is read best.
constexpr double kCut = 134.5 / 440.0;
constexpr Band kTwoRows[] = {{85.5 / 440.0, 354.5 / 440.0, -1.7 / 220.0, 91.7 / 220.0, 0.0, kCut},
                             {4.6 / 440.0, 433.3 / 440.0, 59.4 / 220.0, 230.6 / 220.0, kCut, 1.0}};

std::span<const Band> bands_of(int rows) noexcept {
    return rows == 2 ? std::span<const Band>(kTwoRows) : kOneRow;
}

// First column of a band in an output of that width, and the one after its last.
std::pair<int, int> columns_of(const Band& band, int width) noexcept {
    return {static_cast<int>(band.begin * width + 0.5), static_cast<int>(band.end * width + 0.5)};
}

Error invalid(std::string message) {
    return {ErrorCode::invalid_argument, std::move(message)};
}

std::string shown(double value) {
    std::string text = std::to_string(value);  // six decimals
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

std::string shown(const Quad& quad) {
    std::string text;
    for (const Point& p : {quad.top_left, quad.top_right, quad.bottom_right, quad.bottom_left})
        text += (text.empty() ? "" : ",") + shown(wide(p.x)) + "," + shown(wide(p.y));
    return text;
}

// Twice the area of the triangle, positive if the three are clockwise in a picture.
double clockwise(const Point& a, const Point& b, const Point& c) {
    return (wide(b.x) - wide(a.x)) * (wide(c.y) - wide(b.y)) -
           (wide(b.y) - wide(a.y)) * (wide(c.x) - wide(b.x));
}

// In 1/2048 pixel, rounded half up; what is no number becomes 0.
std::int32_t fixed_position(double position, double last) noexcept {
    const double inside = position > 0.0 ? (position < last ? position : last) : 0.0;
    return static_cast<std::int32_t>(inside * kOne + 0.5);
}

template <class Pixel>
void sample(const Picture& picture, const std::int32_t* xs, const std::int32_t* ys, int count,
            std::uint8_t* out) {
    const int last_x = picture.width - 1;
    const int last_y = picture.height - 1;
    for (int i = 0; i < count; ++i, out += Pixel::kChannels) {
        const int x = xs[i] >> kBits, p = xs[i] & (kOne - 1);
        const int y = ys[i] >> kBits, q = ys[i] & (kOne - 1);
        const int next_x = std::min(x + 1, last_x);
        const PictureRow upper = picture.row(y);
        const PictureRow lower = picture.row(std::min(y + 1, last_y));
        const auto a = Pixel::load(upper, x), b = Pixel::load(upper, next_x);
        const auto c = Pixel::load(lower, x), d = Pixel::load(lower, next_x);
        for (std::size_t k = 0; k < Pixel::kChannels; ++k) {
            // a (1 - p) + b p with one product. The sum is at most 255 in 2^22: 30 bits.
            const int above = a[k] * kOne + (b[k] - a[k]) * p;
            const int below = c[k] * kOne + (d[k] - c[k]) * p;
            const int sum = above * kOne + (below - above) * q;
            out[k] = static_cast<std::uint8_t>((sum + (1 << (2 * kBits - 1))) >> (2 * kBits));
        }
    }
}

}  // namespace

Status check_quad(const Quad& quad) {
    if (quad.rows != 1 && quad.rows != 2)
        return invalid("quad rows: expected 1 or 2, found " + std::to_string(quad.rows));
    const std::array points{quad.top_left, quad.top_right, quad.bottom_right, quad.bottom_left};
    constexpr double kLimit = 2.0 * kMaxImageSide;
    for (const Point& p : points)
        for (const double value : {wide(p.x), wide(p.y)})
            if (!(value >= -kLimit && value <= kLimit))
                return invalid("quad: expected coordinates from -" + shown(kLimit) + " to " +
                               shown(kLimit) + ", found " + shown(value));
    for (std::size_t i = 0; i < 4; ++i)
        if (clockwise(points[i], points[(i + 1) % 4], points[(i + 2) % 4]) < 1.0)
            return invalid("quad " + shown(quad) +
                           ": expected the corners of a convex plate, clockwise from the top left");
    return {};
}

Status check_quad(const Picture& picture, const Quad& quad) {
    if (Status s = check_quad(quad); !s) return s;
    const auto apart = [](std::array<float, 4> corners, int size) {
        const auto [least, most] = std::minmax_element(corners.begin(), corners.end());
        return *most <= 0.0f || *least >= static_cast<float>(size);
    };
    const Point &a = quad.top_left, &b = quad.top_right, &c = quad.bottom_right,
                &d = quad.bottom_left;
    if (apart({a.x, b.x, c.x, d.x}, picture.width) || apart({a.y, b.y, c.y, d.y}, picture.height))
        return invalid("quad " + shown(quad) + " lies outside the image of " +
                       std::to_string(picture.width) + "x" + std::to_string(picture.height) +
                       " pixels");
    return {};
}

Rectifier::Rectifier(int width, int height, ChannelOrder order)
    : width_(width),
      height_(height),
      order_(order),
      us_(static_cast<std::size_t>(width)),
      xs_(static_cast<std::size_t>(width)),
      ys_(static_cast<std::size_t>(width)) {}

void Rectifier::begin(const Picture& picture, const Quad& quad) noexcept {
    picture_ = picture;
    homography_ = unit_square_to(quad);
    sample_ =
        with_layout(picture.format, order_, []<class Pixel>() -> Sample { return sample<Pixel>; });
    if (quad.rows == rows_) return;
    rows_ = quad.rows;
    for (const Band& band : bands_of(rows_)) {
        const auto [begin, end] = columns_of(band, width_);
        for (int x = begin; x < end; ++x)
            us_[static_cast<std::size_t>(x)] =
                band.left + (band.right - band.left) * ((x - begin + 0.5) / (end - begin));
    }
}

void Rectifier::row(int y, std::uint8_t* out) noexcept {
    const Homography& m = homography_;
    const double last_x = picture_.width - 1;
    const double last_y = picture_.height - 1;
    for (const Band& band : bands_of(rows_)) {
        const auto [begin, end] = columns_of(band, width_);
        const double v = band.top + (band.bottom - band.top) * ((y + 0.5) / height_);
        const double x0 = m.b * v + m.c, y0 = m.e * v + m.f, w0 = m.h * v + 1.0;
        for (int x = begin; x < end; ++x) {
            const auto at = static_cast<std::size_t>(x);
            const double u = us_[at];
            const double inverse = 1.0 / (m.g * u + w0);
            xs_[at] = fixed_position((m.a * u + x0) * inverse - 0.5, last_x);
            ys_[at] = fixed_position((m.d * u + y0) * inverse - 0.5, last_y);
        }
    }
    sample_(picture_, xs_.data(), ys_.data(), width_, out);
    if (channels(picture_.format) == 1 && channels(order_) == 3) repeat_channel(out, width_);
}

}  // namespace lprnet
