#include "engine/cli/progress.h"

#include <unistd.h>

#include <cstdio>
#include <string>

namespace lprnet::cli {

Progress::Progress(std::size_t total)
    : enabled_(isatty(STDERR_FILENO) != 0),
      total_(total),
      begin_(Clock::now()),
      last_drawn_(begin_) {}

Progress::~Progress() {
    hide();
}

void Progress::advance(std::size_t parts) {
    done_ += parts;
    if (!enabled_) return;
    const Clock::time_point now = Clock::now();
    if (now - begin_ < std::chrono::seconds(1)) return;
    if (now - last_drawn_ < std::chrono::milliseconds(100)) return;
    last_drawn_ = now;
    visible_ = true;
    constexpr std::size_t kWidth = 40;
    const std::size_t filled = total_ > 0 ? done_ * kWidth / total_ : kWidth;
    const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
    std::fprintf(stderr, "\r[%s] %zu/%zu", bar.c_str(), done_, total_);
    std::fflush(stderr);
}

void Progress::hide() {
    if (!visible_) return;
    visible_ = false;
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
}

}  // namespace lprnet::cli
