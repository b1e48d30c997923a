// Reader and writer of safetensors files, and the tensor view both share. Layout, limits and
// what a reader must refuse are written down in weights/FORMAT.md. Nothing here knows a layer,
// a charset or the network: a file is names, shapes, bytes and a map of strings.
//
// Reference for the format: https://github.com/huggingface/safetensors (README, "Format").
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "lprnet/error.h"
#include "weights/float16.h"
#include "weights/mapped_file.h"

namespace lprnet::weights {

static_assert(std::endian::native == std::endian::little,
              "safetensors data is little-endian and is used in place");

// Hard limits on what a file may announce; the writer keeps to the same ones. Each bounds what
// reading costs before a single tensor is looked at.
inline constexpr std::uint64_t kMaxHeaderBytes = 16U << 20;  // LPRNet needs about 10 KiB; 100 bytes
                                                             // a tensor at kMaxTensors still fit
inline constexpr std::size_t kMaxTensors = 65536;            // LPRNet has about 60, a dump about 70
inline constexpr std::size_t kMaxMetadataEntries = 4096;     // lprnet.* needs fewer than 20
inline constexpr std::size_t kMaxRank = 8;                   // a batched 3-D convolution needs 5
inline constexpr std::size_t kMaxNameBytes = 512;            // state_dict keys stay under 100

// The element types of the format that have a whole number of bytes and a C++ meaning.
enum class DType : std::uint8_t {
    f64,
    f32,
    f16,
    bf16,
    i64,
    i32,
    i16,
    i8,
    u64,
    u32,
    u16,
    u8,
    boolean,
};

// Bytes per element: 1, 2, 4 or 8.
std::size_t element_size(DType dtype) noexcept;

// The name in a file's header: "F32", "I8", "BOOL", ...
std::string_view dtype_name(DType dtype) noexcept;

// One named tensor, row-major, its bytes owned elsewhere: by the SafetensorsFile it came from,
// or by the caller who is about to write it.
struct TensorView {
    std::string name;
    DType dtype = DType::f32;
    std::vector<std::int64_t> shape;  // empty: one element
    std::span<const std::byte> bytes;

    // Number of elements that `bytes` holds. For a tensor of a SafetensorsFile this is the
    // product of `shape`.
    std::size_t element_count() const noexcept { return bytes.size() / element_size(dtype); }

    // True when `bytes` may be read as float in place: dtype f32 at a 4-byte-aligned address.
    // The format does not promise alignment (an F32 tensor may follow a U8 one).
    bool has_f32() const noexcept;

    // The elements in place when has_f32(), otherwise an empty span.
    std::span<const float> f32() const noexcept;

    // Replaces `out` by the elements, of f32 or f16, at any alignment. Errors, naming the tensor:
    // mismatch when dtype is another or `bytes` is not whole elements; out_of_memory.
    Status copy_f32(std::vector<float>& out) const noexcept;
};

// A view of `elements` for the writer. T is float, double, Float16 or an integer of the format;
// bool and bfloat16 need a hand-made TensorView. Nothing is checked here: the writer does.
template <class T>
TensorView view_of(std::string name, std::vector<std::int64_t> shape, std::span<const T> elements);

using Metadata = std::map<std::string, std::string, std::less<>>;

// An open file whose every header field has been checked: offsets lie inside the file, shapes
// agree with sizes, tensors cover the data exactly once. Tensor values are not looked at (see
// check_finite). Immutable and move-only; any number of threads may read it. Views stay valid
// until this object ends or is assigned to; moving it keeps them.
class SafetensorsFile {
public:
    // Maps and checks the file at `path`. Errors, one line each, naming the path and, where there
    // is one, the tensor and the offset: those of MappedFile::open; malformed when the bytes are
    // no safetensors file; unsupported for a dtype not in DType; out_of_memory.
    static Result<SafetensorsFile> open(const std::string& path) noexcept;

