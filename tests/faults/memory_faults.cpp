// Every public function with every allocation failing: the n-th alone, and all from the n-th on.
// Each time it has to return success or an error that says so, give back what it took, and leave
// what was there before working. A process that ends, or that holds more than before, fails.
//
//   memory_faults            about 150 requests of each path, the first ones and others spread
//   evenly memory_faults --all      every request of every path memory_faults --isolate  each case
//   in a process of its own, so that all those that end are counted
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <new>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/boundary.h"
#include "engine/compress/prune.h"
#include "engine/compress/quantize.h"
#include "engine/measure/diagnose.h"
#include "engine/measure/fingerprint.h"
#include "engine/measure/network_layers.h"
#include "engine/measure/quantization.h"
#include "engine/measure/temperature.h"
#include "engine/model/builtin.h"
#include "engine/model/model_tensors.h"
#include "lprnet/known_plates.h"
#include "lprnet/lprnet.h"
#include "lprnet/recognizer.h"
#include "lprnet/vote.h"
#include "tests/faults/injection.h"
#include "tests/paths.h"

namespace lprnet::test {
namespace {

struct Options {
    std::size_t few = 150;
    bool isolate = false;
};

// What is being tried, for the message of a process that ends.
struct Case {
    const char* path = "";
    const char* kind = "memory";
    std::size_t number = 0;
    Fault fault = Fault::once;
};
Case current;

const char* text_of(Fault fault) {
    return fault == Fault::once ? "alone" : "and all after it";
}

[[noreturn]] void ended() {
    stop_injection();
    std::fprintf(stderr, "FAILED: %s: the process ends when %s request %zu fails %s\n",
                 current.path, current.kind, current.number, text_of(current.fault));
    std::fflush(nullptr);
    ::_exit(3);
}

// One way through the library. `act` runs with faults; `works` without, after each time, with what
// it returned: whether everything is as it should be.
struct Path {
    const char* name;
    std::function<Status()> act;
    std::function<bool(const Status&)> works = [](const Status&) { return true; };
};

bool is_expected(const Status& status) {
    return status.ok() || status.error().code == ErrorCode::out_of_memory;
}

// False after a message.
bool try_once(const Path& path) {
    const bool threads = std::strcmp(current.kind, "thread") == 0;
    const auto run = [&](Held& grown, std::string& problem) {
        const Held before = held();
        {
            if (threads) {
                inject_thread_fault(current.number, current.fault);
            } else {
                inject_memory_fault(current.number, current.fault);
            }
            const Status status = path.act();
            stop_injection();
            if (!is_expected(status)) problem = "unexpected: " + status.error().message;
            if (!path.works(status)) problem = "does not work afterwards";
        }
        const Held after = held();
        grown = {after.blocks - before.blocks, after.mapped_bytes - before.mapped_bytes};
    };
    Held grown;
    std::string problem;
    run(grown, problem);
    // What a library keeps for later, such as a thread's stack, it keeps once.
    if (!(grown == Held{}) && problem.empty()) run(grown, problem);
    if (grown.blocks > 0 || grown.mapped_bytes > 0) {
        problem = "holds " + std::to_string(grown.blocks) + " blocks and " +
                  std::to_string(grown.mapped_bytes) + " mapped bytes more";
    }
    if (problem.empty()) return true;
    std::fprintf(stderr, "FAILED: %s: %s when %s request %zu fails %s\n", path.name,
                 problem.c_str(), current.kind, current.number, text_of(current.fault));
    return false;
}

bool try_isolated(const Path& path) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(try_once(path) ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Which of `count` requests to let fail.
std::vector<std::size_t> chosen(std::size_t count, const Options& options) {
    std::vector<std::size_t> numbers;
    const std::size_t first = count <= options.few ? count : options.few / 3;
    for (std::size_t n = 0; n < first; ++n) numbers.push_back(n);
    const std::size_t more = count > first ? options.few - first : 0;
    for (std::size_t i = 0; i < more; ++i) numbers.push_back(first + i * (count - first) / more);
    return numbers;
}

struct Totals {
    std::size_t cases = 0;
    std::size_t failed = 0;
};

void try_all(const Path& path, const Options& options, Totals& totals) {
    current = {path.name};
    // Once to let libraries make what they keep, once to count.
    for (int i = 0; i < 2; ++i) {
        count_requests();
        const Status status = path.act();
        stop_injection();
        if (!path.works(status)) {
            std::fprintf(stderr, "FAILED: %s: does not work without a fault: %s\n", path.name,
                         status ? "success" : status.error().message.c_str());
            ++totals.failed;
            return;
        }
    }
    const std::size_t of_memory = memory_requests(), of_threads = thread_requests();
    Totals own;
    const auto try_kind = [&](const char* kind, std::size_t count) {
        for (const std::size_t number : chosen(count, options)) {
            for (const Fault fault : {Fault::once, Fault::from_then}) {
                current = {path.name, kind, number, fault};
                ++own.cases;
                if (!(options.isolate ? try_isolated(path) : try_once(path))) ++own.failed;
            }
        }
    };
    try_kind("memory", of_memory);
    try_kind("thread", of_threads);
    std::printf("%-28s %5zu requests, %zu threads: %5zu cases, %zu failed\n", path.name, of_memory,
                of_threads, own.cases, own.failed);
    totals.cases += own.cases;
    totals.failed += own.failed;
}

// --- What the paths work on -------------------------------------------------------------------

struct Picture {
    explicit Picture(PixelFormat format, int width = 120, int height = 40)
        : pixels(static_cast<std::size_t>(4 * width * height)) {
        std::mt19937 random(7);
        for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random());
        view = {pixels.data(), width, height, row_bytes(format, width), format};
    }
    std::vector<std::uint8_t> pixels;
    ImageView view;
};

// Of what a test needs; ends it otherwise.
template <class T>
T needed(Result<T> result) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "FAILED: %s\n", result.error().message.c_str());
    std::exit(1);
}

