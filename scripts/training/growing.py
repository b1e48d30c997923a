"""A network made wider, or given more classes, that still answers as before: where a larger one starts from.

A new channel is a copy of an old one, and what reads both weighs each by half. Copies of one kind lie so that the pools
that keep every 2nd or 4th channel keep copies of what they kept.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lprnet_model import BLOCK_INDICES, Lprnet, LprnetShape

# Every which channel of a block's output the pool behind it keeps.
POOL_STRIDES = (2, 1, 4)
# Of a copy's difference from its original, so that both are not trained alike.
COPY_NOISE = 0.02
# New classes start this much less likely than the others.
NEW_CLASS_BIAS = -4.0


def copies(old: int, new: int, stride: int = 1) -> np.ndarray:
    """For each new channel the old one that it copies."""
    channel = np.arange(new)
    return stride * ((channel // stride) % (old // stride)) + channel % stride


@torch.no_grad()
def grown(network: Lprnet, shape: LprnetShape, seed: int) -> Lprnet:
    """A network of this shape, nowhere narrower and with no fewer classes; the blank stays the last."""
    was = network.shape
    widths, wanted = (
        (one.channels, one.stem, *(width for block in one.blocks for width in block), one.head, one.classes)
        for one in (was, shape)
    )
    if any(new < old for old, new in zip(widths, wanted, strict=True)) or was.channels != shape.channels:
        raise ValueError(f"expected a network of at least the widths {widths}, found {wanted}")
    generator = torch.Generator().manual_seed(seed)
    tensors = {key: value.clone() for key, value in network.state_dict().items()}

    def conv(key: str, outputs: np.ndarray, inputs: np.ndarray) -> None:
        weight = tensors[f"{key}.weight"]
        copied = torch.from_numpy(np.bincount(inputs)[inputs].astype(np.float32))
        weight = weight[outputs][:, inputs] / copied[:, None, None]
        if len(set(outputs)) < len(outputs) or len(set(inputs)) < len(inputs):
            weight *= 1 + COPY_NOISE * torch.randn(weight.shape, generator=generator)
        tensors[f"{key}.weight"] = weight
        tensors[f"{key}.bias"] = tensors[f"{key}.bias"][outputs]

    def norm(index: int, channels: np.ndarray) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            tensors[f"backbone.{index}.{part}"] = tensors[f"backbone.{index}.{part}"][channels]

    stem = copies(was.stem, shape.stem)
    outs = [copies(a[3], b[3], stride) for a, b, stride in zip(was.blocks, shape.blocks, POOL_STRIDES, strict=True)]
    kept = [out[::stride] // stride for out, stride in zip(outs, POOL_STRIDES, strict=True)]
    conv("backbone.0", stem, np.arange(was.channels))
    norm(1, stem)
    for index, inputs, old, new, out in zip(BLOCK_INDICES, (stem, *kept), was.blocks, shape.blocks, outs, strict=False):
        for part, width in enumerate(new[:3]):
            outputs = copies(old[part], width)
            conv(f"backbone.{index}.block.{2 * part}", outputs, inputs)
            inputs = outputs
        conv(f"backbone.{index}.block.6", out, inputs)
        norm(index + 1, out)
    head = copies(was.head, shape.head)
    classes = np.arange(was.classes)
    conv("backbone.16", head, kept[2])
    norm(17, head)
    conv("backbone.20", classes, head)
    taps = (stem, outs[0], outs[2], classes)
    starts = np.cumsum((0, was.stem, was.blocks[0][3], was.blocks[2][3]))
    conv("container.0", classes, np.concatenate([start + tap for start, tap in zip(starts, taps, strict=True)]))
    if shape.classes > was.classes:
        _add_classes(tensors, was.classes, shape.classes, generator)
    result = Lprnet(shape)
    torch.manual_seed(seed)
    result.reset_parameters(generator)
    # A transformer that was not there before starts as the identity.
    fresh = result.transformer is not None and network.transformer is None
    rest = {key: value for key, value in result.state_dict().items() if fresh and key.startswith("transformer.")}
    result.load_state_dict(tensors | rest)
    return result


def _add_classes(tensors: dict[str, Tensor], old: int, new: int, generator: torch.Generator) -> None:
    """Rows for new classes in front of the blank's."""
    more, blank = new - old, old - 1

    def insert(key: str, rows: Tensor) -> None:
        value = tensors[key]
        tensors[key] = torch.cat([value[:blank], rows, value[blank:]])

    for key in ("backbone.20", "container.0"):
        weight = tensors[f"{key}.weight"]
        noise = torch.randn((more, *weight.shape[1:]), generator=generator) * weight.std()
        insert(f"{key}.weight", noise if key == "backbone.20" else 0.1 * noise)
    insert("backbone.20.bias", torch.zeros(more))
    insert("container.0.bias", tensors["container.0.bias"][:blank].mean() + NEW_CLASS_BIAS + torch.zeros(more))
    # Nearly silent at first: they count in the mean square that all classes are divided by.
    insert("backbone.21.weight", torch.full((more,), 0.1))
    for part, value in (("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
        insert(f"backbone.21.{part}", torch.full((more,), value))
    weight = tensors["container.0.weight"]
    place = weight.shape[1] - old
    tap = weight[:, place:] * (old / new)
    zeros = torch.zeros((new, more, 1, 1))
    tensors["container.0.weight"] = torch.cat([weight[:, :place], tap[:, :blank], zeros, tap[:, blank:]], dim=1)
