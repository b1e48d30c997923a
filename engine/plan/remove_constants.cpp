// A channel is constant if its weights are zeros wherever what they read changes, or if ReLU has
// nothing above zero to pass on for any image. Trained networks have many of both: weight decay
// brings weights to 1e-41, batch norm brings sums below zero.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "engine/model/quantization.h"
#include "engine/plan/graph_edit.h"
#include "engine/plan/passes.h"

namespace lprnet {
namespace {

// Whoever writes the input himself may go so many times beyond what pixels can be.
constexpr float kInputRoom = 16.0f;

// What a channel can be, as float32 sums find it.
struct Range {
    float low, high;

    bool constant() const noexcept { return low == high; }
    // Also of no channel at all: the border of a padded convolution.
    Range with_zero() const noexcept { return {std::min(low, 0.0f), std::max(high, 0.0f)}; }
};

using Ranges = std::vector<Range>;  // by stored channel

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr Range kAnything = {-kInfinity, kInfinity};
constexpr Range kLevels = {0.0f, kMostLevel};

// What the products of one output channel add up to, without gain and bias.
struct RowSums {
    float most = 0.0f;
    float least = 0.0f;
    float magnitude = 0.0f;  // of all products, each at its largest
};

// In lanes, so that a compiler can use vectors. Where no product changes the first two are equal.
RowSums sum_row(const float* w, const std::vector<float>& low,
                const std::vector<float>& high) noexcept {
    constexpr std::size_t kLanes = 8;
    std::array<float, kLanes> most = {}, least = {}, magnitude = {};
    const std::size_t count = low.size();
    const auto add = [&](std::size_t lane, std::size_t i) {
        const float a = w[i] * low[i], b = w[i] * high[i];
        most[lane] += a > b ? a : b;
        least[lane] += a > b ? b : a;
        magnitude[lane] += std::abs(a) + std::abs(b);
    };
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) add(lane, i + lane);
    }
    for (std::size_t lane = 0; i < count; ++i, ++lane) add(lane, i);
    RowSums sums;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sums.most += most[lane];
        sums.least += least[lane];
        sums.magnitude += magnitude[lane];
    }
    return sums;
}

// The channels of a tensor that are stored from now on.
struct Kept {
    std::vector<int> channels;  // stored before, in their order
    // One more that stands for all constant ones that the context reads: the mean of squares over
    // one channel of sqrt(sum of squares) is that over all of them. 0 if there is none.
    double joint = 0.0;
};

class ConstantRemover {
public:
    ConstantRemover(Graph graph, int vector)
        : graph_(std::move(graph)), vector_(static_cast<std::size_t>(vector)) {
        find_ranges();
        find_removable();
        fill_vectors();
        follow_sources();
    }

    Graph run() {
        if (nothing_to_do()) return std::move(graph_);
        choose_kept();
        // Readers first: they look at what is still there of the nodes before.
        for (int i = node_count(graph_) - 1; i > 0; --i) {
            Node& node = node_at(graph_, i);
            if (node.op == Op::conv2d) rewrite_conv(i);
            if (node.op == Op::max_pool) rewrite_pool(i);
            if (node.op == Op::context_tap) rewrite_tap(i);
        }
        for (Node& node : graph_.nodes) {
            if (node.op != Op::concat) continue;
            node.shape.c = 0;
            for (const int input : node.inputs) node.shape.c += node_at(graph_, input).shape.c;
        }
        return std::move(graph_);
    }

private:
    Ranges& ranges(int node) { return ranges_[static_cast<std::size_t>(node)]; }
    std::vector<bool>& removable(int node) { return removable_[static_cast<std::size_t>(node)]; }
    Kept& kept(int node) { return kept_[static_cast<std::size_t>(node)]; }
    static std::size_t channels_of(const Node& node) {
        return static_cast<std::size_t>(node.shape.c);
    }

    // --- What channels can be -----------------------------------------------------------------

