#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "engine/cli/backend_option.h"
#include "engine/cli/decode_option.h"
#include "engine/cli/evaluation.h"
#include "engine/cli/html_option.h"
#include "engine/cli/json_line.h"
#include "engine/cli/labels.h"
#include "engine/cli/model_option.h"
#include "engine/cli/number_range.h"
#include "engine/cli/process.h"
#include "engine/cli/progress.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "engine/report/eval_page.h"
#include "engine/text/printable.h"

namespace lprnet::cli {
namespace {

using Json = nlohmann::ordered_json;
using measure::Evaluation;
using measure::Reliability;
using measure::Score;
using measure::TemperatureFit;

struct EvalOptions {
    ModelOption model;
    BackendOption backend;
    std::string labels;
    DecodeOption decode;
    double min_accuracy = 0.0;
    bool fit_temperature = false;
    bool json = false;
    HtmlOption html;
};

Json score_json(const Score& score) {
    return {{"plates", score.plates},
            {"correct", score.correct},
            {"accuracy", score.accuracy()},
            {"char_accuracy", score.char_accuracy()},
            {"first_char_accuracy", score.first_accuracy()}};
}

void print_json(const Evaluation& evaluation, const EvalOptions& options, const Model& model,
                const AnyRecognizer& recognizer, const std::optional<TemperatureFit>& fit) {
    Json json = score_json(evaluation.all);
    json["decode"] = options.decode.name();
    json["precision"] = recognizer.precision(model);
    json["isa"] = recognizer.isa();
    json["backend"] = recognizer.backend();
    json["model"] = model.name();
    json["expected_calibration_error"] = evaluation.reliability.expected_error();
    json["mean_confidence"] = evaluation.reliability.mean_confidence();
    json["rejected"] = evaluation.rejected;
    Json& bins = json["reliability"] = Json::array();
    for (const Reliability::Bin& bin : evaluation.reliability.bins()) {
        const double plates = static_cast<double>(std::max<std::size_t>(bin.plates, 1));
        bins.push_back({{"plates", bin.plates},
                        {"confidence", bin.confidence / plates},
                        {"accuracy", static_cast<double>(bin.correct) / plates}});
    }
    json["temperature"] = model.temperature();
    if (fit) {
        json["fitted_temperature"] = fit->temperature;
        json["fitted_loss"] = fit->loss;
        json["loss_at_one"] = fit->loss_at_one;
    }
    Json& sets = json["by_set"] = Json::object();
    for (const auto& [set, score] : evaluation.by_set) sets[set] = score_json(score);
    Json& lengths = json["by_length"] = Json::object();
    for (const auto& [length, score] : evaluation.by_length) {
        lengths[std::to_string(length)] = score_json(score);
    }
    Json& confusions = json["confusions"] = Json::array();
    for (const measure::Confusion& c : evaluation.most_confused()) {
        confusions.push_back({{"expected", c.expected}, {"found", c.found}, {"count", c.count}});
    }
    print_json_line(json);
}

std::string percent(double share) {
    return fixed(100.0 * share, 2);
}

std::vector<std::string> score_row(const std::string& name, const Score& score) {
    return {name,
            std::to_string(score.plates),
            std::to_string(score.correct),
            percent(score.accuracy()),
            percent(score.char_accuracy()),
            percent(score.first_accuracy())};
}

void print_text(const Evaluation& evaluation, const EvalOptions& options, const Model& model,
                const std::optional<TemperatureFit>& fit) {
    std::vector<std::vector<std::string>> rows = {
        {"set", "plates", "correct", "plate %", "character %", "first %"}};
    for (const auto& [set, score] : evaluation.by_set) {
        if (!set.empty()) rows.push_back(score_row(set, score));
    }
    rows.push_back(score_row("all", evaluation.all));
    for (const auto& [length, score] : evaluation.by_length) {
        rows.push_back(score_row("length " + std::to_string(length), score));
    }
    print_table(rows, {true, false, false, false, false, false});

    std::vector<std::vector<std::string>> confused = {{"expected", "found", "count"}};
    constexpr std::size_t kShown = 20;
    for (const measure::Confusion& c : evaluation.most_confused()) {
        if (confused.size() > kShown) break;
        confused.push_back({c.expected.empty() ? "(none)" : c.expected,
                            c.found.empty() ? "(none)" : c.found, std::to_string(c.count)});
    }
    if (confused.size() > 1) {
        std::puts("");
        print_table(confused, {true, true, false});
    }
    std::printf("\nmodel %s, decoder %s\n", printable(model.name()).c_str(),
                options.decode.name().c_str());
    std::printf("mean confidence %s %%, expected calibration error %s points, %zu rejected\n",
                percent(evaluation.reliability.mean_confidence()).c_str(),
                percent(evaluation.reliability.expected_error()).c_str(), evaluation.rejected);
    if (fit) {
        std::printf("temperature %.3f fits best: loss %.4f, %.4f at 1, model's own is %.3f\n",
                    fit->temperature, fit->loss, fit->loss_at_one, model.temperature());
    }
}

Status write_html(const Evaluation& evaluation, const report::Misreads& misreads,
                  const EvalOptions& options, const Model& model, const AnyRecognizer& recognizer) {
    if (!options.html) return {};
    return report::write_eval_page(options.html.path,
                                   {{"pictures", options.labels},
                                    {"model", model.name()},
                                    {"precision", recognizer.precision(model)},
                                    {"decoder", options.decode.name()},
                                    {"instruction set", recognizer.isa()}},
                                   evaluation, misreads);
}

ExitStatus run(const EvalOptions& options) {
    if (Status path = options.html.check(); !path) return fail(path.error());
    Result<Model> model = options.model.load();
    if (!model) return fail(model.error());
    Result<DecodeOptions> decoding = options.decode.load(false);
    if (!decoding) return fail(decoding.error());
    Result<AnyRecognizer> recognizer = options.backend.open(options.model, *model, *decoding);
    if (!recognizer) return fail(recognizer.error());
    options.decode.warn(*decoding, *model);
    Result<std::vector<LabelledImage>> labelled = read_labels(options.labels);
    if (!labelled) {
        print_error(labelled.error().message);
        return kUnreadable;
    }

    Evaluation evaluation;
    evaluation.decoder = decoding->decoder;
    measure::LabelledLogits logits;
    report::Misreads misreads;
    const ExitStatus status =
        evaluate(*labelled, *recognizer, evaluation, options.fit_temperature ? &logits : nullptr,
                 options.html ? &misreads : nullptr);
    std::optional<TemperatureFit> fit;
    if (options.fit_temperature) {
        MeasureProgress progress("fitting");
        const Result<TemperatureFit> fitted =
            measure::fit_temperature(*model, logits, *decoding, progress);
        progress.hide();
        if (!fitted) return fail(fitted.error());
        fit = *fitted;
    }

    if (options.json) {
        print_json(evaluation, options, *model, *recognizer, fit);
    } else {
        print_text(evaluation, options, *model, fit);
    }
    const Status written = write_html(evaluation, misreads, options, *model, *recognizer);
    if (Status closed = recognizer->close(); !closed) return fail(closed.error());
    if (!written) return fail(written.error());
    if (status == kDone && evaluation.all.accuracy() < options.min_accuracy) {
        print_error("accuracy " + fixed(evaluation.all.accuracy(), 4) + ", expected at least " +
                    fixed(options.min_accuracy, 4));
        return kCheckFailed;
    }
    return status;
}

}  // namespace

Verb add_eval(CLI::App& app) {
    auto options = std::make_shared<EvalOptions>();
    app.add_option("DIR|labels.tsv", options->labels,
                   "Folder or table of labelled images: path<TAB>text[<TAB>set]")
        ->required();
    options->model.add_to(app);
    options->backend.add_to(app);
    options->decode.add_to(app);
    app.add_option("--min-accuracy", options->min_accuracy,
                   "Exit with 1 if fewer plates are read right, 0..1")
        ->check(number_range(0.0, 1.0));
    app.add_flag("--fit-temperature", options->fit_temperature,
                 "Also find the temperature that makes the confidences right on these images");
    options->html.add_to(app);
    app.add_flag("-j,--json", options->json, "One JSON object");
    return [options] { return run(*options); };
}

}  // namespace lprnet::cli
