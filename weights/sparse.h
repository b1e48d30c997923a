// Float, Float16 and int8 tensors with many zeros: a bit mask and the other values, as three
// tensors of a file. Reading, checked like everything else that comes from a file, and writing.
// Layout and rules are in weights/FORMAT.md, "Sparse tensors". Which tensors may be sparse is for
// the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lprnet/error.h"
#include "weights/safetensors.h"

namespace lprnet::weights {

// What the names of the three tensors add to the name of the one that they stand for.
inline constexpr std::string_view kMaskSuffix = ".mask";
inline constexpr std::string_view kValuesSuffix = ".values";
inline constexpr std::string_view kShapeSuffix = ".shape";

// A tensor of a file in whichever form the file stores it. Valid as long as the file.
class StoredTensor {
public:
    // The tensor `name` of elements of `dtype`, F32 or I8, dense or sparse; where F32 is asked for,
    // F16 will do. Everything is checked that needs no look at the values: after success the number
    // of elements is bounded by the bytes of the file. Errors, without the file's name: mismatch
    // when there is no such tensor or a dense one has another dtype; malformed when it is there
    // twice, when a part is missing or when the parts do not fit each other. May throw
    // std::bad_alloc.
    static Result<StoredTensor> find(const SafetensorsFile& file, const std::string& name,
                                     DType dtype = DType::f32);

    const std::vector<std::int64_t>& shape() const noexcept { return shape_; }
    bool is_sparse() const noexcept { return mask_ != nullptr; }
    // Of the elements in the file.
    DType dtype() const noexcept { return values_->dtype; }
    // Bytes of data in the file, all parts together.
    std::size_t stored_bytes() const noexcept;
    // The names under which the file stores it: one, or three. May throw std::bad_alloc.
    std::vector<std::string> stored_names() const;

    // Replaces `out` by all elements, row-major. Malformed, naming the tensor, for a number that
    // is not finite, and in a sparse tensor for a bit behind the last element, for more or fewer
    // bits than values, and for a value of zero. The elements are those that find() was asked for.
    // May throw std::bad_alloc.
    Status copy(std::vector<float>& out) const;
    Status copy(std::vector<std::int8_t>& out) const;

private:
    Status read_sparse_shape(const TensorView& shape, DType dtype);
    template <class T>
    Status fill(std::vector<T> values, std::vector<T>& out) const;

    // The dense tensor, or the non-zero values of a sparse one.
    const TensorView* values_ = nullptr;
    const TensorView* mask_ = nullptr;        // of a sparse tensor only
    const TensorView* shape_view_ = nullptr;  // of a sparse tensor only
    std::vector<std::int64_t> shape_;
    std::size_t count_ = 0;
};

// The parts of a sparse tensor of float, Float16 or std::int8_t, for the writer.
template <class T>
struct SparseParts {
    std::vector<std::uint8_t> mask;
    std::vector<T> values;
    std::vector<std::int64_t> shape;

    // Views of the three parts for serialize_safetensors; this object must outlive them.
    std::vector<TensorView> views(const std::string& name) const;
};
using SparseTensor = SparseParts<float>;
using SparseTensorS8 = SparseParts<std::int8_t>;

// Zeros of either sign become mask bits, so a negative zero comes back as a positive one.
// `shape` is that of `elements`. May throw std::bad_alloc.
SparseTensor make_sparse(std::span<const float> elements, std::vector<std::int64_t> shape);
SparseParts<Float16> make_sparse(std::span<const Float16> elements,
                                 std::vector<std::int64_t> shape);
SparseTensorS8 make_sparse(std::span<const std::int8_t> elements, std::vector<std::int64_t> shape);

// True when the sparse form makes the file smaller; writers choose it exactly then. `rank` is
// the number of dimensions.
bool is_smaller_sparse(std::span<const float> elements, std::size_t rank) noexcept;
bool is_smaller_sparse(std::span<const Float16> elements, std::size_t rank) noexcept;
bool is_smaller_sparse(std::span<const std::int8_t> elements, std::size_t rank) noexcept;

}  // namespace lprnet::weights
