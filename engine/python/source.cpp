#include "engine/python/source.h"

#include <cstdlib>
#include <memory>

#include "engine/boundary.h"
#include "engine/text/printable.h"

namespace lprnet::python {
namespace {

constexpr const char* kExpected =
    "image: expected a path, the bytes of an image file, or a uint8 array of shape "
    "(height, width), (height, width, 3) or (height, width, 4), found ";

std::string found_instead(nb::handle image) {
    std::string found = describe(image);
    // Pictures of Pillow, tensors of PyTorch and the like.
    if (nb::hasattr(image, "__array__") || nb::hasattr(image, "__array_interface__")) {
        if (!Buffer::of(image)) found += ", which numpy.asarray() makes an array of";
    }
    return found;
}

// As the program cuts a picture.
Status read_view(Recognizer& recognizer, const ImageView& view, const Place& place,
                 Reading& reading) noexcept {
    if (const Quad* quad = std::get_if<Quad>(&place.part)) {
        Quad corners = *quad;
        corners.rows = place.two_rows ? 2 : 1;
        return recognizer.read(view, corners, reading);
    }
    const Region* asked = std::get_if<Region>(&place.part);
    const Region part = asked != nullptr ? *asked : Region{0, 0, view.width, view.height};
    if (place.two_rows) return recognizer.read(view, quad_of(part, 2), reading);
    return recognizer.read(view, part, reading);
}

}  // namespace

Place place_of(nb::handle region, nb::handle quad, bool two_rows) {
    Place place;
    place.two_rows = two_rows;
    if (!region.is_none() && !quad.is_none())
        throw_value_error("region, quad: expected one of them, found both");
    if (!region.is_none()) place.part = python::region(region);
    if (!quad.is_none()) place.part = python::quad(quad);
    return place;
}

Form form_of(nb::handle color, nb::handle format, nb::handle width, nb::handle height,
             nb::handle stride) {
    struct Color {
        std::string_view name;
        bool is_rgb;
    };
    static constexpr Color kColors[] = {{"bgr", false}, {"rgb", true}};
    Form form;
    form.is_rgb = chosen(color, "color", kColors).is_rgb;
    if (format.is_none()) {
        if (!width.is_none() || !height.is_none() || !stride.is_none())
            throw_value_error(
                "format: expected a format of frames beside width, height or stride, found None");
        return form;
    }
    const PixelFormat pixels = chosen(format, "format", kPixelFormats).format;
    const int columns = static_cast<int>(integer(width, "width", 1, kMaxImageSide));
    const int rows = static_cast<int>(integer(height, "height", 1, kMaxImageSide));
    const std::ptrdiff_t row = row_bytes(pixels, columns);
    form.frame = Frame{pixels, columns, rows,
                       stride.is_none() ? row : integer(stride, "stride", row, kMaxStride)};
    return form;
}

bool Source::Pixels::are_packed() const {
    return channel == 1 && pixel == channels(format) && std::abs(row) >= pixel * width &&
           std::abs(row) <= kMaxStride;
}

std::vector<std::uint8_t> Source::Pixels::packed() const {
    const int count = channels(format);
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(height) *
                                    static_cast<std::size_t>(width) *
                                    static_cast<std::size_t>(count));
    std::uint8_t* next = bytes.data();
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            const std::uint8_t* from = data + y * row + x * pixel;
            for (int c = 0; c < count; ++c) *next++ = from[c * channel];
        }
    }
    return bytes;
}

namespace {

void check_shape(const std::string& found, std::span<const Py_ssize_t> shape) {
    const bool is_gray = shape.size() == 2;
    if (!is_gray && (shape.size() != 3 || (shape[2] != 1 && shape[2] != 3 && shape[2] != 4)))
        throw_value_error(kExpected + found);
    if (shape[0] < 1 || shape[1] < 1 || shape[0] > kMaxImageSide || shape[1] > kMaxImageSide)
        throw_value_error("image: expected sides from 1 to " + std::to_string(kMaxImageSide) +
                          " pixels, found " + found);
}

}  // namespace

Source::Pixels Source::pixels(const std::string& found, const std::uint8_t* data,
                              std::span<const Py_ssize_t> shape,
                              std::span<const Py_ssize_t> strides, const Form& form) {
    check_shape(found, shape);
    const Py_ssize_t count = shape.size() == 3 ? shape[2] : 1;
    PixelFormat format = PixelFormat::gray;
    if (count == 3) format = form.is_rgb ? PixelFormat::rgb : PixelFormat::bgr;
    if (count == 4) format = form.is_rgb ? PixelFormat::rgba : PixelFormat::bgra;
    return {data, static_cast<int>(shape[1]), static_cast<int>(shape[0]), strides[0],
            // What is one element long has a stride without a meaning.
            shape[1] == 1 ? count : strides[1], count == 1 ? 1 : strides[2], format};
}

