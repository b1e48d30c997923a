// What this processor and its operating system can execute.
#pragma once

namespace lprnet::kernels {

// A feature is set only if the instructions exist and the operating system saves
// the registers they use.
struct CpuFeatures {
    bool sse2 = false;
    bool avx2 = false;
    bool fma = false;
    bool avx512f = false;
    bool avx512dq = false;
    bool avx512bw = false;
    bool avx512vl = false;
    bool avx512vnni = false;
    bool avx512bf16 = false;
    bool avxvnni = false;
    bool neon = false;
    bool neon_dotprod = false;
    bool neon_half = false;  // arithmetic in float16, which no kernel uses
};

CpuFeatures detect_cpu_features() noexcept;

// Such as "AMD EPYC 9B45"; empty if the processor tells none.
struct CpuBrand {
    char text[64] = {};
};
CpuBrand cpu_brand() noexcept;

// One row per feature, for printing.
struct NamedFeature {
    const char* name;
    bool CpuFeatures::*present;
};
inline constexpr NamedFeature kNamedFeatures[] = {
    {"sse2", &CpuFeatures::sse2},
    {"avx2", &CpuFeatures::avx2},
    {"fma", &CpuFeatures::fma},
    {"avx512f", &CpuFeatures::avx512f},
    {"avx512dq", &CpuFeatures::avx512dq},
    {"avx512bw", &CpuFeatures::avx512bw},
    {"avx512vl", &CpuFeatures::avx512vl},
    {"avx512vnni", &CpuFeatures::avx512vnni},
    {"avx512bf16", &CpuFeatures::avx512bf16},
    {"avxvnni", &CpuFeatures::avxvnni},
    {"neon", &CpuFeatures::neon},
    {"neon_dotprod", &CpuFeatures::neon_dotprod},
    {"neon_half", &CpuFeatures::neon_half},
};

// Tells the core that this thread only waits: the loop around it costs less power and takes
// less from the other hardware thread of the same core.
void pause_cpu() noexcept;

}  // namespace lprnet::kernels
