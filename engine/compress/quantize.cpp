#include "engine/compress/quantize.h"

#include <cstddef>
#include <utility>

#include "engine/boundary.h"
#include "engine/compress/layer_names.h"
#include "engine/compress/quantized_graph.h"
#include "engine/compress/reconstruct.h"
#include "engine/model/quantization.h"
#include "engine/plan/passes.h"
#include "engine/plan/plan.h"
#include "engine/text/printable.h"
#include "weights/sparse.h"

namespace lprnet {
namespace {

std::vector<std::int64_t> shape_of(const Node& conv, std::size_t weights) {
    const auto oc = static_cast<std::int64_t>(conv.bias.size());
    if (conv.linear) return {oc, static_cast<std::int64_t>(weights) / oc};
    const std::int64_t taps = std::int64_t{conv.kh} * conv.kw;
    return {oc, static_cast<std::int64_t>(weights) / (oc * taps), conv.kh, conv.kw};
}

template <class T>
void add_vector(std::string name, std::vector<T> values, QuantizedModel& model) {
    const auto count = static_cast<std::int64_t>(values.size());
    model.tensors.push_back({std::move(name), {count}, std::move(values)});
}

// Dense or sparse, whatever is smaller.
template <class T>
void add_elements(const std::string& name, std::span<const T> elements,
                  const std::vector<std::int64_t>& shape, QuantizedModel& model) {
    if (weights::is_smaller_sparse(elements, shape.size())) {
        weights::SparseParts<T> sparse = weights::make_sparse(elements, shape);
        add_vector(name + std::string(weights::kMaskSuffix), std::move(sparse.mask), model);
        add_vector(name + std::string(weights::kValuesSuffix), std::move(sparse.values), model);
        add_vector(name + std::string(weights::kShapeSuffix), std::move(sparse.shape), model);
    } else {
        model.tensors.push_back({name, shape, std::vector<T>(elements.begin(), elements.end())});
    }
}

// The tensors that the file has of a convolution, but for its bias. `name` is that in the file.
void add_weight(const Node& conv, const std::string& name, QuantizedModel& model) {
    const std::string weight = name + std::string(kWeightSuffix);
    const std::span<const std::int8_t> int8 = conv.quantized_weight;
    if (int8.empty()) {
        const std::span<const float> real = conv.weight;
        const std::vector<std::int64_t> shape = shape_of(conv, real.size());
        // Every number is one of 16 bits, as in a file that has it so.
        if (const auto halves = weights::exact_float16(real)) {
            return add_elements<weights::Float16>(weight, *halves, shape, model);
        }
        return add_elements(weight, real, shape, model);
    }
    add_elements(weight, int8, shape_of(conv, int8.size()), model);
    add_vector(name + std::string(kWeightScaleSuffix), conv.weight_scale, model);
}

void add_layer(const Node& conv, const std::string& name, QuantizedModel& model) {
    add_weight(conv, name, model);
    add_vector(name + std::string(kBiasSuffix), conv.bias, model);
    if (!conv.quantized()) return;
    add_vector(name + std::string(kOutputScaleSuffix), std::vector<float>{conv.output_scale},
               model);
    if (conv.output_factor.empty()) return;
    add_vector(name + std::string(kOutputFactorSuffix), conv.output_factor, model);
}

// For each layer whether it is one of `chosen`.
Result<std::vector<bool>> find_layers(const LayerNames& chosen,
                                      const std::vector<LayerName>& names) {
    std::vector<bool> found(names.size());
    for (const std::string& layer : chosen) {
        const Result<std::size_t> i = find_layer(names, layer);
        if (!i) return Error{i.error().code, "quantize: " + i.error().message};
        found[*i] = true;
    }
    return found;
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

namespace {

Result<QuantizedModel> quantize_all(const ModelData& model,
                                    const std::vector<std::vector<float>>& inputs,
                                    const QuantizeMethod& method) {
    if (inputs.empty()) {
        return Error{ErrorCode::invalid_argument, "quantize: no calibration images"};
    }
    for (const Node& node : model.graph.nodes) {
        if (node.op == Op::quantize || node.quantized()) {
            return Error{ErrorCode::unsupported, model.name + ": quantized already"};
        }
    }
    const std::vector<LayerName> names = layer_names(model.graph);
    const Result<std::vector<bool>> keep_float = find_layers(method.keep_float, names);
    if (!keep_float) return keep_float.error();
    const Result<const kernels::KernelTable*> table =
        method.table != nullptr ? method.table : select_table("");
    if (!table) return table.error();
    const Result<std::vector<ActivationRange>> found =
        activation_ranges(model, inputs, method.clip, method.equalise, **table);
    if (!found) return found.error();
    std::vector<OutputRange> ranges;
    for (const ActivationRange& range : *found) ranges.push_back(range.range);
    Graph graph = quantized_graph(model, ranges, *keep_float);
    if (method.reconstruct) {
        if (Status s = reconstruct(model, inputs, method.zero_below, **table, graph); !s)
            return s.error();
    }

    QuantizedModel result;
    for (const Node& node : graph.nodes) {
        if (node.op != Op::conv2d) continue;
        const auto i = static_cast<std::size_t>(node.layer);
        add_layer(node, names[i].stored, result);
        QuantizedLayer layer = {.name = names[i].computed, .keeps_float = (*keep_float)[i]};
        if (node.quantized()) {
            layer.largest = (*found)[i].largest;
            layer.clip = (*found)[i].range.clip;
        }
        result.layers.push_back(std::move(layer));
    }
    return result;
}

Result<QuantizedModel> quantize_weights_alone(const weights::SafetensorsFile& file,
                                              const ModelData& model,
                                              const LayerNames& keep_float) {
    const std::vector<LayerName> names = layer_names(model.graph);
    const Result<std::vector<bool>> kept = find_layers(keep_float, names);
    if (!kept) return kept.error();
    QuantizedModel result;
    result.layers.push_back({.name = names.back().computed, .keeps_float = kept->back()});
    std::set<std::string, std::less<>> replaced;
    for (const Node& node : model.graph.nodes) {
        if (node.op != Op::conv2d) continue;
        if (node.quantized()) {
            return Error{ErrorCode::unsupported, model.name + ": quantized already"};
        }
        Node rounded = node;
        if (!(*kept)[static_cast<std::size_t>(node.layer)])
            round_to_nearest(scaled_weight(node), 1.0, rounded);
        add_weight(rounded, node.name, result);
        const std::string weight = node.name + std::string(kWeightSuffix);
        replaced.insert(weight);
        replaced.insert(node.name + std::string(kWeightScaleSuffix));
        for (const std::string_view part :
             {weights::kMaskSuffix, weights::kValuesSuffix, weights::kShapeSuffix}) {
            replaced.insert(weight + std::string(part));
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

}  // namespace

Result<QuantizedModel> quantize(const ModelData& model,
                                const std::vector<std::vector<float>>& inputs,
                                const QuantizeMethod& method) noexcept {
    return guarded([&] { return quantize_all(model, inputs, method); });
}

Result<QuantizedModel> quantize_weights(const weights::SafetensorsFile& file,
                                        const ModelData& model,
                                        const LayerNames& keep_float) noexcept {
    return guarded([&] { return quantize_weights_alone(file, model, keep_float); });
}

}  // namespace lprnet
