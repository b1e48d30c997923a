// What judges networks and makes them smaller, as the program's verbs do it: verify, selftest,
// doctor, quantize, prune, and the scores of evaluate(), which lprnet/_evaluate.py reads for.
#include <nanobind/stl/string.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/compress/prune.h"
#include "engine/compress/quantize.h"
#include "engine/measure/diagnose.h"
#include "engine/measure/network_layers.h"
#include "engine/measure/quantization.h"
#include "engine/measure/score.h"
#include "engine/measure/selftest.h"
#include "engine/measure/smaller_model.h"
#include "engine/measure/verify.h"
#include "engine/model/model_data.h"
#include "engine/model/model_file.h"
#include "engine/python/parts.h"
#include "engine/python/source.h"
#include "engine/run/choose_table.h"
#include "lprnet/recognizer.h"

namespace lprnet::python {
namespace {

using Clock = std::chrono::steady_clock;
using weights::SafetensorsFile;

// Calls `progress(done, parts)` if that is not None, and looks whether a signal is to end the work,
// both at most every hundredth of a second but for the last call. The exception that stopped the
// work is set then. The work itself runs without the interpreter's lock.
class PythonProgress final : public measure::Progress {
public:
    explicit PythonProgress(nb::handle callback) : callback_(callback) {
        if (!callback.is_none() && PyCallable_Check(callback.ptr()) == 0)
            throw_type_error("progress: expected None or a function, found " + describe(callback));
    }
    void begin(std::size_t parts) override { parts_ = parts; }
    bool advance(std::size_t parts) override {
        done_ += parts;
        const Clock::time_point now = Clock::now();
        if (done_ < parts_ && now - looked_ < std::chrono::milliseconds(10)) return true;
        looked_ = now;
        const nb::gil_scoped_acquire acquired;
        if (PyErr_CheckSignals() != 0) return false;
        if (callback_.is_none()) return true;
        PyObject* const answer =
            PyObject_CallFunction(callback_.ptr(), "nn", static_cast<Py_ssize_t>(done_),
                                  static_cast<Py_ssize_t>(std::max(done_, parts_)));
        Py_XDECREF(answer);
        return answer != nullptr;
    }

private:
    nb::handle callback_;
    std::size_t done_ = 0, parts_ = 0;
    Clock::time_point looked_ = Clock::now();
};

// What `work` returns, run without the interpreter's lock; its error as an exception, and one that
// is set before that.
template <class Work>
auto unlocked(Work work) {
    auto result = [&] {
        const nb::gil_scoped_release released;
        return work();
    }();
    if (PyErr_Occurred() != nullptr) throw nb::python_error();
    return take(std::move(result));
}

// The file of a model, which has to outlive it.
Result<SafetensorsFile> file_of(const PythonModel& model) {
    if (model.bytes == nullptr) return open_model_file("", model.model);
    return SafetensorsFile::from_memory(*model.bytes, model.model.name());
}

template <class Items, class Function>
nb::object tuple_of(const Items& items, Function function) {
    nb::list list;
    for (const auto& item : items) list.append(function(item));
    return nb::steal(PySequence_Tuple(list.ptr()));
}

nb::object optional_text(const std::string& text) {
    return text.empty() ? nb::object(nb::none()) : nb::object(nb::str(text.c_str(), text.size()));
}

// --- Pictures ---------------------------------------------------------------------------------

// Pictures that tools use, and what became of those that cannot be.
class Pictures {
public:
    // `take(index, item)` makes a Source of an item of an iterable, or throws.
    template <class Take>
    Pictures(nb::handle items, const char* name, const char* expected, Take take) {
        const bool is_word = is_path(items) || PyBytes_Check(items.ptr());
        PyObject* const iterator = is_word ? nullptr : PyObject_GetIter(items.ptr());
        if (iterator == nullptr) {
            if (!is_word) expect_raised(PyExc_TypeError);
            throw_type_error(std::string(name) + ": expected " + expected + ", found " +
                             describe(items));
        }
        for (const nb::handle item : nb::steal<nb::iterator>(iterator)) {
            try {
                sources_.emplace_back(take(item));
            } catch (nb::python_error& error) {
                if (!error.matches(PyExc_TypeError) && !error.matches(PyExc_ValueError)) throw;
                fail(sources_.size(), caught(error));
                sources_.emplace_back();
            }
        }
    }

