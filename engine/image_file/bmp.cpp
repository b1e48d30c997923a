#include "engine/image_file/bmp.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <utility>
#include <vector>

#include "engine/image_file/picture_error.h"

namespace lprnet {
namespace {

constexpr std::size_t kFileHeader = 14;
constexpr std::size_t kOs2Header = 12;
constexpr std::size_t kSmallestHeader = 36;  // of the others
constexpr std::size_t kHeaderWithMasks = 56;
constexpr std::size_t kMasks = kFileHeader + 40;  // in the header or behind one of 40 bytes

enum Compression : std::uint32_t { kNoCompression = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3 };

using Color = std::array<std::uint8_t, 3>;  // red, green, blue

struct BmpFile {
    int width = 0, height = 0;
    bool top_down = false;
    std::uint32_t bits = 0;
    std::uint32_t compression = kNoCompression;
    std::size_t header = 0;
    std::array<Color, 256> palette = {};  // black past the file's own entries, as OpenCV has it
    std::size_t pixels_at = 0;

    std::size_t row_bytes() const noexcept {
        return (static_cast<std::size_t>(width) * bits + 31) / 32 * 4;
    }
};

Result<BmpFile> read_headers(Bytes bytes) {
    BmpFile file;
    if (bytes.size() < kFileHeader + kOs2Header) return damaged("the file ends in its header");
    file.pixels_at = little_endian32(bytes, 10);
    file.header = little_endian32(bytes, 14);
    const bool os2 = file.header == kOs2Header;
    if (!os2 && file.header < kSmallestHeader) return damaged("a header that cannot be");
    if (file.header > bytes.size() - kFileHeader) return damaged("the file ends in its header");
    std::uint32_t used = 0;
    if (os2) {
        file.width = static_cast<int>(little_endian16(bytes, 18));
        file.height = static_cast<int>(little_endian16(bytes, 20));
        file.bits = little_endian16(bytes, 24);
    } else {
        file.width = static_cast<std::int32_t>(little_endian32(bytes, 18));
        const auto height = static_cast<std::int32_t>(little_endian32(bytes, 22));
        file.top_down = height < 0;
        // The magnitude of the least number fits unsigned ones alone; it is refused below.
        file.height = static_cast<int>(height < 0 ? 0U - static_cast<std::uint32_t>(height)
                                                  : static_cast<std::uint32_t>(height));
        file.bits = little_endian16(bytes, 28);
        file.compression = little_endian32(bytes, 30);
        if (file.header >= 36) used = little_endian32(bytes, 46);
    }
    if (file.width <= 0 || file.height <= 0) {
        return damaged("a size of " + std::to_string(file.width) + "x" +
                       std::to_string(file.height));
    }
    const bool indexed = file.bits == 1 || file.bits == 4 || file.bits == 8;
    const bool fits_compression =
        (file.compression == kNoCompression &&
         (indexed || file.bits == 16 || file.bits == 24 || file.bits == 32)) ||
        (file.compression == kRle8 && file.bits == 8) ||
        (file.compression == kRle4 && file.bits == 4) ||
        (file.compression == kBitFields && (file.bits == 16 || file.bits == 32));
    if (!fits_compression) {
        return not_supported("BMP of " + std::to_string(file.bits) + " bits a pixel, compression " +
                             std::to_string(file.compression));
    }
    if (indexed) {
        constexpr std::size_t kMostColors = 256;
        if (used > kMostColors) return damaged("a palette of " + std::to_string(used) + " colors");
        const std::size_t count = used > 0 ? used : std::size_t{1} << file.bits;
        const std::size_t entry = os2 ? 3 : 4;
        const std::size_t at = kFileHeader + file.header;
        if (count * entry > bytes.size() - at) return damaged("the file ends in its palette");
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t c = 0; c < 3; ++c) {
                file.palette[i][2 - c] =
                    static_cast<std::uint8_t>(byte_at(bytes, at + i * entry + c));
            }
        }
    }
    if (file.pixels_at > bytes.size()) return damaged("the file ends before its pixels");
    return file;
}

// --- Rows that lie in the file as they are ---

void read_indexed_row(const BmpFile& file, Bytes row, std::uint8_t* out) noexcept {
    const std::uint32_t mask = (1U << file.bits) - 1;
    for (std::size_t x = 0; x < static_cast<std::size_t>(file.width); ++x, out += 3) {
        const std::size_t bit = x * file.bits;
        const std::uint32_t shift = 8 - file.bits - static_cast<std::uint32_t>(bit % 8);
        const Color& color = file.palette[byte_at(row, bit / 8) >> shift & mask];
        std::copy(color.begin(), color.end(), out);
    }
}

