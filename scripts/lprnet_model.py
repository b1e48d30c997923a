"""LPRNet as a torch module, built from channel widths or from a state dict.

Parameter names are those of the public PyTorch checkpoints (backbone.0 ... backbone.20, container.0). Reading and
writing of the project's safetensors model files is here too, so that every script agrees on it.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save as safetensors_bytes
from torch import Tensor, nn
from torch.nn import functional

from checkpoint import LayoutError, check_architecture, read_checkpoint
from plates import CHARSET_CN68, HEIGHT, UPSTREAM_PREPROCESS, WIDTH, greedy_text, normalize

__all__ = [
    "CHARSET_CN68", "BLOCK_INDICES", "LayoutError", "Lprnet", "LprnetShape", "Model", "TAP_INDICES", "dense_tensors",
    "expected_shapes", "infer_shape", "load_model", "model_from_state_dict", "numbered_charset", "read_checkpoint",
    "save_tensors",
]  # fmt: skip

BLOCK_INDICES = (4, 8, 11)
NORM_INDICES = (1, 5, 9, 12, 17, 21)
TAP_INDICES = (2, 6, 13, 22)
STEPS = 18
# Rows and columns that a spatial transformer's convolutions and pools leave of 24x94.
LOCATED = (2, 14)
# The three tensors of weights/FORMAT.md that stand for a sparse one, and what their entries cost in the header.
MASK, VALUES, SHAPE = ".mask", ".values", ".shape"
SPARSE_HEADER_BYTES = 256
# Of what may be sparse: OIHW of convolutions, and outputs and inputs of linear layers.
WEIGHT_DIMENSIONS = (4, 2)
# In the metadata of a model file with a spatial transformer.
TRANSFORMER_KEY = "lprnet.transformer"
DATA_ALIGNMENT = 64


@dataclass(frozen=True)
class LprnetShape:
    """Every free size of the network.

    blocks: for the small basic blocks at 4, 8 and 11 the output channels of their four convolutions.
    transformer: of a spatial transformer in front, the channels of its two convolutions and the width of its linear
    layer.
    """

    channels: int = 3
    stem: int = 64
    blocks: tuple[tuple[int, int, int, int], ...] = ((32, 32, 32, 128), (64, 64, 64, 256), (64, 64, 64, 256))
    head: int = 256
    classes: int = 68
    transformer: tuple[int, int, int] | None = None

    @staticmethod
    def from_widths(widths: float | Sequence[int] = 1.0, classes: int = 68, channels: int = 3) -> LprnetShape:
        """From a width multiplier, or from the five widths (stem, block 4, block 8, block 11, head)."""
        if isinstance(widths, (int, float)):
            # Multiples of four keep the quarter width of a block whole.
            widths = [max(4, round(base * widths / 4) * 4) for base in (64, 128, 256, 256, 256)]
        if len(widths) != 5:
            raise ValueError(f"widths: expected a multiplier or 5 numbers, found {len(widths)}")
        stem, *outs, head = (int(width) for width in widths)
        blocks = tuple((out // 4, out // 4, out // 4, out) for out in outs)
        return LprnetShape(channels, stem, blocks, head, classes)

    def block_inputs(self) -> tuple[int, int, int]:
        """Channels entering the blocks: the pools in front of 4, 8 and 16 keep every 1st, 2nd and 4th channel."""
        return self.stem, -(-self.blocks[0][3] // 2), self.blocks[1][3]

    def head_input(self) -> int:
        return -(-self.blocks[2][3] // 4)

    def context_channels(self) -> int:
        return self.stem + self.blocks[0][3] + self.blocks[2][3] + self.classes


class _EveryNth(torch.autograd.Function):
    """x[:, ::n], with a gradient in the memory order of x: torch's own is NCHW, and adding it to the channels-last one
    of the other reader of x takes a tenth of a training step on CPU."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor, n: int) -> Tensor:
        ctx.n, ctx.shape, ctx.order = n, x.shape, x.stride()
        return x[:, ::n]

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        whole = torch.empty_strided(ctx.shape, ctx.order, dtype=gradient.dtype, device=gradient.device).zero_()
        whole[:, :: ctx.n] = gradient
        return whole, None


