#include "engine/compress/clip.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/model/quantization.h"

namespace lprnet {
namespace {

constexpr double kLevels = kMostLevel;
constexpr double kPercentile = 0.9999;

double percentile(const Histogram& histogram) {
    double total = 0.0;
    for (const double count : histogram.counts) total += count;
    double below = 0.0;
    for (std::size_t bin = 0; bin < Histogram::kBins; ++bin) {
        below += histogram.counts[bin];
        if (below >= kPercentile * total) {
            return static_cast<double>(bin + 1) / Histogram::kBins *
                   static_cast<double>(histogram.largest);
        }
    }
    return static_cast<double>(histogram.largest);
}

double squared_error(const Histogram& histogram, double clip) {
    const double step = clip / kLevels;
    double sum = 0.0;
    for (std::size_t bin = 0; bin < Histogram::kBins; ++bin) {
        const double value = histogram.center(bin);
        const double stored = std::min(std::nearbyint(value / step), kLevels) * step;
        sum += histogram.counts[bin] * (value - stored) * (value - stored);
    }
    return sum;
}

double least_squares(const Histogram& histogram) {
    const double largest = static_cast<double>(histogram.largest);
    double best = largest, least = squared_error(histogram, largest);
    for (int percent = 20; percent < 100; ++percent) {
        const double clip = largest * percent / 100.0;
        const double error = squared_error(histogram, clip);
        if (error < least) {
            least = error;
            best = clip;
        }
    }
    return best;
}

// Of the distribution up to bin `end`, what lies behind in its last bin, from that in which the
// bins of each step that are not empty share its counts evenly: Migacz, "8-bit Inference with
// TensorRT" (2017). The first bin, of zeros, is left out: it is exact and outweighs all others.
double divergence(const Histogram& histogram, std::size_t end) {
    const std::vector<double>& counts = histogram.counts;
    double behind = 0.0, inside = 0.0;
    for (std::size_t bin = 1; bin < Histogram::kBins; ++bin) {
        (bin < end ? inside : behind) += counts[bin];
    }
    if (!(inside > 0.0)) return std::numeric_limits<double>::infinity();
    double sum = 0.0;
    const auto steps = static_cast<std::size_t>(kLevels) + 1;
    for (std::size_t step = 0; step < steps; ++step) {
        const std::size_t from = std::max(step * end / steps, std::size_t{1});
        const std::size_t to = (step + 1) * end / steps;
        double count = 0.0, filled = 0.0;
        for (std::size_t bin = from; bin < to; ++bin) {
            count += counts[bin];
            if (counts[bin] > 0.0) filled += 1.0;
        }
        for (std::size_t bin = from; bin < to; ++bin) {
            const double real = counts[bin] + (bin + 1 == end ? behind : 0.0);
            if (!(real > 0.0)) continue;
            // An empty last bin that takes what lies behind has no share of its own.
            const double rounded = counts[bin] > 0.0 ? count / filled : 1e-9;
            const double p = real / (inside + behind);
            sum += p * std::log(p / (rounded / inside));
        }
    }
    return sum;
}

double least_divergence(const Histogram& histogram) {
    constexpr std::size_t kFirst = 256, kStride = 16;
    std::size_t best = Histogram::kBins;
    double least = divergence(histogram, best);
    for (std::size_t end = kFirst; end < Histogram::kBins; end += kStride) {
        const double found = divergence(histogram, end);
        if (found < least) {
            least = found;
            best = end;
        }
    }
    return static_cast<double>(best) / Histogram::kBins * static_cast<double>(histogram.largest);
}

}  // namespace

void Histogram::add(float value) {
    if (!(value > 0.0f)) {
        counts[0] += 1.0;
        return;
    }
    const auto bin = static_cast<std::size_t>(value / largest * static_cast<float>(kBins));
    counts[std::min(bin, kBins - 1)] += 1.0;
}

double Histogram::center(std::size_t bin) const {
    return bin == 0 ? 0.0 : (static_cast<double>(bin) + 0.5) / kBins * static_cast<double>(largest);
}

double clip_of(const Histogram& histogram, ClipMethod method) {
    switch (method) {
        case ClipMethod::percentile: return percentile(histogram);
        case ClipMethod::mse: return least_squares(histogram);
        case ClipMethod::kl: return least_divergence(histogram);
        case ClipMethod::max:
        case ClipMethod::search: break;
    }
    return static_cast<double>(histogram.largest);
}

}  // namespace lprnet
