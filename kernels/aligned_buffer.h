// A fixed block of floats at cache-line alignment.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "kernels/pack.h"

namespace lprnet::kernels {

// Move-only. Contents start as zeros. Throws std::bad_alloc.
class AlignedBuffer {
public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(std::size_t size)
        : data_(static_cast<float*>(
              ::operator new (size * sizeof(float), std::align_val_t{kWeightAlignment}))),
          size_(size) {
        std::uninitialized_fill_n(data_.get(), size, 0.0f);
    }

    float* data() noexcept { return data_.get(); }
    const float* data() const noexcept { return data_.get(); }
    std::size_t size() const noexcept { return size_; }

private:
    struct Delete {
        void operator()(float* p) const noexcept {
            ::operator delete (p, std::align_val_t{kWeightAlignment});
        }
    };
    std::unique_ptr<float[], Delete> data_;
    std::size_t size_ = 0;
};

}  // namespace lprnet::kernels
