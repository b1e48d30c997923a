// What `lprnet read` noticed about pictures that it could read, but whose plates it likely could
// not: a line each on standard error, not too many.
#pragma once

#include <cstddef>
#include <string>

#include "lprnet/decoding.h"
#include "lprnet/image.h"
#include "lprnet/result.h"

namespace lprnet::cli {

// What was read, as far as it says whether that can be a plate.
struct Sight {
    // Of the picture; 0 where a part of it was named, whose shape the caller answers for.
    int width = 0;
    int height = 0;
    bool two_rows = false;
    Decoder decoder = Decoder::greedy;
};

// Why the reading is likely not that of a plate, without the picture's name; empty for all but a
// few of a thousand pictures that are cut to a plate.
std::string notice_of(const Sight& sight, const Reading& reading);

// Prints the first ten and counts the others.
class Notices {
public:
    explicit Notices(bool quiet) : quiet_(quiet) {}

    void add(const std::string& path, const std::string& notice);
    // A line with the number of those that were not printed.
    void finish() const;

private:
    static constexpr std::size_t kMost = 10;
    bool quiet_;
    std::size_t count_ = 0;
};

}  // namespace lprnet::cli
