// Every table's sampler against the reference, equal in every bit, and the reference against
// PyTorch.
#include "kernels/affine_sample_f32/affine_sample_f32.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "tests/kernels/tables.h"
#include "tests/paths.h"
#include "weights/safetensors.h"

namespace lprnet::test {
namespace {

using kernels::AffineSampleF32;
using kernels::KernelTable;
using Theta = std::array<float, 6>;

constexpr Theta kIdentity = {1, 0, 0, 0, 1, 0};
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Case {
    int height = 24, width = 94, channels = 3;
    bool align_corners = true;
    int gap = 0;  // behind each row
};

GuardedFloats picture_of(const Case& c, unsigned seed) {
    const std::ptrdiff_t row = std::ptrdiff_t{c.width} * c.channels + c.gap;
    std::mt19937 random(seed);
    GuardedFloats picture(static_cast<std::size_t>(c.height * row - c.gap), seed % 16);
    picture.fill([&] { return uniform(random, -1.0f, 1.0f); });
    return picture;
}

GuardedFloats run(const KernelTable& table, const Case& c, GuardedFloats& picture,
                  const Theta& theta) {
    const std::ptrdiff_t row = std::ptrdiff_t{c.width} * c.channels + c.gap;
    GuardedFloats map(theta.size(), 1), output(picture.size(), 3);
    std::copy(theta.begin(), theta.end(), map.data());
    table.affine_sample_f32({.input = picture.data(),
                             .input_row = row,
                             .theta = map.data(),
                             .output = output.data(),
                             .output_row = row,
                             .height = c.height,
                             .width = c.width,
                             .channels = c.channels,
                             .first_row = 0,
                             .rows = c.height,
                             .align_corners = c.align_corners});
    CHECK(output.guards_intact());
    return output;
}

void check(const KernelTable& table, const Case& c, const Theta& theta, unsigned seed) {
    INFO(table.name << " " << c.channels << "x" << c.height << "x" << c.width << " theta "
                    << theta[0] << " " << theta[1] << " " << theta[2] << " " << theta[3] << " "
                    << theta[4] << " " << theta[5] << " align_corners " << c.align_corners);
    GuardedFloats picture = picture_of(c, seed);
    const GuardedFloats found = run(table, c, picture, theta);
    const GuardedFloats expected = run(reference_table(), c, picture, theta);
    const int row = c.width * c.channels + c.gap;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const bool gap = static_cast<int>(i) % row >= c.width * c.channels;
        const float f = found[i], e = expected[i];
        if (gap ? !std::isnan(f) : std::memcmp(&f, &e, sizeof f) != 0) {
            FAIL("number " << i << " is " << f << ", expected " << e);
        }
    }
}

TEST_CASE("affine_sample_f32 computes any map of any extents", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        std::mt19937 random(6);
        const auto map = [&](float reach) {
            Theta theta;
            for (float& t : theta) t = uniform(random, -reach, reach);
            return theta;
        };
        for (const bool corners : {false, true}) {
            for (unsigned i = 0; i < 20; ++i)
                check(*table, {.align_corners = corners}, map(1.5f), i);
            for (int width = 1; width <= 2 * table->lanes + 1; ++width) {
                for (int channels = 1; channels <= 5; ++channels) {
                    const Case c = {1 + width % 7, width, channels, corners, channels};
                    check(*table, c, map(1.2f), static_cast<unsigned>(width));
                    check(*table, c, map(30.0f), static_cast<unsigned>(width));
                }
            }
        }
    }
}

TEST_CASE("affine_sample_f32 leaves a picture as it is by the identity", "[kernels]") {
    for (const KernelTable* table : tables_under_test()) {
        for (const Case& c :
             {Case{}, Case{.align_corners = false}, Case{1, 1, 2}, Case{7, 33, 1}}) {
            INFO(table->name << " " << c.width);
            GuardedFloats picture = picture_of(c, 4);
            const GuardedFloats output = run(*table, c, picture, kIdentity);
            for (std::size_t i = 0; i < output.size(); ++i) CHECK(output[i] == picture[i]);
        }
    }
}

