#include "engine/cli/model_option.h"

#include <cstdio>

namespace lprnet::cli {

void ModelOption::add_to(CLI::App& app) {
    app.add_option("-m,--model", path, "Weights file (.safetensors); default: the one built in");
    app.add_option("--precision", precision, "Arithmetic: fp32")
        ->check(CLI::IsMember({"fp32"}))
        ->capture_default_str();
}

Result<Model> ModelOption::load() const {
    return path.empty() ? Model::builtin() : Model::load(path);
}

void print_error(const std::string& message) {
    std::fprintf(stderr, "lprnet: %s\n", message.c_str());
}

ExitStatus fail(const Error& error) {
    print_error(error.message);
    return error.code == ErrorCode::unsupported || error.code == ErrorCode::invalid_argument
               ? kWrongUsage
               : kUnreadable;
}

}  // namespace lprnet::cli
