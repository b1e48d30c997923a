// Memory that CPU and BPU share, with the CPU's cache in between.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/bpu/dnn_library.h"

namespace lprnet::bpu {

// Owns one block; move-only. Its owner sees to it that no task uses the block any more when it
// ends.
class DeviceMemory {
public:
    // All zeros, also as the BPU sees it.
    static Result<DeviceMemory> allocate(std::shared_ptr<const DnnLibrary> library,
                                         std::size_t bytes);

    std::byte* data() const noexcept { return static_cast<std::byte*>(memory_.virtual_address); }
    const abi::SysMem& memory() const noexcept { return memory_; }

    // After the CPU wrote and before the BPU reads.
    Status clean() noexcept;
    // After the BPU wrote and before the CPU reads.
    Status invalidate() noexcept;
    // Gives the block back; the destructor does so too, but cannot tell what went wrong.
    Status release() noexcept;

    DeviceMemory(DeviceMemory&& other) noexcept;
    DeviceMemory& operator=(DeviceMemory&& other) noexcept;
    ~DeviceMemory();

private:
    explicit DeviceMemory(std::shared_ptr<const DnnLibrary> library);
    Status flush(std::int32_t flag) noexcept;

    std::shared_ptr<const DnnLibrary> library_;
    abi::SysMem memory_ = {};
};

}  // namespace lprnet::bpu
