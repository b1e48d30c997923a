// A report as one HTML file that needs no other and asks for none: its style is inside, it has no
// script, and a rule in its head forbids the browser to load anything.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/report/html.h"
#include "lprnet/error.h"
#include "lprnet/image.h"

namespace lprnet::report {

struct Fact {
    std::string name, value;
};

// Crops in one report: what a browser shows without trouble.
inline constexpr std::size_t kMostCrops = 5000;

class Page {
public:
    // May throw std::bad_alloc, as all of it.
    Page(std::string_view title, const std::vector<Fact>& facts);

    Html& html() noexcept { return html_; }
    void heading(std::string_view text);
    // A number that stands for itself.
    void tiles(const std::vector<Fact>& facts);
    // The first row is the heading; all but the first column are numbers.
    void table(const std::vector<std::vector<std::string>>& rows);

    // A line that says how many of a list are not shown, if it has more than kMostCrops.
    void more(std::size_t count, std::string_view what);

    // Whole or not at all. Errors as weights::write_whole_file().
    Status write(const std::string& path) &&;

private:
    Html html_;
};

struct Bar {
    std::string name, note, value;
    double share = 0.0;  // of the whole width, 0..1
};
void bars(Html& html, const std::vector<Bar>& bars);

// How much of it is good, fair or poor is told by color, too.
std::string_view level(double confidence) noexcept;
std::string percent(double share);

// A part of a picture as the address of an image: JPEG, inside of the file itself. Empty where the
// place is not inside of the picture. `rows` of the quad is left out: it is shown as it is.
std::string crop_address(const ImageView& image, const Quad& quad);
// That image, or a place for the one that there is not.
void add_crop(Html& html, const std::string& address, const std::string& shows);

}  // namespace lprnet::report
