// Fuzz target for lists of pictures on standard input. What a path leads to is left out: every
// character that could lead to a folder becomes another.
#include "engine/cli/inputs.h"

#include <unistd.h>

#include <string>

#include "engine/text/utf8.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lprnet;
    using fuzz::check;
    std::string text(fuzz::as_text(data, size));
    std::replace(text.begin(), text.end(), '/', '_');
    std::replace(text.begin(), text.end(), '.', '_');
    static fuzz::MemoryFile* const file = new fuzz::MemoryFile;
    file->replace(text.data(), text.size());
    check(dup2(file->descriptor(), STDIN_FILENO) == STDIN_FILENO, "no standard input");
    check(lseek(STDIN_FILENO, 0, SEEK_SET) == 0, "standard input cannot be read again");
    const cli::Inputs inputs = cli::expand_inputs({"-"});

    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    check(inputs.images.size() <= lines, "more pictures than lines");
    for (const std::string& image : inputs.images) {
        check(!image.empty(), "a picture without a path");
        check(image.find('\n') == std::string::npos, "a path of two lines");
        check(text.find(image) != std::string::npos, "a path that is not in the list");
    }
    const std::string first = text.substr(0, text.find_first_of("\r\n"));
    if (first.starts_with(kByteOrderMark) && first != kByteOrderMark) {
        check(inputs.images.empty() || inputs.images.front() != first,
              "a byte order mark is taken for a part of a path");
    }
    for (const std::string& line : inputs.errors)
        check(!has_unprintable(line), "a message is not one line of text");
    if (!inputs.images.empty()) ++fuzz::accepted;
    return 0;
}
