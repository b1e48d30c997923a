#include "engine/cli/inputs.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "engine/text/plain_text.h"
#include "engine/text/printable.h"
#include "weights/text_file.h"

namespace lprnet::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kListName = "standard input";
// No path is longer than 4096 bytes on Linux; what has no newline for this long is no list.
constexpr std::size_t kMaxLineBytes = 64 * 1024;
// Two million paths and more; what never ends is no list either.
constexpr std::size_t kMaxListBytes = std::size_t{256} << 20;

// The files of a folder and of the folders in it, which are searched without recursion: names
// alone decide how deep they are.
void find_files(const std::string& folder, Inputs& inputs, std::vector<std::string>& files) {
    std::vector<std::string> folders = {folder};
    while (!folders.empty()) {
        const std::string current = std::move(folders.back());
        folders.pop_back();
        std::error_code error;
        fs::directory_iterator it(current, error);
        for (; !error && it != fs::directory_iterator(); it.increment(error)) {
            std::error_code ignored;
            std::string path = it->path().string();
            if (!it->is_directory(ignored)) {
                files.push_back(std::move(path));
            } else if (!it->is_symlink(ignored)) {
                folders.push_back(std::move(path));
            } else {  // may lead back here
                inputs.skipped.push_back(printable(path) +
                                         ": skipped, a link to a folder: name it to have it read");
            }
        }
        if (error) {
            inputs.errors.push_back(printable(current) + ": cannot list the folder (" +
                                    error.message() + ")");
        }
    }
}

void expand_folder(const std::string& folder, FileNames names, Inputs& inputs) {
    const std::size_t errors = inputs.errors.size();
    std::vector<std::string> files;
    find_files(folder, inputs, files);
    std::sort(files.begin(), files.end());
    std::size_t found = 0;
    for (std::string& file : files) {
        const bool labels = fs::path(file).filename() == "labels.tsv";  // belongs to the images
        if (names == FileNames::any ? !labels : has_image_name(file)) {
            inputs.images.push_back(std::move(file));
            ++found;
        } else if (!labels) {
            inputs.skipped.push_back(
                printable(file) +
                ": skipped, expected a name ending in .jpg, .jpeg, .jpe, .png or .bmp");
        }
    }
    if (found == 0 && inputs.errors.size() == errors) {
        inputs.errors.push_back(printable(folder) + ": no image in this folder");
    }
}

void expand(const std::string& path, FileNames names, Inputs& inputs) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
        expand_folder(path, names, inputs);
    } else {
        inputs.images.push_back(path);  // opening it tells what is wrong, if anything
    }
}

// What standard input holds, up to an error, which becomes one of the inputs' errors.
std::string read_list(Inputs& inputs) {
    std::string text;
    char part[16 * 1024];
    std::size_t line = 0;  // bytes since the last newline
    for (;;) {
        const ssize_t count = ::read(STDIN_FILENO, part, sizeof part);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            inputs.errors.push_back(std::string(kListName) + ": cannot be read (" +
                                    std::generic_category().message(errno) + ")");
        }
        if (count <= 0) return text;
        const std::string_view more(part, static_cast<std::size_t>(count));
        text += more;
        const std::size_t newline = more.rfind('\n');
        line = newline == std::string_view::npos ? line + more.size() : more.size() - newline - 1;
        if (line > kMaxLineBytes) {
            inputs.errors.push_back(std::string(kListName) +
                                    ": expected one path a line, found one of more than " +
                                    std::to_string(kMaxLineBytes) + " bytes");
            text.resize(text.size() - line);
            return text;
        }
        if (text.size() > kMaxListBytes) {
            inputs.errors.push_back(std::string(kListName) + ": expected a list of at most " +
                                    std::to_string(kMaxListBytes) + " bytes");
            return "";
        }
    }
}

void expand_list(FileNames names, Inputs& inputs) {
    const std::size_t errors = inputs.errors.size();
    const std::size_t images = inputs.images.size();
    const std::string list = read_list(inputs);
    const Result<std::string_view> text = check_text(list, kListName);
    if (!text) {
        inputs.errors.push_back(text.error().message + ", one path a line");
        return;
    }
    std::string_view rest = *text;
    while (!rest.empty()) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!line.empty()) expand(std::string(line), names, inputs);
    }
    if (inputs.images.size() == images && inputs.errors.size() == errors) {
        inputs.errors.push_back(std::string("no path on ") + kListName);
    }
}

}  // namespace

bool has_image_name(const std::string& path) {
    std::string extension = fs::path(path).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return extension == ".jpg" || extension == ".jpeg" || extension == ".jpe" ||
           extension == ".png" || extension == ".bmp";
}

Inputs expand_inputs(const std::vector<std::string>& paths, FileNames names) {
    Inputs inputs;
    for (const std::string& path : paths) {
        if (path == "-") {
            expand_list(names, inputs);
        } else {
            expand(path, names, inputs);
        }
    }
    return inputs;
}

}  // namespace lprnet::cli
