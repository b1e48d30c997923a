// One answer from several readings, and texts against a list of plates.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "engine/python/parts.h"
#include "lprnet/known_plates.h"
#include "lprnet/vote.h"

namespace lprnet::python {
namespace {

std::vector<std::string> texts_of(nb::handle plates) {
    constexpr const char* kExpected = "plates: expected a list of str, found ";
    if (PyUnicode_Check(plates.ptr()) || PyBytes_Check(plates.ptr()))
        throw_type_error(kExpected + describe(plates));
    PyObject* const iterator = PyObject_GetIter(plates.ptr());
    if (iterator == nullptr) {
        expect_raised(PyExc_TypeError);
        throw_type_error(kExpected + describe(plates));
    }
    std::vector<std::string> texts;
    for (const nb::handle plate : nb::steal<nb::iterator>(iterator))
        texts.push_back(text(plate, "plates"));
    return texts;
}

}  // namespace

void add_track(nb::module_& module) {
    constexpr long kMost = 1L << 30;
    nb::class_<Vote>(
        module, "Vote",
        "One answer from several readings of the same plate, as of a vehicle that is\n"
        "followed from frame to frame. Ask the recognizer for some candidates to make\n"
        "the most of each frame.")
        .def(nb::init<>())
        .def(
            "add",
            [](Vote& vote, nb::handle reading) {
                if (!nb::isinstance<Reading>(reading))
                    throw_type_error("reading: expected a Reading, found " + describe(reading));
                check(vote.add(nb::cast<const Reading&>(reading)));
            },
            nb::arg("reading").none(), nb::sig("def add(self, reading: Reading) -> None"),
            "One without text says nothing and is not counted.")
        .def(
            "answer",
            [](const Vote& vote, nb::object candidates) {
                const auto count =
                    static_cast<std::size_t>(integer(candidates, "candidates", 0, kMost));
                const Vote::Answer answer = take(vote.answer(count));
                return named_tuple("Answer", answer.text, answer.confidence, answer.margin,
                                   candidates_tuple(answer.candidates));
            },
            nb::arg("candidates").none() = 5,
            nb::sig("def answer(self, candidates: int = 5) -> lprnet._results.Answer"),
            "The likeliest text, its share among all texts (0 to 1), by how much it is ahead of\n"
            "the next, and up to so many texts, best first.")
        .def_prop_ro(
            "frames", [](const Vote& vote) { return vote.frames(); }, "Readings that were counted.")
        .def("clear", &Vote::clear, "For the next vehicle.");

    nb::class_<KnownPlates>(module, "KnownPlates",
                            "A list of plates that are expected, for texts to be compared with.\n"
                            "Immutable; safe to use from many threads.")
        .def(
            "__init__",
            [](KnownPlates* self, nb::object plates) { new (self) KnownPlates(texts_of(plates)); },
            nb::arg("plates").none(),
            nb::sig("def __init__(self, plates: collections.abc.Iterable[str]) -> None"))
        .def_prop_ro(
            "plates", [](const KnownPlates& known) { return known.plates(); },
            "The list, in order.")
        .def(
            "find",
            [](const KnownPlates& known, nb::object read, nb::object count,
               nb::object least_likelihood) {
                const std::string wanted = text(read, "text");
                const auto most = static_cast<std::size_t>(integer(count, "count", 0, kMost));
                const double least = number(least_likelihood, "least_likelihood", 0.0, 1.0);
                Result<std::vector<KnownPlates::Match>> found = [&] {
                    const nb::gil_scoped_release released;
                    return known.find(wanted, most, least);
                }();
                nb::list matches;
                for (const KnownPlates::Match& match : take(std::move(found)))
                    matches.append(named_tuple("Match", match.index, known.plates()[match.index],
                                               match.likelihood));
                return matches;
            },
            nb::arg("text").none(), nb::arg("count").none() = 1,
            nb::arg("least_likelihood").none() = 1e-3,
            nb::sig("def find(self, text: str, count: int = 1, least_likelihood: float = 1e-3) "
                    "-> list[lprnet._results.Match]"),
            "The best `count` plates with at least that likelihood (0 to 1), best first: 1 for an\n"
            "equal text, around 0.01 to 0.1 for a usual confusion such as D for 0.")
        .def("__len__", [](const KnownPlates& known) { return known.plates().size(); })
        .def(
            "__reduce__",
            [](const KnownPlates& known) {
                return nb::make_tuple(nb::type<KnownPlates>(), nb::make_tuple(known.plates()));
            },
            nb::sig("def __reduce__(self) -> tuple"));
}

}  // namespace lprnet::python
