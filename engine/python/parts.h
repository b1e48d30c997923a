// The rooms of the extension module: each adds its classes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/python/arguments.h"
#include "lprnet/model.h"
#include "lprnet/patterns.h"
#include "lprnet/result.h"

namespace lprnet::python {

void add_results(nb::module_& module);
void add_model(nb::module_& module);
void add_track(nb::module_& module);
void add_recognizer(nb::module_& module);
void add_tools(nb::module_& module);

// A model that can be pickled: with the bytes of its file, which may be another one by then, or not
// be there on the machine that unpickles it.
struct PythonModel {
    Model model;
    std::shared_ptr<const std::vector<std::byte>> bytes;  // null: built in

    // None for the one built in, a path or a Model.
    static PythonModel of(nb::handle model, const std::string& precision = "fp32");
    static PythonModel builtin(const std::string& precision);
    static PythonModel load(const std::string& path);
    static PythonModel from_bytes(std::span<const std::byte> bytes, const std::string& label);
};

// Formats that can be pickled, as their text.
struct PythonPatterns {
    Patterns patterns;
    std::string text;
    std::string label;

    static PythonPatterns parse(std::string text, const std::string& label);
    static PythonPatterns load(const std::string& path);
    static PythonPatterns builtin(const std::string& name);
};

// The named tuples of lprnet/_results.py.
template <class... Values>
nb::object named_tuple(const char* name, Values&&... values) {
    return nb::module_::import_("lprnet._results").attr(name)(std::forward<Values>(values)...);
}
nb::object candidates_tuple(const std::vector<Candidate>& candidates);

}  // namespace lprnet::python
