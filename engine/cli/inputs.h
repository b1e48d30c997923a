// The images that the words on the command line mean.
#pragma once

#include <string>
#include <vector>

namespace lprnet::cli {

struct Inputs {
    std::vector<std::string> images;
    // One line each: paths that lead to no image, folders that cannot be listed, a list that cannot
    // be read. They count as unreadable.
    std::vector<std::string> errors;
    // One line each: files in a folder whose names are no image names, but for labels.tsv, and
    // links to folders. They do not.
    std::vector<std::string> skipped;
};

// Which files of a folder count: those with names of images, or all but labels.tsv.
enum class FileNames { images, any };

// A path is an image, a folder (searched in depth, in byte order of the paths) or "-" (paths on
// standard input, one a line). Order is kept. A list and a folder without an image are errors; a
// byte order mark and CRLF are not.
Inputs expand_inputs(const std::vector<std::string>& paths, FileNames names = FileNames::images);

// True for names ending in .jpg, .jpeg, .jpe, .png or .bmp in any case.
bool has_image_name(const std::string& path);

}  // namespace lprnet::cli
