// Pixels in, plate text out.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "lprnet/decoding.h"
#include "lprnet/error.h"
#include "lprnet/export.h"
#include "lprnet/image.h"
#include "lprnet/model.h"
#include "lprnet/result.h"

namespace lprnet {

class Network;

// Limits of RecognizerOptions. LPRNet's tuning has 1 KiB.
inline constexpr int kMaxThreads = 64;
inline constexpr std::size_t kMaxTuningBytes = 1U << 20;

struct RecognizerOptions {
    // Name of the kernel table to use, such as "avx2" or "reference". Empty: the
    // environment variable LPRNET_ISA if it is set, else the best for this CPU.
    std::string isa;
    // Threads that share each image, 1 to kMaxThreads. Two halve the time of a single image on an
    // idle machine; where other programs run, the others do the parts of an image that a thread
    // without a processor has not begun. Many images are read faster by one recognizer per thread.
    // The answers do not depend on it. The other threads belong to the recognizer and sleep soon
    // after the last image.
    int threads = 1;
    // What `lprnet tune` measured on this CPU: the text of its file. Empty: built-in defaults.
    // A text for another instruction set than the one in use is ignored. At most kMaxTuningBytes.
    std::string tuning;
    // How the output becomes text.
    DecodeOptions decoding = {};
    // What messages call the text of `tuning`, such as the path that it was read from; empty:
    // "tuning".
    std::string tuning_name = {};
};

// Owns the working memory of one forward pass. Use one recognizer per thread;
// clone() makes more of them that share the packed weights.
//
// Whatever fails, the recognizer goes on working: each call that may allocate returns
// `out_of_memory` instead of throwing. A recognizer that was moved from holds nothing: its calls
// return `invalid_argument`, its spans are empty and its numbers 0. network() alone may not be
// called then.
class LPRNET_API Recognizer {
public:
    // Packs the weights for one instruction set and reserves all memory.
    // `unsupported` if the requested kernel table is unknown or cannot run here;
    // `invalid_argument` for a number of threads out of range, `out_of_memory` if the system does
    // not start so many; `malformed` tuning, `unsupported` where LPRNET_DIRECT_ONLY left it out;
    // errors of set_decoding().
    static Result<Recognizer> create(const Model& model,
                                     const RecognizerOptions& options = {}) noexcept;

    Result<Recognizer> clone() const noexcept;

    // Decodes otherwise from now on; the clones that there are stay as they are. On an error
    // nothing changes: `invalid_argument` for a decoder or numbers out of range, `mismatch` if
    // Decoder::grammar is asked for and the model has not the characters for any of the formats,
    // or these are too many for the search (see patterns.h), `unsupported` for what
    // LPRNET_GREEDY_ONLY left out. Allocates.
    Status set_decoding(const DecodeOptions& options) noexcept;

    // Reads one plate crop of any size. Only this call's picture decides the answer.
    // After the first call with the same `reading` nothing is allocated or locked. On an error
    // the reading is empty.
    Status read(const ImageView& image, Reading& reading) noexcept;
    Result<Reading> read(const ImageView& image) noexcept;
    // Reads a part of a larger picture; `invalid_argument` unless it lies inside. Only its
    // pixels are converted, and the chroma that they share.
    Status read(const ImageView& image, const Region& region, Reading& reading) noexcept;
    // Reads a plate seen at an angle, rectified by perspective straight to the network's input.
    // The corners may lie outside of the picture, where the nearest pixel of its edge counts.
    // `invalid_argument` unless they are those of a convex shape, clockwise from the top left,
    // and the box around them holds a pixel of the picture.
    Status read(const ImageView& image, const Quad& quad, Reading& reading) noexcept;

    // The steps of read(): pixels to the input tensor, the network, the decoder. Where read() would
    // say that the network's numbers leave float32, infer() leaves NaN for logits and decode() says
    // it, with an empty reading.
    Status set_image(const ImageView& image) noexcept;
    Status set_image(const ImageView& image, const Region& region) noexcept;
    Status set_image(const ImageView& image, const Quad& quad) noexcept;
    void infer() noexcept;
    Status decode(Reading& reading) noexcept;

    // The input tensor, NHWC [height][width][channels], normalized; may be written
    // directly instead of calling set_image().
    std::span<float> input() noexcept LPRNET_LIFETIMEBOUND;

    // The output of the last infer(), [step][class], before the softmax.
    std::span<const float> logits() const noexcept LPRNET_LIFETIMEBOUND;

    // Name of the kernel table in use.
    const char* isa() const noexcept;
    // Threads that share each image.
    int threads() const noexcept;
    // Bytes of activations, and of packed weights shared with the clones.
    std::size_t arena_bytes() const noexcept;
    std::size_t packed_bytes() const noexcept;

    Recognizer(Recognizer&&) noexcept;
    Recognizer& operator=(Recognizer&&) noexcept;
    ~Recognizer();

    // For the library's own tools: engine/run/network.h.
    Network& network() noexcept LPRNET_LIFETIMEBOUND;

private:
    struct LPRNET_HIDDEN State;
    explicit Recognizer(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace lprnet
