#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "engine/model/builtin.h"
#include "engine/python/parts.h"
#include "engine/text/printable.h"
#include "weights/file_bytes.h"
#include "weights/text_file.h"
#include "weights/whole_file.h"

namespace lprnet::python {
namespace {

nb::bytes as_bytes(std::span<const std::byte> bytes) {
    return nb::bytes(bytes.data(), bytes.size());
}

std::string repr(const PythonModel& self) {
    const Model& model = self.model;
    return "<lprnet.Model " + nb::cast<std::string>(nb::repr(nb::cast(printable(model.name())))) +
           ": " + model.architecture() + ", " + model.precision() + ", " +
           std::to_string(model.parameters()) + " parameters, " +
           std::to_string(model.charset().size() - 1) + " characters>";
}

nb::object as_dict(const PythonModel& self) {
    const Model& model = self.model;
    nb::dict info;
    info["name"] = printable(model.name());
    info["source"] = model.source();
    info["architecture"] = model.architecture();
    info["precision"] = model.precision();
    info["parameters"] = model.parameters();
    info["classes"] = model.charset().size();
    info["steps"] = model.steps();
    info["input_width"] = model.input_width();
    info["input_height"] = model.input_height();
    info["input_channels"] = model.input_channels();
    info["temperature"] = model.temperature();
    return info;
}

}  // namespace

PythonModel PythonModel::of(nb::handle model, const std::string& precision) {
    if (model.is_none()) return builtin(precision);
    if (nb::isinstance<PythonModel>(model)) return nb::cast<const PythonModel&>(model);
    if (is_path(model)) return load(python::path(model, "model"));
    throw_type_error("model: expected None, a path or a Model, found " + describe(model));
}

PythonModel PythonModel::builtin(const std::string& precision) {
    return {take(Model::builtin(precision)), nullptr};
}

PythonModel PythonModel::load(const std::string& path) {
    // Far above any model of these layers.
    constexpr std::size_t kMostBytes = std::size_t{1} << 30;
    Result<PythonModel> loaded = [&]() -> Result<PythonModel> {
        const nb::gil_scoped_release released;
        Result<std::vector<std::byte>> file = weights::read_file(path, kMostBytes);
        if (!file) return file.error();
        Result<Model> read = Model::from_memory(*file, path);
        if (!read) return read.error();
        return PythonModel{std::move(*read),
                           std::make_shared<const std::vector<std::byte>>(std::move(*file))};
    }();
    return take(std::move(loaded));
}

PythonModel PythonModel::from_bytes(std::span<const std::byte> bytes, const std::string& label) {
    Model model = take(Model::from_memory(bytes, label));
    return {std::move(model),
            std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end())};
}

PythonPatterns PythonPatterns::parse(std::string text, const std::string& label) {
    Patterns patterns = take(Patterns::parse(text, printable(label)));
    return {std::move(patterns), std::move(text), label};
}

PythonPatterns PythonPatterns::load(const std::string& path) {
    return parse(take(weights::read_text_file(path, kMaxPatternBytes)), path);
}

PythonPatterns PythonPatterns::builtin(const std::string& name) {
    return {take(Patterns::builtin(name)), std::string(Patterns::builtin_text()), name};
}

