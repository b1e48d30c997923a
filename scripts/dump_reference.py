#!/usr/bin/env python3
"""Dumps what every layer of LPRNet computes in PyTorch, as the yardstick for the C++ engine.

One image per forward pass, float32. The output holds one tensor [image, C, H, W] per leaf module under its PyTorch
path, the picture that a spatial transformer makes, `input` and `logits`; dropouts are left out (they do nothing when a
model is read). Seeded random images and seeded random models make test cases that need no data.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from export_weights import write_model
from lprnet_model import (
    Lprnet,
    LprnetShape,
    Model,
    SpatialTransformer,
    load_model,
    numbered_charset,
    save_tensors,
)  # fmt: skip
from plates import (
    CHARSET_CN68,
    HEIGHT,
    UPSTREAM_PREPROCESS,
    WIDTH,
    list_samples,
    normalize,
    read_image,
    to_network_size,
)  # fmt: skip


def leaf_modules(network: Lprnet) -> dict[str, nn.Module]:
    """Modules that compute something, by path, in the order they run."""
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, SpatialTransformer)
        or (not list(module.children()) and not isinstance(module, nn.Dropout))
    }


@torch.inference_mode()
def layer_outputs(network: Lprnet, pixels: Tensor, wanted: Sequence[str]) -> dict[str, Tensor]:
    """One forward pass over [1, C, 24, 94]; copies, so that nothing later can write into them."""
    outputs: dict[str, Tensor] = {}

    def keep(name: str):
        def hook(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
            # Of linear layers [1, C] becomes [1, C, 1, 1].
            outputs[name] = output.detach().clone().reshape(*output.shape, *[1] * (4 - output.ndim))

        return hook

    modules = leaf_modules(network)
    handles = [modules[name].register_forward_hook(keep(name)) for name in wanted]
    try:
        outputs["logits"] = network(pixels)
    finally:
        for handle in handles:
            handle.remove()
    return outputs


def random_model(shape: LprnetShape, seed: int) -> Lprnet:
    """Seeded weights whose batch-norm statistics fit what flows through, so that no layer dies or explodes."""
    generator = torch.Generator().manual_seed(seed)
    network = Lprnet(shape)
    network.reset_parameters(generator)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.bias.data.uniform_(-0.1, 0.1, generator=generator)
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.6, 1.4, generator=generator)
            module.bias.data.uniform_(-0.3, 0.3, generator=generator)
            module.momentum = None
    if network.transformer is not None:
        for layer in (network.transformer.fc_loc[0], network.transformer.fc_loc[2]):
            layer.weight.data.uniform_(-0.1, 0.1, generator=generator)
    pixels = torch.rand((8, shape.channels, HEIGHT, WIDTH), generator=generator) * 2 - 1
    with torch.no_grad():
        network.train()
        for module in network.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        network(pixels)
    return network.eval()


def parse_model_spec(text: str) -> tuple[LprnetShape, int]:
    """`widths=0.75,classes=37,channels=3,seed=1`; widths may also be five numbers with colons between them, and
    transformer three, the widths of a spatial transformer."""
    values = {"widths": "1", "classes": "68", "channels": "3", "seed": "1", "transformer": ""}
    for part in filter(None, text.split(",")):
        key, separator, value = part.partition("=")
        if key not in values or not separator:
            raise ValueError(f"expected {', '.join(values)} as key=value, found {part!r}")
        values[key] = value
    widths = values["widths"]
    sizes = [int(width) for width in widths.split(":")] if ":" in widths else float(widths)
    classes, channels = int(values["classes"]), int(values["channels"])
    if classes < 2 or channels not in (1, 3):
        raise ValueError(f"expected at least 2 classes and 1 or 3 channels, found {classes} and {channels}")
    transformer = tuple(int(width) for width in values["transformer"].split(":")) if values["transformer"] else None
    if transformer is not None and (len(transformer) != 3 or min(transformer) < 1):
        raise ValueError(f"expected three widths of a transformer, found {values['transformer']!r}")
    shape = LprnetShape.from_widths(sizes, classes, channels)
    return replace(shape, transformer=transformer), int(values["seed"])


def random_images(count: int, seed: int) -> np.ndarray:
    """Uniform noise, uint8 BGR."""
    return np.random.default_rng(seed).integers(0, 256, (count, HEIGHT, WIDTH, 3), dtype=np.uint8)


def dump(
    model: Model, pixels: Tensor, names: Sequence[str], layers: Sequence[str], seed: int
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a dump of normalized inputs [image, C, 24, 94], one forward pass each."""
    stacks: dict[str, list[Tensor]] = {}
    texts = []
    for one in pixels.split(1):
        outputs = layer_outputs(model.network, one, layers)
        outputs["input"] = one
        texts.append(model.text(outputs["logits"][0].numpy()))
        for name, value in outputs.items():
            stacks.setdefault(name, []).append(value[0])
    tensors = {name: torch.stack(values) for name, values in stacks.items()}
    metadata = {
        "lprnet.format": "dump-1",
        "torch": torch.__version__,
        "seed": str(seed),
        "batch": "1",
        "texts": json.dumps(texts, ensure_ascii=False),
        "files": json.dumps(list(names), ensure_ascii=False),
    }
    return tensors, metadata


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path, nargs="?", help=".safetensors model or .pth state dict")
    parser.add_argument("--images", type=Path, nargs="+", default=[], help="folder, labels.tsv or image files")
    parser.add_argument("--tensors", type=Path, help="a safetensors file whose `input` is [image, C, 24, 94] float32")
    parser.add_argument("--random-images", type=int, default=0, metavar="N", help="N images of uniform noise")
    parser.add_argument("--seed", type=int, default=1, help="of the random images (default: %(default)s)")
    parser.add_argument("--limit", type=int, help="at most so many images")
    parser.add_argument("--layers", help="modules to keep, with commas (default: every leaf module)")
    parser.add_argument("-o", "--output", type=Path, help="the dump to write")
    parser.add_argument(
        "--random-model",
        metavar="SPEC",
        help="seeded weights in place of MODEL, such as widths=0.75,classes=37,channels=3,seed=1",
    )
    parser.add_argument("--save-model", type=Path, metavar="FILE", help="writes the model as .safetensors")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    parser = build_parser()
    options = parser.parse_args(arguments)
    if (options.model is None) == (options.random_model is None):
        parser.error("give MODEL or --random-model SPEC")
    if options.output is None and options.save_model is None:
        parser.error("give -o DUMP, --save-model FILE or both")
    inputs = bool(options.images) + bool(options.tensors) + bool(options.random_images)
    if options.output is not None and inputs != 1:
        parser.error("give one of --images, --tensors and --random-images")
    # Dumps made on different machines agree more closely when no sum is split over threads.
    torch.set_num_threads(1)
    try:
        if options.random_model is not None:
            model = make_random_model(options.random_model)
        else:
            model = load_model(options.model)
    except ValueError as error:
        if options.random_model is not None:
            parser.error(f"--random-model: {error}")
        return _fail(options.model, str(error))
    except (OSError, SafetensorError) as error:
        return _fail(options.model, str(error).split("\n")[0])
    for path in (options.output, options.save_model):
        if path is not None and not path.absolute().parent.is_dir():
            parser.error(f"{path.parent}: no such folder")
    if options.save_model is not None:
        write_model(
            options.save_model, model.network.state_dict(), model.charset, model.preprocess, model.source, model.blank,
            align_corners=model.network.transformer is None or model.network.transformer.align_corners,
        )  # fmt: skip
    if options.output is None:
        return 0

    layers = list(leaf_modules(model.network))
    if options.layers:
        wanted = [layer for layer in options.layers.split(",") if layer not in ("input", "logits")]
        unknown = [layer for layer in wanted if layer not in layers]
        if unknown:
            parser.error(f"--layers: no module {unknown[0]!r}; known: {', '.join(layers)}")
        layers = wanted
    try:
        pixels, names = read_inputs(options, model)
    except (OSError, ValueError, SafetensorError) as error:
        print(str(error).split("\n")[0], file=sys.stderr)
        return 3
    tensors, metadata = dump(model, pixels, names, layers, options.seed)
    save_tensors(options.output, tensors, metadata)
    return 0


