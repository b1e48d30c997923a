// The order of the checks is that of their dependence: which parts there are, what kind each
// is, the shape, then sizes against the shape; values last, by copy().
#include "weights/sparse.h"

#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include "weights/printable.h"
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

Status expect_vector(const TensorView& tensor, DType dtype) {
    if (tensor.dtype == dtype && tensor.shape.size() == 1) return {};
    return malformed(tensor,
                     "expected " + std::string(dtype_name(dtype)) + " of one dimension, found " +
                         std::string(dtype_name(tensor.dtype)) + " " + shape_text(tensor.shape));
}

}  // namespace

Status StoredTensor::read_sparse_shape(const TensorView& shape) {
    const std::size_t rank = shape.element_count();
    if (rank > kMaxRank) {
        return malformed(shape, "expected at most " + std::to_string(kMaxRank) +
                                    " dimensions, found " + std::to_string(rank));
    }
    shape_.resize(rank);
    if (rank > 0) std::memcpy(shape_.data(), shape.bytes.data(), shape.bytes.size());
    const std::optional<std::uint64_t> size = byte_size(shape_, DType::f32);
    if (!size || !std::in_range<std::size_t>(*size)) {
        return malformed(shape,
                         "expected dimensions from 0 up that fit 63 bits and memory, found " +
                             shape_text(shape_));
    }
    count_ = static_cast<std::size_t>(*size / element_size(DType::f32));
    return {};
}

Result<StoredTensor> StoredTensor::find(const SafetensorsFile& file, const std::string& name) {
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
        if (dense->dtype != DType::f32) {
            return Error{ErrorCode::mismatch, "tensor " + in_quotes(name) + " has dtype " +
                                                  std::string(dtype_name(dense->dtype)) +
                                                  ", expected F32"};
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
    if (Status s = expect_vector(values, DType::f32); !s) return s.error();
    if (Status s = expect_vector(shape, DType::i64); !s) return s.error();
    if (Status s = found.read_sparse_shape(shape); !s) return s.error();
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

Status StoredTensor::copy(std::vector<float>& out) const {
    if (Status s = check_finite(*values_); !s) return s;
    if (!is_sparse()) return values_->copy_f32(out);

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
    std::vector<float> values;
    if (Status s = values_->copy_f32(values); !s) return s;
    if (bits != values.size()) {
        return malformed(*mask_, "expected " + std::to_string(values.size()) +
                                     " bits, one for each value of " + in_quotes(values_->name) +
                                     ", found " + std::to_string(bits));
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] == 0.0F) {
            return malformed(*values_, "element " + std::to_string(i) + " of " +
                                           std::to_string(values.size()) +
                                           " is 0, which only the mask may say");
        }
    }

    // Without a branch, which would be guessed wrong at every other element; hence one value more,
    // for the clear bits behind the last that is set.
    values.push_back(0.0F);
    out.resize(count_);
    std::size_t next = 0;
    for (std::size_t i = 0; i < count_; ++i) {
        const unsigned bit = byte(i / kBitsPerByte) >> (i % kBitsPerByte) & 1U;
        out[i] = bit != 0 ? values[next] : 0.0F;
        next += bit;
    }
    return {};
}

std::vector<TensorView> SparseTensor::views(const std::string& name) const {
    const auto extent = [](const auto& part) {
        return std::vector<std::int64_t>{static_cast<std::int64_t>(part.size())};
    };
    return {view_of<std::uint8_t>(name + std::string(kMaskSuffix), extent(mask), mask),
            view_of<float>(name + std::string(kValuesSuffix), extent(values), values),
            view_of<std::int64_t>(name + std::string(kShapeSuffix), extent(shape), shape)};
}

SparseTensor make_sparse(std::span<const float> elements, std::vector<std::int64_t> shape) {
    SparseTensor sparse;
    sparse.mask.resize(mask_bytes(elements.size()));
    for (std::size_t i = 0; i < elements.size(); ++i) {
        if (elements[i] == 0.0F) continue;
        std::uint8_t& byte = sparse.mask[i / kBitsPerByte];
        byte = static_cast<std::uint8_t>(byte | 1U << (i % kBitsPerByte));
        sparse.values.push_back(elements[i]);
    }
    sparse.shape = std::move(shape);
    return sparse;
}

bool is_smaller_sparse(std::span<const float> elements, std::size_t rank) noexcept {
    std::size_t values = 0;
    for (const float element : elements) values += element != 0.0F ? 1 : 0;
    return mask_bytes(elements.size()) + values * sizeof(float) + rank * sizeof(std::int64_t) +
               kHeaderBytes <
           elements.size_bytes();
}

}  // namespace lprnet::weights