    // `use(index, view)` of every picture, in order. Errors of `use` are the picture's, too.
    // Without the interpreter's lock, until it returns.
    template <class Use>
    void for_each(Use use, PythonProgress& progress) {
        std::vector<std::pair<std::size_t, Error>> errors;
        unlocked([&]() -> Result<bool> {
            for (std::size_t i = 0; i < sources_.size(); ++i) {
                if (!progress.advance(0)) return measure::stopped();
                if (!sources_[i]) continue;
                Result<Opened> opened = sources_[i]->open();
                Status status = opened ? Status() : Status(opened.error());
                if (status) {
                    status = use(i, std::move(*opened));
                    if (!status) status = sources_[i]->named(status.error());
                }
                if (!status) errors.emplace_back(i, status.error());
            }
            return true;
        });
        for (const auto& [i, error] : errors) fail(i, exception_of(error));
        std::stable_sort(failures_.begin(), failures_.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
    }

    nb::object failures() const {
        return tuple_of(failures_, [](const auto& failure) {
            return named_tuple("Failure", failure.first, failure.second);
        });
    }
    // Raises the first failure, of what has to have at least one picture.
    void expect_some(std::size_t used, const char* name) const {
        if (used > 0) return;
        if (failures_.empty()) throw_value_error(std::string(name) + ": expected some, found none");
        const nb::object first = failures_.front().second;
        PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(first.ptr())), first.ptr());
        throw nb::python_error();
    }

private:
    void fail(std::size_t index, nb::object error) {
        failures_.emplace_back(index, std::move(error));
    }

