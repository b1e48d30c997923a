// What a JPEG file announces, read and checked before a pixel is decoded: ITU-T T.81, annex B.
// Nothing here looks into entropy-coded data but for the markers that end it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/image_file/byte_reader.h"
#include "lprnet/error.h"

namespace lprnet {

// Limits on what a file may announce. Real files have some ten segments and at most some ten scans;
// each bounds the time of a file that was made to take long.
inline constexpr int kMaxJpegSegments = 4096;
inline constexpr int kMaxJpegScans = 256;
// Blocks of all scans together. A progressive photo of 50 megapixels has some 10 million in its ten
// scans; a run of empty blocks takes the file no more than some bits, but each takes time.
inline constexpr std::uint64_t kMaxJpegScanBlocks = std::uint64_t{1} << 25;

// Place of coefficient k, in the order of the file, in a block by rows (T.81, figure A.6).
inline constexpr std::array<std::uint8_t, 64> kZigzag = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

// Code lengths and symbols as a DHT segment has them: counts[i] codes of i + 1 bits. They fit: no
// code is the beginning of another.
struct HuffmanCodes {
    std::array<std::uint8_t, 16> counts = {};
    std::array<std::uint8_t, 256> symbols = {};
    // No symbol of a table for differences of DC coefficients may be above this.
    static constexpr int kMaxDcSymbol = 15;
};

// Steps of the 64 coefficients, in the order of the file.
using QuantSteps = std::array<std::uint16_t, 64>;

struct JpegComponent {
    int id = 0;
    // Sampling factors, 1..4: samples across and down in an MCU are 8 times these.
    int horizontal = 1, vertical = 1;
    int quant_slot = 0;
    // Index in JpegFile::quant_steps of the table in force at the component's first scan.
    int quant_steps = -1;
    // Samples of the picture, rounded up.
    int width = 0, height = 0;
    // Blocks that hold them, and blocks in whole MCUs, which an interleaved scan codes.
    int blocks_wide = 0, blocks_high = 0;
    int padded_wide = 0, padded_high = 0;
};

struct JpegScan {
    struct Part {
        int component = 0;  // index in JpegFile::components
        // Indices in JpegFile::codes; -1 where the scan needs none.
        int dc_codes = -1, ac_codes = -1;
    };
    std::array<Part, 4> parts;
    int part_count = 0;
    // Of a progressive scan: first and last coefficient, and the bit below which the coefficients
    // are still unknown before and after it (T.81, G.1.1.1).
    int first = 0, last = 63, high_bit = 0, low_bit = 0;
    // MCUs between restart markers; 0 for none.
    int restart_interval = 0;
    // Entropy-coded data with its stuffed bytes and restart markers.
    Bytes data;
    std::size_t at = 0;  // where it begins in the file
};

enum class JpegColor { gray, rgb, ycc, cmyk, ycck };

struct JpegFile {
    int width = 0, height = 0;
    bool progressive = false;
    JpegColor color = JpegColor::gray;
    // EXIF, 1..8; 1 if there is none.
    int orientation = 1;
    std::vector<JpegComponent> components;  // 1, 3 or 4
    int max_horizontal = 1, max_vertical = 1;
    int mcus_wide = 0, mcus_high = 0;
    std::vector<HuffmanCodes> codes;
    std::vector<QuantSteps> quant_steps;
    std::vector<JpegScan> scans;
};

// Walks the whole file. What holds on success:
//   - sizes are positive, sampling factors and the MCU within the limits of the standard;
//   - every table that a scan uses is there and consistent (T.81's own Huffman tables where the
//     file has none at all, as frames of MJPEG);
//   - the scans together send every coefficient of every component, to its last bit, once;
//   - no scan is too short to hold a code for each of its blocks.
// The result refers to `file`. May throw std::bad_alloc.
Result<JpegFile> read_jpeg_markers(Bytes file);

}  // namespace lprnet
