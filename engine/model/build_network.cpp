// Walks an architecture's table of layers, looks up every tensor a layer needs, checks it
// against the shape that arrives there and records the shape that leaves.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "engine/model/architecture.h"
#include "engine/model/model_data.h"
#include "engine/model/quantization.h"
#include "kernels/aligned_buffer.h"
#include "weights/safetensors.h"
#include "weights/sparse.h"

namespace lprnet {
namespace {

// Hard limits, far above any LPRNet, that keep every later product small.
constexpr std::int64_t kMaxChannels = 4096;
constexpr std::int64_t kMaxKernel = 64;
// Activations of one layer, in floats: 64 MiB.
constexpr std::int64_t kMaxLayerSize = 1 << 24;

// Multiply-accumulates for one picture: LPRNet has 1.5e8, and this many take a second.
constexpr std::int64_t kMaxWork = std::int64_t{1} << 34;

std::string tensor_of(std::string_view module, std::string_view suffix) {
    return std::string(module) + std::string(suffix);
}

// A counter that only training reads.
constexpr std::string_view kIgnoredSuffix = ".num_batches_tracked";

std::string shape_text(const std::vector<std::int64_t>& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (i > 0) text += ", ";
        text += shape[i] < 0 ? "*" : std::to_string(shape[i]);
    }
    return text + "]";
}

std::string shape_text(const Shape& s) {
    return std::to_string(s.c) + "x" + std::to_string(s.h) + "x" + std::to_string(s.w);
}

// Reads the tensors of one file by name and remembers which were used.
class TensorSource {
public:
    TensorSource(const Architecture& architecture, const weights::SafetensorsFile& file,
                 const std::string& label, bool borrow)
        : architecture_(architecture), file_(file), label_(label), borrow_(borrow) {}

    Error mismatch(const std::string& what) const {
        return {ErrorCode::mismatch, label_ + ": " + what};
    }

    // `shape` holds -1 where any extent will do; found extents are written back.
    Status read(const std::string& name, std::vector<std::int64_t>& shape,
                std::vector<float>& values) {
        const weights::TensorView* tensor = file_.find(name);
        if (tensor == nullptr) return mismatch("tensor '" + name + "' is missing");
        if (tensor->dtype != weights::DType::f32) {
            return mismatch("tensor '" + name + "' has dtype " +
                            std::string(weights::dtype_name(tensor->dtype)) + ", expected F32");
        }
        if (Status s = fit(name, tensor->shape, shape); !s) return s;
        if (Status s = weights::check_finite(*tensor); !s) return labelled(s);
        used_.insert(name);
        return tensor->copy_f32(values);
    }

    // The same for a tensor that may be sparse. `stored_bytes` is what it takes in the file.
    Status read_stored(const std::string& name, std::vector<std::int64_t>& shape, Floats& values,
                       std::size_t& stored_bytes) {
        Result<weights::StoredTensor> tensor = weights::StoredTensor::find(file_, name);
        if (!tensor) return labelled(tensor.error());
        if (Status s = fit(name, tensor->shape(), shape); !s) return s;
        for (std::string& part : tensor->stored_names()) used_.insert(std::move(part));
        stored_bytes = tensor->stored_bytes();
        if (borrow_ && !tensor->is_sparse() && file_.find(name)->has_f32()) {
            values = Floats::borrow(file_.find(name)->f32());
            return labelled(weights::check_finite(*file_.find(name)));
        }
        const weights::TensorView* dense = file_.find(name);
        if (dense != nullptr && dense->dtype == weights::DType::f16 && !dense->bytes.empty()) {
            return read_f16(*dense, values);
        }
        std::vector<float> copy;
        if (Status s = tensor->copy(copy); !s) return labelled(s);
        values = Floats(std::move(copy));
        return {};
    }

    // A network whose first layer has the step of its output is quantized.
    std::string first_output_scale() const {
        return tensor_of(architecture_.layers.front().name, kOutputScaleSuffix);
    }

    bool has(const std::string& name) const { return file_.find(name) != nullptr; }

