#include "engine/cli/program.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/cli/process.h"
#include "engine/cli/verbs.h"
#include "engine/cli/wrap.h"
#include "engine/text/printable.h"
#include "lprnet/version.h"

namespace lprnet::cli {
namespace {

// Last word first, as the parser takes them. To it, a word in brackets is a list that it takes
// apart; here it is the name of a file like any other.
std::vector<std::string> reversed_words(int argc, char** argv) {
    std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
    for (std::string& word : words) {
        if (word.size() > 1 && word.front() == '[' && word.back() == ']') word.insert(0, "./");
    }
    std::reverse(words.begin(), words.end());
    return words;
}

// Descriptions of options in lines of a terminal's width.
class HelpFormatter : public CLI::Formatter {
public:
    std::string make_option_desc(const CLI::Option* option) const override {
        return wrapped(CLI::Formatter::make_option_desc(option),
                       kTerminalColumns - get_column_width());
    }
};

struct VerbRow {
    const char* name;
    const char* what;
    Verb (*add)(CLI::App&);
    const char* alias = nullptr;
};

constexpr VerbRow kVerbs[] = {
    {"read", "Print the text of each image: TEXT<TAB>CONFIDENCE<TAB>PATH", add_read},
    {"eval", "Measure the accuracy on labelled images", add_eval},
    {"bench", "Measure latency and throughput", add_bench, "perf"},
    {"verify", "Compare every layer with a PyTorch dump", add_verify},
    {"prune", "Write a model file with the smallest weights set to zero", add_prune},
    {"quantize", "Write a model file in int8", add_quantize},
    {"tune", "Measure the kernels that compute each layer and keep the fastest", add_tune},
    {"selftest", "Check that every instruction set of this CPU computes what it should",
     add_selftest},
    {"doctor", "Find out which pixels a model expects, on labelled images", add_doctor},
    {"info", "Describe the model, its plan and this CPU", add_info},
};

ExitStatus run(int argc, char** argv) {
    CLI::App app("Reads license plates with LPRNet.", "lprnet");
    app.set_version_flag("--version", std::string("lprnet ") + LPRNET_VERSION);
    app.formatter(std::make_shared<HelpFormatter>());
    app.require_subcommand(1);
    app.failure_message(CLI::FailureMessage::simple);

    std::vector<std::string> words = reversed_words(argc, argv);
    const auto is_word = [&](const char* name) {
        return name != nullptr && std::find(words.begin(), words.end(), name) != words.end();
    };
    std::map<const CLI::App*, Verb> verbs;
    for (const VerbRow& row : kVerbs) {
        CLI::App* sub = app.add_subcommand(row.name, row.what);
        if (row.alias != nullptr) sub->alias(row.alias);
        // Options are made of many strings: those of verbs that nobody called would cost each
        // start.
        if (is_word(row.name) || is_word(row.alias)) verbs[sub] = row.add(*sub);
    }

    try {
        app.parse(words);  // which takes them out
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
            app.exit(error);  // prints the help or the version
            return checked_output(kDone);
        }
        std::string message = error.what();
        // The parser misses what is required before it sees what is unknown.
        if (const auto unknown = app.remaining(true); !unknown.empty()) {
            message = "unknown argument " + in_quotes(unknown.front());
        }
        std::fprintf(stderr, "lprnet: %s; see lprnet --help\n", printable(message).c_str());
        return kWrongUsage;
    }
    return checked_output(verbs.at(app.get_subcommands().front())());
}

}  // namespace

int run_program(int argc, char** argv) {
    return run_guarded(run, argc, argv);
}

}  // namespace lprnet::cli
