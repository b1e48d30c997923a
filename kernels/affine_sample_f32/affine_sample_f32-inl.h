// Positions and weights of a vector of pixels at a time; the pixels themselves, whose neighbors lie
// anywhere, one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <xsimd/xsimd.hpp>

#include "kernels/affine_sample_f32/affine_sample_f32.h"

namespace lprnet::kernels {
namespace {

// Positions along a row of the output: slope * u + begin.
struct SampleLine {
    float slope, begin;
};

// Not a number stays what it is.
inline float sample_limited(double value) noexcept {
    constexpr double kMost = 1e30;
    return static_cast<float>(value > kMost ? kMost : value < -kMost ? -kMost : value);
}

// The two pixels next to each position along an axis, and the share that each has. Outside of the
// picture the share is 0 and the pixel one inside.
template <class Real>
struct SampleNeighbors {
    Real first, second, first_share, second_share;

    SampleNeighbors(Real at, int extent) noexcept {
        const Real zero(0.0f), one(1.0f), last(static_cast<float>(extent - 1));
        at = xsimd::select((at > -one) & (at < last + one), at, -one);
        const Real whole = xsimd::to_float(xsimd::to_int(at));
        const Real below = xsimd::select(whole > at, whole - one, whole);
        const Real above = below + one;
        const Real share = at - below;
        first = xsimd::max(below, zero);
        second = xsimd::min(above, last);
        first_share = xsimd::select(below < zero, zero, one - share);
        second_share = xsimd::select(above > last, zero, share);
    }
};

// Channels is 0 for any number of them.
template <class Isa, int Channels>
void affine_sample_row(const AffineSampleF32& a, const SampleLine& x_line, const SampleLine& y_line,
                       float* out) noexcept {
    using Real = xsimd::batch<float, typename Isa::arch>;
    constexpr int kLanes = static_cast<int>(Real::size);
    const int channels = Channels > 0 ? Channels : a.channels;
    const float center = static_cast<float>(a.width - 1) * 0.5f;
    float steps[kLanes];
    for (int i = 0; i < kLanes; ++i) steps[i] = static_cast<float>(i) - center;
    const Real step = Real::load_unaligned(steps);
    std::int32_t left[kLanes], right[kLanes], upper[kLanes], lower[kLanes];
    float weights[4][kLanes];
    for (int begin = 0; begin < a.width; begin += kLanes) {
        // Exact: halves of whole numbers.
        const Real u = step + Real(static_cast<float>(begin));
        const SampleNeighbors<Real> x(Real(x_line.slope) * u + Real(x_line.begin), a.width);
        const SampleNeighbors<Real> y(Real(y_line.slope) * u + Real(y_line.begin), a.height);
        xsimd::to_int(x.first).store_unaligned(left);
        xsimd::to_int(x.second).store_unaligned(right);
        xsimd::to_int(y.first).store_unaligned(upper);
        xsimd::to_int(y.second).store_unaligned(lower);
        (y.first_share * x.first_share).store_unaligned(weights[0]);
        (y.first_share * x.second_share).store_unaligned(weights[1]);
        (y.second_share * x.first_share).store_unaligned(weights[2]);
        (y.second_share * x.second_share).store_unaligned(weights[3]);
        const int count = a.width - begin < kLanes ? a.width - begin : kLanes;
        for (int i = 0; i < count; ++i) {
            const float* top = a.input + upper[i] * a.input_row;
            const float* bottom = a.input + lower[i] * a.input_row;
            const std::ptrdiff_t l = std::ptrdiff_t{left[i]} * channels;
            const std::ptrdiff_t r = std::ptrdiff_t{right[i]} * channels;
            for (int c = 0; c < channels; ++c) {
                *out++ = (weights[0][i] * top[l + c] + weights[1][i] * top[r + c]) +
                         (weights[2][i] * bottom[l + c] + weights[3][i] * bottom[r + c]);
            }
        }
    }
}

template <class Isa>
void affine_sample_f32(const AffineSampleF32& a) noexcept {
    const double sx = a.align_corners ? a.width - 1 : a.width;
    const double sy = a.align_corners ? a.height - 1 : a.height;
    const double cx = (a.width - 1) * 0.5, cy = (a.height - 1) * 0.5;
    double theta[6];
    for (int i = 0; i < 6; ++i) theta[i] = static_cast<double>(a.theta[i]);
    // Of one row or column there is nothing but the center.
    const double x_by_v = sy > 0.0 ? theta[1] * (sx / sy) : 0.0;
    const double y_by_u = sx > 0.0 ? theta[3] * (sy / sx) : 0.0;
    for (int row = 0; row < a.rows; ++row) {
        const double v = a.first_row + row - cy;
        const SampleLine x = {a.theta[0], sample_limited(x_by_v * v + theta[2] * sx * 0.5 + cx)};
        const SampleLine y = {sample_limited(y_by_u),
                              sample_limited(theta[4] * v + theta[5] * sy * 0.5 + cy)};
        float* out = a.output + row * a.output_row;
        if (a.channels == 3) {
            affine_sample_row<Isa, 3>(a, x, y, out);
        } else if (a.channels == 1) {
            affine_sample_row<Isa, 1>(a, x, y, out);
        } else {
            affine_sample_row<Isa, 0>(a, x, y, out);
        }
    }
}

}  // namespace
}  // namespace lprnet::kernels
