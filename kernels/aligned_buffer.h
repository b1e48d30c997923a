// A fixed block of floats at cache-line alignment.
#pragma once

#include <cstddef>
#include <memory>

namespace lprnet::kernels {

struct ReleaseAligned {
    std::size_t size = 0;  // floats
    void operator()(float* p) const noexcept;
};

// Move-only. Contents start as zeros. Throws std::bad_alloc.
class AlignedBuffer {
public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(std::size_t size);

    float* data() noexcept { return data_.get(); }
    const float* data() const noexcept { return data_.get(); }
    std::size_t size() const noexcept { return data_.get_deleter().size; }

private:
    std::unique_ptr<float[], ReleaseAligned> data_;
};

}  // namespace lprnet::kernels
