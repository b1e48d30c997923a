#include "engine/model/model_tensors.h"

#include <set>
#include <string>
#include <utility>

#include "engine/boundary.h"
#include "engine/model/quantization.h"

namespace lprnet {

namespace {

template <class T>
void add_sparse(const std::string& name, weights::SparseParts<T> parts,
                std::deque<weights::SparseParts<T>>& owner,
                std::vector<weights::TensorView>& views) {
    owner.push_back(std::move(parts));
    for (weights::TensorView& view : owner.back().views(name)) views.push_back(std::move(view));
}

// One weight in the form and the type that suits it.
void add_weight(const std::string& name, const weights::StoredTensor& stored, const Floats& weight,
                ModelTensors& tensors) {
    const std::size_t rank = stored.shape().size();
    if (stored.dtype() == weights::DType::f16) {
        if (auto halves = weights::exact_float16(weight)) {
            if (weights::is_smaller_sparse(*halves, rank)) {
                return add_sparse(name, weights::make_sparse(*halves, stored.shape()),
                                  tensors.sparse_f16, tensors.views);
            }
            tensors.f16.push_back(*std::move(halves));
            tensors.views.push_back(
                weights::view_of<weights::Float16>(name, stored.shape(), tensors.f16.back()));
            return;
        }
    }
    if (weights::is_smaller_sparse(weight, rank)) {
        return add_sparse(name, weights::make_sparse(weight, stored.shape()), tensors.sparse,
                          tensors.views);
    }
    tensors.views.push_back(
        weights::view_of<float>(name, stored.shape(), std::span<const float>(weight)));
}

Result<ModelTensors> collect_tensors(const weights::SafetensorsFile& file, const Graph& graph) {
    ModelTensors tensors;
    std::set<std::string, std::less<>> replaced;
    for (const Node& node : graph.nodes) {
        if (node.op != Op::conv2d) continue;
        const std::string name = node.name + std::string(kWeightSuffix);
        const Result<weights::StoredTensor> stored = weights::StoredTensor::find(file, name);
        if (!stored) return stored.error();
        for (std::string& part : stored->stored_names()) replaced.insert(std::move(part));
        add_weight(name, *stored, node.weight, tensors);
    }
    for (const weights::TensorView& tensor : file.tensors()) {
        if (replaced.count(tensor.name) == 0) tensors.views.push_back(tensor);
    }
    return tensors;
}

}  // namespace

Result<ModelTensors> tensors_with_weights(const weights::SafetensorsFile& file,
                                          const Graph& graph) noexcept {
    return guarded([&] { return collect_tensors(file, graph); });
}

}  // namespace lprnet
