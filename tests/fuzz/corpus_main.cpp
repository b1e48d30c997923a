// Runs a fuzz target without libFuzzer: over files, so that what was found once stays fixed, and
// over mutations of them with fixed seeds, which come out the same on every machine.
//
//   TARGET [--mutations N] [--seed S] [--max-bytes N] [--last FILE] [--seconds S] [--megabytes M]
//          FILE|FOLDER...
//
// Prints what was run, the longest run and the most memory. Exit status 1 if a run took longer than
// --seconds or the memory went above --megabytes. A target that finds something ends the program;
// --last then holds the input.
#include <sys/resource.h>

#include <chrono>
#include <cinttypes>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"

extern "C" {
__attribute__((weak)) std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                                          std::size_t max_size, unsigned seed);
}

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

struct Options {
    std::uint64_t mutations = 0;
    unsigned seed = 1;
    std::size_t max_bytes = 4096;
    std::string last;
    double seconds = 0.0;
    double megabytes = 0.0;
    std::vector<std::string> paths;
};

std::mt19937 random_bits;

std::size_t below(std::size_t n) {
    return random_bits() % n;
}

void insert(Bytes& bytes, std::size_t at, const Bytes& piece) {
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), piece.begin(), piece.end());
}

Bytes slice(const Bytes& bytes, std::size_t at, std::size_t size) {
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

// One edit of the kinds that find most.
void edit(Bytes& bytes) {
    const std::size_t at = bytes.empty() ? 0 : below(bytes.size());
    const std::size_t some =
        bytes.empty() ? 0 : 1 + below(std::min<std::size_t>(bytes.size() - at, 32));
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    switch (bytes.empty() ? 0 : below(7)) {
        case 0:
            insert(bytes, at, Bytes(1 + below(8), static_cast<std::uint8_t>(random_bits())));
            break;
        case 1: bytes[at] ^= static_cast<std::uint8_t>(1U << below(8)); break;
        case 2: bytes[at] = static_cast<std::uint8_t>(random_bits()); break;
        case 3: {
            constexpr std::uint8_t kEdges[] = {0, 1, 0x7F, 0x80, 0xFE, 0xFF};
            std::fill_n(begin, std::min<std::size_t>(some, 1U << below(4)), kEdges[below(6)]);
            break;
        }
        case 4: bytes.erase(begin, begin + static_cast<std::ptrdiff_t>(some)); break;
        case 5: insert(bytes, below(bytes.size()), slice(bytes, at, some)); break;
        default: {
            const Bytes piece = slice(bytes, at, some);
            const std::size_t to = below(bytes.size() - some + 1);
            std::copy(piece.begin(), piece.end(), bytes.begin() + static_cast<std::ptrdiff_t>(to));
        }
    }
}

class Runner {
public:
    explicit Runner(const Options& options) : options_(options) {}

    void run(const Bytes& input) {
        if (!options_.last.empty()) {
            std::ofstream(options_.last, std::ios::binary)
                .write(reinterpret_cast<const char*>(input.data()),
                       static_cast<std::streamsize>(input.size()));
        }
        // A copy of just its size: a sanitizer sees every byte read behind it.
        const Bytes exact(input);
        const auto begin = std::chrono::steady_clock::now();
        LLVMFuzzerTestOneInput(exact.data(), exact.size());
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
        longest_ = std::max(longest_, time.count());
        ++runs_;
    }

    int report(const char* name, std::size_t files) const {
        rusage usage = {};
        getrusage(RUSAGE_SELF, &usage);
        const double megabytes = static_cast<double>(usage.ru_maxrss) / 1024.0;
        std::printf("%s: %zu files, %zu runs, %zu accepted, longest %.3f s, memory %.0f MB\n", name,
                    files, runs_, lprnet::fuzz::accepted, longest_, megabytes);
        const bool slow = options_.seconds > 0.0 && longest_ > options_.seconds;
        const bool large = options_.megabytes > 0.0 && megabytes > options_.megabytes;
        if (slow)
            std::fprintf(stderr, "%s: expected at most %.3f s a run\n", name, options_.seconds);
        if (large) std::fprintf(stderr, "%s: expected at most %.0f MB\n", name, options_.megabytes);
        return slow || large ? 1 : 0;
    }

private:
    const Options& options_;
    std::size_t runs_ = 0;
    double longest_ = 0.0;
};

bool parse(int count, char** words, Options& options) {
    for (int i = 1; i < count; ++i) {
        const std::string word = words[i];
        if (!word.starts_with("--")) {
            options.paths.push_back(word);
            continue;
        }
        if (++i == count) return false;
        const std::string value = words[i];
        if (word == "--mutations") {
            options.mutations = std::strtoull(value.c_str(), nullptr, 10);
        } else if (word == "--seed") {
            options.seed = static_cast<unsigned>(std::strtoul(value.c_str(), nullptr, 10));
        } else if (word == "--max-bytes") {
            options.max_bytes = std::strtoull(value.c_str(), nullptr, 10);
        } else if (word == "--last") {
            options.last = value;
        } else if (word == "--seconds") {
            options.seconds = std::strtod(value.c_str(), nullptr);
        } else if (word == "--megabytes") {
            options.megabytes = std::strtod(value.c_str(), nullptr);
        } else {
            return false;
        }
    }
    return !options.paths.empty() && options.max_bytes > 0;
}

bool read_inputs(const std::vector<std::string>& paths, std::vector<Bytes>& inputs) {
    std::vector<std::string> files;
    for (const std::string& path : paths) {
        std::error_code error;
        if (!fs::is_directory(path, error)) {
            files.push_back(path);
            continue;
        }
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path, error))
            if (entry.is_regular_file()) files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) {
        std::ifstream stream(file, std::ios::binary);
        if (!stream) {
            std::fprintf(stderr, "%s: cannot be opened\n", file.c_str());
            return false;
        }
        inputs.emplace_back(std::istreambuf_iterator<char>(stream),
                            std::istreambuf_iterator<char>());
    }
    if (inputs.empty()) std::fprintf(stderr, "no file in %s\n", paths.front().c_str());
    return !inputs.empty();
}

}  // namespace

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size,
                                        std::size_t max_size) {
    Bytes bytes(data, data + size);
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) edit(bytes);
    if (bytes.size() > max_size) bytes.resize(max_size);
    std::copy(bytes.begin(), bytes.end(), data);
    return bytes.size();
}

