// The bounds. Let B[c] be one for all values of channel c, at least kFloor. A convolution computes
//
//     |y[o]| <= sum_i |w[o][i]| B[i] + |b[o]| = B[o],
//
// whatever the order of its sum, and so do batch norm, y = s x + (beta - s mean), and the two as
// one layer. ReLU and pools keep a bound; behind the division by the mean of squares it is
// kLargestContext, because more is an error there.
//
// What is lost below. Each product or sum of numbers under the smallest normal float is off by at
// most 2^-149 beside its relative error, so that a layer with n inputs adds e = n 2^-149 to the
// errors E that it reads: E[o] <= sum_i |w[o][i]| E[i] + e. If E[i] <= r B[i] for all i, then
// E[o] <= r (B[o] - |b[o]|) + e <= (r + e / kFloor) B[o]: for thirteen layers with n <= 2^18 and
// B <= 2^64 no value that the context reads is off by more than 2^(4 + 18 - 149 + 20 + 64) = 2^-43,
// and by 2^-63 in networks with bounds up to 2^44, which trained ones have. A branch whose values
// pass kLargestContext has a root of its mean square above 2^-30. So underflow shows in no logit.
//
// A sampled picture has no number beyond those of the picture: shares of four pixels, or zeros.
// What is lost in the map that it is sampled by moves positions by up to an extent times as much:
// below kNegligible, as by underflow, that is less than the rounding of a position.
//
// What becomes zero. Setting w[o][i] to zero changes y[o] by at most |w[o][i]| B[i], a term of its
// own in E[o]. The errors are summed up for the network at hand; only if what reaches the context
// is below kNegligible, 2^-26 of the least root of a mean square, less than float32's own
// rounding, is anything changed. Else all stays as it is.
#include "engine/model/number_range.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "engine/model/quantization.h"

namespace lprnet {
namespace {

constexpr float kFloor = 0x1p-20f;
constexpr double kTiny = 0x1p-100;
constexpr double kNegligible = 0x1p-56;
constexpr double kSuspiciousScale = 0x1p-30;
constexpr double kUnderflow = 0x1p-149;
constexpr double kEpsilon = 1e-5;  // of batch norms
constexpr std::size_t kLanes = 16;

// One output channel of a convolution.
struct RowSum {
    float bound;    // sum of |w| B
    bool has_tiny;  // or a zero
};

// In lanes, so that a compiler can use vectors: every start of the program does this, so it is left
// to a second look whether what is tiny matters.
RowSum sum_row(const float* w, const float* bound, std::size_t count) noexcept {
    constexpr float kSuspicious = 0x1p-60f;
    std::array<float, kLanes> sum = {}, least;
    least.fill(1.0f);
    const auto add = [&](std::size_t lane, std::size_t i) {
        const float a = std::abs(w[i]);
        sum[lane] += a * bound[i];
        least[lane] = a < least[lane] ? a : least[lane];
    };
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) add(lane, i + lane);
    }
    for (std::size_t lane = 0; i < count; ++i, ++lane) add(lane, i);
    RowSum row = {0.0f, false};
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        row.bound += sum[lane];
        row.has_tiny = row.has_tiny || least[lane] < kSuspicious;
    }
    return row;
}

// A convolution and the batch norm behind it, if there is one: the layer that runs.
struct FoldedConv {
    const Node& conv;
    const Node* norm;

    std::size_t channels() const { return conv.bias.size(); }
    std::size_t per_channel() const { return conv.weight.size() / channels(); }
    const Node& last() const { return norm != nullptr ? *norm : conv; }
    double scale(std::size_t o) const {
        if (norm == nullptr) return 1.0;
        return static_cast<double>(norm->weight[o]) /
               std::sqrt(static_cast<double>(norm->running_var[o]) + kEpsilon);
    }
    double bias(std::size_t o) const {
        const auto b = static_cast<double>(conv.bias[o]);
        if (norm == nullptr) return b;
        return (b - static_cast<double>(norm->running_mean[o])) * scale(o) +
               static_cast<double>(norm->bias[o]);
    }
    // No less than the numbers that `bias` is made of.
    double bias_bound(std::size_t o) const {
        const double b = std::abs(static_cast<double>(conv.bias[o]));
        if (norm == nullptr) return b;
        return std::abs(scale(o)) * (b + std::abs(static_cast<double>(norm->running_mean[o]))) +
               std::abs(static_cast<double>(norm->bias[o]));
    }
};

