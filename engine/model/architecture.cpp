#include "engine/model/architecture.h"

#include <algorithm>

#include "engine/model/lprnet_layers.h"

namespace lprnet {

std::span<const Architecture> architectures() noexcept {
    static constexpr Architecture kArchitectures[] = {
        {"LPRNet", kLprNetLayers, kTransformerLayers}};
    return kArchitectures;
}

namespace {

bool has_name(std::span<const LayerRow> rows, std::string_view name) noexcept {
    return std::any_of(rows.begin(), rows.end(),
                       [&](const LayerRow& row) { return row.name == name; });
}

// Whether names differ and rows read rows above, `front` being above all.
bool is_walkable(std::span<const LayerRow> front, std::span<const LayerRow> layers) noexcept {
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const auto is_above = [&](std::string_view name) {
            return name == kInputName || has_name(front, name) || has_name(layers.first(i), name);
        };
        if (layers[i].name.empty() || is_above(layers[i].name)) return false;
        for (const std::string_view from : layers[i].from) {
            if (!from.empty() && !is_above(from)) return false;
        }
    }
    return true;
}

}  // namespace

bool is_sound(const Architecture& architecture) noexcept {
    const std::span<const LayerRow> layers = architecture.layers, front = architecture.front;
    return !layers.empty() && layers.front().op == Op::conv2d && is_walkable({}, layers) &&
           is_walkable({}, front) && is_walkable(front, layers);
}

}  // namespace lprnet
