#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/cli/golden.h"
#include "engine/cli/json_line.h"
#include "engine/cli/model_file.h"
#include "engine/cli/model_option.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "kernels/dispatch.h"

namespace lprnet::cli {
namespace {

using Json = nlohmann::ordered_json;

// Sums of some thousand products in float32 against the reference's in double: an error of 1e-5
// is usual, one of 1e-3 a broken kernel.
constexpr double kMaxError = 1e-4;

struct SelftestOptions {
    std::string model;
    bool json = false;
};

// One network on one kernel table.
struct Check {
    std::string model, precision, isa;
    double error = 0.0;  // relative, of the logits
    std::string hash;    // of a quantized network
    std::string wrong;   // empty: all is well
};

double relative_error(const std::vector<float>& expected, const std::vector<float>& found) {
    double error = 0.0, size = 0.0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto e = static_cast<double>(expected[i]);
        error += (static_cast<double>(found[i]) - e) * (static_cast<double>(found[i]) - e);
        size += e * e;
    }
    return size > 0.0 ? std::sqrt(error / size) : error;
}

Status check_model(const std::string& path, const Model& model, std::vector<Check>& checks) {
    const Result<weights::SafetensorsFile> file = open_model_file(path, model);
    if (!file) return file.error();
    const auto golden = file->metadata().find(kGoldenKey);
    const kernels::CpuFeatures cpu = kernels::detect_cpu_features();
    std::vector<float> expected;
    for (const kernels::IsaEntry& entry : kernels::all_isas()) {  // "reference" is the first
        if (!entry.supported(cpu)) continue;
        const Result<std::vector<float>> found = golden_logits(model, *entry.table);
        if (!found) return found.error();
        if (expected.empty()) expected = *found;
        Check check = {model.name(), model.precision(), entry.table->name, 0.0, "", ""};
        check.error = relative_error(expected, *found);
        if (check.precision == "int8") {
            check.hash = golden_hash(*found);
            if (check.hash != golden_hash(expected)) {
                check.wrong = "other bits than the reference";
            } else if (golden != file->metadata().end() && golden->second != check.hash) {
                check.wrong = "expected " + golden->second;
            }
        } else if (!(check.error <= kMaxError)) {
            check.wrong = "too far from the reference";
        }
        checks.push_back(check);
    }
    return {};
}

void print_text(const std::vector<Check>& checks) {
    std::vector<std::vector<std::string>> rows = {
        {"model", "precision", "isa", "error", "logits", ""}};
    for (const Check& check : checks) {
        rows.push_back({check.model, check.precision, check.isa, short_number(check.error),
                        check.hash, check.wrong.empty() ? "ok" : "WRONG: " + check.wrong});
    }
    print_table(rows, {true, true, true, false, true, true});
}

void print_json(const std::vector<Check>& checks) {
    Json json = Json::array();
    for (const Check& check : checks) {
        json.push_back({{"model", check.model},
                        {"precision", check.precision},
                        {"isa", check.isa},
                        {"error", check.error},
                        {"hash", check.hash.empty() ? Json() : Json(check.hash)},
                        {"ok", check.wrong.empty()}});
    }
    print_json_line(json);
}

ExitStatus run(const SelftestOptions& options) {
    std::vector<Check> checks;
    for (const char* precision : {"fp32", "int8"}) {
        if (!options.model.empty() && precision == std::string("int8")) break;
        const Result<Model> model =
            options.model.empty() ? Model::builtin(precision) : Model::load(options.model);
        if (!model) return fail(model.error());
        if (Status s = check_model(options.model, *model, checks); !s) return fail(s.error());
    }
    if (options.json) {
        print_json(checks);
    } else {
        print_text(checks);
    }
    const bool all_well = std::all_of(checks.begin(), checks.end(),
                                      [](const Check& check) { return check.wrong.empty(); });
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
