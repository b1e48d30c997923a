#include "tests/network/oracle.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace lprnet::test {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Map = Eigen::Map<const Matrix>;

// One row per channel, one column per pixel.
Map as_matrix(const OracleTensor& t) {
    return {t.values.data(), t.shape.c, t.shape.h * t.shape.w};
}

OracleTensor from_matrix(const Matrix& m, const Shape& shape) {
    return {shape, std::vector<double>(m.data(), m.data() + m.size())};
}

double at(const OracleTensor& t, int c, int y, int x) {
    return t.values[static_cast<std::size_t>((c * t.shape.h + y) * t.shape.w + x)];
}

int source(const Node& conv, const std::vector<int>& order, int i) {
    return order.empty() || conv.in_stored_order ? i : order[static_cast<std::size_t>(i)];
}

// As conv2d_levels_f32 is defined: float32, a rounding after each product and each sum, tap by tap,
// channel by channel. Both are exact in double before they are rounded, or near enough to round to
// the same float.
OracleTensor levels_by_floats(const Node& node, const Matrix& weight, const Matrix& levels,
                              const Eigen::VectorXd& bias, double input_scale) {
    OracleTensor out{node.shape, {}};
    out.scale = double{node.output_scale};
    out.factors.assign(node.output_factor.begin(), node.output_factor.end());
    const double ratio = input_scale / out.scale;
    const auto taps = static_cast<Eigen::Index>(node.kh * node.kw);
    for (Eigen::Index o = 0; o < weight.rows(); ++o) {
        for (Eigen::Index p = 0; p < levels.cols(); ++p) {
            float sum = static_cast<float>(bias[o] / out.scale);
            for (Eigen::Index t = 0; t < taps; ++t) {
                for (Eigen::Index k = t; k < weight.cols(); k += taps) {
                    const float w = static_cast<float>(weight(o, k) * ratio);
                    const float product = static_cast<float>(double{w} * levels(k, p));
                    sum = static_cast<float>(double{sum} + double{product});
                }
            }
            const double level = std::nearbyint(std::clamp(double{sum}, 0.0, 255.0));
            out.values.push_back(level * out.scale);
        }
    }
    return out;
}

OracleTensor conv2d(const Node& node, const OracleTensor& in) {
    const int oc = node.shape.c;
    const int pixels = node.shape.h * node.shape.w;
    Matrix columns = Matrix::Zero(in.shape.c * node.kh * node.kw, pixels);
    for (int c = 0, row = 0; c < in.shape.c; ++c) {
        for (int r = 0; r < node.kh; ++r) {
            for (int s = 0; s < node.kw; ++s, ++row) {
                for (int p = 0; p < pixels; ++p) {
                    const int y = p / node.shape.w + r - node.pad_h;
                    const int x = p % node.shape.w + s - node.pad_w;
                    const bool inside = y >= 0 && y < in.shape.h && x >= 0 && x < in.shape.w;
                    if (inside) columns(row, p) = at(in, c, y, x);
                }
            }
        }
    }
    const int taps = node.kh * node.kw;
    Matrix weight(oc, columns.rows());
    for (int o = 0; o < oc; ++o) {
        const int from = source(node, node.channel_order, o);
        const double gain = node.gain.empty() ? 1.0 : node.gain[static_cast<std::size_t>(from)];
        for (int k = 0; k < weight.cols(); ++k) {
            const int stored =
                (from * in.shape.c + source(node, node.input_order, k / taps)) * taps + k % taps;
            const auto at = static_cast<std::size_t>(stored);
            weight(o, k) = node.quantized() && !node.keeps_float() ? node.quantized_weight[at]
                                                                   : double{node.weight[at]} * gain;
        }
    }
    const Eigen::VectorXd bias =
        Eigen::Map<const Eigen::VectorXf>(node.bias.data(), oc).cast<double>();
    if (!node.quantized()) return from_matrix((weight * columns).colwise() + bias, node.shape);
    if (node.keeps_float()) {
        return levels_by_floats(node, weight, columns / in.scale, bias, in.scale);
    }

    // As conv2d_s8 is defined: sums of integers, which double holds exactly.
    OracleTensor out = from_matrix(weight * (columns / in.scale), node.shape);
    out.scale = double{node.output_scale};
    out.factors.assign(node.output_factor.begin(), node.output_factor.end());
    for (std::size_t i = 0; i < out.values.size(); ++i) {
        const int o = static_cast<int>(i) / pixels;
        const auto from = static_cast<std::size_t>(source(node, node.channel_order, o));
        const double unit = in.scale * double{node.weight_scale[from]};
        const double sum = out.values[i] + std::nearbyint(bias[o] / unit);
        const float q = static_cast<float>(sum) * static_cast<float>(unit / out.scale);
        out.values[i] = std::clamp(std::nearbyint(double{q}), 0.0, 255.0) * out.scale;
    }
    return out;
}

