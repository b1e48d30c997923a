#include "engine/cli/labels.h"

#include <filesystem>
#include <fstream>
#include <system_error>

#include "engine/cli/inputs.h"
#include "weights/printable.h"

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
    const std::string shown = weights::printable(file.string());
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return Error{ErrorCode::not_found, shown + ": cannot be opened"};
    std::vector<LabelledImage> images;
    std::size_t number = 0;
    for (std::string line; std::getline(stream, line);) {
        ++number;
        constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
        if (number == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.empty()) continue;
        const std::vector<std::string> fields = split_tabs(line);
        if (fields.size() < 2 || fields[0].empty() || fields[1].empty() ||
            weights::find_invalid_utf8(line) != std::string_view::npos) {
            return Error{ErrorCode::malformed, shown + ": line " + std::to_string(number) + " is " +
                                                   weights::in_quotes(line) +
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
            return Error{ErrorCode::malformed, weights::printable(image) +
                                                   ": the name has no text before the first "
                                                   "'.', '-' or '_'"};
        }
        images.push_back({image, text, ""});
    }
    return images;
}

}  // namespace lprnet::cli
