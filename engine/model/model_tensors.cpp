#include "engine/model/model_tensors.h"

#include <set>
#include <string>
#include <utility>

#include "engine/boundary.h"
#include "engine/model/quantization.h"

namespace lprnet {

namespace {

Result<ModelTensors> collect_tensors(const weights::SafetensorsFile& file, const Graph& graph) {
    ModelTensors tensors;
    std::set<std::string, std::less<>> replaced;
    for (const Node& node : graph.nodes) {
        if (node.op != Op::conv2d) continue;
        const std::string name = node.name + std::string(kWeightSuffix);
        const Result<weights::StoredTensor> stored = weights::StoredTensor::find(file, name);
        if (!stored) return stored.error();
        for (std::string& part : stored->stored_names()) replaced.insert(std::move(part));
        if (!weights::is_smaller_sparse(node.weight, stored->shape().size())) {
            tensors.views.push_back(weights::view_of<float>(name, stored->shape(),
                                                            std::span<const float>(node.weight)));
            continue;
        }
        tensors.sparse.push_back(weights::make_sparse(node.weight, stored->shape()));
        for (weights::TensorView& view : tensors.sparse.back().views(name)) {
            tensors.views.push_back(std::move(view));
        }
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