// A linear layer of a quantized network, as conv2d_f32_exact is defined: a rounding after each
// product and each sum, tap by tap, channel by channel.
OracleTensor linear_by_floats(const Node& node, const OracleTensor& in) {
    OracleTensor out{node.shape, {}};
    const int taps = node.kh * node.kw;
    for (int o = 0; o < node.shape.c; ++o) {
        float sum = node.bias[static_cast<std::size_t>(o)];
        for (int t = 0; t < taps; ++t) {
            for (int c = 0; c < in.shape.c; ++c) {
                const auto k = static_cast<std::size_t>((o * in.shape.c + c) * taps + t);
                const double value = at(in, c, t / node.kw, t % node.kw);
                const float product = static_cast<float>(double{node.weight[k]} * value);
                sum = static_cast<float>(double{sum} + double{product});
            }
        }
        out.values.push_back(sum);
    }
    return out;
}

// As affine_sample_f32 is defined: in float32 behind the numbers of a row, which double has.
OracleTensor affine_sample(const Node& node, const OracleTensor& in, const OracleTensor& map) {
    const int h = in.shape.h, w = in.shape.w;
    const double less = node.align_corners ? 1.0 : 0.0;
    const double sx = w - less, sy = h - less, cx = (w - 1) / 2.0, cy = (h - 1) / 2.0;
    double theta[6];
    for (std::size_t i = 0; i < 6; ++i) theta[i] = static_cast<float>(map.values[i]);
    OracleTensor out{in.shape, std::vector<double>(in.values.size())};
    for (int y = 0; y < h; ++y) {
        const auto x_begin =
            static_cast<float>(theta[1] * (sx / sy) * (y - cy) + theta[2] * sx / 2 + cx);
        const auto y_begin = static_cast<float>(theta[4] * (y - cy) + theta[5] * sy / 2 + cy);
        for (int x = 0; x < w; ++x) {
            const auto place = [&](double slope, float begin) {
                const float product = static_cast<float>(slope * (x - cx));
                return static_cast<float>(double{product} + double{begin});
            };
            const float px = place(theta[0], x_begin);
            const float py = place(static_cast<float>(theta[3] * (sy / sx)), y_begin);
            const float left = std::floor(px), top = std::floor(py);
            const float shares_x[] = {1.0f - (px - left), px - left};
            const float shares_y[] = {1.0f - (py - top), py - top};
            for (int c = 0; c < in.shape.c; ++c) {
                float rows[2];
                for (int r = 0; r < 2; ++r) {
                    float products[2];
                    for (int s = 0; s < 2; ++s) {
                        const float fx = left + static_cast<float>(s),
                                    fy = top + static_cast<float>(r);
                        const bool inside = fx >= 0 && fx < static_cast<float>(w) && fy >= 0 &&
                                            fy < static_cast<float>(h);
                        const float weight = shares_y[r] * shares_x[s];
                        products[s] = 0.0f;
                        if (!inside) continue;
                        const double value = at(in, c, static_cast<int>(fy), static_cast<int>(fx));
                        products[s] = static_cast<float>(double{weight} * value);
                    }
                    rows[r] = products[0] + products[1];
                }
                out.values[static_cast<std::size_t>((c * h + y) * w + x)] = rows[0] + rows[1];
            }
        }
    }
    return out;
}

OracleTensor levels(const Node& node, const OracleTensor& in) {
    Matrix out = as_matrix(in);
    for (int c = 0; c < node.shape.c; ++c) {
        const auto i = static_cast<std::size_t>(c);
        out.row(c) =
            (out.row(c).array() * double{node.level_factor[i]} + double{node.level_offset[i]})
                .round()
                .cwiseMax(0.0)
                .cwiseMin(255.0)
                .matrix();
    }
    OracleTensor result = from_matrix(out, node.shape);
    result.scale = 1.0;
    return result;
}

OracleTensor batch_norm(const Node& node, const OracleTensor& in) {
    Matrix out = as_matrix(in);
    for (int c = 0; c < node.shape.c; ++c) {
        const auto i = static_cast<std::size_t>(c);
        const double deviation = std::sqrt(double{node.running_var[i]} + 1e-5);
        out.row(c) = ((out.row(c).array() - double{node.running_mean[i]}) / deviation *
                          double{node.weight[i]} +
                      double{node.bias[i]})
                         .matrix();
    }
    return from_matrix(out, node.shape);
}

// The context reads real values: factors move into them.
OracleTensor with_factors(const OracleTensor& in) {
    OracleTensor out = in;
    const std::size_t plane = in.values.size() / static_cast<std::size_t>(in.shape.c);
    for (std::size_t i = 0; i < in.values.size() && !in.factors.empty(); ++i) {
        out.values[i] *= in.factors[i / plane];
    }
    out.factors.clear();
    return out;
}

