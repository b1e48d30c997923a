#!/usr/bin/env python3
"""Greedy texts of plate images by PyTorch, one image per forward pass: what the C++ program must answer.

Output lines are path<TAB>text. Images are decoded and resized with OpenCV; --decoded takes uint8 pixels that some other
program decoded, so that a difference of JPEG decoders cannot hide or cause one of texts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from lprnet_model import load_model, save_tensors
from plates import list_samples, read_image, to_network_size


def decoded_images(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Every uint8 tensor of a safetensors file: [H, W, 3] BGR under its own name, [image, H, W, 3] with the metadata's
    `files` or numbers as names."""
    with safe_open(str(path), framework="np") as file:
        metadata = file.metadata() or {}
        for key in sorted(file.keys()):
            pixels = file.get_tensor(key)
            if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4) or pixels.shape[-1] != 3:
                raise ValueError(
                    f"{path}: {key}: expected uint8 [H, W, 3] or [image, H, W, 3],"
                    f" found {pixels.dtype} {list(pixels.shape)}"
                )
            if pixels.ndim == 3:
                yield key, pixels
                continue
            names = json.loads(metadata["files"]) if "files" in metadata else range(len(pixels))
            for name, image in zip(names, pixels, strict=False):
                yield str(name), image


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path, help=".safetensors model or .pth state dict")
    pixels = parser.add_mutually_exclusive_group(required=True)
    pixels.add_argument("--images", type=Path, nargs="+", default=[], help="folder, labels.tsv or image files")
    pixels.add_argument("--decoded", type=Path, metavar="FILE", help="safetensors of uint8 BGR pixels")
    parser.add_argument("--limit", type=int, help="at most so many images")
    parser.add_argument("-o", "--output", type=Path, help="the .tsv to write (default: stdout)")
    parser.add_argument("--logits", type=Path, metavar="FILE", help="also writes `logits` [image, classes, 18]")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        model = load_model(options.model)
    except (OSError, ValueError, SafetensorError) as error:
        print(f"{options.model}: {str(error).splitlines()[0]}", file=sys.stderr)
        return 3

    lines, all_logits, names = [], [], []
    right = labelled = 0
    try:
        if options.decoded:
            named = list(decoded_images(options.decoded))[: options.limit]
            items = [(name, "", image) for name, image in named]
        else:
            samples = list_samples(options.images, options.limit)
            items = ((sample.name, sample.text, read_image(sample.path)) for sample in samples)
        for name, label, image in items:
            logits = model.logits(to_network_size(image))
            text = model.text(logits)
            lines.append(f"{name}\t{text}\n")
            names.append(name)
            if options.logits:
                all_logits.append(torch.from_numpy(logits))
            if label:
                labelled += 1
                right += text == label
    except (OSError, ValueError, SafetensorError) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        return 3
    content = "".join(lines)
    if options.output:
        options.output.write_text(content, encoding="utf-8")
    else:
        sys.stdout.write(content)
    if options.logits and all_logits:
        metadata = {"torch": torch.__version__, "batch": "1", "files": json.dumps(names, ensure_ascii=False)}
        save_tensors(options.logits, {"logits": torch.stack(all_logits)}, metadata)
    if labelled:
        print(f"{right} of {labelled} exact", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
