#include "engine/measure/verify.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/cli/backend_option.h"
#include "engine/cli/bpu_layers.h"
#include "engine/cli/json_line.h"
#include "engine/cli/model_option.h"
#include "engine/cli/number_range.h"
#include "engine/cli/process.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "engine/cli/wrap.h"
#include "engine/measure/network_layers.h"
#include "engine/text/number_text.h"
#include "engine/text/printable.h"

namespace lprnet::cli {
namespace {

using Json = nlohmann::ordered_json;
using measure::Verification;
using measure::VerifiedLayer;

// The lowest cosine that passes of a .bin, which is in int8: what the board's toolchain calls
// normal.
constexpr double kMinCosineBpu = 0.99;

struct VerifyOptions {
    ModelOption model;
    BackendOption backend;
    std::string dump;
    std::optional<double> min_cosine;
    bool json = false;
};

std::unique_ptr<measure::LayerSource> layers_of(AnyRecognizer& recognizer, const Model& model) {
    if (recognizer.is_bpu()) return std::make_unique<BpuLayers>(*recognizer.bpu(), model);
    return std::make_unique<measure::NetworkLayers>(recognizer.cpu()->network(), model);
}

void print_json(const Verification& report, const char* isa) {
    Json layers = Json::array();
    for (const VerifiedLayer& layer : report.layers) {
        layers.push_back({{"name", layer.name},
                          {"max_abs", layer.difference.max_abs},
                          {"rel_l2", layer.difference.rel_l2()},
                          {"cosine", layer.difference.cosine()},
                          {"ok", layer.ok}});
    }
    const Json json = {{"ok", report.ok()},
                       {"first_bad", report.first_bad.empty() ? Json() : Json(report.first_bad)},
                       {"layers", layers},
                       {"fused", report.fused},
                       {"texts_equal", report.texts_equal()},
                       {"images", report.images},
                       {"isa", isa}};
    print_json_line(json);
}

void print_text(const Verification& report, const char* isa) {
    std::vector<std::vector<std::string>> rows = {{"layer", "max abs", "rel l2", "cosine", ""}};
    for (const VerifiedLayer& layer : report.layers) {
        rows.push_back({layer.name, short_number(layer.difference.max_abs),
                        short_number(layer.difference.rel_l2()),
                        fixed(layer.difference.cosine(), 9), layer.ok ? "ok" : "BAD"});
    }
    print_table(rows, {true, false, false, false, true});
    if (!report.fused.empty()) {
        std::string line = "not computed on their own:";
        for (const std::string& name : report.fused) line += " " + printable(name);
        std::puts(wrapped(line, kTerminalColumns - 2, 2).c_str());
    }
    const std::string texts =
        report.texts_equal() ? "equal" : "DIFFERENT in " + std::to_string(report.other_texts);
    std::printf("%zu images, texts %s, isa %s, first bad layer: %s\n", report.images, texts.c_str(),
                isa, report.first_bad.empty() ? "none" : report.first_bad.c_str());
}

ExitStatus run(const VerifyOptions& options) {
    Result<Model> model = options.model.load();
    if (!model) return fail(model.error());
    Result<AnyRecognizer> recognizer = options.backend.open(options.model, *model);
    if (!recognizer) return fail(recognizer.error());
    const Result<measure::DumpFile> dump = measure::DumpFile::open(options.dump);
    if (!dump) {
        print_error(dump.error().message);
        return kUnreadable;
    }
    const double min_cosine =
        options.min_cosine.value_or(recognizer->is_bpu() ? kMinCosineBpu : measure::kMinCosine);
    measure::Progress silent;
    const std::unique_ptr<measure::LayerSource> source = layers_of(*recognizer, *model);
    const Result<Verification> report = measure::verify(*dump, *model, *source, min_cosine, silent);
    if (!report) {
        print_error(report.error().message);
        return kUnreadable;
    }
    if (options.json) {
        print_json(*report, recognizer->isa());
    } else {
        print_text(*report, recognizer->isa());
    }
    if (Status closed = recognizer->close(); !closed) return fail(closed.error());
    return report->ok() ? kDone : kCheckFailed;
}

}  // namespace

Verb add_verify(CLI::App& app) {
    auto options = std::make_shared<VerifyOptions>();
    app.add_option("DUMP.safetensors", options->dump, "Dump written by scripts/dump_reference.py")
        ->required();
    options->model.add_to(app);
    options->backend.add_to(app);
    app.add_option("--min-cosine", options->min_cosine,
                   "Lowest cosine a layer may have; default: 0.999999, for the BPU 0.99")
        ->check(number_range(-1.0, 1.0));
    app.add_flag("-j,--json", options->json, "One JSON object");
    return [options] { return run(*options); };
}

}  // namespace lprnet::cli
