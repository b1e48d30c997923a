"""What the BPU of RDK X5 can compute, as the toolchain documents its ONNX operators, and a check of a graph against it.

One row a limit: the operator, what is limited, its values at a node, the least and the most that is allowed. An
operator without a row is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import onnx
from onnx import helper, numpy_helper, shape_inference

GIB = 2**30


class Node:
    """A node with the shapes around it."""

    def __init__(self, node: onnx.NodeProto, shapes: dict[str, list[int]], constants: dict[str, list[int]]) -> None:
        self.op = node.op_type
        self.name = node.name
        self.attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        self.inputs = [shapes[name] for name in node.input if name not in constants]
        self.outputs = [shapes[name] for name in node.output]
        self.constants = [constants[name] for name in node.input if name in constants]

    def numbers(self, attribute: str, default: Sequence[int] = (1, 1)) -> list[int]:
        return list(self.attributes.get(attribute, default))

    @property
    def tensors(self) -> list[list[int]]:
        return self.inputs + self.outputs

    @property
    def pads(self) -> list[int]:
        return self.numbers("pads", (0, 0, 0, 0))

    @property
    def weight(self) -> list[int]:
        return self.constants[0]


class Limit(NamedTuple):
    op: str
    what: str
    values: Callable[[Node], Sequence[int]]
    least: int
    most: int


def reduced_axes(node: Node) -> list[int]:
    """1 for one axis and for height with width, which go together; without the attribute all axes are reduced."""
    axes = sorted(axis % len(node.inputs[0]) for axis in node.numbers("axes", range(len(node.inputs[0]))))
    return [1 if axes == [2, 3] else len(axes)]


ELEMENTWISE = [
    limit
    for op in ("Add", "Mul", "Div")
    for limit in (
        Limit(op, "dimensions", lambda node: [len(shape) for shape in node.tensors], 1, 10),
        Limit(op, "constants", lambda node: [len(node.constants)], 0, 1),
    )
]

LIMITS = [
    Limit("Conv", "dimensions", lambda node: [len(shape) for shape in node.tensors], 4, 4),
    Limit("Conv", "kernel", lambda node: node.weight[2:], 1, 31),
    Limit("Conv", "channels x kernel", lambda node: [math.prod(node.weight[1:])], 1, 32767),
    Limit("Conv", "stride", lambda node: node.numbers("strides"), 1, 256),
    Limit("Conv", "dilation", lambda node: node.numbers("dilations"), 1, 16),
    Limit("Conv", "pad", lambda node: node.pads, 0, 256),
    Limit("Conv", "channels of a group", lambda node: [node.weight[1], node.weight[0]], 1, 8192),
    Limit(
        "Conv",
        "difference of opposite pads",
        lambda node: [a - b for a, b in zip(node.pads, node.pads[2:], strict=False)],
        0,
        0,
    ),
    Limit("Relu", "dimensions", lambda node: [len(shape) for shape in node.tensors], 4, 4),
    Limit("MaxPool", "dimensions", lambda node: [len(shape) for shape in node.tensors], 4, 4),
    Limit("MaxPool", "kernel", lambda node: node.numbers("kernel_shape"), 1, 256),
    Limit("MaxPool", "stride", lambda node: node.numbers("strides"), 1, 256),
    Limit("MaxPool", "pad", lambda node: node.pads, 0, 256),
    Limit("MaxPool", "dilation", lambda node: node.numbers("dilations"), 1, 1),
    Limit("AveragePool", "dimensions", lambda node: [len(shape) for shape in node.tensors], 4, 4),
    Limit("AveragePool", "kernel", lambda node: node.numbers("kernel_shape"), 1, 256),
    Limit("AveragePool", "area", lambda node: [math.prod(node.numbers("kernel_shape"))], 2, 8192),
    Limit("AveragePool", "stride", lambda node: node.numbers("strides"), 1, 256),
    Limit("AveragePool", "pad", lambda node: node.pads, 0, 255),
    *ELEMENTWISE,
    Limit("Pow", "elements of the exponent", lambda node: [math.prod(shape) for shape in node.constants], 1, 1),
    Limit("ReduceMean", "dimensions", lambda node: [len(shape) for shape in node.tensors], 2, 5),
    Limit("ReduceMean", "axes", reduced_axes, 1, 1),
    Limit("ReduceMean", "keepdims", lambda node: [node.attributes.get("keepdims", 1)], 1, 1),
    Limit("Concat", "axis", lambda node: [node.attributes["axis"]], 1, 9),
    Limit("Reshape", "dimensions", lambda node: [len(shape) for shape in node.tensors], 1, 10),
    Limit("Slice", "dimensions", lambda node: [len(shape) for shape in node.tensors], 1, 10),
]

TENSOR_LIMITS = [
    Limit("", "images", lambda node: [shape[0] for shape in node.tensors], 1, 4096),
    Limit("", "extent", lambda node: [size for shape in node.tensors for size in shape[1:]], 1, 65536),
    Limit("", "bytes", lambda node: [math.prod(shape) for shape in node.tensors], 1, GIB),
]


def violations(model: onnx.ModelProto) -> list[str]:
    """One line for each limit that the graph does not keep."""
    found = []
    if model.ir_version > 7:
        found.append(f"ir_version: expected 7 at most, found {model.ir_version}")
    opset = next(entry.version for entry in model.opset_import if not entry.domain)
    if opset not in (10, 11):
        found.append(f"opset: expected 10 or 11, found {opset}")
    graph = shape_inference.infer_shapes(model, strict_mode=True).graph
    constants = {tensor.name: list(numpy_helper.to_array(tensor).shape) for tensor in graph.initializer}
    shapes = {}
    for value in (*graph.input, *graph.value_info, *graph.output):
        # A dimension that is not fixed reads as 0, which no limit allows.
        shapes[value.name] = [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
    for value in graph.input:
        if len(shapes[value.name]) != 4 or shapes[value.name][0] != 1 or 0 in shapes[value.name]:
            found.append(f"{value.name}: expected four fixed dimensions with one image, found {shapes[value.name]}")
    if len(graph.output) > 32:
        found.append(f"outputs: expected 32 at most, found {len(graph.output)}")
    known = {limit.op for limit in LIMITS}
    for proto in graph.node:
        if proto.op_type not in known:
            found.append(f"{proto.name}: {proto.op_type} is not in the table")
            continue
        node = Node(proto, shapes, constants)
        for limit in (*TENSOR_LIMITS, *(limit for limit in LIMITS if limit.op == node.op)):
            for value in limit.values(node):
                if not limit.least <= value <= limit.most:
                    allowed = f"expected {limit.least} to {limit.most}"
                    found.append(f"{node.name}: {node.op}: {limit.what}: {allowed}, found {value}")
    return found