// What `values` of each channel become at every tap of a window.
template <class T>
std::vector<T> for_taps(const std::vector<T>& values, const Node& conv) {
    const auto taps = static_cast<std::size_t>(conv.kh) * static_cast<std::size_t>(conv.kw);
    std::vector<T> repeated;
    repeated.reserve(values.size() * taps);
    for (const T value : values) repeated.insert(repeated.end(), taps, value);
    return repeated;
}

class Settler {
public:
    Settler(const Preprocess& preprocess, const std::string& label, Graph& graph)
        : preprocess_(preprocess), label_(label), graph_(graph) {}

    Status run() {
        graph_.largest_pixel = 0.0f;
        for (int c = 0; c < channels(preprocess_.order); ++c)
            graph_.largest_pixel =
                std::max(graph_.largest_pixel, pixel_bound(static_cast<std::size_t>(c)));
        if (Status s = find_bounds(); !s || !suspicious_) return s;
        if (find_tiny() && sum_errors()) remove_tiny();
        return {};
    }

private:
    Node& node(int i) { return graph_.nodes[static_cast<std::size_t>(i)]; }
    int count() const { return static_cast<int>(graph_.nodes.size()); }
    bool is_norm_of(int norm, int conv) {
        return norm < count() && node(norm).op == Op::batch_norm &&
               node(norm).inputs.front() == conv;
    }
    FoldedConv layer(int conv) {
        return {node(conv), is_norm_of(conv + 1, conv) ? &node(conv + 1) : nullptr};
    }
    bool is_float(int i) { return node(i).op == Op::conv2d && !node(i).quantized(); }

    // By channel of what `i` reads, as `of` has it for the nodes before.
    template <class T>
    std::vector<T> passed_on(int i, const std::vector<std::vector<T>>& of) {
        const Node& reader = node(i);
        std::vector<T> values;
        for (const int input : reader.inputs) {
            const std::vector<T>& from = of[static_cast<std::size_t>(input)];
            const auto stride = static_cast<std::size_t>(reader.channel_stride);
            for (std::size_t c = 0; c < from.size(); c += stride) values.push_back(from[c]);
        }
        return values;
    }

    Status find_bounds() {
        bounds_.resize(graph_.nodes.size());
        largest_.resize(graph_.nodes.size());
        for (int i = 0; i < count(); ++i) {
            std::vector<float>& bound = bounds_[static_cast<std::size_t>(i)];
            const auto channels = static_cast<std::size_t>(node(i).shape.c);
            if (node(i).op == Op::input) {
                for (std::size_t c = 0; c < channels; ++c) bound.push_back(pixel_bound(c));
            } else if (node(i).op == Op::normalize) {
                bound.assign(channels, kLargestContext);
            } else if (node(i).op == Op::dequantize) {
                bound = largest_levels(node(i));
            } else if (node(i).op == Op::affine_sample) {
                bound = bounds_[static_cast<std::size_t>(node(i).inputs.front())];
            } else if (node(i).quantized()) {
                bound.assign(channels,
                             0.0f);  // its plan bounds integers, and the context resets it
            } else if (is_float(i)) {
                if (Status s = find_bounds_of(i); !s) return s;
            } else if (node(i).op == Op::batch_norm && is_norm_of(i, i - 1)) {
                bound = bounds_[static_cast<std::size_t>(i - 1)];  // those of the two together
            } else {
                bound = passed_on(i, bounds_);
            }
            for (float& b : bound) b = std::max(b, kFloor);
        }
        return {};
    }

