// Writing: every check first, then the bytes, to memory or to a file that appears whole.
#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "engine/text/printable.h"
#include "engine/text/utf8.h"
#include "weights/safetensors.h"
#include "weights/safetensors_checks.h"
#include "weights/whole_file.h"

namespace lprnet::weights {
namespace {

// Data begins at a multiple of this. 64 bytes are a cache line and the widest vector register
// (AVX-512), so in a page-aligned mapping the largest-element tensors start on a line; the format
// lets a header be padded by any number of spaces. Readers must not count on it.
constexpr std::size_t kDataAlignment = 64;

// A JSON string. The format's own implementation writes non-ASCII characters as they are, too.
void append_json(std::string& out, std::string_view text) {
    constexpr char kDigits[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20) {
            out += "\\u00";
            out += kDigits[byte >> 4];
            out += kDigits[byte & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

Status check_tensor(const TensorView& tensor) {
    const std::string where = "tensor " + in_quotes(tensor.name) + ": ";
    const auto wrong = [&](const std::string& what) {
        return Error{ErrorCode::invalid_argument, where + what};
    };
    if (const auto fault = name_fault(tensor.name)) return wrong("the name " + *fault);
    if (tensor.name == kMetadataKey) return wrong("the name is reserved for metadata");
    if (tensor.shape.size() > kMaxRank) {
        return wrong("expected at most " + std::to_string(kMaxRank) + " dimensions, found " +
                     std::to_string(tensor.shape.size()));
    }
    const std::optional<std::uint64_t> size = byte_size(tensor.shape, tensor.dtype);
    const std::string kind = std::string(dtype_name(tensor.dtype)) + " " + shape_text(tensor.shape);
    if (!size) return wrong("expected dimensions from 0 up that fit 63 bits, found " + kind);
    if (*size != tensor.bytes.size()) {
        return wrong("expected " + std::to_string(*size) + " bytes for " + kind + ", found " +
                     std::to_string(tensor.bytes.size()));
    }
    return {};
}

Status check_metadata(const Metadata& metadata) {
    if (metadata.size() > kMaxMetadataEntries) {
        return Error{ErrorCode::invalid_argument,
                     "metadata: expected at most " + std::to_string(kMaxMetadataEntries) +
                         " entries, found " + std::to_string(metadata.size())};
    }
    for (const auto& [key, value] : metadata) {
        if (find_invalid_utf8(key) != std::string::npos ||
            find_invalid_utf8(value) != std::string::npos) {
            return Error{ErrorCode::invalid_argument,
                         "metadata: key " + in_quotes(key) + " or its value is not valid UTF-8"};
        }
    }
    return {};
}

struct FileLayout {
    std::string head;                      // length, header and padding
    std::vector<const TensorView*> order;  // of the data
    std::uint64_t data_size = 0;
};

using Tensors = std::vector<const TensorView*>;

// All of them checked, in the order of their names.
Result<Tensors> tensors_by_name(std::span<const TensorView> tensors, const Metadata& metadata) {
    if (tensors.size() > kMaxTensors) {
        return Error{ErrorCode::invalid_argument,
                     "expected at most " + std::to_string(kMaxTensors) + " tensors, found " +
                         std::to_string(tensors.size())};
    }
    Tensors by_name;
    by_name.reserve(tensors.size());
    for (const TensorView& tensor : tensors) {
        if (Status status = check_tensor(tensor); !status) return status.error();
        by_name.push_back(&tensor);
    }
    if (Status status = check_metadata(metadata); !status) return status.error();
    std::sort(by_name.begin(), by_name.end(),
              [](const TensorView* a, const TensorView* b) { return a->name < b->name; });
    const auto twice = std::adjacent_find(
        by_name.begin(), by_name.end(),
        [](const TensorView* a, const TensorView* b) { return a->name == b->name; });
    if (twice != by_name.end()) {
        return Error{ErrorCode::invalid_argument,
                     "tensor " + in_quotes((*twice)->name) + " occurs twice"};
    }
    return by_name;
}

void append_metadata(std::string& header, const Metadata& metadata) {
    append_json(header, kMetadataKey);
    header += ":{";
    for (const auto& [key, value] : metadata) {
        if (header.back() != '{') header += ',';
        append_json(header, key);
        header += ':';
        append_json(header, value);
    }
    header += '}';
}

void append_tensor(std::string& header, const TensorView& tensor, std::uint64_t begin) {
    append_json(header, tensor.name);
    header += ":{\"dtype\":\"";
    header += dtype_name(tensor.dtype);
    header += "\",\"shape\":[";
    for (const std::int64_t dimension : tensor.shape) {
        if (header.back() != '[') header += ',';
        header += std::to_string(dimension);
    }
    header += "],\"data_offsets\":[" + std::to_string(begin) + "," +
              std::to_string(begin + tensor.bytes.size()) + "]}";
}

Result<FileLayout> plan_file(std::span<const TensorView> tensors, const Metadata& metadata) {
    Result<Tensors> by_name = tensors_by_name(tensors, metadata);
    if (!by_name) return by_name.error();
    FileLayout plan;
    plan.order = *by_name;
    std::stable_sort(plan.order.begin(), plan.order.end(),
                     [](const TensorView* a, const TensorView* b) {
                         return element_size(a->dtype) > element_size(b->dtype);
                     });
    std::map<const TensorView*, std::uint64_t> begins;
    for (const TensorView* tensor : plan.order) {
        begins.emplace(tensor, plan.data_size);
        plan.data_size += tensor->bytes.size();
    }

    std::string header = "{";
    if (!metadata.empty()) append_metadata(header, metadata);
    for (const TensorView* tensor : *by_name) {
        if (header.back() != '{') header += ',';
        append_tensor(header, *tensor, begins.find(tensor)->second);
    }
    header += '}';
    const std::size_t beyond = (kLengthBytes + header.size()) % kDataAlignment;
    if (beyond != 0) header.append(kDataAlignment - beyond, ' ');
    if (header.size() > kMaxHeaderBytes) {
        return Error{ErrorCode::invalid_argument,
                     "expected a header of at most " + std::to_string(kMaxHeaderBytes) +
                         " bytes, found " + std::to_string(header.size())};
    }
    const auto length = static_cast<std::uint64_t>(header.size());
    plan.head.resize(kLengthBytes);
    std::memcpy(plan.head.data(), &length, kLengthBytes);
    plan.head += header;
    return plan;
}

}  // namespace

Result<std::vector<std::byte>> serialize_safetensors(std::span<const TensorView> tensors,
                                                     const Metadata& metadata) noexcept {
    try {
        const Result<FileLayout> plan = plan_file(tensors, metadata);
        if (!plan) return plan.error();
        std::vector<std::byte> bytes;
        bytes.reserve(plan->head.size() + static_cast<std::size_t>(plan->data_size));
        const auto head = std::as_bytes(std::span(plan->head));
        bytes.insert(bytes.end(), head.begin(), head.end());
        for (const TensorView* tensor : plan->order) {
            bytes.insert(bytes.end(), tensor->bytes.begin(), tensor->bytes.end());
        }
        return bytes;
    } catch (...) {
        return Error{ErrorCode::out_of_memory, "out of memory"};
    }
}

Status write_safetensors(const std::string& path, std::span<const TensorView> tensors,
                         const Metadata& metadata) noexcept {
    try {
        if (Status status = check_output_path(path); !status) return status;
        const Result<FileLayout> plan = plan_file(tensors, metadata);
        if (!plan) {
            Error error = plan.error();
            error.message = printable(path) + ": " + error.message;
            return error;
        }
        std::vector<std::span<const std::byte>> pieces = {std::as_bytes(std::span(plan->head))};
        for (const TensorView* tensor : plan->order) pieces.push_back(tensor->bytes);
        return write_whole_file(path, pieces);
    } catch (...) {
        return Error{ErrorCode::out_of_memory, "out of memory"};
    }
}

}  // namespace lprnet::weights
