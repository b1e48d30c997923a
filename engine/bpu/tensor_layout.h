// Where the numbers of a tensor lie in device memory and what they mean: the properties that the
// runtime reports, checked once, and loops that copy floats there and back. Nothing here calls the
// runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/bpu/dnn_abi.h"
#include "engine/model/graph.h"
#include "lprnet/error.h"

namespace lprnet::bpu {

// Channels, rows and columns of one image, any of them 1.
class TensorLayout {
public:
    // Finds the channels, rows and columns of `shape` among the dimensions that `properties` have,
    // in either order and with any dimensions of 1 around them; a single dimension stands for
    // [channels][columns]. Copies what it needs. `what` names the tensor in messages.
    //
    // `unsupported` for elements that are neither float32 nor integers with a scale or a shift,
    // `mismatch` for another shape, `malformed` for properties that contradict themselves: every
    // stride, extent and factor is checked here, so that the loops below stay in the tensor's
    // bytes. May throw std::bad_alloc.
    static Result<TensorLayout> create(const abi::TensorProperties& properties, Shape shape,
                                       const std::string& what);

    const Shape& shape() const noexcept { return shape_; }
    // To allocate for it.
    std::size_t bytes() const noexcept { return bytes_; }
    // "int8, scale", for people.
    std::string describe() const;

    // From device memory to out[h][w][c] without gaps, as real values.
    void read(const std::byte* memory, float* out) const noexcept;
    // From in[h][w][c] to device memory, rounded and clipped as the runtime's documentation says.
    // Padding stays untouched.
    void write(const float* in, std::byte* memory) const noexcept;

private:
    struct Dimension {
        std::int32_t extent;
        std::ptrdiff_t stride;  // bytes
    };

    TensorLayout() = default;
    Status set_strides(const abi::TensorProperties& properties, const std::string& what);
    Status take_aligned_strides(const abi::TensorProperties& properties, const std::string& what);
    Status place(const abi::TensorProperties& properties, const std::string& what);
    Status set_factors(const abi::TensorProperties& properties, const std::string& what);
    Status set_quant_axis(const abi::TensorProperties& properties, std::int32_t count,
                          const std::string& what);
    Status set_shifts(const abi::QuantShift& shift, const std::string& what);
    Status set_scales(const abi::QuantScale& scale, const std::string& what);
    bool try_order(const int (&order)[3]) noexcept;
    template <class Byte, class Visit>
    void for_each(Byte* memory, Visit visit) const noexcept;

    Shape shape_;
    std::int32_t type_ = 0;
    std::int32_t quant_type_ = 0;
    std::size_t bytes_ = 0;
    std::vector<Dimension> dimensions_;  // as reported
    std::ptrdiff_t stride_[3] = {};      // of channels, rows, columns
    int dimension_[3] = {-1, -1, -1};    // which of dimensions_ they are; -1 for an extent of 1
    // value = (element - zero point) * factor. One each, or one for each index of quant_axis_.
    std::vector<float> factor_ = {1.0f};
    std::vector<float> zero_point_ = {0.0f};
    int quant_axis_ = -1;  // 0 channels, 1 rows, 2 columns; -1 where all have the same
};

// Bytes of an element; 0 for types that TensorLayout does not know.
std::size_t element_bytes(std::int32_t type) noexcept;
// "float32", "int8", ...; "type 7" for others.
std::string type_name(std::int32_t type);
// "1x3x24x94"
std::string shape_text(const abi::TensorShape& shape);
std::string shape_text(const Shape& shape);

// Errors: malformed unless there are 1 to 8 extents of 1 to 65536, and no more than 2^24 elements.
Status check_shape(const abi::TensorShape& shape, const std::string& what);

}  // namespace lprnet::bpu
