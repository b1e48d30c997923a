#!/usr/bin/env python3
"""What static int8 would cost in accuracy: fp32 against simulated int8 on labelled crops, per set.

Simulated: batch norms folded, weights symmetric int8 with a scale per output channel, 8-bit unsigned activations after
every ReLU with a scale per tensor (so each tap of the context has its own), 32-bit accumulators and biases. Pixels
enter as the bytes they are. The context (average pools, mean squares, last convolution) stays in float.

Exit status: 0 done, 1 more accuracy lost than --max-loss, 2 wrong usage, 3 an input could not be read.
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from lprnet_model import Lprnet, load_model
from plates import list_samples, normalize, read_image, to_network_size
from training.evaluation import EvalSet
from training.optimizer import keep_memory
from training.pruning import convolutions

WEIGHT_LEVELS = 127
ACTIVATION_LEVELS = 255
HISTOGRAM_BINS = 8192
METHODS = ("max", "percentile", "mse")
PERCENTILE = 99.99
CONTEXT = "container.0"


def folded(network: Lprnet) -> Lprnet:
    """A copy in eval mode whose convolutions contain the batch norms that followed them."""
    network = copy.deepcopy(network).eval()
    layers = network.backbone
    for index, layer in enumerate(layers):
        if not isinstance(layer, nn.BatchNorm2d):
            continue
        before = layers[index - 1]
        convolution = before if isinstance(before, nn.Conv2d) else before.block[-1]
        factor = layer.weight / torch.sqrt(layer.running_var + layer.eps)
        with torch.no_grad():
            convolution.weight.mul_(factor[:, None, None, None])
            convolution.bias.copy_((convolution.bias - layer.running_mean) * factor + layer.bias)
        layers[index] = nn.Identity()
    return network


@torch.no_grad()
def round_weights(network: Lprnet) -> None:
    """Every folded weight but the context's to the nearest of 255 steps of its output channel."""
    for name, layer in convolutions(network).items():
        if name == CONTEXT:
            continue
        scale = layer.weight.abs().amax(dim=(1, 2, 3), keepdim=True).clamp_min(1e-12) / WEIGHT_LEVELS
        layer.weight.copy_(torch.round(layer.weight / scale) * scale)


def relus(network: Lprnet) -> dict[str, nn.ReLU]:
    return {name: layer for name, layer in network.named_modules() if isinstance(layer, nn.ReLU)}


@torch.inference_mode()
def activation_histograms(network: Lprnet, images: np.ndarray) -> dict[str, tuple[np.ndarray, float]]:
    """Counts of HISTOGRAM_BINS equal bins from 0 to the largest value, and that value, of each ReLU's output."""
    largest = dict.fromkeys(relus(network), 0.0)
    counts = {name: torch.zeros(HISTOGRAM_BINS, dtype=torch.float64) for name in largest}

    def pass_all(visit) -> None:
        hooks = [
            layer.register_forward_hook(lambda _m, _i, output, name=name: visit(name, output))
            for name, layer in relus(network).items()
        ]
        for start in range(0, len(images), 32):
            network(torch.from_numpy(normalize(images[start : start + 32])))
        for hook in hooks:
            hook.remove()

    def see(name: str, output: Tensor) -> None:
        largest[name] = max(largest[name], float(output.max()))

    def count(name: str, output: Tensor) -> None:
        counts[name] += torch.histc(output, HISTOGRAM_BINS, 0, largest[name]).double()

    pass_all(see)
    pass_all(count)
    return {name: (counts[name].numpy(), largest[name]) for name in largest}


def clip_of(counts: np.ndarray, largest: float, method: str) -> float:
    """Activations above this value saturate."""
    if method == "max" or largest == 0:
        return largest
    edges = np.linspace(0, largest, HISTOGRAM_BINS + 1)
    if method == "percentile":
        return float(edges[1 + np.searchsorted(np.cumsum(counts), counts.sum() * PERCENTILE / 100)])
    # Zeros are exact at any scale. Candidates down to a tenth of the range.
    centers = (edges[:-1] + edges[1:]) / 2
    centers[0] = 0

    def error(clip: float) -> float:
        step = clip / ACTIVATION_LEVELS
        stored = np.minimum(np.round(centers / step), ACTIVATION_LEVELS) * step
        return float((counts * (centers - stored) ** 2).sum())

    return min((largest * share for share in np.linspace(0.1, 1, 181)), key=error)


def simulated(network: Lprnet, clips: dict[str, float]) -> Lprnet:
    """A folded copy with rounded weights, and activations rounded to 256 steps from 0 to their clip."""
    network = folded(network)
    round_weights(network)
    for name, layer in relus(network).items():
        step = max(clips[name], 1e-12) / ACTIVATION_LEVELS

        def store(_module: nn.Module, _inputs: tuple, output: Tensor, step: float = step) -> Tensor:
            return torch.round(output / step).clamp_max(ACTIVATION_LEVELS) * step

        layer.register_forward_hook(store)
    return network


def calibration_images(source: Path, count: int, seed: int) -> np.ndarray:
    """`count` crops drawn at random, at the network's size."""
    samples = list_samples([source])
    chosen = np.random.default_rng(seed).permutation(len(samples))[:count]
    return np.stack([to_network_size(read_image(samples[index].path)) for index in chosen])


def mean_cosine(first: np.ndarray, second: np.ndarray) -> float:
    a, b = (logits.reshape(len(logits), -1).astype(np.float64) for logits in (first, second))
    return float(np.mean((a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))))


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("models", type=Path, nargs="+", help=".safetensors models or .pth state dicts")
    parser.add_argument("--eval", type=Path, required=True, help="folder or .tsv list of labelled crops")
    parser.add_argument("--calibration", type=Path, required=True, help="the same, for activation ranges only")
    parser.add_argument("--images", type=int, default=512, help="calibration crops (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of their choice (default: %(default)s)")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS, help="default: all")
    parser.add_argument("--max-loss", type=float, help="points that the best method may lose")
    arguments = parser.parse_args(words)
    too_much = False
    keep_memory()
    try:
        crops = EvalSet.of_crops([arguments.eval])
        images = calibration_images(arguments.calibration, arguments.images, arguments.seed)
        for path in arguments.models:
            network = load_model(path).network
            if network.transformer is not None:
                raise ValueError(f"{path}: expected a network without a spatial transformer")
            exact = crops.logits(network)
            plain = crops.accuracy_of(exact)
            print(path, "precision\tcosine\t" + "\t".join(plain), sep="\n")
            print("fp32\t1", *(f"{100 * share:.1f}" for share in plain.values()), sep="\t", flush=True)
            histograms = activation_histograms(folded(network), images)
            losses = []
            for method in arguments.methods:
                clips = {name: clip_of(*histogram, method) for name, histogram in histograms.items()}
                logits = crops.logits(simulated(network, clips))
                accuracy = crops.accuracy_of(logits)
                losses.append(100 * (plain["all"] - accuracy["all"]))
                row = [f"{100 * share:.1f}" for share in accuracy.values()]
                print(f"int8 {method}", f"{mean_cosine(exact, logits):.5f}", *row, sep="\t", flush=True)
            too_much |= arguments.max_loss is not None and min(losses) > arguments.max_loss
    except (OSError, ValueError, SafetensorError) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        return 3
    return 1 if too_much else 0


if __name__ == "__main__":
    sys.exit(main())
