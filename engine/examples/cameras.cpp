// Several cameras, one thread each, and one answer for each vehicle from all of its frames.
//
//   cameras WIDTHxHEIGHT FILE...     each FILE: BGR crops of one vehicle, one after the other
#include <lprnet/recognizer.h>
#include <lprnet/vote.h>

#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "raw_frames.h"

namespace {

struct Camera {
    std::string path;
    RawFrames frames;
    lprnet::Recognizer recognizer;  // a thread needs its own
    lprnet::Vote::Answer answer = {};
    std::size_t voted = 0;
    std::string error = {};
};

// What one thread does. A tracker would tell which crops are of the same vehicle; here all are.
void follow(Camera& camera) {
    lprnet::Reading reading;
    lprnet::Vote vote;
    for (std::size_t i = 0; i < camera.frames.count; ++i) {
        lprnet::Status status = camera.recognizer.read(camera.frames.frame(i), reading);
        if (status) status = vote.add(reading);
        if (!status) return void(camera.error = camera.path + ": " + status.error().message);
    }
    lprnet::Result<lprnet::Vote::Answer> answer = vote.answer();
    if (!answer) return void(camera.error = camera.path + ": " + answer.error().message);
    camera.answer = std::move(*answer);
    camera.voted = vote.frames();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return fail("usage: cameras WIDTHxHEIGHT FILE...");
    lprnet::Result<lprnet::Model> model = lprnet::Model::builtin();
    if (!model) return fail(model.error().message);
    lprnet::RecognizerOptions options;
    options.decoding.decoder = lprnet::Decoder::beam;
    options.decoding.candidates = 5;  // a vote makes more of a frame with several texts
    lprnet::Result<lprnet::Recognizer> first = lprnet::Recognizer::create(*model, options);
    if (!first) return fail(first.error().message);

    std::vector<Camera> cameras;
    for (int i = 2; i < argc; ++i) {
        std::string error;
        RawFrames frames = read_frames(argv[i], lprnet::PixelFormat::bgr, argv[1], error);
        if (frames.count == 0) return fail(error);
        lprnet::Result<lprnet::Recognizer> clone = first->clone();  // shares the packed weights
        if (!clone) return fail(clone.error().message);
        cameras.push_back({argv[i], std::move(frames), std::move(*clone)});
    }
    {
        std::vector<std::jthread> threads;
        for (Camera& camera : cameras) threads.emplace_back(follow, std::ref(camera));
    }
    for (const Camera& camera : cameras) {
        if (!camera.error.empty()) return fail(camera.error);
        std::printf("%s %.4f %zu frames %s\n", camera.answer.text.c_str(),
                    static_cast<double>(camera.answer.confidence), camera.voted,
                    camera.path.c_str());
    }
    return 0;
}
