#include "engine/compress/layer_names.h"

#include <algorithm>

#include "engine/plan/passes.h"
#include "engine/text/printable.h"

namespace lprnet {

std::vector<LayerName> layer_names(const Graph& graph) {
    std::vector<LayerName> names(static_cast<std::size_t>(layer_count(graph)));
    for (const Node& node : graph.nodes) {
        if (node.op == Op::conv2d) names[static_cast<std::size_t>(node.layer)].stored = node.name;
    }
    for (const Node& node : fuse_relu(fold_batch_norm(graph)).nodes) {
        if (node.op != Op::conv2d) continue;
        names[static_cast<std::size_t>(node.layer)].computed =
            node.relu || node.linear ? node.name : graph.nodes.back().name;
    }
    return names;
}

Result<std::size_t> find_layer(const std::vector<LayerName>& names, const std::string& name) {
    const auto it = std::find_if(names.begin(), names.end(), [&](const LayerName& layer) {
        return name == layer.stored || name == layer.computed;
    });
    if (it != names.end()) return static_cast<std::size_t>(it - names.begin());
    std::string known;
    for (const LayerName& layer : names) {
        known += (known.empty() ? "" : ", ") + layer.computed + " (" + layer.stored + ")";
    }
    return Error{ErrorCode::invalid_argument,
                 "no layer " + in_quotes(name) + ", expected one of " + known};
}

}  // namespace lprnet