void add_model(nb::module_& module) {
    nb::class_<PythonModel>(
        module, "Model",
        "A network with its weights, alphabet and preprocessing. Immutable; any number of\n"
        "recognizers and threads share one. Pickled with the bytes of its file.")
        .def_static(
            "load", [](nb::object file) { return PythonModel::load(path(file, "path")); },
            nb::arg("path").none(), nb::sig("def load(path: str | os.PathLike[str]) -> Model"),
            "Reads a .safetensors file as described in weights/FORMAT.md.\n\n"
            "NotFoundError (a FileNotFoundError) if it cannot be read; MalformedError or\n"
            "MismatchError (ValueErrors) name the first tensor or metadata key that does not fit.")
        .def_static(
            "from_bytes",
            [](nb::object data, nb::object label) {
                const std::shared_ptr<const Buffer> buffer = Buffer::of(data);
                if (!buffer || !buffer->is_uint8() || !buffer->is_contiguous())
                    throw_type_error("data: expected the bytes of a model file, found " +
                                     describe(data));
                return PythonModel::from_bytes(buffer->bytes(), text(label, "label"));
            },
            nb::arg("data").none(), nb::arg("label").none() = "model",
            nb::sig(
                "def from_bytes(data: typing_extensions.Buffer, label: str = 'model') -> Model"),
            "The same from the bytes of a file. `label` stands for the path in messages.")
        .def_static(
            "builtin",
            [](nb::object precision) { return PythonModel::builtin(text(precision, "precision")); },
            nb::arg("precision").none() = "fp32",
            nb::sig("def builtin(precision: str = 'fp32') -> Model"),
            "The model in this package: 'fp32', or 'int8', the same computed in integers.")
        .def_prop_ro(
            "name", [](const PythonModel& m) { return printable(m.model.name()); },
            "The path, the label, or 'builtin' ('builtin-int8').")
        .def_prop_ro(
            "source", [](const PythonModel& m) { return m.model.source(); },
            "Free text that tells where the weights come from.")
        .def_prop_ro(
            "architecture", [](const PythonModel& m) { return m.model.architecture(); },
            "Which network's layers it has: 'LPRNet'.")
        .def_prop_ro(
            "alphabet",
            [](const PythonModel& m) {
                std::vector<std::string> characters = m.model.charset();
                characters.erase(characters.begin() + m.model.blank());
                return characters;
            },
            "The characters it can read, in the order of its classes, without the blank.")
        .def_prop_ro(
            "charset", [](const PythonModel& m) { return m.model.charset(); },
            "The text of each class, the blank included.")
        .def_prop_ro(
            "blank", [](const PythonModel& m) { return m.model.blank(); },
            "Index of the CTC blank in `charset`.")
        .def_prop_ro(
            "precision", [](const PythonModel& m) { return std::string(m.model.precision()); },
            "'fp32', 'sparse' or 'int8'.")
        .def_prop_ro(
            "parameters", [](const PythonModel& m) { return m.model.parameters(); },
            "Number of weights.")
        .def_prop_ro(
            "steps", [](const PythonModel& m) { return m.model.steps(); },
            "Time steps of the output sequence, 18 for LPRNet.")
        .def_prop_ro(
            "temperature", [](const PythonModel& m) { return m.model.temperature(); },
            "By which logits are divided so that confidences are shares of plates read right.")
        .def("info", &as_dict, nb::sig("def info(self) -> dict[str, typing.Any]"),
             "All of this but the characters, with the size of the input in pixels, as a dict.")
        .def(
            "save",
            [](const PythonModel& m, nb::object file) {
                const std::string name = path(file, "path");
                const std::span<const std::byte> bytes =
                    m.bytes ? std::span<const std::byte>(*m.bytes)
                            : builtin_model_bytes(m.model.precision());
                check([&]() -> Status {
                    const nb::gil_scoped_release released;
                    if (Status s = weights::check_output_path(name); !s) return s;
                    return weights::write_whole_file(name, {&bytes, 1});
                }());
            },
            nb::arg("path").none(), nb::sig("def save(self, path: str | os.PathLike[str]) -> None"),
            "Writes its .safetensors file, whole or not at all; NotFoundError (a "
            "FileNotFoundError)\n"
            "where that cannot be.")
        .def("__repr__", &repr)
        .def(
            "__getstate__",
            [](const PythonModel& m) -> nb::object {
                if (m.bytes == nullptr) return nb::make_tuple(std::string(m.model.precision()));
                return nb::make_tuple(as_bytes(*m.bytes), printable(m.model.name()));
            },
            nb::sig("def __getstate__(self) -> tuple[typing.Any, ...]"))
        .def(
            "__setstate__",
            [](PythonModel& m, nb::tuple state) {
                if (nb::len(state) < 1 || nb::len(state) > 2)
                    throw_value_error("state: expected that of a Model");
                if (nb::len(state) == 1) {
                    new (&m) PythonModel(PythonModel::builtin(text(state[0], "precision")));
                    return;
                }
                const std::shared_ptr<const Buffer> buffer = Buffer::of(state[0]);
                if (buffer == nullptr)
                    throw_type_error("state: expected the bytes of a model file");
                new (&m)
                    PythonModel(PythonModel::from_bytes(buffer->bytes(), text(state[1], "label")));
            },
            nb::sig("def __setstate__(self, state: tuple[typing.Any, ...], /) -> None"));

    nb::class_<PythonPatterns>(
        module, "Patterns",
        "What the texts of plates look like: formats with priors, in a small language that the\n"
        "README describes. Immutable; pickled as its text.")
        .def_static(
            "parse",
            [](nb::object written, nb::object label) {
                return PythonPatterns::parse(text(written, "text"), text(label, "label"));
            },
            nb::arg("text").none(), nb::arg("label").none() = "patterns",
            nb::sig("def parse(text: str, label: str = 'patterns') -> Patterns"),
            "MalformedError (a ValueError) says 'label:line:column: what is wrong', counted from "
            "1\n"
            "in characters.")
        .def_static(
            "load", [](nb::object file) { return PythonPatterns::load(path(file, "path")); },
            nb::arg("path").none(), nb::sig("def load(path: str | os.PathLike[str]) -> Patterns"),
            "The same from a file of UTF-8 text of at most 64 KiB.")
        .def_static(
            "builtin", [](nb::object name) { return PythonPatterns::builtin(text(name, "name")); },
            nb::arg("name").none() = "cn", nb::sig("def builtin(name: str = 'cn') -> Patterns"),
            "Chinese plates: 'cn', the one set there is.")
        .def_prop_ro(
            "text", [](const PythonPatterns& p) { return p.text; }, "As it was parsed.")
        .def_prop_ro(
            "formats",
            [](const PythonPatterns& p) {
                nb::list formats;
                for (const Patterns::Format& format : p.patterns.formats())
                    formats.append(named_tuple("Format", format.name, format.prior));
                return nb::steal(PySequence_Tuple(formats.ptr()));
            },
            nb::sig("def formats(self) -> tuple[lprnet._results.Format, ...]"),
            "Name and prior of each, in the order of the text; Candidate.format is an index in it.")
        .def(
            "writable",
            [](const PythonPatterns& p, const PythonModel& m) {
                return take(p.patterns.writable(m.model));
            },
            nb::arg("model"),
            "For each format whether the model has the characters to write any text of it.")
        .def("__repr__",
             [](const PythonPatterns& p) {
                 return "<lprnet.Patterns " +
                        nb::cast<std::string>(nb::repr(nb::cast(printable(p.label)))) + ": " +
                        std::to_string(p.patterns.formats().size()) + " formats>";
             })
        .def(
            "__getstate__",
            [](const PythonPatterns& p) { return nb::make_tuple(p.text, printable(p.label)); },
            nb::sig("def __getstate__(self) -> tuple[str, str]"))
        .def(
            "__setstate__",
            [](PythonPatterns& p, nb::tuple state) {
                if (nb::len(state) != 2) throw_value_error("state: expected that of Patterns");
                new (&p) PythonPatterns(
                    PythonPatterns::parse(text(state[0], "text"), text(state[1], "label")));
            },
            nb::sig("def __setstate__(self, state: tuple[str, str], /) -> None"));
}

}  // namespace lprnet::python
