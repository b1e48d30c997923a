// Where activations saturate: by their distribution, and by what it does to the logits.
#include "engine/compress/clip.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "engine/compress/activation_ranges.h"
#include "engine/compress/choose_clips.h"
#include "tests/kernels/tables.h"
#include "tests/network/make_network.h"
#include "tests/network/random_network.h"

namespace lprnet::test {
namespace {

constexpr ClipMethod kOnTheirOwn[] = {ClipMethod::max, ClipMethod::percentile, ClipMethod::mse,
                                      ClipMethod::kl};

Histogram histogram_of(const std::vector<float>& values) {
    Histogram histogram;
    for (const float value : values) histogram.largest = std::max(histogram.largest, value);
    for (const float value : values) histogram.add(value);
    return histogram;
}

TEST_CASE("values that all occur as often are not clipped", "[compress]") {
    std::vector<float> values;
    for (int i = 0; i <= 100000; ++i) values.push_back(static_cast<float>(i) * 1e-5f);
    const Histogram histogram = histogram_of(values);
    for (const ClipMethod method : kOnTheirOwn) {
        INFO(static_cast<int>(method));
        CHECK(clip_of(histogram, method) >= 0.97);
        CHECK(clip_of(histogram, method) <= 1.0);
    }
}

TEST_CASE("a few values far out are clipped, unless by the largest", "[compress]") {
    std::mt19937 random(1);
    std::vector<float> values;
    for (int i = 0; i < 200000; ++i) {
        values.push_back(-std::log(1.0f - uniform(random, 0, 1)));  // 99.99 % below 9.2
        values.push_back(0.0f);
    }
    values.push_back(100.0f);
    const Histogram histogram = histogram_of(values);
    CHECK(clip_of(histogram, ClipMethod::max) == 100.0);
    CHECK(clip_of(histogram, ClipMethod::percentile) < 10.0);
    // One value 80 off weighs as much as all that finer steps gain.
    CHECK(clip_of(histogram, ClipMethod::mse) < 95.0);
    CHECK(clip_of(histogram, ClipMethod::kl) > 5.0);
    CHECK(clip_of(histogram, ClipMethod::kl) < 20.0);
}

TEST_CASE("one value alone is where its layer saturates", "[compress]") {
    for (const ClipMethod method : kOnTheirOwn) {
        INFO(static_cast<int>(method));
        CHECK(clip_of(histogram_of({2.5f, 2.5f}), method) == 2.5);
        CHECK(clip_of(histogram_of({0.0f, 0.0f, 2.5f}), method) > 0.0);
    }
}

TEST_CASE("the clip that changes the logits least is chosen", "[compress]") {
    const Model model = random_model({.width = 0.3});
    const Shape shape = model.data().graph.input_shape();
    std::vector<std::vector<float>> inputs(2);
    std::mt19937 random(5);
    for (std::vector<float>& input : inputs) {
        input.resize(static_cast<std::size_t>(shape.c * shape.h * shape.w));
        for (float& value : input) value = uniform(random, -1, 1);
    }
    const kernels::KernelTable& table = *tables_under_test().back();
    auto ranges = activation_ranges(model.data(), inputs, ClipMethod::mse, true, table);
    REQUIRE(ranges.ok());
    REQUIRE(ranges->size() == static_cast<std::size_t>(layer_count(model.data().graph)));
    // The last has no ReLU.
    CHECK(ranges->back().largest == 0.0f);
    CHECK(ranges->back().range.clip == 0.0f);
    std::vector<std::vector<float>> candidates;
    for (const ActivationRange& range : *ranges) {
        const float clip = range.range.clip;
        candidates.push_back({clip * 100.0f, clip * 0.01f, clip, clip * 30.0f});
    }
    candidates.back().clear();
    Network network = make_network(model, table, {.whole_tensors = true});
    choose_clips(network, inputs, candidates, *ranges);
    for (std::size_t i = 0; i + 1 < ranges->size(); ++i) {
        INFO("layer " << i);
        CHECK((*ranges)[i].range.clip == candidates[i][2]);
    }
    CHECK(ranges->back().range.clip == 0.0f);

    const auto searched = activation_ranges(model.data(), inputs, ClipMethod::search, true, table);
    REQUIRE(searched.ok());
    std::vector<std::vector<float>> expected(searched->size());
    for (const ClipMethod method : kOnTheirOwn) {
        const auto fixed = activation_ranges(model.data(), inputs, method, true, table);
        REQUIRE(fixed->size() == expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            expected[i].push_back((*fixed)[i].range.clip);
        }
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
        INFO("layer " << i);
        CHECK(std::count(expected[i].begin(), expected[i].end(), (*searched)[i].range.clip) > 0);
    }
}

}  // namespace
}  // namespace lprnet::test
