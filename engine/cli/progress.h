// A progress bar on standard error, for people only.
#pragma once

#include <chrono>
#include <cstddef>

namespace lprnet::cli {

// Shows itself only on a terminal and only once the work has taken a second;
// removes itself at the end. For one thread.
class Progress {
public:
    explicit Progress(std::size_t total);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void advance();
    // Clears the bar so that a line can be printed; the next advance() draws it again.
    void hide();

private:
    using Clock = std::chrono::steady_clock;

    bool enabled_;
    bool visible_ = false;
    std::size_t total_;
    std::size_t done_ = 0;
    Clock::time_point begin_;
    Clock::time_point last_drawn_;
};

}  // namespace lprnet::cli
