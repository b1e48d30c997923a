#include "engine/cli/labels.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "engine/cli/inputs.h"
#include "engine/text/printable.h"
#include "engine/text/utf8.h"
#include "weights/text_file.h"

namespace lprnet::cli {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> split_tabs(const std::string& line) {
    std::vector<std::string> fields(1);
    for (const char c : line) {
        if (c == '\t') {
            fields.emplace_back();
        } else {
            fields.back() += c;
        }
    }
    return fields;
}

Result<std::vector<LabelledImage>> read_table(const fs::path& file) {
    const std::string shown = printable(file.string());
    // A million labels have some 50 MB.
    constexpr std::size_t kMaxBytes = std::size_t{256} << 20;
    const Result<std::string> text = weights::read_text_file(file.string(), kMaxBytes);
    if (!text) return text.error();
    std::vector<LabelledImage> images;
    std::size_t number = 0;
    for (std::string_view rest = text.value(); !rest.empty();) {
        ++number;
        std::string line(rest.substr(0, rest.find('\n')));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (line.ends_with('\r')) line.pop_back();
        if (line.empty()) continue;
        const std::vector<std::string> fields = split_tabs(line);
        if (fields.size() < 2 || fields[0].empty() || fields[1].empty() ||
            find_invalid_utf8(line) != std::string_view::npos) {
            return Error{ErrorCode::malformed, shown + ": line " + std::to_string(number) + " is " +
                                                   in_quotes(line) +
                                                   ", expected path<TAB>text in UTF-8"};
        }
        images.push_back({(file.parent_path() / fields[0]).string(), fields[1],
                          fields.size() > 2 ? fields[2] : ""});
    }
    if (images.empty()) return Error{ErrorCode::malformed, shown + ": holds no label"};
    return images;
}

}  // namespace

Result<std::vector<LabelledImage>> read_labels(const std::string& path) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) return read_table(path);
    const fs::path table = fs::path(path) / "labels.tsv";
    if (fs::exists(table, ignored)) return read_table(table);

    const Inputs inputs = expand_inputs({path});
    if (!inputs.errors.empty()) return Error{ErrorCode::not_found, inputs.errors.front()};
    std::vector<LabelledImage> images;
    for (const std::string& image : inputs.images) {
        const std::string name = fs::path(image).filename().string();
        const std::string text = name.substr(0, name.find_first_of(".-_"));
        if (text.empty()) {
            return Error{ErrorCode::malformed, printable(image) +
                                                   ": the name has no text before the first "
                                                   "'.', '-' or '_'"};
        }
        images.push_back({image, text, ""});
    }
    return images;
}

}  // namespace lprnet::cli
