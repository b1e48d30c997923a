#include "lprnet/recognizer.h"

#include <nanobind/stl/string.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "engine/python/parts.h"
#include "engine/python/pool.h"
#include "engine/python/source.h"

namespace lprnet::python {
namespace {

using Clock = std::chrono::steady_clock;

// How often the thread that called looks whether it is to stop: a tenth of what people notice.
constexpr std::chrono::milliseconds kSignalsEvery(10);

class PythonRecognizer {
public:
    PythonRecognizer(nb::handle model, nb::handle precision, nb::handle isa, nb::handle threads,
                     nb::handle intra, nb::handle decode, nb::handle patterns,
                     nb::handle candidates, nb::handle temperature, nb::handle provinces);
    PythonRecognizer(const PythonRecognizer&) = delete;
    PythonRecognizer& operator=(const PythonRecognizer&) = delete;
    ~PythonRecognizer() { close(); }

    // Throws for one that is closed.
    const std::shared_ptr<Pool>& pool();
    void close() noexcept;
    bool is_closed() const noexcept { return pool_ == nullptr; }

    const PythonModel& model() const noexcept { return model_; }
    const std::optional<PythonPatterns>& patterns() const noexcept { return patterns_; }
    const RecognizerOptions& options() const noexcept { return options_; }
    int threads() const noexcept { return threads_; }
    std::string decode() const { return std::string(traits_of(options_.decoding.decoder).name); }

private:
    PythonModel model_;
    std::optional<PythonPatterns> patterns_;
    RecognizerOptions options_;
    int threads_;
    std::shared_ptr<Pool> pool_;
    unsigned generation_ = 0;
};

PythonModel model_of(nb::handle model, nb::handle precision) {
    struct Precision {
        std::string_view name;
    };
    static constexpr Precision kPrecisions[] = {{"fp32"}, {"int8"}};
    std::string wanted;
    if (!precision.is_none()) wanted = chosen(precision, "precision", kPrecisions).name;
    PythonModel found = PythonModel::of(model, wanted.empty() ? "fp32" : wanted);
    // A file without zeros is fp32, too.
    const std::string has = std::string(found.model.precision()) == "int8" ? "int8" : "fp32";
    if (!wanted.empty() && wanted != has)
        throw_value_error("precision: expected '" + has +
                          "', which the model is computed in, found '" + wanted + "'");
    return found;
}

std::optional<PythonPatterns> patterns_of(nb::handle patterns) {
    if (patterns.is_none()) return std::nullopt;
    if (nb::isinstance<PythonPatterns>(patterns)) return nb::cast<const PythonPatterns&>(patterns);
    if (!is_path(patterns))
        throw_type_error("patterns: expected None, Patterns, 'cn' or a path, found " +
                         describe(patterns));
    const std::string name = path(patterns, "patterns");
    return name == "cn" ? PythonPatterns::builtin(name) : PythonPatterns::load(name);
}

DecodeOptions decoding_of(nb::handle decode, const std::optional<PythonPatterns>& patterns,
                          nb::handle candidates, nb::handle temperature, nb::handle provinces) {
    DecodeOptions options;
    options.candidates = static_cast<int>(integer(candidates, "candidates", 1, kMaxCandidates));
    options.provinces = text(provinces, "provinces");
    // As the program chooses.
    if (!decode.is_none()) {
        options.decoder = chosen(decode, "decode", kDecoders).decoder;
    } else if (patterns || !options.provinces.empty()) {
        options.decoder = Decoder::grammar;
    } else if (options.candidates > 1) {
        options.decoder = Decoder::beam;
    }
    if (traits_of(options.decoder).one_candidate && options.candidates > 1)
        throw_value_error("candidates: expected 1, the greedy decoder's, found " +
                          describe(candidates));
    if (patterns) options.patterns = patterns->patterns;
    if (!temperature.is_none())
        options.temperature =
            number(temperature, "temperature", kLeastTemperature, kMostTemperature);
    return options;
}

PythonRecognizer::PythonRecognizer(nb::handle model, nb::handle precision, nb::handle isa,
                                   nb::handle threads, nb::handle intra, nb::handle decode,
                                   nb::handle patterns, nb::handle candidates,
                                   nb::handle temperature, nb::handle provinces)
    : model_(model_of(model, precision)),
      patterns_(patterns_of(patterns)),
      threads_(static_cast<int>(integer(threads, "threads", 1, kMaxThreads))) {
    options_.isa = text(isa, "isa");
    options_.threads = static_cast<int>(integer(intra, "intra", 1, kMaxThreads));
    options_.decoding = decoding_of(decode, patterns_, candidates, temperature, provinces);
    generation_ = fork_generation();
    pool_ = take(Pool::create(model_.model, options_));
}

const std::shared_ptr<Pool>& PythonRecognizer::pool() {
    if (is_closed()) throw_value_error("Recognizer: expected an open one, found it closed");
    if (generation_ != fork_generation()) {
        std::shared_ptr<Pool> own = take(Pool::create(model_.model, options_));
        close();
        pool_ = std::move(own);
        generation_ = fork_generation();
    }
    return pool_;
}

void PythonRecognizer::close() noexcept {
    if (pool_ != nullptr && generation_ != fork_generation()) {
        // Not destroyed: that would wait for threads of the parent's.
        alignas(std::shared_ptr<Pool>) std::byte forever[sizeof(std::shared_ptr<Pool>)];
        new (forever) std::shared_ptr<Pool>(std::move(pool_));
    }
    pool_.reset();
}

// A picture of a batch and what became of it.
struct Item {
    std::optional<Source> source;
    nb::object refusal{};  // the exception of what is no picture by its type or shape
    Reading reading{};
    Status status{};
};

std::vector<Item> items_of(nb::handle images, const Form& form) {
    std::vector<Item> items;
    if (const bool is_word = is_path(images) || PyBytes_Check(images.ptr()); !is_word) {
        if (Buffer::of(images)) {
            for (Source& source : Source::of_stack(images, form))
                items.push_back({std::move(source)});
            return items;
        }
        if (PyObject* const iterator = PyObject_GetIter(images.ptr())) {
            for (const nb::handle image : nb::steal<nb::iterator>(iterator)) {
                try {
                    items.push_back({Source::of(image, form)});
                } catch (nb::python_error& error) {
                    if (!error.matches(PyExc_TypeError) && !error.matches(PyExc_ValueError)) throw;
                    items.push_back({std::nullopt, caught(error)});
                }
            }
            return items;
        }
        expect_raised(PyExc_TypeError);
    }
    throw_type_error(
        "images: expected a list of pictures, or a uint8 array of shape (count, height, width, 3), "
        "found " +
        describe(images));
}

// Reads all items that have a source; false if a signal's handler raised an exception, which is
// set then. Called with the interpreter's lock, works without it.
bool read_all(const std::shared_ptr<Pool>& pool, int threads, const Place& place,
              std::vector<Item>& items) {
    std::atomic<std::size_t> next{0};
    std::atomic<bool> stopped{false};
    // Between two pictures `go_on` is asked.
    const auto work = [&](Recognizer& recognizer, auto go_on) noexcept {
        while (go_on()) {
            const std::size_t i = next.fetch_add(1, std::memory_order_relaxed);
            if (i >= items.size()) return;
            Item& item = items[i];
            if (item.source) item.status = item.source->read(recognizer, place, item.reading);
        }
    };
    const auto work_beside = [&]() noexcept {
        Result<Pool::Loan> loan = Pool::borrow(pool);
        if (!loan) return;  // the others do its share
        work(**loan, [&] { return !stopped.load(std::memory_order_relaxed); });
    };

    const nb::gil_scoped_release released;
    Result<Pool::Loan> loan = Pool::borrow(pool);
    if (!loan) {
        const nb::gil_scoped_acquire acquired;
        throw_error(loan.error());
    }
    std::vector<std::jthread> others;
    try {
        const std::size_t most = std::min(static_cast<std::size_t>(threads), items.size());
        for (std::size_t i = 1; i < most; ++i) others.emplace_back(work_beside);
    } catch (const std::system_error&) {
        // as many as the system starts
    } catch (const std::bad_alloc&) {
    }
    Clock::time_point looked = Clock::now();
    work(**loan, [&] {
        if (const Clock::time_point now = Clock::now(); now - looked >= kSignalsEvery) {
            const nb::gil_scoped_acquire acquired;
            if (PyErr_CheckSignals() != 0) stopped = true;
            looked = Clock::now();
        }
        return !stopped.load(std::memory_order_relaxed);
    });
    others.clear();  // joined
    return !stopped;
}

std::vector<Item> read_batch(PythonRecognizer& self, nb::handle images, nb::handle region,
                             nb::handle quad, bool two_rows, const Form& form) {
    const std::shared_ptr<Pool> pool = self.pool();
    const Place place = place_of(region, quad, two_rows);
    std::vector<Item> items = items_of(images, form);
    if (!read_all(pool, self.threads(), place, items)) throw nb::python_error();
    return items;
}

// The exception in the place of a picture that was not read; null for one that was.
nb::object failure_of(const Item& item) {
    if (item.refusal.is_valid()) return item.refusal;
    return item.status ? nb::object() : exception_of(item.status.error());
}

nb::list as_list(std::vector<Item>& items) {
    nb::list results;
    for (Item& item : items) {
        nb::object failure = failure_of(item);
        results.append(failure.is_valid() ? failure : nb::cast(std::move(item.reading)));
    }
    return results;
}

nb::dict as_columns(const std::vector<Item>& items) {
    nb::list texts, confidences, scores, errors;
    for (const Item& item : items) {
        if (const nb::object failure = failure_of(item); failure.is_valid()) {
            texts.append(nb::none());
            confidences.append(nb::none());
            scores.append(nb::none());
            errors.append(nb::str(failure));
        } else {
            texts.append(item.reading.text);
            confidences.append(item.reading.confidence);
            scores.append(item.reading.reject_score);
            errors.append(nb::none());
        }
    }
    nb::dict columns;
    columns["text"] = texts;
    columns["confidence"] = confidences;
    columns["reject_score"] = scores;
    columns["error"] = errors;
    return columns;
}

nb::object reduce(nb::handle object) {
    auto& self = nb::cast<PythonRecognizer&>(object);
    static_cast<void>(self.pool());
    const RecognizerOptions& options = self.options();
    nb::dict keywords;
    keywords["isa"] = options.isa;
    keywords["threads"] = self.threads();
    keywords["intra"] = options.threads;
    keywords["decode"] = self.decode();
    keywords["patterns"] = self.patterns() ? nb::cast(*self.patterns()) : nb::none();
    keywords["candidates"] = options.decoding.candidates;
    keywords["provinces"] = options.decoding.provinces;
    if (options.decoding.temperature > 0.0) keywords["temperature"] = options.decoding.temperature;
    const nb::object partial = nb::module_::import_("functools").attr("partial");
    return nb::make_tuple(partial(nb::handle(object.type()), **keywords),
                          nb::make_tuple(self.model()));
}

std::string repr(const PythonRecognizer& self) {
    std::string words = "<lprnet.Recognizer " + self.model().model.name() + ", " +
                        self.model().model.precision() + ", " + self.decode();
    if (self.is_closed()) return words + ", closed>";
    return words + ", threads=" + std::to_string(self.threads()) + ">";
}

constexpr const char* kReadBatch =
    "Reads many pictures, `threads` of them at once, without the interpreter's lock.\n\n"
    "images: an iterable of what read() takes, or a uint8 array of shape (count, height,\n"
    "width, 3) or (count, height, width, 4). The keywords are those of read(), for every picture.\n"
    "Returns a list in the order of `images`. One that cannot be read has the exception that\n"
    "read() would raise in its place. An exception of a signal, such as KeyboardInterrupt, stops\n"
    "the batch after the pictures that are being read.";

}  // namespace

void add_recognizer(nb::module_& module) {
    nb::class_<PythonRecognizer>(
        module, "Recognizer",
        "Pixels in, plate text out. Any number of threads may use one at the same time; it can be\n"
        "pickled, and works in processes that were forked. A context manager that closes it.\n\n"
        "model      None for the built-in one, a path of a .safetensors file, or a Model\n"
        "precision  of the built-in model: 'fp32', or 'int8', faster and read alike\n"
        "isa        kernel table such as 'avx2'; '' for the best of this CPU, or LPRNET_ISA\n"
        "threads    pictures that read_batch() reads at once, 1 to 64\n"
        "intra      threads that share each picture, 1 to 64: for one picture at a time\n"
        "decode     'greedy', 'beam' or 'grammar'; None: grammar with patterns or provinces,\n"
        "           else beam with candidates, else greedy\n"
        "patterns   formats of plates: Patterns, a path of a file, or 'cn'\n"
        "candidates texts in a reading, at most, 1 to 100; the greedy decoder has one\n"
        "temperature divides the logits, 0.05 to 20; None takes the model's own\n"
        "provinces  that most plates here are of, such as '粤' or '京津冀': theirs count more;\n"
        "           for grammar alone\n\n"
        "TypeError and ValueError name the argument, what was expected and what was found.\n"
        "Pixels of an array must not change while they are read.")
        .def(
            "__init__",
            [](PythonRecognizer* self, nb::object model, nb::object precision, nb::object isa,
               nb::object threads, nb::object intra, nb::object decode, nb::object patterns,
               nb::object candidates, nb::object temperature, nb::object provinces) {
                new (self) PythonRecognizer(model, precision, isa, threads, intra, decode, patterns,
                                            candidates, temperature, provinces);
            },
            nb::arg("model") = nb::none(), nb::kw_only(), nb::arg("precision").none() = nb::none(),
            nb::arg("isa").none() = "", nb::arg("threads").none() = 1, nb::arg("intra").none() = 1,
            nb::arg("decode") = nb::none(), nb::arg("patterns") = nb::none(),
            nb::arg("candidates").none() = 1, nb::arg("temperature") = nb::none(),
            nb::arg("provinces").none() = "",
            nb::sig("def __init__(self, model: Model | str | os.PathLike[str] | None = None, *, "
                    "precision: typing.Literal['fp32', 'int8'] | None = None, isa: str = '', "
                    "threads: int = 1, intra: int = 1, "
                    "decode: typing.Literal['greedy', 'beam', 'grammar'] | None = None, "
                    "patterns: Patterns | str | os.PathLike[str] | None = None, "
                    "candidates: int = 1, temperature: float | None = None, "
                    "provinces: str = '') -> None"))
        .def(
            "read",
            [](PythonRecognizer& self, nb::object image, nb::object region, nb::object quad,
               bool two_rows, nb::object color, nb::object format, nb::object width,
               nb::object height, nb::object stride) {
                const std::shared_ptr<Pool> pool = self.pool();
                const Place place = place_of(region, quad, two_rows);
                const Source source =
                    Source::of(image, form_of(color, format, width, height, stride));
                Reading reading;
                const Status status = [&]() -> Status {
                    const nb::gil_scoped_release released;
                    Result<Pool::Loan> loan = Pool::borrow(pool);
                    if (!loan) return loan.error();
                    return source.read(**loan, place, reading);
                }();
                check(status);
                return reading;
            },
            nb::arg("image").none(), nb::kw_only(), nb::arg("region") = nb::none(),
            nb::arg("quad") = nb::none(), nb::arg("two_rows") = false,
            nb::arg("color").none() = "bgr", nb::arg("format") = nb::none(),
            nb::arg("width") = nb::none(), nb::arg("height") = nb::none(),
            nb::arg("stride") = nb::none(),
            nb::sig("def read(self, image: str | os.PathLike[str] | typing_extensions.Buffer, *, "
                    "region: collections.abc.Sequence[int] | None = None, "
                    "quad: collections.abc.Sequence[typing.Any] | None = None, "
                    "two_rows: bool = False, color: typing.Literal['bgr', 'rgb'] = 'bgr', "
                    "format: str | None = None, width: int | None = None, "
                    "height: int | None = None, stride: int | None = None) -> Reading"),
            "Reads one plate.\n\n"
            "image: the path of a JPEG, PNG or BMP file; its bytes (or a 1-d uint8 array of "
            "them);\n"
            "or pixels, a uint8 array of shape (height, width) for gray, (height, width, 3) or\n"
            "(height, width, 4), with any strides, also read-only. Nothing is converted: another\n"
            "type is a TypeError, another shape a ValueError.\n"
            "region: (x, y, width, height) in pixels, the part to read; has to lie inside.\n"
            "quad: four corners (x, y) in pixels, clockwise from the plate's top left.\n"
            "two_rows: the plate has two rows, which are cut apart and set side by side.\n"
            "color: order of the channels of arrays, 'bgr' as OpenCV has it, or 'rgb'.\n"
            "format: `image` is a frame of bytes without a header, in one piece: 'nv12', 'nv21',\n"
            "'i420', 'yuyv', 'bgr', 'rgb', 'bgra', 'rgba' or 'gray', of width x height pixels and\n"
            "`stride` bytes a row (None: without gaps).\n\n"
            "NotFoundError (a FileNotFoundError) for a file that cannot be read, MalformedError\n"
            "and UnsupportedError (ValueErrors) for what is no whole picture, OutOfMemoryError (a\n"
            "MemoryError) for one that takes more than 240 MiB to decode.")
        .def(
            "read_batch",
            [](PythonRecognizer& self, nb::object images, nb::object region, nb::object quad,
               bool two_rows, nb::object color, nb::object format, nb::object width,
               nb::object height, nb::object stride) {
                std::vector<Item> items = read_batch(self, images, region, quad, two_rows,
                                                     form_of(color, format, width, height, stride));
                return as_list(items);
            },
            nb::arg("images").none(), nb::kw_only(), nb::arg("region") = nb::none(),
            nb::arg("quad") = nb::none(), nb::arg("two_rows") = false,
            nb::arg("color").none() = "bgr", nb::arg("format") = nb::none(),
            nb::arg("width") = nb::none(), nb::arg("height") = nb::none(),
            nb::arg("stride") = nb::none(),
            nb::sig("def read_batch(self, images: collections.abc.Iterable[typing.Any] | "
                    "typing_extensions.Buffer, *, "
                    "region: collections.abc.Sequence[int] | None = None, "
                    "quad: collections.abc.Sequence[typing.Any] | None = None, "
                    "two_rows: bool = False, color: typing.Literal['bgr', 'rgb'] = 'bgr', "
                    "format: str | None = None, width: int | None = None, "
                    "height: int | None = None, stride: int | None = None) "
                    "-> list[Reading | Exception]"),
            kReadBatch)
        .def(
            "read_columns",
            [](PythonRecognizer& self, nb::object images, nb::object region, nb::object quad,
               bool two_rows, nb::object color) {
                return as_columns(
                    read_batch(self, images, region, quad, two_rows,
                               form_of(color, nb::none(), nb::none(), nb::none(), nb::none())));
            },
            nb::arg("images").none(), nb::kw_only(), nb::arg("region") = nb::none(),
            nb::arg("quad") = nb::none(), nb::arg("two_rows") = false,
            nb::arg("color").none() = "bgr",
            nb::sig("def read_columns(self, images: collections.abc.Iterable[typing.Any] | "
                    "typing_extensions.Buffer, *, "
                    "region: collections.abc.Sequence[int] | None = None, "
                    "quad: collections.abc.Sequence[typing.Any] | None = None, "
                    "two_rows: bool = False, color: typing.Literal['bgr', 'rgb'] = 'bgr') "
                    "-> dict[str, list[typing.Any]]"),
            "read_batch() for tables: lists 'text', 'confidence', 'reject_score' and 'error', one\n"
            "value for each picture. Of a picture that cannot be read the first three are None;\n"
            "of the others the last.")
        .def("close", &PythonRecognizer::close,
             "Gives its memory and threads back. It cannot read afterwards: a ValueError.")
        .def(
            "__enter__", [](nb::handle self) { return nb::borrow(self); },
            nb::sig("def __enter__(self) -> Recognizer"))
        .def(
            "__exit__", [](PythonRecognizer& self, nb::args) { self.close(); },
            nb::sig("def __exit__(self, *exception: object) -> None"))
        .def_prop_ro("closed", &PythonRecognizer::is_closed)
        .def_prop_ro(
            "model", [](const PythonRecognizer& r) { return r.model(); }, nb::rv_policy::move,
            "The model it reads with.")
        .def_prop_ro(
            "isa", [](PythonRecognizer& r) { return std::string(r.pool()->first().isa()); },
            "Name of the kernel table in use.")
        .def_prop_ro("threads", &PythonRecognizer::threads)
        .def_prop_ro("intra", [](const PythonRecognizer& r) { return r.options().threads; })
        .def_prop_ro("decode", &PythonRecognizer::decode)
        .def_prop_ro(
            "patterns",
            [](const PythonRecognizer& r) -> nb::object {
                return r.patterns() ? nb::cast(*r.patterns()) : nb::none();
            },
            nb::sig("def patterns(self) -> Patterns | None"))
        .def_prop_ro("candidates",
                     [](const PythonRecognizer& r) { return r.options().decoding.candidates; })
        .def_prop_ro("provinces",
                     [](const PythonRecognizer& r) { return r.options().decoding.provinces; })
        .def_prop_ro(
            "reject_above",
            [](const PythonRecognizer& r) { return reject_above(r.options().decoding.decoder); },
            "A reading whose reject_score is above this is likely not of a plate.")
        .def("__repr__", &repr)
        .def("__reduce__", &reduce, nb::sig("def __reduce__(self) -> tuple"));
}

}  // namespace lprnet::python
