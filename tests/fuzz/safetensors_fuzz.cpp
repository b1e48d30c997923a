// libFuzzer target for the safetensors reader and, through what it accepts, the writer; and for
// sparse tensors, whose parts it also cuts from the input, because no fuzzer guesses a header with
// three tensors that fit. Built with clang and -fsanitize=fuzzer,address,undefined.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tests/fuzz/safetensors_touch.h"

namespace {

using namespace lprnet::weights;

// A file of one sparse tensor: the first byte says how many bytes of the rest are shape and mask,
// what is left are values.
std::vector<std::byte> sparse_file(std::span<const std::byte> input) {
    const auto take = [&](std::size_t bytes, std::size_t unit) {
        const std::size_t size = std::min(bytes, input.size()) / unit * unit;
        const auto piece = input.first(size);
        input = input.subspan(size);
        return piece;
    };
    const auto part = [](const char* name, DType dtype, std::span<const std::byte> bytes) {
        return TensorView{
            name, dtype, {static_cast<std::int64_t>(bytes.size() / element_size(dtype))}, bytes};
    };
    const auto sizes = std::to_integer<std::size_t>(take(1, 1).front());
    const auto shape = take(sizes % 10 * 8, 8);
    const auto mask = take(sizes / 10, 1);
    const std::vector<TensorView> tensors = {part("w.mask", DType::u8, mask),
                                             part("w.shape", DType::i64, shape),
                                             part("w.values", DType::f32, take(input.size(), 4))};
    const auto bytes = serialize_safetensors(tensors, {});
    if (!bytes) __builtin_trap();
    return *bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto touched = touch_safetensors(std::as_bytes(std::span(data, size)));
    if (!touched.broken.empty()) __builtin_trap();
    if (size > 0) {
        const std::vector<std::byte> file = sparse_file(std::as_bytes(std::span(data, size)));
        const auto sparse = touch_safetensors(file);
        if (!sparse.accepted || !sparse.broken.empty()) __builtin_trap();
    }
    return 0;
}
