// AVX2 with FMA: 256-bit vectors.
#include "kernels/table-inl.h"

namespace lprnet::kernels {
namespace {

struct Isa {
    using arch = xsimd::fma3<xsimd::avx2>;
    using Batch = xsimd::batch<float, arch>;
    // 12 accumulators, 2 weights and 1 activation: 15 of 16 registers.
    static constexpr int block_vectors = 2;
    static constexpr int tile_pixels = 6;
    static Batch fma(Batch a, Batch b, Batch c) noexcept { return _mm256_fmadd_ps(a, b, c); }
};

}  // namespace

extern const KernelTable table_avx2;
const KernelTable table_avx2 = make_table<Isa>("avx2");

}  // namespace lprnet::kernels
