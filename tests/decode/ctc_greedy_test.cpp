#include "engine/decode/ctc_greedy.h"

#include <vector>

#include "tests/catch.h"

namespace lprnet::test {
namespace {

using Labels = std::vector<std::int32_t>;

constexpr std::size_t kClasses = 4;
constexpr int kBlank = 3;

// One row per time step; the class of each time step gets `high`, the others 0.
Labels decode(const Labels& path, float high = 9.0f) {
    std::vector<float> logits(path.size() * kClasses, 0.0f);
    for (std::size_t t = 0; t < path.size(); ++t) {
        logits[t * kClasses + static_cast<std::size_t>(path[t])] = high;
    }
    Labels buffer(path.size());
    const auto labels = best_path(logits, kClasses, kBlank, buffer);
    return {labels.begin(), labels.end()};
}

TEST_CASE("greedy decoding merges runs and drops blanks", "[decode]") {
    CHECK(decode({3, 0, 0, 3, 1, 1, 3, 2}) == Labels{0, 1, 2});
    CHECK(decode({0, 1, 2}) == Labels{0, 1, 2});
    CHECK(decode({1, 3, 1}) == Labels{1, 1});
    CHECK(decode({1, 1, 1}) == Labels{1});
    CHECK(decode({3, 3, 3}).empty());
    CHECK(decode({}).empty());
}

TEST_CASE("equal logits take the lowest class", "[decode]") {
    CHECK(decode({0}, 0.0f) == Labels{0});
}

}  // namespace
}  // namespace lprnet::test
