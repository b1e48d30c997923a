// The border between the library and its callers: what was thrown inside leaves as an error.
#pragma once

#include <exception>
#include <new>
#include <stdexcept>
#include <system_error>
#include <type_traits>
#include <utility>

#include "lprnet/error.h"

namespace lprnet {

// These are made where memory has run out, so that their messages fit a string's own storage, 15
// characters.
inline Error out_of_memory() noexcept {
    return {ErrorCode::out_of_memory, "out of memory"};
}
inline Error no_threads() noexcept {
    return {ErrorCode::out_of_memory, "no more threads"};
}

// What function() returns, a Status or a Result, or the error in place of what it threw. Every
// public function that may allocate has its body in here. Lengths that no container can have count
// as memory that is not there. Nothing else is thrown on purpose; should a library below do so, it
// is still an error and not the end of the process.
template <class Function>
auto guarded(Function&& function) noexcept -> std::invoke_result_t<Function> {
    try {
        return std::forward<Function>(function)();
    } catch (const std::bad_alloc&) {
        return out_of_memory();
    } catch (const std::length_error&) {
        return out_of_memory();
    } catch (const std::system_error&) {
        return no_threads();
    } catch (...) {
        return Error{ErrorCode::unsupported, "internal error"};
    }
}

}  // namespace lprnet
