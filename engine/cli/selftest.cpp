#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/cli/json_line.h"
#include "engine/cli/model_option.h"
#include "engine/cli/process.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "engine/measure/selftest.h"
#include "engine/model/model_file.h"
#include "engine/text/number_text.h"

namespace lprnet::cli {
namespace {

using Json = nlohmann::ordered_json;
using measure::TableCheck;

struct SelftestOptions {
    std::string model;
    bool json = false;
};

void print_text(const std::vector<TableCheck>& checks) {
    std::vector<std::vector<std::string>> rows = {
        {"model", "precision", "isa", "error", "logits", ""}};
    for (const TableCheck& check : checks) {
        rows.push_back({check.model, check.precision, check.isa, short_number(check.error),
                        check.fingerprint, check.wrong.empty() ? "ok" : "WRONG: " + check.wrong});
    }
    print_table(rows, {true, true, true, false, true, true});
}

void print_json(const std::vector<TableCheck>& checks) {
    Json json = Json::array();
    for (const TableCheck& check : checks) {
        json.push_back({{"model", check.model},
                        {"precision", check.precision},
                        {"isa", check.isa},
                        {"error", check.error},
                        {"hash", check.fingerprint.empty() ? Json() : Json(check.fingerprint)},
                        {"ok", check.wrong.empty()}});
    }
    print_json_line(json);
}

ExitStatus run(const SelftestOptions& options) {
    std::vector<TableCheck> checks;
    for (const char* precision : {"fp32", "int8"}) {
        if (!options.model.empty() && precision == std::string("int8")) break;
        const Result<ModelFile> from = load_model_file(options.model, precision);
        if (!from) return fail(from.error());
        measure::Progress silent;
        const Result<std::vector<TableCheck>> found =
            measure::selftest(from->model, from->file.metadata(), silent);
        if (!found) return fail(found.error());
        checks.insert(checks.end(), found->begin(), found->end());
    }
    if (options.json) {
        print_json(checks);
    } else {
        print_text(checks);
    }
    const bool all_well = std::all_of(checks.begin(), checks.end(),
                                      [](const TableCheck& check) { return check.wrong.empty(); });
    return all_well ? kDone : kCheckFailed;
}

}  // namespace

Verb add_selftest(CLI::App& app) {
    auto options = std::make_shared<SelftestOptions>();
    app.add_option("-m,--model", options->model,
                   "Weights file (.safetensors); default: those built in, in every precision");
    app.add_flag("-j,--json", options->json, "One JSON array");
    return [options] { return run(*options); };
}

}  // namespace lprnet::cli