    // The int8 weight of a module, and what 1 of it is for each output channel.
    Status read_int8(const std::string& module, std::vector<std::int64_t>& shape,
                     SharedArray<std::int8_t>& values, std::vector<float>& scales,
                     std::size_t& stored_bytes) {
        const std::string name = tensor_of(module, kWeightSuffix);
        Result<weights::StoredTensor> tensor =
            weights::StoredTensor::find(file_, name, weights::DType::i8);
        if (!tensor) return labelled(tensor.error());
        if (Status s = fit(name, tensor->shape(), shape); !s) return s;
        for (std::string& part : tensor->stored_names()) used_.insert(std::move(part));
        stored_bytes = tensor->stored_bytes();
        if (borrow_ && !tensor->is_sparse()) {
            const std::span<const std::byte> bytes = file_.find(name)->bytes;
            values = SharedArray<std::int8_t>::borrow(
                {reinterpret_cast<const std::int8_t*>(bytes.data()), bytes.size()});
        } else {
            std::vector<std::int8_t> copy;
            if (Status s = tensor->copy(copy); !s) return labelled(s);
            values = SharedArray<std::int8_t>(std::move(copy));
        }
        std::vector<std::int64_t> channels = {shape[0]};
        const std::string scale_name = tensor_of(module, kWeightScaleSuffix);
        if (Status s = read(scale_name, channels, scales); !s) return s;
        return check_positive(scale_name, scales);
    }

    Status check_positive(const std::string& name, const std::vector<float>& values) const {
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i] > 0.0f) continue;
            return mismatch("tensor '" + name + "' is " + std::to_string(values[i]) + " at " +
                            std::to_string(i) + ", expected more than 0");
        }
        return {};
    }

    // Dense or sparse.
    bool is_int8(const std::string& name) const {
        const weights::TensorView* tensor = file_.find(name);
        if (tensor == nullptr) tensor = file_.find(name + std::string(weights::kValuesSuffix));
        return tensor != nullptr && tensor->dtype == weights::DType::i8;
    }

    Status check_all_used() const {
        for (const weights::TensorView& tensor : file_.tensors()) {
            if (used_.count(tensor.name) != 0 || tensor.name.ends_with(kIgnoredSuffix)) continue;
            return mismatch("tensor '" + tensor.name + "' does not belong to " +
                            std::string(architecture_.name));
        }
        return {};
    }

private:
    // The floats of all dense F16 tensors share one buffer, whose pages the system hands out at
    // once: one by one they would make the start slower.
    Status read_f16(const weights::TensorView& tensor, Floats& values) {
        if (Status s = weights::check_finite(tensor); !s) return labelled(s);
        if (floats_ == nullptr) {
            std::size_t count = 0;
            for (const weights::TensorView& any : file_.tensors()) {
                const bool sparse = any.name.ends_with(weights::kValuesSuffix);
                if (any.dtype == weights::DType::f16 && !sparse) count += any.element_count();
            }
            floats_ = std::make_shared<kernels::AlignedBuffer>(count);
        }
        const std::span<float> floats(floats_->data() + floats_taken_, tensor.element_count());
        floats_taken_ += floats.size();
        weights::to_floats(tensor.bytes.data(), floats);
        values = Floats(floats_, floats);
        return {};
    }

    Status labelled(const Status& status) const {
        if (status) return status;
        return Error{status.error().code, label_ + ": " + status.error().message};
    }

    // `found` against `expected`, which becomes it.
    Status fit(const std::string& name, const std::vector<std::int64_t>& found,
               std::vector<std::int64_t>& expected) const {
        bool fits = found.size() == expected.size();
        for (std::size_t i = 0; fits && i < expected.size(); ++i) {
            fits = expected[i] < 0 || expected[i] == found[i];
        }
        if (!fits) {
            return mismatch("tensor '" + name + "' has shape " + shape_text(found) + ", expected " +
                            shape_text(expected));
        }
        expected = found;
        return {};
    }

    const Architecture& architecture_;
    const weights::SafetensorsFile& file_;
    const std::string& label_;
    const bool borrow_;
    std::set<std::string, std::less<>> used_;
    std::shared_ptr<kernels::AlignedBuffer> floats_;
    std::size_t floats_taken_ = 0;
};