// Without the message: to copy one may fail as well.
template <class T>
Status status_of(const Result<T>& result) {
    if (result) return {};
    return Error{result.error().code, ""};
}

Status status_of(lpr_status status, const char* /*error*/) {
    if (status == LPR_OK) return {};
    if (status == LPR_OUT_OF_MEMORY) return Error{ErrorCode::out_of_memory, ""};
    return Error{ErrorCode::invalid_argument, ""};
}

bool same(const Reading& a, const Reading& b) {
    return a.text == b.text && a.confidence == b.confidence &&
           a.characters.size() == b.characters.size() && a.candidates.size() == b.candidates.size();
}

bool is_empty(const Reading& reading) {
    return reading.text.empty() && reading.characters.empty() && reading.candidates.empty();
}

constexpr const char* kPatterns =
    "<letter> = [A-HJ-NP-Z]\n"
    "standard : ?<letter>(#|@){5}\n"
    "longer 0.5 : ?<letter>[DF](#|@){5,6}\n";

class Paths {
public:
    explicit Paths(const Options& options) : options_(options) {}

    Totals run() {
        load();
        create();
        read();
        decoding();
        patterns();
        tracking();
        tools();
        measurements();
        c_interface();
        return totals_;
    }

private:
    void add(Path path) { try_all(path, options_, totals_); }

    void load() {
        add({.name = "Model::load", .act = [&] { return status_of(Model::load(file_)); }});
        add({.name = "Model::load, no file",
             .act = [&] { return expect_not_found(status_of(Model::load(missing_))); }});
        add({.name = "Model::from_memory",
             .act = [&] { return status_of(Model::from_memory(bytes_, "memory")); }});
        for (const char* precision : {"fp32", "int8"}) {
            const std::string name = std::string("Model::builtin ") + precision;
            add({.name = name.c_str(),
                 .act = [&] { return status_of(Model::builtin(precision)); }});
        }
    }

    // Where an error is what should come, it counts as success.
    static Status expect(ErrorCode code, Status status) {
        if (!status && status.error().code == code) return {};
        return status ? Error{ErrorCode::mismatch, "success"} : std::move(status);
    }
    static Status expect_not_found(Status status) {
        return expect(ErrorCode::not_found, std::move(status));
    }

