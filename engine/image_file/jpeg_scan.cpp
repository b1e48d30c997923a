#include "engine/image_file/jpeg_scan.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "engine/image_file/jpeg_bits.h"
#include "engine/image_file/picture_error.h"

namespace lprnet {
namespace {

// Why decoding stopped; a null pointer if it did not.
using Reason = const char*;
constexpr Reason kNoCode = "data that is no Huffman code";
constexpr Reason kTooLong = "a block of more than 64 coefficients";
constexpr Reason kTooShort = "blocks are missing, the data ends early";

// The data between two restart markers, without stuffed bytes.
class ScanData {
public:
    explicit ScanData(const JpegScan& scan) : data_(scan.data) { plain_.reserve(data_.size()); }

    // Moves to the next piece. False if there is none, or if the marker in front of it has not the
    // number that its place asks for.
    bool next() {
        if (pieces_ > 0 && (at_ == data_.size() || marker_ != (pieces_ - 1) % 8)) return false;
        ++pieces_;
        plain_.clear();
        while (at_ < data_.size()) {
            const std::uint8_t* from = bytes() + at_;
            const void* found = std::memchr(from, 0xFF, data_.size() - at_);
            const std::size_t count =
                found == nullptr
                    ? data_.size() - at_
                    : static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - from);
            plain_.insert(plain_.end(), from, from + count);
            at_ += count;
            if (at_ == data_.size()) break;
            // Fill bytes may stand in front of a marker, and of a stuffed byte too.
            while (at_ < data_.size() && bytes()[at_] == 0xFF) ++at_;
            if (at_ == data_.size()) break;
            const std::uint8_t second = bytes()[at_++];
            if (second != 0) {
                marker_ = second - 0xD0;
                return true;
            }
            plain_.push_back(0xFF);
        }
        return true;
    }

    std::span<const std::uint8_t> plain() const noexcept { return plain_; }

private:
    const std::uint8_t* bytes() const noexcept {
        return reinterpret_cast<const std::uint8_t*>(data_.data());
    }

    Bytes data_;
    std::size_t at_ = 0;
    int pieces_ = 0;
    int marker_ = 0;
    std::vector<std::uint8_t> plain_;
};

// One component of a scan with its decoders.
struct Part {
    int component = 0;
    const JpegComponent* shape = nullptr;
    const HuffmanDecoder* dc = nullptr;
    const HuffmanDecoder* ac = nullptr;
    std::int16_t last_dc = 0;
};

// The state of a scan: its components, each table made ready once.
class Scan {
public:
    Scan(const JpegFile& file, const JpegScan& scan) : file_(file), scan_(scan) {
        decoders_.reserve(8);  // so that the pointers below stay
        std::array<int, 8> made = {};
        const auto decoder = [&](int codes) -> const HuffmanDecoder* {
            if (codes < 0) return nullptr;
            for (std::size_t i = 0; i < decoders_.size(); ++i) {
                if (made[i] == codes) return &decoders_[i];
            }
            made[decoders_.size()] = codes;
            return &decoders_.emplace_back(file.codes[static_cast<std::size_t>(codes)]);
        };
        for (int i = 0; i < scan.part_count; ++i) {
            const JpegScan::Part& from = scan.parts[static_cast<std::size_t>(i)];
            Part& part = parts_[static_cast<std::size_t>(i)];
            part.component = from.component;
            part.shape = &file.components[static_cast<std::size_t>(from.component)];
            part.dc = decoder(from.dc_codes);
            part.ac = decoder(from.ac_codes);
        }
    }

