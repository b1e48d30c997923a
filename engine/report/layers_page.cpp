#include "engine/report/layers_page.h"

#include <algorithm>
#include <utility>

#include "engine/text/number_text.h"

namespace lprnet::report {

Status write_bench_page(const std::string& path, const std::vector<Fact>& facts,
                        const std::vector<TimedThreads>& times,
                        const std::vector<TimedLayer>& layers) {
    Page page("Speed", facts);
    if (!times.empty()) {
        const measure::Latencies& first = times.front().times;
        page.tiles({{"average", fixed(first.mean_ms, 3) + " ms"},
                    {"median", fixed(first.p50_ms, 3) + " ms"},
                    {"99 of 100 within", fixed(first.p99_ms, 3) + " ms"},
                    {"frames a second", fixed(first.frames_per_second, 0)}});
        page.heading("Latency in milliseconds");
        std::vector<std::vector<std::string>> rows = {
            {"threads", "min", "mean", "p50", "p90", "p99", "max", "FPS"}};
        for (const TimedThreads& row : times) {
            rows.push_back({std::to_string(row.threads)});
            for (const double ms : {row.times.min_ms, row.times.mean_ms, row.times.p50_ms,
                                    row.times.p90_ms, row.times.p99_ms, row.times.max_ms})
                rows.back().push_back(fixed(ms, 4));
            rows.back().push_back(fixed(row.times.frames_per_second, 1));
        }
        page.table(rows);
    }
    if (!layers.empty()) {
        page.heading("Median of each layer");
        double most = 0.0;
        for (const TimedLayer& layer : layers) most = std::max(most, layer.milliseconds);
        std::vector<Bar> chart;
        for (const TimedLayer& layer : layers) {
            std::string note = layer.kernel;
            if (layer.gmacs > 0.0) note += ", " + fixed(layer.gmacs, 1) + " GMAC/s";
            chart.push_back({layer.name, note, fixed(layer.milliseconds * 1e3, 1) + " us",
                             most > 0.0 ? layer.milliseconds / most : 0.0});
        }
        bars(page.html(), chart);
    }
    return std::move(page).write(path);
}

namespace {

// What `value` gives of each layer, as bars.
template <class Value>
void add_layers(Page& page, const measure::QuantizationReport& report, Value value) {
    double most = 0.0;
    for (const measure::LayerChange& layer : report.layers) most = std::max(most, value(layer));
    std::vector<Bar> chart;
    for (const measure::LayerChange& layer : report.layers) {
        const double found = value(layer);
        chart.push_back({layer.layer.name, layer.kernel, fixed(100.0 * found, 3) + " %",
                         most > 0.0 ? found / most : 0.0});
    }
    bars(page.html(), chart);
}

}  // namespace

Status write_quantize_page(const std::string& path, const std::vector<Fact>& facts,
                           const measure::QuantizationReport& report,
                           const std::vector<measure::Evaluation>& evaluations) {
    Page page("Quantization", facts);
    std::vector<Fact> tiles = {{"texts of " + std::to_string(report.images) + " that changed",
                                std::to_string(report.texts_changed)}};
    if (report.has_damage)
        tiles.push_back({"error of the logits", fixed(100.0 * report.damage, 3) + " %"});
    constexpr const char* kNames[] = {"read right before", "read right after"};
    for (std::size_t i = 0; i < evaluations.size() && i < std::size(kNames); ++i)
        tiles.push_back({kNames[i], percent(evaluations[i].all.accuracy())});
    page.tiles(tiles);
    if (report.has_damage) {
        page.heading("Error of the logits with one layer alone quantized");
        add_layers(page, report, [](const measure::LayerChange& layer) { return layer.alone; });
    }
    page.heading("Error of each layer's output");
    page.html().leaf("p", {}, "Of the network with all layers quantized, so that errors add up.");
    add_layers(page, report,
               [](const measure::LayerChange& layer) { return layer.relative_error(); });
    page.heading("Layers");
    std::vector<std::vector<std::string>> rows = {
        {"layer", "type", "kernel", "largest", "clip", "cosine", "error"}};
    for (const measure::LayerChange& layer : report.layers) {
        const bool clipped = layer.layer.clip > 0.0f;
        rows.push_back({layer.layer.name, layer.type, layer.kernel,
                        clipped ? fixed(static_cast<double>(layer.layer.largest), 3) : "",
                        clipped ? fixed(static_cast<double>(layer.layer.clip), 3) : "",
                        fixed(layer.cosine(), 6), fixed(100.0 * layer.relative_error(), 2) + " %"});
    }
    page.table(rows);
    return std::move(page).write(path);
}

}  // namespace lprnet::report
