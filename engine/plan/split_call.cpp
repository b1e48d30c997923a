#include "engine/plan/split_call.h"

#include <cstdint>

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

std::size_t distance(std::ptrdiff_t floats) {
    return static_cast<std::size_t>(floats);
}

struct Splitter {
    KernelCall call;
    int i, parts, lanes;

    // Each narrows the arguments to this part and moves the offsets; false if it is empty.
    bool narrow(kernels::Conv2dF32& a) {
        if (a.oh == 1) {
            const Range x = part_of(a.ow, i, parts);
            call.input += distance(std::ptrdiff_t{x.begin} * a.ic);
            call.output += distance(std::ptrdiff_t{x.begin} * a.oc);
            a.ow = x.size();
            return a.ow > 0;
        }
        const Range y = part_of(a.oh, i, parts);
        call.input += distance(y.begin * a.input_row);
        call.output += distance(y.begin * a.output_row);
        a.oh = y.size();
        return a.oh > 0;
    }
    bool narrow(kernels::Conv1dWinogradF32& a) {
        const Range tiles = part_of(a.tiles, i, parts);
        call.extra +=
            static_cast<std::size_t>(i) *
            kernels::conv1d_winograd_f32_scratch(a.oc, a.ic, a.taps, a.points, a.tile, a.block);
        a.first_tile += tiles.begin;
        a.tiles = tiles.size();
        return a.tiles > 0;
    }
    bool narrow(kernels::MaxPool2dF32& a) {
        const Range y = part_of(a.oh, i, parts);
        call.input += distance(y.begin * a.stride_h * a.input_row);
        call.output += distance(y.begin * a.output_row);
        a.oh = y.size();
        return a.oh > 0;
    }
    bool narrow(kernels::ContextTapF32& a) {
        const Range group = part_of(kernels::context_squares(lanes, a.channels_used), i, parts);
        const int first = group.begin * lanes;
        call.input += distance(first);
        call.output += distance(first);
        call.extra += distance(group.begin);
        const int rest = a.channels_used - first;
        a.channels_used = rest < group.size() * lanes ? rest : group.size() * lanes;
        return a.channels_used > 0;
    }
    bool narrow(kernels::ContextScaleF32& a) {
        const Range x = part_of(a.ow, i, parts);
        call.output += distance(x.begin * a.column);
        a.ow = x.size();
        return a.ow > 0;
    }
};

}  // namespace

std::vector<KernelCall> split_call(const KernelCall& call, int threads, int lanes) {
    std::vector<KernelCall> calls;
    for (int i = 0; i < threads; ++i) {
        Splitter splitter{call, i, threads, lanes};
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
