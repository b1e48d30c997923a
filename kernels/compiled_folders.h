// Which folders of kernels this build leaves out: CMake's option LPRNET_DIRECT_ONLY.
#pragma once

#include <string_view>

namespace lprnet::kernels {

// False for those whose pointers in every table are null.
constexpr bool is_compiled([[maybe_unused]] std::string_view folder) noexcept {
#if defined(LPRNET_LEFT_OUT)
    // "FOLDER FOLDER"; no folder's name is a part of another's.
    constexpr std::string_view kLeftOut = LPRNET_LEFT_OUT;
    return kLeftOut.find(folder) == std::string_view::npos;
#else
    return true;
#endif
}

// No convolution has a second algorithm.
inline constexpr bool kDirectOnly = !is_compiled("conv1d_winograd_f32");

}  // namespace lprnet::kernels