class ChannelStridePool(nn.Module):
    """MaxPool3d with kernel (1,3,3) over [C,H,W]: its channel stride only keeps every `channel_stride`-th channel,
    so a slice and a 2-d pool give the same numbers in far less time."""

    def __init__(self, channel_stride: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.channel_stride = channel_stride
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        if self.channel_stride > 1:
            costly = torch.is_grad_enabled() and x.device.type == "cpu"
            x = _EveryNth.apply(x, self.channel_stride) if costly else x[:, :: self.channel_stride]
        return functional.max_pool2d(x, 3, self.stride)


class ByteDropout(nn.Dropout):
    """Dropout whose mask costs one random byte per value, not one 32-bit draw: torch's Bernoulli fill takes a sixth of
    a training step on CPU. The rate is rounded to 1/256."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu":
            return super().forward(x)
        count = x.numel()
        words = torch.empty((count + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
        threshold = round(self.p * 256)
        keep = (words.view(torch.uint8)[:count] >= threshold).to(x.dtype) * (256 / (256 - threshold))
        # The mask follows the memory order of x, whatever its layout: the values are independent anyway.
        return x * torch.empty_like(x).as_strided((count,), (1,)).copy_(keep).as_strided(x.shape, x.stride())


class SmallBasicBlock(nn.Module):
    """1x1, 3x1, 1x3, 1x1 convolutions with ReLU between them."""

    def __init__(self, channels: int, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        a, b, c, out = widths
        self.block = nn.Sequential(
            nn.Conv2d(channels, a, 1),
            nn.ReLU(),
            nn.Conv2d(a, b, (3, 1), padding=(1, 0)),
            nn.ReLU(),
            nn.Conv2d(b, c, (1, 3), padding=(0, 1)),
            nn.ReLU(),
            nn.Conv2d(c, out, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)


class SpatialTransformer(nn.Module):
    """Straightens the picture before it is read (section 3.1 of the LPRNet paper): a small network sees where the plate
    lies and gives an affine map, by which the picture is sampled anew. It starts as the identity.

    align_corners: positions -1 and 1 are the centers of the corner pixels, not the corners of the picture, as PyTorch
    before 1.3 had it too.
    """

    def __init__(self, channels: int, widths: tuple[int, int, int], align_corners: bool = True) -> None:
        super().__init__()
        self.align_corners = align_corners
        first, second, hidden = widths
        self.localization = nn.Sequential(
            nn.Conv2d(channels, first, 3), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(first, second, 5), nn.MaxPool2d(3), nn.ReLU(),
        )  # fmt: skip
        self.fc_loc = nn.Sequential(nn.Linear(second * math.prod(LOCATED), hidden), nn.ReLU(), nn.Linear(hidden, 6))
        self.reset_last_layer()

    def reset_last_layer(self) -> None:
        nn.init.zeros_(self.fc_loc[2].weight)
        self.fc_loc[2].bias.data.copy_(torch.tensor([1.0, 0, 0, 0, 1, 0]))

    def forward(self, x: Tensor) -> Tensor:
        theta = self.fc_loc(self.localization(x).flatten(1)).float().view(-1, 2, 3)
        # What lies outside is 0, the gray between black and white.
        grid = functional.affine_grid(theta, list(x.shape), align_corners=self.align_corners)
        return functional.grid_sample(x, grid, align_corners=self.align_corners)


class Lprnet(nn.Module):
    """[N, channels, 24, 94] -> logits [N, classes, 18].

    batch_context_mean: divide each tap by the mean square of the whole batch, as the public code does, instead of each
    image's own. At batch 1 there is no difference; beyond it an answer would depend on its neighbors.
    """

    def __init__(
        self, shape: LprnetShape = LprnetShape(), dropout: float = 0.5, batch_context_mean: bool = False
    ) -> None:
        super().__init__()
        self.shape = shape
        self.batch_context_mean = batch_context_mean
        inputs = shape.block_inputs()
        outs = [block[3] for block in shape.blocks]
        self.backbone = nn.Sequential(
            nn.Conv2d(shape.channels, shape.stem, 3),
            nn.BatchNorm2d(shape.stem),
            nn.ReLU(),
            ChannelStridePool(1, (1, 1)),
            SmallBasicBlock(inputs[0], shape.blocks[0]),
            nn.BatchNorm2d(outs[0]),
            nn.ReLU(),
            ChannelStridePool(2, (1, 2)),
            SmallBasicBlock(inputs[1], shape.blocks[1]),
            nn.BatchNorm2d(outs[1]),
            nn.ReLU(),
            SmallBasicBlock(inputs[2], shape.blocks[2]),
            nn.BatchNorm2d(outs[2]),
            nn.ReLU(),
            ChannelStridePool(4, (1, 2)),
            ByteDropout(dropout),
            nn.Conv2d(shape.head_input(), shape.head, (1, 4)),
            nn.BatchNorm2d(shape.head),
            nn.ReLU(),
            ByteDropout(dropout),
            nn.Conv2d(shape.head, shape.classes, (13, 1)),
            nn.BatchNorm2d(shape.classes),
            nn.ReLU(),
        )
        self.container = nn.Sequential(nn.Conv2d(shape.context_channels(), shape.classes, 1))
        self.transformer = SpatialTransformer(shape.channels, shape.transformer) if shape.transformer else None

    def forward(self, x: Tensor) -> Tensor:
        if self.transformer is not None:
            x = self.transformer(x)
        taps = []
        for index, layer in enumerate(self.backbone):
            x = layer(x)
            if index in TAP_INDICES:
                taps.append(x)
        pooled = (
            functional.avg_pool2d(taps[0], 5, 5),
            functional.avg_pool2d(taps[1], 5, 5),
            functional.avg_pool2d(taps[2], (4, 10), (4, 2)),
            taps[3],
        )
        context = torch.cat([self._scale(tap) for tap in pooled], dim=1)
        return self.container(context).mean(dim=2)

    def _scale(self, tap: Tensor) -> Tensor:
        axes = (0, 1, 2, 3) if self.batch_context_mean else (1, 2, 3)
        mean_square = tap.float().square().mean(dim=axes, keepdim=True)
        return tap / mean_square.to(tap.dtype)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Kaiming weights by fan-out, zero biases, unit batch norms: the starting point of training."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
                nn.init.zeros_(layer.bias)
            elif isinstance(layer, nn.BatchNorm2d):
                layer.reset_parameters()
        if self.transformer is not None:
            self.transformer.reset_last_layer()


def expected_shapes(shape: LprnetShape) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of a model file (num_batches_tracked is not one of them)."""
    shapes: dict[str, tuple[int, ...]] = {}

    def conv(name: str, out: int, into: int, kh: int, kw: int) -> None:
        shapes[f"{name}.weight"] = (out, into, kh, kw)
        shapes[f"{name}.bias"] = (out,)

    conv("backbone.0", shape.stem, shape.channels, 3, 3)
    for index, into, (a, b, c, out) in zip(BLOCK_INDICES, shape.block_inputs(), shape.blocks, strict=True):
        conv(f"backbone.{index}.block.0", a, into, 1, 1)
        conv(f"backbone.{index}.block.2", b, a, 3, 1)
        conv(f"backbone.{index}.block.4", c, b, 1, 3)
        conv(f"backbone.{index}.block.6", out, c, 1, 1)
    conv("backbone.16", shape.head, shape.head_input(), 1, 4)
    conv("backbone.20", shape.classes, shape.head, 13, 1)
    conv("container.0", shape.classes, shape.context_channels(), 1, 1)
    norm_widths = (shape.stem, *(block[3] for block in shape.blocks), shape.head, shape.classes)
    for index, width in zip(NORM_INDICES, norm_widths, strict=True):
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"backbone.{index}.{part}"] = (width,)
    if shape.transformer:
        first, second, hidden = shape.transformer
        conv("transformer.localization.0", first, shape.channels, 3, 3)
        conv("transformer.localization.3", second, first, 5, 5)
        for part, size in ((0, (hidden, second * math.prod(LOCATED))), (2, (6, hidden))):
            shapes[f"transformer.fc_loc.{part}.weight"] = size
            shapes[f"transformer.fc_loc.{part}.bias"] = size[:1]
    return shapes


