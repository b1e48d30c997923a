// The C++ interface in ten lines, and the C interface through c99.c. The picture is made here:
// this tests that the package links and runs, not what it reads.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "lprnet/bpu.h"
#include "lprnet/recognizer.h"
#include "lprnet/version.h"

extern "C" int read_through_c(const char* precision, const std::uint8_t* pixels, int width,
                              int height, char* text, std::size_t size);

int main() {
    constexpr int kWidth = 120, kHeight = 40;
    std::vector<std::uint8_t> pixels(3 * kWidth * kHeight);
    for (std::size_t i = 0; i < pixels.size(); ++i)
        pixels[i] = static_cast<std::uint8_t>(i * 37 % 251);

    lprnet::Result<lprnet::Model> model = lprnet::Model::builtin();
    if (!model) return std::fprintf(stderr, "%s\n", model.error().message.c_str()), 1;
    lprnet::Result<lprnet::Recognizer> recognizer = lprnet::Recognizer::create(*model);
    if (!recognizer) return std::fprintf(stderr, "%s\n", recognizer.error().message.c_str()), 1;
    lprnet::Result<lprnet::Reading> reading =
        recognizer->read({pixels.data(), kWidth, kHeight, 3 * kWidth, lprnet::PixelFormat::bgr});
    if (!reading) return std::fprintf(stderr, "%s\n", reading.error().message.c_str()), 1;

    // There is no such runtime; that is an error like any other.
    const auto board = lprnet::bpu::Recognizer::create(*model, "none.bin", {.library = "none.so"});
    if (board || board.error().code != lprnet::ErrorCode::unsupported) return 1;

    for (const char* precision : {static_cast<const char*>(nullptr), "fp32"}) {
        char text[256];
        if (read_through_c(precision, pixels.data(), kWidth, kHeight, text, sizeof text) != 0)
            return 1;
        std::printf("lprnet %s read '%s', through C '%s'\n", LPRNET_VERSION, reading->text.c_str(),
                    text);
        if (reading->text != text) return 1;
    }
    return 0;
}
