// Where the pixels of a plate come from: an image file by its path or its bytes, an array, or a
// frame of bytes without a header. Made with the interpreter's lock, read without it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/image_file/image_file.h"
#include "engine/python/arguments.h"
#include "lprnet/recognizer.h"
#include "lprnet/result.h"

namespace lprnet::python {

// What the keywords of read() and read_batch() say about each picture.
struct Place {
    std::variant<std::monostate, Region, Quad> part;
    bool two_rows = false;
};
struct Frame {
    PixelFormat format;
    int width;
    int height;
    std::ptrdiff_t stride;
};
struct Form {
    bool is_rgb = false;           // of arrays with three or four channels
    std::optional<Frame> frame{};  // bytes of pixels, not of an image file
};

Place place_of(nb::handle region, nb::handle quad, bool two_rows);
Form form_of(nb::handle color, nb::handle format, nb::handle width, nb::handle height,
             nb::handle stride);

// Pixels of a picture, with what they lie in if that is not the caller's memory.
class Opened {
public:
    Opened(const ImageView& view) : pixels_(view) {}
    Opened(DecodedImage image) : pixels_(std::move(image)) {}
    // `view` but for its data.
    Opened(std::vector<std::uint8_t> packed, const ImageView& view)
        : pixels_(Packed{std::move(packed), view}) {}

    // Valid as long as this object lives and is not moved from.
    ImageView view() const noexcept;

private:
    struct Packed {
        std::vector<std::uint8_t> bytes;
        ImageView view;
    };
    std::variant<ImageView, DecodedImage, Packed> pixels_;
};

class Source {
public:
    // Throws what the caller has to be told: a type, shape or size that is not a picture's.
    static Source of(nb::handle image, const Form& form);
    // The pictures of an array NxHxWx3 or NxHxWx4.
    static std::vector<Source> of_stack(nb::handle images, const Form& form);

    // Both need no lock of the interpreter. The pixels are the caller's, or of a file that is
    // decoded.
    Result<Opened> open() const noexcept;
    Status read(Recognizer& recognizer, const Place& place, Reading& reading) const noexcept;
    // The error with the path in front, if there is one.
    Error named(const Error& error) const;

private:
    // Pixels, with any distance between them.
    struct Pixels {
        const std::uint8_t* data;
        int width, height;
        std::ptrdiff_t row, pixel, channel;  // bytes from one to the next
        PixelFormat format;

        bool are_packed() const;
        std::vector<std::uint8_t> packed() const;
    };
    struct Encoded {
        std::span<const std::byte> bytes;
    };
    using What = std::variant<std::string, Encoded, ImageView, Pixels>;

    static Pixels pixels(const std::string& found, const std::uint8_t* data,
                         std::span<const Py_ssize_t> shape, std::span<const Py_ssize_t> strides,
                         const Form& form);

    Source(What what, std::shared_ptr<const Buffer> buffer)
        : what_(std::move(what)), buffer_(std::move(buffer)) {}

    What what_;
    std::shared_ptr<const Buffer> buffer_;  // shared by the pictures of a stack
};

}  // namespace lprnet::python
