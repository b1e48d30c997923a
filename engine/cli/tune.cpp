#include "engine/measure/tune.h"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "engine/cli/model_option.h"
#include "engine/cli/number_range.h"
#include "engine/cli/process.h"
#include "engine/cli/progress.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "engine/run/choose_table.h"
#include "engine/text/printable.h"
#include "weights/whole_file.h"

namespace lprnet::cli {
namespace {

struct TuneOptions {
    ModelOption model;
    std::string output;
    double seconds = 5.0;
};

// Where there is a choice; one algorithm alone is none.
void print_text(const measure::TuneResult& result) {
    std::vector<std::vector<std::string>> rows = {
        {"in", "out", "taps", "output", "zero %", "fastest", "us", "direct us"}};
    for (const measure::ShapeTiming& timing : result.shapes) {
        if (timing.times.size() == 1) continue;
        const ConvShape& shape = timing.shape;
        rows.push_back({std::to_string(shape.ic), std::to_string(shape.oc),
                        std::to_string(shape.kh) + "x" + std::to_string(shape.kw),
                        std::to_string(shape.oh) + "x" + std::to_string(shape.ow),
                        std::to_string(shape.zero_percent),
                        algorithm_text(timing.fastest.algorithm), fixed(timing.fastest.us, 1),
                        fixed(timing.times.front().us, 1)});
    }
    print_table(rows, {false, false, true, true, false, true, false, false});
    std::printf("isa %s, %zu runs\n", result.tuning.isa.c_str(), result.runs);
}

ExitStatus run(const TuneOptions& options) {
    Result<Model> model = options.model.load();
    if (!model) return fail(model.error());
    if (!options.output.empty()) {
        if (Status status = weights::check_output_path(options.output); !status)
            return fail(status.error());
        std::error_code none;
        if (!options.model.path.empty() &&
            std::filesystem::equivalent(options.model.path, options.output, none)) {
            return fail({ErrorCode::invalid_argument, printable(options.output) +
                                                          ": is the weights file, expected "
                                                          "another one for the tuning"});
        }
    }
    Result<const kernels::KernelTable*> table = table_for("");
    if (!table) return fail(table.error());
    MeasureProgress progress("measuring");
    const Result<measure::TuneResult> result =
        measure::tune(*model, **table, options.seconds, progress);
    progress.hide();
    if (!result) return fail(result.error());
    print_text(*result);
    if (options.output.empty()) return kDone;
    const std::string text = tuning_text(result->tuning);
    const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(text))};
    if (Status status = weights::write_whole_file(options.output, pieces); !status)
        return fail(status.error());
    return kDone;
}

}  // namespace

Verb add_tune(CLI::App& app) {
    auto options = std::make_shared<TuneOptions>();
    options->model.add_to(app);
    app.add_option("-o,--output", options->output, "File to write, for --tuning of other verbs");
    app.add_option("--seconds", options->seconds,
                   "Time to measure, about; 0: no more than it takes")
        ->check(number_range(0.0, 600.0))
        ->capture_default_str();
    return [options] { return run(*options); };
}

}  // namespace lprnet::cli