    // Calls block(bits, part, x, y) for every block in the order of the file, and restart() behind
    // each restart marker.
    template <class Block, class Restart>
    Status for_each_block(const Block& block, const Restart& restart) {
        ScanData data(scan_);
        const bool interleaved = scan_.part_count > 1;
        const int wide = interleaved ? file_.mcus_wide : parts_[0].shape->blocks_wide;
        const int high = interleaved ? file_.mcus_high : parts_[0].shape->blocks_high;
        std::optional<BitReader> bits;
        int until_restart = 0;
        for (int y = 0; y < high; ++y) {
            for (int x = 0; x < wide; ++x) {
                if (until_restart == 0) {
                    if (!data.next()) return fail("a restart marker is missing");
                    bits.emplace(data.plain());
                    for (Part& part : parts_) part.last_dc = 0;
                    restart();
                    until_restart = scan_.restart_interval;
                    if (until_restart == 0) until_restart = -1;  // never
                }
                --until_restart;
                const Reason reason =
                    interleaved ? mcu(*bits, x, y, block) : block(*bits, parts_[0], x, y);
                if (reason != nullptr) return fail(reason);
                if (bits->overrun()) return fail(kTooShort);
            }
        }
        return {};
    }

private:
    template <class Block>
    Reason mcu(BitReader& bits, int x, int y, const Block& block) {
        for (int i = 0; i < scan_.part_count; ++i) {
            Part& part = parts_[static_cast<std::size_t>(i)];
            const int across = part.shape->horizontal;
            const int down = part.shape->vertical;
            for (int v = 0; v < down; ++v) {
                for (int h = 0; h < across; ++h) {
                    const Reason reason = block(bits, part, x * across + h, y * down + v);
                    if (reason != nullptr) return reason;
                }
            }
        }
        return nullptr;
    }

    Error fail(Reason reason) const {
        return damaged(std::string(reason) + " in the scan at byte " + std::to_string(scan_.at));
    }

    const JpegFile& file_;
    const JpegScan& scan_;
    std::vector<HuffmanDecoder> decoders_;
    std::array<Part, 4> parts_;
};

// Adds the next difference to the component's DC coefficient. It wraps as 16 bits do in every
// decoder; only damaged files get there.
Reason next_dc(BitReader& bits, Part& part) noexcept {
    bits.fill();
    const int size = part.dc->decode(bits);
    if (size < 0) return kNoCode;
    if (size > 0) {
        const int difference = extend(bits.take(size), size);
        part.last_dc = static_cast<std::int16_t>(part.last_dc + difference);
    }
    return nullptr;
}

// --- Sequential (F.2.2) ---

Reason sequential_block(BitReader& bits, Part& part, JpegBlock& block, bool& dc_only) noexcept {
    if (const Reason reason = next_dc(bits, part); reason != nullptr) return reason;
    block[0] = part.last_dc;
    dc_only = true;
    for (std::size_t k = 1; k < 64; ++k) {
        bits.fill();
        const int symbol = part.ac->decode(bits);
        if (symbol < 0) return kNoCode;
        const int size = symbol & 15;
        const int run = symbol >> 4;
        if (size == 0) {
            if (run != 15) break;  // end of block
            k += 15;
            if (k >= 64) return kTooLong;
            continue;
        }
        k += static_cast<std::size_t>(run);
        if (k >= 64) return kTooLong;
        block[kZigzag[k]] = static_cast<std::int16_t>(extend(bits.take(size), size));
        dc_only = false;
    }
    return nullptr;
}

// --- Progressive (G.1.2, G.2) ---

// Blocks of the running end-of-band that are still to come.
using EndRun = int;

int scaled(int value, int low_bit) noexcept {
    return value * (1 << low_bit);
}

Reason first_dc(BitReader& bits, Part& part, JpegBlock& block, int low_bit) noexcept {
    if (const Reason reason = next_dc(bits, part); reason != nullptr) return reason;
    block[0] = static_cast<std::int16_t>(scaled(part.last_dc, low_bit));
    return nullptr;
}

void refine_dc(BitReader& bits, JpegBlock& block, int low_bit) noexcept {
    bits.fill();
    const auto bit = static_cast<int>(bits.take(1)) << low_bit;
    block[0] = static_cast<std::int16_t>(block[0] | bit);
}

// The length of a run of ends of band, this one included, whose symbol has `exponent` (EOBn).
int end_run(BitReader& bits, int exponent) noexcept {
    return (1 << exponent) + (exponent > 0 ? static_cast<int>(bits.take(exponent)) : 0);
}

Reason first_ac(BitReader& bits, const HuffmanDecoder& codes, const JpegScan& scan,
                JpegBlock& block, EndRun& run_of_ends) noexcept {
    if (run_of_ends > 0) {
        --run_of_ends;
        return nullptr;
    }
    for (int k = scan.first; k <= scan.last; ++k) {
        bits.fill();
        const int symbol = codes.decode(bits);
        if (symbol < 0) return kNoCode;
        const int size = symbol & 15;
        const int run = symbol >> 4;
        if (size == 0 && run < 15) {
            run_of_ends = end_run(bits, run) - 1;
            break;
        }
        k += run;
        if (k > scan.last) return kTooLong;
        if (size == 0) continue;
        const int value = scaled(extend(bits.take(size), size), scan.low_bit);
        block[kZigzag[static_cast<std::size_t>(k)]] = static_cast<std::int16_t>(value);
    }
    return nullptr;
}

// Gives a coefficient that is not zero its next bit.
void refine(BitReader& bits, std::int16_t& coefficient, int low_bit) noexcept {
    bits.fill();
    if (bits.take(1) == 0) return;
    const int step = 1 << low_bit;
    coefficient = static_cast<std::int16_t>(coefficient + (coefficient < 0 ? -step : step));
}

// What ends refine_ac(): up to the end of the band no new coefficient comes.
void refine_rest(BitReader& bits, const JpegScan& scan, JpegBlock& block, int k) noexcept {
    for (; k <= scan.last; ++k) {
        std::int16_t& coefficient = block[kZigzag[static_cast<std::size_t>(k)]];
        if (coefficient != 0) refine(bits, coefficient, scan.low_bit);
    }
}

Reason refine_ac(BitReader& bits, const HuffmanDecoder& codes, const JpegScan& scan,
                 JpegBlock& block, EndRun& run_of_ends) noexcept {
    int k = scan.first;
    while (run_of_ends == 0 && k <= scan.last) {
        bits.fill();
        const int symbol = codes.decode(bits);
        if (symbol < 0) return kNoCode;
        const int size = symbol & 15;
        int run = symbol >> 4;  // coefficients that stay zero before the new one
        int value = 0;
        if (size == 0 && run < 15) {
            run_of_ends = end_run(bits, run);
            break;
        }
        if (size > 1) return kNoCode;
        if (size == 1) value = bits.take(1) != 0 ? 1 << scan.low_bit : -(1 << scan.low_bit);
        for (;; ++k) {
            if (k > scan.last) return kTooLong;
            std::int16_t& coefficient = block[kZigzag[static_cast<std::size_t>(k)]];
            if (coefficient != 0) {
                refine(bits, coefficient, scan.low_bit);
            } else if (run-- == 0) {
                coefficient = static_cast<std::int16_t>(value);
                ++k;
                break;
            }
        }
    }
    if (run_of_ends > 0) {
        refine_rest(bits, scan, block, k);
        --run_of_ends;
    }
    return nullptr;
}

}  // namespace

