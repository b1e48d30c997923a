// AVX-512 F, DQ, BW, VL: 512-bit vectors.
#include "kernels/table-inl.h"

namespace lprnet::kernels {
namespace {

struct Isa {
    using arch = xsimd::avx512bw;
    using Batch = xsimd::batch<float, arch>;
    // 24 accumulators, 2 weights and 1 activation: 27 of 32 registers.
    static constexpr int block_vectors = 2;
    static constexpr int tile_pixels = 12;
    static Batch fma(Batch a, Batch b, Batch c) noexcept { return _mm512_fmadd_ps(a, b, c); }
};

}  // namespace

extern const KernelTable table_avx512;
const KernelTable table_avx512 = make_table<Isa>("avx512");

}  // namespace lprnet::kernels
