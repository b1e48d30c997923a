// AVX2 with the byte dot products of AVX-VNNI.
#include "kernels/isa/avx2-inl.h"

namespace lprnet::kernels {
namespace {

struct Isa : Avx2 {
    using Level = std::uint8_t;
    static constexpr int level_offset = 0;
    // GCC 12 copies the sums around the intrinsic, which halves the rate. Assembler cannot.
    static Sums dot(Sums sum, Sums x, Sums w) noexcept {
        asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum.data) : "x"(x.data), "x"(w.data));
        return sum;
    }
};

}  // namespace

extern const KernelTable table_avx2;
extern const KernelTable table_avxvnni;
const KernelTable table_avxvnni = make_dot_table<Isa, table_avx2>("avxvnni");

}  // namespace lprnet::kernels
