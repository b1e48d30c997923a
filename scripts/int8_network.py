"""A network that `lprnet quantize` wrote, computed as weights/FORMAT.md says under "Int8 tensors": the engine's bits,
where its branches can be compared with what other hardware makes of the same network. One image at a time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch.nn import functional

from checkpoint import check_architecture
from lprnet_model import BLOCK_INDICES, LayoutError, dense_tensors
from onnx_network import POOLS, TAPS

BRANCH_ROWS = 4
# The convolution in front of a pool or branch, by the backbone's index of that.
LAST_CONV = {2: "backbone.0", 6: "backbone.4.block.6", 13: "backbone.11.block.6", 22: "backbone.20"}


@dataclass
class Branch:
    """Window sums of levels, [channels, 4, 18]: the real value is sums * factor * scale / pixels."""

    sums: np.ndarray
    pixels: int
    scale: float
    factors: np.ndarray  # of the channels, powers of two

    @property
    def values(self) -> np.ndarray:
        return self.sums * (self.factors[:, None, None] * (self.scale / self.pixels))


class Int8Network:
    def __init__(self, path: Path) -> None:
        """LayoutError for a file that holds no quantized network. A spatial transformer is left out: inputs are what it
        makes of a picture."""
        with safe_open(str(path), framework="pt") as file:
            check_architecture(file.metadata())
            stored = {key: file.get_tensor(key) for key in file.keys()}
            self.tensors = {key: tensor.numpy() for key, tensor in dense_tensors(stored).items()}
            self.preprocess = json.loads((file.metadata() or {}).get("lprnet.preprocess", "{}"))
        if "backbone.0.output.scale" not in self.tensors:
            raise LayoutError("backbone.0.output.scale: missing; `lprnet quantize` writes quantized networks")

    def branches(self, pixels: np.ndarray) -> list[Branch]:
        """Of one normalized image [channels, 24, 94]."""
        mean, scale = (np.reshape(self.preprocess[key], (-1, 1, 1)) for key in ("mean", "scale"))
        levels = np.rint(pixels / scale + mean)
        taps = {}
        levels, step = self._conv("backbone.0", levels, 1.0)
        taps[2] = (levels, step)
        levels = self._pool(levels, 3)
        for index in BLOCK_INDICES:
            for part, pad in ((0, (0, 0)), (2, (1, 0)), (4, (0, 1)), (6, (0, 0))):
                levels, step = self._conv(f"backbone.{index}.block.{part}", levels, step, pad)
            after = next((tap for tap, name in LAST_CONV.items() if name.startswith(f"backbone.{index}.")), None)
            if after is not None:
                taps[after] = (levels, step)
                levels = self._pool(levels, after + 1)
        levels, step = self._conv("backbone.16", levels, step)
        taps[22] = self._conv("backbone.20", levels, step)
        return [self._branch(*taps[index], self._factors(LAST_CONV[index]), TAPS[index]) for index in TAPS]

    def logits(self, branches: list[Branch]) -> np.ndarray:
        """classes x 18, every product and sum rounded to float32 as the engine rounds it."""
        inputs: list[np.ndarray] = []
        order: list[int] = []
        for tap, branch in zip(TAPS, branches, strict=True):
            least = float(branch.factors.min())
            weights = np.square(branch.factors / least).astype(np.int64)
            squares = int((np.square(branch.sums) * weights[:, None, None]).sum())
            factor = branch.pixels * branch.sums.size / (BRANCH_ROWS * branch.scale) / least**2 / squares
            scaled = branch.sums.sum(axis=1).astype(np.float32) * np.float32(factor)
            inputs.append(scaled * branch.factors[:, None].astype(np.float32))
            step = POOLS[tap + 1][0] if tap + 1 in POOLS else 1
            channels, first = range(len(branch.sums)), len(order)
            order += [first + c for c in channels if c % step == 0] + [first + c for c in channels if c % step]
        weight = self.tensors["container.0.weight"]
        weight = weight.reshape(len(weight), -1).astype(np.float32)
        if "container.0.weight.scale" in self.tensors:
            weight = weight * self.tensors["container.0.weight.scale"][:, None]
        columns = np.concatenate(inputs)[order]
        sums = np.repeat(self.tensors["container.0.bias"][:, None], columns.shape[1], axis=1)
        for weights, values in zip(weight.T[order], columns, strict=True):
            sums += weights[:, None] * values
        return sums

    def _conv(
        self, name: str, levels: np.ndarray, step: float, pad: tuple[int, int] = (0, 0)
    ) -> tuple[np.ndarray, float]:
        output = float(self.tensors[f"{name}.output.scale"][0])
        if f"{name}.weight.scale" not in self.tensors:
            return self._conv_of_floats(name, levels, step / output, pad), output
        steps = step * self.tensors[f"{name}.weight.scale"].astype(np.float64)
        bias = np.rint(self.tensors[f"{name}.bias"] / steps)
        # Whole numbers far below 2^53: exact in double.
        weight = torch.from_numpy(self.tensors[f"{name}.weight"].astype(np.float64))
        sums = functional.conv2d(torch.from_numpy(levels)[None], weight, torch.from_numpy(bias), padding=pad)[0].numpy()
        factor = (steps / output).astype(np.float32)
        return np.clip(np.rint(sums.astype(np.float32) * factor[:, None, None]), 0, 255).astype(np.float64), output

    def _conv_of_floats(self, name: str, levels: np.ndarray, factor: float, pad: tuple[int, int]) -> np.ndarray:
        """Of a layer with float32 weights: products and sums are rounded to float32, tap by tap, channel by channel."""
        weight = (self.tensors[f"{name}.weight"].astype(np.float64) * factor).astype(np.float32)
        output = float(self.tensors[f"{name}.output.scale"][0])
        padded = np.pad(levels, ((0, 0), (pad[0], pad[0]), (pad[1], pad[1]))).astype(np.float32)
        rows, columns = (padded.shape[1 + i] - weight.shape[2 + i] + 1 for i in range(2))
        bias = (self.tensors[f"{name}.bias"].astype(np.float64) / output).astype(np.float32)
        sums = np.repeat(bias, rows * columns).reshape(-1, rows, columns)
        for r, s in np.ndindex(*weight.shape[2:]):
            for weights, values in zip(weight[:, :, r, s].T, padded[:, r : r + rows, s : s + columns], strict=True):
                sums += weights[:, None, None] * values
        return np.rint(np.clip(sums, 0, 255)).astype(np.float64)

    def _pool(self, levels: np.ndarray, index: int) -> np.ndarray:
        step, stride = POOLS[index]
        return functional.max_pool2d(torch.from_numpy(levels[::step].copy())[None], 3, stride)[0].numpy()

    def _factors(self, name: str) -> np.ndarray:
        channels = len(self.tensors[f"{name}.bias"])
        return self.tensors.get(f"{name}.output.factor", np.ones(channels, np.float32)).astype(np.float64)

    def _branch(self, levels: np.ndarray, scale: float, factors: np.ndarray, window: tuple | None) -> Branch:
        if window is None:
            return Branch(levels.astype(np.int64), 1, scale, factors)
        kernel, stride = window
        area = kernel[0] * kernel[1]
        means = functional.avg_pool2d(torch.from_numpy(levels)[None], kernel, stride)[0].numpy()
        return Branch(np.rint(means * area).astype(np.int64), area, scale, factors)