    // Checks `bytes`, which the caller keeps alive and unchanged for as long as this object or a
    // view of it. `label` stands for the path in messages. Errors as open(), less the mapping's.
    static Result<SafetensorsFile> from_memory(std::span<const std::byte> bytes,
                                               std::string label) noexcept;

    // Every tensor, by name in byte order, names unique.
    const std::vector<TensorView>& tensors() const noexcept LPRNET_LIFETIMEBOUND {
        return tensors_;
    }

    // The tensor of that name, or nullptr. Logarithmic in the number of tensors.
    const TensorView* find(std::string_view name) const noexcept;

    // The `__metadata__` map; empty when the file has none. Valid UTF-8.
    const Metadata& metadata() const noexcept LPRNET_LIFETIMEBOUND { return metadata_; }

    // The path or label given on opening.
    const std::string& label() const noexcept LPRNET_LIFETIMEBOUND { return label_; }

    // Offset in the file, in bytes, of the first byte of tensor data.
    std::size_t data_offset() const noexcept { return data_offset_; }

private:
    SafetensorsFile() = default;
    static Result<SafetensorsFile> parse(std::span<const std::byte> bytes, std::string label);

    MappedFile map_;
    std::string label_;
    std::vector<TensorView> tensors_;
    Metadata metadata_;
    std::size_t data_offset_ = 0;
};

// The bytes of a file with these tensors and metadata. The same input gives the same bytes,
// whatever the order of `tensors`: header entries by name; data by element size, largest first,
// then by name, so that every tensor is aligned to its element size; the header is padded with
// spaces until the data begins at a multiple of 64.
// Errors: invalid_argument, naming the tensor or key, for a name that is empty, reserved, too
// long, used twice, not UTF-8 or not printable, for bytes that do not fit the shape, and for
// anything above the limits; out_of_memory. Thread-safe.
Result<std::vector<std::byte>> serialize_safetensors(std::span<const TensorView> tensors,
                                                     const Metadata& metadata) noexcept;

// Writes those bytes to `path`, whole or not at all: into a temporary file in the same folder,
// then renamed over `path`. A link is followed. On an error a regular file at `path` is untouched
// and the temporary file is gone. An existing device or pipe is written to directly. Safe while
// a SafetensorsFile of the same path is open. Not synced to disk.
// Errors: those of serialize_safetensors, prefixed by the path; invalid_argument for a path that
// is empty or holds a zero byte; not_found, with the system's reason, when the file cannot be
// created, written (a full disk) or renamed. Thread-safe.
Status write_safetensors(const std::string& path, std::span<const TensorView> tensors,
                         const Metadata& metadata) noexcept;

// Malformed when a floating-point tensor holds a NaN or an infinity, naming the tensor, the index
// (row-major, from 0) and the value of the first one. Integer and boolean tensors pass. Reads
// every element, at any alignment. Thread-safe.
Status check_finite(const TensorView& tensor) noexcept;

template <class T>
TensorView view_of(std::string name, std::vector<std::int64_t> shape, std::span<const T> elements) {
    constexpr DType kDType = [] {
        if constexpr (std::is_same_v<T, double>) return DType::f64;
        if constexpr (std::is_same_v<T, float>) return DType::f32;
        if constexpr (std::is_same_v<T, Float16>) return DType::f16;
        if constexpr (std::is_same_v<T, std::int64_t>) return DType::i64;
        if constexpr (std::is_same_v<T, std::int32_t>) return DType::i32;
        if constexpr (std::is_same_v<T, std::int16_t>) return DType::i16;
        if constexpr (std::is_same_v<T, std::int8_t>) return DType::i8;
        if constexpr (std::is_same_v<T, std::uint64_t>) return DType::u64;
        if constexpr (std::is_same_v<T, std::uint32_t>) return DType::u32;
        if constexpr (std::is_same_v<T, std::uint16_t>) return DType::u16;
        if constexpr (std::is_same_v<T, std::uint8_t>) return DType::u8;
    }();
    return {std::move(name), kDType, std::move(shape), std::as_bytes(elements)};
}

}  // namespace lprnet::weights
