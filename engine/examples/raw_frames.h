// What these examples have in common: frames without a header, as cameras write them. Your program
// has its own source of pixels instead.
#pragma once

#include <lprnet/image.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

struct RawFrames {
    std::vector<std::uint8_t> bytes;
    lprnet::ImageView first;
    std::size_t frame_bytes = 0;
    std::size_t count = 0;

    lprnet::ImageView frame(std::size_t i) const {
        lprnet::ImageView view = first;
        view.data = bytes.data() + i * frame_bytes;
        return view;
    }
};

// One line on standard error, and the exit status 1.
inline int fail(const std::string& message) {
    std::fprintf(stderr, "error: %s\n", message.c_str());
    return 1;
}

// All frames of a file; `size` is WIDTHxHEIGHT. Without a frame the message is in `error`.
inline RawFrames read_frames(const std::string& path, lprnet::PixelFormat format,
                             const std::string& size, std::string& error) {
    RawFrames frames;
    int width = 0, height = 0;
    char rest = 0;
    if (std::sscanf(size.c_str(), "%5dx%5d%c", &width, &height, &rest) != 2 || width < 1 ||
        height < 1 || width > lprnet::kMaxImageSide || height > lprnet::kMaxImageSide) {
        error = "expected a size such as 188x60, found '" + size + "'";
        return frames;
    }
    std::FILE* file = std::fopen(path.c_str(), "rb");
    std::uint8_t part[65536];
    for (std::size_t got = 0; file && (got = std::fread(part, 1, sizeof part, file)) > 0;)
        frames.bytes.insert(frames.bytes.end(), part, part + got);
    const bool readable = file && !std::ferror(file);
    if (file) std::fclose(file);
    const std::ptrdiff_t stride = lprnet::row_bytes(format, width);
    frames.frame_bytes = lprnet::image_bytes(format, height, stride);
    if (!readable || frames.bytes.empty() || frames.bytes.size() % frames.frame_bytes != 0) {
        error = path + ": expected frames of " + std::to_string(frames.frame_bytes) +
                " bytes, found " +
                (readable ? std::to_string(frames.bytes.size()) + " bytes" : "no readable file");
        return frames;
    }
    frames.count = frames.bytes.size() / frames.frame_bytes;
    frames.first = {frames.bytes.data(), width, height, stride, format};
    return frames;
}
