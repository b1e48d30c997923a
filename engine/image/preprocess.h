// From pixels in the caller's memory to the input of the network: channel
// order, size, then mean and scale. Cropping and rectifying a tilted plate are
// not here; a crop is an ImageView that begins inside a larger picture.
//
// The 8-bit picture has the bytes of OpenCV's cvtColor followed by
// resize(INTER_LINEAR), on every CPU; resize.h has the formula. Compared with
// the x86-64 wheels of opencv-python-headless 4.10, 4.14 and 5.0 (the last also
// with its SIMD dispatch and IPP switched off) without a difference:
//   94 x 24 from every width 1..32768 of one row and every such height of one
//   column; from and to some 20 000 pairs of sizes, inputs to 3840 x 2160 and
//   outputs to 1024 x 1024, in all formats and orders; gray of all 2^24 colours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/image/channel_order.h"
#include "engine/image/resize.h"
#include "lprnet/error.h"
#include "lprnet/image.h"

namespace lprnet {

// Limits in pixels a side.
inline constexpr int kMaxImageSide = 32768;
inline constexpr int kMaxInputSide = 1024;

// What the model expects. Channel c of the network's input is
// (pixel[c] - mean[c]) * scale[c], where pixel is 0..255 in the model's own
// channel order, in float with one rounding after each operation: what numpy
// float32 gives for `image -= mean; image *= scale`. With gray only entry 0
// counts. The defaults are those of the published LPRNet training code.
struct Preprocess {
    int width = 94;   // 1..kMaxInputSide
    int height = 24;  // 1..kMaxInputSide
    ChannelOrder order = ChannelOrder::bgr;
    float mean[3] = {127.5f, 127.5f, 127.5f};               // finite
    float scale[3] = {0.0078125f, 0.0078125f, 0.0078125f};  // finite, not zero
};

// Turns pictures into network inputs. All memory is taken by create(); the two
// run functions allocate only to describe an error. The same picture always
// gives the same bytes, whatever came before it. One thread at a time per
// object; objects share nothing.
class Preprocessor {
public:
    // Errors: invalid_argument for a size, order, mean or scale outside the
    // ranges above; out_of_memory.
    static Result<Preprocessor> create(const Preprocess& preprocess);

    // Writes the normalised input, NHWC with n = 1: height * width * channels
    // floats without gaps. The picture may have any format and any stride,
    // including a negative one; alpha is ignored. output must not overlap it.
    // Errors: invalid_argument if a pointer is null, a side is outside
    // 1..kMaxImageSide, the format is unknown, |stride| is smaller than a row of
    // pixels (also for a single row), or height * |stride| exceeds what a
    // ptrdiff_t holds. On an error output is untouched.
    Status run(const ImageView& image, float* output_nhwc);

    // The same picture before mean and scale: 8 bits a channel, NHWC. Same
    // preconditions and errors.
    Status resize(const ImageView& image, std::uint8_t* output_nhwc);

    const Preprocess& preprocess() const noexcept { return preprocess_; }

    // Elements that run() and resize() write: height * width * channels.
    std::size_t output_size() const noexcept;

private:
    explicit Preprocessor(const Preprocess& preprocess);

    Preprocess preprocess_;
    Resizer resizer_;
    std::vector<std::uint8_t> row_;
    // The value of every level, channel after channel: 256 * channels floats.
    std::vector<float> levels_;
};

}  // namespace lprnet