Status decode_sequential_scan(const JpegFile& file, const JpegScan& scan, BlockSink& sink) {
    Scan state(file, scan);
    JpegBlock block = {};
    return state.for_each_block(
        [&](BitReader& bits, Part& part, int x, int y) {
            bool dc_only = true;
            const Reason reason = sequential_block(bits, part, block, dc_only);
            if (reason == nullptr) sink.take(part.component, x, y, block, dc_only);
            if (!dc_only) block = {};
            return reason;
        },
        [] {});
}

Status decode_progressive_scan(const JpegFile& file, const JpegScan& scan,
                               ProgressiveBlocks& blocks) {
    Scan state(file, scan);
    EndRun run_of_ends = 0;
    return state.for_each_block(
        [&](BitReader& bits, Part& part, int x, int y) -> Reason {
            const auto index =
                static_cast<std::size_t>(y) * static_cast<std::size_t>(part.shape->padded_wide) +
                static_cast<std::size_t>(x);
            JpegBlock& block = blocks.components[static_cast<std::size_t>(part.component)][index];
            if (scan.first == 0) {
                if (scan.high_bit == 0) return first_dc(bits, part, block, scan.low_bit);
                refine_dc(bits, block, scan.low_bit);
                return nullptr;
            }
            return scan.high_bit == 0 ? first_ac(bits, *part.ac, scan, block, run_of_ends)
                                      : refine_ac(bits, *part.ac, scan, block, run_of_ends);
        },
        [&] { run_of_ends = 0; });
}

}  // namespace lprnet
