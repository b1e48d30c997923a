// Names in the index files of tests/golden/resize and rectify, and whole files.
#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include "tests/catch.h"

#include "engine/image/channel_order.h"
#include "lprnet/image.h"

namespace lprnet::test {

inline std::optional<PixelFormat> format_named(const std::string& name) {
    const std::pair<const char*, PixelFormat> kNames[] = {
        {"bgr", PixelFormat::bgr},   {"rgb", PixelFormat::rgb},   {"bgra", PixelFormat::bgra},
        {"rgba", PixelFormat::rgba}, {"gray", PixelFormat::gray}, {"nv12", PixelFormat::nv12},
        {"nv21", PixelFormat::nv21}, {"i420", PixelFormat::i420}, {"yuyv", PixelFormat::yuyv}};
    for (const auto& [known, format] : kNames)
        if (name == known) return format;
    return std::nullopt;
}

inline std::optional<ChannelOrder> order_named(const std::string& name) {
    if (name == "bgr") return ChannelOrder::bgr;
    if (name == "rgb") return ChannelOrder::rgb;
    if (name == "gray") return ChannelOrder::gray;
    return std::nullopt;
}

inline std::vector<std::uint8_t> read_bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file.is_open());
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace lprnet::test
