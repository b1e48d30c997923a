// What a .bin takes: normalized numbers, or pixels that it normalizes itself. Nothing here calls
// the runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/bpu/tensor_layout.h"
#include "engine/image/preprocess.h"
#include "lprnet/bpu.h"

namespace lprnet::bpu {

class InputTensor {
public:
    // Errors: those of TensorLayout::create(); `mismatch` for another size, `unsupported` for
    // pixels that a model with these channels cannot be given. May throw std::bad_alloc.
    static Result<InputTensor> create(const abi::TensorProperties& properties,
                                      const Preprocess& preprocess, Nv12Range range,
                                      const std::string& what);

    // True: write_pixels(); false: write_values().
    bool takes_pixels() const noexcept { return kind_ != Kind::values; }
    // Bytes of each block of memory that it needs, one or two.
    std::span<const std::size_t> blocks() const noexcept { return blocks_; }
    std::string describe() const;

    // [height][width][channels] in the model's channel order, as Preprocessor::run() writes it.
    void write_values(const float* values, std::byte* const* blocks) const noexcept;
    // The same with 8 bits a channel, as Preprocessor::resize() writes it.
    void write_pixels(const std::uint8_t* pixels, std::byte* const* blocks) noexcept;

private:
    enum class Kind { values, nv12, packed };

    InputTensor() = default;
    Status set_nv12(const abi::TensorProperties& properties, const std::string& what);
    Status set_packed(const abi::TensorProperties& properties, const std::string& what);
    void write_nv12(const std::uint8_t* pixels, std::byte* luma, std::byte* chroma) const noexcept;

    Kind kind_ = Kind::values;
    std::int32_t type_ = 0;
    Shape shape_;
    bool blue_first_ = false;  // the model's pixels
    std::vector<std::size_t> blocks_;
    std::optional<TensorLayout> layout_;  // of values and of packed pixels
    std::vector<float> pixels_;           // packed pixels in the tensor's channel order
    Nv12Range range_ = Nv12Range::video;
    std::size_t row_bytes_ = 0;   // NV12: from one row to the next
    std::size_t luma_bytes_ = 0;  // and of all rows of luma
};

}  // namespace lprnet::bpu
