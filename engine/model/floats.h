// Weights: many floats that nobody changes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace lprnet {

// Copies share the elements, so that a graph can be copied and rewritten without its weights.
class Floats {
public:
    Floats() = default;
    Floats(std::vector<float> values)
        : owner_(std::make_shared<const std::vector<float>>(std::move(values))), view_(*owner_) {}
    // The elements must outlive every copy.
    static Floats borrow(std::span<const float> values) {
        Floats floats;
        floats.view_ = values;
        return floats;
    }

    const float* data() const noexcept { return view_.data(); }
    std::size_t size() const noexcept { return view_.size(); }
    auto begin() const noexcept { return view_.begin(); }
    auto end() const noexcept { return view_.end(); }
    const float& operator[](std::size_t i) const noexcept { return view_[i]; }
    operator std::span<const float>() const noexcept { return view_; }

    friend bool operator==(const Floats& a, const Floats& b) noexcept {
        return std::equal(a.begin(), a.end(), b.begin(), b.end());
    }

private:
    std::shared_ptr<const std::vector<float>> owner_;
    std::span<const float> view_;
};

}  // namespace lprnet
