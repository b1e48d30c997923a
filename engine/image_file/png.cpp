#include "engine/image_file/png.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/image_file/crc32.h"
#include "engine/image_file/exif.h"
#include "engine/image_file/picture_error.h"
#include "engine/image_file/stb_png.h"

namespace lprnet {
namespace {

constexpr std::array<std::uint8_t, 8> kSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
constexpr std::size_t kChunkEnds = 12;  // length and name before the data, check sum behind it
constexpr std::size_t kMaxChunks = 1 << 16;
constexpr std::size_t kPaletteBytes = 3 * 256;

enum ColorType : std::uint32_t { kGray = 0, kRgb = 2, kPalette = 3, kGrayAlpha = 4, kRgba = 6 };

constexpr std::uint32_t name_of(const char (&text)[5]) noexcept {
    std::uint32_t name = 0;
    for (int i = 0; i < 4; ++i) name = name << 8 | static_cast<std::uint8_t>(text[i]);
    return name;
}

struct Chunk {
    std::uint32_t name = 0;
    Bytes data;
    Bytes summed;  // name and data
    std::uint32_t sum = 0;
    std::size_t at = 0;

    bool intact() const noexcept { return crc32(summed) == sum; }
    // Decoders may pass over those they do not know.
    bool ancillary() const noexcept { return (name & 0x20000000) != 0; }
};

// What a PNG file announces.
struct PngFile {
    std::uint64_t width = 0, height = 0;
    std::uint32_t depth = 0, color = 0;
    bool interlaced = false;
    Bytes header;
    Bytes palette;
    std::vector<Bytes> data;
    std::size_t data_bytes = 0;
    int orientation = 1;

    std::uint64_t channels() const noexcept {
        switch (color) {
            case kRgb: return 3;
            case kGrayAlpha: return 2;
            case kRgba: return 4;
            default: return 1;
        }
    }
    // Rows with their filter bytes. Interlacing has up to twice the rows, and parts of bytes.
    std::uint64_t inflated_bytes() const noexcept {
        const std::uint64_t row = (width * channels() * depth + 7) / 8 + 1;
        return interlaced ? row * height + 2 * height + 16 * width / 8 + 64 : row * height;
    }
};

class Walk {
public:
    explicit Walk(Bytes file) noexcept : bytes_(file) {}

    Result<PngFile> run() {
        at_ = kSignature.size();
        for (std::size_t count = 0;; ++count) {
            if (count == kMaxChunks) {
                return damaged("more than " + std::to_string(kMaxChunks) + " chunks");
            }
            Chunk chunk;
            if (Status status = next_chunk(chunk); !status) return status.error();
            if (count == 0 && chunk.name != name_of("IHDR")) {
                return damaged_at(chunk.at, "a chunk before the header");
            }
            if (chunk.name == name_of("IEND")) break;
            if (Status status = read_chunk(chunk); !status) return status.error();
        }
        if (file_.data_bytes == 0) return damaged("no pixels in the file");
        if (file_.color == kPalette && file_.palette.empty()) return damaged("no palette");
        return std::move(file_);
    }

private:
    Status next_chunk(Chunk& chunk) {
        chunk.at = at_;
        if (bytes_.size() - at_ < kChunkEnds) return damaged("it ends before its last chunk");
        const std::size_t length = big_endian32(bytes_, at_);
        if (length > bytes_.size() - at_ - kChunkEnds) {
            return damaged_at(at_, "the file ends in the chunk");
        }
        chunk.name = big_endian32(bytes_, at_ + 4);
        for (std::size_t i = 0; i < 4; ++i) {
            const std::uint32_t letter = byte_at(bytes_, at_ + 4 + i) | 0x20;
            if (letter < 'a' || letter > 'z') return damaged_at(at_, "a chunk without a name");
        }
        chunk.data = bytes_.subspan(at_ + 8, length);
        chunk.summed = bytes_.subspan(at_ + 4, 4 + length);
        chunk.sum = big_endian32(bytes_, at_ + 8 + length);
        at_ += kChunkEnds + length;
        return {};
    }

