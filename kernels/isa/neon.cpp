// AArch64 baseline: 128-bit NEON with fused multiply-add.
#include "kernels/table-inl.h"

namespace lprnet::kernels {
namespace {

struct Isa {
    using arch = xsimd::neon64;
    using Batch = xsimd::batch<float, arch>;
    // 24 accumulators, 2 weights and 1 activation: 27 of 32 registers.
    static constexpr int block_vectors = 2;
    static constexpr int tile_pixels = 12;
    static Batch fma(Batch a, Batch b, Batch c) noexcept { return vfmaq_f32(c, a, b); }
};

}  // namespace

extern const KernelTable table_neon;
const KernelTable table_neon = make_table<Isa>("neon");

}  // namespace lprnet::kernels
