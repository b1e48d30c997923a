// How many plates were read right, and what the others look like.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/measure/score.h"
#include "engine/report/page.h"
#include "lprnet/image.h"
#include "lprnet/result.h"

namespace lprnet::report {

// Plates that were misread, kept as they come.
class Misreads {
public:
    // If the reading is not `text`. May throw std::bad_alloc.
    void add(const std::string& path, const ImageView& image, const std::string& text,
             const Reading& reading);

private:
    friend Status write_eval_page(const std::string& path, const std::vector<Fact>& facts,
                                  const measure::Evaluation& evaluation, const Misreads& misreads);
    struct Misread {
        std::string path, crop, text;
        Reading reading;
    };
    std::vector<Misread> shown_;
    std::size_t count_ = 0;
};

// Errors as Page::write(). May throw std::bad_alloc.
Status write_eval_page(const std::string& path, const std::vector<Fact>& facts,
                       const measure::Evaluation& evaluation, const Misreads& misreads);

}  // namespace lprnet::report
