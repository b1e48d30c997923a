// The fuzz target's short cousin for every test run: a valid file, damaged in 20,000 seeded ways.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>
#include "tests/catch.h"

#include "tests/fuzz/random_choice.h"
#include "tests/fuzz/safetensors_touch.h"
#include "tests/weights/safetensors_files.h"

namespace lprnet::weights {
namespace {

using test::Random;

std::ptrdiff_t position(Random& random, const Bytes& bytes) {
    return static_cast<std::ptrdiff_t>(random.below(bytes.size() + 1));
}

// One kind of damage. Half of the time the header length is put right again, so that the damage
// reaches the checks behind it.
void damage(Bytes& bytes, Random& random) {
    // Pieces that mean something to the reader get further than random bytes.
    static constexpr std::string_view kPieces[] = {"0",
                                                   "1",
                                                   "9",
                                                   "-",
                                                   "18446744073709551615",
                                                   "9223372036854775807",
                                                   "[",
                                                   "]",
                                                   "{",
                                                   "}",
                                                   ",",
                                                   ":",
                                                   "\"",
                                                   "\\",
                                                   "\\u0000",
                                                   "null",
                                                   "1e9",
                                                   "\"F32\"",
                                                   "\"BOOL\"",
                                                   "\"shape\"",
                                                   "\"data_offsets\":[0,0]",
                                                   "\"__metadata__\":{}",
                                                   "\xff",
                                                   "\xe4\xba",
                                                   " "};
    const auto first = position(random, bytes);
    const auto second = position(random, bytes);
    const auto begin = bytes.begin() + std::min(first, second);
    const auto end = bytes.begin() + std::max(first, second);
    switch (random.below(7)) {
        case 0:  // flip bits
            if (begin != bytes.end()) *begin ^= std::byte{1} << random.below(8);
            break;
        case 1:  // replace a byte
            if (begin != bytes.end()) *begin = static_cast<std::byte>(random.below(256));
            break;
        case 2:  // cut the end off
            bytes.erase(end, bytes.end());
            break;
        case 3:  // take a piece out
            bytes.erase(begin, end);
            break;
        case 4: {  // say a piece twice
            const Bytes piece(
                begin, std::min(end, begin + std::min<std::ptrdiff_t>(100, bytes.end() - begin)));
            bytes.insert(end, piece.begin(), piece.end());
            break;
        }
        default: {  // put a meaningful piece in, before or over what is there
            const Bytes piece = to_bytes(random.one_of(kPieces));
            const std::size_t room = static_cast<std::size_t>(bytes.end() - begin);
            if (random.below(2) == 0 && piece.size() <= room) {
                std::copy(piece.begin(), piece.end(), begin);
            } else {
                bytes.insert(begin, piece.begin(), piece.end());
            }
            break;
        }
    }
}

void repair_header_length(Bytes& bytes) {
    const auto last = std::find(bytes.rbegin(), bytes.rend(), std::byte{'}'});
    const auto header_end = static_cast<std::size_t>(last.base() - bytes.begin());
    if (header_end < 8) return;
    const std::uint64_t length = header_end - 8;
    std::memcpy(bytes.data(), &length, 8);
}

// One to three times, as the next one.
void damage_anywhere(Bytes& bytes, Random& random) {
    const std::size_t times = 1 + random.below(3);
    for (std::size_t t = 0; t < times; ++t) damage(bytes, random);
    if (random.below(2) == 0 && bytes.size() >= 8) repair_header_length(bytes);
}

// Bits and bytes of the data alone, so that the header stays right.
void damage_data(Bytes& bytes, Random& random) {
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), 8);
    const std::size_t begin = 8 + static_cast<std::size_t>(header);
    const std::size_t times = 1 + random.below(3);
    for (std::size_t t = 0; t < times; ++t) {
        std::byte& byte = bytes[begin + random.below(bytes.size() - begin)];
        if (random.below(2) == 0) {
            byte ^= std::byte{1} << random.below(8);
        } else {
            byte = static_cast<std::byte>(random.below(256));
        }
    }
}

// What became of 20,000 damaged copies. Both outcomes must occur; how often follows from the seed.
struct Outcome {
    int accepted = 0;
    int sparse = 0;  // files whose sparse tensor could still be read
};

template <class Spoil>
Outcome damage_often(const Bytes& seed, Spoil spoil) {
    REQUIRE(touch_safetensors(seed).accepted);
    REQUIRE(touch_safetensors(seed).broken.empty());
    Outcome outcome;
    Random random(20240524);
    for (int i = 0; i < 20000; ++i) {
        Bytes bytes = seed;
        spoil(bytes, random);
        const Bytes exact(bytes.begin(), bytes.end());  // no spare capacity to read into
        const Touched touched = touch_safetensors(exact);
        if (!touched.broken.empty()) {
            FAIL("file " << i << ": " << touched.broken);
        }
        outcome.accepted += touched.accepted ? 1 : 0;
        outcome.sparse += touched.sparse;
    }
    return outcome;
}

TEST_CASE("a damaged file is refused or fully readable", "[safetensors][mutation]") {
    // Data bytes below 0x20 keep '}' out of the data, where repair_header_length looks for it.
    const Bytes seed = file_of("{\"__metadata__\":{\"lprnet.format\":\"1\",\"k\":\"\\u4eac\"}," +
                                   entry("a.weight", "F32", "[2,1,1]", "[0,8]") + "," +
                                   entry("b", "BOOL", "[3]", "[8,11]") + "," +
                                   entry("none", "I64", "[0]", "[11,11]") + "," +
                                   entry("h", "F16", "[]", "[11,13]") + "}",
                               std::string(13, '\x11'));
    const Outcome outcome = damage_often(seed, damage_anywhere);
    CHECK(outcome.accepted > 200);
    CHECK(outcome.accepted < 19000);
}

TEST_CASE("a damaged sparse tensor is refused or has one form", "[safetensors][mutation][sparse]") {
    std::vector<float> elements(96, 0.0F);
    for (std::size_t i = 0; i < elements.size(); i += 3) elements[i] = 0x1.2p-3F;
    const SparseTensor sparse = make_sparse(elements, {4, 4, 3, 2});
    const Result<Bytes> seed = serialize_safetensors(sparse.views("w"), {});
    REQUIRE(seed);
    REQUIRE(touch_safetensors(*seed).sparse == 1);
    const Outcome anywhere = damage_often(*seed, damage_anywhere);
    CHECK(anywhere.accepted > 200);
    CHECK(anywhere.sparse > 100);
    CHECK(anywhere.sparse < anywhere.accepted);
    const Outcome in_data = damage_often(*seed, damage_data);
    CHECK(in_data.accepted == 20000);
    CHECK(in_data.sparse > 2000);
    CHECK(in_data.sparse < 18000);
}

}  // namespace
}  // namespace lprnet::weights
