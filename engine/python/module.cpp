// lprnet._engine, the extension module of the Python package: a thin, typed door to the library.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "engine/cli/program.h"
#include "engine/image_file/image_file.h"
#include "engine/python/parts.h"
#include "engine/python/pool.h"
#include "engine/text/printable.h"
#include "lprnet/version.h"

namespace lprnet::python {
namespace {

using Pixels = nb::ndarray<nb::numpy, std::uint8_t, nb::ndim<3>>;

Pixels decode(nb::handle image, nb::handle color, nb::handle max_bytes) {
    struct Color {
        std::string_view name;
        bool is_rgb;
    };
    static constexpr Color kColors[] = {{"bgr", false}, {"rgb", true}};
    const bool is_rgb = chosen(color, "color", kColors).is_rgb;
    ImageLimits limits;
    if (!max_bytes.is_none())
        limits.max_bytes = static_cast<std::size_t>(integer(max_bytes, "max_bytes", 1, 1L << 46));
    std::string file;
    std::shared_ptr<const Buffer> buffer;
    if (is_path(image)) {
        file = path(image, "image");
    } else {
        buffer = Buffer::of(image);
        if (!buffer || !buffer->is_uint8() || !buffer->is_contiguous() ||
            buffer->shape().size() != 1)
            throw_type_error("image: expected a path or the bytes of an image file, found " +
                             describe(image));
    }
    std::unique_ptr<std::vector<std::uint8_t>> bytes;
    std::size_t height = 0, width = 0;
    const Status status = [&]() -> Status {
        const nb::gil_scoped_release released;
        const Result<DecodedImage> decoded =
            buffer ? lprnet::decode_image(buffer->bytes(), limits) : open_image(file, limits);
        if (!decoded) return decoded.error();
        const ImageView view = decoded.value().view();
        height = static_cast<std::size_t>(view.height);
        width = static_cast<std::size_t>(view.width);
        bytes =
            std::make_unique<std::vector<std::uint8_t>>(view.data, view.data + 3 * height * width);
        if (!is_rgb) {
            for (std::size_t i = 0; i < bytes->size(); i += 3)
                std::swap((*bytes)[i], (*bytes)[i + 2]);
        }
        return {};
    }();
    check(status);
    const nb::capsule owner(bytes.get(), [](void* pixels) noexcept {
        delete static_cast<std::vector<std::uint8_t>*>(pixels);
    });
    return Pixels(bytes.release()->data(), {height, width, 3}, owner);
}

int run_program(nb::list words) {
    std::vector<std::string> texts;
    for (const nb::handle word : words) texts.push_back(path(word, "words"));
    std::vector<char*> pointers;
    for (std::string& word : texts) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const nb::gil_scoped_release released;
    return cli::run_program(static_cast<int>(texts.size()), pointers.data());
}

}  // namespace
}  // namespace lprnet::python

NB_MODULE(_engine, module) {
    namespace nb = nanobind;
    using namespace lprnet::python;
    count_forks();
    module.attr("__version__") = LPRNET_VERSION;
    add_results(module);
    add_model(module);
    add_track(module);
    add_recognizer(module);
    add_tools(module);
    module.def(
        "decode_image", &decode, nb::arg("image").none(), nb::kw_only(),
        nb::arg("color").none() = "bgr", nb::arg("max_bytes").none() = nb::none(),
        nb::sig("def decode_image(image: str | os.PathLike[str] | typing_extensions.Buffer, *, "
                "color: typing.Literal['bgr', 'rgb'] = 'bgr', "
                "max_bytes: int | None = None) -> numpy.typing.NDArray[numpy.uint8]"),
        "The pixels of a JPEG, PNG or BMP file, by its path or its bytes, as a uint8 array\n"
        "of shape (height, width, 3): equal to what OpenCV's imread gives. Needs numpy.\n\n"
        "color: order of the channels. max_bytes: memory that decoding may take (None: 240\n"
        "MiB). Errors are those of Recognizer.read().");
    module.def("_run_program", &run_program, nb::arg("words"),
               nb::sig("def _run_program(words: list[str]) -> int"),
               "The program lprnet, once, as the last work of a process: its exit status.");
}
