// libdnn, opened at run time: nothing of the vendor's is needed to build, and one program runs with
// and without it.
#pragma once

#include <memory>
#include <string>

#include "engine/bpu/dnn_abi.h"
#include "lprnet/error.h"

namespace lprnet::bpu {

// Thread-safe. Shared by all that was made with it.
class DnnLibrary {
public:
    // `path` as dlopen takes it. `unsupported` if it cannot be opened, lacks a function or has
    // another interface than that of version 1. May throw std::bad_alloc.
    static Result<std::shared_ptr<const DnnLibrary>> open(const std::string& path);

    const abi::Functions& call() const noexcept { return functions_; }
    const std::string& version() const noexcept { return version_; }

private:
    abi::Functions functions_;
    std::string version_;
};

}  // namespace lprnet::bpu
