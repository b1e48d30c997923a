#include "engine/python/arguments.h"

#include <nanobind/stl/string.h>

#include <array>
#include <cstdio>
#include <iterator>
#include <utility>

#include "engine/text/printable.h"

namespace lprnet::python {
namespace {

[[noreturn]] void raise(PyObject* type, const std::string& message) {
    // Through an object: the message may hold bytes that are no UTF-8.
    PyObject* const text = PyUnicode_DecodeUTF8(
        message.data(), static_cast<Py_ssize_t>(message.size()), "backslashreplace");
    if (text != nullptr) {
        PyErr_SetObject(type, text);
        Py_DECREF(text);
    }
    throw nb::python_error();
}

std::string name_of_type(nb::handle value) {
    return nb::cast<std::string>(nb::handle(value.type()).attr("__qualname__"));
}

// By the letters of the struct module.
std::string_view element_name(std::string_view format) {
    static constexpr std::pair<std::string_view, std::string_view> kNames[] = {
        {"B", "uint8"},       {"b", "int8"},    {"?", "bool"},       {"H", "uint16"},
        {"h", "int16"},       {"I", "uint32"},  {"i", "int32"},      {"L", "uint64"},
        {"l", "int64"},       {"Q", "uint64"},  {"q", "int64"},      {"e", "float16"},
        {"f", "float32"},     {"d", "float64"}, {"g", "longdouble"}, {"Zf", "complex64"},
        {"Zd", "complex128"}, {"O", "object"},
    };
    std::string_view letters = format;
    if (!letters.empty() && std::string_view("@=<>!").find(letters.front()) != letters.npos)
        letters.remove_prefix(1);
    for (const auto& [letter, name] : kNames)
        if (letter == letters) return name;
    if (letters.ends_with('w')) return "str";
    if (letters.ends_with('s')) return "bytes";
    return format;
}

bool is_sequence(nb::handle value) {
    return PySequence_Check(value.ptr()) != 0 && !PyUnicode_Check(value.ptr()) &&
           !PyBytes_Check(value.ptr());
}

nb::object as_list(nb::handle value) {
    PyObject* const list = PySequence_List(value.ptr());
    if (list == nullptr) throw nb::python_error();
    return nb::steal(list);
}

// Numbers of a coordinate: any that fits a float; the library says which corners it takes.
float coordinate(nb::handle value) {
    return static_cast<float>(number(value, "quad", -1e9, 1e9));
}

}  // namespace

void throw_type_error(const std::string& message) {
    raise(PyExc_TypeError, message);
}

void throw_value_error(const std::string& message) {
    raise(PyExc_ValueError, message);
}

nb::object exception_of(const Error& error) {
    static constexpr const char* kNames[] = {
        "InvalidArgumentError", "NotFoundError",    "MalformedError",    "MismatchError",
        "UnsupportedError",     "OutOfMemoryError", "DeviceFailedError", "TimedOutError"};
    const auto code = static_cast<std::size_t>(error.code);
    const char* const name = code < std::size(kNames) ? kNames[code] : "Error";
    PyObject* const text = PyUnicode_DecodeUTF8(
        error.message.data(), static_cast<Py_ssize_t>(error.message.size()), "backslashreplace");
    if (text == nullptr) throw nb::python_error();
    return nb::module_::import_("lprnet._errors").attr(name)(nb::steal(text));
}

void throw_error(const Error& error) {
    const nb::object exception = exception_of(error);
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.ptr())), exception.ptr());
    throw nb::python_error();
}

void expect_raised(PyObject* type) {
    if (PyErr_ExceptionMatches(type) == 0) throw nb::python_error();
    PyErr_Clear();
}

nb::object caught(nb::python_error& error) {
    return nb::borrow(error.value());
}