    void find_ranges() {
        ranges_.resize(graph_.nodes.size());
        for (int i = 0; i < node_count(graph_); ++i) {
            const Node& node = node_at(graph_, i);
            Ranges& out = ranges(i);
            if (node.op == Op::input) {
                const float most = kInputRoom * graph_.largest_pixel;
                out.assign(channels_of(node), {-most, most});
            } else if (node.op == Op::quantize) {
                out.assign(channels_of(node), kLevels);
            } else if (node.op == Op::conv2d) {
                out = ranges_of_conv(node);
            } else if (node.op == Op::affine_sample) {
                // Shares of pixels, or zeros.
                for (const Range r : ranges(node.inputs.front())) out.push_back(r.with_zero());
            } else if (node.op == Op::max_pool) {
                const Ranges& in = ranges(only_input(node));
                for (std::size_t c = 0; c < channels_of(node); ++c)
                    out.push_back(in[c * static_cast<std::size_t>(node.channel_stride)]);
            } else {
                out.assign(channels_of(node), kAnything);
            }
        }
    }

    Ranges ranges_of_conv(const Node& conv) {
        const Ranges& in = ranges(only_input(conv));
        const bool bounded =
            std::all_of(in.begin(), in.end(), [](Range r) { return std::isfinite(r.high); });
        if (!bounded || !conv.input_order.empty()) return Ranges(channels_of(conv), kAnything);
        return conv.quantized() ? ranges_of_levels(conv, in) : ranges_of_floats(conv, in);
    }

    static std::size_t taps_of(const Node& conv) {
        return static_cast<std::size_t>(conv.kh) * static_cast<std::size_t>(conv.kw);
    }
    static std::size_t stored_columns(const Node& conv) {
        return std::max(conv.weight.size(), conv.quantized_weight.size()) / conv.bias.size() /
               taps_of(conv);
    }
    static bool padded(const Node& conv) { return conv.pad_h > 0 || conv.pad_w > 0; }
    static double gain_of(const Node& conv, std::size_t row) {
        return conv.gain.empty() ? 1.0 : conv.gain[row];
    }

    static Ranges ranges_of_floats(const Node& conv, const Ranges& in) {
        // More than the rounding of sums of some thousand products.
        constexpr double kRounding = 1e-4;
        std::vector<float> low, high;
        for (Range r : in) {
            if (padded(conv)) r = r.with_zero();
            low.insert(low.end(), taps_of(conv), r.low);
            high.insert(high.end(), taps_of(conv), r.high);
        }
        Ranges out;
        for (std::size_t o = 0; o < channels_of(conv); ++o) {
            const std::size_t row = conv.parameter_row(o);
            const RowSums sums = sum_row(conv.weight.data() + row * low.size(), low, high);
            const double gain = gain_of(conv, row), bias = static_cast<double>(conv.bias[o]);
            double ends[] = {bias + gain * static_cast<double>(sums.least),
                             bias + gain * static_cast<double>(sums.most)};
            if (gain < 0.0) std::swap(ends[0], ends[1]);
            // One that moves by less than rounding still moves: a later layer may take the rest
            // away.
            if (sums.least != sums.most && gain != 0.0) {
                const double rounding =
                    kRounding * (std::abs(gain) * static_cast<double>(sums.magnitude));
                ends[0] -= rounding;
                ends[1] += rounding;
            }
            out.push_back(between(ends[0], ends[1], conv.relu));
        }
        return out;
    }
    static Range between(double low, double high, bool relu) {
        Range range = {static_cast<float>(low), static_cast<float>(high)};
        if (range.constant() && low != high) range.high = std::nextafter(range.high, kInfinity);
        if (relu) range = {std::max(range.low, 0.0f), std::max(range.high, 0.0f)};
        return range;
    }

    // The most that int8 weights make of levels, in integers: loops that a compiler makes vectors
    // of.
    static std::int64_t most_of(const std::int8_t* weights,
                                const std::vector<std::int32_t>& highest) noexcept {
        std::int64_t most = 0;
        for (std::size_t k = 0; k < highest.size(); ++k)
            most += std::max(std::int32_t{weights[k]}, 0) * highest[k];
        return most;
    }
    static double most_of(const float* weights, const std::vector<std::int32_t>& highest) noexcept {
        double most = 0.0;
        for (std::size_t k = 0; k < highest.size(); ++k)
            most += static_cast<double>(std::max(weights[k], 0.0f)) * highest[k];
        return most;
    }

