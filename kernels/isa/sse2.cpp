// x86-64 baseline: 128-bit vectors, no fused multiply-add.
#include "kernels/table-inl.h"

namespace lprnet::kernels {
namespace {

struct Isa {
    using arch = xsimd::sse2;
    using Batch = xsimd::batch<float, arch>;
    // 12 accumulators, 2 weights, 1 activation and 1 product fill the 16 registers.
    static constexpr int block_vectors = 2;
    static constexpr int tile_pixels = 6;
    static Batch fma(Batch a, Batch b, Batch c) noexcept { return a * b + c; }
};

}  // namespace

extern const KernelTable table_sse2;
const KernelTable table_sse2 = make_table<Isa>("sse2");

}  // namespace lprnet::kernels
