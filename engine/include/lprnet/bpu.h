// Pixels in, plate text out, computed by the BPU of an RDK X5 board: library lprnet::bpu.
//
// The board's runtime, libdnn, is opened at run time; nothing of it is needed to build or to start
// a program. Never run on a board by those who wrote it: everything here was tested against a
// stand-in for libdnn that follows its documentation.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lprnet/decoding.h"
#include "lprnet/error.h"
#include "lprnet/export.h"
#include "lprnet/image.h"
#include "lprnet/model.h"
#include "lprnet/result.h"

namespace lprnet::bpu {

// What a .bin that takes NV12 was compiled for, `input_space_and_range` of hb_mapper: luma 16..235
// and chroma 16..240 (bt601_video), or 0..255 for both (regular).
enum class Nv12Range { video, full };

// Limits of RecognizerOptions. The runtime takes so many frames of all recognizers of a process
// together.
inline constexpr int kMaxInFlight = 32;
inline constexpr int kMaxTimeoutMs = 3600000;

struct RecognizerOptions {
    // The runtime, as dlopen takes it: a path, or a name to look for.
    std::string library = "libdnn.so";
    // Frames that can be on their way at once, 1 to kMaxInFlight, each with memory of its own.
    int in_flight = 1;
    // How long to wait for a frame, from the call on, 1 to kMaxTimeoutMs.
    int timeout_ms = 1000;
    // Of a .bin that takes NV12; others ignore it.
    Nv12Range nv12_range = Nv12Range::video;
    // How the output becomes text.
    DecodeOptions decoding = {};
};

// Use one recognizer per thread; clone() makes more of them that share the loaded .bin. The same
// calls as lprnet::Recognizer has; those that it lacks keep several frames on their way:
//
//   set_image(0), start(), set_image(1), start(), finish(), decode() for 0, set_image(2), ...
//
// All memory is taken at the start, none with the frames. As with lprnet::Recognizer, what may
// allocate returns `out_of_memory` instead of throwing, and leaves an empty reading on an error.
class LPRNET_API Recognizer {
public:
    // `model` is the weights file that the .bin was made from: it has the alphabet, the pixels
    // that are expected, and the last layer of a .bin whose outputs are the branches of the
    // context. Errors: `unsupported` if there is no such library or not of version 1.x, or for
    // elements of a kind that is not known; `not_found` and `malformed` for the file; `mismatch`
    // if it is not this network; `device_failed` with what the runtime returned;
    // `invalid_argument` for options out of range; those of set_decoding().
    static Result<Recognizer> create(const Model& model, const std::string& bin,
                                     const RecognizerOptions& options = {}) noexcept;

    Result<Recognizer> clone() const noexcept;

    // As lprnet::Recognizer::set_decoding().
    Status set_decoding(const DecodeOptions& options) noexcept;

    // Reads one plate. Errors of the picture as with lprnet::Recognizer; `timed_out` if it took too
    // long, `device_failed` and others if the runtime refused, and `invalid_argument` while frames
    // are on their way.
    Status read(const ImageView& image, Reading& reading) noexcept;
    Result<Reading> read(const ImageView& image) noexcept;
    Status read(const ImageView& image, const Region& region, Reading& reading) noexcept;
    Status read(const ImageView& image, const Quad& quad, Reading& reading) noexcept;

    // The steps of read(). set_image() fills the memory of the next frame; `invalid_argument` if
    // all are on their way.
    Status set_image(const ImageView& image) noexcept;
    Status set_image(const ImageView& image, const Region& region) noexcept;
    Status set_image(const ImageView& image, const Quad& quad) noexcept;
    // Instead of set_image(): numbers, NHWC [height][width][channels], normalized as the model
    // says. A .bin that takes pixels gets the nearest ones.
    Status set_input(std::span<const float> values) noexcept;
    // Sends the frame on its way.
    Status start() noexcept;
    // Waits for the oldest one. Whatever comes of it, that frame is not on its way any more; after
    // an error logits() are of no meaning.
    Status finish() noexcept;
    // start() and finish(); `invalid_argument` while frames are on their way.
    Status infer() noexcept;
    // The text of logits().
    Status decode(Reading& reading) noexcept;

    // Frames on their way.
    int on_the_way() const noexcept;

    // Of the frame that finish() waited for, [step][class], before the softmax.
    std::span<const float> logits() const noexcept LPRNET_LIFETIMEBOUND;

    // Of the same frame, what the BPU gave where the CPU computes the rest: the branches of the
    // context in their order, [row][step][channel]. Empty if the .bin gives logits.
    std::span<const std::vector<float>> branches() const noexcept LPRNET_LIFETIMEBOUND;

    // What the library says it is.
    const std::string& runtime_version() const noexcept LPRNET_LIFETIMEBOUND;
    // The path of the .bin.
    const std::string& bin() const noexcept LPRNET_LIFETIMEBOUND;

    // Waits for the frames on their way and gives everything back, the .bin too if no clone uses
    // it. The destructor does so too, but cannot tell what went wrong. Afterwards, and of a
    // recognizer that was moved from, calls return `invalid_argument`, spans and texts are empty.
    Status close() noexcept;

    Recognizer(Recognizer&&) noexcept;
    Recognizer& operator=(Recognizer&&) noexcept;
    ~Recognizer();

private:
    struct LPRNET_HIDDEN State;
    explicit Recognizer(std::unique_ptr<State> state);

    template <class Prepare>
    Status fill_next(Prepare prepare) noexcept;
    template <class SetImage>
    Status read_one(SetImage set_image, Reading& reading) noexcept;

    std::unique_ptr<State> state_;
};

}  // namespace lprnet::bpu
