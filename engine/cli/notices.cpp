#include "engine/cli/notices.h"

#include <cstdint>

#include "engine/cli/process.h"
#include "engine/text/printable.h"

namespace lprnet::cli {
namespace {

// Chosen on 1448 crops of plates, of which 6 of the shipped weights' readings are above with either
// decoder, all of them wrong, and none of the public checkpoint's: this has to be rarer than
// reject_above(), for people see it. Of 960 pictures of scripts/non_plates.py 94 % are above, of
// photos in which a plate takes a fifth of the width all.
float notice_above(Decoder decoder) {
    return traits_of(decoder).needs_formats ? 0.9999f : 0.95f;
}

// Plates are 440x140, 480x140 and, in two rows, 440x220 mm. Crops of tilted ones are 0.94 to 5.9
// times as wide as high, but one of 4256 that has 0.82.
bool has_shape_of_plate(const Sight& sight) {
    constexpr double kNarrowest = 0.8, kWidest = 8.0;
    const double ratio = static_cast<double>(sight.width) / static_cast<double>(sight.height);
    return ratio >= kNarrowest && ratio <= kWidest;
}

// The size and shape of a camera's frame, of 640x360 pixels and more. A close look at a plate can
// have so many, but is read with some certainty.
bool looks_like_photo(const Sight& sight, const Reading& reading) {
    constexpr std::int64_t kPixels = 640 * 360;
    constexpr float kUncertain = 0.5f;
    const double most = sight.two_rows ? 1.9 : 2.4;
    return std::int64_t{sight.width} * sight.height >= kPixels &&
           static_cast<double>(sight.width) < most * static_cast<double>(sight.height) &&
           reading.reject_score > kUncertain;
}

}  // namespace

std::string notice_of(const Sight& sight, const Reading& reading) {
    const std::string size = std::to_string(sight.width) + "x" + std::to_string(sight.height);
    if (sight.width > 0 && looks_like_photo(sight, reading))
        return "looks like a photo, not a plate crop (" + size + "): use --quad or --roi";
    if (sight.width > 0 && !has_shape_of_plate(sight))
        return "has not the shape of a plate (" + size + "): use --quad or --roi";
    if (reading.reject_score <= notice_above(sight.decoder)) return "";
    return sight.width > 0 ? "likely shows no plate that this model knows: if it shows more, use "
                             "--quad or --roi"
                           : "likely shows no plate that this model knows in this place";
}

void Notices::add(const std::string& path, const std::string& notice) {
    if (!quiet_ && count_ < kMost) print_error(printable(path) + ": warning: " + notice);
    ++count_;
}

void Notices::finish() const {
    if (quiet_ || count_ <= kMost) return;
    print_error(std::to_string(count_ - kMost) + " more warnings like these");
}

}  // namespace lprnet::cli