// The picture lies between numbers that are not: a single one read from there would show.
TEST_CASE("affine_sample_f32 reads nothing outside of the picture", "[kernels]") {
    constexpr float kMost = std::numeric_limits<float>::max();
    constexpr float kLeast = std::numeric_limits<float>::denorm_min();
    const float values[] = {0.0f,  -0.0f,  1.0f, -1.0f,     1e9f,       -2147483648.0f, 1e30f,
                            kMost, -kMost, kNan, kInfinity, -kInfinity, kLeast};
    for (const KernelTable* table : tables_under_test()) {
        std::mt19937 random(7);
        for (int i = 0; i < 2000; ++i) {
            Theta theta;
            for (float& t : theta) t = values[random() % std::size(values)];
            const Case c = {1 + i % 5, 1 + i % 23, 1 + i % 4, i % 2 == 0};
            check(*table, c, theta, 9);
            GuardedFloats picture = picture_of(c, 9);
            const GuardedFloats output = run(*table, c, picture, theta);
            for (std::size_t k = 0; k < output.size(); ++k) {
                if (!(std::abs(output[k]) <= 1.0f)) FAIL("number " << k << " is " << output[k]);
            }
        }
    }
}

TEST_CASE("affine_sample_f32 gives zeros outside and where there is no position", "[kernels]") {
    const Theta outside[] = {{1, 0, 3, 0, 1, 0},         {1, 0, 0, 0, 1, -3},
                             {1, 0, kNan, 0, 1, 0},      {1, 0, 0, 0, 1, kNan},
                             {1, 0, kInfinity, 0, 1, 0}, {1, 0, 0, 0, 1, -kInfinity},
                             {kNan, 0, 0, 0, 1, 0},      {1e30f, 0, 0, 0, 1, 0}};
    for (const KernelTable* table : tables_under_test()) {
        for (const Theta& theta : outside) {
            for (const bool corners : {false, true}) {
                const Case c = {.align_corners = corners};
                GuardedFloats picture = picture_of(c, 5);
                const GuardedFloats output = run(*table, c, picture, theta);
                for (std::size_t i = 0; i < output.size(); ++i) REQUIRE(output[i] == 0.0f);
            }
        }
    }
}

// The positions of either side are off by some roundings of numbers up to an extent times theta; a
// picture of numbers up to 1 changes by up to 2 from pixel to pixel. The weights and the sum of
// four products add some more.
double golden_tolerance(const Theta& theta, int height, int width) {
    const auto off = [&](int i, int extent) {
        const double size = std::abs(theta[i]) + std::abs(theta[i + 1]) + std::abs(theta[i + 2]);
        return 8.0 * kUnit * extent * (size + 1.0);
    };
    return 2.0 * (off(0, width) + off(3, height)) + 8.0 * kUnit;
}

TEST_CASE("affine_sample_f32 gives what PyTorch gives", "[kernels]") {
    const auto file =
        weights::SafetensorsFile::open(tests_path("golden/affine/samples.safetensors"));
    REQUIRE(file.ok());
    const auto values = [&](const std::string& name) {
        std::vector<float> all;
        REQUIRE(file->find(name) != nullptr);
        REQUIRE(file->find(name)->copy_f32(all).ok());
        return all;
    };
    for (const std::string name : {"small", "odd", "plate"}) {
        const std::vector<std::int64_t> shape = file->find(name)->shape;
        const int channels = static_cast<int>(shape[0]), height = static_cast<int>(shape[1]),
                  width = static_cast<int>(shape[2]);
        const std::vector<float> planes = values(name), thetas = values(name + ".theta");
        const std::size_t plane = planes.size() / static_cast<std::size_t>(channels);
        const auto nhwc = [&](std::size_t i) { return i % plane * shape[0] + i / plane; };
        for (const bool corners : {false, true}) {
            const Case c = {height, width, channels, corners};
            const std::vector<float> expected = values(name + (corners ? ".corners" : ".edges"));
            GuardedFloats picture(planes.size());
            for (std::size_t i = 0; i < planes.size(); ++i) picture[nhwc(i)] = planes[i];
            for (std::size_t t = 0; t < thetas.size() / 6; ++t) {
                Theta theta;
                std::copy_n(thetas.begin() + static_cast<std::ptrdiff_t>(6 * t), 6, theta.begin());
                // Of steps that large nothing is inside: zeros, whatever the rounding.
                const bool huge = std::abs(theta[0]) > 1e6f;
                const double tolerance = huge ? 0.0 : golden_tolerance(theta, height, width);
                for (const KernelTable* table : tables_under_test()) {
                    INFO(table->name << " " << name << " theta " << t << " corners " << corners);
                    const GuardedFloats found = run(*table, c, picture, theta);
                    for (std::size_t i = 0; i < planes.size(); ++i) {
                        const double e = expected[t * planes.size() + i], f = found[nhwc(i)];
                        if (!(std::abs(f - e) <= tolerance))
                            FAIL("number " << i << " is " << f << ", expected " << e << " within "
                                           << tolerance);
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace lprnet::test
