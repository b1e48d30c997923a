// --html FILE: a report to look at, beside what is printed.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "lprnet/error.h"
#include "weights/whole_file.h"

namespace lprnet::cli {

struct HtmlOption {
    std::string path;  // empty: none

    explicit operator bool() const { return !path.empty(); }
    void add_to(CLI::App& app) {
        app.add_option("--html", path,
                       "Also write a report to look at: one file, whole or not at all")
            ->type_name("FILE")
            ->check([](const std::string& name) {
                return name.empty() ? std::string("expected the name of a file") : std::string();
            });
    }
    // Before long work, whether there can be such a file.
    Status check() const { return path.empty() ? Status() : weights::check_output_path(path); }
};

}  // namespace lprnet::cli