// The weight of a convolution, in either form; its shape goes to `shape`.
Status read_weight(TensorSource& source, std::vector<std::int64_t>& shape, Node& node) {
    const std::string weight = tensor_of(node.name, kWeightSuffix);
    node.stored_sparse = source.has(weight + std::string(weights::kMaskSuffix));
    if (!source.is_int8(weight)) {
        return source.read_stored(weight, shape, node.weight, node.stored_bytes);
    }
    return source.read_int8(node.name, shape, node.quantized_weight, node.weight_scale,
                            node.stored_bytes);
}

// What 1 of its output is, if the layer is quantized. In a `quantized` network such a layer may
// have float32 weights.
Status read_output_scale(TensorSource& source, bool quantized, Node& node) {
    const std::string name = tensor_of(node.name, kOutputScaleSuffix);
    if (node.linear || !source.has(name)) return {};
    if (!quantized && node.quantized_weight.size() == 0) {
        return source.mismatch("tensor '" + tensor_of(node.name, kWeightSuffix) +
                               "' is not I8, but '" + name +
                               "' says that the layer is quantized, which '" +
                               source.first_output_scale() + "' does not say of the network");
    }
    std::vector<std::int64_t> one = {1};
    std::vector<float> scale;
    if (Status s = source.read(name, one, scale); !s) return s;
    if (Status s = source.check_positive(name, scale); !s) return s;
    node.output_scale = scale.front();
    return {};
}

Status read_output_factor(TensorSource& source, std::int64_t channels, Node& node) {
    const std::string name = tensor_of(node.name, kOutputFactorSuffix);
    if (!node.quantized() || !source.has(name)) return {};
    std::vector<std::int64_t> shape = {channels};
    if (Status s = source.read(name, shape, node.output_factor); !s) return s;
    return source.check_positive(name, node.output_factor);
}

// Of the weight, before anything of that size is made.
Status check_extents(const TensorSource& source, const std::vector<std::int64_t>& shape,
                     const Node& node) {
    const auto fits = [](std::int64_t extent, std::int64_t most) {
        return extent >= 1 && extent <= most;
    };
    if (fits(shape[0], kMaxChannels) && fits(shape[2], kMaxKernel) && fits(shape[3], kMaxKernel)) {
        return {};
    }
    return source.mismatch("tensor '" + tensor_of(node.name, kWeightSuffix) + "' has shape " +
                           shape_text(shape) + ", expected 1.." + std::to_string(kMaxChannels) +
                           " channels and 1.." + std::to_string(kMaxKernel) + " taps a side");
}

// Taps, padding and the shape that leaves.
Status set_extents(const TensorSource& source, const LayerRow& row, const Shape& in,
                   const std::vector<std::int64_t>& shape, Node& node) {
    const auto mismatch = [&](const std::string& what) {
        return source.mismatch("tensor '" + tensor_of(node.name, kWeightSuffix) + "' has shape " +
                               shape_text(shape) + what);
    };
    node.kh = static_cast<int>(shape[2]);
    node.kw = static_cast<int>(shape[3]);
    if (row.padding == Padding::same) {
        if (node.kh % 2 == 0 || node.kw % 2 == 0) {
            return mismatch(
                ", expected an odd number of taps a side, since this layer keeps the extent");
        }
        node.pad_h = (node.kh - 1) / 2;
        node.pad_w = (node.kw - 1) / 2;
    }
    node.shape = {static_cast<int>(shape[0]), in.h + 2 * node.pad_h - node.kh + 1,
                  in.w + 2 * node.pad_w - node.kw + 1};
    if (node.shape.h < 1 || node.shape.w < 1) {
        return mismatch(", too large for its input of " + shape_text(in));
    }
    return {};
}

Status add_conv2d(TensorSource& source, const LayerRow& row, const Shape& in, bool quantized,
                  Node& node) {
    node.linear = row.linear;
    std::vector<std::int64_t> shape = {-1, in.c, -1, -1};
    if (node.linear) shape = {-1, std::int64_t{in.c} * in.h * in.w};
    if (Status s = read_weight(source, shape, node); !s) return s;
    // In the order of PyTorch's flatten the weight is that of a convolution.
    if (node.linear) shape = {shape.front(), in.c, in.h, in.w};
    if (Status s = read_output_scale(source, quantized, node); !s) return s;
    if (Status s = check_extents(source, shape, node); !s) return s;
    // Weights in int8 alone: the network is computed in float32.
    if (node.quantized_weight.size() > 0 && !node.quantized()) {
        node.weight = real_weights(node);
        node.quantized_weight = {};
        node.weight_scale.clear();
    }
    if (Status s = read_output_factor(source, shape[0], node); !s) return s;
    std::vector<std::int64_t> bias_shape = {shape[0]};
    if (Status s = source.read(tensor_of(node.name, kBiasSuffix), bias_shape, node.bias); !s) {
        return s;
    }
    return set_extents(source, row, in, shape, node);
}

