// The inverse transform in vectors against plain loops, bit by bit; what both give is compared with
// OpenCV by the golden pictures.
#include "engine/image_file/jpeg_dct.h"

#include <array>
#include <random>

#include "engine/image_file/jpeg_dct-inl.h"
#include "tests/catch.h"

namespace lprnet {
namespace {

using Samples = std::array<std::uint8_t, 64>;

template <class Transform>
Samples samples_of(const JpegBlock& block, const JpegBlock& steps, const Transform& transform) {
    // Rows apart from each other, so that what is written beside them is seen.
    constexpr std::size_t kStride = 11;
    std::array<std::uint8_t, 8 * kStride> memory;
    memory.fill(77);
    transform(block, steps, memory.data(), static_cast<std::ptrdiff_t>(kStride));
    Samples samples;
    for (std::size_t i = 0; i < memory.size(); ++i) {
        if (i % kStride < 8) {
            samples[i / kStride * 8 + i % kStride] = memory[i];
        } else {
            REQUIRE(memory[i] == 77);
        }
    }
    return samples;
}

void check_equal(const JpegBlock& block, const JpegBlock& steps) {
    REQUIRE(samples_of(block, steps, inverse_dct) ==
            samples_of(block, steps, inverse_dct_in<PlainLanes>));
}

TEST_CASE("vectors transform as plain loops do", "[image_file]") {
    std::mt19937 random(8);
    const auto number = [&](int from, int to) {
        return static_cast<std::int16_t>(
            from + static_cast<int>(random() % static_cast<unsigned>(to - from + 1)));
    };
    // As pictures have them, as bad files have them, and what saturates and wraps.
    const struct {
        int coefficient, step;
    } ranges[] = {{8, 40}, {300, 20}, {1023, 255}, {2047, 32767}, {32767, 1}, {32767, 32767}};
    for (const auto& range : ranges) {
        for (const int share : {2, 8, 64}) {  // one in so many coefficients is not zero
            for (int round = 0; round < 300; ++round) {
                JpegBlock block = {}, steps;
                for (auto& step : steps) step = number(1, range.step);
                for (auto& c : block) {
                    if (random() % static_cast<unsigned>(share) == 0) {
                        c = number(-range.coefficient - 1, range.coefficient);
                    }
                }
                check_equal(block, steps);
            }
        }
    }
    // Steps of files have 16 bits without a sign, of which the vectors see the same bits.
    for (const int extreme : {-32768, -1, 32767}) {
        JpegBlock block, steps;
        block.fill(static_cast<std::int16_t>(extreme));
        for (const int step : {-32768, -1, 1, 32767}) {
            steps.fill(static_cast<std::int16_t>(step));
            check_equal(block, steps);
        }
    }
}

TEST_CASE("blocks of one row, one coefficient or none take the same samples", "[image_file]") {
    std::mt19937 random(9);
    for (int round = 0; round < 2000; ++round) {
        JpegBlock block = {}, steps;
        for (auto& step : steps) step = static_cast<std::int16_t>(random());
        const std::size_t count = std::size_t{1} << (round % 4);
        for (std::size_t i = 0; i < count; ++i) block[i] = static_cast<std::int16_t>(random());
        check_equal(block, steps);
        if (count == 1) {
            CHECK(samples_of(block, steps, inverse_dct) ==
                  samples_of(block, steps, inverse_dct_of_mean));
        }
    }
}

}  // namespace
}  // namespace lprnet
