// Reads one crop from a buffer of pixels.
//
//   read_image FILE WIDTHxHEIGHT [FORMAT]     FORMAT: bgr (default), rgb, gray, nv12, ...
#include <lprnet/recognizer.h>

#include <cstdio>
#include <string>

#include "raw_frames.h"

int main(int argc, char** argv) {
    if (argc != 3 && argc != 4) return fail("usage: read_image FILE WIDTHxHEIGHT [FORMAT]");
    const std::string name = argc == 4 ? argv[3] : "bgr";
    const lprnet::PixelFormatTraits* format = nullptr;
    for (const lprnet::PixelFormatTraits& traits : lprnet::kPixelFormats) {
        if (traits.name == name) format = &traits;
    }
    if (format == nullptr) return fail("expected a format such as bgr, found '" + name + "'");
    std::string error;
    const RawFrames frames = read_frames(argv[1], format->format, argv[2], error);
    if (frames.count == 0) return fail(error);

    lprnet::Result<lprnet::Model> model = lprnet::Model::builtin();
    if (!model) return fail(model.error().message);
    lprnet::Result<lprnet::Recognizer> recognizer = lprnet::Recognizer::create(*model);
    if (!recognizer) return fail(recognizer.error().message);

    // Keep both: from the second picture on nothing is allocated.
    lprnet::Reading reading;
    if (const lprnet::Status read = recognizer->read(frames.frame(0), reading); !read) {
        return fail(read.error().message);
    }
    std::printf("%s %.4f\n", reading.text.c_str(), static_cast<double>(reading.confidence));
    for (const lprnet::Character& character : reading.characters) {
        std::printf("  %s %.4f", character.text.c_str(), static_cast<double>(character.confidence));
        for (int i = 0; i < character.alternative_count; ++i) {
            const lprnet::Alternative& other = character.alternatives[static_cast<std::size_t>(i)];
            std::printf("  %s %.4f", other.text.c_str(), static_cast<double>(other.confidence));
        }
        std::puts("");
    }
    if (reading.reject_score > lprnet::reject_above(lprnet::Decoder::greedy)) {
        std::puts("likely no plate");
    }
    return 0;
}