    // Levels of 0, or any: of others rounding would have to be known.
    Ranges ranges_of_levels(const Node& conv, const Ranges& in) {
        const double read = levels_read_by(graph_, conv).scale;
        std::vector<std::int32_t> highest;  // of each weight's input
        for (const Range& r : in)
            highest.insert(highest.end(), taps_of(conv), static_cast<std::int32_t>(r.high));
        Ranges out;
        for (std::size_t o = 0; o < channels_of(conv); ++o) {
            const std::size_t row = conv.parameter_row(o);
            const auto bias = static_cast<double>(conv.bias[o]);
            bool zero = !(bias > 0.0);
            if (zero && conv.keeps_float()) {
                const float* weights = conv.weight.data() + row * highest.size();
                zero = bias + read * most_of(weights, highest) <= 0.0;
            } else if (zero) {
                // As the plan has it, in units of the sum.
                const double unit = read * static_cast<double>(conv.weight_scale[row]);
                const std::int8_t* weights = conv.quantized_weight.data() + row * highest.size();
                zero =
                    std::nearbyint(bias / unit) + static_cast<double>(most_of(weights, highest)) <=
                    0.0;
            }
            out.push_back(zero ? Range{0.0f, 0.0f} : kLevels);
        }
        return out;
    }

    // --- Which of them can go -----------------------------------------------------------------

    // Whether `reader` can do without channel `c` of what it reads, which is always `value`.
    bool can_spare(int reader, std::size_t c, float value) {
        const Node& node = node_at(graph_, reader);
        const Node& source = node_at(graph_, only_input(node));
        switch (node.op) {
            case Op::conv2d: return value == 0.0f || (!padded(node) && !node.quantized());
            case Op::max_pool:
                return node.channel_stride == 1 && (c >= channels_of(node) || removable(reader)[c]);
            case Op::context_tap:
                return find_arrival(graph_, reader).conv >= 0 &&
                       (value == 0.0f || (source.op == Op::conv2d && !source.quantized()));
            default: return false;
        }
    }

    void find_removable() {
        removable_.resize(graph_.nodes.size());
        for (int i = node_count(graph_) - 1; i >= 0; --i) {
            const Node& node = node_at(graph_, i);
            removable(i).assign(channels_of(node), false);
            if ((node.op != Op::conv2d && node.op != Op::max_pool) || i == node_count(graph_) - 1)
                continue;
            for (std::size_t c = 0; c < channels_of(node); ++c) {
                if (!ranges(i)[c].constant()) continue;
                bool spare = true;
                for (int reader = i + 1; reader < node_count(graph_); ++reader) {
                    if (reads(node_at(graph_, reader), i))
                        spare = spare && can_spare(reader, c, ranges(i)[c].low);
                }
                removable(i)[c] = spare;
            }
            // A tensor without channels is none.
            if (std::find(removable(i).begin(), removable(i).end(), false) == removable(i).end())
                removable(i).front() = false;
        }
    }

    // Keeps as many more channels as there is room for in the last vector, the last ones: pools
    // read the first.
    void fill_vectors() {
        for (int i = 0; i < node_count(graph_); ++i) {
            if (node_at(graph_, i).op != Op::conv2d) continue;
            std::vector<bool>& removed = removable(i);
            const auto count =
                static_cast<std::size_t>(std::count(removed.begin(), removed.end(), true));
            const std::size_t stored = removed.size() - count + (has_joint(i) ? 1 : 0);
            std::size_t room = (stored + vector_ - 1) / vector_ * vector_ - stored;
            for (std::size_t c = removed.size(); c-- > 0 && room > 0;) {
                if (!removed[c]) continue;
                removed[c] = false;
                --room;
            }
        }
    }

    // A pool is without what its source is without, no more and no less.
    void follow_sources() {
        for (int i = 0; i < node_count(graph_); ++i) {
            const Node& node = node_at(graph_, i);
            if (node.op != Op::max_pool) continue;
            const std::vector<bool>& source = removable(only_input(node));
            for (std::size_t c = 0; c < channels_of(node); ++c)
                removable(i)[c] = removable(i)[c] && source[c];
        }
    }

    bool nothing_to_do() const {
        return std::none_of(removable_.begin(), removable_.end(), [](const std::vector<bool>& r) {
            return std::find(r.begin(), r.end(), true) != r.end();
        });
    }

