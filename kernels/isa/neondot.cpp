// AArch64 with the byte dot products of Armv8.2.
#include "kernels/isa/neon-inl.h"

namespace lprnet::kernels {
namespace {

// SDOT multiplies signed bytes: 128 less than an activation is one.
struct Isa : Neon {
    using Quantized = std::uint8_t;
    static constexpr int quantized_offset = 128;
    static Sums dot(Sums sum, Sums x, Sums w) noexcept {
        const uint8x16_t flipped = veorq_u8(vreinterpretq_u8_s32(x), vdupq_n_u8(0x80));
        return vdotq_s32(sum, vreinterpretq_s8_u8(flipped), vreinterpretq_s8_s32(w));
    }
};

}  // namespace

extern const KernelTable table_neon;
extern const KernelTable table_neondot;
const KernelTable table_neondot = make_dot_table<Isa, table_neon>("neondot");

}  // namespace lprnet::kernels
