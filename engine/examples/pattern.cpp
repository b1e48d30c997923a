// Reads with formats of your own: only texts that have one of them are considered.
//
//   pattern FILE WIDTHxHEIGHT 'NAME : PATTERN'...     the language is that of lprnet/patterns.h
#include <lprnet/recognizer.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "raw_frames.h"

int main(int argc, char** argv) {
    if (argc < 4) return fail("usage: pattern FILE WIDTHxHEIGHT 'NAME : PATTERN'...");
    std::string error;
    const RawFrames frames = read_frames(argv[1], lprnet::PixelFormat::bgr, argv[2], error);
    if (frames.count == 0) return fail(error);

    std::string lines;
    for (int i = 3; i < argc; ++i) lines += std::string(argv[i]) + "\n";
    lprnet::Result<lprnet::Patterns> patterns = lprnet::Patterns::parse(lines, "pattern");
    if (!patterns) return fail(patterns.error().message);
    const std::vector<lprnet::Patterns::Format> formats = patterns->formats();

    lprnet::Result<lprnet::Model> model = lprnet::Model::builtin();
    if (!model) return fail(model.error().message);
    lprnet::RecognizerOptions options;
    options.decoding.decoder = lprnet::Decoder::grammar;
    options.decoding.patterns = std::move(*patterns);
    options.decoding.candidates = 3;
    lprnet::Result<lprnet::Recognizer> recognizer = lprnet::Recognizer::create(*model, options);
    if (!recognizer) return fail(recognizer.error().message);

    const lprnet::Result<lprnet::Reading> reading = recognizer->read(frames.frame(0));
    if (!reading) return fail(reading.error().message);
    if (reading->candidates.empty()) return fail("no text of these formats fits the picture");
    for (const lprnet::Candidate& candidate : reading->candidates) {
        const auto format = static_cast<std::size_t>(candidate.format);
        std::printf("%s %.4f %s\n", candidate.text.c_str(),
                    static_cast<double>(candidate.confidence), formats[format].name.c_str());
    }
    return 0;
}
