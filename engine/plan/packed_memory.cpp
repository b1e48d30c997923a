#include "engine/plan/packed_memory.h"

namespace lprnet {

void PackedMemory::allocate() {
    buffer_ = kernels::AlignedBuffer(floats_);
    lists_.resize(lists_taken_);
    floats_ = lists_taken_ = 0;
    counting_ = false;
}

}  // namespace lprnet
