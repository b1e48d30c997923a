#include "kernels/affine_sample_f32/affine_sample_f32.h"

#include <algorithm>
#include <cmath>

#include "kernels/reference/reference.h"

namespace lprnet::kernels {

namespace {

float limited(double value) {
    return static_cast<float>(std::isnan(value) ? value : std::clamp(value, -1e30, 1e30));
}

// A pixel, and its share of what is sampled. Outside: the nearest, with a share of 0.
struct Tap {
    int index;
    float share;
};

// The pixels below and above a position.
void find_taps(float at, int extent, Tap (&taps)[2]) {
    const bool inside = at > -1.0f && at < static_cast<float>(extent);
    const float below = inside ? std::floor(at) : -1.0f;
    const float share = inside ? at - below : 0.0f;
    taps[0] = {static_cast<int>(below), 1.0f - share};
    taps[1] = {static_cast<int>(below) + 1, share};
    for (Tap& tap : taps) {
        if (tap.index < 0 || tap.index >= extent) tap.share = 0.0f;
        tap.index = std::clamp(tap.index, 0, extent - 1);
    }
}

}  // namespace

void ReferenceKernels::affine_sample_f32(const AffineSampleF32& a) noexcept {
    const double sx = a.align_corners ? a.width - 1 : a.width;
    const double sy = a.align_corners ? a.height - 1 : a.height;
    const double cx = (a.width - 1) / 2.0, cy = (a.height - 1) / 2.0;
    const auto theta = [&](int i) { return static_cast<double>(a.theta[i]); };
    const double x_by_v = sy > 0.0 ? theta(1) * (sx / sy) : 0.0;
    const float y_by_u = limited(sx > 0.0 ? theta(3) * (sy / sx) : 0.0);
    for (int row = 0; row < a.rows; ++row) {
        const double v = a.first_row + row - cy;
        const float x_begin = limited(x_by_v * v + theta(2) * sx / 2.0 + cx);
        const float y_begin = limited(theta(4) * v + theta(5) * sy / 2.0 + cy);
        for (int column = 0; column < a.width; ++column) {
            const auto u = static_cast<float>(column - cx);
            const float x_product = a.theta[0] * u, y_product = y_by_u * u;
            Tap xs[2], ys[2];
            find_taps(x_product + x_begin, a.width, xs);
            find_taps(y_product + y_begin, a.height, ys);
            for (int c = 0; c < a.channels; ++c) {
                float rows[2];
                for (int r = 0; r < 2; ++r) {
                    const auto product = [&](const Tap& x) {
                        const float weight = ys[r].share * x.share;
                        return weight *
                               a.input[ys[r].index * a.input_row +
                                       static_cast<std::ptrdiff_t>(x.index) * a.channels + c];
                    };
                    rows[r] = product(xs[0]) + product(xs[1]);
                }
                a.output[row * a.output_row + static_cast<std::ptrdiff_t>(column) * a.channels +
                         c] = rows[0] + rows[1];
            }
        }
    }
}

}  // namespace lprnet::kernels
