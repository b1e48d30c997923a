#include "engine/bpu/device_memory.h"

#include <cstring>
#include <utility>

#include "engine/boundary.h"
#include "engine/bpu/dnn_error.h"

namespace lprnet::bpu {

DeviceMemory::DeviceMemory(std::shared_ptr<const DnnLibrary> library)
    : library_(std::move(library)) {}

Result<DeviceMemory> DeviceMemory::allocate(std::shared_ptr<const DnnLibrary> library,
                                            std::size_t bytes) {
    DeviceMemory block(std::move(library));
    const std::int32_t code =
        block.library_->call().alloc_cached_mem(&block.memory_, static_cast<std::uint32_t>(bytes));
    if (code != 0) {
        block.memory_ = {};
        return call_error(std::to_string(bytes) + " bytes of device memory", "hbSysAllocCachedMem",
                          code);
    }
    if (block.data() == nullptr)
        return Error{ErrorCode::device_failed, "hbSysAllocCachedMem returned no address"};
    std::memset(block.data(), 0, bytes);
    if (Status s = block.clean(); !s) return s.error();
    return block;
}

Status DeviceMemory::flush(std::int32_t flag) noexcept {
    return guarded([&]() -> Status {
        const std::int32_t code = library_->call().flush_mem(&memory_, flag);
        if (code != 0) return call_error("device memory", "hbSysFlushMem", code);
        return {};
    });
}

Status DeviceMemory::clean() noexcept {
    return flush(abi::kCacheClean);
}

Status DeviceMemory::invalidate() noexcept {
    return flush(abi::kCacheInvalidate);
}

Status DeviceMemory::release() noexcept {
    return guarded([&]() -> Status {
        if (memory_.virtual_address == nullptr) return {};
        const std::int32_t code = library_->call().free_mem(&memory_);
        memory_ = {};
        if (code != 0) return call_error("device memory", "hbSysFreeMem", code);
        return {};
    });
}

DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept
    : library_(std::move(other.library_)), memory_(std::exchange(other.memory_, {})) {}

DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
    if (this != &other) {
        (void)release();
        library_ = std::move(other.library_);
        memory_ = std::exchange(other.memory_, {});
    }
    return *this;
}

DeviceMemory::~DeviceMemory() {
    (void)release();
}

}  // namespace lprnet::bpu
