// From pixels in the caller's memory to the input of the network: channel
// order, size, then mean and scale, of a whole picture, a region of it or a
// plate seen at an angle in it.
//
// The 8-bit picture has the bytes of OpenCV's cvtColor followed by
// resize(INTER_LINEAR), on every CPU; resize.h has the formula. Compared with
// the x86-64 wheels of opencv-python-headless 4.10, 4.14 and 5.0 (the last also
// with its SIMD dispatch and IPP switched off) without a difference:
//   94 x 24 from every width 1..32768 of one row and every such height of one
//   column; from and to some 20 000 pairs of sizes, inputs to 3840 x 2160 and
//   outputs to 1024 x 1024, in all formats and orders; gray of all 2^24 colors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/image/channel_order.h"
#include "engine/image/rectify.h"
#include "engine/image/resize.h"
#include "lprnet/error.h"
#include "lprnet/image.h"

namespace lprnet {

// Limit of the output in pixels a side.
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
// run functions allocate only to describe an error, and may throw std::bad_alloc
// then. The same picture always
// gives the same bytes, whatever came before it. One thread at a time per
// object; objects share nothing.
class Preprocessor {
public:
    // Errors: invalid_argument for a size, order, mean or scale outside the
    // ranges above. May throw std::bad_alloc.
    static Result<Preprocessor> create(const Preprocess& preprocess);

    // Writes the normalized input, NHWC with n = 1: height * width * channels
    // floats without gaps. The picture may have any format and any stride,
    // including a negative one. output must not overlap it.
    // Errors: invalid_argument for what check_picture(), check_region() or
    // check_quad() refuse, and for a null output. On an error output is
    // untouched.
    Status run(const ImageView& image, float* output_nhwc);
    Status run(const ImageView& image, const Region& region, float* output_nhwc);
    Status run(const ImageView& image, const Quad& quad, float* output_nhwc);

    // The same picture before mean and scale: 8 bits a channel, NHWC. Same
    // preconditions and errors.
    Status resize(const ImageView& image, std::uint8_t* output_nhwc);
    Status resize(const ImageView& image, const Region& region, std::uint8_t* output_nhwc);
    Status rectify(const ImageView& image, const Quad& quad, std::uint8_t* output_nhwc);

    const Preprocess& preprocess() const noexcept { return preprocess_; }

    // Elements that run() and resize() write: height * width * channels.
    std::size_t output_size() const noexcept;

private:
    explicit Preprocessor(const Preprocess& preprocess);

    // To the rows of floats or of bytes.
    template <class Rows>
    void write(Rows& rows, float* output) noexcept;
    template <class Rows>
    void write(Rows& rows, std::uint8_t* output) noexcept;
    // The region, or the whole picture without one.
    template <class Value>
    Status resize_to(const ImageView& image, const Region* region, Value* output);
    template <class Value>
    Status rectify_to(const ImageView& image, const Quad& quad, Value* output);

    Preprocess preprocess_;
    Resizer resizer_;
    Rectifier rectifier_;
    std::vector<std::uint8_t> row_;
    // The value of every level, channel after channel: 256 * channels floats.
    std::vector<float> levels_;
};

}  // namespace lprnet
