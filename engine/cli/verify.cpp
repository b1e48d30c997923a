#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/cli/backend_option.h"
#include "engine/cli/json_line.h"
#include "engine/cli/model_option.h"
#include "engine/cli/number_range.h"
#include "engine/cli/table.h"
#include "engine/cli/verbs.h"
#include "engine/decode/ctc_greedy.h"
#include "engine/model/model_data.h"
#include "engine/run/network.h"
#include "engine/text/printable.h"
#include "weights/safetensors.h"

namespace lprnet::cli {
namespace {

using Json = nlohmann::ordered_json;
using weights::SafetensorsFile;
using weights::TensorView;

// The lowest cosine of a layer that passes: of float32, and of a .bin, which is in int8; the latter
// is what the board's toolchain calls normal.
constexpr double kMinCosine = 0.999999;
constexpr double kMinCosineBpu = 0.99;

struct VerifyOptions {
    ModelOption model;
    BackendOption backend;
    std::string dump;
    std::optional<double> min_cosine;
    bool json = false;
};

// Sums over all elements of all images of one layer.
struct Difference {
    double max_abs = 0.0;
    double square_error = 0.0;
    double square_expected = 0.0;
    double square_found = 0.0;
    double product = 0.0;

    void add(double expected, double found) {
        const double error = std::abs(expected - found);
        // A NaN is the largest error of all; max() would lose it.
        if (!(error <= max_abs)) max_abs = error;
        square_error += error * error;
        square_expected += expected * expected;
        square_found += found * found;
        product += expected * found;
    }
    double rel_l2() const {
        return square_expected > 0.0 ? std::sqrt(square_error / square_expected)
                                     : std::sqrt(square_error);
    }
    double cosine() const {
        if (square_error == 0.0) return 1.0;  // also where both are all zeros
        return product / std::sqrt(square_expected * square_found);
    }
};

struct VerifiedLayer {
    std::string name;
    Difference difference;
    bool ok = false;
};

struct Report {
    std::vector<VerifiedLayer> layers;
    std::vector<std::string> fused;  // in the dump, but not computed on their own
    std::string first_bad;
    std::size_t images = 0;
    std::size_t other_texts = 0;
    bool texts_equal() const { return other_texts == 0; }
};

std::string shape_text(const std::vector<std::int64_t>& shape) {
    std::string text = "[";
    for (const std::int64_t extent : shape) {
        if (text.size() > 1) text += ", ";
        text += std::to_string(extent);
    }
    return text + "]";
}

// A float32 tensor of the dump: [image, c, h, w], or [image, c, w] where h is 1.
class Dumped {
public:
    static Result<Dumped> find(const SafetensorsFile& file, const std::string& name,
                               const Shape& like) {
        const TensorView* view = file.find(name);
        if (view == nullptr)
            return Error{ErrorCode::mismatch, file.label() + ": tensor '" + name + "' is missing"};
        Dumped dumped;
        dumped.image_size_ = static_cast<std::size_t>(like.c) * static_cast<std::size_t>(like.h) *
                             static_cast<std::size_t>(like.w);
        const std::vector<std::int64_t>& shape = view->shape;
        const bool flat =
            like.h == 1 && shape.size() == 3 && shape[1] == like.c && shape[2] == like.w;
        const bool deep =
            shape.size() == 4 && shape[1] == like.c && shape[2] == like.h && shape[3] == like.w;
        if (view->dtype != weights::DType::f32 || !(flat || deep) || shape[0] < 1) {
            return Error{ErrorCode::mismatch, file.label() + ": tensor '" + name + "' is " +
                                                  std::string(weights::dtype_name(view->dtype)) +
                                                  " " + shape_text(shape) + ", expected F32 " +
                                                  shape_text({-1, like.c, like.h, like.w}) +
                                                  ", where -1 is any number of images"};
        }
        dumped.images_ = static_cast<std::size_t>(shape[0]);
        if (Status s = view->copy_f32(dumped.values_); !s) return s.error();
        return dumped;
    }

