#include "engine/compress/quantize.h"

#include <set>
#include <utility>

#include "engine/compress/quantised_graph.h"
#include "engine/compress/reconstruct.h"
#include "weights/sparse.h"

namespace lprnet {
namespace {

std::vector<std::int64_t> shape_of(const Node& conv) {
    const auto oc = static_cast<std::int64_t>(conv.bias.size());
    const std::int64_t taps = std::int64_t{conv.kh} * conv.kw;
    return {oc, static_cast<std::int64_t>(conv.quantised_weight.size()) / (oc * taps), conv.kh,
            conv.kw};
}

template <class T>
void add_vector(std::string name, std::vector<T> values, QuantizedModel& model) {
    const auto count = static_cast<std::int64_t>(values.size());
    model.tensors.push_back({std::move(name), {count}, std::move(values)});
}

// The tensors that the file has of a convolution, but for its bias. `name` is that in the file.
void add_weight(const Node& conv, const std::string& name, QuantizedModel& model) {
    const std::string weight = name + ".weight";
    const std::span<const std::int8_t> elements = conv.quantised_weight;
    const std::vector<std::int64_t> shape = shape_of(conv);
    if (weights::is_smaller_sparse(elements, shape.size())) {
        weights::SparseTensorS8 sparse = weights::make_sparse(elements, shape);
        add_vector(weight + std::string(weights::kMaskSuffix), std::move(sparse.mask), model);
        add_vector(weight + std::string(weights::kValuesSuffix), std::move(sparse.values), model);
        add_vector(weight + std::string(weights::kShapeSuffix), std::move(sparse.shape), model);
    } else {
        model.tensors.push_back(
            {weight, shape, std::vector<std::int8_t>(elements.begin(), elements.end())});
    }
    add_vector(weight + ".scale", conv.weight_step, model);
}

void add_layer(const Node& conv, const std::string& name, QuantizedModel& model) {
    add_weight(conv, name, model);
    add_vector(name + ".bias", conv.bias, model);
    if (!conv.quantised()) return;
    add_vector(name + ".output.scale", std::vector<float>{conv.output_step}, model);
    if (conv.output_factor.empty()) return;
    add_vector(name + ".output.factor", conv.output_factor, model);
}

}  // namespace

std::vector<weights::TensorView> QuantizedModel::views() const {
    std::vector<weights::TensorView> views;
    for (const Tensor& tensor : tensors) {
        views.push_back(std::visit(
            [&]<class T>(const std::vector<T>& values) {
                return weights::view_of<T>(tensor.name, tensor.shape, std::span<const T>(values));
            },
            tensor.values));
    }
    return views;
}

Result<QuantizedModel> quantize(const ModelData& model,
                                const std::vector<std::vector<float>>& inputs,
                                const QuantizeMethod& method) {
    if (inputs.empty()) {
        return Error{ErrorCode::invalid_argument, "quantize: no calibration images"};
    }
    // The names that convolutions have in the file; the passes give them others, but leave them in
    // their order.
    std::vector<std::string> stored;
    for (const Node& node : model.graph.nodes) {
        if (node.op == Op::quantise || node.quantised()) {
            return Error{ErrorCode::unsupported, model.name + ": quantised already"};
        }
        if (node.op == Op::conv2d) stored.push_back(node.name);
    }
    Result<std::map<std::string, ActivationRange>> found =
        activation_ranges(model, inputs, method.clip, method.equalise);
    if (!found) return found.error();
    std::map<std::string, OutputRange> ranges;
    for (const auto& [name, range] : *found) ranges[name] = range.range;
    Graph graph = quantised_graph(model, ranges);
    if (method.reconstruct) {
        if (Status s = reconstruct(model, inputs, method.zero_below, graph); !s) return s.error();
    }

    QuantizedModel result;
    auto name = stored.begin();
    for (const Node& node : graph.nodes) {
        if (node.op != Op::conv2d) continue;
        add_layer(node, *name++, result);
        if (!node.quantised()) continue;
        const ActivationRange& range = found->at(node.name);
        result.layers.push_back({node.name, range.largest, range.range.clip});
    }
    return result;
}

Result<QuantizedModel> quantize_weights(const weights::SafetensorsFile& file,
                                        const ModelData& model) {
    QuantizedModel result;
    std::set<std::string, std::less<>> replaced;
    for (const Node& node : model.graph.nodes) {
        if (node.op != Op::conv2d) continue;
        if (node.quantised()) {
            return Error{ErrorCode::unsupported, model.name + ": quantised already"};
        }
        Node rounded = node;
        round_to_nearest(scaled_weight(node), 1.0, rounded);
        add_weight(rounded, node.name, result);
        for (const char* part :
             {".weight", ".weight.scale", ".weight.mask", ".weight.values", ".weight.shape"}) {
            replaced.insert(node.name + part);
        }
    }
    for (const weights::TensorView& tensor : file.tensors()) {
        if (replaced.count(tensor.name) != 0 || tensor.dtype != weights::DType::f32) continue;
        std::vector<float> values;
        if (Status s = tensor.copy_f32(values); !s) return s.error();
        result.tensors.push_back({tensor.name, tensor.shape, std::move(values)});
    }
    return result;
}

}  // namespace lprnet
