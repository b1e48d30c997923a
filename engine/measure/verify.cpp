#include "engine/measure/verify.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "engine/boundary.h"
#include "engine/decode/ctc_greedy.h"
#include "engine/text/printable.h"

namespace lprnet::measure {
namespace {

// What of the dump is compared with which layer.
struct Compared {
    std::size_t layer;
    DumpedTensor dumped;
};

Result<DumpedTensor> find(const DumpFile& dump, const LayerSource::Layer& layer,
                          std::size_t images) {
    Result<DumpedTensor> dumped = dump.find(layer.dumped, layer.shape);
    if (dumped && dumped->images() != images) {
        return Error{ErrorCode::mismatch, printable(dump.label()) + ": tensor " +
                                              in_quotes(layer.dumped) + " has " +
                                              std::to_string(dumped->images()) +
                                              " images, but 'input' has " + std::to_string(images)};
    }
    return dumped;
}

// In the order of the layers, the logits last.
Result<std::vector<Compared>> layers_to_compare(const DumpFile& dump,
                                                const std::vector<LayerSource::Layer>& layers,
                                                std::size_t images) {
    std::vector<Compared> compared;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (i + 1 < layers.size() && !dump.has(layers[i].dumped)) continue;
        Result<DumpedTensor> dumped = find(dump, layers[i], images);
        if (!dumped) return dumped.error();
        compared.push_back({i, std::move(*dumped)});
    }
    return compared;
}

std::vector<std::string> names_besides(const DumpFile& dump,
                                       const std::vector<VerifiedLayer>& layers) {
    std::vector<std::string> names = dump.names();
    std::erase_if(names, [&](const std::string& name) {
        return name == "input" ||
               std::any_of(layers.begin(), layers.end(),
                           [&](const VerifiedLayer& layer) { return layer.name == name; });
    });
    return names;
}

// Adds what a source gives for one image after the other to the layers of the report.
class Comparison final : public LayerSink {
public:
    Comparison(const LayerSource& source, const std::vector<Compared>& compared,
               std::vector<VerifiedLayer>& report)
        : source_(source), compared_(compared), report_(report) {}

    void begin(std::size_t image) {
        image_ = image;
        taken_ = 0;
    }
    bool wants(std::size_t layer) const noexcept override {
        return taken_ < compared_.size() && compared_[taken_].layer == layer;
    }
    void take(std::size_t layer, std::span<const double> values) override {
        if (!wants(layer)) return;
        const std::vector<double> expected =
            source_.expected(layer, compared_[taken_].dumped.image(image_));
        if (expected.size() != values.size()) return;
        Difference& difference = report_[taken_++].difference;
        for (std::size_t i = 0; i < values.size(); ++i) difference.add(expected[i], values[i]);
    }
    // The name of a layer that was not given as it should be; null if all were.
    const std::string* missing() const {
        return taken_ < compared_.size() ? &report_[taken_].name : nullptr;
    }

private:
    const LayerSource& source_;
    const std::vector<Compared>& compared_;
    std::vector<VerifiedLayer>& report_;
    std::size_t image_ = 0;
    std::size_t taken_ = 0;  // layers of this image so far
};

// The text of logits in PyTorch's order, [class][time].
std::string text_of_planes(std::span<const float> logits, const Model& model) {
    const std::size_t classes = model.charset().size();
    const std::size_t times = logits.size() / classes;
    std::vector<float> by_time(logits.size());
    for (std::size_t c = 0; c < classes; ++c) {
        for (std::size_t t = 0; t < times; ++t) by_time[t * classes + c] = logits[c * times + t];
    }
    return greedy_text(by_time, model);
}

Status compare_images(const DumpedTensor& input, const std::vector<Compared>& compared,
                      const Model& model, LayerSource& source, Verification& report,
                      Progress& progress) {
    Comparison comparison(source, compared, report.layers);
    progress.begin(report.images);
    for (std::size_t image = 0; image < report.images; ++image) {
        if (!progress.advance(1)) return stopped();
        comparison.begin(image);
        if (Status s = source.run(input.image(image), comparison); !s) return s;
        if (const std::string* name = comparison.missing(); name != nullptr)
            return Error{ErrorCode::mismatch, "layer " + in_quotes(*name) + " was not computed"};
        const Result<std::string> text = source.text();
        if (!text) return text.error();
        if (*text != text_of_planes(compared.back().dumped.image(image), model))
            ++report.other_texts;
    }
    return {};
}

}  // namespace

std::string greedy_text(std::span<const float> logits, const Model& model) {
    const std::size_t classes = model.charset().size();
    std::vector<std::int32_t> labels(logits.size() / classes);
    std::string text;
    for (const std::int32_t label : best_path(logits, classes, model.blank(), labels)) {
        text += model.charset()[static_cast<std::size_t>(label)];
    }
    return text;
}

Result<Verification> verify(const DumpFile& dump, const Model& model, LayerSource& source,
                            double min_cosine, Progress& progress) noexcept {
    return guarded([&]() -> Result<Verification> {
        const Result<DumpedTensor> input = dump.find("input", source.input_shape());
        if (!input) return input.error();
        const std::vector<LayerSource::Layer> layers = source.layers();
        Verification report;
        report.images = input->images();
        const Result<std::vector<Compared>> compared =
            layers_to_compare(dump, layers, report.images);
        if (!compared) return compared.error();
        for (const Compared& of : *compared)
            report.layers.push_back({layers[of.layer].name, {}, false});
        if (source.has_all_layers()) report.fused = names_besides(dump, report.layers);
        if (Status s = compare_images(*input, *compared, model, source, report, progress); !s)
            return s.error();
        for (VerifiedLayer& layer : report.layers) {
            layer.ok = layer.difference.cosine() >= min_cosine;
            if (!layer.ok && report.first_bad.empty()) report.first_bad = layer.name;
        }
        return report;
    });
}

}  // namespace lprnet::measure
