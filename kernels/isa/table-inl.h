// Gathers the kernels of one instruction set in its table.
#pragma once

#include <type_traits>

#include "kernels/compiled_folders.h"
#include "kernels/isa/isa-inl.h"

namespace lprnet::kernels {
namespace {

// Whether a table may take its base's kernels that know how levels are stored: only if both store
// them alike.
template <class Kernels, class Base>
constexpr bool shares_what_fits() noexcept {
    if (std::is_same_v<typename Kernels::Level, typename Base::Level>) return true;
    bool own = true;
#define LPRNET_SHARED_f32(name)
#define LPRNET_SHARED_levels(name) own = own && Kernels::name != Base::name;
#define LPRNET_KERNEL(folder, name, Call, elements) LPRNET_SHARED_##elements(name)
#define LPRNET_TOOL LPRNET_KERNEL
#include "kernels/kernels.inc"
#undef LPRNET_SHARED_f32
#undef LPRNET_SHARED_levels
    return own;
}

template <class Isa, class Kernels>
constexpr KernelTable table_of(const char* name) noexcept {
    static_assert(std::is_same_v<typename Isa::Level, typename Kernels::Level>);
    if constexpr (requires { typename Kernels::Base; }) {
        static_assert(shares_what_fits<Kernels, typename Kernels::Base>());
    }
    return {
        .name = name,
        .lanes = kLanes<Isa>,
        .block_vectors = Isa::block_vectors,
        .sparse_pixels = kSparsePixels<Isa>,
        .levels = {.bytes = sizeof(typename Isa::Level),
                   .offset = Isa::level_offset,
                   .block_vectors = Isa::level_vectors},
#define LPRNET_KERNEL(folder, name, Call, elements) \
    .name = is_compiled(#folder) ? Kernels::name : nullptr,
#define LPRNET_TOOL LPRNET_KERNEL
#include "kernels/kernels.inc"
    };
}

}  // namespace
}  // namespace lprnet::kernels
