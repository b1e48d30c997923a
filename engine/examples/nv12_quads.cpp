// Plates in an NV12 frame of a camera, each at its corners: no conversion to RGB, no copy.
//
//   nv12_quads FILE WIDTHxHEIGHT X,Y,X,Y,X,Y,X,Y...     corners clockwise from the top left
#include <lprnet/recognizer.h>

#include <cstdio>
#include <string>
#include <vector>

#include "raw_frames.h"

namespace {

bool parse(const char* word, lprnet::Quad& quad) {
    lprnet::Point p[4];
    char rest = 0;
    if (std::sscanf(word, "%f,%f,%f,%f,%f,%f,%f,%f%c", &p[0].x, &p[0].y, &p[1].x, &p[1].y, &p[2].x,
                    &p[2].y, &p[3].x, &p[3].y, &rest) != 8) {
        return false;
    }
    quad = {p[0], p[1], p[2], p[3]};
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) return fail("usage: nv12_quads FILE WIDTHxHEIGHT X,Y,X,Y,X,Y,X,Y...");
    std::vector<lprnet::Quad> quads(static_cast<std::size_t>(argc - 3));
    for (int i = 3; i < argc; ++i) {
        if (!parse(argv[i], quads[static_cast<std::size_t>(i - 3)])) {
            return fail(std::string("expected eight numbers with commas, found '") + argv[i] + "'");
        }
    }
    std::string error;
    const RawFrames frames = read_frames(argv[1], lprnet::PixelFormat::nv12, argv[2], error);
    if (frames.count == 0) return fail(error);

    // In integers: the faster one of the two models that are built in.
    lprnet::Result<lprnet::Model> model = lprnet::Model::builtin("int8");
    if (!model) return fail(model.error().message);
    lprnet::Result<lprnet::Recognizer> recognizer = lprnet::Recognizer::create(*model);
    if (!recognizer) return fail(recognizer.error().message);

    // A frame of a driver may have its planes apart: see ImageView::chroma and its stride.
    lprnet::Reading reading;
    for (std::size_t frame = 0; frame < frames.count; ++frame) {
        for (std::size_t i = 0; i < quads.size(); ++i) {
            const lprnet::Status read = recognizer->read(frames.frame(frame), quads[i], reading);
            if (!read) return fail("quad " + std::to_string(i + 1) + ": " + read.error().message);
            std::printf("frame %zu plate %zu %s %.4f\n", frame + 1, i + 1, reading.text.c_str(),
                        static_cast<double>(reading.confidence));
        }
    }
    return 0;
}
