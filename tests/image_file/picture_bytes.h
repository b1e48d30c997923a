// Picture files made byte by byte, so that each test says what is in the file it tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/image_file/crc32.h"
#include "engine/image_file/image_file.h"

namespace lprnet {

using FileBytes = std::vector<std::uint8_t>;

inline std::span<const std::byte> as_span(const FileBytes& bytes) {
    return std::as_bytes(std::span(bytes));
}

inline Result<DecodedImage> decode(const FileBytes& bytes, const ImageLimits& limits = {}) {
    return decode_image(as_span(bytes), limits);
}

inline void append(FileBytes& to, const FileBytes& more) {
    to.insert(to.end(), more.begin(), more.end());
}

inline FileBytes text_bytes(std::string_view text) {
    return FileBytes(text.begin(), text.end());
}

inline FileBytes read_bytes(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return FileBytes(std::istreambuf_iterator<char>(in), {});
}

// The pixels of a decoded picture.
inline FileBytes pixels_of(const DecodedImage& image) {
    const ImageView view = image.view();
    const std::size_t size = std::size_t{3} * static_cast<std::size_t>(view.width) *
                             static_cast<std::size_t>(view.height);
    return FileBytes(view.data, view.data + size);
}

// --- JPEG ---

inline FileBytes segment(std::uint8_t marker, const FileBytes& data) {
    const std::size_t length = data.size() + 2;
    FileBytes bytes = {0xFF, marker, static_cast<std::uint8_t>(length >> 8),
                       static_cast<std::uint8_t>(length)};
    append(bytes, data);
    return bytes;
}

// The parts of a gray JPEG of one quantization table and Huffman codes of one bit, "0": no
// difference, end of block. A block is two bits, and every sample 128.
struct JpegParts {
    FileBytes start = {0xFF, 0xD8};
    FileBytes application;
    FileBytes quantization = segment(0xDB, [] {
        FileBytes data(65, 1);
        data[0] = 0;
        return data;
    }());
    // 8 bits, height, width, one component: name 1, sampled 1x1, table 0.
    FileBytes frame = segment(0xC0, {8, 0, 8, 0, 8, 1, 1, 0x11, 0});
    FileBytes codes = [] {
        FileBytes both = segment(0xC4, codes_of_one(0x00, 0));
        append(both, segment(0xC4, codes_of_one(0x10, 0)));
        return both;
    }();
    FileBytes restart;
    FileBytes scan = segment(0xDA, {1, 1, 0x00, 0, 63, 0});
    FileBytes data = {0x3F};
    FileBytes more;
    FileBytes end = {0xFF, 0xD9};

    // A DHT segment's table with the one code "0".
    static FileBytes codes_of_one(std::uint8_t kind, std::uint8_t symbol) {
        FileBytes table(18, 0);
        table[0] = kind;
        table[1] = 1;
        table[17] = symbol;
        return table;
    }

    FileBytes bytes() const {
        FileBytes all;
        for (const FileBytes* part : {&start, &application, &quantization, &frame, &codes, &restart,
                                      &scan, &data, &more, &end}) {
            append(all, *part);
        }
        return all;
    }
};

// --- PNG ---

inline FileBytes big_endian(std::uint32_t value) {
    return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
            static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

inline FileBytes chunk(std::string_view name, const FileBytes& data) {
    FileBytes bytes = big_endian(static_cast<std::uint32_t>(data.size()));
    FileBytes summed = text_bytes(name);
    append(summed, data);
    append(bytes, summed);
    append(bytes, big_endian(crc32(as_span(summed))));
    return bytes;
}

// A zlib stream that is not compressed: blocks of at most 65535 bytes.
inline FileBytes stored_zlib(const FileBytes& data) {
    FileBytes bytes = {0x78, 0x01};
    std::uint32_t a = 1, b = 0;  // Adler-32
    for (std::size_t at = 0; at == 0 || at < data.size(); at += 65535) {
        const std::size_t count = std::min<std::size_t>(65535, data.size() - at);
        bytes.push_back(at + count >= data.size() ? 1 : 0);
        for (const std::size_t n : {count, ~count}) {
            bytes.push_back(static_cast<std::uint8_t>(n));
            bytes.push_back(static_cast<std::uint8_t>(n >> 8));
        }
        bytes.insert(bytes.end(), data.begin() + static_cast<std::ptrdiff_t>(at),
                     data.begin() + static_cast<std::ptrdiff_t>(at + count));
    }
    for (const std::uint8_t byte : data) {
        a = (a + byte) % 65521;
        b = (b + a) % 65521;
    }
    append(bytes, big_endian(b << 16 | a));
    return bytes;
}

// The parts of a PNG; `rows` are filter bytes and pixels.
struct PngParts {
    FileBytes signature = text_bytes("\x89PNG\r\n\x1A\n");
    std::uint32_t width = 2, height = 1;
    std::uint8_t depth = 8, color = 2, interlace = 0;
    FileBytes before;  // chunks between header and pixels
    FileBytes rows = text_bytes(std::string_view("\0\x0A\x14\x1E\x28\x32\x3C", 7));  // 10 to 60
    FileBytes after;  // chunks behind the pixels
    FileBytes end = chunk("IEND", {});

    FileBytes header() const {
        FileBytes data = big_endian(width);
        append(data, big_endian(height));
        append(data, {depth, color, 0, 0, interlace});
        return chunk("IHDR", data);
    }
    FileBytes bytes() const {
        FileBytes all = signature;
        append(all, header());
        append(all, before);
        append(all, chunk("IDAT", stored_zlib(rows)));
        append(all, after);
        append(all, end);
        return all;
    }
};

// --- BMP ---

inline FileBytes little_endian(std::uint32_t value, int count) {
    FileBytes bytes;
    for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return bytes;
}

// The parts of a BMP with a header of 40 bytes.
struct BmpParts {
    std::int32_t width = 2, height = 1;
    std::uint32_t bits = 24, compression = 0, used = 0;
    FileBytes palette;
    FileBytes pixels = {1, 2, 3, 4, 5, 6, 0, 0};

    FileBytes bytes() const {
        FileBytes all = {'B', 'M'};
        const std::size_t at = 54 + palette.size();
        append(all, little_endian(static_cast<std::uint32_t>(at + pixels.size()), 4));
        append(all, little_endian(0, 4));
        append(all, little_endian(static_cast<std::uint32_t>(at), 4));
        append(all, little_endian(40, 4));
        append(all, little_endian(static_cast<std::uint32_t>(width), 4));
        append(all, little_endian(static_cast<std::uint32_t>(height), 4));
        append(all, little_endian(1, 2));
        append(all, little_endian(bits, 2));
        append(all, little_endian(compression, 4));
        append(all, FileBytes(12, 0));
        append(all, little_endian(used, 4));
        append(all, little_endian(0, 4));
        append(all, palette);
        append(all, pixels);
        return all;
    }
};

}  // namespace lprnet