// A branch of the context adds squares of all channels as integers, so that what their steps are to
// each other has to be a power of two.
Status check_branch(const TensorSource& source, const Graph& graph, int branch) {
    const Node* node = &graph.nodes[static_cast<std::size_t>(branch)];
    while (node->op != Op::conv2d && !node->inputs.empty()) {
        node = &graph.nodes[static_cast<std::size_t>(node->inputs.front())];
    }
    for (std::size_t i = 0; i < node->output_factor.size(); ++i) {
        int exponent = 0;
        const bool power = std::frexp(node->output_factor[i], &exponent) == 0.5f;
        if (power && exponent <= 1 && exponent >= 1 - kMostFactorExponent) continue;
        return source.mismatch("tensor '" + tensor_of(node->name, kOutputFactorSuffix) + "' is " +
                               std::to_string(node->output_factor[i]) + " at " + std::to_string(i) +
                               ", expected a power of two from 1 to 1/" +
                               std::to_string(1 << kMostFactorExponent) +
                               ", since the context reads this layer");
    }
    return {};
}

Status add_batch_norm(TensorSource& source, const Shape& in, Node& node) {
    std::vector<std::int64_t> shape = {in.c};
    std::vector<float> gamma;
    if (Status s = source.read(node.name + ".weight", shape, gamma); !s) return s;
    node.weight = Floats(std::move(gamma));
    if (Status s = source.read(node.name + ".bias", shape, node.bias); !s) return s;
    if (Status s = source.read(node.name + ".running_mean", shape, node.running_mean); !s) return s;
    if (Status s = source.read(node.name + ".running_var", shape, node.running_var); !s) return s;
    for (std::size_t i = 0; i < node.running_var.size(); ++i) {
        if (node.running_var[i] < 0.0f) {
            return source.mismatch("tensor '" + node.name + ".running_var' is " +
                                   std::to_string(node.running_var[i]) + " at " +
                                   std::to_string(i) + ", expected at least 0");
        }
    }
    node.shape = in;
    return {};
}

Status add_pool(TensorSource& source, const LayerRow& row, const Shape& in, Node& node) {
    node.window = row.window;
    node.stride = row.stride;
    node.channel_stride = row.channel_stride;
    if (in.h < row.window.h || in.w < row.window.w) {
        return source.mismatch("layer '" + node.name + "' pools " + std::to_string(row.window.h) +
                               "x" + std::to_string(row.window.w) +
                               " pixels, too large for its input of " + shape_text(in));
    }
    node.shape = {(in.c - 1) / row.channel_stride + 1,
                  windows_along(in.h, row.window.h, row.stride.h),
                  windows_along(in.w, row.window.w, row.stride.w)};
    return {};
}

// The branches lie one behind the other in the channels.
Status add_concat(const TensorSource& source, const Graph& graph, const Shape& in, Node& node) {
    node.shape = {0, in.h, in.w};
    for (const int i : node.inputs) {
        const Shape& part = graph.nodes[static_cast<std::size_t>(i)].shape;
        if (part.h != in.h || part.w != in.w) {
            return source.mismatch(
                "the branches of the global context differ in extent: " + shape_text(in) + " and " +
                shape_text(part) + " for an input of " + shape_text(graph.input_shape()));
        }
        node.shape.c += part.c;
    }
    return {};
}

// The picture as it is, sampled by an affine map.
Status add_affine_sample(const TensorSource& source, const Graph& graph, const Shape& in,
                         Node& node) {
    const Node& map = graph.nodes[static_cast<std::size_t>(node.inputs.back())];
    constexpr Shape kMap = {6, 1, 1};
    if (!(map.shape == kMap)) {
        return source.mismatch("tensor '" + tensor_of(map.name, kWeightSuffix) + "' makes " +
                               shape_text(map.shape) + " values, expected the " + shape_text(kMap) +
                               " of an affine map");
    }
    node.shape = in;
    return {};
}

