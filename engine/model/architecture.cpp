#include "engine/model/architecture.h"

#include <algorithm>

#include "engine/model/lprnet_layers.h"

namespace lprnet {

std::span<const Architecture> architectures() noexcept {
    static constexpr Architecture kArchitectures[] = {{"LPRNet", kLprNetLayers}};
    return kArchitectures;
}

bool is_sound(const Architecture& architecture) noexcept {
    const std::span<const LayerRow> layers = architecture.layers;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const auto above = layers.first(i);
        const auto is_above = [&](std::string_view name) {
            return std::any_of(above.begin(), above.end(),
                               [&](const LayerRow& row) { return row.name == name; });
        };
        if (layers[i].name.empty() || is_above(layers[i].name)) return false;
        for (const std::string_view from : layers[i].from) {
            if (!from.empty() && !is_above(from)) return false;
        }
    }
    return !layers.empty() && layers.front().op == Op::conv2d;
}

}  // namespace lprnet
