#include "tests/fuzz/picture_mutator.h"

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/fuzz/random_choice.h"
#include "tests/fuzz/target.h"

namespace lprnet::fuzz {
namespace {

using Bytes = std::vector<std::uint8_t>;

// libFuzzer hands out seeds of 32 bits.
class Random : public test::RandomChoice<std::mt19937> {
public:
    using RandomChoice::RandomChoice;
    std::uint8_t byte() { return static_cast<std::uint8_t>((*this)()); }
};

// libFuzzer's own edits, with room to grow.
void edit_bytes(Bytes& bytes, std::size_t growth = 16) {
    const std::size_t size = bytes.size();
    if (size + growth == 0) return;
    bytes.resize(size + growth);
    bytes.resize(LLVMFuzzerMutate(bytes.data(), size, bytes.size()));
}

std::size_t write(const Bytes& bytes, std::uint8_t* data, std::size_t max_size) {
    const std::size_t size = std::min(bytes.size(), max_size);
    std::copy_n(bytes.begin(), size, data);
    return size;
}

void append(Bytes& bytes, const Bytes& more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

void append_big_endian(Bytes& bytes, std::uint32_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
        bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

// Drops, repeats, moves or swaps parts of a file.
template <class Part>
void rearrange(std::vector<Part>& parts, Random& random) {
    if (parts.empty()) return;
    const std::size_t i = random.below(parts.size());
    const std::size_t j = random.below(parts.size());
    const auto at = [&](std::size_t k) { return parts.begin() + static_cast<std::ptrdiff_t>(k); };
    Part copy = parts[i];
    switch (random.below(4)) {
        case 0: parts.erase(at(i)); break;
        case 1: parts.insert(at(j), std::move(copy)); break;
        case 2:
            parts.erase(at(i));
            parts.insert(at(random.below(parts.size() + 1)), std::move(copy));
            break;
        default: std::swap(parts[i], parts[j]);
    }
}

constexpr std::uint16_t kExtents[] = {0,  1,  2,  7,  8,   9,   15,  16,   17,
                                      31, 33, 63, 94, 255, 256, 999, 8192, 65535};

// --- JPEG -------------------------------------------------------------------------------------

constexpr std::uint8_t kSoi = 0xD8, kEoi = 0xD9, kSos = 0xDA, kDqt = 0xDB, kDnl = 0xDC, kDri = 0xDD,
                       kDht = 0xC4, kDac = 0xCC, kSof0 = 0xC0, kSof2 = 0xC2, kCom = 0xFE,
                       kApp0 = 0xE0, kApp1 = 0xE1, kApp14 = 0xEE, kRst0 = 0xD0;

bool is_alone(std::uint8_t marker) {
    return marker == kSoi || marker == kEoi || (marker >= 0xD0 && marker <= 0xD7) || marker == 1;
}

bool is_frame(std::uint8_t marker) {
    return marker >= 0xC0 && marker <= 0xCF && marker != kDht && marker != kDac && marker != 0xC8;
}

struct Segment {
    std::uint8_t marker = 0;
    Bytes payload;  // without its length
    Bytes entropy;  // what lies before the next marker that is no restart
    int lie = 0;    // added to the length that is written
};

std::vector<Segment> split_jpeg(const Bytes& file) {
    std::vector<Segment> segments;
    std::size_t at = 0;
    const auto marker_at = [&](std::size_t i) {
        return i + 1 < file.size() && file[i] == 0xFF && file[i + 1] != 0 && file[i + 1] != 0xFF;
    };
    while (marker_at(at)) {
        Segment segment;
        segment.marker = file[at + 1];
        at += 2;
        if (!is_alone(segment.marker)) {
            if (at + 2 > file.size()) break;
            const std::size_t length = static_cast<std::size_t>(file[at]) << 8 | file[at + 1];
            const std::size_t end = std::min(at + std::max<std::size_t>(length, 2), file.size());
            segment.payload.assign(file.begin() + static_cast<std::ptrdiff_t>(at + 2),
                                   file.begin() + static_cast<std::ptrdiff_t>(end));
            at = end;
        }
        const std::size_t begin = at;
        while (at < file.size() &&
               (!marker_at(at) || (file[at + 1] >= 0xD0 && file[at + 1] <= 0xD7)))
            ++at;
        segment.entropy.assign(file.begin() + static_cast<std::ptrdiff_t>(begin),
                               file.begin() + static_cast<std::ptrdiff_t>(at));
        segments.push_back(std::move(segment));
    }
    return segments;
}

Bytes join_jpeg(const std::vector<Segment>& segments) {
    Bytes file;
    for (const Segment& segment : segments) {
        file.push_back(0xFF);
        file.push_back(segment.marker);
        if (!is_alone(segment.marker)) {
            const auto length = static_cast<int>(segment.payload.size()) + 2 + segment.lie;
            append_big_endian(file, static_cast<std::uint32_t>(std::clamp(length, 0, 65535)), 2);
            append(file, segment.payload);
        }
        append(file, segment.entropy);
    }
    return file;
}

// Keeps the sum of the counts, so that the table still has as many symbols as it says.
void edit_huffman_table(Bytes& table, Random& random) {
    if (table.size() < 18) return edit_bytes(table);
    std::uint8_t& more = table[1 + random.below(16)];
    std::uint8_t& less = table[1 + random.below(16)];
    switch (random.below(5)) {
        case 0:
            if (less > 0 && more < 255) {
                --less;
                ++more;
            }
            break;
        case 1: std::swap(more, less); break;
        case 2: table[17 + random.below(table.size() - 17)] = random.byte(); break;
        case 3: table[0] = static_cast<std::uint8_t>(random.below(6) << 4 | random.below(6)); break;
        default: more = random.byte();
    }
}

void edit_quantization_table(Bytes& table, Random& random) {
    if (table.empty()) return;
    constexpr std::uint8_t kSteps[] = {0, 1, 2, 127, 128, 255};
    switch (random.below(3)) {
        case 0: table[random.below(table.size())] = random.one_of(kSteps); break;
        case 1: table[0] = static_cast<std::uint8_t>(random.below(3) << 4 | random.below(6)); break;
        default: std::fill(table.begin() + 1, table.end(), random.one_of(kSteps));
    }
}

void edit_frame(Segment& frame, Random& random) {
    constexpr std::uint8_t kSampling[] = {0x11, 0x21, 0x12, 0x22, 0x41, 0x14, 0x44,
                                          0x31, 0x13, 0x33, 0x00, 0x10, 0x01, 0xFF};
    Bytes& payload = frame.payload;
    if (payload.size() < 9) return edit_bytes(payload);
    const std::size_t component = 6 + 3 * random.below((payload.size() - 6) / 3);
    const auto extent = random.one_of(kExtents);
    switch (random.below(8)) {
        case 0: frame.marker = static_cast<std::uint8_t>(0xC0 + random.below(16)); break;
        case 1: frame.marker = frame.marker == kSof0 ? kSof2 : kSof0; break;
        case 2:
        case 3: {
            const std::size_t at = random.one_in(2) ? 1 : 3;
            payload[at] = static_cast<std::uint8_t>(extent >> 8);
            payload[at + 1] = static_cast<std::uint8_t>(extent);
            break;
        }
        case 4: payload[component + 1] = random.one_of(kSampling); break;
        case 5:
            payload[component + random.below(3)] = static_cast<std::uint8_t>(random.below(5));
            break;
        case 6:
            payload[5] = static_cast<std::uint8_t>(random.below(6));
            if (random.one_in(2)) payload.resize(6U + 3U * payload[5], 1);
            break;
        default: payload[0] = random.one_in(2) ? 12 : random.byte();
    }
}

void edit_scan(Segment& scan, Random& random) {
    Bytes& payload = scan.payload;
    if (payload.size() < 6) return edit_bytes(payload);
    const std::size_t last = payload.size() - 1;
    constexpr std::uint8_t kBounds[] = {0, 1, 2, 5, 6, 62, 63, 64, 255};
    switch (random.below(6)) {
        case 0: payload[last - 2] = random.one_of(kBounds); break;
        case 1: payload[last - 1] = random.one_of(kBounds); break;
        case 2:
            payload[last] = static_cast<std::uint8_t>(random.below(15) << 4 | random.below(15));
            break;
        case 3: payload[1] = static_cast<std::uint8_t>(random.below(5)); break;
        case 4:
            payload[2] = static_cast<std::uint8_t>(random.below(5) << 4 | random.below(5));
            break;
        default:
            payload[0] = static_cast<std::uint8_t>(random.below(5));
            if (random.one_in(2)) payload.resize(4U + 2U * payload[0], 0);
    }
}

void edit_entropy(Bytes& entropy, Random& random) {
    const std::size_t at = random.below(entropy.size());
    const auto begin = entropy.begin() + static_cast<std::ptrdiff_t>(at);
    const std::uint8_t restart[] = {0xFF, static_cast<std::uint8_t>(kRst0 + random.below(8))};
    switch (random.below(6)) {
        case 0: entropy.resize(at); break;
        case 1: entropy.insert(begin, restart, restart + 2); break;
        case 2: {  // a piece of it once more
            const Bytes piece(begin, begin + static_cast<std::ptrdiff_t>(
                                                 std::min<std::size_t>(entropy.size() - at, 64)));
            const auto to = static_cast<std::ptrdiff_t>(random.below(entropy.size() + 1));
            entropy.insert(entropy.begin() + to, piece.begin(), piece.end());
            break;
        }
        case 3:
            if (!entropy.empty())
                entropy.erase(begin, begin + static_cast<std::ptrdiff_t>(std::min<std::size_t>(
                                                 entropy.size() - at, 1 + random.below(32))));
            break;
        case 4: {  // restarts in another order
            for (std::size_t i = 0; i + 1 < entropy.size(); ++i) {
                if (entropy[i] == 0xFF && entropy[i + 1] >= 0xD0 && entropy[i + 1] <= 0xD7 &&
                    random.one_in(3))
                    entropy[i + 1] = restart[1];
            }
            break;
        }
        default: edit_bytes(entropy);
    }
}

Segment exif(Random& random) {
    Segment segment{kApp1, {'E', 'x', 'i', 'f', 0, 0}, {}, 0};
    const bool big = random.one_in(2);
    const auto add = [&](std::uint32_t value, int size) {
        Bytes bytes;
        append_big_endian(bytes, value, size);
        if (!big) std::reverse(bytes.begin(), bytes.end());
        append(segment.payload, bytes);
    };
    append(segment.payload, big ? Bytes{'M', 'M'} : Bytes{'I', 'I'});
    add(42, 2);
    add(random.one_in(4) ? static_cast<std::uint32_t>(random.below(64)) : 8, 4);
    add(1, 2);
    add(0x0112, 2);
    add(random.one_in(4) ? random.byte() : 3, 2);
    add(1, 4);
    add(random.one_in(4) ? random.byte() : static_cast<std::uint32_t>(1 + random.below(8)), 2);
    add(0, 2);
    add(0, 4);
    return segment;
}

Segment made_segment(Random& random) {
    switch (random.below(8)) {
        case 0: return exif(random);
        case 1: {
            Segment adobe{kApp14, {'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0}, {}, 0};
            adobe.payload.back() = static_cast<std::uint8_t>(random.below(4));
            return adobe;
        }
        case 2: return {kDri, {0, static_cast<std::uint8_t>(random.below(6))}, {}, 0};
        case 3: return {kDnl, {0, static_cast<std::uint8_t>(random.below(40))}, {}, 0};
        case 4: return {random.one_in(2) ? kEoi : kSoi, {}, {}, 0};
        case 5: return {kCom, Bytes(random.below(40), '\x1b'), {}, 0};
        case 6: return {kApp0, {'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0}, {}, 0};
        default: return {random.byte(), Bytes(random.below(20), random.byte()), {}, 0};
    }
}

void edit_jpeg(std::vector<Segment>& segments, Random& random) {
    if (segments.empty()) return;
    // Behind SOI in most cases: without it nothing is looked at.
    const std::size_t first = segments.size() > 1 && !random.one_in(50) ? 1 : 0;
    const std::size_t at = first + random.below(segments.size() - first);
    Segment& segment = segments[at];
    switch (random.below(10)) {
        case 0: {
            std::vector<Segment> rest(segments.begin() + static_cast<std::ptrdiff_t>(first),
                                      segments.end());
            rearrange(rest, random);
            segments.resize(first);
            segments.insert(segments.end(), rest.begin(), rest.end());
            break;
        }
        case 1:
            segments.insert(segments.begin() + static_cast<std::ptrdiff_t>(at),
                            made_segment(random));
            break;
        case 2: segment.lie = static_cast<int>(random.below(9)) - 4; break;
        case 3: edit_bytes(segment.payload); break;
        case 4: {  // an entropy-coded part, if there is one
            const auto scan = std::find_if(segments.begin(), segments.end(),
                                           [](const Segment& s) { return s.marker == kSos; });
            edit_entropy((scan == segments.end() ? segment : *scan).entropy, random);
            break;
        }
        case 5: segment.payload.resize(random.below(segment.payload.size() + 1)); break;
        default:
            if (is_frame(segment.marker)) {
                edit_frame(segment, random);
            } else if (segment.marker == kSos) {
                random.one_in(2) ? edit_scan(segment, random)
                                 : edit_entropy(segment.entropy, random);
            } else if (segment.marker == kDht) {
                edit_huffman_table(segment.payload, random);
            } else if (segment.marker == kDqt) {
                edit_quantization_table(segment.payload, random);
            } else if (segment.marker == kDri && segment.payload.size() >= 2) {
                segment.payload[1] = static_cast<std::uint8_t>(random.below(8));
            } else {
                edit_bytes(segment.payload);
            }
    }
}

// --- PNG --------------------------------------------------------------------------------------

constexpr std::array<std::uint8_t, 8> kSignature = {137, 'P', 'N', 'G', 13, 10, 26, 10};

std::uint32_t crc32(const Bytes& bytes, std::size_t from) {
    std::uint32_t crc = ~0U;
    for (std::size_t i = from; i < bytes.size(); ++i) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0xEDB88320U : crc >> 1;
    }
    return ~crc;
}

std::uint32_t adler32(const Bytes& bytes) {
    constexpr std::uint32_t kPrime = 65521;
    std::uint32_t low = 1, high = 0;
    for (const std::uint8_t byte : bytes) {
        low = (low + byte) % kPrime;
        high = (high + low) % kPrime;
    }
    return high << 16 | low;
}

struct Chunk {
    Bytes type;  // 4
    Bytes data;
    int lie = 0;             // added to the length
    std::uint32_t flip = 0;  // of the checksum
};

bool is(const Chunk& chunk, std::string_view type) {
    return std::equal(chunk.type.begin(), chunk.type.end(), type.begin(), type.end());
}

std::uint32_t big_endian(const std::uint8_t* bytes) {
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
           std::uint32_t{bytes[2]} << 8 | bytes[3];
}

std::vector<Chunk> split_png(const Bytes& file) {
    std::vector<Chunk> chunks;
    std::size_t at = kSignature.size();
    while (file.size() >= at + 12) {
        const std::size_t length =
            std::min<std::size_t>(big_endian(&file[at]), file.size() - at - 12);
        const auto begin = file.begin() + static_cast<std::ptrdiff_t>(at + 4);
        chunks.push_back({Bytes(begin, begin + 4),
                          Bytes(begin + 4, begin + 4 + static_cast<std::ptrdiff_t>(length)), 0, 0});
        at += 12 + length;
    }
    return chunks;
}

Bytes join_png(const std::vector<Chunk>& chunks) {
    Bytes file(kSignature.begin(), kSignature.end());
    for (const Chunk& chunk : chunks) {
        const auto length = static_cast<std::int64_t>(chunk.data.size()) + chunk.lie;
        append_big_endian(file, static_cast<std::uint32_t>(std::max<std::int64_t>(length, 0)), 4);
        const std::size_t checked = file.size();
        append(file, chunk.type);
        append(file, chunk.data);
        append_big_endian(file, crc32(file, checked) ^ chunk.flip, 4);
    }
    return file;
}

// The rows of a stream that is stored without compression; nothing for another one.
std::optional<Bytes> stored_rows(const Bytes& stream) {
    Bytes rows;
    std::size_t at = 2;
    for (bool last = false; !last;) {
        if (at + 5 > stream.size() || stream[at] > 1) return std::nullopt;
        last = stream[at] == 1;
        const std::size_t size = stream[at + 1] | std::size_t{stream[at + 2]} << 8;
        at += 5;
        if (at + size > stream.size()) return std::nullopt;
        const auto begin = stream.begin() + static_cast<std::ptrdiff_t>(at);
        rows.insert(rows.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
        at += size;
    }
    return rows;
}

Bytes store(const Bytes& rows) {
    Bytes stream = {0x78, 0x01};
    constexpr std::size_t kMost = 65535;
    std::size_t at = 0;
    do {
        const std::size_t size = std::min(kMost, rows.size() - at);
        stream.push_back(at + size == rows.size() ? 1 : 0);
        for (const std::size_t n : {size, size ^ 0xFFFFU}) {
            stream.push_back(static_cast<std::uint8_t>(n));
            stream.push_back(static_cast<std::uint8_t>(n >> 8));
        }
        const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(at);
        stream.insert(stream.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
        at += size;
    } while (at < rows.size());
    append_big_endian(stream, adler32(rows), 4);
    return stream;
}

void edit_rows(Bytes& rows, Random& random) {
    const std::size_t at = random.below(rows.size());
    switch (random.below(4)) {
        case 0: rows.resize(at); break;
        case 1: rows.resize(rows.size() + random.below(200), random.byte()); break;
        case 2:
            if (!rows.empty()) rows[at] = static_cast<std::uint8_t>(random.below(6));
            break;
        default: edit_bytes(rows, 0);
    }
}

void edit_data(std::vector<Chunk>& chunks, std::size_t at, Random& random) {
    Chunk& chunk = chunks[at];
    std::optional<Bytes> rows = stored_rows(chunk.data);
    if (rows && !random.one_in(4)) {
        edit_rows(*rows, random);
        chunk.data = store(*rows);
    } else if (random.one_in(3) && chunk.data.size() > 1) {  // in two chunks
        Chunk rest = chunk;
        const auto cut = static_cast<std::ptrdiff_t>(random.below(chunk.data.size()));
        rest.data.erase(rest.data.begin(), rest.data.begin() + cut);
        chunk.data.resize(static_cast<std::size_t>(cut));
        chunks.insert(chunks.begin() + static_cast<std::ptrdiff_t>(at) + 1, std::move(rest));
    } else {
        edit_bytes(chunk.data);
    }
}

void edit_png_header(Bytes& header, Random& random) {
    if (header.size() < 13) return edit_bytes(header);
    constexpr std::uint8_t kDepths[] = {1, 2, 4, 8, 16, 0, 3, 32};
    constexpr std::uint8_t kColors[] = {0, 2, 3, 4, 6, 1, 5, 255};
    switch (random.below(6)) {
        case 0:
        case 1: {
            const std::size_t at = random.one_in(2) ? 0 : 4;
            const std::uint32_t extent =
                random.one_in(10) ? 0x7FFFFFFF : std::uint32_t{random.one_of(kExtents)};
            for (std::size_t i = 0; i < 4; ++i)
                header[at + i] = static_cast<std::uint8_t>(extent >> (24 - 8 * i));
            break;
        }
        case 2: header[8] = random.one_of(kDepths); break;
        case 3: header[9] = random.one_of(kColors); break;
        case 4: header[12] = static_cast<std::uint8_t>(random.below(3)); break;
        default: header[10 + random.below(2)] = static_cast<std::uint8_t>(random.below(3));
    }
}

Chunk made_chunk(Random& random) {
    const auto named = [](std::string_view type, Bytes data) {
        return Chunk{Bytes(type.begin(), type.end()), std::move(data), 0, 0};
    };
    switch (random.below(8)) {
        case 0: return named("PLTE", Bytes(3 * random.below(260), random.byte()));
        case 1: return named("tRNS", Bytes(random.below(260), random.byte()));
        case 2: {
            Segment segment = exif(random);
            segment.payload.erase(segment.payload.begin(), segment.payload.begin() + 6);
            return named("eXIf", std::move(segment.payload));
        }
        case 3: return named("IEND", {});
        case 4: return named("IDAT", store(Bytes(random.below(300), random.byte())));
        case 5: return named("gAMA", {0, 0, random.byte(), random.byte()});
        case 6: return named("\x1b[2J", {});
        default: return named("CgBI", Bytes(4, random.byte()));
    }
}

void edit_png(std::vector<Chunk>& chunks, Random& random) {
    if (chunks.empty()) return;
    const std::size_t at = random.below(chunks.size());
    Chunk& chunk = chunks[at];
    switch (random.below(10)) {
        case 0: rearrange(chunks, random); break;
        case 1:
            chunks.insert(
                chunks.begin() + static_cast<std::ptrdiff_t>(random.below(chunks.size() + 1)),
                made_chunk(random));
            break;
        case 2: chunk.lie = static_cast<int>(random.below(9)) - 4; break;
        case 3: chunk.flip = random.byte(); break;
        case 4:
            chunk.type[random.below(4)] ^=
                static_cast<std::uint8_t>(random.one_in(2) ? 0x20 : random.byte());
            break;
        case 5: chunk.data.resize(random.below(chunk.data.size() + 1)); break;
        default:
            if (is(chunk, "IHDR")) {
                edit_png_header(chunk.data, random);
            } else if (is(chunk, "IDAT")) {
                edit_data(chunks, at, random);
            } else {
                edit_bytes(chunk.data);
            }
    }
}

// --- BMP --------------------------------------------------------------------------------------

void set_little_endian(Bytes& file, std::size_t at, std::uint32_t value, std::size_t size) {
    for (std::size_t i = 0; i < size && at + i < file.size(); ++i)
        file[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

void edit_bmp(Bytes& file, Random& random) {
    constexpr std::size_t kOffset = 10, kHeader = 14, kWidth = 18, kHeight = 22, kPlanes = 26,
                          kBits = 28, kCompression = 30, kImageBytes = 34, kColors = 46,
                          kMasks = 54;
    constexpr std::uint32_t kHeaders[] = {12, 16, 40, 52, 56, 64, 108, 124, 0, 255};
    constexpr std::uint32_t kDepths[] = {1, 2, 4, 8, 16, 24, 32, 0, 64};
    constexpr std::uint32_t kCounts[] = {0, 1, 2, 15, 16, 17, 255, 256, 257, 0x7FFFFFFF, ~0U};
    constexpr std::uint32_t kWords[] = {0,          0xFF,       0xFF00,     0xFF0000, 0xFF000000,
                                        0xF800,     0x7E0,      0x1F,       1,        0x80000000,
                                        0xFFFFFFFF, 0x55555555, 0x3FF00000, 0x7C00};
    std::uint32_t extent = random.one_of(kExtents);
    if (random.one_in(4)) extent = 0U - extent;
    if (random.one_in(20)) extent = random.one_in(2) ? 0x80000000 : 0x7FFFFFFF;
    switch (random.below(13)) {
        case 0:
            set_little_endian(file, kOffset, static_cast<std::uint32_t>(random.below(300)), 4);
            break;
        case 1: set_little_endian(file, kHeader, random.one_of(kHeaders), 4); break;
        case 2: set_little_endian(file, kWidth, extent, 4); break;
        case 3: set_little_endian(file, kHeight, extent, 4); break;
        case 4:
            set_little_endian(file, kPlanes, static_cast<std::uint32_t>(random.below(3)), 2);
            break;
        case 5:
        case 6: set_little_endian(file, kBits, random.one_of(kDepths), 2); break;
        case 7:
            set_little_endian(file, kCompression, static_cast<std::uint32_t>(random.below(8)), 4);
            break;
        case 8: set_little_endian(file, kImageBytes, random.one_of(kCounts), 4); break;
        case 9: set_little_endian(file, kColors, random.one_of(kCounts), 4); break;
        case 10:
            set_little_endian(file, kMasks + 4 * random.below(4), random.one_of(kWords), 4);
            break;
        case 11: file.resize(random.below(file.size() + 1)); break;
        default: edit_bytes(file);
    }
}

// --- All --------------------------------------------------------------------------------------

template <class Parts>
std::size_t mutate(const Bytes& file, std::uint8_t* data, std::size_t max_size, Random& random,
                   Parts (*split)(const Bytes&), void (*edit)(Parts&, Random&),
                   Bytes (*join)(const Parts&)) {
    Parts parts = split(file);
    for (std::size_t edits = 1 + random.below(3); edits > 0; --edits) edit(parts, random);
    return write(join(parts), data, max_size);
}

// Every eighth time, and where a file is none of its kind.
bool as_bytes_alone(const Bytes& file, std::string_view first, Random& random) {
    return random.one_in(8) || file.size() < first.size() ||
           !std::equal(first.begin(), first.end(), file.begin(),
                       [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

}  // namespace

std::size_t mutate_jpeg(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
    Random random(seed);
    const Bytes file(data, data + size);
    if (as_bytes_alone(file, "\xFF\xD8", random)) return LLVMFuzzerMutate(data, size, max_size);
    return mutate(file, data, max_size, random, split_jpeg, edit_jpeg, join_jpeg);
}

std::size_t mutate_png(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
    Random random(seed);
    const Bytes file(data, data + size);
    if (as_bytes_alone(file, "\x89PNG\r\n\x1a\n", random))
        return LLVMFuzzerMutate(data, size, max_size);
    return mutate(file, data, max_size, random, split_png, edit_png, join_png);
}

std::size_t mutate_bmp(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
    Random random(seed);
    Bytes file(data, data + size);
    if (as_bytes_alone(file, "BM", random)) return LLVMFuzzerMutate(data, size, max_size);
    for (std::size_t edits = 1 + random.below(3); edits > 0; --edits) edit_bmp(file, random);
    return write(file, data, max_size);
}

std::size_t mutate_picture(std::uint8_t* data, std::size_t size, std::size_t max_size,
                           unsigned seed) {
    const std::uint8_t first = size > 0 ? data[0] : 0;
    if (first == 0xFF) return mutate_jpeg(data, size, max_size, seed);
    if (first == 0x89) return mutate_png(data, size, max_size, seed);
    return mutate_bmp(data, size, max_size, seed);
}

}  // namespace lprnet::fuzz
