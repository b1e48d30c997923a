// The small edition of the program: reads pictures with the network that is built in, and nothing
// else. What it prints is what `lprnet read` prints. It brings no parser of options, and
// of the C++ library neither streams nor folders.
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cli/notices.h"
#include "engine/cli/process.h"
#include "engine/image_file/image_file.h"
#include "engine/text/printable.h"
#include "lprnet/recognizer.h"
#include "lprnet/version.h"

#if defined(__GLIBCXX__)
// The C++ runtime's own brings what decodes the name of the exception's type, to print it.
void __gnu_cxx::__verbose_terminate_handler() {
    std::abort();
}
#endif

namespace lprnet::cli {
namespace {

constexpr std::string_view kHelp =
    "Reads license plates with LPRNet: the small edition.\n"
    "\n"
    "lprnet read [-m FILE] [--reject] [-q] PICTURE...\n"
    "  prints TEXT<TAB>CONFIDENCE<TAB>PATH for each JPEG, PNG or BMP that is cut to a plate\n"
    "  -m, --model FILE   weights in place of those that are built in\n"
    "  --reject           leave out pictures that likely show no plate\n"
    "  -q, --quiet        no warnings\n"
    "lprnet --version\n";

struct Options {
    std::string model;  // empty: built in
    bool reject = false;
    bool quiet = false;
    std::vector<std::string> paths;
};

Error wrong_usage(const std::string& what) {
    return {ErrorCode::invalid_argument, what + "; see lprnet --help"};
}

// The words behind "read".
Result<Options> parse(const std::vector<std::string_view>& words) {
    Options options;
    bool only_paths = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        if (only_paths || word.size() < 2 || word.front() != '-') {
            options.paths.emplace_back(word);
        } else if (word == "--") {
            only_paths = true;
        } else if (word == "--reject") {
            options.reject = true;
        } else if (word == "-q" || word == "--quiet") {
            options.quiet = true;
        } else if ((word == "-m" || word == "--model") && i + 1 < words.size()) {
            options.model = words[++i];
        } else if (word == "-m" || word == "--model") {
            return wrong_usage(std::string(word) + ": expected a weights file");
        } else {
            return wrong_usage("unknown argument " + in_quotes(word));
        }
    }
    if (options.paths.empty()) return wrong_usage("expected a picture to read");
    return options;
}

Result<Model> load(const std::string& path) {
    if (!path.empty()) return Model::load(path);
    Result<Model> int8 = Model::builtin("int8");
    return int8 ? std::move(int8) : Model::builtin();
}

// The weights as they are in the file are gone when it returns: those that are packed are enough.
Result<Recognizer> make_recognizer(const std::string& path) {
    const Result<Model> model = load(path);
    if (!model) return model.error();
    return Recognizer::create(*model);
}

// Prints the line of a picture, or why there is none.
Status read_picture(const std::string& path, const Options& options, Recognizer& recognizer,
                    Reading& reading, Notices& notices) {
    const Result<DecodedImage> picture = open_image(path);
    if (!picture) return picture.error();
    const ImageView view = picture->view();
    if (Status status = recognizer.read(view, reading); !status) {
        return Error{status.error().code, printable(path) + ": " + status.error().message};
    }
    if (options.reject && reading.reject_score > reject_above(Decoder::greedy)) return {};
    std::printf("%s\t%.4f\t%s\n", printable(reading.text).c_str(),
                static_cast<double>(reading.confidence), printable(path).c_str());
    const std::string notice = notice_of({.width = view.width, .height = view.height}, reading);
    if (!notice.empty()) notices.add(path, notice);
    return {};
}

ExitStatus read(const Options& options) {
    Result<Recognizer> recognizer = make_recognizer(options.model);
    if (!recognizer) return fail(recognizer.error());
    Reading reading;
    Notices notices(options.quiet);
    ExitStatus status = kDone;
    for (const std::string& path : options.paths) {
        try {
            if (Status read = read_picture(path, options, *recognizer, reading, notices); !read) {
                print_error(read.error().message);
                status = kUnreadable;
            }
        } catch (const std::bad_alloc&) {  // the next one may be smaller
            print_error(printable(path) + ": out of memory");
            status = kUnreadable;
        }
    }
    notices.finish();
    return status;
}

ExitStatus run(int argc, char** argv) {
    const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
    for (const std::string_view word : words) {
        if (word == "--") break;
        if (word == "-h" || word == "--help") {
            std::fputs(kHelp.data(), stdout);
            return checked_output(kDone);
        }
    }
    if (words.size() == 1 && words[0] == "--version") {
        std::puts("lprnet " LPRNET_VERSION " (small edition)");
        return checked_output(kDone);
    }
    if (words.empty() || words[0] != "read") {
        return fail(wrong_usage("the small edition can read alone: expected read, found " +
                                (words.empty() ? "nothing" : in_quotes(words[0]))));
    }
    const Result<Options> options = parse({words.begin() + 1, words.end()});
    if (!options) return fail(options.error());
    return checked_output(read(*options));
}

}  // namespace
}  // namespace lprnet::cli

int main(int argc, char** argv) {
    return lprnet::cli::run_guarded(lprnet::cli::run, argc, argv);
}
