// What the fuzz targets share: how a property that does not hold is reported, and how an input of
// bytes becomes values. A target is one function, LLVMFuzzerTestOneInput; libFuzzer calls it where
// it is linked, and corpus_main.cpp everywhere else.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "engine/text/printable.h"
#include "lprnet/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// Edits an input in place; libFuzzer has one, and so has corpus_main.cpp.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);
// Of the targets whose inputs have a structure; the others leave it out.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed);

namespace lprnet::fuzz {

// Inputs that were taken for valid, so that a campaign can tell whether it got past the first
// check.
inline std::size_t accepted = 0;

// `what` is the property that did not hold.
inline void check(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "fuzz: %s\n", what);
    std::abort();
}

inline void check_error(const Error& error) {
    check(!error.message.empty(), "an error without a message");
    check(!has_unprintable(error.message), "a message is not one line of text");
    check(error.message.size() <= 1000, "a message is too long");
}

// Cuts values from the front of an input; zeros behind its end.
class Pieces {
public:
    Pieces(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

    template <class T>
    T value() {
        static_assert(std::is_trivially_copyable_v<T> && !std::is_same_v<T, bool>);
        T result{};
        const std::size_t size = std::min(sizeof result, rest_.size());
        if (size > 0) std::memcpy(&result, rest_.data(), size);
        rest_ = rest_.subspan(size);
        return result;
    }
    // One of a list.
    template <class T, std::size_t kSize>
    const T& one_of(const T (&list)[kSize]) {
        return list[value<std::uint8_t>() % kSize];
    }
    bool flag() { return value<std::uint8_t>() % 2 == 1; }
    std::string_view text(std::size_t bytes) {
        const std::span<const std::uint8_t> piece = rest_.first(std::min(bytes, rest_.size()));
        rest_ = rest_.subspan(piece.size());
        return {reinterpret_cast<const char*>(piece.data()), piece.size()};
    }
    // Up to the next '\n', which is left out, or to the end.
    std::string_view line() {
        const std::string_view all = text(rest_.size());
        const std::size_t end = std::min(all.find('\n'), all.size());
        const std::size_t next = std::min(end + 1, all.size());
        rest_ = {reinterpret_cast<const std::uint8_t*>(all.data()) + next, all.size() - next};
        return all.substr(0, end);
    }
    std::string_view rest() { return text(rest_.size()); }
    bool empty() const { return rest_.empty(); }

private:
    std::span<const std::uint8_t> rest_;
};

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

}  // namespace lprnet::fuzz