int main(int count, char** words) {
    const std::string name = fs::path(words[0]).filename().string();
    Options options;
    if (!parse(count, words, options)) {
        std::fprintf(stderr,
                     "%s: expected [--mutations N] [--seed S] [--max-bytes N] "
                     "[--last FILE] [--seconds S] [--megabytes M] FILE|FOLDER...\n",
                     name.c_str());
        return 2;
    }
    std::vector<Bytes> inputs;
    if (!read_inputs(options.paths, inputs)) return 2;

    Runner runner(options);
    runner.run({});
    for (const Bytes& input : inputs) runner.run(input);
    for (std::uint64_t i = 0; i < options.mutations; ++i) {
        // Each from its own seed: one of them can be repeated alone.
        random_bits.seed(static_cast<unsigned>(options.seed + i));
        Bytes input = inputs[below(inputs.size())];
        std::size_t size = std::min(input.size(), options.max_bytes);
        input.resize(options.max_bytes);
        size = LLVMFuzzerCustomMutator != nullptr
                   ? LLVMFuzzerCustomMutator(input.data(), size, options.max_bytes,
                                             static_cast<unsigned>(random_bits()))
                   : LLVMFuzzerMutate(input.data(), size, options.max_bytes);
        input.resize(size);
        runner.run(input);
    }
    return runner.report(name.c_str(), inputs.size());
}