    Status read_chunk(const Chunk& chunk) {
        const bool data = chunk.name == name_of("IDAT");
        if (!data && !file_.data.empty()) data_ended_ = true;
        if (chunk.ancillary()) {
            if (chunk.name == name_of("eXIf")) read_exif(chunk);
            return {};
        }
        const bool palette = chunk.name == name_of("PLTE");
        // A palette for pictures in color is a hint and of no use here.
        if (palette && !file_.header.empty() && file_.color != kPalette) return {};
        if (!chunk.intact()) return damaged_at(chunk.at, "a wrong check sum of the chunk");
        if (chunk.name == name_of("IHDR")) return read_header(chunk);
        if (palette) return read_palette(chunk);
        if (!data) return damaged_at(chunk.at, "a chunk that cannot be");
        if (data_ended_) return damaged_at(chunk.at, "pixels apart from each other");
        file_.data.push_back(chunk.data);
        file_.data_bytes += chunk.data.size();
        return {};
    }

    void read_exif(const Chunk& chunk) noexcept {
        if (seen_exif_ || !chunk.intact() || !names_byte_order(chunk.data)) return;
        seen_exif_ = true;
        file_.orientation = exif_orientation(chunk.data).value_or(1);
    }

    // libpng passes over chunks without.
    static bool names_byte_order(Bytes tiff) noexcept {
        if (tiff.size() < 2) return false;
        const std::uint32_t order = big_endian16(tiff, 0);
        return order == 0x4949 || order == 0x4D4D;  // "II", "MM"
    }

    Status read_header(const Chunk& chunk) {
        if (!file_.header.empty()) return damaged_at(chunk.at, "a second header");
        if (chunk.data.size() != 13) return damaged_at(chunk.at, "a header of the wrong length");
        file_.header = chunk.data;
        file_.width = big_endian32(chunk.data, 0);
        file_.height = big_endian32(chunk.data, 4);
        file_.depth = byte_at(chunk.data, 8);
        file_.color = byte_at(chunk.data, 9);
        file_.interlaced = byte_at(chunk.data, 12) == 1;
        constexpr std::uint64_t kMostSide = 0x7FFFFFFF;
        if (file_.width == 0 || file_.height == 0 || file_.width > kMostSide ||
            file_.height > kMostSide) {
            return damaged("a size of " + std::to_string(file_.width) + "x" +
                           std::to_string(file_.height));
        }
        if (!is_valid_depth() || byte_at(chunk.data, 10) != 0 || byte_at(chunk.data, 11) != 0 ||
            byte_at(chunk.data, 12) > 1) {
            return damaged_at(chunk.at, "a header that cannot be");
        }
        return {};
    }

    bool is_valid_depth() const noexcept {
        const std::uint32_t d = file_.depth;
        switch (file_.color) {
            case kGray: return d == 1 || d == 2 || d == 4 || d == 8 || d == 16;
            case kPalette: return d == 1 || d == 2 || d == 4 || d == 8;
            case kRgb:
            case kGrayAlpha:
            case kRgba: return d == 8 || d == 16;
            default: return false;
        }
    }

    Status read_palette(const Chunk& chunk) {
        if (!file_.palette.empty() || !file_.data.empty()) {
            return damaged_at(chunk.at, "a palette in the wrong place");
        }
        if (chunk.data.empty() || chunk.data.size() % 3 != 0 || chunk.data.size() > kPaletteBytes) {
            return damaged_at(chunk.at, "a palette of the wrong length");
        }
        file_.palette = chunk.data;
        return {};
    }

