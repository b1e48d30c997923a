#include "kernels/example.h"

#include <algorithm>

namespace lprnet::kernels {

namespace {

constexpr std::byte kGuard{0xe5};
constexpr std::byte kUnset{0xff};
constexpr std::size_t kLine = 64;

}  // namespace

std::byte* ExampleMemory::add_bytes(std::size_t bytes) {
    const std::size_t all = bytes + 3 * kLine;
    Block block{std::make_unique<std::byte[]>(all), 0, bytes, all};
    std::byte* memory = block.memory.get();
    block.begin = 2 * kLine - reinterpret_cast<std::uintptr_t>(memory) % kLine;
    std::fill_n(memory, all, kGuard);
    std::fill_n(memory + block.begin, bytes, kUnset);
    std::byte* begin = memory + block.begin;
    blocks_.push_back(std::move(block));
    return begin;
}

bool ExampleMemory::guards_intact() const noexcept {
    return std::all_of(blocks_.begin(), blocks_.end(), [](const Block& block) {
        const std::byte* memory = block.memory.get();
        const std::byte* end = memory + block.begin + block.size;
        const auto is_guard = [](std::byte b) { return b == kGuard; };
        return std::all_of(memory, memory + block.begin, is_guard) &&
               std::all_of(end, memory + block.all, is_guard);
    });
}

std::span<const ExampleRow> all_examples() noexcept {
    static constexpr ExampleRow kRows[] = {
#define LPRNET_KERNEL(folder, name, Call, elements) {#name, false, name##_example},
#define LPRNET_TOOL(folder, name, Call, elements) {#name, true, name##_example},
#include "kernels/kernels.inc"
    };
    return kRows;
}

void* add_levels(ExampleMemory& memory, const KernelTable& table, std::size_t size) {
    return memory.add<std::byte>(size * static_cast<std::size_t>(table.levels.bytes));
}

void* add_levels(ExampleMemory& memory, const KernelTable& table, std::span<const int> levels) {
    const auto bytes = static_cast<std::size_t>(table.levels.bytes);
    // A kernel may read up to three elements more.
    void* added = add_levels(memory, table, levels.size() + 3);
    auto* at = static_cast<std::byte*>(added);
    for (const int level : levels) {
        std::memcpy(at, &level, bytes);  // little-endian: the low bytes come first
        at += bytes;
    }
    return added;
}

int level_at(const KernelTable& table, const void* levels, std::size_t index) noexcept {
    const auto bytes = static_cast<std::size_t>(table.levels.bytes);
    int level = 0;
    std::memcpy(&level, static_cast<const std::byte*>(levels) + index * bytes, bytes);
    return level;
}

void set_levels_result(Example& example, const KernelTable& table, const void* levels,
                       std::size_t size) {
    example.result = [&table, levels, size] {
        std::vector<double> numbers(size);
        for (std::size_t i = 0; i < size; ++i) numbers[i] = level_at(table, levels, i);
        return numbers;
    };
}

}  // namespace lprnet::kernels
