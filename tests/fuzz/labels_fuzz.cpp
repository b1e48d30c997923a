// Fuzz target for labels.tsv.
#include "engine/cli/labels.h"

#include "engine/text/utf8.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace lprnet;
    using fuzz::check;
    static fuzz::MemoryFile* const file = new fuzz::MemoryFile;
    file->replace(data, size);
    const auto images = cli::read_labels(file->path());
    if (!images) {
        fuzz::check_error(images.error());
        return 0;
    }
    ++fuzz::accepted;
    check(!images->empty(), "labels without a label");
    // No line is counted twice.
    const std::string_view text = fuzz::as_text(data, size);
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    check(images->size() <= lines, "more labels than lines");
    for (const cli::LabelledImage& image : *images) {
        check(!image.path.empty() && !image.text.empty(), "a label without path or text");
        for (const std::string* field : {&image.path, &image.text, &image.set}) {
            check(field->find_first_of("\t\n") == std::string::npos, "a field of two");
            check(find_invalid_utf8(*field) == std::string::npos, "a field is no UTF-8");
        }
        check(text.find(image.text) != std::string_view::npos, "a text that is not in the file");
    }
    return 0;
}