    std::size_t images() const { return images_; }
    std::span<const float> image(std::size_t i) const {
        return std::span(values_).subspan(i * image_size_, image_size_);
    }

private:
    std::vector<float> values_;
    std::size_t images_ = 0;
    std::size_t image_size_ = 0;
};

// Greedy text of logits in PyTorch's order, [class][step].
std::string text_of(std::span<const float> logits, const Model& model) {
    const std::size_t classes = model.charset().size();
    const std::size_t steps = logits.size() / classes;
    std::vector<float> by_step(logits.size());
    for (std::size_t c = 0; c < classes; ++c) {
        for (std::size_t t = 0; t < steps; ++t) by_step[t * classes + c] = logits[c * steps + t];
    }
    std::vector<std::int32_t> labels(steps);
    std::string text;
    for (const std::int32_t label : best_path(by_step, classes, model.blank(), labels)) {
        text += model.charset()[static_cast<std::size_t>(label)];
    }
    return text;
}

void judge(Report& report, double min_cosine) {
    for (VerifiedLayer& layer : report.layers) {
        layer.ok = layer.difference.cosine() >= min_cosine;
        if (!layer.ok && report.first_bad.empty()) report.first_bad = layer.name;
    }
}

Result<Report> compare(const SafetensorsFile& file, const Model& model, Recognizer& recognizer,
                       double min_cosine) {
    Network& network = recognizer.network();
    const Plan& plan = network.plan();

    Result<Dumped> input = Dumped::find(file, "input", plan.input.shape);
    if (!input) return input.error();
    std::map<std::string, Dumped, std::less<>> expected;
    Report report;
    report.images = input->images();
    for (const StepInfo& step : plan.info) {
        // The branches of the context are computed in another order than PyTorch's.
        if (step.op == Op::context_tap || step.op == Op::concat) continue;
        if (file.find(step.name) == nullptr) continue;
        Result<Dumped> dumped = Dumped::find(file, step.name, step.output.shape);
        if (!dumped) return dumped.error();
        if (dumped->images() != input->images()) {
            return Error{ErrorCode::mismatch, file.label() + ": tensor '" + step.name + "' has " +
                                                  std::to_string(dumped->images()) +
                                                  " images, but 'input' has " +
                                                  std::to_string(input->images())};
        }
        report.layers.push_back({step.name, {}, false});
        expected.emplace(step.name, std::move(*dumped));
    }
    const auto logits = expected.find(plan.info.back().name);
    if (logits == expected.end()) {
        return Error{ErrorCode::mismatch, file.label() + ": tensor 'logits' is missing"};
    }
    for (const TensorView& tensor : file.tensors()) {
        if (tensor.name != "input" && expected.count(tensor.name) == 0) {
            report.fused.push_back(tensor.name);
        }
    }

    Reading reading;
    std::vector<double> found;
    for (std::size_t image = 0; image < report.images; ++image) {
        const std::span<const float> pixels = input->image(image);
        network.set_input_planes(pixels);
        std::size_t next = 0;
        for (std::size_t s = 0; s < plan.info.size(); ++s) {
            const StepInfo& step = plan.info[s];
            network.run_step(s);
            const auto it = expected.find(step.name);
            if (it == expected.end()) continue;
            const std::span<const float> values = it->second.image(image);
            Difference& difference = report.layers[next++].difference;
            network.read_output(s, found);
            for (std::size_t i = 0; i < found.size(); ++i) {
                difference.add(static_cast<double>(values[i]), found[i]);
            }
        }
        if (Status s = recognizer.decode(reading); !s) return s.error();
        if (reading.text != text_of(logits->second.image(image), model)) ++report.other_texts;
    }
    judge(report, min_cosine);
    return report;
}

// [c][h][w] of a dump, averaged as `pool` says where a branch is pooled.
std::vector<double> pooled(std::span<const float> values, const Node& branch, const Shape& from) {
    std::vector<double> means(values.begin(), values.end());
    if (branch.op != Op::average_pool) return means;
    means.clear();
    for (int c = 0; c < branch.shape.c; ++c) {
        for (int y = 0; y < branch.shape.h; ++y) {
            for (int x = 0; x < branch.shape.w; ++x) {
                double sum = 0.0;
                for (int i = 0; i < branch.window.h * branch.window.w; ++i) {
                    const int row = y * branch.stride.h + i / branch.window.w;
                    const int column = x * branch.stride.w + i % branch.window.w;
                    sum += static_cast<double>(
                        values[static_cast<std::size_t>((c * from.h + row) * from.w + column)]);
                }
                means.push_back(sum / (branch.window.h * branch.window.w));
            }
        }
    }
    return means;
}

// A branch of a split tail, and the layer of the dump that it is pooled from.
struct Branch {
    std::size_t index;
    const Node* node;
    const Node* source;
    Dumped dumped;
};

// What a .bin gives: branches, if it does and the dump has what they are pooled from, and logits.
Result<Report> compare(const SafetensorsFile& file, const Model& model, bpu::Recognizer& recognizer,
                       double min_cosine) {
    const Graph& graph = model.data().graph;
    Result<Dumped> input = Dumped::find(file, "input", graph.input_shape());
    if (!input) return input.error();
    Result<Dumped> logits = Dumped::find(file, "logits", graph.output_shape());
    if (!logits) return logits.error();

    Report report;
    report.images = input->images();
    std::vector<Branch> branches;
    std::size_t next = 0;
    for (const Node& node : graph.nodes) {
        if (node.op != Op::normalize || recognizer.branches().empty()) continue;
        const Node& branch = graph.nodes[static_cast<std::size_t>(node.inputs.front())];
        const Node& source = branch.op == Op::average_pool
                                 ? graph.nodes[static_cast<std::size_t>(branch.inputs.front())]
                                 : branch;
        const std::size_t index = next++;
        if (file.find(source.name) == nullptr) continue;
        Result<Dumped> dumped = Dumped::find(file, source.name, source.shape);
        if (!dumped) return dumped.error();
        report.layers.push_back({"branch" + std::to_string(index), {}, false});
        branches.push_back({index, &branch, &source, std::move(*dumped)});
    }
    report.layers.push_back({"logits", {}, false});
    const auto same_images = [&](const Dumped& dumped) { return dumped.images() == report.images; };
    if (!same_images(*logits) ||
        !std::all_of(branches.begin(), branches.end(),
                     [&](const Branch& branch) { return same_images(branch.dumped); }))
        return Error{ErrorCode::mismatch,
                     file.label() + ": tensors of different numbers of images"};

    // A dump has [channel][row][column]; the recognizer the channel last.
    const Shape shape = graph.input_shape();
    const auto channels = static_cast<std::size_t>(shape.c);
    std::vector<float> pixels(input->image(0).size());
    const std::size_t plane = pixels.size() / channels;
    Reading reading;
    for (std::size_t image = 0; image < report.images; ++image) {
        for (std::size_t i = 0; i < pixels.size(); ++i)
            pixels[i] = input->image(image)[i % channels * plane + i / channels];
        if (Status s = recognizer.set_input(pixels); !s) return s.error();
        if (Status s = recognizer.infer(); !s) return s.error();
        if (Status s = recognizer.decode(reading); !s) return s.error();
        const auto add = [&](Difference& difference, const auto& expected,
                             std::span<const float> found, std::size_t width) {
            const std::size_t size = found.size() / width;
            for (std::size_t i = 0; i < found.size(); ++i)
                difference.add(static_cast<double>(expected[i % width * size + i / width]),
                               static_cast<double>(found[i]));
        };
        for (std::size_t b = 0; b < branches.size(); ++b) {
            const Branch& branch = branches[b];
            add(report.layers[b].difference,
                pooled(branch.dumped.image(image), *branch.node, branch.source->shape),
                recognizer.branches()[branch.index],
                static_cast<std::size_t>(branch.node->shape.c));
        }
        add(report.layers.back().difference, logits->image(image), recognizer.logits(),
            model.charset().size());
        if (reading.text != text_of(logits->image(image), model)) ++report.other_texts;
    }
    judge(report, min_cosine);
    return report;
}

void print_json(const Report& report, bool ok, const char* isa) {
    Json layers = Json::array();
    for (const VerifiedLayer& layer : report.layers) {
        layers.push_back({{"name", layer.name},
                          {"max_abs", layer.difference.max_abs},
                          {"rel_l2", layer.difference.rel_l2()},
                          {"cosine", layer.difference.cosine()},
                          {"ok", layer.ok}});
    }
    const Json json = {{"ok", ok},
                       {"first_bad", report.first_bad.empty() ? Json() : Json(report.first_bad)},
                       {"layers", layers},
                       {"fused", report.fused},
                       {"texts_equal", report.texts_equal()},
                       {"images", report.images},
                       {"isa", isa}};
    print_json_line(json);
}

void print_text(const Report& report, const char* isa) {
    std::vector<std::vector<std::string>> rows = {{"layer", "max abs", "rel l2", "cosine", ""}};
    for (const VerifiedLayer& layer : report.layers) {
        rows.push_back({layer.name, short_number(layer.difference.max_abs),
                        short_number(layer.difference.rel_l2()),
                        fixed(layer.difference.cosine(), 9), layer.ok ? "ok" : "BAD"});
    }
    print_table(rows, {true, false, false, false, true});
    std::string fused;
    for (const std::string& name : report.fused) fused += " " + printable(name);
    if (!fused.empty()) std::printf("not computed on their own:%s\n", fused.c_str());
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
    Result<SafetensorsFile> file = SafetensorsFile::open(options.dump);
    if (!file) {
        print_error(file.error().message);
        return kUnreadable;
    }
    const auto format = file->metadata().find("lprnet.format");
    if (format == file->metadata().end() || format->second != "dump-1") {
        print_error(printable(options.dump) + ": no dump: metadata 'lprnet.format' is " +
                    (format == file->metadata().end() ? "missing" : in_quotes(format->second)) +
                    ", expected 'dump-1'");
        return kUnreadable;
    }
    const double min_cosine =
        options.min_cosine.value_or(recognizer->is_bpu() ? kMinCosineBpu : kMinCosine);
    Result<Report> report = recognizer->is_bpu()
                                ? compare(*file, *model, *recognizer->bpu(), min_cosine)
                                : compare(*file, *model, *recognizer->cpu(), min_cosine);
    if (!report) {
        print_error(report.error().message);
        return kUnreadable;
    }
    const bool ok = report->first_bad.empty() && report->texts_equal();
    if (options.json) {
        print_json(*report, ok, recognizer->isa());
    } else {
        print_text(*report, recognizer->isa());
    }
    if (Status closed = recognizer->close(); !closed) return fail(closed.error());
    return ok ? kDone : kCheckFailed;
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
