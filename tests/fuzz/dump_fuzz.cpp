// Fuzz target for `lprnet verify`: dumps with tensors that fit the network or nearly do, cut from
// the input because no fuzzer guesses them. Stands in for model_option.cpp and backend_option.cpp,
// which would find a model, so that every message is seen.
#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

#include "engine/cli/backend_option.h"
#include "engine/cli/model_option.h"
#include "engine/cli/verbs.h"
#include "engine/run/network.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/small_network.h"

namespace lprnet::cli {

void print_error(const std::string& message) {
    fuzz::check_error({ErrorCode::malformed, message});
}

ExitStatus fail(const Error& error) {
    print_error(error.message);
    return kUnreadable;
}

void ModelOption::add_to(CLI::App&) {}

Result<Model> ModelOption::load() const {
    static const Model model = [] {
        const fuzz::SmallNetwork network(3);
        Result<Model> made = Model::from_memory(network.file(network.metadata()), "small");
        fuzz::check(made.ok(), "no model");
        return *made;
    }();
    return model;
}

void BackendOption::add_to(CLI::App&) {}

Result<AnyRecognizer> BackendOption::open(const ModelOption&, const Model& model,
                                          const DecodeOptions&, int) const {
    static const Recognizer recognizer = [&] {
        RecognizerOptions options;

        Result<Recognizer> made = Recognizer::create(model, options);
        fuzz::check(made.ok(), "no recognizer");
        return std::move(*made);
    }();
    Result<Recognizer> copy = recognizer.clone();
    fuzz::check(copy.ok(), "no copy");
    return AnyRecognizer(std::move(*copy));
}

}  // namespace lprnet::cli

namespace {

using namespace lprnet;
using fuzz::check;
using fuzz::Pieces;

struct Named {
    std::string name;
    std::vector<std::int64_t> shape;
};

// The input, the layers that are computed on their own, the logits last, and one that is none.
const std::vector<Named>& layers() {
    static const auto* const all = [] {
        const cli::ModelOption option;
        Result<cli::AnyRecognizer> reader = cli::BackendOption{}.open(option, *option.load());
        const Plan& plan = reader->cpu()->network().plan();
        auto* list = new std::vector<Named>;
        list->push_back({"input", {1, plan.input.shape.c, plan.input.shape.h, plan.input.shape.w}});
        for (const StepInfo& step : plan.info)
            list->push_back({step.name, {1, step.shape.c, step.shape.h, step.shape.w}});
        list->push_back({"nothing", {1, 1, 2, 3}});
        return list;
    }();
    return *all;
}

struct Dump {
    std::map<std::string, std::vector<std::byte>> bytes;
    std::vector<weights::TensorView> views;

    void add(const Named& like, Pieces& pieces) {
        weights::TensorView view;
        view.name = like.name;
        view.shape = like.shape;
        const std::uint8_t change = pieces.value<std::uint8_t>();
        if (change >= 192) view.shape[change % view.shape.size()] = change % 4;
        if (change % 64 == 1 && view.shape.size() == 4) view.shape.erase(view.shape.begin() + 2);
        if (change % 64 == 2) view.dtype = static_cast<weights::DType>(change % 13);
        if (change % 64 == 3) view.shape.front() = 2;
        std::size_t size = weights::element_size(view.dtype);
        for (const std::int64_t extent : view.shape) size *= static_cast<std::size_t>(extent);
        std::vector<std::byte> values(size);
        // A few of the input's bytes over and over.
        const std::string_view pattern = pieces.text(pieces.value<std::uint8_t>() % 16);
        for (std::size_t i = 0; i < size && !pattern.empty(); ++i)
            values[i] = static_cast<std::byte>(pattern[i % pattern.size()]);
        bytes[like.name] = std::move(values);
        view.bytes = bytes[like.name];
        std::erase_if(views, [&](const auto& other) { return other.name == view.name; });
        views.push_back(std::move(view));
    }
};

// Standard output in a file in memory while this lives.
class Capture {
public:
    Capture() : before_(dup(STDOUT_FILENO)), file_(memfd_create("output", MFD_CLOEXEC)) {
        std::fflush(stdout);
        dup2(file_, STDOUT_FILENO);
    }
    std::string finish() {
        std::fflush(stdout);
        dup2(before_, STDOUT_FILENO);
        std::string text(static_cast<std::size_t>(lseek(file_, 0, SEEK_END)), '\0');
        check(pread(file_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()),
              "output cannot be read");
        close(before_);
        close(file_);
        return text;
    }

private:
    int before_;
    int file_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static fuzz::MemoryFile* const file = new fuzz::MemoryFile;
    Pieces pieces(data, size);
    const std::uint8_t how = pieces.value<std::uint8_t>();
    if (how % 8 == 7) {  // a file as it comes
        const std::string_view rest = pieces.rest();
        file->replace(rest.data(), rest.size());
    } else {
        Dump dump;
        if (how % 8 != 6) {
            dump.add(layers().front(), pieces);
            dump.add(layers()[layers().size() - 2], pieces);  // the logits
        }
        while (!pieces.empty())
            dump.add(layers()[pieces.value<std::uint8_t>() % layers().size()], pieces);
        const weights::Metadata metadata = {{"lprnet.format", how % 8 == 5 ? "1" : "dump-1"}};
        const auto bytes = weights::serialize_safetensors(dump.views, metadata);
        if (!bytes) {
            fuzz::check_error(bytes.error());
            return 0;
        }
        file->replace(bytes->data(), bytes->size());
    }

    CLI::App app;
    const cli::Verb verify = cli::add_verify(app);
    std::vector<std::string> words = {file->path()};  // parsed from the back
    if (how >= 128) words.push_back("--json");
    app.parse(std::move(words));
    Capture capture;
    const cli::ExitStatus status = verify();
    std::string output = capture.finish();
    check(status == cli::kDone || status == cli::kCheckFailed || status == cli::kUnreadable,
          "another exit status");
    check((status == cli::kUnreadable) == output.empty(), "output and status disagree");
    output.erase(std::remove(output.begin(), output.end(), '\n'), output.end());
    check(!has_unprintable(output), "output is no text");
    if (status != cli::kUnreadable) ++fuzz::accepted;
    return 0;
}
