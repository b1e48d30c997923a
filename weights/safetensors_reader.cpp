// Reading: from untrusted bytes to checked views. The steps stand in the order in which they make
// the next one safe: what kind of file, how long a header, the header's grammar and counts, each
// tensor's range and shape, the ranges against each other. Only then are views made.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/text/printable.h"
#include "engine/text/utf8.h"
#include "weights/bounded_json.h"
#include "weights/safetensors.h"
#include "weights/safetensors_checks.h"

namespace lprnet::weights {
namespace {

// HeaderEvents refuses a fourth level by what it is, without a tree or recursion, so depth is no
// concern here. A tensor of the highest rank has 17 values, keys and all.
constexpr JsonLimits kHeaderLimits = {
    .bytes = kMaxHeaderBytes, .depth = kMaxHeaderBytes, .values = 32 * kMaxTensors};

std::optional<DType> dtype_from_name(std::string_view name) noexcept {
    for (int i = 0; i <= static_cast<int>(DType::boolean); ++i) {
        const auto dtype = static_cast<DType>(i);
        if (dtype_name(dtype) == name) return dtype;
    }
    return std::nullopt;
}

std::string_view as_text(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string hex(std::byte byte) {
    constexpr char kDigits[] = "0123456789abcdef";
    const auto value = std::to_integer<unsigned>(byte);
    return std::string("0x") + kDigits[value >> 4] + kDigits[value & 15U];
}

// One tensor as the header describes it; offsets count from the first byte of data.
struct Entry {
    std::string name;
    DType dtype = DType::f32;
    std::vector<std::int64_t> shape;
    std::array<std::uint64_t, 2> offsets = {0, 0};
};

// Takes the JSON parser's events one by one and accepts exactly
//   { "__metadata__": {string: string, ...}, name: {"dtype": string, "shape": [n, ...],
//     "data_offsets": [n, n]}, ... }
// with no key twice. Duplicate tensor names are left to the caller, who sorts the entries anyway.
// No tree is built, so nesting costs nothing and nothing is kept that was not asked for.
class HeaderEvents {
public:
    std::vector<Entry> entries;
    Metadata metadata;
    std::optional<Error> error;  // message without the file's name

    bool null() { return unexpected("null"); }
    bool boolean(bool value) { return unexpected(value ? "true" : "false"); }
    bool number_integer(nlohmann::json::number_integer_t value) {
        // The parser sends numbers here that begin with a minus sign, "-0" among them.
        return unexpected(value == 0 ? "-0" : std::to_string(value));
    }
    bool number_float(nlohmann::json::number_float_t /*value*/, const std::string& text) {
        return unexpected(printable(text, kMaxShownBytes));
    }
    bool binary(nlohmann::json::binary_t& /*value*/) { return unexpected("binary data"); }

    bool number_unsigned(nlohmann::json::number_unsigned_t value) {
        Entry& entry = current();
        if (state_ == State::shape) {
            if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
                return unexpected(std::to_string(value));
            }
            if (entry.shape.size() == kMaxRank) {
                return fail(ErrorCode::malformed,
                            "shape has more than " + std::to_string(kMaxRank) + " dimensions");
            }
            entry.shape.push_back(static_cast<std::int64_t>(value));
            return true;
        }
        if (state_ == State::offsets) {
            if (offsets_seen_ == entry.offsets.size()) return wrong_offset_count("more");
            entry.offsets[offsets_seen_++] = value;
            return true;
        }
        return unexpected(std::to_string(value));
    }

    bool string(std::string& value) {
        if (state_ == State::metadata_value) {
            if (!metadata.emplace(key_, value).second) {
                return fail(ErrorCode::malformed, "key " + in_quotes(key_) + " occurs twice");
            }
            state_ = State::metadata;
            return true;
        }
        if (state_ == State::dtype) {
            const std::optional<DType> dtype = dtype_from_name(value);
            if (!dtype) {
                return fail(ErrorCode::unsupported,
                            "dtype: expected one of F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 "
                            "U8 BOOL, found " +
                                in_quotes(value));
            }
            current().dtype = *dtype;
            state_ = State::entry;
            return true;
        }
        return unexpected("the string " + in_quotes(value));
    }

    bool start_object(std::size_t /*count*/) {
        switch (state_) {
            case State::root_start: state_ = State::root; return true;
            case State::metadata_start: state_ = State::metadata; return true;
            case State::entry_start: state_ = State::entry; return true;
            default: return unexpected("an object");
        }
    }

    bool end_object() {
        if (state_ == State::entry) {
            constexpr std::array<const char*, 3> kFields = {"dtype", "shape", "data_offsets"};
            for (std::size_t i = 0; i < kFields.size(); ++i) {
                if (!field_seen_[i]) {
                    return fail(ErrorCode::malformed, std::string(kFields[i]) + " is missing");
                }
            }
        }
        state_ = State::root;  // also after the root itself, when no more events can come
        return true;
    }

    bool start_array(std::size_t /*count*/) {
        switch (state_) {
            case State::shape_start: state_ = State::shape; return true;
            case State::offsets_start: state_ = State::offsets; return true;
            default: return unexpected("an array");
        }
    }

    bool end_array() {
        if (state_ == State::offsets && offsets_seen_ < current().offsets.size()) {
            return wrong_offset_count(std::to_string(offsets_seen_));
        }
        state_ = State::entry;
        return true;
    }

    bool key(std::string& value) {
        switch (state_) {
            case State::root: return value == kMetadataKey ? begin_metadata() : begin_entry(value);
            case State::metadata: return begin_metadata_value(value);
            default: return begin_field(value);
        }
    }

    bool parse_error(std::size_t position, const std::string& /*token*/,
                     const nlohmann::json::exception& /*cause*/) {
        // `position` counts the characters read, the offending one included.
        const std::size_t offset = kLengthBytes + (position == 0 ? 0 : position - 1);
        error = Error{ErrorCode::malformed,
                      "the header is not valid JSON at offset " + std::to_string(offset)};
        return false;
    }

private:
    // Named after what was read last; `_start` states wait for the value of a key.
    enum class State {
        root_start,
        root,
        metadata_start,
        metadata,
        metadata_value,
        entry_start,
        entry,
        dtype,
        shape_start,
        shape,
        offsets_start,
        offsets,
    };

    // In the states that read it, entries is not empty; elsewhere the spare one keeps this total.
    Entry& current() noexcept { return entries.empty() ? spare_ : entries.back(); }

    bool begin_metadata() {
        in_entry_ = false;
        if (metadata_seen_) return fail(ErrorCode::malformed, "occurs twice");
        metadata_seen_ = true;
        state_ = State::metadata_start;
        return true;
    }

    bool begin_metadata_value(const std::string& value) {
        if (metadata.size() == kMaxMetadataEntries) {
            return fail(ErrorCode::malformed,
                        "more than " + std::to_string(kMaxMetadataEntries) + " entries");
        }
        key_ = value;
        state_ = State::metadata_value;
        return true;
    }

    bool begin_entry(const std::string& name) {
        if (entries.size() == kMaxTensors) {
            error = Error{ErrorCode::malformed,
                          "the header names more than " + std::to_string(kMaxTensors) + " tensors"};
            return false;
        }
        in_entry_ = true;
        entries.emplace_back().name = name;
        field_seen_ = {};
        offsets_seen_ = 0;
        if (const auto fault = name_fault(name)) {
            return fail(ErrorCode::malformed, "the name " + *fault);
        }
        state_ = State::entry_start;
        return true;
    }

    bool begin_field(const std::string& name) {
        std::size_t field = 0;
        if (name == "dtype") {
            field = 0;
            state_ = State::dtype;
        } else if (name == "shape") {
            field = 1;
            state_ = State::shape_start;
        } else if (name == "data_offsets") {
            field = 2;
            state_ = State::offsets_start;
        } else {
            return fail(
                ErrorCode::malformed,
                "expected the fields dtype, shape and data_offsets, found " + in_quotes(name));
        }
        if (field_seen_[field]) return fail(ErrorCode::malformed, name + " occurs twice");
        field_seen_[field] = true;
        return true;
    }

    bool wrong_offset_count(const std::string& found) {
        return fail(ErrorCode::malformed, "data_offsets: expected 2 numbers, found " + found);
    }

    bool unexpected(const std::string& found) {
        std::string expected;
        switch (state_) {
            case State::metadata_start: expected = "expected an object of strings"; break;
            case State::metadata_value:
                expected = "key " + in_quotes(key_) + ": expected a string";
                break;
            case State::entry_start:
                expected = "expected an object with dtype, shape and data_offsets";
                break;
            case State::dtype: expected = "dtype: expected a string"; break;
            case State::shape_start: expected = "shape: expected an array of whole numbers"; break;
            case State::shape:
                expected = "shape: expected whole numbers from 0 to 9223372036854775807";
                break;
            case State::offsets_start: expected = "data_offsets: expected an array of 2"; break;
            case State::offsets:
                expected = "data_offsets: expected whole numbers from 0 to 18446744073709551615";
                break;
            case State::root_start:
            case State::root:
            case State::metadata:
            case State::entry: expected = "expected an object"; break;
        }
        return fail(ErrorCode::malformed, expected + ", found " + found);
    }

    bool fail(ErrorCode code, const std::string& what) {
        const std::string where =
            in_entry_ ? "tensor " + in_quotes(current().name) : std::string(kMetadataKey);
        error = Error{code, where + ": " + what};
        return false;
    }

    State state_ = State::root_start;
    std::string key_;
    std::array<bool, 3> field_seen_ = {};
    std::size_t offsets_seen_ = 0;
    bool in_entry_ = false;
    bool metadata_seen_ = false;
    Entry spare_;
};

// Nothing but printable characters and the usual white space in the first bytes. The last three
// are left out, where a cut could split a character.
bool looks_like_text(std::string_view bytes) {
    constexpr std::size_t kSample = 256;
    std::string_view sample = bytes.substr(0, kSample);
    if (sample.size() == kSample) {
        const std::size_t fault = find_invalid_utf8(sample);
        if (fault != std::string_view::npos && fault + 3 >= kSample) {
            sample = sample.substr(0, fault);
        }
    }
    std::string letters;
    for (const char c : sample) {
        if (c != '\n' && c != '\r' && c != '\t') letters += c;
    }
    return !has_unprintable(letters);
}

// What a file that is no safetensors file looks like, for the people who renamed it. Asked only
// once the first bytes have failed as a header, so no valid file can be taken for another kind.
std::string look_of(std::span<const std::byte> bytes) {
    const std::string_view text = as_text(bytes);
    constexpr std::string_view kExport = "export it with scripts/export_weights.py";
    if (text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06")) {
        return "looks like a PyTorch checkpoint or another zip archive ('PK' at offset 0): " +
               std::string(kExport);
    }
    // A pickle of protocol 2 to 5: the PROTO opcode and the number.
    if (text.size() >= 2 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5) {
        return "looks like a PyTorch checkpoint (a pickle, 0x80 at offset 0): " +
               std::string(kExport);
    }
    if (text.starts_with("version https://git-lfs")) {
        return "is a Git LFS pointer, not the file it stands for: fetch it with git lfs pull";
    }
    if (looks_like_text(text)) return "is a text file";
    return {};
}

// The header's bytes, once their length is known to lie inside the file.
Result<std::string_view> header_of(std::span<const std::byte> bytes, const std::string& shown) {
    const auto malformed = [&](const std::string& found) {
        const std::string look = look_of(bytes);
        return Error{ErrorCode::malformed,
                     shown + ": expected a safetensors file, " +
                         (look.empty() ? "found " + found : "but this " + look)};
    };
    if (bytes.empty()) return Error{ErrorCode::malformed, shown + ": the file is empty"};
    if (bytes.size() < kLengthBytes) {
        return malformed(std::to_string(bytes.size()) +
                         " bytes, too few for the 8-byte header length at offset 0");
    }
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), kLengthBytes);
    if (length > kMaxHeaderBytes) {
        return malformed("a header length of " + std::to_string(length) + " at offset 0, at most " +
                         std::to_string(kMaxHeaderBytes));
    }
    const std::size_t rest = bytes.size() - kLengthBytes;
    if (length > rest) {
        return malformed("a header length of " + std::to_string(length) + " at offset 0 but only " +
                         std::to_string(rest) + " bytes after it: the file is cut short");
    }
    if (length < 2) {
        return malformed("a header length of " + std::to_string(length) +
                         " at offset 0, at least 2 needed");
    }
    const auto header = bytes.subspan(kLengthBytes, static_cast<std::size_t>(length));
    if (header.front() != std::byte{'{'}) {
        return malformed(hex(header.front()) + " at offset 8 where the header's '{' belongs");
    }
    return as_text(header);
}

