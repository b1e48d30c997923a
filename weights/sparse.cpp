// The order of the checks is that of their dependence: which parts there are, what kind each
// is, the shape, then sizes against the shape; values last, by copy().
#include "weights/sparse.h"

#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include "engine/text/printable.h"
#include "weights/safetensors_checks.h"

namespace lprnet::weights {
namespace {

constexpr std::size_t kBitsPerByte = 8;

// What two more entries cost in the header: about 110 bytes each for a key of LPRNet. A
// constant, so that the choice of the form does not depend on the length of names.
constexpr std::size_t kHeaderBytes = 256;

std::size_t mask_bytes(std::size_t count) noexcept {
    return count / kBitsPerByte + (count % kBitsPerByte != 0 ? 1 : 0);
}

Error malformed(const TensorView& tensor, const std::string& what) {
    return {ErrorCode::malformed, "tensor " + in_quotes(tensor.name) + ": " + what};
}

// Whether elements of `found` are `dtype`, as they are or made longer.
bool is_stored_as(DType found, DType dtype) noexcept {
    return found == dtype || (found == DType::f16 && dtype == DType::f32);
}

std::string expected_name(DType dtype) {
    return dtype == DType::f32 ? "F32 or F16" : std::string(dtype_name(dtype));
}

Status expect_vector(const TensorView& tensor, DType dtype) {
    if (is_stored_as(tensor.dtype, dtype) && tensor.shape.size() == 1) return {};
    return malformed(tensor, "expected " + expected_name(dtype) + " of one dimension, found " +
                                 std::string(dtype_name(tensor.dtype)) + " " +
                                 shape_text(tensor.shape));
}

}  // namespace

Status StoredTensor::read_sparse_shape(const TensorView& shape, DType dtype) {
    const std::size_t rank = shape.element_count();
    if (rank > kMaxRank) {
        return malformed(shape, "expected at most " + std::to_string(kMaxRank) +
                                    " dimensions, found " + std::to_string(rank));
    }
    shape_.resize(rank);
    if (rank > 0) std::memcpy(shape_.data(), shape.bytes.data(), shape.bytes.size());
    const std::optional<std::uint64_t> size = byte_size(shape_, dtype);
    if (!size || !std::in_range<std::size_t>(*size)) {
        return malformed(shape,
                         "expected dimensions from 0 up that fit 63 bits and memory, found " +
                             shape_text(shape_));
    }
    count_ = static_cast<std::size_t>(*size / element_size(dtype));
    return {};
}

Result<StoredTensor> StoredTensor::find(const SafetensorsFile& file, const std::string& name,
                                        DType dtype) {
    StoredTensor found;
    const TensorView* dense = file.find(name);
    const std::string_view suffixes[] = {kMaskSuffix, kValuesSuffix, kShapeSuffix};
    const TensorView* parts[3] = {};
    const TensorView* any_part = nullptr;
    for (std::size_t i = 0; i < 3; ++i) {
        parts[i] = file.find(name + std::string(suffixes[i]));
        if (any_part == nullptr) any_part = parts[i];
    }

    if (any_part == nullptr) {
        if (dense == nullptr) {
            return Error{ErrorCode::mismatch, "tensor " + in_quotes(name) + " is missing"};
        }
        if (!is_stored_as(dense->dtype, dtype)) {
            return Error{ErrorCode::mismatch, "tensor " + in_quotes(name) + " has dtype " +
                                                  std::string(dtype_name(dense->dtype)) +
                                                  ", expected " + expected_name(dtype)};
        }
        found.values_ = dense;
        found.shape_ = dense->shape;
        found.count_ = dense->element_count();
        return found;
    }
    if (dense != nullptr) {
        return malformed(*dense, "stored twice, also as " + in_quotes(any_part->name));
    }
    for (std::size_t i = 0; i < 3; ++i) {
        if (parts[i] != nullptr) continue;
        return Error{ErrorCode::malformed, "tensor " + in_quotes(name + std::string(suffixes[i])) +
                                               " is missing, but " + in_quotes(any_part->name) +
                                               " is there"};
    }
    const TensorView& mask = *parts[0];
    const TensorView& values = *parts[1];
    const TensorView& shape = *parts[2];
    if (Status s = expect_vector(mask, DType::u8); !s) return s.error();
    if (Status s = expect_vector(values, dtype); !s) return s.error();
    if (Status s = expect_vector(shape, DType::i64); !s) return s.error();
    if (Status s = found.read_sparse_shape(shape, dtype); !s) return s.error();
    if (mask.bytes.size() != mask_bytes(found.count_)) {
        return malformed(mask, "expected " + std::to_string(mask_bytes(found.count_)) +
                                   " bytes for " + shape_text(found.shape_) + ", found " +
                                   std::to_string(mask.bytes.size()));
    }
    if (values.element_count() > found.count_) {
        return malformed(values, "expected at most " + std::to_string(found.count_) +
                                     " values for " + shape_text(found.shape_) + ", found " +
                                     std::to_string(values.element_count()));
    }
    found.mask_ = &mask;
    found.values_ = &values;
    found.shape_view_ = &shape;
    return found;
}

std::size_t StoredTensor::stored_bytes() const noexcept {
    if (!is_sparse()) return values_->bytes.size();
    return mask_->bytes.size() + values_->bytes.size() + shape_view_->bytes.size();
}

std::vector<std::string> StoredTensor::stored_names() const {
    if (!is_sparse()) return {values_->name};
    return {mask_->name, values_->name, shape_view_->name};
}

// `values` are those of a sparse tensor that are not zero.
template <class T>
Status StoredTensor::fill(std::vector<T> values, std::vector<T>& out) const {
    const auto byte = [&](std::size_t i) { return std::to_integer<unsigned>(mask_->bytes[i]); };
    std::size_t bits = 0;
    for (std::size_t i = 0; i < mask_->bytes.size(); ++i) {
        bits += static_cast<std::size_t>(std::popcount(byte(i)));
    }
    const std::size_t last_bits = count_ % kBitsPerByte;
    if (last_bits != 0 && byte(mask_->bytes.size() - 1) >> last_bits != 0) {
        return malformed(*mask_,
                         "a bit is set behind the last of " + std::to_string(count_) + " elements");
    }
    if (bits != values.size()) {
        return malformed(*mask_, "expected " + std::to_string(values.size()) +
                                     " bits, one for each value of " + in_quotes(values_->name) +
                                     ", found " + std::to_string(bits));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] == T{}) {
            return malformed(*values_, "element " + std::to_string(i) + " of " +
                                           std::to_string(values.size()) +
                                           " is 0, which only the mask may say");
        }
    }

    // Without a branch, which would be guessed wrong at every other element; hence one value more,
    // for the clear bits behind the last that is set.
    values.push_back(T{});
    out.resize(count_);
    std::size_t next = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        const unsigned bit = byte(i / kBitsPerByte) >> (i % kBitsPerByte) & 1U;
        out[i] = bit != 0 ? values[next] : T{};
        next += bit;
    }
    return {};
}