def infer_shape(state: Mapping[str, Tensor]) -> LprnetShape:
    """Sizes of the network from its tensors; a LayoutError names the first tensor that does not fit."""

    def weight(name: str) -> tuple[int, ...]:
        key = f"{name}.weight"
        if key not in state:
            raise LayoutError(f"{key}: missing")
        found = tuple(state[key].shape)
        if len(found) != 4 or 0 in found:
            raise LayoutError(f"{key}: expected 4 dimensions (OIHW), found {list(found)}")
        return found

    stem = weight("backbone.0")
    blocks = tuple(
        tuple(weight(f"backbone.{index}.block.{part}")[0] for part in (0, 2, 4, 6)) for index in BLOCK_INDICES
    )
    shape = LprnetShape(
        channels=stem[1],
        stem=stem[0],
        blocks=blocks,
        head=weight("backbone.16")[0],
        classes=weight("backbone.20")[0],
        transformer=_transformer_widths(state),
    )
    wanted = expected_shapes(shape)
    for key, size in wanted.items():
        if key not in state:
            raise LayoutError(f"{key}: missing")
        if tuple(state[key].shape) != size:
            raise LayoutError(f"{key}: expected shape {list(size)}, found {list(state[key].shape)}")
        if not state[key].is_floating_point():
            raise LayoutError(f"{key}: expected floating point, found {state[key].dtype}")
        if not bool(torch.isfinite(state[key]).all()):
            raise LayoutError(f"{key}: expected finite values, found NaN or infinity")
        if key.endswith(".running_var") and bool((state[key] < 0).any()):
            raise LayoutError(f"{key}: expected variances of at least 0, found {float(state[key].min())}")
    for key in state:
        if key not in wanted and not key.endswith(".num_batches_tracked"):
            raise LayoutError(f"{key}: unexpected")
    if shape.channels not in (1, 3):
        raise LayoutError(f"backbone.0.weight: expected 1 or 3 input channels, found {shape.channels}")
    return shape