std::string describe(nb::handle value) {
    if (value.is_none()) return "None";
    const std::string type = name_of_type(value);
    if (PyUnicode_Check(value.ptr()) || PyLong_Check(value.ptr()) || PyFloat_Check(value.ptr())) {
        PyObject* const shown = PyObject_Repr(value.ptr());
        if (shown == nullptr) {  // an int of more digits than Python prints
            PyErr_Clear();
            return type;
        }
        const nb::object held = nb::steal(shown);
        PyObject* const bytes = PyUnicode_AsEncodedString(shown, "utf-8", "backslashreplace");
        if (bytes == nullptr) throw nb::python_error();
        const nb::object encoded = nb::steal(bytes);
        return type + " " + printable(PyBytes_AsString(bytes), kMaxShownBytes);
    }
    if (PyBytes_Check(value.ptr())) return "bytes";
    if (const std::shared_ptr<const Buffer> buffer = Buffer::of(value)) return buffer->describe();
    return type;
}

long integer(nb::handle value, const char* name, long least, long most) {
    const auto expected = [&] {
        return std::string(name) + ": expected an integer from " + std::to_string(least) + " to " +
               std::to_string(most) + ", found " + describe(value);
    };
    if (PyBool_Check(value.ptr())) throw_type_error(expected());
    PyObject* const index = PyNumber_Index(value.ptr());
    if (index == nullptr) {
        expect_raised(PyExc_TypeError);
        throw_type_error(expected());
    }
    int overflow = 0;
    const long found = PyLong_AsLongAndOverflow(index, &overflow);
    Py_DECREF(index);
    if (overflow != 0 || found < least || found > most) throw_value_error(expected());
    return found;
}

double number(nb::handle value, const char* name, double least, double most) {
    const auto expected = [&] {
        char range[96];
        std::snprintf(range, sizeof range, ": expected a number from %g to %g, found ", least,
                      most);
        return name + (range + describe(value));
    };
    if (PyUnicode_Check(value.ptr())) throw_type_error(expected());
    const double found = PyFloat_AsDouble(value.ptr());
    if (found == -1.0 && PyErr_Occurred() != nullptr) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError) != 0) {
            PyErr_Clear();
            throw_value_error(expected());
        }
        expect_raised(PyExc_TypeError);
        throw_type_error(expected());
    }
    if (!(found >= least && found <= most)) throw_value_error(expected());
    return found;
}

std::string text(nb::handle value, const char* name) {
    if (!PyUnicode_Check(value.ptr()))
        throw_type_error(std::string(name) + ": expected a str, found " + describe(value));
    Py_ssize_t size = 0;
    const char* const bytes = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
    if (bytes == nullptr) {
        PyErr_Clear();
        throw_value_error(std::string(name) + ": expected text that UTF-8 has bytes for, found " +
                          describe(value));
    }
    return {bytes, static_cast<std::size_t>(size)};
}

bool is_path(nb::handle value) {
    return PyUnicode_Check(value.ptr()) || nb::hasattr(value, "__fspath__");
}

std::string path(nb::handle value, const char* name) {
    if (!is_path(value))
        throw_type_error(std::string(name) + ": expected a path, found " + describe(value));
    PyObject* bytes = nullptr;
    if (PyUnicode_FSConverter(value.ptr(), &bytes) == 0) {
        expect_raised(PyExc_ValueError);  // a zero byte, or what has no bytes
        throw_value_error(std::string(name) + ": expected the path of a file, found " +
                          describe(value));
    }
    const nb::object held = nb::steal(bytes);
    char* data = nullptr;
    Py_ssize_t size = 0;
    if (PyBytes_AsStringAndSize(bytes, &data, &size) != 0) throw nb::python_error();
    return {data, static_cast<std::size_t>(size)};
}

