// Whether this machine computes what another one did: the output of the network for one crop
// against a file of it. Make the file where you trust the answer, and check on the target.
//
//   verify write FILE WIDTHxHEIGHT LOGITS     by the table "reference", plain loops
//   verify check FILE WIDTHxHEIGHT LOGITS     by the best instruction set of this CPU
#include <lprnet/recognizer.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "raw_frames.h"

namespace {

int write(const char* path, std::span<const std::byte> bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return file.flush() ? 0 : fail(std::string(path) + ": cannot be written");
}

int check(const char* path, std::span<const float> found, const char* isa) {
    std::vector<float> expected(found.size() + 1);
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(expected.data()),
              static_cast<std::streamsize>(expected.size() * sizeof(float)));
    if (static_cast<std::size_t>(file.gcount()) != found.size_bytes()) {
        return fail(std::string(path) + ": expected " + std::to_string(found.size_bytes()) +
                    " bytes, found " + (file.is_open() ? "another size" : "no file"));
    }
    double error = 0.0, size = 0.0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const double exact = static_cast<double>(expected[i]);
        error = std::max(error, std::abs(static_cast<double>(found[i]) - exact));
        size = std::max(size, std::abs(exact));
    }
    // Rounding of float32 through the layers of the network is far below this.
    const bool ok = error <= 1e-4 * size;
    std::printf("%s: largest difference %.2g of %.3g: %s\n", isa, error, size, ok ? "ok" : "BAD");
    return ok ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string verb = argc == 5 ? argv[1] : "";
    if (verb != "write" && verb != "check") {
        return fail("usage: verify write|check FILE WIDTHxHEIGHT LOGITS");
    }
    std::string error;
    const RawFrames frames = read_frames(argv[2], lprnet::PixelFormat::bgr, argv[3], error);
    if (frames.count == 0) return fail(error);
    lprnet::Result<lprnet::Model> model = lprnet::Model::builtin();
    if (!model) return fail(model.error().message);
    lprnet::RecognizerOptions options;
    if (verb == "write") options.isa = "reference";
    lprnet::Result<lprnet::Recognizer> recognizer = lprnet::Recognizer::create(*model, options);
    if (!recognizer) return fail(recognizer.error().message);
    const lprnet::Result<lprnet::Reading> reading = recognizer->read(frames.frame(0));
    if (!reading) return fail(reading.error().message);
    std::printf("%s\n", reading->text.c_str());
    const std::span<const float> logits = recognizer->logits();  // [step][class]
    return verb == "write" ? write(argv[4], std::as_bytes(logits))
                           : check(argv[4], logits, recognizer->isa());
}
