// Errors as values: `Error`, `Status` and `Result<T>`.
//
// The library never throws, prints or exits; everything that can fail returns
// one of these. This is the one header that every room of the tree may include.
#pragma once

#include <string>
#include <utility>
#include <variant>

// What a function returns refers into its object, so the object has to live on: clang warns of
// `for (auto& text : Model::builtin()->charset())`, whose model is gone when the loop begins.
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::lifetimebound)
#define LPRNET_LIFETIMEBOUND [[clang::lifetimebound]]
#endif
#endif
#ifndef LPRNET_LIFETIMEBOUND
#define LPRNET_LIFETIMEBOUND
#endif

namespace lprnet {

enum class ErrorCode {
    invalid_argument,  // the caller passed something no input could make valid
    not_found,         // a file or folder is missing or cannot be opened
    malformed,         // a file's bytes do not form what its kind promises
    mismatch,          // well-formed, but not what this network or option expects
    unsupported,       // valid, but not available in this build or on this CPU
    out_of_memory,
    device_failed,  // an accelerator or its runtime refused; the message has its code
    timed_out,      // it did not answer in the time given
};

struct Error {
    ErrorCode code = ErrorCode::invalid_argument;
    // One line without a newline: what, where, expected and found.
    std::string message;
};

// Success, or one Error. Contextually true on success.
class [[nodiscard]] Status {
public:
    Status() = default;
    // Cold, as in Result: what leads to an error is compiled for size.
    [[gnu::cold]] Status(Error error) : error_(std::move(error)), ok_(false) {}

    bool ok() const noexcept { return ok_; }
    explicit operator bool() const noexcept { return ok_; }

    // Precondition: !ok().
    const Error& error() const noexcept LPRNET_LIFETIMEBOUND { return error_; }

private:
    Error error_;
    bool ok_ = true;
};

// A T, or the Error that prevented it. Contextually true when it holds a T.
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    [[gnu::cold]] Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool ok() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return ok(); }

    // Precondition: ok().
    T& value() & noexcept LPRNET_LIFETIMEBOUND { return *std::get_if<0>(&state_); }
    const T& value() const& noexcept LPRNET_LIFETIMEBOUND { return *std::get_if<0>(&state_); }
    T&& value() && noexcept LPRNET_LIFETIMEBOUND { return std::move(*std::get_if<0>(&state_)); }
    T& operator*() & noexcept LPRNET_LIFETIMEBOUND { return value(); }
    const T& operator*() const& noexcept LPRNET_LIFETIMEBOUND { return value(); }
    T&& operator*() && noexcept LPRNET_LIFETIMEBOUND { return std::move(*this).value(); }
    T* operator->() noexcept LPRNET_LIFETIMEBOUND { return &value(); }
    const T* operator->() const noexcept LPRNET_LIFETIMEBOUND { return &value(); }

    // Precondition: !ok().
    const Error& error() const noexcept LPRNET_LIFETIMEBOUND { return *std::get_if<1>(&state_); }

private:
    std::variant<T, Error> state_;
};

}  // namespace lprnet