    std::vector<std::optional<Source>> sources_;
    std::vector<std::pair<std::size_t, nb::object>> failures_;
};

// --- The tools --------------------------------------------------------------------------------

nb::object verify(nb::handle dump, nb::handle model, nb::handle isa, nb::handle min_cosine,
                  nb::handle progress) {
    const std::string file = path(dump, "dump");
    const PythonModel of = PythonModel::of(model);
    RecognizerOptions options;
    options.isa = text(isa, "isa");
    const double least = number(min_cosine, "min_cosine", -1.0, 1.0);
    PythonProgress shown(progress);
    std::string used;
    const measure::Verification found = unlocked([&]() -> Result<measure::Verification> {
        Result<Recognizer> recognizer = Recognizer::create(of.model, options);
        if (!recognizer) return recognizer.error();
        used = recognizer->isa();
        const Result<measure::DumpFile> dumped = measure::DumpFile::open(file);
        if (!dumped) return dumped.error();
        measure::NetworkLayers layers(recognizer->network(), of.model);
        return measure::verify(*dumped, of.model, layers, least, shown);
    });
    const nb::object layers = tuple_of(found.layers, [](const measure::VerifiedLayer& layer) {
        const measure::Difference& difference = layer.difference;
        return named_tuple("VerifiedLayer", layer.name, difference.max_abs, difference.rel_l2(),
                           difference.cosine(), layer.ok);
    });
    const nb::object fused = tuple_of(found.fused, optional_text);
    return named_tuple("Verification", found.ok(), optional_text(found.first_bad), layers, fused,
                       found.texts_equal(), found.images, used);
}

nb::object selftest(nb::handle model, nb::handle progress) {
    std::vector<PythonModel> models = {PythonModel::of(model)};
    if (model.is_none()) models.push_back(PythonModel::of(model, "int8"));
    nb::list checks;
    for (const PythonModel& of : models) {
        PythonProgress shown(progress);
        const auto found = unlocked([&]() -> Result<std::vector<measure::TableCheck>> {
            const Result<SafetensorsFile> file = file_of(of);
            if (!file) return file.error();
            return measure::selftest(of.model, file->metadata(), shown);
        });
        for (const measure::TableCheck& check : found)
            checks.append(named_tuple("TableCheck", check.model, check.precision, check.isa,
                                      check.error, optional_text(check.fingerprint), check.wrong));
    }
    return checks;
}

nb::object doctor(nb::handle plates, nb::handle model, nb::handle isa, nb::handle progress) {
    const PythonModel of = PythonModel::of(model);
    RecognizerOptions options;
    options.isa = text(isa, "isa");
    PythonProgress shown(progress);
    std::vector<std::string> texts;
    Pictures pictures(plates, "plates", "a list of pairs (picture, text)", [&](nb::handle item) {
        texts.emplace_back();
        if (!PySequence_Check(item.ptr()) || PyUnicode_Check(item.ptr()) ||
            PySequence_Size(item.ptr()) != 2) {
            PyErr_Clear();
            throw_type_error("plates: expected pairs (picture, text), found " + describe(item));
        }
        texts.back() = text(item[1], "plates");
        if (const auto classes = measure::classes_of(of.model, texts.back()); !classes)
            throw_error(classes.error());
        return Source::of(item[0], {});
    });
    std::vector<Opened> opened;
    std::vector<std::string> shown_texts;
    pictures.for_each(
        [&](std::size_t i, Opened picture) -> Status {
            opened.push_back(std::move(picture));
            shown_texts.push_back(texts[i]);
            return {};
        },
        shown);
    pictures.expect_some(opened.size(), "plates");
    std::vector<measure::LabelledPlate> views;
    for (std::size_t i = 0; i < opened.size(); ++i)
        views.push_back({opened[i].view(), shown_texts[i]});
    const measure::Diagnosis found = unlocked([&]() -> Result<measure::Diagnosis> {
        Result<Recognizer> recognizer = Recognizer::create(of.model, options);
        if (!recognizer) return recognizer.error();
        return measure::diagnose(of.model, *recognizer, views, shown);
    });
    const nb::object settings = tuple_of(found.settings, [&](const measure::Setting& s) {
        return named_tuple("Setting", name_of(s.preprocess.order), s.scale, name_of(s.resize),
                           s.right, s.edits, s.likelihood(), as_good(s, found.best()), s.is_file);
    });
    return named_tuple("Diagnosis", found.file_fits(), found.verdict(), found.plates,
                       found.characters, settings, pictures.failures());
}

LayerNames names_of(nb::handle layers, const char* name) {
    LayerNames names;
    if (PyUnicode_Check(layers.ptr()))
        throw_type_error(std::string(name) + ": expected a list of layers, found " +
                         describe(layers));
    for (const nb::handle layer : nb::iter(layers)) names.insert(text(layer, name));
    return names;
}

PythonModel as_python(measure::SmallerModel made) {
    return {std::move(made.model),
            std::make_shared<const std::vector<std::byte>>(std::move(made.bytes))};
}

// Everything that quantize() computes without the interpreter's lock.
struct Quantized {
    measure::SmallerModel made;
    measure::QuantizationReport report;
    std::size_t bytes_before;
};

Result<Quantized> quantize_model(const PythonModel& of, Recognizer& before,
                                 const QuantizeMethod& method, bool weights_only, bool damage,
                                 const measure::Inputs& inputs, const std::string& note,
                                 const std::string& label, PythonProgress& progress) {
    const Result<SafetensorsFile> file = file_of(of);
    if (!file) return file.error();
    const Result<QuantizedModel> quantized =
        weights_only ? quantize_weights(*file, of.model.data(), method.keep_float)
                     : lprnet::quantize(of.model.data(), inputs, method);
    if (!quantized) return quantized.error();
    Result<measure::SmallerModel> made = measure::quantized_model(
        *file, *quantized, note, label, weights_only ? nullptr : method.table);
    if (!made) return made.error();
    Result<Recognizer> after = Recognizer::create(made->model);
    if (!after) return after.error();
    Result<measure::QuantizationReport> report =
        measure::compare_networks(before, *after, quantized->layers, inputs, progress);
    if (!report) return report.error();
    if (damage && !weights_only) {
        if (Status s = measure::add_damage(of.model, made->model, inputs, *method.table, *report);
            !s)
            return s.error();
    }
    return Quantized{std::move(*made), std::move(*report), file_bytes(*file)};
}

nb::object quantize(nb::handle pictures, nb::handle model, nb::handle method, bool plain,
                    nb::handle zero_below, nb::handle keep_float, bool damage, nb::handle label,
                    nb::handle progress) {
    const PythonModel of = PythonModel::of(model);
    const bool weights_only = pictures.is_none();
    QuantizeMethod how;
    how.clip = chosen(method, "method", kClipMethods).method;
    how.equalise = how.reconstruct = !plain;
    how.zero_below = number(zero_below, "zero_below", 0.0, 1.0);
    how.keep_float = names_of(keep_float, "keep_float");
    how.table = take(table_for(""));
    const std::string name = text(label, "label");
    PythonProgress shown(progress);
    Recognizer before = unlocked([&] { return Recognizer::create(of.model); });
    measure::Inputs inputs;
    nb::object failures = nb::make_tuple();
    if (!weights_only) {
        Pictures calibration(pictures, "pictures", "None or a list of pictures",
                             [](nb::handle picture) { return Source::of(picture, {}); });
        calibration.for_each(
            [&](std::size_t, const Opened& picture) -> Status {
                if (Status s = before.set_image(picture.view()); !s) return s;
                inputs.emplace_back(before.input().begin(), before.input().end());
                return {};
            },
            shown);
        calibration.expect_some(inputs.size(), "pictures");
        failures = calibration.failures();
    }
    const std::string note =
        weights_only ? measure::note_of_weights_only(how.keep_float) : measure::note_of(how);
    Quantized found = unlocked([&] {
        return quantize_model(of, before, how, weights_only, damage, inputs, note, name, shown);
    });
    const bool has_damage = found.report.has_damage;
    const auto if_asked = [&](double value) {
        return has_damage ? nb::object(nb::float_(value)) : nb::object(nb::none());
    };
    const nb::object layers = tuple_of(found.report.layers, [&](const measure::LayerChange& l) {
        return named_tuple("QuantizedLayer", l.layer.name, l.type,
                           l.layer.keeps_float ? "float32" : "int8", l.kernel, l.layer.largest,
                           l.layer.clip, l.cosine(), l.relative_error(), if_asked(l.alone),
                           if_asked(l.without), if_asked(l.share));
    });
    const std::size_t bytes_after = found.made.bytes.size();
    return named_tuple("Quantization", nb::cast(as_python(std::move(found.made))), note,
                       found.report.images, found.report.texts_changed, layers,
                       if_asked(found.report.damage), found.bytes_before, bytes_after, failures);
}

nb::object prune(nb::handle amount, nb::handle model, nb::handle layers, nb::handle whole,
                 bool over_all, nb::handle label) {
    struct Whole {
        std::string_view name;
        PruneUnit unit;
    };
    static constexpr Whole kWholes[] = {{"weights", PruneUnit::weights},
                                        {"groups", PruneUnit::groups}};
    const PythonModel of = PythonModel::of(model);
    PruneOptions options;
    options.amount = number(amount, "amount", 0.0, 1.0);
    options.global = over_all;
    options.unit = chosen(whole, "whole", kWholes).unit;
    if (!PyDict_Check(layers.ptr()))
        throw_type_error("layers: expected a dict of shares by layer, found " + describe(layers));
    for (const auto [name, share] : nb::borrow<nb::dict>(layers))
        options.layer_amounts[text(name, "layers")] = number(share, "layers", 0.0, 1.0);
    const std::string name = text(label, "label");
    struct Pruned {
        measure::SmallerModel made;
        std::vector<PrunedLayer> layers;
        std::size_t bytes_before;
    };
    Pruned found = unlocked([&]() -> Result<Pruned> {
        const Result<SafetensorsFile> file = file_of(of);
        if (!file) return file.error();
        Graph graph = of.model.data().graph;
        Result<std::vector<PrunedLayer>> pruned = lprnet::prune(graph, options);
        if (!pruned)
            return Error{pruned.error().code, of.model.name() + ": " + pruned.error().message};
        Result<measure::SmallerModel> made =
            measure::pruned_model(*file, graph, measure::note_of(options), name);
        if (!made) return made.error();
        return Pruned{std::move(*made), std::move(*pruned), file_bytes(*file)};
    });
    std::vector<std::size_t> stored;
    for (const Node& node : found.made.model.data().graph.nodes)
        if (node.op == Op::conv2d) stored.push_back(node.stored_bytes);
    std::size_t next = 0;
    const nb::object rows = tuple_of(found.layers, [&](const PrunedLayer& layer) {
        return named_tuple("PrunedLayer", layer.name, layer.weights, layer.zeros,
                           layer.zero_share(), layer.l1_share(), layer.l2_share(), stored[next++]);
    });
    const std::size_t bytes_after = found.made.bytes.size();
    return named_tuple("Pruning", nb::cast(as_python(std::move(found.made))), rows,
                       found.bytes_before, bytes_after);
}

nb::object score_tuple(const measure::Score& score) {
    return named_tuple("Score", score.plates, score.correct, score.accuracy(),
                       score.char_accuracy(), score.first_accuracy());
}

// Readings of pictures with what they show: rows (text, set, reading).
nb::object score(nb::handle decode, nb::list rows, nb::handle errors) {
    measure::Evaluation found;
    found.decoder = chosen(decode, "decode", kDecoders).decoder;
    for (const nb::handle row : rows)
        found.add(text(row[0], "text"), text(row[1], "set"), nb::cast<const Reading&>(row[2]));
    const nb::object bins =
        tuple_of(found.reliability.bins(), [](const measure::Reliability::Bin& bin) {
            const auto plates = static_cast<double>(std::max<std::size_t>(bin.plates, 1));
            return named_tuple("Bin", bin.plates, bin.confidence / plates,
                               static_cast<double>(bin.correct) / plates);
        });
    nb::dict sets, lengths;
    for (const auto& [set, of] : found.by_set) sets[nb::str(set.c_str())] = score_tuple(of);
    for (const auto& [length, of] : found.by_length) lengths[nb::int_(length)] = score_tuple(of);
    const nb::object confusions = tuple_of(found.most_confused(), [](const measure::Confusion& c) {
        return named_tuple("Confusion", c.expected, c.found, c.count);
    });
    return named_tuple("Evaluation", score_tuple(found.all), nb::borrow(decode),
                       found.reliability.expected_error(), found.reliability.mean_confidence(),
                       found.rejected, bins, sets, lengths, confusions, nb::borrow(errors));
}

}  // namespace

