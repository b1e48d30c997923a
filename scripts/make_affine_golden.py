#!/usr/bin/env python3
"""Writes tests/golden/affine/samples.safetensors: what PyTorch's affine_grid and grid_sample make of pictures.

For each picture NAME [channels, height, width] there are NAME.theta [n, 6], and the answers with align_corners,
NAME.corners, and without, NAME.edges, both [n, channels, height, width].

Usage: make_affine_golden.py [--check] [FOLDER]
--check compares with what is there, writes nothing and fails on a difference of more than 1e-4.
Needs torch.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from lprnet_model import save_tensors

NAME = "samples.safetensors"
THETAS = {
    "identity": (1, 0, 0, 0, 1, 0),
    "tilted": (0.95, -0.12, 0.04, 0.25, 1.1, -0.07),
    "turned": (-0.3, 0.9, 0.1, -0.8, -0.4, 0.2),
    "flipped": (-1, 0, 0, 0, -1, 0),
    "shrunk": (2.5, 0.1, 0.3, -0.2, 3.25, 0.1),
    "enlarged": (0.3, 0.02, 0.4, 0.01, 0.25, -0.5),
    "one_point": (0, 0, 0.21, 0, 0, -0.37),
    "one_line": (0.8, 0, 0, 0, 0, 0.4),
    "center": (0, 0, 0, 0, 0, 0),
    "left_the_picture": (1, 0, 2.5, 0, 1, 0),
    "below_the_picture": (1, 0, 0, 0, 1, 7),
    "half_outside": (1, 0, -0.9, 0, 1, 1.1),
    # Nothing of the picture is within reach of such steps.
    "huge": (3e8, 0, 1e7, 0, 2e8, -5e6),
}


def sampled(picture: Tensor, theta: Tensor, align_corners: bool) -> Tensor:
    size = [len(theta), *picture.shape]
    grid = functional.affine_grid(theta.view(-1, 2, 3), size, align_corners=align_corners)
    return functional.grid_sample(picture.expand(size), grid, align_corners=align_corners)


def tensors() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(94)
    made = {}
    for name, size, thetas in (
        ("small", (2, 8, 12), list(THETAS)),
        ("odd", (1, 7, 9), ["identity", "tilted", "turned", "one_point", "half_outside"]),
        ("plate", (3, 24, 94), ["tilted"]),
    ):
        picture = torch.rand(size, generator=generator) * 2 - 1
        theta = torch.tensor([THETAS[key] for key in thetas], dtype=torch.float32)
        made |= {
            name: picture,
            f"{name}.theta": theta,
            f"{name}.corners": sampled(picture, theta, True),
            f"{name}.edges": sampled(picture, theta, False),
        }
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--check", action="store_true", help="compares with what is there and writes nothing")
    golden = Path(__file__).resolve().parent.parent / "tests/golden/affine"
    parser.add_argument("folder", type=Path, nargs="?", default=golden)
    options = parser.parse_args()
    file = options.folder / NAME
    found = tensors()
    if not options.check:
        options.folder.mkdir(parents=True, exist_ok=True)
        save_tensors(file, found, {"torch": torch.__version__})
        return 0
    stored = load_file(file)
    if stored.keys() != found.keys():
        print(f"{file}: other tensors: {sorted(stored.keys() ^ found.keys())}", file=sys.stderr)
        return 1
    for name, tensor in found.items():
        worst = float((stored[name] - tensor).abs().max())
        if not worst <= 1e-4:
            print(f"{file}: {name}: differs by {worst}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