// Reads what `node` needs, and finds its shape.
Status add_layer(TensorSource& source, const LayerRow& row, const Graph& graph, bool quantized,
                 Node& node) {
    const Shape in = graph.nodes[static_cast<std::size_t>(node.inputs.front())].shape;
    switch (row.op) {
        case Op::conv2d: return add_conv2d(source, row, in, quantized, node);
        case Op::batch_norm: return add_batch_norm(source, in, node);
        case Op::max_pool:
        case Op::average_pool: return add_pool(source, row, in, node);
        case Op::concat: return add_concat(source, graph, in, node);
        case Op::affine_sample: return add_affine_sample(source, graph, in, node);
        case Op::mean_height: node.shape = {in.c, 1, in.w}; return {};
        case Op::normalize:
            node.shape = in;
            return check_branch(source, graph, node.inputs.front());
        default: node.shape = in; return {};
    }
}

// Whether a picture takes too much memory or time in `node` and, adding to `work`, up to it.
Status check_work(const TensorSource& source, const Graph& graph, const Node& node,
                  std::int64_t& work) {
    const std::int64_t size = static_cast<std::int64_t>(node.shape.c) * node.shape.h * node.shape.w;
    if (size > kMaxLayerSize) {
        return source.mismatch("layer '" + node.name + "' makes " + shape_text(node.shape) +
                               " values, more than " + std::to_string(kMaxLayerSize));
    }
    work += std::min(kMaxWork, multiply_accumulates(graph, node));
    if (work >= kMaxWork) {
        return source.mismatch("layer '" + node.name + "': up to it a picture of " +
                               shape_text(graph.input_shape()) + " takes more than " +
                               std::to_string(kMaxWork) + " multiply-accumulates");
    }
    return {};
}

// Whether the file has anything of the rows in front: a tensor, or what it says of them.
bool has_front(const Architecture& architecture, const weights::SafetensorsFile& file) {
    if (architecture.front.empty()) return false;
    if (file.metadata().find(kTransformerKey) != file.metadata().end()) return true;
    const std::span<const weights::TensorView> tensors = file.tensors();
    return std::any_of(tensors.begin(), tensors.end(), [&](const weights::TensorView& tensor) {
        return std::any_of(architecture.front.begin(), architecture.front.end(),
                           [&](const LayerRow& row) {
                               return tensor.name.starts_with(std::string(row.name) + ".");
                           });
    });
}

}  // namespace

Result<Graph> build_network(const Architecture& architecture, const weights::SafetensorsFile& file,
                            const std::string& name, Shape input, bool borrow) {
    TensorSource source(architecture, file, name, borrow);
    Graph graph;
    std::int64_t work = 0;
    std::map<std::string_view, int> index = {{kInputName, 0}};
    graph.nodes.emplace_back();
    graph.nodes.back().name = kInputName;
    graph.nodes.back().shape = input;
    // A quantized network's batch norms are in its weights.
    const bool quantized = source.has(source.first_output_scale());
    int layers = 0;
    std::vector<LayerRow> rows;
    if (has_front(architecture, file)) {
        rows.assign(architecture.front.begin(), architecture.front.end());
    }
    rows.insert(rows.end(), architecture.layers.begin(), architecture.layers.end());
    for (const LayerRow& row : rows) {
        if (quantized && row.op == Op::batch_norm) continue;
        Node node;
        node.op = row.op;
        node.name = row.name;
        if (row.op == Op::conv2d) node.layer = layers++;
        for (const std::string_view from : row.from) {
            if (!from.empty()) node.inputs.push_back(index.at(from));
        }
        if (node.inputs.empty()) node.inputs.push_back(static_cast<int>(graph.nodes.size()) - 1);
        if (Status s = add_layer(source, row, graph, quantized, node); !s) return s.error();
        if (Status s = check_work(source, graph, node, work); !s) return s.error();
        index.emplace(row.name, static_cast<int>(graph.nodes.size()));
        graph.nodes.push_back(std::move(node));
    }
    if (Status s = source.check_all_used(); !s) return s.error();
    return quantized ? with_levels(std::move(graph)) : std::move(graph);
}

}  // namespace lprnet
