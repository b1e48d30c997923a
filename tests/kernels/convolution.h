// What the tests of convolutions have in common: a case, its numbers, the reference's answer and
// the magnitudes that a bound of the error is derived from.
#pragma once

#include <string>
#include <vector>

#include "engine/plan/plan.h"
#include "kernels/conv2d_f32/conv2d_f32.h"
#include "tests/kernels/levels_buffer.h"
#include "tests/kernels/tables.h"
#include "tests/network/random_network.h"

namespace lprnet::test {

struct ConvCase {
    int oh, ow, ic, oc, kh, kw;
    bool relu = true;
    int input_gap = 0;  // elements between the end of one input row and the next
    int output_gap = 0;
    std::size_t misalignment = 0;  // in floats

    std::size_t taps() const { return static_cast<std::size_t>(ic * kh * kw); }
    std::size_t weights() const { return static_cast<std::size_t>(oc) * taps(); }
    std::ptrdiff_t input_row() const { return std::ptrdiff_t{ow + kw - 1} * ic + input_gap; }
    std::ptrdiff_t output_row() const { return std::ptrdiff_t{ow} * oc + output_gap; }
    std::size_t input_size() const {
        return static_cast<std::size_t>((oh + kh - 1) * input_row() - input_gap);
    }
    std::size_t output_size() const {
        return static_cast<std::size_t>(oh * output_row() - output_gap);
    }
    // Whether an element lies between two rows.
    bool in_input_gap(std::size_t at) const {
        return static_cast<std::ptrdiff_t>(at) % input_row() >= input_row() - input_gap;
    }
    bool in_output_gap(std::size_t at) const {
        return static_cast<std::ptrdiff_t>(at) % output_row() >= output_row() - output_gap;
    }
    unsigned seed() const { return static_cast<unsigned>(ow * 7 + ic * 31 + oc * 131 + kh); }
};

inline std::string describe(const kernels::KernelTable& table, const ConvCase& c) {
    return std::string(table.name) + " " + std::to_string(c.oh) + "x" + std::to_string(c.ow) +
           " ic " + std::to_string(c.ic) + " oc " + std::to_string(c.oc) + " taps " +
           std::to_string(c.kh) + "x" + std::to_string(c.kw);
}

// The arguments of any direct convolution with this case's extents; no pointers.
template <class Call>
Call call_of(const ConvCase& c) {
    Call call = {};
    call.input_row = c.input_row();
    call.output_row = c.output_row();
    call.oh = c.oh;
    call.ow = c.ow;
    call.ic = c.ic;
    call.oc = c.oc;
    call.kh = c.kh;
    call.kw = c.kw;
    return call;
}

struct LprnetConv {
    ConvCase shape;
    ConvAlgorithm algorithm;  // that the plan chose
};

// The convolutions of LPRNet as a table's plan has them.
inline std::vector<LprnetConv> lprnet_convolutions(const kernels::KernelTable& table) {
    static const Model model = random_model({});
    const Result<Plan> plan = build_plan(model.data().graph, table);
    REQUIRE(plan.ok());
    std::vector<LprnetConv> found;
    for (const StepInfo& step : plan->info) {
        if (step.op != Op::conv2d) continue;
        const ConvShape& s = step.conv_shape;
        found.push_back(
            {{s.oh, s.ow, s.ic, s.oc, s.kh, s.kw, step.name != "logits"}, step.algorithm});
    }
    CHECK(found.size() == 16);
    return found;
}

// --- In float32 -------------------------------------------------------------------------------

// Weights in PyTorch's order and the bias as a table packs them; `rows` as in conv2d_f32.h.
struct PackedFloats {
    PackedFloats(const kernels::KernelTable& table, const ConvCase& c,
                 const std::vector<float>& oihw, const std::vector<float>& biases, bool rows = true)
        : weights(kernels::packed_conv2d_f32_weights(table, c.oc, c.ic, c.kh, c.kw, rows)),
          bias(kernels::packed_conv2d_f32_bias(table, c.oc)) {
        kernels::pack_conv2d_f32(table, {oihw.data()}, biases.data(), c.oc, c.ic, c.kh, c.kw,
                                 weights.data(), bias.data(), rows);
        REQUIRE(weights.guards_intact());
        REQUIRE(bias.guards_intact());
    }

