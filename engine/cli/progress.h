// A progress bar on standard error, for people only.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "engine/measure/progress.h"

namespace lprnet::cli {

// Shows itself only on a terminal, at once, with what is done, how fast, and how long the rest will
// take; removes itself at the end. For one thread.
class Progress {
public:
    // `label` is a word or two for what is done with so many parts; a constant.
    Progress(const char* label, std::size_t total);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void advance(std::size_t parts = 1);
    // Clears the bar so that a line can be printed; the next advance() draws it again.
    void hide();

private:
    using Clock = std::chrono::steady_clock;

    void draw(Clock::time_point now);

    const char* label_;
    bool enabled_;
    bool visible_ = false;
    std::size_t total_;
    std::size_t done_ = 0;
    Clock::time_point begin_;
    Clock::time_point last_drawn_;
};

// The same for what engine/measure does.
class MeasureProgress final : public measure::Progress {
public:
    explicit MeasureProgress(const char* label) : label_(label) {}
    void begin(std::size_t parts) override { bar_.emplace(label_, parts); }
    bool advance(std::size_t parts) override {
        if (bar_) bar_->advance(parts);
        return true;
    }
    void hide() {
        if (bar_) bar_->hide();
    }

private:
    const char* label_;
    std::optional<cli::Progress> bar_;
};

}  // namespace lprnet::cli
