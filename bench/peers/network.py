"""LPRNet as ONNX graphs, in several forms that compute the same logits; a peer gets the one that it runs fastest.

trained: batch norms, strided channel slices and the mean at the end, as in PyTorch.
folded:  batch norm folded into the convolutions (in double), the channels that a pool keeps sorted to the front, so
         that the slice is contiguous, and the mean over height in front of the last 1x1 convolution: what the engine
         does.
split:   folded, and a convolution whose pool keeps only some channels is cut in two, so that no slice is left.

Every size comes from the tensors. numpy only: the peers' environment has no torch.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

HEIGHT, WIDTH = 24, 94
FORMS = ("trained", "folded", "split")
EPSILON = 1e-5  # of every batch norm, torch's default
# Axes as attributes of ReduceMean, which every converter reads.
OPSET = 17
# A pool: index in the backbone, step between the channels it keeps, stride.
POOLS = {3: (1, (1, 1)), 7: (2, (1, 2)), 14: (4, (1, 2))}
# A context branch: index of the layer it reads, window and stride of its average pool.
TAPS = {2: ((5, 5), (5, 5)), 6: ((5, 5), (5, 5)), 13: ((4, 10), (4, 2)), 22: None}

Tensors = dict[str, np.ndarray]
# The name of a value and its channels, by their number in the trained order.
Part = tuple[str, list[int]]


def export(model: Path, form: str, output: Path) -> None:
    """Writes the model file as ONNX: input `pixels` [1, C, 24, 94], output `logits` [1, classes, 18]."""
    onnx.save(build(load_file(str(model)), form), str(output))


def build(tensors: Tensors, form: str) -> onnx.ModelProto:
    if form not in FORMS:
        raise ValueError(f"form: expected one of {', '.join(FORMS)}, found {form!r}")
    model = _Builder(tensors, form).model()
    onnx.checker.check_model(model, full_check=True)
    return model


def kept_first(channels: int, step: int) -> list[int]:
    """Channels 0, step, 2 step, ..., then the rest in their old order."""
    return [c for c in range(channels) if c % step == 0] + [c for c in range(channels) if c % step]


class _Builder:
    def __init__(self, tensors: Tensors, form: str) -> None:
        self.tensors = tensors
        self.folded = form != "trained"
        self.split = form == "split"
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        # Per context branch its value and the channels (of the trained order) that it holds.
        self.taps: list[Part] = []

    def model(self) -> onnx.ModelProto:
        channels = self.tensors["backbone.0.weight"].shape[1]
        classes = self.tensors["container.0.weight"].shape[0]
        parts = self.conv_norm_relu("pixels", "backbone.0", "backbone.1", tap=2, pool=3)
        value = self.pool(parts, 3)
        value = self.block(value, 4)
        parts = self.conv_norm_relu(value, "backbone.4.block.6", "backbone.5", tap=6, pool=7)
        value = self.pool(parts, 7)
        value = self.block(value, 8)
        [(value, _)] = self.conv_norm_relu(value, "backbone.8.block.6", "backbone.9")
        value = self.block(value, 11)
        parts = self.conv_norm_relu(value, "backbone.11.block.6", "backbone.12", tap=13, pool=14)
        value = self.pool(parts, 14)
        [(value, _)] = self.conv_norm_relu(value, "backbone.16", "backbone.17")
        self.conv_norm_relu(value, "backbone.20", "backbone.21", tap=22)
        self.context()
        graph = helper.make_graph(
            self.nodes,
            "lprnet",
            [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, channels, HEIGHT, WIDTH])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, classes, 18])],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="lprnet")
        # The oldest format that has this opset, for converters that lag behind.
        model.ir_version = 8
        return model

    def node(self, op: str, inputs: list[str], name: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def constant(self, array: np.ndarray, name: str) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def conv(self, value: str, name: str, weight: np.ndarray, bias: np.ndarray, pads: tuple[int, int] = (0, 0)) -> str:
        inputs = [value, self.constant(weight, f"{name}.weight"), self.constant(bias, f"{name}.bias")]
        return self.node("Conv", inputs, name, kernel_shape=list(weight.shape[2:]), pads=[*pads, *pads])

    def block(self, value: str, index: int) -> str:
        """The first three convolutions of a small basic block; the last is conv_norm_relu's."""
        for part, pads in ((0, (0, 0)), (2, (1, 0)), (4, (0, 1))):
            name = f"backbone.{index}.block.{part}"
            value = self.conv(value, name, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"], pads)
            value = self.node("Relu", [value], f"backbone.{index}.block.{part + 1}")
        return value

    def conv_norm_relu(
        self, value: str, conv: str, norm: str, tap: int | None = None, pool: int | None = None
    ) -> list[Part]:
        """Values and their channels: one, or two where the convolution is split for the pool behind it."""
        weight, bias = self.tensors[f"{conv}.weight"], self.tensors[f"{conv}.bias"]
        channels = list(range(len(bias)))
        relu = f"backbone.{int(norm.split('.')[1]) + 1}"
        if not self.folded:
            value = self.conv(value, conv, weight, bias)
            statistics = [
                self.constant(self.tensors[f"{norm}.{part}"], f"{norm}.{part}")
                for part in ("weight", "bias", "running_mean", "running_var")
            ]
            value = self.node("BatchNormalization", [value, *statistics], norm, epsilon=EPSILON)
            parts = [(self.node("Relu", [value], relu), channels)]
        else:
            weight, bias = fold(weight, bias, *(self.tensors[f"{norm}.{part}"] for part in NORM_PARTS))
            step = POOLS[pool][0] if pool is not None else 1
            order = kept_first(len(bias), step)
            kept = -(-len(bias) // step)
            groups = [order[:kept], order[kept:]] if self.split and step > 1 else [order]
            parts = []
            for number, group in enumerate(groups):
                suffix = f".{number}" if len(groups) > 1 else ""
                part = self.conv(value, conv + suffix, weight[group], bias[group])
                parts.append((self.node("Relu", [part], relu + suffix), group))
        if tap is not None:
            self.taps.append(self.tap(parts, tap))
        return parts

    def pool(self, parts: list[Part], index: int) -> str:
        step, stride = POOLS[index]
        value, channels = parts[0]
        if step > 1 and len(parts) == 1:
            name = f"backbone.{index}.slice"
            bounds = (0, -(-len(channels) // step), 1) if self.folded else (0, len(channels), step)
            names = [("start", bounds[0]), ("end", bounds[1]), ("axis", 1), ("step", bounds[2])]
            inputs = [self.constant(np.array([number], np.int64), f"{name}.{word}") for word, number in names]
            value = self.node("Slice", [value, *inputs], name)
        return self.node("MaxPool", [value], f"backbone.{index}", kernel_shape=[3, 3], strides=list(stride))

    def tap(self, parts: list[Part], index: int) -> Part:
        """Average pool, then division by the mean square over all channels; folded, also the mean over height."""
        window = TAPS[index]
        if window is not None:
            kernel, strides = (list(pair) for pair in window)
            parts = [
                (self.node("AveragePool", [value], f"{value}.pool", kernel_shape=kernel, strides=strides), channels)
                for value, channels in parts
            ]
        name = f"context.{len(self.taps)}"
        value, channels = parts[0]
        if len(parts) > 1:
            channels = [channel for _, part in parts for channel in part]
            value = self.node("Concat", [value for value, _ in parts], f"{name}.concat", axis=1)
        square = self.node("Mul", [value, value], f"{name}.square")
        mean = self.node("ReduceMean", [square], f"{name}.mean_square", axes=[1, 2, 3], keepdims=1)
        if self.folded:
            value = self.node("ReduceMean", [value], f"{name}.mean_height", axes=[2], keepdims=1)
        return self.node("Div", [value, mean], name), channels

    def context(self) -> None:
        weight, bias = self.tensors["container.0.weight"], self.tensors["container.0.bias"]
        columns: list[int] = []
        for _, channels in self.taps:
            first = len(columns)
            columns += [first + channel for channel in channels]
        value = self.node("Concat", [value for value, _ in self.taps], "context", axis=1)
        value = self.conv(value, "container.0", weight[:, columns], bias)
        if self.folded:
            shape = self.constant(np.array([1, len(bias), -1], np.int64), "logits.shape")
            self.node("Reshape", [value, shape], "logits")
        else:
            self.node("ReduceMean", [value], "logits", axes=[2], keepdims=0)


NORM_PARTS = ("weight", "bias", "running_mean", "running_var")


def fold(
    weight: np.ndarray, bias: np.ndarray, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Batch norm folded into the convolution in front of it, computed in double."""
    scale = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + EPSILON)
    shifted = scale * (bias.astype(np.float64) - mean) + beta
    return (weight * scale[:, None, None, None]).astype(np.float32), shifted.astype(np.float32)