    GuardedFloats weights, bias;
};

struct FloatConv {
    // `input`, `weight` and `bias` draw a number from a generator.
    template <class Input, class Weight>
    FloatConv(const ConvCase& shape, Input draw_input, Weight draw_weight)
        : c(shape),
          input(c.input_size(), c.misalignment),
          weights(c.weights()),
          bias(static_cast<std::size_t>(c.oc)) {
        std::mt19937 random(c.seed());
        // What lies between the rows is not the kernel's business: NaN, so that a read shows.
        for (std::size_t i = 0; i < input.size(); ++i) {
            if (!c.in_input_gap(i)) input[i] = draw_input(random);
        }
        for (float& w : weights) w = draw_weight(random);
        for (float& b : bias) b = draw_weight(random);
    }
    explicit FloatConv(const ConvCase& shape)
        : FloatConv(
              shape, [](std::mt19937& random) { return uniform(random, -1.0f, 1.0f); },
              [](std::mt19937& random) { return uniform(random, -0.5f, 0.5f); }) {}

    void run(const kernels::KernelTable& table, GuardedFloats& output) {
        PackedFloats packed(table, c, weights, bias);
        auto call = call_of<kernels::Conv2dF32>(c);
        call.input = input.data();
        call.weights = packed.weights.data();
        call.bias = packed.bias.data();
        call.output = output.data();
        call.relu = c.relu;
        table.conv2d_f32(call);
    }
    // By the definition.
    GuardedFloats expected() {
        GuardedFloats output(c.output_size());
        run(reference_table(), output);
        return output;
    }
    // The same convolution of absolute values gives each output's summed magnitude.
    GuardedFloats magnitudes() const {
        FloatConv absolute = *this;
        absolute.c.relu = false;
        for (std::size_t i = 0; i < input.size(); ++i) absolute.input[i] = std::abs(input[i]);
        for (float& w : absolute.weights) w = std::abs(w);
        for (float& b : absolute.bias) b = std::abs(b);
        return absolute.expected();
    }

    ConvCase c;
    GuardedFloats input;
    std::vector<float> weights, bias;
};

// Every output within `bound(at)` of what is expected, and nothing written between the rows.
template <class Bound>
void check_outputs(const ConvCase& c, GuardedFloats& found, GuardedFloats& expected, Bound bound) {
    CHECK(found.guards_intact());
    std::size_t bad = 0;
    for (std::size_t at = 0; at < found.size(); ++at) {
        if (c.in_output_gap(at)) {
            CHECK(std::isnan(found[at]));
        } else if (!(std::abs(double{found[at]} - double{expected[at]}) <= bound(at)) &&
                   bad++ == 0) {
            FAIL_CHECK("output " << at << " is " << found[at] << ", expected " << expected[at]
                                 << " within " << bound(at));
        }
    }
    CHECK(bad == 0);
}

// The bound of a sum of all taps and the bias.
inline auto sum_bound(const ConvCase& c, GuardedFloats& magnitudes) {
    return [terms = c.taps() + 1, &magnitudes](std::size_t at) {
        return sum_error_bound(terms, double{magnitudes[at]});
    };
}

// NaN where it is NaN, or else the same number.
inline void check_same(GuardedFloats& found, GuardedFloats& expected) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t at = 0; at < found.size(); ++at) {
        if (std::isnan(expected[at]) ? !std::isnan(found[at]) : found[at] != expected[at]) {
            FAIL("output " << at << " is " << found[at] << ", not " << expected[at]);
        }
    }
}

// --- Of levels --------------------------------------------------------------------------------

// The output of `run(input, output)` on the elements of a table; 0 between the rows.
template <class Run>
std::vector<int> conv_levels(const kernels::KernelTable& table, const ConvCase& c,
                             const std::vector<int>& input, Run run) {
    LevelsBuffer in(table, input), out(table, c.output_size());
    run(in.data(), out.data());
    CHECK(out.guards_intact());
    for (std::size_t at = 0; at < out.size(); ++at) {
        if (!c.in_output_gap(at)) continue;
        CHECK(out.untouched(at));
        out.set(at, 0);
    }
    return out.values();
}

inline void check_equal(const std::vector<int>& found, const std::vector<int>& expected) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (found[i] != expected[i]) {
            FAIL("output " << i << " is " << found[i] << ", expected " << expected[i]);
        }
    }
}

}  // namespace lprnet::test