    // What the largest level of each channel that `reader` reads stands for.
    std::vector<float> largest_levels(const Node& reader) const {
        const ReadLevels read = levels_read_by(graph_, reader);
        std::vector<float> largest;
        for (std::size_t c = 0; c < static_cast<std::size_t>(reader.shape.c); ++c) {
            const double factor = read.factor.empty() ? 1.0 : static_cast<double>(read.factor[c]);
            largest.push_back(static_cast<float>(kMostLevel * read.scale * factor));
        }
        return largest;
    }

    float pixel_bound(std::size_t channel) const {
        const float mean = preprocess_.mean[channel];
        return std::max(std::abs(mean), std::abs(255.0f - mean)) *
               std::abs(preprocess_.scale[channel]);
    }

    Status find_bounds_of(int conv) {
        const FoldedConv l = layer(conv);
        const std::vector<float> reads = for_taps(passed_on(conv, bounds_), l.conv);
        std::vector<float>& bound = bounds_[static_cast<std::size_t>(conv)];
        for (std::size_t o = 0; o < l.channels(); ++o) {
            const RowSum row =
                sum_row(l.conv.weight.data() + o * l.per_channel(), reads.data(), l.per_channel());
            const double scale = std::abs(l.scale(o));
            const double sum = static_cast<double>(row.bound) * scale + l.bias_bound(o);
            // Not a number, where infinity meets a scale of zero, is not below either. No weight of
            // the layer is larger than sum / kFloor, which leaves room as well.
            if (!(sum <= static_cast<double>(kLargestSum))) {
                return Error{ErrorCode::mismatch,
                             label_ + ": layer '" + l.last().name + "': channel " +
                                 std::to_string(o) +
                                 " can sum up to more than 2^64, which is too near the end of "
                                 "float32: its weights, or those before it, are too large"};
            }
            bound.push_back(static_cast<float>(sum));
            const double moves = static_cast<double>(row.bound) * scale;
            graph_.has_constants = graph_.has_constants || moves == 0.0 || l.bias(o) <= -moves;
            suspicious_ = suspicious_ || row.has_tiny || scale < kSuspiciousScale;
        }
        return {};
    }

    // The largest weight and bias of each layer, and whether any are tiny beside them.
    bool find_tiny() {
        constexpr double kMost = std::numeric_limits<double>::max();
        bool tiny = false;
        for (int i = 0; i < count(); ++i) {
            if (!is_float(i)) continue;
            const FoldedConv l = layer(i);
            double largest = 0.0, largest_bias = 0.0, least = kMost, least_bias = kMost;
            const auto look = [](double value, double& most, double& fewest) {
                most = std::max(most, value);
                if (value > 0.0) fewest = std::min(fewest, value);
            };
            for (std::size_t o = 0; o < l.channels(); ++o) {
                const double scale = l.scale(o);
                for (std::size_t k = 0; k < l.per_channel(); ++k) {
                    const auto w = static_cast<double>(l.conv.weight[o * l.per_channel() + k]);
                    look(std::abs(w * scale), largest, least);
                }
                look(std::abs(l.bias(o)), largest_bias, least_bias);
            }
            largest_[static_cast<std::size_t>(i)] = {largest, largest_bias};
            tiny = tiny || least < kTiny * largest || least_bias < kTiny * largest_bias;
        }
        return tiny;
    }

    bool is_tiny(int conv, double weight) const {
        return std::abs(weight) < kTiny * largest_[static_cast<std::size_t>(conv)].first;
    }
    bool is_tiny_bias(int conv, double bias) const {
        return std::abs(bias) < kTiny * largest_[static_cast<std::size_t>(conv)].second;
    }

