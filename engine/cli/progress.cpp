#include "engine/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "engine/text/number_text.h"

namespace lprnet::cli {

namespace {

// "12 s", "3:05 min", "2:10 h".
std::string duration(double seconds) {
    constexpr double kMost = 360000.0;  // of what is worth telling
    const auto whole = static_cast<long>(std::min(seconds, kMost) + 0.5);
    if (whole < 60) return std::to_string(whole) + " s";
    const bool hours = whole >= 3600;
    const long large = hours ? whole / 3600 : whole / 60;
    const long small = hours ? whole / 60 % 60 : whole % 60;
    return std::to_string(large) + (small < 10 ? ":0" : ":") + std::to_string(small) +
           (hours ? " h" : " min");
}

}  // namespace

Progress::Progress(const char* label, std::size_t total)
    : label_(label),
      enabled_(isatty(STDERR_FILENO) != 0),
      total_(total),
      begin_(Clock::now()),
      last_drawn_(begin_) {
    // One part is done as soon as it is seen.
    if (enabled_ && total_ > 1) draw(begin_);
}

Progress::~Progress() {
    hide();
}

void Progress::advance(std::size_t parts) {
    done_ += parts;
    if (!enabled_) return;
    const Clock::time_point now = Clock::now();
    if (now - last_drawn_ < std::chrono::milliseconds(100)) return;
    draw(now);
}

void Progress::draw(Clock::time_point now) {
    last_drawn_ = now;
    visible_ = true;
    constexpr std::size_t kWidth = 24;
    const std::size_t done = std::min(done_, total_);
    const std::size_t filled = total_ > 0 ? done * kWidth / total_ : kWidth;
    const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
    const double seconds = std::chrono::duration<double>(now - begin_).count();
    std::string speed;
    if (done > 0 && seconds > 0.0) {
        const double rate = static_cast<double>(done) / seconds;
        speed = "  " + fixed(rate, rate < 10.0 ? 1 : 0) + "/s  " +
                duration(static_cast<double>(total_ - done) / rate) + " left";
    }
    // What was longer before is cut.
    std::fprintf(stderr, "\r%s [%s] %zu/%zu%s\033[K", label_, bar.c_str(), done_, total_,
                 speed.c_str());
    std::fflush(stderr);
}

void Progress::hide() {
    if (!visible_) return;
    visible_ = false;
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
}

}  // namespace lprnet::cli