    void create() {
        add({.name = "Recognizer::create",
             .act = [&] { return status_of(Recognizer::create(model_)); }});
        add({.name = "Recognizer::create, int8",
             .act = [&] { return status_of(Recognizer::create(int8_)); }});
        RecognizerOptions grammar;
        grammar.decoding.decoder = Decoder::grammar;
        grammar.tuning = "lprnet tuning 1\nconv * F(2,3)\n";
        add({.name = "Recognizer::create, grammar",
             .act = [&] { return status_of(Recognizer::create(model_, grammar)); }});
        RecognizerOptions wrong;
        wrong.isa = "an instruction set that nobody has";
        add({.name = "Recognizer::create, refused", .act = [&] {
                 return expect(ErrorCode::unsupported,
                               status_of(Recognizer::create(model_, wrong)));
             }});
        RecognizerOptions threads;
        threads.threads = 4;
        keep_stacks(8);
        add({.name = "Recognizer::create, threads", .act = [&] {
                 Result<Recognizer> made = Recognizer::create(model_, threads);
                 if (!made) return status_of(made);
                 Reading reading;
                 return made->read(picture_.view, reading);
             }});
        Recognizer first = needed(Recognizer::create(model_, threads));
        add({.name = "Recognizer::clone, threads",
             .act = [&] { return status_of(first.clone()); },
             // A process of its own has not the threads of this recognizer.
             .works = [&](const Status&) { return options_.isolate || reads(first); }});
    }

    // So that later threads find the stacks that the C library keeps.
    static void keep_stacks(int count) {
        std::vector<std::thread> all;
        std::atomic<int> there{0};
        for (int i = 0; i < count; ++i) {
            all.emplace_back([&] {
                ++there;
                while (there < count) std::this_thread::yield();
            });
        }
        for (std::thread& thread : all) thread.join();
    }

    bool reads(Recognizer& recognizer) {
        Reading reading;
        return recognizer.read(picture_.view, reading).ok() && same(reading, expected_);
    }

    void read() {
        for (const PixelFormatTraits& traits : kPixelFormats) {
            const Picture picture(traits.format);
            const std::string name = "read " + std::string(traits.name);
            add_read(name.c_str(),
                     [&](Reading& reading) { return recognizer_.read(picture.view, reading); });
        }
        add_read("read region", [&](Reading& reading) {
            return recognizer_.read(picture_.view, Region{5, 6, 70, 20}, reading);
        });
        for (const int rows : {1, 2}) {
            add_read(rows == 1 ? "read quad" : "read two rows", [&, rows](Reading& reading) {
                return recognizer_.read(picture_.view, quad_of({5, 6, 70, 20}, rows), reading);
            });
        }
        add({.name = "read as a value",
             .act = [&] { return status_of(recognizer_.read(picture_.view)); },
             .works = [&](const Status&) { return reads(recognizer_); }});
        add({.name = "set_image, infer, decode",
             .act =
                 [&] {
                     if (Status s = recognizer_.set_image(picture_.view); !s) return s;
                     recognizer_.infer();
                     Reading reading;
                     return recognizer_.decode(reading);
                 },
             .works = [&](const Status&) { return reads(recognizer_); }});
        ImageView wrong = picture_.view;
        wrong.stride = 3;
        for (int kind = 0; kind < 3; ++kind) {
            add({.name = kind == 0   ? "read refused picture"
                         : kind == 1 ? "read refused region"
                                     : "read refused quad",
                 .act =
                     [&, kind] {
                         Reading reading;
                         reading.text = "before";
                         Status status =
                             kind == 0 ? recognizer_.read(wrong, reading)
                             : kind == 1
                                 ? recognizer_.read(picture_.view, Region{-1, 0, 9, 9}, reading)
                                 : recognizer_.read(picture_.view, quad_of({0, 0, 0, 0}), reading);
                         if (!is_empty(reading))
                             return Status(Error{ErrorCode::mismatch, "a text"});
                         return expect(ErrorCode::invalid_argument, std::move(status));
                     },
                 .works = [&](const Status&) { return reads(recognizer_); }});
        }
    }

    template <class Read>
    void add_read(const char* name, Read read) {
        Reading good;
        if (!read(good)) std::exit(1);
        add({.name = name,
             .act =
                 [&] {
                     Reading reading;
                     Status status = read(reading);
                     const bool right = status ? same(reading, good) : is_empty(reading);
                     if (!right) return Status(Error{ErrorCode::mismatch, "another reading"});
                     return status;
                 },
             .works = [&](const Status&) { return reads(recognizer_); }});
    }