void read_color_row(const BmpFile& file, Bytes row, std::uint8_t* out) noexcept {
    const std::size_t step = file.bits / 8;
    for (std::size_t x = 0; x < static_cast<std::size_t>(file.width); ++x, out += 3) {
        for (std::size_t c = 0; c < 3; ++c) {
            out[c] = static_cast<std::uint8_t>(byte_at(row, x * step + 2 - c));
        }
    }
}

// Places of red, green and blue in a pixel. Like OpenCV, channels of 16-bit pixels become the upper
// bits of a byte, and those of 32-bit pixels are scaled to 255 and cut off.
using Masks = std::array<std::uint32_t, 3>;

constexpr Masks kMasks555 = {0x7C00, 0x03E0, 0x001F};
constexpr Masks kMasks565 = {0xF800, 0x07E0, 0x001F};
constexpr Masks kNoMasks = {0x00FF0000, 0x0000FF00, 0x000000FF};

void read_row16(const BmpFile& file, const Masks& masks, Bytes row, std::uint8_t* out) noexcept {
    for (std::size_t x = 0; x < static_cast<std::size_t>(file.width); ++x, out += 3) {
        const std::uint32_t pixel = little_endian16(row, 2 * x);
        for (std::size_t c = 0; c < 3; ++c) {
            const std::uint32_t value = (pixel & masks[c]) >> std::countr_zero(masks[c]);
            out[c] = static_cast<std::uint8_t>(value << (8 - std::popcount(masks[c])));
        }
    }
}

void read_row32(const BmpFile& file, const Masks& masks, Bytes row, std::uint8_t* out) noexcept {
    for (std::size_t c = 0; c < 3; ++c) {
        const int lowest = std::countr_zero(masks[c]);
        const float scale = 255.0F / static_cast<float>(masks[c] >> lowest);
        for (std::size_t x = 0; x < static_cast<std::size_t>(file.width); ++x) {
            const std::uint32_t value = (little_endian32(row, 4 * x) & masks[c]) >> lowest;
            out[3 * x + c] = static_cast<std::uint8_t>(static_cast<float>(value) * scale);
        }
    }
}

// What the masks in the file are, or an error.
Result<Masks> read_masks(const BmpFile& file, Bytes bytes) {
    if (bytes.size() < kMasks + 12) return damaged("the file ends in its header");
    Masks masks;
    for (std::size_t c = 0; c < 3; ++c) masks[c] = little_endian32(bytes, kMasks + 4 * c);
    if (file.bits == 32) {
        const bool all = masks[0] != 0 && masks[1] != 0 && masks[2] != 0;
        return all ? masks : kNoMasks;
    }
    if (masks == kMasks555 || masks == kMasks565) return masks;
    return not_supported("BMP with color masks other than 5, 5 and 5 or 5, 6 and 5 bits");
}

Status read_plain(const BmpFile& file, Bytes bytes, std::vector<std::uint8_t>& out) {
    const std::size_t row_bytes = file.row_bytes();
    const auto rows = static_cast<std::size_t>(file.height);
    if (row_bytes * rows > bytes.size() - file.pixels_at) {
        return damaged("it ends before its last pixel");
    }
    // A pixel of 32 bits has masks of its own only where the header has room for them.
    const bool masked =
        file.bits == 16 || (file.compression == kBitFields && file.header >= kHeaderWithMasks);
    Masks masks = kMasks555;
    if (masked && file.compression == kBitFields) {
        Result<Masks> found = read_masks(file, bytes);
        if (!found) return found.error();
        masks = *found;
    }
    for (std::size_t y = 0; y < rows; ++y) {
        const Bytes row = bytes.subspan(file.pixels_at + y * row_bytes, row_bytes);
        const std::size_t line = file.top_down ? y : rows - 1 - y;
        std::uint8_t* to = out.data() + 3 * line * static_cast<std::size_t>(file.width);
        if (masked) {
            (file.bits == 16 ? read_row16 : read_row32)(file, masks, row, to);
        } else if (file.bits <= 8) {
            read_indexed_row(file, row, to);
        } else {
            read_color_row(file, row, to);
        }
    }
    return {};
}

// --- Runs ---

