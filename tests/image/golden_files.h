// Names in the index files of tests/golden/resize and rectify, and whole files.
#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>
#include "tests/catch.h"

#include "engine/image/channel_order.h"
#include "lprnet/image.h"

namespace lprnet::test {

inline std::optional<PixelFormat> format_named(const std::string& name) {
    for (const PixelFormatTraits& traits : kPixelFormats)
        if (name == traits.name) return traits.format;
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
