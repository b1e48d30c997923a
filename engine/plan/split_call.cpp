#include "engine/plan/split_call.h"

#include <algorithm>
#include <cstdint>

#include "kernels/sparse.h"
#include "kernels/winograd.h"

namespace lprnet {
namespace {

struct Range {
    int begin, end;
    int size() const { return end - begin; }
};

// Part `i` of `parts` nearly equal ones of 0..count.
Range part_of(int count, int i, int parts) {
    const auto at = [&](int k) { return static_cast<int>(std::int64_t{count} * k / parts); };
    return {at(i), at(i + 1)};
}

// Channels that context_tap_levels sums together.
constexpr int kTapChannelsLevels = 64;

struct Splitter {
    KernelCall call;
    int i, parts;
    const kernels::KernelTable& table;

    // In bytes.
    static std::size_t floats(std::ptrdiff_t count) {
        return static_cast<std::size_t>(count) * sizeof(float);
    }
    std::size_t elements(std::ptrdiff_t count) const {
        return static_cast<std::size_t>(count) * element_bytes();
    }
    std::size_t element_bytes() const { return static_cast<std::size_t>(table.levels.bytes); }

    // By pixels if all rows form one, else by rows.
    bool narrow_conv(auto& a, std::size_t bytes) {
        if (a.oh > 1) return narrow_rows(a, 1, bytes);
        const Range x = part_of(a.ow, i, parts);
        call.input += static_cast<std::size_t>(x.begin * a.ic) * bytes;
        call.output += static_cast<std::size_t>(x.begin * a.oc) * bytes;
        a.ow = x.size();
        return a.ow > 0;
    }
    bool narrow_rows(auto& a, int stride, std::size_t bytes) {
        const Range y = part_of(a.oh, i, parts);
        call.input += static_cast<std::size_t>(y.begin * stride * a.input_row) * bytes;
        call.output += static_cast<std::size_t>(y.begin * a.output_row) * bytes;
        a.oh = y.size();
        return a.oh > 0;
    }
    bool narrow_columns(auto& a) {
        const Range x = part_of(a.ow, i, parts);
        call.output += floats(x.begin * a.column);
        a.ow = x.size();
        return a.ow > 0;
    }

    // Each narrows the arguments to this part and moves the offsets; false if it is empty.
    bool narrow(kernels::Conv2dF32& a) { return narrow_conv(a, sizeof(float)); }
    bool narrow(kernels::Conv2dSparseF32& a) {
        const int unit = a.input_panels || a.output_panels ? table.sparse_pixels : table.lanes;
        const Range units = part_of((a.pixels + unit - 1) / unit, i, parts);
        call.extra += static_cast<std::size_t>(i) * sizeof(float) *
                      kernels::conv2d_sparse_f32_scratch(table, a.oc, a.ic, a.kh, a.kw);
        const int end = std::min(units.end * unit, a.pixels);
        a.first_pixel += units.begin * unit;
        a.pixels = end - units.begin * unit;
        return a.pixels > 0;
    }
    bool narrow(kernels::Conv1dWinogradF32& a) {
        const Range tiles = part_of(a.tiles, i, parts);
        call.extra +=
            static_cast<std::size_t>(i) * sizeof(float) *
            kernels::conv1d_winograd_f32_scratch(a.oc, a.ic, a.taps, a.points, a.tile, a.block);
        a.first_tile += tiles.begin;
        a.tiles = tiles.size();
        return a.tiles > 0;
    }
    bool narrow(kernels::MaxPool2dF32& a) { return narrow_rows(a, a.stride_h, sizeof(float)); }
    bool narrow(kernels::ContextTapF32& a) {
        const int lanes = table.lanes;
        const Range group = part_of(kernels::context_squares(lanes, a.channels_used), i, parts);
        const int first = group.begin * lanes;
        call.input += floats(first);
        call.output += floats(first);
        call.extra += floats(group.begin);
        const int rest = a.channels_used - first;
        a.channels_used = rest < group.size() * lanes ? rest : group.size() * lanes;
        return a.channels_used > 0;
    }
    bool narrow(kernels::ContextScaleF32& a) { return narrow_columns(a); }
    bool narrow(kernels::QuantizeF32& a) {
        const Range period = part_of((a.count + a.period - 1) / a.period, i, parts);
        const int begin = period.begin * a.period;
        call.input += floats(begin);
        call.output += elements(begin);
        const int rest = a.count - begin;
        a.count = rest < period.size() * a.period ? rest : period.size() * a.period;
        return a.count > 0;
    }
    bool narrow(kernels::Conv2dS8& a) { return narrow_conv(a, element_bytes()); }
    bool narrow(kernels::Conv2dLevelsF32& a) { return narrow_conv(a, element_bytes()); }
    bool narrow(kernels::MaxPool2dLevels& a) { return narrow_rows(a, a.stride_h, element_bytes()); }
    bool narrow(kernels::ContextTapLevels& a) {
        const int groups = (a.channels_used + kTapChannelsLevels - 1) / kTapChannelsLevels;
        const Range group = part_of(groups, i, parts);
        const int first = group.begin * kTapChannelsLevels;
        call.input += elements(first);
        call.output += static_cast<std::size_t>(first) * sizeof(std::int32_t);
        if (a.square_factors != nullptr) a.square_factors += first;
        // The sums of calls that exist lie one behind the other.
        call.extra +=
            static_cast<std::size_t>(groups < parts ? group.begin : i) * sizeof(std::int64_t);
        const int rest = a.channels_used - first;
        a.channels_used =
            rest < group.size() * kTapChannelsLevels ? rest : group.size() * kTapChannelsLevels;
        return a.channels_used > 0;
    }
    bool narrow(kernels::ContextScaleLevels& a) { return narrow_columns(a); }
};

}  // namespace

int context_tap_levels_parts(int channels, int threads) noexcept {
    const int groups = (channels + kTapChannelsLevels - 1) / kTapChannelsLevels;
    return groups < threads ? groups : threads;
}

std::vector<KernelCall> split_call(const KernelCall& call, int threads,
                                   const kernels::KernelTable& table) {
    std::vector<KernelCall> calls;
    for (int i = 0; i < threads; ++i) {
        Splitter splitter{call, i, threads, table};
        const bool any = std::visit(
            [&splitter](auto arguments) {
                const bool left = splitter.narrow(arguments);
                splitter.call.arguments = arguments;
                return left;
            },
            call.arguments);
        if (any) calls.push_back(splitter.call);
    }
    return calls;
}

}  // namespace lprnet
