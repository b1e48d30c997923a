// Pixels in, plate text out.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "lprnet/error.h"
#include "lprnet/image.h"
#include "lprnet/model.h"
#include "lprnet/result.h"

namespace lprnet {

struct RecognizerOptions {
    // Name of the kernel table to use, such as "avx2" or "reference". Empty: the
    // environment variable LPRNET_ISA if it is set, else the best for this CPU.
    std::string isa;
};

// Owns the working memory of one forward pass. Use one recognizer per thread;
// clone() makes more of them that share the packed weights.
class Recognizer {
public:
    // Packs the weights for one instruction set and reserves all memory.
    // `unsupported` if the requested kernel table is unknown or cannot run here.
    static Result<Recognizer> create(const Model& model,
                                     const RecognizerOptions& options = {}) noexcept;

    Result<Recognizer> clone() const noexcept;

    // Reads one plate crop of any size. Only this call's picture decides the answer.
    // After the first call with the same `reading` nothing is allocated or locked.
    Status read(const ImageView& image, Reading& reading) noexcept;
    Result<Reading> read(const ImageView& image) noexcept;

    // The steps of read(): pixels to the input tensor, the network, the decoder.
    Status set_image(const ImageView& image) noexcept;
    void infer() noexcept;
    void decode(Reading& reading) noexcept;

    // The input tensor, NHWC [height][width][channels], normalised; may be written
    // directly instead of calling set_image().
    std::span<float> input() noexcept;

    // The output of the last infer(), [step][class], before the softmax.
    std::span<const float> logits() const noexcept;

    // Name of the kernel table in use.
    const char* isa() const noexcept;
    // Bytes of activations, and of packed weights shared with the clones.
    std::size_t arena_bytes() const noexcept;
    std::size_t packed_bytes() const noexcept;

    Recognizer(Recognizer&&) noexcept;
    Recognizer& operator=(Recognizer&&) noexcept;
    ~Recognizer();

    // For the library's own tools.
    struct State;
    State& state() noexcept { return *state_; }

private:
    explicit Recognizer(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace lprnet