    void decoding() {
        struct Row {
            const char* name;
            DecodeOptions options;
        };
        Patterns own = needed(Patterns::parse(kPatterns, "own"));
        const Row rows[] = {
            {"set_decoding greedy", {.decoder = Decoder::greedy}},
            {"set_decoding greedy, own", {.decoder = Decoder::greedy, .patterns = own}},
            {"set_decoding beam", {.decoder = Decoder::beam, .candidates = 5}},
            {"set_decoding grammar", {.decoder = Decoder::grammar, .candidates = 100}},
            {"set_decoding grammar, provinces",
             {.decoder = Decoder::grammar, .provinces = "京津冀"}},
            {"set_decoding grammar, own",
             {.decoder = Decoder::grammar, .patterns = own, .candidates = 3, .beam_width = 50}},
        };
        for (const Row& row : rows) {
            Recognizer recognizer = needed(recognizer_.clone());
            add({.name = row.name,
                 .act =
                     [&] {
                         if (Status s = recognizer.set_decoding({}); !s) return s;
                         return recognizer.set_decoding(row.options);
                     },
                 .works =
                     [&](const Status& status) {
                         // As before, or as asked for; then back, so that as much is held.
                         Reading reading;
                         const bool right = status ? recognizer.read(picture_.view, reading).ok()
                                                   : reads(recognizer);
                         return right && recognizer.set_decoding({}).ok();
                     }});
            if (!recognizer.set_decoding(row.options)) std::exit(1);
            const std::string name = std::string("read, ") + row.name;
            Reading good;
            if (!recognizer.read(picture_.view, good)) std::exit(1);
            add({.name = name.c_str(), .act = [&] {
                     Reading reading;
                     Status status = recognizer.read(picture_.view, reading);
                     const bool right = status ? same(reading, good) : is_empty(reading);
                     if (!right) return Status(Error{ErrorCode::mismatch, "another reading"});
                     return status;
                 }});
        }
    }

    void patterns() {
        add({.name = "Patterns::parse",
             .act = [&] { return status_of(Patterns::parse(kPatterns, "patterns")); }});
        add({.name = "Patterns::parse, refused", .act = [&] {
                 return expect(ErrorCode::malformed,
                               status_of(Patterns::parse("x : {\n", "patterns")));
             }});
        add({.name = "Patterns::builtin",
             .act = [&] { return status_of(Patterns::builtin("cn")); }});
        const std::string file = folder_.file("patterns.txt");
        std::ofstream(file) << kPatterns;
        add({.name = "Patterns::load", .act = [&] { return status_of(Patterns::load(file)); }});
        const Patterns cn = needed(Patterns::builtin("cn"));
        add({.name = "Patterns::writable", .act = [&] { return status_of(cn.writable(model_)); }});
    }

    void tracking() {
        Reading reading;
        reading.text = "皖A12345";
        reading.candidates = {{reading.text, 0.9f, 0},
                              {"皖A12346, a text that is longer", 0.05f, -1}};
        reading.characters.resize(2);
        for (Character& character : reading.characters) {
            character.text = "a text that is long enough";
            character.confidence = 0.9f;
            character.alternatives[0] = {"another that is long enough", 0.1f};
            character.alternative_count = 1;
        }
        Vote vote;
        add({.name = "Vote::add",
             .act =
                 [&] {
                     vote.clear();
                     if (Status s = vote.add(reading); !s) return s;
                     return vote.add(reading);
                 },
             .works =
                 [&](const Status& status) {
                     if (status && vote.frames() != 2) return false;
                     const auto answer = vote.answer();
                     return answer.ok() && answer->text == (vote.frames() > 0 ? reading.text : "");
                 }});
        add({.name = "Vote::answer", .act = [&] { return status_of(vote.answer(100)); }});
        const KnownPlates known({reading.text, "皖A12345", "京B88888"});
        add({.name = "KnownPlates::find",
             .act = [&] { return status_of(known.find(reading.text, 3, 0.0)); }});
    }