// Where runs write: pixels not reached have the palette's first color.
class RunPainter {
public:
    RunPainter(const BmpFile& file, std::vector<std::uint8_t>& out) noexcept
        : file_(file), out_(out) {
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = file.palette[0][i % 3];
    }

    bool full() const noexcept { return y_ >= file_.height; }
    bool fits(int count) const noexcept { return !full() && count <= file_.width - x_; }
    // Precondition: fits(1).
    void put(std::uint32_t index) noexcept {
        const int line = file_.top_down ? y_ : file_.height - 1 - y_;
        const Color& color = file_.palette[index];
        std::copy(color.begin(), color.end(),
                  out_.data() + 3 * (std::ptrdiff_t{line} * file_.width + x_));
        ++x_;
    }
    void end_line() noexcept {
        x_ = 0;
        ++y_;
    }
    // False if it leads out of the picture.
    bool move(int right, int up) noexcept {
        x_ += right;
        y_ += up;
        return x_ <= file_.width && y_ <= file_.height;
    }

private:
    const BmpFile& file_;
    std::vector<std::uint8_t>& out_;
    int x_ = 0, y_ = 0;
};

Status read_runs(const BmpFile& file, Bytes bytes, std::vector<std::uint8_t>& out) {
    RunPainter painter(file, out);
    const bool nibbles = file.compression == kRle4;
    const auto index = [&](std::uint32_t byte, int i) {
        if (!nibbles) return byte;
        return i % 2 == 0 ? byte >> 4 : byte & 15;
    };
    std::size_t at = file.pixels_at;
    const auto left = [&] { return bytes.size() - at; };
    const Error ends = damaged("it ends before its last pixel");
    const Error leaves = damaged("a run that leaves the picture at byte " + std::to_string(at));
    while (!painter.full()) {
        if (left() < 2) return ends;
        const int count = static_cast<int>(byte_at(bytes, at));
        const std::uint32_t value = byte_at(bytes, at + 1);
        at += 2;
        if (count > 0) {
            if (!painter.fits(count)) return leaves;
            for (int i = 0; i < count; ++i) painter.put(index(value, i));
        } else if (value == 0) {
            painter.end_line();
        } else if (value == 1) {
            break;
        } else if (value == 2) {
            if (left() < 2) return ends;
            if (!painter.move(static_cast<int>(byte_at(bytes, at)),
                              static_cast<int>(byte_at(bytes, at + 1)))) {
                return leaves;
            }
            at += 2;
        } else {
            // Pixels one by one, padded to an even number of bytes.
            const int literal = static_cast<int>(value);
            const std::size_t used = nibbles ? (value + 1) / 2 : value;
            if (left() < used) return ends;
            if (!painter.fits(literal)) return leaves;
            for (int i = 0; i < literal; ++i) {
                const auto offset = static_cast<std::size_t>(nibbles ? i / 2 : i);
                painter.put(index(byte_at(bytes, at + offset), i));
            }
            at += std::min(used + used % 2, left());
        }
    }
    return {};
}

}  // namespace

bool is_bmp(Bytes file) noexcept {
    return file.size() >= 2 && byte_at(file, 0) == 'B' && byte_at(file, 1) == 'M';
}

Result<DecodedImage> decode_bmp(Bytes bytes, const ImageLimits& limits) {
    Result<BmpFile> headers = read_headers(bytes);
    if (!headers) return headers.error();
    const BmpFile& file = *headers;
    const auto width = static_cast<std::uint64_t>(file.width);
    const auto height = static_cast<std::uint64_t>(file.height);
    const std::uint64_t needed = 3 * width * height;
    if (Status status = check_memory(width, height, needed, limits.max_bytes); !status) {
        return status.error();
    }
    const bool runs = file.compression == kRle8 || file.compression == kRle4;
    // Two bytes of a run paint 255 pixels at most. Runs may leave pixels out, but a picture that is
    // nearly all left out only costs memory and time.
    constexpr std::uint64_t kMostPixelsOfByte = 128;
    if (runs ? width * height > kMostPixelsOfByte * bytes.size()
             : file.row_bytes() * height > bytes.size()) {
        return damaged("it ends before its last pixel");
    }
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(needed));
    const Status read = runs ? read_runs(file, bytes, pixels) : read_plain(file, bytes, pixels);
    if (!read) return read.error();
    return DecodedImage(std::move(pixels), file.width, file.height);
}

}  // namespace lprnet
