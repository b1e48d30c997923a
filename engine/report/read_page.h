// What lprnet read saw, for people who would rather look: crops, texts, characters.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/report/page.h"
#include "lprnet/image.h"
#include "lprnet/result.h"

namespace lprnet::report {

// Where a plate is in its picture, and what becomes of it beside its reading.
struct Seen {
    std::string path;
    ImageView image;  // only looked at during the call
    Quad place;
    bool has_format = false;
    bool rejected = false;
    std::string notice = {};  // empty: none
};

class ReadPage {
public:
    explicit ReadPage(const std::vector<Fact>& facts);

    // May throw std::bad_alloc. Of more than kMostCrops readings the rest are counted.
    void add(const Seen& seen, const Reading& reading);
    // Errors as Page::write().
    Status write(const std::string& path) &&;

private:
    Page page_;
    std::size_t readings_ = 0;
};

}  // namespace lprnet::report