    // What the program is made of: these are not public, but keep the same promise.
    void tools() {
        const ModelData& data = model_.data();
        const weights::SafetensorsFile file = needed(weights::SafetensorsFile::open(file_));
        const std::string written = folder_.file("written");
        add({.name = "write_safetensors",
             .act =
                 [&] {
                     return weights::write_safetensors(written, file.tensors(), file.metadata());
                 },
             .works =
                 [&](const Status& status) {
                     const bool there = std::filesystem::exists(written);
                     std::filesystem::remove(written);
                     const auto left =
                         std::distance(std::filesystem::directory_iterator(folder_.path()), {});
                     return there == status.ok() && left == 2;
                 }});
        add({.name = "serialize_safetensors", .act = [&] {
                 return status_of(weights::serialize_safetensors(file.tensors(), file.metadata()));
             }});
        add({.name = "tensors_with_weights",
             .act = [&] { return status_of(tensors_with_weights(file, data.graph)); }});
        PruneOptions prune_options;
        prune_options.amount = 0.5;
        prune_options.global = true;
        add({.name = "prune", .act = [&]() -> Status {
                 std::optional<Graph> graph;
                 try {
                     graph = data.graph;
                 } catch (const std::bad_alloc&) {
                     return Error{ErrorCode::out_of_memory, ""};
                 }
                 return status_of(prune(*graph, prune_options));
             }});
        std::vector<float> input(static_cast<std::size_t>(
            model_.input_width() * model_.input_height() * model_.input_channels()));
        std::mt19937 random(3);
        for (float& value : input) {
            value = static_cast<float>(random() % 256) / 128.0f - 1.0f;
        }
        const std::vector<std::vector<float>> inputs = {input};
        QuantizeMethod fast;
        fast.reconstruct = false;
        add({.name = "quantize", .act = [&] { return status_of(quantize(data, inputs, fast)); }});
        add({.name = "quantize_weights",
             .act = [&] { return status_of(quantize_weights(file, data)); }});
    }

    // Of engine/measure, for any front end.
    void measurements() {
        Recognizer recognizer = needed(recognizer_.clone());
        Recognizer other = needed(recognizer_.clone());
        measure::Progress silent;
        const std::string dump = tests_path("golden/network/logits.safetensors");
        add({.name = "DumpFile::open",
             .act = [&] { return status_of(measure::DumpFile::open(dump)); }});
        const measure::DumpFile file = needed(measure::DumpFile::open(dump));
        add({.name = "verify", .act = [&]() -> Status {
                 return guarded([&]() -> Status {
                     measure::NetworkLayers layers(recognizer.network(), model_);
                     return status_of(measure::verify(file, model_, layers, 0.9, silent));
                 });
             }});
        add({.name = "fingerprint_logits", .act = [&] {
                 return status_of(
                     measure::fingerprint_logits(model_, *recognizer.network().plan().table));
             }});
        const measure::LabelledPlate plate = {picture_.view, "皖A12345"};
        add({.name = "diagnose",
             .act =
                 [&] {
                     return status_of(measure::diagnose(model_, recognizer, {&plate, 1}, silent));
                 },
             .works = [&](const Status&) { return reads(recognizer); }});
        measure::LabelledLogits logits;
        logits.add(recognizer.logits(), plate.text);
        add({.name = "fit_temperature", .act = [&] {
                 return status_of(measure::fit_temperature(model_, logits, {}, silent));
             }});
        const measure::Inputs inputs = {
            std::vector<float>(recognizer.input().begin(), recognizer.input().end())};
        add({.name = "compare_networks",
             .act =
                 [&] {
                     return status_of(
                         measure::compare_networks(recognizer, other, {}, inputs, silent));
                 },
             .works = [&](const Status&) { return reads(recognizer) && reads(other); }});
    }

