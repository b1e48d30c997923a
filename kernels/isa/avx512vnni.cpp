// AVX-512 with the byte dot products of VNNI.
#include "kernels/isa/avx512-inl.h"

namespace lprnet::kernels {
namespace {

struct Isa : Avx512 {
    using Level = std::uint8_t;
    static constexpr int level_offset = 0;
    // GCC 12 copies the sums around the intrinsic, which halves the rate. Assembler cannot.
    static Sums dot(Sums sum, Sums x, Sums w) noexcept {
        asm("vpdpbusd %2, %1, %0" : "+v"(sum.data) : "v"(x.data), "v"(w.data));
        return sum;
    }
};

}  // namespace

extern const KernelTable table_avx512;
extern const KernelTable table_avx512vnni;
const KernelTable table_avx512vnni = make_dot_table<Isa, table_avx512>("avx512vnni");

}  // namespace lprnet::kernels