Error overlap(const std::string& where, const Entry& entry, const Entry& previous) {
    return {ErrorCode::malformed, where + ": its data begins at data offset " +
                                      std::to_string(entry.offsets[0]) + ", inside tensor " +
                                      in_quotes(previous.name) + ", which ends at " +
                                      std::to_string(previous.offsets[1])};
}

// The ranges of all tensors against each other: in order of offset, each begins where the one
// before ended, the first at 0 and the last ending with the data.
std::optional<Error> check_coverage(const std::vector<Entry>& entries, std::uint64_t data_size,
                                    const std::string& shown) {
    std::vector<const Entry*> order;
    order.reserve(entries.size());
    for (const Entry& entry : entries) order.push_back(&entry);
    // By end as well, so that a tensor without elements precedes one that begins where it does.
    std::sort(order.begin(), order.end(),
              [](const Entry* a, const Entry* b) { return a->offsets < b->offsets; });
    std::uint64_t covered = 0;
    const Entry* previous = nullptr;
    for (const Entry* entry : order) {
        const std::string where = shown + ": tensor " + in_quotes(entry->name);
        if (previous != nullptr && entry->offsets[0] < covered) {
            return overlap(where, *entry, *previous);
        }
        if (entry->offsets[0] != covered) {
            return Error{ErrorCode::malformed, where + ": its data begins at data offset " +
                                                   std::to_string(entry->offsets[0]) +
                                                   ", expected " + std::to_string(covered) +
                                                   ": the bytes between belong to no tensor"};
        }
        covered = entry->offsets[1];
        previous = entry;
    }
    if (covered != data_size) {
        return Error{ErrorCode::malformed,
                     shown + ": " + std::to_string(data_size - covered) +
                         " bytes belong to no tensor: the tensors end at data offset " +
                         std::to_string(covered) + ", the data at " + std::to_string(data_size)};
    }
    return std::nullopt;
}