Status StoredTensor::copy(std::vector<float>& out) const {
    if (Status s = check_finite(*values_); !s) return s;
    if (!is_sparse()) return values_->copy_f32(out);
    std::vector<float> values;
    if (Status s = values_->copy_f32(values); !s) return s;
    return fill(std::move(values), out);
}

Status StoredTensor::copy(std::vector<std::int8_t>& out) const {
    std::vector<std::int8_t> values(values_->bytes.size());
    if (!values.empty()) std::memcpy(values.data(), values_->bytes.data(), values.size());
    if (is_sparse()) return fill(std::move(values), out);
    out = std::move(values);
    return {};
}

template <class T>
std::vector<TensorView> SparseParts<T>::views(const std::string& name) const {
    const auto extent = [](const auto& part) {
        return std::vector<std::int64_t>{static_cast<std::int64_t>(part.size())};
    };
    return {view_of<std::uint8_t>(name + std::string(kMaskSuffix), extent(mask), mask),
            view_of<T>(name + std::string(kValuesSuffix), extent(values), values),
            view_of<std::int64_t>(name + std::string(kShapeSuffix), extent(shape), shape)};
}
template struct SparseParts<float>;
template struct SparseParts<Float16>;
template struct SparseParts<std::int8_t>;

namespace {

template <class T>
SparseParts<T> parts_of(std::span<const T> elements, std::vector<std::int64_t> shape) {
    SparseParts<T> sparse;
    sparse.mask.resize(mask_bytes(elements.size()));
    for (std::size_t i = 0; i < elements.size(); ++i) {
        if (elements[i] == T{}) continue;
        std::uint8_t& byte = sparse.mask[i / kBitsPerByte];
        byte = static_cast<std::uint8_t>(byte | 1U << (i % kBitsPerByte));
        sparse.values.push_back(elements[i]);
    }
    sparse.shape = std::move(shape);
    return sparse;
}

template <class T>
bool is_smaller(std::span<const T> elements, std::size_t rank) noexcept {
    std::size_t values = 0;
    for (const T element : elements) values += element != T{} ? 1 : 0;
    return mask_bytes(elements.size()) + values * sizeof(T) + rank * sizeof(std::int64_t) +
               kHeaderBytes <
           elements.size_bytes();
}

}  // namespace

SparseTensor make_sparse(std::span<const float> elements, std::vector<std::int64_t> shape) {
    return parts_of(elements, std::move(shape));
}
SparseParts<Float16> make_sparse(std::span<const Float16> elements,
                                 std::vector<std::int64_t> shape) {
    return parts_of(elements, std::move(shape));
}
SparseTensorS8 make_sparse(std::span<const std::int8_t> elements, std::vector<std::int64_t> shape) {
    return parts_of(elements, std::move(shape));
}

bool is_smaller_sparse(std::span<const float> elements, std::size_t rank) noexcept {
    return is_smaller(elements, rank);
}
bool is_smaller_sparse(std::span<const Float16> elements, std::size_t rank) noexcept {
    return is_smaller(elements, rank);
}
bool is_smaller_sparse(std::span<const std::int8_t> elements, std::size_t rank) noexcept {
    return is_smaller(elements, rank);
}

}  // namespace lprnet::weights
