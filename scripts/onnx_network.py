"""LPRNet as ONNX graphs, in several forms that compute the same logits.

For the runtimes that are measured beside the engine, each of which gets the form that it runs fastest:
trained:  batch norms, strided channel slices and the mean at the end, as in PyTorch.
folded:   batch norm folded into the convolutions (in double), the channels that a pool keeps sorted to the front, so
          that the slice is contiguous, and the mean over height in front of the last 1x1 convolution: what the engine
          does.
split:    folded, and a convolution whose pool keeps only some channels is cut in two, so that no slice is left.

For the BPU of RDK X5, whose int8 tensors have one scale each, with operators that its toolchain documents as its own:
whole:    folded, and each context branch with a 1x1 convolution of its own, divided and added at the end: no tensor
          holds two branches, so none loses levels to the range of another. A mean over three axes becomes two.
branches: the four branches come out as they are after their average pools, in the trained order of channels;
          finish_branches() does the rest in float.
In both a second convolution computes the channels that a pool keeps: no slice, at 4.8 % more multiply-adds.

A spatial transformer is in none of them: in the BPU's forms `pixels` are what it makes of a picture.

Every size comes from the tensors. numpy only: the peers' environment has no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

HEIGHT, WIDTH = 24, 94
FORMS = ("trained", "folded", "split")
BPU_FORMS = ("whole", "branches")
INPUT = "pixels"
BRANCHES = ("branch0", "branch1", "branch2", "branch3")
STEPS = 18
EPSILON = 1e-5  # of every batch norm, torch's default
# Axes as attributes of ReduceMean, which every converter reads.
OPSET = 17
# The oldest format that has this opset, for converters that lag behind.
IR_VERSION = 8
# The toolchain of RDK X5 takes opset 10 and 11 and formats up to 7.
BPU_OPSET, BPU_IR_VERSION = 11, 6
# A pool: index in the backbone, step between the channels it keeps, stride.
POOLS = {3: (1, (1, 1)), 7: (2, (1, 2)), 14: (4, (1, 2))}
# A context branch: index of the layer it reads, window and stride of its average pool.
TAPS = {2: ((5, 5), (5, 5)), 6: ((5, 5), (5, 5)), 13: ((4, 10), (4, 2)), 22: None}

Tensors = dict[str, np.ndarray]
# The name of a value and its channels, by their number in the trained order.
Part = tuple[str, list[int]]


def export(model: Path, form: str, output: Path) -> None:
    """Writes the model file as ONNX: input `pixels` [1, C, 24, 94], output `logits` [1, classes, 18]; the form
    `branches` has the outputs BRANCHES instead, [1, channels, 4, 18]."""
    tensors = load_file(str(model))
    floats = {key: value.astype(np.float32) if value.dtype == np.float16 else value for key, value in tensors.items()}
    onnx.save(build(floats, form), str(output))


def build(tensors: Tensors, form: str) -> onnx.ModelProto:
    if form not in FORMS + BPU_FORMS:
        raise ValueError(f"form: expected one of {', '.join(FORMS + BPU_FORMS)}, found {form!r}")
    if form in FORMS and any(key.startswith("transformer.") for key in tensors):
        raise ValueError(f"form {form!r}: expected a network without a spatial transformer")
    model = _Builder(tensors, form).model()
    onnx.checker.check_model(model, full_check=True)
    return model


class _Builder:
    def __init__(self, tensors: Tensors, form: str) -> None:
        self.tensors = tensors
        self.form = form
        self.folded = form != "trained"
        self.for_bpu = form in BPU_FORMS
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        # Per context branch its value and the channels (of the trained order) that it holds.
        self.taps: list[Part] = []

    def model(self) -> onnx.ModelProto:
        channels = self.tensors["backbone.0.weight"].shape[1]
        classes = self.tensors["container.0.weight"].shape[0]
        parts = self.conv_norm_relu(INPUT, "backbone.0", "backbone.1", tap=2, pool=3)
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
        if self.form == "branches":
            outputs = [(name, [1, len(channels), 4, STEPS]) for name, channels in self.taps]
        else:
            outputs = [("logits", [1, classes, STEPS])]
            if self.for_bpu:
                self.bpu_context()
            else:
                self.context()
        graph = helper.make_graph(
            self.nodes,
            "lprnet",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, channels, HEIGHT, WIDTH])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
            self.constants,
        )
        opset, version = (BPU_OPSET, BPU_IR_VERSION) if self.for_bpu else (OPSET, IR_VERSION)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="lprnet")
        model.ir_version = version
        return model

    def node(self, op: str, inputs: list[str], name: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def constant(self, array: np.ndarray, name: str) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def conv(
        self, value: str, name: str, weight: np.ndarray, bias: np.ndarray | None, pads: tuple[int, int] = (0, 0)
    ) -> str:
        inputs = [value, self.constant(weight, f"{name}.weight")]
        if bias is not None:
            inputs.append(self.constant(bias, f"{name}.bias"))
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
        """Values and their channels: one, or two where the pool behind the convolution reads only the first."""
        weight, bias = self.tensors[f"{conv}.weight"], self.tensors[f"{conv}.bias"]
        channels = list(range(len(bias)))
        relu = f"backbone.{int(norm.split('.')[1]) + 1}"
        if self.for_bpu and tap is not None and TAPS[tap] is None:
            relu = BRANCHES[len(self.taps)]
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
            kept, rest = channels[::step], [channel for channel in channels if channel % step]
            if step == 1 or self.form == "folded":
                groups = [kept + rest]
            else:
                groups = [kept, channels if self.for_bpu else rest]
            parts = []
            for number, group in enumerate(groups):
                suffix = f".{number}" if len(groups) > 1 else ""
                part = self.conv(value, conv + suffix, weight[group], bias[group])
                parts.append((self.node("Relu", [part], relu + suffix), group))
        if tap is not None:
            self.taps.append(self.bpu_branch(parts[-1], tap) if self.for_bpu else self.tap(parts, tap))
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

    def bpu_branch(self, part: Part, index: int) -> Part:
        """The branch of all channels after its average pool."""
        value, channels = part
        window = TAPS[index]
        if window is not None:
            kernel, strides = (list(pair) for pair in window)
            value = self.node("AveragePool", [value], BRANCHES[len(self.taps)], kernel_shape=kernel, strides=strides)
        return value, channels

    def bpu_context(self) -> None:
        """logits = sum_i (W_i . mean over height of f_i) / (mean of f_i^2) + bias."""
        weight, bias = self.tensors["container.0.weight"], self.tensors["container.0.bias"]
        first, total = 0, ""
        for number, (value, channels) in enumerate(self.taps):
            name = f"context.{number}"
            square = self.node("Mul", [value, value], f"{name}.square")
            area = self.node("ReduceMean", [square], f"{name}.mean_square_area", axes=[2, 3], keepdims=1)
            mean = self.node("ReduceMean", [area], f"{name}.mean_square", axes=[1], keepdims=1)
            height = self.node("ReduceMean", [value], f"{name}.mean_height", axes=[2], keepdims=1)
            columns = slice(first, first + len(channels))
            product = self.conv(height, f"{name}.conv", weight[:, columns], None)
            part = self.node("Div", [product, mean], f"{name}.scaled")
            total = self.node("Add", [total, part], f"{name}.sum") if total else part
            first += len(channels)
        biased = self.node("Add", [total, self.constant(bias.reshape(1, -1, 1, 1), "context.bias")], "context")
        shape = self.constant(np.array([1, len(bias), STEPS], np.int64), "logits.shape")
        self.node("Reshape", [biased, shape], "logits")

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


def finish_branches(branches: Sequence[np.ndarray], weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """classes x steps logits from the four branches [channels, 4, 18] and the tensors of container.0, in float32."""
    scaled = []
    for branch in branches:
        mean_square = np.mean(np.square(branch, dtype=np.float32), dtype=np.float32)
        scaled.append(branch.mean(axis=1, dtype=np.float32) / mean_square)
    return weight.reshape(len(bias), -1) @ np.concatenate(scaled) + bias[:, None]