    Bytes bytes_;
    std::size_t at_ = 0;
    PngFile file_;
    bool data_ended_ = false;
    bool seen_exif_ = false;
};

// A PNG file of what matters alone: header, palette, pixels.
class PlainPng {
public:
    explicit PlainPng(const PngFile& file) {
        bytes_.reserve(kSignature.size() + 4 * kChunkEnds + 13 + kPaletteBytes + file.data_bytes);
        bytes_.assign(kSignature.begin(), kSignature.end());
        begin("IHDR", file.header.size());
        add(file.header);
        end();
        if (file.color == kPalette) {
            // All 256 entries: an index past the file's own palette is black, as OpenCV has it.
            begin("PLTE", kPaletteBytes);
            add(file.palette);
            bytes_.resize(bytes_.size() + kPaletteBytes - file.palette.size());
            end();
        }
        begin("IDAT", file.data_bytes);
        for (const Bytes piece : file.data) add(piece);
        end();
        begin("IEND", 0);
        end();
    }

    const std::vector<std::uint8_t>& bytes() const noexcept { return bytes_; }

private:
    void begin(const char (&name)[5], std::size_t length) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            bytes_.push_back(static_cast<std::uint8_t>(length >> shift));
        }
        bytes_.insert(bytes_.end(), name, name + 4);
    }
    void add(Bytes bytes) {
        const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
        bytes_.insert(bytes_.end(), data, data + bytes.size());
    }
    // stb_image looks at no check sum; they were checked.
    void end() { bytes_.resize(bytes_.size() + 4); }

    std::vector<std::uint8_t> bytes_;
};

// The most that stb_image holds at once: compressed data with what it inflates to (for interlaced
// pictures it guesses too little, and doubles), that with the pixels in their own channels (twice
// if interlaced), or those with RGB, which has 16 bits a channel for a while if the file has.
std::uint64_t stb_bytes_of(const PngFile& file) noexcept {
    const std::uint64_t passes = file.interlaced ? 2 : 1;
    const std::uint64_t inflated = passes * file.inflated_bytes();
    const std::uint64_t pixels = file.width * file.height;
    const std::uint64_t bytes = file.depth == 16 ? 2 : 1;
    const std::uint64_t decoded = pixels * file.channels() * bytes;
    return std::max({file.data_bytes + inflated, inflated + passes * decoded,
                     decoded + 3 * pixels * bytes, 3 * pixels * (bytes + 1)});
}

}  // namespace

bool is_png(Bytes file) noexcept {
    return file.size() >= kSignature.size() &&
           std::memcmp(file.data(), kSignature.data(), kSignature.size()) == 0;
}

Result<DecodedImage> decode_png(Bytes bytes, const ImageLimits& limits) {
    Result<PngFile> chunks = Walk(bytes).run();
    if (!chunks) return chunks.error();
    const PngFile& file = *chunks;

    // First whether the numbers below fit 64 bits at all.
    if (Status status = check_memory(file.width, file.height, 0, limits.max_bytes); !status) {
        return status.error();
    }
    // Deflate makes at most 1032 bytes of one.
    constexpr std::uint64_t kMostInflation = 1032;
    const std::uint64_t pixels = file.width * file.height;
    const std::uint64_t stb_bytes = stb_bytes_of(file);
    // One copy of the compressed data for stb_image, and then its pixels and ours.
    const std::uint64_t needed = file.data_bytes + std::max(stb_bytes, 6 * pixels);
    if (Status status = check_memory(file.width, file.height, needed, limits.max_bytes); !status) {
        return status.error();
    }
    if (file.width * file.height * file.channels() * file.depth / 8 >
        kMostInflation * file.data_bytes) {
        return damaged("it ends before its last pixel");
    }
    constexpr std::uint64_t kTables = 1 << 16;  // stb_image's own state
    int width = static_cast<int>(file.width);
    int height = static_cast<int>(file.height);
    Result<std::vector<std::uint8_t>> rgb = stb_decode_png(
        PlainPng(file).bytes(), width, height, static_cast<std::size_t>(stb_bytes + kTables));
    if (!rgb) return rgb.error();
    std::vector<std::uint8_t> upright =
        turn_upright(*std::move(rgb), width, height, file.orientation);
    return DecodedImage(std::move(upright), width, height);
}

}  // namespace lprnet
