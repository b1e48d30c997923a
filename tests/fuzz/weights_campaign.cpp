// Many mutated weights files through everything, with the time of each and the memory of all:
//
//     weights_campaign COUNT [FIRST]      mutations FIRST to FIRST + COUNT - 1 of the seeds
//     weights_campaign --write FIRST DIR  that one mutation as a file, to look at
//
// Exit status: 0 if all promises held and no file took more than two seconds, else 1; 2 for wrong
// usage. Sanitizers end it where they find something, behind a line that names the mutation.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/fuzz/weights_mutator.h"

namespace {

using namespace lprnet::test;

constexpr double kMostSeconds = 2.0;

std::vector<std::byte> mutation(const std::vector<std::vector<std::byte>>& seeds, std::uint64_t i) {
    std::vector<std::byte> file = seeds[i % seeds.size()];
    mutate_safetensors(file, i);
    return file;
}

int write(const std::vector<std::byte>& file, const std::string& path) {
    std::FILE* out = std::fopen(path.c_str(), "wb");
    if (out == nullptr) return 1;
    const bool whole = std::fwrite(file.data(), 1, file.size(), out) == file.size();
    return std::fclose(out) == 0 && whole ? 0 : 1;
}

int run(std::uint64_t count, std::uint64_t first) {
    const std::vector<std::vector<std::byte>> seeds = weights_seeds();
    std::uint64_t loaded = 0, read = 0, quantized = 0, pruned = 0, broken = 0, slow = 0;
    double longest = 0.0;
    std::uint64_t longest_at = first;
    for (std::uint64_t i = first; i < first + count; ++i) {
        const std::vector<std::byte> file = mutation(seeds, i);
        // Where a sanitizer ends the process, this is the last line.
        if (std::getenv("LPRNET_VERBOSE") != nullptr)
            std::fprintf(stderr, "mutation %llu\n", static_cast<unsigned long long>(i));
        const auto begin = std::chrono::steady_clock::now();
        const Exercised done = exercise_weights(file);
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
        loaded += done.loaded ? 1 : 0;
        read += done.read ? 1 : 0;
        quantized += done.quantized ? 1 : 0;
        pruned += done.pruned ? 1 : 0;
        if (seconds.count() > longest) {
            longest = seconds.count();
            longest_at = i;
        }
        if (seconds.count() > kMostSeconds) {
            ++slow;
            std::printf("mutation %llu: %.2f s\n", static_cast<unsigned long long>(i),
                        seconds.count());
        }
        if (!done.broken.empty()) {
            ++broken;
            std::printf("mutation %llu: %s\n", static_cast<unsigned long long>(i),
                        done.broken.c_str());
        }
    }
    rusage usage = {};
    ::getrusage(RUSAGE_SELF, &usage);
    std::printf(
        "%llu files: %llu loaded, %llu read, %llu pruned, %llu quantized; %llu broken, %llu slow; "
        "longest %.2f s (mutation %llu), %.0f MB\n",
        static_cast<unsigned long long>(count), static_cast<unsigned long long>(loaded),
        static_cast<unsigned long long>(read), static_cast<unsigned long long>(pruned),
        static_cast<unsigned long long>(quantized), static_cast<unsigned long long>(broken),
        static_cast<unsigned long long>(slow), longest, static_cast<unsigned long long>(longest_at),
        static_cast<double>(usage.ru_maxrss) / 1024.0);
    return broken + slow == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 4 && argv[1] == std::string("--write")) {
        const std::uint64_t i = std::strtoull(argv[2], nullptr, 10);
        return write(mutation(weights_seeds(), i),
                     std::string(argv[3]) + "/" + argv[2] + ".safetensors");
    }
    if (argc != 2 && argc != 3) {
        std::fprintf(stderr, "usage: weights_campaign COUNT [FIRST]\n");
        return 2;
    }
    return run(std::strtoull(argv[1], nullptr, 10),
               argc == 3 ? std::strtoull(argv[2], nullptr, 10) : 0);
}
