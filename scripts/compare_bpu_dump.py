#!/usr/bin/env python3
"""Sets what a BPU computed beside float32 and our int8, for each context branch and for the logits.

The BPU's answer is a folder that `hrt_model_exec infer --enable_dump true --dump_format bin --dump_path FOLDER` wrote,
from a model in the form `branches` or `whole` of scripts/export_rdk_x5.py; the input is the file that was given to it,
normalized float32. Of branches the logits are computed in float, as the adapter does it.

Exit status: 0 done, 1 a cosine is below --min-cosine, 2 wrong usage, 3 an input could not be read.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from torch.nn import functional

from int8_network import Int8Network
from lprnet_model import Lprnet, Model, load_model
from onnx_network import BRANCHES, TAPS, finish_branches
from plates import HEIGHT, WIDTH

DUMP = "model_infer_output_"
INTEGERS = {1: np.int8, 2: np.int16}

Tensors = dict[str, np.ndarray]


@torch.inference_mode()
def float_tensors(network: Lprnet, pixels: np.ndarray) -> Tensors:
    """Branches and logits of one image, in PyTorch."""
    values, taps = torch.from_numpy(pixels)[None], []
    for index, layer in enumerate(network.backbone):
        values = layer(values)
        if index in TAPS:
            window = TAPS[index]
            taps.append(values if window is None else functional.avg_pool2d(values, *window))
    tensors = {name: tap[0].numpy() for name, tap in zip(BRANCHES, taps, strict=True)}
    return tensors | {"logits": finish(network, tensors)}


def finish(network: Lprnet, tensors: Tensors) -> np.ndarray:
    context = network.container[0]
    branches = [tensors[name] for name in BRANCHES]
    return finish_branches(branches, context.weight.detach().numpy(), context.bias.detach().numpy())


def int8_tensors(path: Path, pixels: np.ndarray) -> Tensors:
    network = Int8Network(path)
    branches = network.branches(pixels)
    tensors = {name: branch.values for name, branch in zip(BRANCHES, branches, strict=True)}
    return tensors | {"logits": network.logits(branches)}


def read_dump(folder: Path, expected: Tensors, scales: dict[str, float]) -> Tensors:
    """The outputs in a folder, float32 or with --scale int8 or int16, in the shapes expected of their names."""
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder")
    found: Tensors = {}
    for path in sorted(folder.glob(f"{DUMP}*.bin")):
        match = re.fullmatch(rf"{DUMP}\d+_(.+)", path.stem)
        name = match[1] if match else path.stem
        if name not in expected:
            raise ValueError(f"{path}: expected {', '.join(expected)} after the number, found {name}")
        found[name] = read_tensor(path, expected[name].shape, scales.get(name))
    if not found:
        raise ValueError(f"{folder}: holds no {DUMP}*.bin")
    missing = [name for name in BRANCHES if name not in found]
    if "logits" not in found and missing:
        raise ValueError(f"{folder}: {missing[0]}: missing")
    return found


def read_tensor(path: Path, shape: Sequence[int], scale: float | None) -> np.ndarray:
    size, count = path.stat().st_size, math.prod(shape)
    if size == 4 * count:
        values = np.fromfile(path, np.float32)
    elif size % count == 0 and size // count in INTEGERS:
        if scale is None:
            raise ValueError(f"{path}: holds {8 * size // count}-bit integers: give their --scale")
        values = np.fromfile(path, INTEGERS[size // count]) * np.float32(scale)
    else:
        raise ValueError(f"{path}: expected {4 * count} bytes for {list(shape)} in float32, found {size}")
    if not np.isfinite(values).all():
        raise ValueError(f"{path}: holds values that are not finite")
    return values.reshape(shape)


def measures(exact: np.ndarray, found: np.ndarray) -> dict[str, float]:
    """As the toolchain defines them; the relative error is that of the L2 norms."""
    a, b = (values.astype(np.float64).ravel() for values in (exact, found))
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return {
        "cosine": float(a @ b) / norms if norms > 0 else float(np.array_equal(a, b)),
        "relative": float(np.linalg.norm(a - b) / max(np.linalg.norm(a), 1e-12)),
        "max_abs": float(np.abs(a - b).max()),
    }


def compare(model: Model, exact: Tensors, answers: dict[str, Tensors]) -> dict:
    nodes = {
        name: {who: measures(exact[name], tensors[name]) for who, tensors in answers.items() if name in tensors}
        for name in exact
    }
    texts = {who: model.text(tensors["logits"]) for who, tensors in ({"fp32": exact} | answers).items()}
    return {"nodes": nodes, "texts": texts}


def table(report: dict) -> str:
    """One row a node, three columns for each that answered."""
    answers = [who for who in report["texts"] if who != "fp32"]
    names = ("cosine", "relative", "max error")
    lines = [f"{'node':8}" + "".join(f"{who + ' ' + name:>18}" for who in answers for name in names)]
    for node, by_answer in report["nodes"].items():
        cells = []
        for who in answers:
            found = by_answer.get(who)
            cells += ["-"] * 3 if found is None else [
                f"{found['cosine']:.6f}", f"{found['relative']:.6f}", f"{found['max_abs']:.6f}"
            ]  # fmt: skip
        lines.append(f"{node:8}" + "".join(f"{cell:>18}" for cell in cells))
    lines.append("text     " + "   ".join(f"{who} {text}" for who, text in report["texts"].items()))
    return "\n".join(lines)


def parse_scale(text: str) -> tuple[str, float]:
    name, separator, value = text.partition("=")
    try:
        scale = float(value)
    except ValueError:
        scale = math.nan
    if not separator or name not in (*BRANCHES, "logits") or not (math.isfinite(scale) and scale > 0):
        raise argparse.ArgumentTypeError(f"expected NAME=SCALE, such as branch0=0.0063, found {text!r}")
    return name, scale


def read_input(path: Path, channels: int) -> np.ndarray:
    wanted = channels * HEIGHT * WIDTH
    if path.stat().st_size != 4 * wanted:
        raise ValueError(
            f"{path}: expected {4 * wanted} bytes, float32 of {channels}x{HEIGHT}x{WIDTH}, found {path.stat().st_size}"
        )
    return np.fromfile(path, np.float32).reshape(channels, HEIGHT, WIDTH)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path, help="the model file in float32")
    parser.add_argument("input", type=Path, help="the .bin file that hrt_model_exec read")
    parser.add_argument("dump", type=Path, nargs="?", help="the folder that it wrote")
    parser.add_argument("--int8", type=Path, metavar="FILE", help="the same network after `lprnet quantize`")
    parser.add_argument(
        "--scale", type=parse_scale, action="append", default=[], metavar="NAME=X",
        help="step of an output that the BPU left in integers",
    )  # fmt: skip
    parser.add_argument("--min-cosine", type=float, help="of every row; exit status 1 below it")
    parser.add_argument("-j", "--json", action="store_true")
    options = parser.parse_args(arguments)
    if options.dump is None and options.int8 is None:
        parser.error("give the folder DUMP, --int8 FILE or both")
    answers: dict[str, Tensors] = {}
    try:
        model = load_model(options.model)
        model.network.transformer = None  # it stands in front of what the BPU reads
    except (OSError, ValueError, SafetensorError) as error:
        return _fail(f"{options.model}: {str(error).splitlines()[0]}")
    try:
        pixels = read_input(options.input, model.network.shape.channels)
        exact = float_tensors(model.network, pixels)
    except (OSError, ValueError) as error:
        return _fail(str(error))
    try:
        if options.int8 is not None:
            answers["int8"] = int8_tensors(options.int8, pixels)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        return _fail(f"{options.int8}: {str(error).splitlines()[0]}")
    try:
        if options.dump is not None:
            answers["bpu"] = read_dump(options.dump, exact, dict(options.scale))
            if "logits" not in answers["bpu"]:
                answers["bpu"]["logits"] = finish(model.network, answers["bpu"])
    except (OSError, ValueError) as error:
        return _fail(str(error))
    report = compare(model, exact, answers)
    print(json.dumps(report, ensure_ascii=False) if options.json else table(report))
    worst = min(found["cosine"] for by_answer in report["nodes"].values() for found in by_answer.values())
    return 1 if options.min_cosine is not None and worst < options.min_cosine else 0


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main())