def _transformer_widths(state: Mapping[str, Tensor]) -> tuple[int, int, int] | None:
    layers = [f"transformer.{layer}.weight" for layer in ("localization.0", "localization.3", "fc_loc.0")]
    if not any(key.startswith("transformer.") for key in state):
        return None
    for key in layers:
        if key not in state or state[key].ndim == 0:
            raise LayoutError(f"{key}: missing")
    return tuple(state[key].shape[0] for key in layers)


def model_from_state_dict(state: Mapping[str, Tensor], align_corners: bool = True) -> Lprnet:
    """A network in eval mode with these float32 tensors; sizes come from the tensors alone. align_corners: of a spatial
    transformer."""
    network = Lprnet(infer_shape(state))
    if network.transformer is not None:
        network.transformer.align_corners = align_corners
    tensors = {key: value.detach().to(torch.float32) for key, value in state.items()}
    for index in NORM_INDICES:
        tensors.setdefault(f"backbone.{index}.num_batches_tracked", torch.tensor(0))
    network.load_state_dict(tensors)
    return network.eval()


def halved_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of convolutions and linear layers rounded to float16, which takes half of the space: the network is
    another one then, if hardly. LayoutError for a weight that float16 cannot hold."""
    halved = dict(tensors)
    for key, value in tensors.items():
        if value.ndim not in WEIGHT_DIMENSIONS or value.dtype != torch.float32:
            continue
        halved[key] = value.to(torch.float16)
        if not bool(torch.isfinite(halved[key]).all()):
            raise LayoutError(f"{key}: a weight of {float(value.abs().max()):g} is too large for float16")
    return halved


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str], sparse: bool = False) -> None:
    """Writes safetensors under a temporary name and renames it: no reader ever sees half a file. Equal content gives
    equal bytes, those that the C++ writer gives too.

    sparse: store convolution weights as weights/FORMAT.md says under "Sparse tensors", where that is smaller.
    """
    if sparse:
        tensors = _with_sparse_weights(tensors)
    plain = {key: value.detach().contiguous() for key, value in tensors.items()}
    content = _in_our_order(safetensors_bytes(plain, metadata=dict(metadata)), plain)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _in_our_order(content: bytes, tensors: Mapping[str, Tensor]) -> bytes:
    """The same file laid out as weights/FORMAT.md says of our writers: the package keeps metadata in a hash map, whose
    order changes from run to run, and orders data by dtype."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    data = content[8 + length :]
    metadata = header.pop("__metadata__", {})
    pieces, end = [], 0
    for name in sorted(header, key=lambda name: (-tensors[name].element_size(), name)):
        first, last = header[name]["data_offsets"]
        pieces.append(data[first:last])
        header[name]["data_offsets"] = [end, end + last - first]
        end += last - first
    entries = [f"{_json(name)}:{json.dumps(header[name], separators=(',', ':'))}" for name in sorted(header)]
    if metadata:
        pairs = ",".join(f"{_json(key)}:{_json(metadata[key])}" for key in sorted(metadata))
        entries.insert(0, f'"__metadata__":{{{pairs}}}')
    text = ("{" + ",".join(entries) + "}").encode("utf-8")
    text += b" " * (-(len(text) + 8) % DATA_ALIGNMENT)
    return len(text).to_bytes(8, "little") + text + b"".join(pieces)