// Real values of levels, each rounded once.
OracleTensor real_values(const OracleTensor& in) {
    OracleTensor out{in.shape, {}};
    const std::size_t plane = in.values.size() / static_cast<std::size_t>(in.shape.c);
    for (std::size_t i = 0; i < in.values.size(); ++i) {
        const double factor = in.factors.empty() ? 1.0 : in.factors[i / plane];
        const auto step = static_cast<float>(in.scale * factor);
        out.values.push_back(
            static_cast<float>(std::round(in.values[i] / in.scale) * double{step}));
    }
    return out;
}

OracleTensor pool(const Node& node, const OracleTensor& in, bool average) {
    OracleTensor out{node.shape, {}};
    for (int c = 0; c < node.shape.c; ++c) {
        for (int y = 0; y < node.shape.h; ++y) {
            for (int x = 0; x < node.shape.w; ++x) {
                Matrix window(node.window.h, node.window.w);
                for (int r = 0; r < node.window.h; ++r) {
                    for (int s = 0; s < node.window.w; ++s) {
                        window(r, s) = at(in, c * node.channel_stride, y * node.stride.h + r,
                                          x * node.stride.w + s);
                    }
                }
                out.values.push_back(average ? window.mean() : window.maxCoeff());
            }
        }
    }
    out.scale = average ? 0.0 : in.scale;
    for (int c = 0; c < node.shape.c && !in.factors.empty(); ++c) {
        out.factors.push_back(in.factors[static_cast<std::size_t>(c * node.channel_stride)]);
    }
    return out;
}

OracleTensor mean_height(const Node& node, const OracleTensor& in) {
    OracleTensor out{node.shape, {}};
    for (int c = 0; c < in.shape.c; ++c) {
        for (int x = 0; x < in.shape.w; ++x) {
            double sum = 0.0;
            for (int y = 0; y < in.shape.h; ++y) sum += at(in, c, y, x);
            out.values.push_back(sum / in.shape.h);
        }
    }
    return out;
}

}  // namespace

std::map<std::string, OracleTensor> run_oracle(const Graph& graph,
                                               const std::vector<double>& input) {
    std::map<std::string, OracleTensor> outputs;
    for (const Node& node : graph.nodes) {
        const auto in = [&](std::size_t i) -> const OracleTensor& {
            return outputs.at(graph.nodes[static_cast<std::size_t>(node.inputs[i])].name);
        };
        OracleTensor out;
        switch (node.op) {
            case Op::input: out = {node.shape, input}; break;
            case Op::conv2d:
                out = node.linear && graph.quantized() ? linear_by_floats(node, in(0))
                                                       : conv2d(node, in(0));
                if (!node.relu) break;
                for (double& value : out.values) value = std::max(value, 0.0);
                break;
            case Op::batch_norm: out = batch_norm(node, in(0)); break;
            case Op::relu:
                out = from_matrix(as_matrix(in(0)).cwiseMax(0.0), node.shape);
                out.scale = in(0).scale;
                out.factors = in(0).factors;
                break;
            case Op::max_pool: out = pool(node, in(0), false); break;
            case Op::average_pool: out = pool(node, with_factors(in(0)), true); break;
            case Op::normalize: {
                const OracleTensor real = with_factors(in(0));
                const Matrix values = as_matrix(real);
                out = from_matrix(values / values.array().square().mean(), node.shape);
                break;
            }
            case Op::concat:
                out.shape = node.shape;
                for (std::size_t i = 0; i < node.inputs.size(); ++i) {
                    out.values.insert(out.values.end(), in(i).values.begin(), in(i).values.end());
                }
                break;
            case Op::mean_height: out = mean_height(node, in(0)); break;
            case Op::quantize: out = levels(node, in(0)); break;
            case Op::dequantize: out = real_values(in(0)); break;
            case Op::affine_sample: out = affine_sample(node, in(0), in(1)); break;
            case Op::context_tap: {
                Node pooled;
                pooled.window = node.window;
                pooled.stride = node.stride;
                pooled.shape = {node.shape.c, (in(0).shape.h - node.window.h) / node.stride.h + 1,
                                node.shape.w};
                OracleTensor map = pool(pooled, with_factors(in(0)), true);
                const double stored = node.shape.c;
                const double mean_square =
                    as_matrix(map).array().square().mean() * stored /
                    (node.channels_in_mean > 0 ? node.channels_in_mean : stored);
                for (double& value : map.values) value /= mean_square;
                out = mean_height(node, map);
                break;
            }
        }
        outputs[node.name] = std::move(out);
    }
    return outputs;
}

}  // namespace lprnet::test
