#include "engine/cli/inputs.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "weights/printable.h"

namespace lprnet::cli {
namespace {

namespace fs = std::filesystem;

void expand_folder(const std::string& folder, FileNames names, Inputs& inputs) {
    std::error_code error;
    std::vector<std::string> files;
    fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied,
                                        error);
    for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
        std::error_code ignored;
        if (!it->is_directory(ignored)) files.push_back(it->path().string());
    }
    if (error) {
        inputs.errors.push_back(weights::printable(folder) + ": cannot list the folder (" +
                                error.message() + ")");
    }
    std::sort(files.begin(), files.end());
    std::size_t found = 0;
    for (std::string& file : files) {
        const bool labels = fs::path(file).filename() == "labels.tsv";  // belongs to the images
        if (names == FileNames::any ? !labels : has_image_name(file)) {
            inputs.images.push_back(std::move(file));
            ++found;
        } else if (!labels) {
            inputs.skipped.push_back(
                weights::printable(file) +
                ": skipped, expected a name ending in .jpg, .jpeg, .png or .bmp");
        }
    }
    if (found == 0 && !error) {
        inputs.errors.push_back(weights::printable(folder) + ": no image in this folder");
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

}  // namespace

bool has_image_name(const std::string& path) {
    std::string extension = fs::path(path).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return extension == ".jpg" || extension == ".jpeg" || extension == ".png" ||
           extension == ".bmp";
}

Inputs expand_inputs(const std::vector<std::string>& paths, FileNames names) {
    Inputs inputs;
    for (const std::string& path : paths) {
        if (path != "-") {
            expand(path, names, inputs);
            continue;
        }
        for (std::string line; std::getline(std::cin, line);) {
            if (!line.empty() && line.back() == '\r') line.pop_back();
            if (!line.empty()) expand(line, names, inputs);
        }
    }
    return inputs;
}

}  // namespace lprnet::cli
