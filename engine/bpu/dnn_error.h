// The return codes of libdnn by name.
#pragma once

#include <cstdint>
#include <string>

#include "lprnet/error.h"

namespace lprnet::bpu {

// "HB_DNN_TIMEOUT (-6000008)"; "code -1" where the documentation has no name.
std::string code_name(std::int32_t code);

// "WHAT: CALL returned NAME (CODE)", with advice where the code has a usual cause.
Error call_error(const std::string& what, const char* call, std::int32_t code);

}  // namespace lprnet::bpu