def make_random_model(spec: str) -> Model:
    shape, seed = parse_model_spec(spec)
    preprocess = dict(UPSTREAM_PREPROCESS)
    if shape.channels == 1:
        preprocess["channel_order"] = "GRAY"
    charset = list(CHARSET_CN68) if shape.classes == len(CHARSET_CN68) else numbered_charset(shape.classes)
    return Model(random_model(shape, seed), charset, shape.classes - 1, preprocess, f"random weights: {spec}")


def read_inputs(options: argparse.Namespace, model: Model) -> tuple[Tensor, list[str]]:
    """Normalized inputs and their names from whichever of the three sources was given."""
    if options.tensors:
        return read_tensors(options.tensors, model.network.shape.channels, options.limit)
    if options.random_images:
        images = random_images(options.random_images, options.seed)[: options.limit]
        names = [f"random-{index}" for index in range(len(images))]
    else:
        samples = list_samples(options.images, options.limit)
        if not samples:
            raise ValueError(f"{options.images[0]}: holds no image")
        images = np.stack([to_network_size(read_image(sample.path)) for sample in samples])
        names = [Path(sample.name).name for sample in samples]
    return torch.from_numpy(normalize(images, model.preprocess)), names


def read_tensors(path: Path, channels: int, limit: int | None) -> tuple[Tensor, list[str]]:
    """Inputs that are normalized already: the `input` of another dump, say."""
    with safe_open(str(path), framework="pt") as file:
        if "input" not in file.keys():
            raise ValueError(f"{path}: input: missing")
        given = file.get_tensor("input")
        files = (file.metadata() or {}).get("files")
    if given.ndim != 4 or tuple(given.shape[1:]) != (channels, HEIGHT, WIDTH):
        raise ValueError(f"{path}: input: expected [image, {channels}, {HEIGHT}, {WIDTH}], found {list(given.shape)}")
    names = json.loads(files) if files else [f"input-{index}" for index in range(len(given))]
    return given.to(torch.float32)[:limit], names[:limit]


def _fail(path: Path, reason: str) -> int:
    print(f"{path}: {reason}", file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main())
