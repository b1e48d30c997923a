// Progress that counts, and stops when it should.
#pragma once

#include <cstddef>
#include <limits>

#include "engine/measure/progress.h"

namespace lprnet::test {

class CountedProgress final : public measure::Progress {
public:
    explicit CountedProgress(std::size_t calls = std::numeric_limits<std::size_t>::max())
        : calls_left_(calls) {}

    void begin(std::size_t parts) override { announced = parts; }
    bool advance(std::size_t parts) override {
        done += parts;
        if (calls_left_ == 0) return false;
        --calls_left_;
        return true;
    }

    std::size_t announced = 0;
    std::size_t done = 0;

private:
    std::size_t calls_left_;
};

}  // namespace lprnet::test
