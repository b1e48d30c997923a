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

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf) noexcept {
    Registers r;
    if (!__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx)) return {};
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

void read_brand(char (&brand)[64]) noexcept {
    if (cpuid(0x80000000U, 0).eax < 0x80000004U) return;
    for (std::uint32_t i = 0; i < 3; ++i) {
        const Registers r = cpuid(0x80000002U + i, 0);
        std::memcpy(brand + i * 16, &r, 16);
    }
    // The string is padded with blanks on either side by some processors.
    const char* begin = brand;
    while (*begin == ' ') ++begin;
    std::memmove(brand, begin, std::strlen(begin) + 1);
    for (std::size_t n = std::strlen(brand); n > 0 && brand[n - 1] == ' '; --n) brand[n - 1] = '\0';
}

}  // namespace

CpuFeatures detect_cpu_features() noexcept {
    CpuFeatures f;
    read_brand(f.brand);
    const Registers leaf1 = cpuid(1, 0);
    f.sse2 = bit(leaf1.edx, 26);
    const bool has_xgetbv = bit(leaf1.ecx, 27);
    const std::uint32_t saved = has_xgetbv ? extended_control_register() : 0;
    const bool saves_ymm = (saved & 0x06U) == 0x06U;  // SSE and AVX state
    const bool saves_zmm = (saved & 0xE6U) == 0xE6U;  // and opmask, upper ZMM, ZMM16-31
    const Registers leaf7 = cpuid(7, 0);
    const Registers leaf7_1 = cpuid(7, 1);
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

void pause_cpu() noexcept {
    asm volatile("yield" ::: "memory");
}

#else

CpuFeatures detect_cpu_features() noexcept {
    return {};
}

void pause_cpu() noexcept {}

#endif

}  // namespace lprnet::kernels