    // Whether all that could become zero changes nothing, up to the context.
    bool sum_errors() {
        std::vector<std::vector<double>> errors(graph_.nodes.size());
        for (int i = 0; i < count(); ++i) {
            std::vector<double>& error = errors[static_cast<std::size_t>(i)];
            const auto channels = static_cast<std::size_t>(node(i).shape.c);
            if (node(i).op == Op::input || node(i).quantized()) {
                error.assign(channels, 0.0);
            } else if (node(i).op == Op::affine_sample) {
                for (const double e : errors[static_cast<std::size_t>(node(i).inputs.back())]) {
                    if (!(e <= kNegligible)) return false;
                }
                error.assign(channels, 0.0);
            } else if (is_float(i)) {
                error = errors_of(i, passed_on(i, errors));
            } else if (node(i).op == Op::batch_norm && is_norm_of(i, i - 1)) {
                error = errors[static_cast<std::size_t>(i - 1)];
            } else {
                error = passed_on(i, errors);
            }
            if (node(i).op != Op::normalize && i + 1 < count()) continue;
            for (double& e : error) {
                if (!(e <= kNegligible)) return false;
                e = 0.0;
            }
        }
        return true;
    }

    std::vector<double> errors_of(int conv, const std::vector<double>& read) {
        const FoldedConv l = layer(conv);
        const std::vector<double> before = for_taps(read, l.conv);
        const std::vector<float> reads = for_taps(passed_on(conv, bounds_), l.conv);
        std::vector<double> errors(l.channels());
        for (std::size_t o = 0; o < l.channels(); ++o) {
            const double scale = l.scale(o);
            double error = static_cast<double>(l.per_channel()) * kUnderflow;
            for (std::size_t k = 0; k < l.per_channel(); ++k) {
                const double w =
                    std::abs(static_cast<double>(l.conv.weight[o * l.per_channel() + k]) * scale);
                error += w * before[k];
                if (is_tiny(conv, w)) error += w * static_cast<double>(reads[k]);
            }
            if (is_tiny_bias(conv, l.bias(o))) error += std::abs(l.bias(o));
            errors[o] = error;
        }
        return errors;
    }

    void remove_tiny() {
        for (int i = 0; i < count(); ++i) {
            if (is_float(i)) silence(i, remove_tiny_weights(i));
        }
    }

    // Which channels are without weights and bias afterwards.
    std::vector<bool> remove_tiny_weights(int conv) {
        const FoldedConv l = layer(conv);
        std::vector<float> weight(l.conv.weight.begin(), l.conv.weight.end());
        std::vector<bool> dead(l.channels());
        for (std::size_t o = 0; o < l.channels(); ++o) {
            bool alive = false;
            for (std::size_t k = 0; k < l.per_channel(); ++k) {
                float& w = weight[o * l.per_channel() + k];
                if (is_tiny(conv, static_cast<double>(w) * l.scale(o))) w = 0.0f;
                alive = alive || w != 0.0f;
            }
            dead[o] = !alive && is_tiny_bias(conv, l.bias(o));
            graph_.has_constants = graph_.has_constants || !alive;
        }
        node(conv).weight = Floats(std::move(weight));
        return dead;
    }

    // These channels give exact zeros.
    void silence(int conv, const std::vector<bool>& dead) {
        Node* norm = layer(conv).norm != nullptr ? &node(conv + 1) : nullptr;
        std::vector<float>& bias = norm != nullptr ? norm->bias : node(conv).bias;
        std::vector<float> gamma;
        if (norm != nullptr) gamma.assign(norm->weight.begin(), norm->weight.end());
        for (std::size_t o = 0; o < dead.size(); ++o) {
            if (!dead[o]) continue;
            bias[o] = 0.0f;
            if (norm != nullptr) gamma[o] = 0.0f;
        }
        if (norm != nullptr) norm->weight = Floats(std::move(gamma));
    }

    const Preprocess& preprocess_;
    const std::string& label_;
    Graph& graph_;
    std::vector<std::vector<float>> bounds_;          // by node, then channel
    std::vector<std::pair<double, double>> largest_;  // by node: weight, bias
    bool suspicious_ = false;
};

}  // namespace

Status settle_numbers(const Preprocess& preprocess, const std::string& label, Graph& graph) {
    return Settler(preprocess, label, graph).run();
}

}  // namespace lprnet
