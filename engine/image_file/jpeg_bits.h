// Bits and Huffman codes of entropy-coded JPEG data (ITU-T T.81, annex F.2.2).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "engine/image_file/jpeg_markers.h"

namespace lprnet {

// Reads bits, the upper one of a byte first. Behind the last byte come zeros for ever, and
// overrun() tells that some were used: nobody has to look before each bit.
class BitReader {
public:
    explicit BitReader(std::span<const std::uint8_t> bytes) noexcept
        : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    // Makes at least 32 bits ready: enough for a code and the bits that follow it.
    void fill() noexcept {
        if (count_ >= 32) return;
        if (end_ - at_ >= 8) {
            std::uint64_t next;
            std::memcpy(&next, at_, sizeof next);
            bits_ |= __builtin_bswap64(next) >> count_;
            const int whole_bytes = (63 - count_) >> 3;
            at_ += whole_bytes;
            count_ += 8 * whole_bytes;
            return;
        }
        while (count_ <= 56) {
            if (at_ != end_) {
                bits_ |= std::uint64_t{*at_++} << (56 - count_);
            } else {
                invented_ += 8;
            }
            count_ += 8;
        }
    }

    // The next `count` bits, 1 to 32. Precondition: they are ready.
    std::uint32_t peek(int count) const noexcept {
        return static_cast<std::uint32_t>(bits_ >> (64 - count));
    }
    void skip(int count) noexcept {
        bits_ <<= count;
        count_ -= count;
    }
    std::uint32_t take(int count) noexcept {
        const std::uint32_t value = peek(count);
        skip(count);
        return value;
    }

    // True if bits behind the last byte were taken.
    bool overrun() const noexcept { return invented_ > count_; }

private:
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    std::uint64_t bits_ = 0;  // the upper count_ are ready; those below are zero or the next ones
    int count_ = 0;
    std::int64_t invented_ = 0;
};

// The value of `count` bits after a code, T.81's EXTEND: half of them stand for negative numbers.
inline int extend(std::uint32_t bits, int count) noexcept {
    const int value = static_cast<int>(bits);
    return value < (1 << (count - 1)) ? value - (1 << count) + 1 : value;
}

// Codes made ready for reading.
class HuffmanDecoder {
public:
    // The symbol of the next code, or -1 if none begins like this. Precondition: bits.fill().
    int decode(BitReader& bits) const noexcept {
        const Entry entry = short_[bits.peek(kShort)];
        if (entry.length != 0) {
            bits.skip(entry.length);
            return entry.symbol;
        }
        return decode_long(bits);
    }

    explicit HuffmanDecoder(const HuffmanCodes& codes) noexcept : symbols_(codes.symbols) {
        std::uint32_t code = 0;
        int index = 0;
        for (int length = 1; length <= 16; ++length) {
            const int count = codes.counts[static_cast<std::size_t>(length - 1)];
            const auto n = static_cast<std::size_t>(length);
            first_index_[n] = index - static_cast<int>(code);
            for (int i = 0; i < count; ++i, ++code, ++index) {
                if (length <= kShort) {
                    const int free = kShort - length;
                    const Entry entry = {codes.symbols[static_cast<std::size_t>(index)],
                                         static_cast<std::uint8_t>(length)};
                    std::fill_n(short_.begin() + static_cast<std::ptrdiff_t>(code << free),
                                1 << free, entry);
                }
            }
            // Codes of this length are those below, counted in 16 bits.
            limit_[n] = code << (16 - length);
            code <<= 1;
        }
    }

private:
    static constexpr int kShort = 9;  // nearly all codes of a picture
    struct Entry {
        std::uint8_t symbol = 0;
        std::uint8_t length = 0;  // 0: longer than kShort, or none
    };

    int decode_long(BitReader& bits) const noexcept {
        const std::uint32_t next = bits.peek(16);
        for (std::size_t length = kShort + 1; length <= 16; ++length) {
            if (next < limit_[length]) {
                const int shift = 16 - static_cast<int>(length);
                bits.skip(static_cast<int>(length));
                return symbols_[static_cast<std::size_t>(first_index_[length] +
                                                         static_cast<int>(next >> shift))];
            }
        }
        return -1;
    }

    std::array<Entry, 1 << kShort> short_ = {};
    std::array<std::uint32_t, 17> limit_ = {};
    std::array<int, 17> first_index_ = {};
    std::array<std::uint8_t, 256> symbols_;
};

}  // namespace lprnet