std::optional<Error> check_entry(const Entry& entry, std::uint64_t data_size,
                                 std::uint64_t file_size, const std::string& shown) {
    const std::string where = shown + ": tensor " + in_quotes(entry.name) + ": ";
    const auto [begin, end] = entry.offsets;
    if (begin > end) {
        return Error{ErrorCode::malformed, where + "data_offsets run backwards, from " +
                                               std::to_string(begin) + " to " +
                                               std::to_string(end)};
    }
    if (end > data_size) {
        return Error{ErrorCode::malformed,
                     where + "its data ends at data offset " + std::to_string(end) +
                         ", but a file of " + std::to_string(file_size) + " bytes has only " +
                         std::to_string(data_size) + " bytes of data: the file is cut short"};
    }
    const std::optional<std::uint64_t> size = byte_size(entry.shape, entry.dtype);
    const std::string kind = std::string(dtype_name(entry.dtype)) + " " + shape_text(entry.shape);
    if (!size) return Error{ErrorCode::malformed, where + kind + " is too large"};
    if (*size != end - begin) {
        return Error{ErrorCode::malformed,
                     where + "expected " + std::to_string(*size) + " bytes for " + kind +
                         ", found data_offsets " + std::to_string(begin) + " to " +
                         std::to_string(end) + " (" + std::to_string(end - begin) + " bytes)"};
    }
    return std::nullopt;
}

}  // namespace