    bool has_tap(int node) const {
        return std::any_of(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& reader) {
            return reader.op == Op::context_tap && only_input(reader) == node;
        });
    }

    // Whether a channel stands for the constant ones that the context reads.
    bool has_joint(int node) {
        for (std::size_t c = 0; c < removable(node).size(); ++c) {
            if (removable(node)[c] && ranges(node)[c].low != 0.0f) return has_tap(node);
        }
        return false;
    }

    void choose_kept() {
        kept_.resize(graph_.nodes.size());
        for (int i = 0; i < node_count(graph_); ++i) {
            double squares = 0.0;
            for (std::size_t c = 0; c < removable(i).size(); ++c) {
                if (!removable(i)[c]) {
                    kept(i).channels.push_back(static_cast<int>(c));
                } else {
                    squares += std::pow(static_cast<double>(ranges(i)[c].low), 2);
                }
            }
            if (has_tap(i)) kept(i).joint = std::sqrt(squares);
        }
    }

    // --- What is left -------------------------------------------------------------------------

    // Old columns of a convolution's weights, and what each is multiplied with.
    using Terms = std::vector<std::pair<int, double>>;

    // The new columns: old ones, or -1 for one that is a sum of old ones, the next of `sums`; and
    // the constant ones among the old, whose products go into the bias.
    struct Columns {
        std::vector<int> order;
        std::vector<Terms> sums;
        Terms constant;
    };

    static int column_of(const Node& conv, std::size_t stored) {
        return conv.input_order.empty() ? static_cast<int>(stored) : conv.input_order[stored];
    }

    Columns columns_of(const Node& conv) {
        Columns columns;
        const int source = only_input(conv);
        if (node_at(graph_, source).op != Op::concat) {
            for (const int c : kept(source).channels)
                columns.order.push_back(column_of(conv, static_cast<std::size_t>(c)));
            for (std::size_t c = 0; c < removable(source).size(); ++c) {
                if (!removable(source)[c]) continue;
                const float value = ranges(source)[c].low;
                if (value != 0.0f)
                    columns.constant.emplace_back(column_of(conv, c), static_cast<double>(value));
            }
            if (kept(source).joint > 0.0) add_sum({}, columns);
            return columns;
        }
        std::size_t first = 0;
        for (const int tap : node_at(graph_, source).inputs) {
            const int from = only_input(node_at(graph_, tap));
            for (const int c : kept(from).channels)
                columns.order.push_back(column_of(conv, first + static_cast<std::size_t>(c)));
            Terms joint;
            for (std::size_t c = 0; c < removable(from).size(); ++c) {
                if (!removable(from)[c] || ranges(from)[c].low == 0.0f) continue;
                joint.emplace_back(column_of(conv, first + c),
                                   static_cast<double>(ranges(from)[c].low) / kept(from).joint);
            }
            if (kept(from).joint > 0.0) add_sum(std::move(joint), columns);
            first += removable(from).size();
        }
        return columns;
    }
    static void add_sum(Terms terms, Columns& columns) {
        columns.order.push_back(-1);
        columns.sums.push_back(std::move(terms));
    }

    // Old weights of one row, at one tap.
    template <class T>
    static double sum_of(const Terms& terms, const T* row, std::size_t taps, std::size_t tap) {
        double sum = 0.0;
        for (const auto& [column, factor] : terms)
            sum += static_cast<double>(row[static_cast<std::size_t>(column) * taps + tap]) * factor;
        return sum;
    }

    // Weights of the rows and columns that are kept, with one more row, of zeros, for a joint
    // channel.
    template <class T>
    static std::vector<T> kept_weights(const Node& conv, const SharedArray<T>& weight,
                                       const Columns& columns, const Kept& rows) {
        const std::size_t taps = taps_of(conv), per_row = weight.size() / conv.bias.size();
        const std::size_t per_kept = columns.order.size() * taps;
        std::vector<T> packed(per_kept * (rows.channels.size() + (rows.joint > 0.0 ? 1 : 0)));
        T* to = packed.data();
        for (const int stored : rows.channels) {
            const std::size_t row = conv.parameter_row(static_cast<std::size_t>(stored));
            const double gain = gain_of(conv, row);
            const T* from = weight.data() + row * per_row;
            auto sum = columns.sums.begin();
            for (const int column : columns.order) {
                const T* old = from + static_cast<std::size_t>(std::max(column, 0)) * taps;
                for (std::size_t t = 0; t < taps; ++t) {
                    const double value =
                        column >= 0 ? static_cast<double>(old[t]) : sum_of(*sum, from, taps, t);
                    *to++ = static_cast<T>(value * gain);
                }
                if (column < 0) ++sum;
            }
        }
        return packed;
    }

    // What the constant columns add to a row, all taps.
    static double constant_sum(const Node& conv, std::size_t row, const Columns& columns) {
        const std::size_t taps = taps_of(conv);
        const float* from = conv.weight.data() + row * (conv.weight.size() / conv.bias.size());
        double sum = 0.0;
        for (std::size_t t = 0; t < taps; ++t) sum += sum_of(columns.constant, from, taps, t);
        return sum * gain_of(conv, row);
    }

    template <class T>
    static std::vector<T> kept_of(const Node& conv, const std::vector<T>& of_rows,
                                  const Kept& rows) {
        std::vector<T> values;
        for (const int stored : rows.channels) {
            if (of_rows.empty()) break;
            values.push_back(of_rows[conv.parameter_row(static_cast<std::size_t>(stored))]);
        }
        return values;
    }

    void rewrite_conv(int index) {
        Node& conv = node_at(graph_, index);
        const Kept& rows = kept(index);
        Columns columns = columns_of(conv);
        const bool same_rows = rows.channels.size() == channels_of(conv) && rows.joint == 0.0;
        if (same_rows && columns.order.size() == stored_columns(conv) && columns.sums.empty())
            return;
        std::vector<float> bias;
        for (const int stored : rows.channels) {
            const std::size_t row = conv.parameter_row(static_cast<std::size_t>(stored));
            const double more = columns.constant.empty() ? 0.0 : constant_sum(conv, row, columns);
            bias.push_back(static_cast<float>(
                static_cast<double>(conv.bias[static_cast<std::size_t>(stored)]) + more));
        }
        if (rows.joint > 0.0) bias.push_back(static_cast<float>(rows.joint));
        if (conv.weight.size() > 0)
            conv.weight = Floats(kept_weights(conv, conv.weight, columns, rows));
        if (conv.quantized_weight.size() > 0) {
            conv.quantized_weight =
                SharedArray<std::int8_t>(kept_weights(conv, conv.quantized_weight, columns, rows));
        }
        conv.weight_scale = kept_of(conv, conv.weight_scale, rows);
        conv.output_factor = kept_of(conv, conv.output_factor, rows);
        name_channels(index, conv);
        conv.bias = std::move(bias);
        conv.gain.clear();
        conv.input_order = std::move(columns.order);
        conv.in_stored_order = true;
    }

    // Which of PyTorch's channels are stored, and what the others are.
    void name_channels(int index, Node& node) {
        const auto name_of = [&](std::size_t c) {
            return node.channel_order.empty() ? static_cast<int>(c) : node.channel_order[c];
        };
        std::vector<int> order;
        for (const int c : kept(index).channels)
            order.push_back(name_of(static_cast<std::size_t>(c)));
        for (std::size_t c = 0; c < removable(index).size(); ++c) {
            if (removable(index)[c]) node.constants.push_back({name_of(c), ranges(index)[c].low});
        }
        if (kept(index).joint > 0.0) order.push_back(-1);
        node.channel_order = std::move(order);
        node.shape.c = static_cast<int>(node.channel_order.size());
    }

    void rewrite_pool(int index) {
        Node& pool = node_at(graph_, index);
        kept(index).joint = 0.0;
        if (kept(index).channels.size() < channels_of(pool)) name_channels(index, pool);
    }

    void rewrite_tap(int index) {
        Node& tap = node_at(graph_, index);
        const Kept& from = kept(only_input(tap));
        tap.channels_in_mean = tap.shape.c;
        std::vector<int> order;
        for (const int c : from.channels) {
            order.push_back(
                tap.channel_order.empty() ? c : tap.channel_order[static_cast<std::size_t>(c)]);
        }
        if (from.joint > 0.0) order.push_back(-1);
        tap.channel_order = std::move(order);
        tap.shape.c = static_cast<int>(tap.channel_order.size());
    }

    Graph graph_;
    std::size_t vector_;
    std::vector<Ranges> ranges_;                // by node
    std::vector<std::vector<bool>> removable_;  // by node, then stored channel
    std::vector<Kept> kept_;                    // by node
};

}  // namespace

Graph remove_constant_channels(Graph graph, int vector) {
    if (!graph.quantized() && !graph.has_constants) return graph;
    return ConstantRemover(std::move(graph), vector).run();
}

}  // namespace lprnet
