// Images with the texts that they are known to show.
#pragma once

#include <string>
#include <vector>

#include "lprnet/error.h"

namespace lprnet::cli {

struct LabelledImage {
    std::string path;
    std::string text;
    std::string set;  // empty if the labels name none
};

// `path` is a labels.tsv (path<TAB>text[<TAB>set...], paths relative to it), a folder
// that holds one, or a folder of images whose names begin with the text and end it
// with the first '.', '-' or '_'. Errors name the file and the line.
Result<std::vector<LabelledImage>> read_labels(const std::string& path);

}  // namespace lprnet::cli