Result<SafetensorsFile> SafetensorsFile::parse(std::span<const std::byte> bytes,
                                               std::string label) {
    const std::string shown = printable(label);
    const Result<std::string_view> header = header_of(bytes, shown);
    if (!header) return header.error();

    if (const auto fault = exceeded_limit(*header, kHeaderLimits, kLengthBytes)) {
        return Error{ErrorCode::malformed, shown + ": the header " + *fault};
    }

    HeaderEvents events;
    const bool accepted = nlohmann::json::sax_parse(header->begin(), header->end(), &events);
    if (!accepted || events.error) {
        Error error =
            events.error.value_or(Error{ErrorCode::malformed, "the header is not valid JSON"});
        error.message = shown + ": " + error.message;
        return error;
    }

    std::vector<Entry>& entries = events.entries;
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.name < b.name; });
    const auto twice =
        std::adjacent_find(entries.begin(), entries.end(),
                           [](const Entry& a, const Entry& b) { return a.name == b.name; });
    if (twice != entries.end()) {
        return Error{ErrorCode::malformed,
                     shown + ": tensor " + in_quotes(twice->name) + " occurs twice"};
    }

    const std::size_t data_offset = kLengthBytes + header->size();
    const auto data = bytes.subspan(data_offset);
    for (const Entry& entry : entries) {
        if (auto error = check_entry(entry, data.size(), bytes.size(), shown)) {
            return *std::move(error);
        }
    }
    if (auto error = check_coverage(entries, data.size(), shown)) return *std::move(error);

    SafetensorsFile file;
    file.label_ = std::move(label);
    file.metadata_ = std::move(events.metadata);
    file.data_offset_ = data_offset;
    file.tensors_.reserve(entries.size());
    for (Entry& entry : entries) {
        const auto begin = static_cast<std::size_t>(entry.offsets[0]);
        const auto end = static_cast<std::size_t>(entry.offsets[1]);
        file.tensors_.push_back({std::move(entry.name), entry.dtype, std::move(entry.shape),
                                 data.subspan(begin, end - begin)});
    }
    return file;
}

Result<SafetensorsFile> SafetensorsFile::from_memory(std::span<const std::byte> bytes,
                                                     std::string label) noexcept {
    try {
        return parse(bytes, std::move(label));
    } catch (...) {
        // Every malformed input has its own error above; what is left is memory. The message fits
        // a string's own storage, so that reporting it allocates nothing.
        return Error{ErrorCode::out_of_memory, "out of memory"};
    }
}

Result<SafetensorsFile> SafetensorsFile::open(const std::string& path) noexcept {
    try {
        Result<MappedFile> map = MappedFile::open(path);
        if (!map) return map.error();
        Result<SafetensorsFile> file = parse(map->bytes(), path);
        if (file) file->map_ = *std::move(map);
        return file;
    } catch (...) {
        return Error{ErrorCode::out_of_memory, "out of memory"};
    }
}

const TensorView* SafetensorsFile::find(std::string_view name) const noexcept {
    const auto at =
        std::lower_bound(tensors_.begin(), tensors_.end(), name,
                         [](const TensorView& a, std::string_view b) { return a.name < b; });
    return at != tensors_.end() && at->name == name ? &*at : nullptr;
}

}  // namespace lprnet::weights
