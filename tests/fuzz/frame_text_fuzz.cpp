// libFuzzer target for the words of --raw, --roi and --quad, and for what becomes of a quad that
// was accepted: it is rectified from a small picture, however strange it is. Built with clang and
// -fsanitize=fuzzer,address,undefined.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/cli/frame_text.h"
#include "engine/image/preprocess.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lprnet;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto raw = cli::parse_raw_format(text)) {
        if (raw->stride < row_bytes(raw->format, raw->width)) __builtin_trap();
        if (image_bytes(raw->format, raw->height, raw->stride) == 0) __builtin_trap();
    }
    const std::vector<std::uint8_t> frame(image_bytes(PixelFormat::nv12, 31, 57), 100);
    const ImageView view = {frame.data(), 57, 31, 57, PixelFormat::nv12};
    static Preprocessor* const preprocessor = new Preprocessor(*Preprocessor::create({}));
    std::vector<std::uint8_t> out(preprocessor->output_size());
    if (const auto region = cli::parse_region(text))
        (void)preprocessor->resize(view, *region, out.data()).ok();
    if (auto quad = cli::parse_quad(text)) {
        for (const int rows : {1, 2}) {
            quad->rows = rows;
            (void)preprocessor->rectify(view, *quad, out.data()).ok();
        }
    }
    return 0;
}
