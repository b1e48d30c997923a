// The memory of packed weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/plan/place_memory.h"
#include "kernels/aligned_buffer.h"

namespace lprnet {

// Is taken piece by piece, twice in the same order: first the pieces only count, then they are
// there. So nobody computes the size of a piece but who takes it.
class PackedMemory {
public:
    // Until allocate(): all pieces are null.
    bool counting() const noexcept { return counting_; }
    // Room for all that was taken, which is now taken again. May throw std::bad_alloc.
    void allocate();
    // Of what was taken, since allocate() if that was called.
    std::size_t bytes() const noexcept {
        return floats_ * sizeof(float) + lists_taken_ * sizeof(std::uint16_t);
    }

    // So many zeros in whole cache lines.
    template <class T>
    T* take(std::size_t count) noexcept {
        static_assert(sizeof(T) == sizeof(float) && alignof(T) == alignof(float));
        const std::size_t begin = floats_;
        floats_ += align_up(count * sizeof(float)) / sizeof(float);
        return counting_ ? nullptr : reinterpret_cast<T*>(buffer_.data() + begin);
    }
    // The lists of a sparse convolution, right behind those that were taken before.
    std::uint16_t* take_lists(std::size_t count) noexcept {
        const std::size_t begin = lists_taken_;
        lists_taken_ += count;
        return counting_ ? nullptr : lists_.data() + begin;
    }

private:
    bool counting_ = true;
    std::size_t floats_ = 0, lists_taken_ = 0;
    kernels::AlignedBuffer buffer_;
    std::vector<std::uint16_t> lists_;
};

}  // namespace lprnet
