// Reading, whose parts become Python objects when they are asked for.
#include <nanobind/stl/string.h>
#include <algorithm>

#include "engine/python/parts.h"

namespace lprnet::python {
namespace {

template <class Items, class Make>
nb::object tuple_of(const Items& items, Make make) {
    nb::list list;
    for (const auto& item : items) list.append(make(item));
    return nb::steal(PySequence_Tuple(list.ptr()));
}

nb::object characters_tuple(const Reading& reading) {
    return tuple_of(reading.characters, [](const Character& c) {
        const std::span others(c.alternatives.data(),
                               static_cast<std::size_t>(c.alternative_count));
        const nb::object alternatives = tuple_of(others, [](const Alternative& other) {
            return named_tuple("Alternative", other.text, other.confidence);
        });
        return named_tuple("Character", c.text, c.confidence, c.first_step, c.last_step,
                           alternatives);
    });
}

nb::object item_of(nb::handle sequence, Py_ssize_t i, const char* name, Py_ssize_t size) {
    const std::string expected =
        std::string(name) + ": expected tuples of " + std::to_string(size) + " values, found ";
    if (!PyTuple_Check(sequence.ptr())) throw_type_error(expected + describe(sequence));
    const Py_ssize_t found = PyTuple_Size(sequence.ptr());
    if (found != size) throw_value_error(expected + "one of " + std::to_string(found));
    return nb::borrow(PyTuple_GetItem(sequence.ptr(), i));
}

// Any number: readings of other origin may bring what they like.
float any_float(nb::handle value, const char* name) {
    const double found = PyFloat_AsDouble(value.ptr());
    if (found == -1.0 && PyErr_Occurred() != nullptr) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError) == 0) expect_raised(PyExc_TypeError);
        PyErr_Clear();
        throw_type_error(std::string(name) + ": expected a number, found " + describe(value));
    }
    return static_cast<float>(found);
}

Character character_from(nb::handle value) {
    constexpr const char* kName = "characters";
    Character c;
    c.text = text(item_of(value, 0, kName, 5), kName);
    c.confidence = any_float(item_of(value, 1, kName, 5), kName);
    c.first_step = static_cast<int>(integer(item_of(value, 2, kName, 5), kName, 0, 1 << 20));
    c.last_step = static_cast<int>(integer(item_of(value, 3, kName, 5), kName, 0, 1 << 20));
    for (const nb::handle other : nb::iter(item_of(value, 4, kName, 5))) {
        if (c.alternative_count == static_cast<int>(c.alternatives.size())) break;
        Alternative& place = c.alternatives[static_cast<std::size_t>(c.alternative_count++)];
        place.text = text(item_of(other, 0, "alternatives", 2), "alternatives");
        place.confidence = any_float(item_of(other, 1, "alternatives", 2), "alternatives");
    }
    return c;
}

Candidate candidate_from(nb::handle value) {
    constexpr const char* kName = "candidates";
    return {text(item_of(value, 0, kName, 3), kName), any_float(item_of(value, 1, kName, 3), kName),
            static_cast<int>(integer(item_of(value, 2, kName, 3), kName, -1, 1 << 20))};
}

Reading make_reading(nb::object reading_text, nb::object confidence, nb::object reject_score,
                     nb::iterable characters, nb::iterable candidates) {
    Reading reading;
    reading.text = text(reading_text, "text");
    reading.confidence = any_float(confidence, "confidence");
    reading.reject_score = any_float(reject_score, "reject_score");
    for (const nb::handle value : characters) reading.characters.push_back(character_from(value));
    for (const nb::handle value : candidates) reading.candidates.push_back(candidate_from(value));
    return reading;
}

nb::object as_tuple(const Reading& reading) {
    return nb::make_tuple(reading.text, reading.confidence, reading.reject_score,
                          characters_tuple(reading), candidates_tuple(reading.candidates));
}

std::string repr(const Reading& reading) {
    char numbers[80];
    std::snprintf(numbers, sizeof numbers, ", confidence=%.4f, reject_score=%.4f)",
                  static_cast<double>(reading.confidence),
                  static_cast<double>(reading.reject_score));
    return "Reading(" + nb::cast<std::string>(nb::repr(nb::cast(reading.text))) + numbers;
}

}  // namespace

nb::object candidates_tuple(const std::vector<Candidate>& candidates) {
    return tuple_of(candidates, [](const Candidate& candidate) {
        return named_tuple("Candidate", candidate.text, candidate.confidence, candidate.format);
    });
}

void add_results(nb::module_& module) {
    nb::class_<Reading>(module, "Reading",
                        "What a recognizer tells about one picture. Immutable; equal readings have "
                        "equal parts.")
        .def(
            "__init__",
            [](Reading* self, nb::object text, nb::object confidence, nb::object reject_score,
               nb::iterable characters, nb::iterable candidates) {
                new (self) Reading(make_reading(std::move(text), std::move(confidence),
                                                std::move(reject_score), std::move(characters),
                                                std::move(candidates)));
            },
            nb::arg("text").none(), nb::arg("confidence").none(),
            nb::arg("reject_score").none() = 0.0, nb::arg("characters") = nb::make_tuple(),
            nb::arg("candidates").none() = nb::make_tuple(),
            nb::sig(
                "def __init__(self, text: str, confidence: float, reject_score: float = 0.0, "
                "characters: collections.abc.Iterable[lprnet._results.Character] = (), "
                "candidates: collections.abc.Iterable[lprnet._results.Candidate] = ()) -> None"),
            "A reading of another origin, for Vote. Any numbers are taken.")
        .def_prop_ro(
            "text", [](const Reading& r) { return r.text; },
            "The plate; empty if the network saw no character, or no text with a format fits.")
        .def_prop_ro(
            "confidence", [](const Reading& r) { return r.confidence; },
            "P(text | image), 0 to 1; with decode='grammar' P(text | image, it has a format).")
        .def_prop_ro(
            "reject_score", [](const Reading& r) { return r.reject_score; },
            "0 to 1, near 1 for pictures that show no plate. See Recognizer.reject_above.")
        .def_prop_ro("characters", &characters_tuple,
                     nb::sig("def characters(self) -> tuple[lprnet._results.Character, ...]"),
                     "Each character with its confidence, its steps and what else may stand there.")
        .def_prop_ro(
            "candidates", [](const Reading& r) { return candidates_tuple(r.candidates); },
            nb::sig("def candidates(self) -> tuple[lprnet._results.Candidate, ...]"),
            "The likeliest texts, best first; the first one is `text`.")
        .def("__repr__", &repr)
        .def("__str__", [](const Reading& r) { return r.text; })
        .def(
            "__eq__",
            [](const Reading& self, nb::handle other) -> nb::object {
                if (!nb::isinstance<Reading>(other)) return nb::borrow(Py_NotImplemented);
                return nb::cast(as_tuple(self).equal(as_tuple(nb::cast<const Reading&>(other))));
            },
            nb::sig("def __eq__(self, other: object, /) -> bool"))
        .def("__hash__", [](const Reading& r) { return nb::hash(as_tuple(r)); })
        .def(
            "__reduce__",
            [](nb::handle self) {
                return nb::make_tuple(self.type(), as_tuple(nb::cast<const Reading&>(self)));
            },
            nb::sig("def __reduce__(self) -> tuple"));
}

}  // namespace lprnet::python