def _json(text: str) -> str:
    """A JSON string in which nothing is escaped that need not be."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f]", lambda match: f"\\u{ord(match[0]):04x}", escaped) + '"'


def _with_sparse_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of convolutions (four dimensions) and linear layers (two) as mask, values and shape where that is
    smaller."""
    stored: dict[str, Tensor] = {}
    for key, value in tensors.items():
        elements = value.detach().flatten().numpy()
        mask = np.packbits(elements != 0, bitorder="little")
        values = elements[elements != 0]
        size = mask.nbytes + values.nbytes + 8 * value.ndim + SPARSE_HEADER_BYTES
        if value.ndim not in WEIGHT_DIMENSIONS or size >= elements.nbytes:
            stored[key] = value
            continue
        stored[key + MASK] = torch.from_numpy(mask)
        stored[key + VALUES] = torch.from_numpy(values)
        stored[key + SHAPE] = torch.tensor(value.shape, dtype=torch.int64)
    return stored


def dense_tensors(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of a model file with the sparse ones made dense; LayoutError for parts that do not fit."""
    tensors = {key: value for key, value in stored.items() if not key.endswith((MASK, VALUES, SHAPE))}
    names = {key.rpartition(".")[0] for key in stored if key not in tensors}
    for name in sorted(names):
        if name in stored:
            raise LayoutError(f"{name}: stored twice, dense and sparse")
        tensors[name] = _dense(name, stored)
    return tensors


def _dense(name: str, stored: Mapping[str, Tensor]) -> Tensor:
    parts = []
    numbers = [torch.float32, torch.float16, torch.int8]
    for suffix, dtypes in ((MASK, [torch.uint8]), (VALUES, numbers), (SHAPE, [torch.int64])):
        part = stored.get(name + suffix)
        if part is None:
            raise LayoutError(f"{name}{suffix}: missing")
        if part.dtype not in dtypes or part.ndim != 1:
            expected = " or ".join(map(str, dtypes))
            raise LayoutError(
                f"{name}{suffix}: expected {expected} of one dimension, found {part.dtype} {list(part.shape)}"
            )
        parts.append(part.numpy())
    mask, values, shape = parts
    dimensions = [int(dimension) for dimension in shape]
    count = math.prod(dimensions)
    if len(dimensions) not in WEIGHT_DIMENSIONS or min(dimensions) < 0:
        raise LayoutError(f"{name}{SHAPE}: expected 4 dimensions (OIHW), or 2 of a linear layer, found {dimensions}")
    if len(mask) != -(-count // 8):
        raise LayoutError(f"{name}{MASK}: expected {-(-count // 8)} bytes for {dimensions}, found {len(mask)}")
    bits = np.unpackbits(mask, bitorder="little").astype(bool)
    if bits[count:].any():
        raise LayoutError(f"{name}{MASK}: a bit is set behind the last of {count} elements")
    if bits.sum() != len(values):
        raise LayoutError(f"{name}{MASK}: expected {len(values)} bits, one for each value, found {bits.sum()}")
    if not values.all():
        raise LayoutError(f"{name}{VALUES}: a value is 0, which only the mask may say")
    dense = np.zeros(count, dtype=values.dtype)
    dense[bits[:count]] = values
    return torch.from_numpy(dense.reshape(dimensions))


@dataclass
class Model:
    """A network with what its file says about characters and pixels."""

    network: Lprnet
    charset: list[str]
    blank: int
    preprocess: dict
    source: str

    @torch.inference_mode()
    def logits(self, image: np.ndarray) -> np.ndarray:
        """classes x 18 logits of one 24x94x3 uint8 BGR image; always one image per forward pass."""
        pixels = torch.from_numpy(normalize(image[None], self.preprocess))
        return self.network(pixels)[0].numpy()

    def text(self, logits: np.ndarray) -> str:
        return greedy_text(logits, self.charset, self.blank)


def numbered_charset(classes: int) -> list[str]:
    """Stand-ins for a model whose characters nobody knows: good for logits, not for texts."""
    return [f"#{index}" for index in range(classes - 1)] + ["-"]


def _align_corners(metadata: Mapping[str, str]) -> bool:
    text = metadata.get(TRANSFORMER_KEY, '{"align_corners": true}')
    try:
        found = json.loads(text).get("align_corners")
    except (ValueError, AttributeError):
        found = None
    if not isinstance(found, bool):
        raise LayoutError(f'{TRANSFORMER_KEY}: expected {{"align_corners": true}} or false, found {text[:96]}')
    return found


def load_model(path: Path) -> Model:
    """A .safetensors model file, or a .pth state dict (read as the public checkpoint reads its pixels)."""
    if path.suffix == ".safetensors":
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            check_architecture(metadata)
            state = dense_tensors({key: file.get_tensor(key) for key in file.keys()})
        for key in ("lprnet.charset", "lprnet.preprocess"):
            if key not in metadata:
                raise LayoutError(f"{key}: missing from the metadata")
        network = model_from_state_dict(state, _align_corners(metadata))
        charset = json.loads(metadata["lprnet.charset"])
        blank = int(metadata.get("lprnet.blank", len(charset) - 1))
        preprocess = json.loads(metadata["lprnet.preprocess"])
        source = metadata.get("lprnet.source", "")
    else:
        network = model_from_state_dict(read_checkpoint(path, front=True))
        classes = network.shape.classes
        charset = list(CHARSET_CN68) if classes == len(CHARSET_CN68) else numbered_charset(classes)
        blank = classes - 1
        preprocess = dict(UPSTREAM_PREPROCESS)
        if network.shape.channels == 1:
            preprocess["channel_order"] = "GRAY"
        source = path.name
    if len(charset) != network.shape.classes:
        raise LayoutError(f"lprnet.charset: expected {network.shape.classes} entries, found {len(charset)}")
    if not 0 <= blank < len(charset):
        raise LayoutError(f"lprnet.blank: expected 0 to {len(charset) - 1}, found {blank}")
    if (preprocess["width"], preprocess["height"]) != (WIDTH, HEIGHT):
        raise LayoutError(
            f"lprnet.preprocess: expected {WIDTH}x{HEIGHT}, found {preprocess['width']}x{preprocess['height']}"
        )
    return Model(network, charset, blank, preprocess, source)