    void c_interface() {
        add({.name = "lpr_model_load", .act = [&] {
                 return c_model([&](lpr_model** model, char* error, std::size_t size) {
                     return lpr_model_load(file_.c_str(), model, error, size);
                 });
             }});
        add({.name = "lpr_model_from_memory", .act = [&] {
                 return c_model([&](lpr_model** model, char* error, std::size_t size) {
                     return lpr_model_from_memory(bytes_.data(), bytes_.size(), model, error, size);
                 });
             }});
        add({.name = "lpr_model_builtin", .act = [&] {
                 return c_model([&](lpr_model** model, char* error, std::size_t size) {
                     return lpr_model_builtin(model, error, size);
                 });
             }});
        lpr_model* model = nullptr;
        lpr_recognizer* recognizer = nullptr;
        if (lpr_model_builtin(&model, nullptr, 0) != LPR_OK ||
            lpr_recognizer_create(model, nullptr, &recognizer, nullptr, 0) != LPR_OK) {
            std::exit(1);
        }
        add({.name = "lpr_recognizer_create", .act = [&] {
                 return c_recognizer([&](lpr_recognizer** made, char* error, std::size_t size) {
                     return lpr_recognizer_create(model, nullptr, made, error, size);
                 });
             }});
        add({.name = "lpr_recognizer_create, isa", .act = [&] {
                 return c_recognizer([&](lpr_recognizer** made, char* error, std::size_t size) {
                     const lpr_status status = lpr_recognizer_create(
                         model, "an instruction set of a long name", made, error, size);
                     return status == LPR_UNSUPPORTED ? LPR_OK : status;
                 });
             }});
        const char* precision = builtin_model_bytes("int8").empty() ? "fp32" : "int8";
        add({.name = "lpr_model_builtin_precision", .act = [&] {
                 return c_model([&](lpr_model** made, char* error, std::size_t size) {
                     return lpr_model_builtin_precision(precision, made, error, size);
                 });
             }});
        lpr_decoding grammar = {};
        grammar.struct_size = sizeof(grammar);
        grammar.decoder = LPR_GRAMMAR;
        grammar.patterns = kPatterns;
        lpr_options options = {};
        options.struct_size = sizeof(options);
        options.precision = precision;
        options.threads = 3;
        options.tuning = "lprnet tuning 1\nconv * direct\n";
        options.decoding = &grammar;
        add({.name = "lpr_recognizer_open", .act = [&] {
                 return c_recognizer([&](lpr_recognizer** made, char* error, std::size_t size) {
                     return lpr_recognizer_open(nullptr, &options, made, error, size);
                 });
             }});
        add({.name = "lpr_recognizer_clone", .act = [&] {
                 return c_recognizer([&](lpr_recognizer** made, char* error, std::size_t size) {
                     return lpr_recognizer_clone(recognizer, made, error, size);
                 });
             }});
        lpr_decoding decoding = {};
        decoding.struct_size = sizeof(decoding);
        decoding.candidates = 4;
        for (const lpr_decoder decoder : {LPR_BEAM, LPR_GRAMMAR, LPR_GREEDY}) {
            decoding.decoder = decoder;
            decoding.patterns = decoder == LPR_GRAMMAR ? kPatterns : nullptr;
            add({.name = "lpr_recognizer_set_decoding", .act = [&] {
                     char error[100] = "";
                     return status_of(
                         lpr_recognizer_set_decoding(recognizer, &decoding, error, sizeof(error)),
                         error);
                 }});
        }
        lpr_image image = {};
        image.data = picture_.view.data;
        image.width = picture_.view.width;
        image.height = picture_.view.height;
        image.stride = picture_.view.stride;
        image.format = LPR_BGR;
        const lpr_region region = {5, 6, 70, 20};
        const lpr_quad quad = {{5, 75, 75, 5}, {6, 6, 26, 26}, 2};
        lpr_image wrong = image;
        wrong.stride = 1;
        // A recognizer of its own each time: the first reading is the one that allocates.
        const auto c_read = [&](auto call) {
            return [&, call] {
                lpr_recognizer* own = nullptr;
                char error[200] = "";
                if (const lpr_status made = lpr_recognizer_clone(recognizer, &own, error, 200);
                    made != LPR_OK) {
                    return status_of(made, error);
                }
                lpr_reading reading;
                reading.struct_size = sizeof(reading);
                std::strcpy(reading.text, "the plate before");
                const lpr_status status = call(own, &reading, error);
                lpr_recognizer_free(own);
                if (status != LPR_OK && std::strcmp(reading.text, "the plate before") != 0) {
                    return Status(Error{ErrorCode::mismatch, "a text"});
                }
                return status_of(status, error);
            };
        };
        add({.name = "lpr_read",
             .act = c_read([&](lpr_recognizer* with, lpr_reading* reading, char* error) {
                 return lpr_read(with, &image, reading, error, 200);
             })});
        add({.name = "lpr_read_region",
             .act = c_read([&](lpr_recognizer* with, lpr_reading* reading, char* error) {
                 return lpr_read_region(with, &image, &region, reading, error, 200);
             })});
        add({.name = "lpr_read_quad",
             .act = c_read([&](lpr_recognizer* with, lpr_reading* reading, char* error) {
                 return lpr_read_quad(with, &image, &quad, reading, error, 200);
             })});
        const auto refused = [](lpr_status status) {
            return status == LPR_INVALID_ARGUMENT ? LPR_OK
                   : status == LPR_OK             ? LPR_MISMATCH
                                                  : status;
        };
        const lpr_region outside = {-5, 6, 70, 20};
        const lpr_quad flat = {{5, 5, 5, 5}, {6, 6, 6, 6}, 1};
        add({.name = "lpr_read, refused", .act = c_refused([&](lpr_reading* reading, char* error) {
                                              return refused(lpr_read(recognizer, &wrong, reading,
                                                                      error, 200));
                                          })});
        add({.name = "lpr_read_region, refused",
             .act = c_refused([&](lpr_reading* reading, char* error) {
                 return refused(lpr_read_region(recognizer, &image, &outside, reading, error, 200));
             })});
        add({.name = "lpr_read_quad, refused",
             .act = c_refused([&](lpr_reading* reading, char* error) {
                 return refused(lpr_read_quad(recognizer, &image, &flat, reading, error, 200));
             })});
        lpr_recognizer_free(recognizer);
        lpr_model_free(model);
    }

