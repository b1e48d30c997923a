// Weights: many numbers that nobody changes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace lprnet {

// Copies share the elements, so that a graph can be copied and rewritten without its weights.
template <class T>
class SharedArray {
public:
    SharedArray() = default;
    SharedArray(std::vector<T> values) {
        auto owner = std::make_shared<const std::vector<T>>(std::move(values));
        view_ = *owner;
        owner_ = std::move(owner);
    }
    // Elements in memory of `owner`, which lives as long as every copy.
    SharedArray(std::shared_ptr<const void> owner, std::span<const T> values)
        : owner_(std::move(owner)), view_(values) {}
    // The elements must outlive every copy.
    static SharedArray borrow(std::span<const T> values) {
        SharedArray array;
        array.view_ = values;
        return array;
    }

    const T* data() const noexcept { return view_.data(); }
    std::size_t size() const noexcept { return view_.size(); }
    auto begin() const noexcept { return view_.begin(); }
    auto end() const noexcept { return view_.end(); }
    const T& operator[](std::size_t i) const noexcept { return view_[i]; }
    operator std::span<const T>() const noexcept { return view_; }

    friend bool operator==(const SharedArray& a, const SharedArray& b) noexcept {
        return std::equal(a.begin(), a.end(), b.begin(), b.end());
    }

private:
    std::shared_ptr<const void> owner_;
    std::span<const T> view_;
};

using Floats = SharedArray<float>;

}  // namespace lprnet