Source Source::of(nb::handle image, const Form& form) {
    if (is_path(image)) {
        if (form.frame)
            throw_type_error("image: expected the bytes of a frame beside format, found " +
                             describe(image));
        return {path(image, "image"), nullptr};
    }
    std::shared_ptr<const Buffer> buffer = Buffer::of(image);
    if (buffer == nullptr) throw_type_error(kExpected + found_instead(image));
    if (!buffer->is_uint8()) throw_type_error(kExpected + buffer->describe());
    if (form.frame) {
        const Frame& frame = *form.frame;
        const std::size_t expected = image_bytes(frame.format, frame.height, frame.stride);
        if (!buffer->is_contiguous() || buffer->size() != expected)
            throw_value_error("image: expected a frame of " + std::to_string(expected) +
                              " bytes in one piece, found " +
                              (buffer->is_contiguous() ? "" : "a non-contiguous ") +
                              buffer->describe());
        const ImageView view{buffer->data(), frame.width, frame.height, frame.stride, frame.format};
        return {view, std::move(buffer)};
    }
    if (buffer->shape().size() == 1) {
        if (!buffer->is_contiguous())
            throw_value_error(
                "image: expected the bytes of an image file in one piece, found a "
                "non-contiguous " +
                buffer->describe());
        const Encoded encoded{buffer->bytes()};
        return {encoded, std::move(buffer)};
    }
    const Pixels pixels = Source::pixels(buffer->describe(), buffer->data(), buffer->shape(),
                                         buffer->strides(), form);
    return {pixels, std::move(buffer)};
}

std::vector<Source> Source::of_stack(nb::handle images, const Form& form) {
    constexpr const char* kStack =
        "images: expected a list, or a uint8 array of shape (count, height, width, 3) or "
        "(count, height, width, 4), found ";
    const std::shared_ptr<const Buffer> buffer = Buffer::of(images);
    const std::string found = buffer->describe();
    if (!buffer->is_uint8()) throw_type_error(kStack + found);
    if (buffer->shape().size() != 4 || form.frame) throw_value_error(kStack + found);
    std::vector<Source> sources;
    const auto count = static_cast<std::size_t>(buffer->shape()[0]);
    sources.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::ptrdiff_t offset = static_cast<std::ptrdiff_t>(i) * buffer->strides()[0];
        sources.push_back({pixels(found, buffer->data() + offset, buffer->shape().subspan(1),
                                  buffer->strides().subspan(1), form),
                           buffer});
    }
    return sources;
}

ImageView Opened::view() const noexcept {
    if (const ImageView* view = std::get_if<ImageView>(&pixels_)) return *view;
    if (const DecodedImage* image = std::get_if<DecodedImage>(&pixels_)) return image->view();
    const Packed& packed = std::get<Packed>(pixels_);
    ImageView view = packed.view;
    view.data = packed.bytes.data();
    return view;
}

Result<Opened> Source::open() const noexcept {
    return guarded([&]() -> Result<Opened> {
        if (const ImageView* view = std::get_if<ImageView>(&what_)) return Opened(*view);
        if (const Pixels* pixels = std::get_if<Pixels>(&what_)) {
            ImageView view{pixels->data, pixels->width, pixels->height, pixels->row,
                           pixels->format};
            if (pixels->are_packed()) return Opened(view);
            view.stride = row_bytes(view.format, view.width);
            // A view of a few bytes may be of any size.
            const std::size_t bytes = image_bytes(view.format, view.height, view.stride);
            if (const std::size_t most = ImageLimits().max_bytes; bytes > most)
                return Error{ErrorCode::out_of_memory,
                             "image: expected at most " + std::to_string(most) +
                                 " bytes of pixels that are not side by side, which are copied, "
                                 "found " +
                                 std::to_string(bytes)};
            return Opened(pixels->packed(), view);
        }
        const std::string* path = std::get_if<std::string>(&what_);
        Result<DecodedImage> image =
            path != nullptr ? open_image(*path) : decode_image(std::get<Encoded>(what_).bytes);
        if (!image) return image.error();
        return Opened(std::move(*image));
    });
}

Status Source::read(Recognizer& recognizer, const Place& place, Reading& reading) const noexcept {
    return guarded([&]() -> Status {
        const Result<Opened> opened = open();
        if (!opened) return opened.error();
        const Status status = read_view(recognizer, opened->view(), place, reading);
        return status ? status : named(status.error());
    });
}

Error Source::named(const Error& error) const {
    const std::string* path = std::get_if<std::string>(&what_);
    return path == nullptr ? error : Error{error.code, printable(*path) + ": " + error.message};
}

}  // namespace lprnet::python
