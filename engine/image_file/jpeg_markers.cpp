#include "engine/image_file/jpeg_markers.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "engine/image_file/exif.h"
#include "engine/image_file/jpeg_standard_codes.h"
#include "engine/image_file/picture_error.h"

namespace lprnet {
namespace {

// Second bytes of markers (T.81, table B.1).
enum : std::uint32_t {
    kSof0 = 0xC0,  // baseline; C1 extended, C2 progressive, the others up to CF not read
    kDht = 0xC4,
    kJpg = 0xC8,
    kDac = 0xCC,
    kRst0 = 0xD0,
    kRst7 = 0xD7,
    kSoi = 0xD8,
    kEoi = 0xD9,
    kSos = 0xDA,
    kDqt = 0xDB,
    kDnl = 0xDC,  // repeats the height, which the frame has to have
    kDri = 0xDD,
    kApp0 = 0xE0,
    kApp1 = 0xE1,
    kApp14 = 0xEE,
    kApp15 = 0xEF,
    kCom = 0xFE,
    kTem = 0x01,
};

constexpr int kSlots = 4;
constexpr int kMaxBlocksInMcu = 10;

bool is_frame_marker(std::uint32_t marker) noexcept {
    return marker >= kSof0 && marker <= 0xCF && marker != kDht && marker != kJpg && marker != kDac;
}

bool begins_with(Bytes bytes, std::string_view text) noexcept {
    return bytes.size() >= text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

int round_up_quotient(int a, int b) noexcept {
    return (a + b - 1) / b;
}

// The header of a file while it is read.
class Walk {
public:
    explicit Walk(Bytes file) noexcept : bytes_(file) {}

    Result<JpegFile> run() {
        at_ = 2;  // behind SOI
        for (int segments = 0;; ++segments) {
            if (!find_marker()) {
                // Many cameras leave the end marker out; what is missing then is found below.
                break;
            }
            if (marker_ == kEoi) break;
            if (segments == kMaxJpegSegments) {
                return damaged("more than " + std::to_string(kMaxJpegSegments) + " segments");
            }
            if (Status status = read_segment(); !status) return status.error();
        }
        if (file_.components.empty()) return damaged("the file ends before its picture");
        if (file_.scans.empty()) return damaged("the picture has no scan");
        if (Status status = check_everything_sent(); !status) return status.error();
        choose_color();
        return std::move(file_);
    }

private:
    // Moves behind the next marker, past fill bytes and, as other decoders do, bytes that belong to
    // nothing. False at the end of the file.
    bool find_marker() noexcept {
        while (at_ + 1 < bytes_.size()) {
            const std::uint32_t second = byte_at(bytes_, at_ + 1);
            if (byte_at(bytes_, at_) == 0xFF && second != 0x00 && second != 0xFF) {
                marker_ = second;
                marker_at_ = at_;
                at_ += 2;
                return true;
            }
            ++at_;
        }
        at_ = bytes_.size();
        return false;
    }

    Status read_segment() {
        // Markers that stand alone.
        if ((marker_ >= kRst0 && marker_ <= kRst7) || marker_ == kTem) return {};
        if (marker_ == kSoi) return damaged_at(marker_at_, "a second start marker");
        if (at_ + 2 > bytes_.size()) return damaged_at(marker_at_, "the file ends in the segment");
        const std::size_t length = big_endian16(bytes_, at_);
        if (length < 2) return damaged_at(marker_at_, "a segment of less than 2 bytes");
        if (length > bytes_.size() - at_) {
            return damaged_at(marker_at_, "the file ends in the segment");
        }
        segment_ = bytes_.subspan(at_ + 2, length - 2);
        at_ += length;
        return read_segment_data();
    }

    Status read_segment_data() {
        if (is_frame_marker(marker_)) return read_frame();
        switch (marker_) {
            case kDht: return read_huffman_codes();
            case kDqt: return read_quant_steps();
            case kSos: return read_scan();
            case kDri: return read_restart_interval();
            case kDac: return not_supported("arithmetic coding");
            case kApp0: read_jfif(); return {};
            case kApp1: read_exif(); return {};
            case kApp14: read_adobe(); return {};
            default: break;
        }
        const bool known =
            marker_ == kDnl || (marker_ >= kApp0 && marker_ <= kApp15) || marker_ == kCom;
        if (!known) return damaged_at(marker_at_, "a marker that cannot be");
        return {};
    }

    Error too_short(const char* what) const {
        return damaged_at(marker_at_, std::string(what) + " does not fit its segment");
    }

    // --- Frame header (B.2.2) ---

    Status read_frame() {
        if (!file_.components.empty()) return damaged_at(marker_at_, "a second frame header");
        if (marker_ >= 0xC9) return not_supported("arithmetic coding");
        if (marker_ == 0xC3) return not_supported("lossless JPEG");
        if (marker_ >= 0xC5) return not_supported("hierarchical JPEG");
        file_.progressive = marker_ == 0xC2;
        if (segment_.size() < 6) return too_short("the frame header");
        const std::uint32_t bits = byte_at(segment_, 0);
        if (bits != 8) return not_supported(std::to_string(bits) + " bits a sample, expected 8");
        file_.height = static_cast<int>(big_endian16(segment_, 1));
        file_.width = static_cast<int>(big_endian16(segment_, 3));
        if (file_.width == 0 || file_.height == 0) {
            return damaged("a size of " + std::to_string(file_.width) + "x" +
                           std::to_string(file_.height));
        }
        const std::size_t count = byte_at(segment_, 5);
        if (count != 1 && count != 3 && count != 4) {
            return not_supported(std::to_string(count) + " color components, expected 1, 3 or 4");
        }
        if (segment_.size() != 6 + 3 * count) return too_short("the list of components");
        if (Status status = read_components(count); !status) return status;
        return lay_out_blocks();
    }

    Status read_components(std::size_t count) {
        file_.components.resize(count);
        for (std::size_t i = 0; i < count; ++i) {
            JpegComponent& component = file_.components[i];
            component.id = static_cast<int>(byte_at(segment_, 6 + 3 * i));
            component.horizontal = static_cast<int>(byte_at(segment_, 7 + 3 * i) >> 4);
            component.vertical = static_cast<int>(byte_at(segment_, 7 + 3 * i) & 15);
            component.quant_slot = static_cast<int>(byte_at(segment_, 8 + 3 * i));
            if (component.horizontal < 1 || component.horizontal > 4 || component.vertical < 1 ||
                component.vertical > 4 || component.quant_slot >= kSlots) {
                return damaged_at(marker_at_, "sampling factors or tables that cannot be");
            }
            file_.max_horizontal = std::max(file_.max_horizontal, component.horizontal);
            file_.max_vertical = std::max(file_.max_vertical, component.vertical);
        }
        return {};
    }

    Status lay_out_blocks() {
        file_.mcus_wide = round_up_quotient(file_.width, 8 * file_.max_horizontal);
        file_.mcus_high = round_up_quotient(file_.height, 8 * file_.max_vertical);
        for (JpegComponent& c : file_.components) {
            if (file_.max_horizontal % c.horizontal != 0 || file_.max_vertical % c.vertical != 0) {
                return not_supported("sampling factors that are no multiples of each other");
            }
            c.width = round_up_quotient(file_.width * c.horizontal, file_.max_horizontal);
            c.height = round_up_quotient(file_.height * c.vertical, file_.max_vertical);
            c.blocks_wide = round_up_quotient(c.width, 8);
            c.blocks_high = round_up_quotient(c.height, 8);
            c.padded_wide = file_.mcus_wide * c.horizontal;
            c.padded_high = file_.mcus_high * c.vertical;
        }
        std::array<int, 64> nothing_sent;
        nothing_sent.fill(kNothing);
        sent_.assign(file_.components.size(), nothing_sent);
        return {};
    }

    // --- Tables (B.2.4) ---

    Status read_huffman_codes() {
        Bytes rest = segment_;
        while (!rest.empty()) {
            const std::uint32_t kind = byte_at(rest, 0) >> 4;
            const std::uint32_t slot = byte_at(rest, 0) & 15;
            if (kind > 1 || slot >= kSlots) {
                return damaged_at(marker_at_, "a Huffman table that cannot be");
            }
            if (rest.size() < 17) return too_short("a Huffman table");
            HuffmanCodes codes;
            std::size_t total = 0;
            std::uint32_t free = 1;  // codes of this length that are not taken by shorter ones
            for (std::size_t i = 0; i < 16; ++i) {
                codes.counts[i] = static_cast<std::uint8_t>(byte_at(rest, 1 + i));
                total += codes.counts[i];
                free *= 2;
                if (codes.counts[i] > free) {
                    return damaged_at(marker_at_, "a Huffman table with more codes than there are");
                }
                free -= codes.counts[i];
            }
            if (total > codes.symbols.size() || rest.size() < 17 + total) {
                return too_short("a Huffman table");
            }
            for (std::size_t i = 0; i < total; ++i) {
                codes.symbols[i] = static_cast<std::uint8_t>(byte_at(rest, 17 + i));
                if (kind == 0 && codes.symbols[i] > HuffmanCodes::kMaxDcSymbol) {
                    return damaged_at(marker_at_, "a Huffman table with symbols that cannot be");
                }
            }
            set_codes(kind, slot, codes);
            rest = rest.subspan(17 + total);
        }
        return {};
    }

    void set_codes(std::size_t kind, std::size_t slot, const HuffmanCodes& codes) {
        codes_in_force_[kind][slot] = static_cast<int>(file_.codes.size());
        file_.codes.push_back(codes);
    }

    // Frames of MJPEG rely on the tables of T.81's annex K; libjpeg takes them for each one that a
    // sequential file leaves out, and for a progressive one that has none at all.
    void use_standard_codes() {
        const auto& used = codes_in_force_;
        const bool any = used[0][0] >= 0 || used[0][1] >= 0 || used[1][0] >= 0 || used[1][1] >= 0;
        if (file_.progressive && any) return;
        for (std::size_t kind = 0; kind < 2; ++kind) {
            for (std::size_t slot = 0; slot < 2; ++slot) {
                if (codes_in_force_[kind][slot] >= 0) continue;
                set_codes(kind, slot, standard_codes(kind == 0, slot == 0));
            }
        }
    }

    Status read_quant_steps() {
        Bytes rest = segment_;
        while (!rest.empty()) {
            const std::size_t bytes_each = (byte_at(rest, 0) >> 4) + 1;
            const std::uint32_t slot = byte_at(rest, 0) & 15;
            if (bytes_each > 2 || slot >= kSlots) {
                return damaged_at(marker_at_, "a quantization table that cannot be");
            }
            if (rest.size() < 1 + 64 * bytes_each) return too_short("a quantization table");
            QuantSteps steps;
            for (std::size_t i = 0; i < 64; ++i) {
                steps[i] = static_cast<std::uint16_t>(
                    bytes_each == 1 ? byte_at(rest, 1 + i) : big_endian16(rest, 1 + 2 * i));
            }
            steps_in_force_[slot] = static_cast<int>(file_.quant_steps.size());
            file_.quant_steps.push_back(steps);
            rest = rest.subspan(1 + 64 * bytes_each);
        }
        return {};
    }

    Status read_restart_interval() {
        if (segment_.size() != 2) return too_short("the restart interval");
        restart_interval_ = static_cast<int>(big_endian16(segment_, 0));
        return {};
    }

    // --- Scan header (B.2.3) and the data behind it ---

    Status read_scan() {
        if (file_.components.empty()) return damaged_at(marker_at_, "a scan before its frame");
        if (file_.scans.size() == static_cast<std::size_t>(kMaxJpegScans)) {
            return damaged("more than " + std::to_string(kMaxJpegScans) + " scans");
        }
        if (file_.scans.empty()) use_standard_codes();
        JpegScan scan;
        const std::size_t count = segment_.empty() ? 0 : byte_at(segment_, 0);
        if (count < 1 || count > 4 || segment_.size() != 4 + 2 * count) {
            return too_short("the scan header");
        }
        scan.part_count = static_cast<int>(count);
        scan.restart_interval = restart_interval_;
        if (file_.progressive) {
            scan.first = static_cast<int>(byte_at(segment_, 1 + 2 * count));
            scan.last = static_cast<int>(byte_at(segment_, 2 + 2 * count));
            scan.high_bit = static_cast<int>(byte_at(segment_, 3 + 2 * count) >> 4);
            scan.low_bit = static_cast<int>(byte_at(segment_, 3 + 2 * count) & 15);
            if (Status status = check_progression(scan); !status) return status;
        }
        int blocks_in_mcu = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (Status status = read_scan_part(scan, i); !status) return status;
            const JpegComponent& c = component_of(scan, i);
            blocks_in_mcu += c.horizontal * c.vertical;
        }
        if (count > 1 && blocks_in_mcu > kMaxBlocksInMcu) {
            return damaged_at(marker_at_, "more than 10 blocks in an MCU");
        }
        find_scan_data(scan);
        if (Status status = check_length(scan); !status) return status;
        file_.scans.push_back(scan);
        return {};
    }

    JpegComponent& component_of(const JpegScan& scan, std::size_t part) noexcept {
        return file_.components[static_cast<std::size_t>(scan.parts[part].component)];
    }

    Status check_progression(const JpegScan& scan) const {
        const bool dc = scan.first == 0;
        if (scan.first > scan.last || scan.last > 63 || (dc && scan.last != 0) ||
            (!dc && scan.part_count != 1) || scan.low_bit > 13 ||
            (scan.high_bit != 0 && scan.high_bit != scan.low_bit + 1)) {
            return damaged_at(marker_at_, "a progressive scan that cannot be");
        }
        return {};
    }

    Status read_scan_part(JpegScan& scan, std::size_t i) {
        const int id = static_cast<int>(byte_at(segment_, 1 + 2 * i));
        const std::uint32_t slots = byte_at(segment_, 2 + 2 * i);
        // Some cameras give all components one name; they then follow in order.
        const auto is_free = [&](const JpegComponent& component) {
            const int index = static_cast<int>(&component - file_.components.data());
            return component.id == id &&
                   std::none_of(scan.parts.begin(),
                                scan.parts.begin() + static_cast<std::ptrdiff_t>(i),
                                [index](const JpegScan::Part& p) { return p.component == index; });
        };
        const auto found = std::find_if(file_.components.begin(), file_.components.end(), is_free);
        if (found == file_.components.end()) {
            return damaged_at(marker_at_, "a scan of a component that is not there");
        }
        JpegScan::Part& part = scan.parts[i];
        part.component = static_cast<int>(found - file_.components.begin());
        // A DC refinement is bits without codes; other scans need what they decode.
        const bool dc = scan.first == 0 && scan.high_bit == 0;
        const bool ac = scan.last > 0;
        if ((slots >> 4) >= kSlots || (slots & 15) >= kSlots) {
            return damaged_at(marker_at_, "a Huffman table that cannot be");
        }
        if (dc) part.dc_codes = codes_in_force_[0][slots >> 4];
        if (ac) part.ac_codes = codes_in_force_[1][slots & 15];
        if ((dc && part.dc_codes < 0) || (ac && part.ac_codes < 0)) {
            return damaged_at(marker_at_, "a Huffman table is missing, needed by the scan");
        }
        if (found->quant_steps < 0) {
            found->quant_steps = steps_in_force_[static_cast<std::size_t>(found->quant_slot)];
        }
        if (found->quant_steps < 0) {
            return damaged_at(marker_at_, "a quantization table is missing, needed by the scan");
        }
        return note_sent(scan, static_cast<std::size_t>(part.component));
    }

    // Every bit of every coefficient may be sent once, the DC coefficient before the others.
    Status note_sent(const JpegScan& scan, std::size_t component) {
        std::array<int, 64>& sent = sent_[component];
        if (scan.first > 0 && sent[0] == kNothing) {
            return damaged_at(marker_at_, "a progressive scan before the one of DC coefficients");
        }
        for (int k = scan.first; k <= scan.last; ++k) {
            int& known_down_to = sent[static_cast<std::size_t>(k)];
            if (known_down_to != (scan.high_bit == 0 ? kNothing : scan.high_bit)) {
                return damaged_at(marker_at_, "a scan that is there twice or out of order");
            }
            known_down_to = scan.low_bit;
        }
        return {};
    }

    Status check_everything_sent() const {
        for (std::size_t i = 0; i < sent_.size(); ++i) {
            for (const int known_down_to : sent_[i]) {
                if (known_down_to == 0) continue;
                return damaged("scans are missing, of component " + std::to_string(i + 1) + " of " +
                               std::to_string(sent_.size()));
            }
        }
        return {};
    }

    // Moves to the first marker that is no restart marker of this scan.
    void find_scan_data(JpegScan& scan) noexcept {
        scan.at = at_;
        std::size_t end = bytes_.size();
        while (at_ < bytes_.size()) {
            const void* found = std::memchr(bytes_.data() + at_, 0xFF, bytes_.size() - at_);
            if (found == nullptr) break;
            const std::size_t fill =
                static_cast<std::size_t>(static_cast<const std::byte*>(found) - bytes_.data());
            at_ = fill + 1;
            while (at_ < bytes_.size() && byte_at(bytes_, at_) == 0xFF) ++at_;
            if (at_ == bytes_.size()) {
                end = fill;
                break;
            }
            const std::uint32_t second = byte_at(bytes_, at_);
            ++at_;
            if (second == 0) continue;  // a data byte of 0xFF
            if (scan.restart_interval > 0 && second >= kRst0 && second <= kRst7) continue;
            end = fill;
            at_ -= 2;  // the marker, to be found again
            break;
        }
        if (end == bytes_.size()) at_ = end;
        scan.data = bytes_.subspan(scan.at, end - scan.at);
    }

    // A code has at least one bit, and each block of a scan that is no run of empty ones needs
    // some, so a small file cannot ask for the time and memory of a large picture.
    Status check_length(const JpegScan& scan) {
        std::uint64_t blocks = 0;
        for (std::size_t i = 0; i < static_cast<std::size_t>(scan.part_count); ++i) {
            const JpegComponent& c = component_of(scan, i);
            blocks += static_cast<std::uint64_t>(c.blocks_wide) *
                      static_cast<std::uint64_t>(c.blocks_high);
        }
        const std::uint64_t bits = blocks * (file_.progressive ? 1U : 2U);
        if (scan.first == 0 && bits > std::uint64_t{8} * scan.data.size()) {
            return damaged_at(scan.at, "blocks are missing, the scan ends before its last one");
        }
        scan_blocks_ += blocks;
        if (scan_blocks_ > kMaxJpegScanBlocks) {
            return damaged("more than " + std::to_string(kMaxJpegScanBlocks) +
                           " blocks in all scans");
        }
        return {};
    }

    // --- Application segments ---

    void read_jfif() noexcept {
        constexpr std::size_t kLength = 14;
        jfif_ = jfif_ || (segment_.size() >= kLength && begins_with(segment_, {"JFIF", 5}));
    }

    // The first one that gives an orientation counts, if it stands before the pixels.
    void read_exif() noexcept {
        constexpr std::string_view kName = {"Exif\0", 6};
        if (has_orientation_ || !file_.scans.empty() || !begins_with(segment_, kName)) return;
        const std::optional<int> orientation = exif_orientation(segment_.subspan(kName.size()));
        has_orientation_ = orientation.has_value();
        file_.orientation = orientation.value_or(1);
    }

    void read_adobe() noexcept {
        constexpr std::size_t kTransform = 11;
        if (segment_.size() <= kTransform || !begins_with(segment_, "Adobe")) return;
        adobe_transform_ = static_cast<int>(byte_at(segment_, kTransform));
    }

    // As libjpeg guesses: JFIF's word, then Adobe's, then the names of the components.
    void choose_color() noexcept {
        const std::vector<JpegComponent>& c = file_.components;
        if (c.size() == 1) {
            file_.color = JpegColor::gray;
        } else if (c.size() == 4) {
            const bool plain = adobe_transform_ == 0 || adobe_transform_ == kNone;
            file_.color = plain ? JpegColor::cmyk : JpegColor::ycck;
        } else {
            const bool named_rgb = c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B';
            const bool rgb =
                !jfif_ && (adobe_transform_ == kNone ? named_rgb : adobe_transform_ == 0);
            file_.color = rgb ? JpegColor::rgb : JpegColor::ycc;
        }
    }

    static constexpr int kNothing = -1;
    static constexpr int kNone = -1;

    Bytes bytes_;
    std::size_t at_ = 0;
    std::uint32_t marker_ = 0;
    std::size_t marker_at_ = 0;
    Bytes segment_;
    JpegFile file_;
    int codes_in_force_[2][kSlots] = {{-1, -1, -1, -1}, {-1, -1, -1, -1}};
    std::array<int, kSlots> steps_in_force_ = {-1, -1, -1, -1};
    int restart_interval_ = 0;
    std::uint64_t scan_blocks_ = 0;
    // For each component and coefficient the lowest bit that was sent, or kNothing.
    std::vector<std::array<int, 64>> sent_;
    bool jfif_ = false;
    bool has_orientation_ = false;
    int adobe_transform_ = kNone;
};

}  // namespace

Result<JpegFile> read_jpeg_markers(Bytes file) {
    return Walk(file).run();
}

}  // namespace lprnet
