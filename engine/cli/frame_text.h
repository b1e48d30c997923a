// What the flags --raw, --roi and --quad say: layouts of raw frames and places in a picture, each
// as one word.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "lprnet/error.h"
#include "lprnet/image.h"

namespace lprnet::cli {

// A frame without a header, as cameras write it.
struct RawFormat {
    PixelFormat format = PixelFormat::bgr;
    int width = 0;
    int height = 0;
    std::ptrdiff_t stride = 0;  // bytes from row to row
};

// "FORMAT:WIDTHxHEIGHT" or "FORMAT:WIDTHxHEIGHT:STRIDE", such as nv12:1920x1080; without a stride
// rows have no gap. Errors say what was expected and found.
Result<RawFormat> parse_raw_format(std::string_view text);

// The names of all formats, those of cameras first, the last one after `last_separator`.
std::string raw_format_names(std::string_view last_separator);

// "x,y,width,height" in whole pixels. Whether it lies inside a picture is not looked at.
Result<Region> parse_region(std::string_view text);

// "x,y,x,y,x,y,x,y": the corners of a plate, clockwise from its top left, convex.
Result<Quad> parse_quad(std::string_view text);

}  // namespace lprnet::cli
