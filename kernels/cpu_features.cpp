// CPUID and XGETBV on x86, the auxiliary vector on Arm Linux. Bit positions are
// those of the Intel and AMD programmer's manuals (CPUID leaves 1, 7.0, 7.1) and
// of the Linux AArch64 hwcap ABI.
#include "kernels/cpu_features.h"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace lprnet::kernels {

#if defined(__x86_64__) || defined(__i386__)
namespace {

struct Registers {
    std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

// Asks no more than it has to: to a virtual machine each question is a way out and back.
Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf) noexcept {
    Registers r;
    __cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
    return r;
}

bool bit(std::uint32_t word, int index) noexcept {
    return (word >> index & 1U) != 0;
}

// Which register files the operating system saves on a context switch.
std::uint32_t extended_control_register() noexcept {
    std::uint32_t low = 0, high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

}  // namespace

CpuFeatures detect_cpu_features() noexcept {
    CpuFeatures f;
    const std::uint32_t last_leaf = cpuid(0, 0).eax;
    const Registers leaf1 = cpuid(1, 0);
    f.sse2 = bit(leaf1.edx, 26);
    const bool has_xgetbv = bit(leaf1.ecx, 27);
    const std::uint32_t saved = has_xgetbv ? extended_control_register() : 0;
    const bool saves_ymm = (saved & 0x06U) == 0x06U;  // SSE and AVX state
    const bool saves_zmm = (saved & 0xE6U) == 0xE6U;  // and opmask, upper ZMM, ZMM16-31
    // Beyond the last leaf some processors answer with that one's registers.
    const Registers leaf7 = last_leaf >= 7 ? cpuid(7, 0) : Registers{};
    const Registers leaf7_1 = leaf7.eax >= 1 ? cpuid(7, 1) : Registers{};
    f.avx2 = saves_ymm && bit(leaf1.ecx, 28) && bit(leaf7.ebx, 5);
    f.fma = saves_ymm && bit(leaf1.ecx, 12);
    f.avxvnni = saves_ymm && bit(leaf7_1.eax, 4);
    f.avx512f = saves_zmm && bit(leaf7.ebx, 16);
    f.avx512dq = saves_zmm && bit(leaf7.ebx, 17);
    f.avx512bw = saves_zmm && bit(leaf7.ebx, 30);
    f.avx512vl = saves_zmm && bit(leaf7.ebx, 31);
    f.avx512vnni = saves_zmm && bit(leaf7.ecx, 11);
    f.avx512bf16 = saves_zmm && bit(leaf7_1.eax, 5);
    return f;
}

CpuBrand cpu_brand() noexcept {
    CpuBrand brand;
    constexpr std::uint32_t kExtended = 0x80000000U, kBrand = kExtended + 2;
    if (cpuid(kExtended, 0).eax < kBrand + 2) return brand;
    for (std::uint32_t i = 0; i < 3; ++i) {
        const Registers r = cpuid(kBrand + i, 0);
        std::memcpy(brand.text + i * sizeof r, &r, sizeof r);
    }
    // The string is padded with blanks on either side by some processors.
    const char* begin = brand.text;
    while (*begin == ' ') ++begin;
    std::memmove(brand.text, begin, std::strlen(begin) + 1);
    for (std::size_t n = std::strlen(brand.text); n > 0 && brand.text[n - 1] == ' '; --n) {
        brand.text[n - 1] = '\0';
    }
    return brand;
}

void pause_cpu() noexcept {
    asm volatile("pause" ::: "memory");
}

#elif defined(__aarch64__)

CpuFeatures detect_cpu_features() noexcept {
    CpuFeatures f;
    f.neon = true;  // part of the AArch64 baseline
#if defined(__linux__)
    constexpr unsigned long kHwcapAsimdHp = 1UL << 10, kHwcapAsimdDp = 1UL << 20;
    const unsigned long hwcap = getauxval(AT_HWCAP);
    f.neon_half = (hwcap & kHwcapAsimdHp) != 0;
    f.neon_dotprod = (hwcap & kHwcapAsimdDp) != 0;
#endif
    return f;
}

CpuBrand cpu_brand() noexcept {
    return {};
}

void pause_cpu() noexcept {
    asm volatile("yield" ::: "memory");
}

#else

CpuFeatures detect_cpu_features() noexcept {
    return {};
}

CpuBrand cpu_brand() noexcept {
    return {};
}

void pause_cpu() noexcept {}

#endif

}  // namespace lprnet::kernels
