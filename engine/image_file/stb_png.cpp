// The one translation unit that holds stb_image.
#include "engine/image_file/stb_png.h"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

#include "engine/image_file/picture_error.h"

namespace {

// What one picture may still allocate. Every block begins with its own size.
thread_local std::size_t budget = 0;
// Why it got none.
thread_local bool over_budget = false;
thread_local bool out_of_memory = false;
constexpr std::size_t kSizeBytes = alignof(std::max_align_t);

// Cleared, so that pixels which a damaged file leaves out are never those of another picture.
void* stb_malloc(std::size_t size) {
    over_budget = over_budget || size > budget;
    if (over_budget) return nullptr;
    auto* block = static_cast<unsigned char*>(std::calloc(1, size + kSizeBytes));
    out_of_memory = out_of_memory || block == nullptr;
    if (block == nullptr) return nullptr;
    budget -= size;
    std::memcpy(block, &size, sizeof size);
    return block + kSizeBytes;
}

void stb_free(void* memory) {
    if (memory == nullptr) return;
    unsigned char* block = static_cast<unsigned char*>(memory) - kSizeBytes;
    std::size_t size = 0;
    std::memcpy(&size, block, sizeof size);
    budget += size;
    std::free(block);
}

void* stb_realloc(void* memory, std::size_t old_size, std::size_t size) {
    void* larger = stb_malloc(size);
    if (larger == nullptr || memory == nullptr) return larger;
    std::memcpy(larger, memory, old_size < size ? old_size : size);
    stb_free(memory);
    return larger;
}

}  // namespace

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_ONLY_PNG
#define STBI_MALLOC(size) stb_malloc(size)
#define STBI_REALLOC_SIZED(memory, old_size, size) stb_realloc(memory, old_size, size)
#define STBI_FREE(memory) stb_free(memory)
#include <stb_image.h>
#pragma GCC diagnostic pop

namespace lprnet {

Result<std::vector<std::uint8_t>> stb_decode_png(const std::vector<std::uint8_t>& file, int width,
                                                 int height, std::size_t max_bytes) {
    if (file.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        return damaged("2 GiB or more");
    }
    constexpr int kRgb = 3;
    budget = max_bytes;
    over_budget = out_of_memory = false;
    int found_width = 0, found_height = 0, channels = 0;
    const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
        stbi_load_from_memory(file.data(), static_cast<int>(file.size()), &found_width,
                              &found_height, &channels, kRgb),
        stbi_image_free);
    if (!pixels) {
        if (out_of_memory) throw std::bad_alloc();
        if (over_budget) return damaged("pixels that inflate to more than the picture has");
        // Its words are none at all for some kinds of damage.
        const char* reason = stbi_failure_reason();
        return damaged(reason != nullptr && reason[0] != '\0' ? reason : "bad compressed data");
    }
    if (found_width != width || found_height != height) return damaged("another size inside");
    const std::size_t size = static_cast<std::size_t>(kRgb) * static_cast<std::size_t>(width) *
                             static_cast<std::size_t>(height);
    return std::vector<std::uint8_t>(pixels.get(), pixels.get() + size);
}

}  // namespace lprnet
