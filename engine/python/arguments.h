// What Python callers pass, taken apart without any conversion that could hide a mistake. Every
// complaint is a TypeError or a ValueError that names the argument, what was expected and what was
// found. All of this needs the interpreter's lock.
#pragma once

#include <Python.h>
#include <nanobind/nanobind.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lprnet/error.h"
#include "lprnet/image.h"

namespace lprnet::python {

namespace nb = nanobind;

[[noreturn]] void throw_type_error(const std::string& message);
[[noreturn]] void throw_value_error(const std::string& message);

// The exception of lprnet/_errors.py for an error of the library.
nb::object exception_of(const Error& error);
[[noreturn]] void throw_error(const Error& error);

inline void check(const Status& status) {
    if (!status) throw_error(status.error());
}
template <class T>
T take(Result<T> result) {
    if (!result) throw_error(result.error());
    return std::move(*result);
}

// Takes off the exception that is set, if it is one of `type`; any other goes on its way.
void expect_raised(PyObject* type);

// The exception that is being raised, taken off: to be put in the place of a picture.
nb::object caught(nb::python_error& error);

// For messages: "None", "float32 array of shape (3, 4)", "int 7", "str 'x'", "list".
std::string describe(nb::handle value);

long integer(nb::handle value, const char* name, long least, long most);
double number(nb::handle value, const char* name, double least, double most);
// UTF-8; expected as in "threads".
std::string text(nb::handle value, const char* name);
// As the file system has it.
std::string path(nb::handle value, const char* name);
bool is_path(nb::handle value);

// One of the names that a table has in its rows' `name`.
template <class Rows>
auto chosen(nb::handle value, const char* name, const Rows& rows) {
    const bool is_text = PyUnicode_Check(value.ptr());
    if (is_text) {
        const std::string word = text(value, name);
        for (const auto& row : rows)
            if (row.name == word) return row;
    }
    std::string names;
    for (const auto& row : rows)
        names += (names.empty() ? "'" : ", '") + std::string(row.name) + "'";
    const std::string message =
        std::string(name) + ": expected one of " + names + ", found " + describe(value);
    if (is_text) throw_value_error(message);
    throw_type_error(message);
}

// (x, y, width, height), and four corners (x, y) or their eight numbers.
Region region(nb::handle value);
Quad quad(nb::handle value);

// A view of an object's memory by the buffer protocol, given back when it goes. Nothing is copied.
class Buffer {
public:
    // Null if the object has none.
    static std::shared_ptr<const Buffer> of(nb::handle object);

    Buffer() = default;  // of nothing
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer();

    // Unsigned bytes, and not another type of that size.
    bool is_uint8() const;
    // One piece of memory in the order of its elements.
    bool is_contiguous() const;
    std::span<const Py_ssize_t> shape() const;
    std::span<const Py_ssize_t> strides() const;
    const std::uint8_t* data() const { return static_cast<const std::uint8_t*>(view_.buf); }
    std::span<const std::byte> bytes() const { return std::as_bytes(std::span(data(), size())); }
    std::size_t size() const { return static_cast<std::size_t>(view_.len); }
    // "float32 array of shape (3, 4)"
    std::string describe() const;

private:
    Py_buffer view_{};
    std::vector<Py_ssize_t> no_gaps_;  // strides of a view that has none
};

}  // namespace lprnet::python