void add_tools(nb::module_& module) {
    module.def(
        "verify", &verify, nb::arg("dump").none(), nb::arg("model").none() = nb::none(),
        nb::kw_only(), nb::arg("isa").none() = "",
        nb::arg("min_cosine").none() = measure::kMinCosine, nb::arg("progress").none() = nb::none(),
        nb::sig("def verify(dump: str | os.PathLike[str], "
                "model: Model | str | os.PathLike[str] | None = None, *, isa: str = '', "
                "min_cosine: float = 0.999999, "
                "progress: collections.abc.Callable[[int, int], object] | None = None) "
                "-> lprnet._results.Verification"),
        "Compares every layer with a dump of PyTorch, which scripts/dump_reference.py writes.\n\n"
        "min_cosine: what a layer has to have, -1 to 1. progress: called with parts done and in "
        "all;\n"
        "an exception that it raises, or KeyboardInterrupt, stops the work. MismatchError (a\n"
        "ValueError) if the dump is of another network, NotFoundError if it cannot be read.");
    module.def(
        "selftest", &selftest, nb::arg("model").none() = nb::none(), nb::kw_only(),
        nb::arg("progress").none() = nb::none(),
        nb::sig("def selftest(model: Model | str | os.PathLike[str] | None = None, *, "
                "progress: collections.abc.Callable[[int, int], object] | None = None) "
                "-> list[lprnet._results.TableCheck]"),
        "Compares every kernel table of this CPU with plain loops. model: None for those built\n"
        "in, in both precisions. progress: as for verify().");
    module.def(
        "doctor", &doctor, nb::arg("plates").none(), nb::arg("model").none() = nb::none(),
        nb::kw_only(), nb::arg("isa").none() = "", nb::arg("progress").none() = nb::none(),
        nb::sig("def doctor(plates: collections.abc.Iterable[tuple[typing.Any, str]], "
                "model: Model | str | os.PathLike[str] | None = None, *, isa: str = '', "
                "progress: collections.abc.Callable[[int, int], object] | None = None) "
                "-> lprnet._results.Diagnosis"),
        "Finds out which pixels a model expects: channel order, scale and resize.\n\n"
        "plates: pairs of a picture, as Recognizer.read() takes it, and its text; a dozen will "
        "do.\n"
        "Those that cannot be used are in `errors` of the answer; if none can, the first error is\n"
        "raised. `ok` is false if the model's file says something else than fits best.\n"
        "progress: as for verify().");
    module.def(
        "quantize", &quantize, nb::arg("pictures").none(), nb::arg("model").none() = nb::none(),
        nb::kw_only(), nb::arg("method").none() = "mse", nb::arg("plain") = false,
        nb::arg("zero_below").none() = 0.0, nb::arg("keep_float").none() = nb::make_tuple(),
        nb::arg("damage") = false, nb::arg("label").none() = "quantized",
        nb::arg("progress").none() = nb::none(),
        nb::sig("def quantize(pictures: collections.abc.Iterable[typing.Any] | None, "
                "model: Model | str | os.PathLike[str] | None = None, *, "
                "method: typing.Literal['max', 'percentile', 'mse', 'kl', 'search'] = 'mse', "
                "plain: bool = False, zero_below: float = 0.0, "
                "keep_float: collections.abc.Iterable[str] = (), damage: bool = False, "
                "label: str = 'quantized', "
                "progress: collections.abc.Callable[[int, int], object] | None = None) "
                "-> lprnet._results.Quantization"),
        "Makes a model that is computed in int8; Model.save() writes it.\n\n"
        "pictures: some hundreds like those to be read, as Recognizer.read() takes them; None: "
        "weights\n"
        "of a byte alone, computed in float32. Those that cannot be read are in `errors`; if none\n"
        "can, the first error is raised.\n"
        "method: where activations saturate. plain: without what makes it good, as a baseline.\n"
        "zero_below: weights below this share (0 to 1) of the largest of their output channel "
        "become\n"
        "zero. keep_float: layers whose weights stay float32. damage: also what each layer does "
        "to\n"
        "the logits, in seconds. label: the new model's name. progress: as for verify(), while\n"
        "networks are compared; the seconds of quantizing itself cannot be stopped.\n"
        "UnsupportedError (a ValueError) for a model that is quantized already.");
    module.def(
        "prune", &prune, nb::arg("amount").none() = 0.0, nb::arg("model").none() = nb::none(),
        nb::kw_only(), nb::arg("layers").none() = nb::dict(), nb::arg("whole").none() = "weights",
        nb::arg("over_all") = false, nb::arg("label").none() = "pruned",
        nb::sig("def prune(amount: float = 0.0, "
                "model: Model | str | os.PathLike[str] | None = None, *, "
                "layers: dict[str, float] = {}, "
                "whole: typing.Literal['weights', 'groups'] = 'weights', "
                "over_all: bool = False, label: str = 'pruned') -> lprnet._results.Pruning"),
        "Makes a model whose smallest weights are zero; Model.save() writes it.\n\n"
        "amount: share that becomes zero, 0 to 1, of each layer or, with over_all, of all "
        "together.\n"
        "layers: layers with a share of their own, by PyTorch module path; 0 leaves one as it is.\n"
        "whole: single weights, or groups of one input channel x 16 output channels. label: the "
        "new\n"
        "model's name. InvalidArgumentError for a layer that is not there, UnsupportedError for a\n"
        "quantized model (ValueErrors).");
    module.def("_score", &score, nb::arg("decode"), nb::arg("rows"), nb::arg("errors"),
               nb::sig("def _score(decode: str, rows: list[tuple[str, str, Reading]], "
                       "errors: tuple[lprnet._results.Failure, ...]) "
                       "-> lprnet._results.Evaluation"));
}

}  // namespace lprnet::python