    template <class Call>
    static std::function<Status()> c_refused(Call call) {
        return [call] {
            lpr_reading reading;
            reading.struct_size = sizeof(reading);
            char error[200] = "";
            const lpr_status status = call(&reading, error);
            return status_of(status, error);
        };
    }

    template <class Call>
    static Status c_model(Call call) {
        lpr_model* model = nullptr;
        char error[200] = "";
        const lpr_status status = call(&model, error, sizeof(error));
        if ((status == LPR_OK) != (model != nullptr)) return Error{ErrorCode::mismatch, "handle"};
        lpr_model_free(model);
        return status_of(status, error);
    }

    template <class Call>
    static Status c_recognizer(Call call) {
        lpr_recognizer* recognizer = nullptr;
        char error[200] = "";
        const lpr_status status = call(&recognizer, error, sizeof(error));
        lpr_recognizer_free(recognizer);
        return status_of(status, error);
    }

    static std::string write(const TemporaryFolder& folder, std::span<const std::byte> bytes) {
        std::ofstream file(folder.file("model"), std::ios::binary);
        file.write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
        return folder.file("model");
    }

    Reading read_first() {
        Reading reading;
        if (!recognizer_.read(picture_.view, reading)) std::exit(1);
        return reading;
    }

    Options options_;
    Totals totals_;
    TemporaryFolder folder_;
    std::span<const std::byte> bytes_ = builtin_model_bytes("fp32");
    std::string file_ = write(folder_, bytes_);
    std::string missing_ = folder_.file("a file that is not there");
    Model model_ = needed(Model::builtin());
    Model int8_ = needed(Model::builtin("int8"));
    Picture picture_{PixelFormat::bgr};
    Recognizer recognizer_ = needed(Recognizer::create(model_));
    Reading expected_ = read_first();
};

int run(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        if (std::strcmp(argv[i], "--all") == 0) {
            options.few = std::numeric_limits<std::size_t>::max();
        } else if (std::strcmp(argv[i], "--few") == 0 && i + 1 < argc) {
            options.few = std::strtoull(argv[++i], nullptr, 10);
        } else if (std::strcmp(argv[i], "--isolate") == 0) {
            options.isolate = true;
        } else {
            std::fprintf(stderr, "usage: memory_faults [--few N | --all] [--isolate]\n");
            return 2;
        }
    }
    if (builtin_model_bytes("fp32").empty() || builtin_model_bytes("int8").empty()) {
        std::printf("skipped: this library was built without models\n");
        return 77;
    }
    std::set_terminate(ended);
    try {  // what the C++ library makes for the first exception it keeps
        throw std::bad_alloc();
    } catch (const std::bad_alloc&) {
    }
    const Totals totals = Paths(options).run();
    std::printf("%zu cases, %zu failed\n", totals.cases, totals.failed);
    return totals.failed == 0 && totals.cases > 0 ? 0 : 1;
}

}  // namespace
}  // namespace lprnet::test

int main(int argc, char** argv) {
    return lprnet::test::run(argc, argv);
}
