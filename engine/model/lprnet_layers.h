// LPRNet as one table, by the module names of the public PyTorch checkpoints; and the spatial
// transformer that may be in front of it (section 3.1 of its paper), which straightens the picture.
#pragma once

#include "engine/model/architecture.h"

namespace lprnet {

// clang-format off
inline constexpr LayerRow kTransformerLayers[] = {
    {.name = "transformer.localization.0", .op = Op::conv2d},
    {.name = "transformer.localization.1", .op = Op::max_pool, .window = {2, 2}, .stride = {2, 2}},
    {.name = "transformer.localization.2", .op = Op::relu},
    {.name = "transformer.localization.3", .op = Op::conv2d},
    {.name = "transformer.localization.4", .op = Op::max_pool, .window = {3, 3}, .stride = {3, 3}},
    {.name = "transformer.localization.5", .op = Op::relu},
    {.name = "transformer.fc_loc.0",       .op = Op::conv2d, .linear = true},
    {.name = "transformer.fc_loc.1",       .op = Op::relu},
    {.name = "transformer.fc_loc.2",       .op = Op::conv2d, .linear = true},
    {.name = "transformer",                .op = Op::affine_sample, .from = {"input", "transformer.fc_loc.2"}},
};

inline constexpr LayerRow kLprNetLayers[] = {
    {.name = "backbone.0",          .op = Op::conv2d},
    {.name = "backbone.1",          .op = Op::batch_norm},
    {.name = "backbone.2",          .op = Op::relu},
    {.name = "backbone.3",          .op = Op::max_pool, .window = {3, 3}, .stride = {1, 1}},

    {.name = "backbone.4.block.0",  .op = Op::conv2d},
    {.name = "backbone.4.block.1",  .op = Op::relu},
    {.name = "backbone.4.block.2",  .op = Op::conv2d, .padding = Padding::same},
    {.name = "backbone.4.block.3",  .op = Op::relu},
    {.name = "backbone.4.block.4",  .op = Op::conv2d, .padding = Padding::same},
    {.name = "backbone.4.block.5",  .op = Op::relu},
    {.name = "backbone.4.block.6",  .op = Op::conv2d},
    {.name = "backbone.5",          .op = Op::batch_norm},
    {.name = "backbone.6",          .op = Op::relu},
    {.name = "backbone.7",          .op = Op::max_pool, .window = {3, 3}, .stride = {1, 2}, .channel_stride = 2},

    {.name = "backbone.8.block.0",  .op = Op::conv2d},
    {.name = "backbone.8.block.1",  .op = Op::relu},
    {.name = "backbone.8.block.2",  .op = Op::conv2d, .padding = Padding::same},
    {.name = "backbone.8.block.3",  .op = Op::relu},
    {.name = "backbone.8.block.4",  .op = Op::conv2d, .padding = Padding::same},
    {.name = "backbone.8.block.5",  .op = Op::relu},
    {.name = "backbone.8.block.6",  .op = Op::conv2d},
    {.name = "backbone.9",          .op = Op::batch_norm},
    {.name = "backbone.10",         .op = Op::relu},

    {.name = "backbone.11.block.0", .op = Op::conv2d},
    {.name = "backbone.11.block.1", .op = Op::relu},
    {.name = "backbone.11.block.2", .op = Op::conv2d, .padding = Padding::same},
    {.name = "backbone.11.block.3", .op = Op::relu},
    {.name = "backbone.11.block.4", .op = Op::conv2d, .padding = Padding::same},
    {.name = "backbone.11.block.5", .op = Op::relu},
    {.name = "backbone.11.block.6", .op = Op::conv2d},
    {.name = "backbone.12",         .op = Op::batch_norm},
    {.name = "backbone.13",         .op = Op::relu},
    {.name = "backbone.14",         .op = Op::max_pool, .window = {3, 3}, .stride = {1, 2}, .channel_stride = 4},

    {.name = "backbone.16",         .op = Op::conv2d},
    {.name = "backbone.17",         .op = Op::batch_norm},
    {.name = "backbone.18",         .op = Op::relu},
    {.name = "backbone.20",         .op = Op::conv2d},
    {.name = "backbone.21",         .op = Op::batch_norm},
    {.name = "backbone.22",         .op = Op::relu},

    // Global context: four taps, each divided by the mean of its squares over the image.
    {.name = "context.0.pool",      .op = Op::average_pool, .from = {"backbone.2"},  .window = {5, 5},  .stride = {5, 5}},
    {.name = "context.0",           .op = Op::normalize},
    {.name = "context.1.pool",      .op = Op::average_pool, .from = {"backbone.6"},  .window = {5, 5},  .stride = {5, 5}},
    {.name = "context.1",           .op = Op::normalize},
    {.name = "context.2.pool",      .op = Op::average_pool, .from = {"backbone.13"}, .window = {4, 10}, .stride = {4, 2}},
    {.name = "context.2",           .op = Op::normalize},
    {.name = "context.3",           .op = Op::normalize,    .from = {"backbone.22"}},
    {.name = "context",             .op = Op::concat,       .from = {"context.0", "context.1", "context.2", "context.3"}},
    {.name = "container.0",         .op = Op::conv2d},
    {.name = "logits",              .op = Op::mean_height},
};
// clang-format on

}  // namespace lprnet
