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
    std::uint32_t used_colors = 0;        // of the palette; 0: as many as the bits tell apart
    std::array<Color, 256> palette = {};  // black past the file's own entries, as OpenCV has it
    std::size_t pixels_at = 0;

    bool os2() const noexcept { return header == kOs2Header; }
    bool indexed() const noexcept { return bits == 1 || bits == 4 || bits == 8; }
    std::size_t row_bytes() const noexcept {
        return (static_cast<std::size_t>(width) * bits + 31) / 32 * 4;
    }
};

// What is in the header after its length.
void read_fields(Bytes bytes, BmpFile& file) noexcept {
    if (file.os2()) {
        file.width = static_cast<int>(little_endian16(bytes, 18));
        file.height = static_cast<int>(little_endian16(bytes, 20));
        file.bits = little_endian16(bytes, 24);
        return;
    }
    file.width = static_cast<std::int32_t>(little_endian32(bytes, 18));
    const auto height = static_cast<std::int32_t>(little_endian32(bytes, 22));
    file.top_down = height < 0;
    // The magnitude of the least number fits unsigned ones alone; it is refused by read_headers().
    file.height = static_cast<int>(height < 0 ? 0U - static_cast<std::uint32_t>(height)
                                              : static_cast<std::uint32_t>(height));
    file.bits = little_endian16(bytes, 28);
    file.compression = little_endian32(bytes, 30);
    if (file.header >= 36) file.used_colors = little_endian32(bytes, 46);
}

// Whether pixels of so many bits can be written that way.
bool fits_compression(const BmpFile& file) noexcept {
    switch (file.compression) {
        case kNoCompression:
            return file.indexed() || file.bits == 16 || file.bits == 24 || file.bits == 32;
        case kRle8: return file.bits == 8;
        case kRle4: return file.bits == 4;
        case kBitFields: return file.bits == 16 || file.bits == 32;
        default: return false;
    }
}

Status read_palette(Bytes bytes, BmpFile& file) {
    constexpr std::size_t kMostColors = 256;
    if (file.used_colors > kMostColors) {
        return damaged("a palette of " + std::to_string(file.used_colors) + " colors");
    }
    const std::size_t count = file.used_colors > 0 ? file.used_colors : std::size_t{1} << file.bits;
    const std::size_t entry = file.os2() ? 3 : 4;
    const std::size_t at = kFileHeader + file.header;
    if (count * entry > bytes.size() - at) return damaged("the file ends in its palette");
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t c = 0; c < 3; ++c) {
            file.palette[i][2 - c] = static_cast<std::uint8_t>(byte_at(bytes, at + i * entry + c));
        }
    }
    return {};
}

Result<BmpFile> read_headers(Bytes bytes) {
    BmpFile file;
    if (bytes.size() < kFileHeader + kOs2Header) return damaged("the file ends in its header");
    file.pixels_at = little_endian32(bytes, 10);
    file.header = little_endian32(bytes, 14);
    if (!file.os2() && file.header < kSmallestHeader) return damaged("a header that cannot be");
    if (file.header > bytes.size() - kFileHeader) return damaged("the file ends in its header");
    read_fields(bytes, file);
    if (file.width <= 0 || file.height <= 0) {
        return damaged("a size of " + std::to_string(file.width) + "x" +
                       std::to_string(file.height));
    }
    if (!fits_compression(file)) {
        return not_supported("BMP of " + std::to_string(file.bits) + " bits a pixel, compression " +
                             std::to_string(file.compression));
    }
    if (file.indexed()) {
        if (Status status = read_palette(bytes, file); !status) return status.error();
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

// Paints the runs of a file, which is compressed.
class RunReader {
public:
    RunReader(const BmpFile& file, Bytes bytes, std::vector<std::uint8_t>& out) noexcept
        : file_(file),
          bytes_(bytes),
          painter_(file, out),
          nibbles_(file.compression == kRle4),
          at_(file.pixels_at) {}

    Status read() {
        Outcome outcome = Outcome::next;
        while (outcome == Outcome::next && !painter_.full()) outcome = read_one();
        if (outcome == Outcome::file_ends) return damaged("it ends before its last pixel");
        if (outcome == Outcome::run_leaves) {
            return damaged("a run that leaves the picture at byte " +
                           std::to_string(file_.pixels_at));
        }
        return {};
    }

private:
    enum class Outcome { next, end, file_ends, run_leaves };

    std::size_t left() const noexcept { return bytes_.size() - at_; }
    // Of pixel i of a run of this byte.
    std::uint32_t index(std::uint32_t byte, int i) const noexcept {
        if (!nibbles_) return byte;
        return i % 2 == 0 ? byte >> 4 : byte & 15;
    }

    Outcome read_one() noexcept {
        if (left() < 2) return Outcome::file_ends;
        const int count = static_cast<int>(byte_at(bytes_, at_));
        const std::uint32_t value = byte_at(bytes_, at_ + 1);
        at_ += 2;
        if (count > 0) return repeat(count, value);
        switch (value) {
            case 0: painter_.end_line(); return Outcome::next;
            case 1: return Outcome::end;
            case 2: return move();
            default: return copy(value);
        }
    }

    Outcome repeat(int count, std::uint32_t value) noexcept {
        if (!painter_.fits(count)) return Outcome::run_leaves;
        for (int i = 0; i < count; ++i) painter_.put(index(value, i));
        return Outcome::next;
    }

    Outcome move() noexcept {
        if (left() < 2) return Outcome::file_ends;
        const bool inside = painter_.move(static_cast<int>(byte_at(bytes_, at_)),
                                          static_cast<int>(byte_at(bytes_, at_ + 1)));
        at_ += 2;
        return inside ? Outcome::next : Outcome::run_leaves;
    }

    // Pixels one by one, padded to an even number of bytes.
    Outcome copy(std::uint32_t count) noexcept {
        const int literal = static_cast<int>(count);
        const std::size_t used = nibbles_ ? (count + 1) / 2 : count;
        if (left() < used) return Outcome::file_ends;
        if (!painter_.fits(literal)) return Outcome::run_leaves;
        for (int i = 0; i < literal; ++i) {
            const auto offset = static_cast<std::size_t>(nibbles_ ? i / 2 : i);
            painter_.put(index(byte_at(bytes_, at_ + offset), i));
        }
        at_ += std::min(used + used % 2, left());
        return Outcome::next;
    }

    const BmpFile& file_;
    Bytes bytes_;
    RunPainter painter_;
    bool nibbles_;
    std::size_t at_;
};

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
    const Status read =
        runs ? RunReader(file, bytes, pixels).read() : read_plain(file, bytes, pixels);
    if (!read) return read.error();
    return DecodedImage(std::move(pixels), file.width, file.height);
}

}  // namespace lprnet