Region region(nb::handle value) {
    constexpr const char* kExpected =
        "region: expected four integers (x, y, width, height), found ";
    if (!is_sequence(value)) throw_type_error(kExpected + describe(value));
    const nb::object list = as_list(value);
    if (nb::len(list) != 4)
        throw_value_error(kExpected + std::to_string(nb::len(list)) + " values");
    int numbers[4];
    for (std::size_t i = 0; i < 4; ++i) {
        constexpr long kMost = 1L << 30;
        numbers[i] = static_cast<int>(integer(list[i], "region", -kMost, kMost));
    }
    return {numbers[0], numbers[1], numbers[2], numbers[3]};
}

Quad quad(nb::handle value) {
    constexpr const char* kExpected =
        "quad: expected four corners (x, y), clockwise from the top left, found ";
    if (!is_sequence(value)) throw_type_error(kExpected + describe(value));
    const nb::object list = as_list(value);
    const std::size_t count = nb::len(list);
    if (count != 4 && count != 8) throw_value_error(kExpected + std::to_string(count) + " values");
    std::array<float, 8> numbers{};
    for (std::size_t i = 0; i < count; ++i) {
        const nb::object item = list[i];
        if (count == 8) {
            numbers[i] = coordinate(item);
            continue;
        }
        if (!is_sequence(item)) throw_type_error(kExpected + describe(item) + " as a corner");
        const nb::object corner = as_list(item);
        if (nb::len(corner) != 2)
            throw_value_error(kExpected + std::to_string(nb::len(corner)) + " values in a corner");
        numbers[2 * i] = coordinate(corner[0]);
        numbers[2 * i + 1] = coordinate(corner[1]);
    }
    return {{numbers[0], numbers[1]},
            {numbers[2], numbers[3]},
            {numbers[4], numbers[5]},
            {numbers[6], numbers[7]}};
}

std::shared_ptr<const Buffer> Buffer::of(nb::handle object) {
    if (PyObject_CheckBuffer(object.ptr()) == 0) return nullptr;
    auto buffer = std::make_shared<Buffer>();
    if (PyObject_GetBuffer(object.ptr(), &buffer->view_, PyBUF_STRIDES | PyBUF_FORMAT) != 0) {
        // An array of a type that the protocol has no letter for, a view that was released.
        if (PyErr_ExceptionMatches(PyExc_BufferError) == 0) expect_raised(PyExc_ValueError);
        PyErr_Clear();
        return nullptr;
    }
    // ctypes gives none, asked or not: the elements have no gaps then.
    const Py_buffer& view = buffer->view_;
    if (view.ndim > 0 && view.shape == nullptr) return nullptr;
    if (view.strides == nullptr) {
        buffer->no_gaps_.resize(static_cast<std::size_t>(view.ndim));
        Py_ssize_t stride = view.itemsize;
        for (int i = view.ndim - 1; i >= 0; --i) {
            buffer->no_gaps_[static_cast<std::size_t>(i)] = stride;
            stride *= view.shape[i];
        }
    }
    return buffer;
}

Buffer::~Buffer() {
    if (view_.obj != nullptr) PyBuffer_Release(&view_);
}

bool Buffer::is_uint8() const {
    const std::string_view format = view_.format != nullptr ? view_.format : "B";
    return view_.itemsize == 1 && element_name(format) == "uint8";
}

bool Buffer::is_contiguous() const {
    return PyBuffer_IsContiguous(&view_, 'C') != 0;
}

std::span<const Py_ssize_t> Buffer::shape() const {
    return {view_.shape, static_cast<std::size_t>(view_.ndim)};
}

std::span<const Py_ssize_t> Buffer::strides() const {
    if (view_.strides == nullptr) return no_gaps_;
    return {view_.strides, static_cast<std::size_t>(view_.ndim)};
}

std::string Buffer::describe() const {
    std::string shape;
    for (const Py_ssize_t side : this->shape())
        shape += (shape.empty() ? "" : ", ") + std::to_string(side);
    if (view_.ndim == 1) shape += ",";
    const std::string_view format = view_.format != nullptr ? view_.format : "B";
    return printable(element_name(format), kMaxShownBytes) + " array of shape (" + shape + ")";
}

}  // namespace lprnet::python
