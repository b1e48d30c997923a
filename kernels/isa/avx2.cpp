// AVX2 with FMA: 256-bit vectors.
#include "kernels/isa/avx2-inl.h"

namespace lprnet::kernels {
namespace {

// vpmaddubsw would saturate sums of two products; two-byte elements cannot.
struct Isa : Avx2 {
    using Level = std::int16_t;
    static constexpr int level_offset = 0;
    static Sums dot(Sums sum, Sums x, Sums w) noexcept {
        return _mm256_add_epi32(sum, _mm256_madd_epi16(x, w));
    }
};

}  // namespace

extern const KernelTable table_avx2;
const KernelTable table_avx2 = make_table<Isa>("avx2");

}  // namespace lprnet::kernels
