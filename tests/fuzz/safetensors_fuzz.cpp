// libFuzzer target for the safetensors reader and, through what it accepts, the writer.
// Built with clang and -fsanitize=fuzzer,address,undefined.
#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/fuzz/safetensors_touch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto touched = lprnet::weights::touch_safetensors(std::as_bytes(std::span(data, size)));
    if (!touched.broken.empty()) __builtin_trap();
    return 0;
}
