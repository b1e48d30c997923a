#!/usr/bin/env python3
"""Turns a PyTorch LPRNet state dict into the project's .safetensors model file.

Tensors stay as they are: PyTorch names, OIHW, float32; num_batches_tracked is left out. What the tensors cannot say
(characters, pixels, source) goes into the metadata. Equal input gives equal bytes.

Exit status: 0 written, 2 wrong usage, 3 the input could not be read or is no LPRNet.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Mapping, Sequence

import torch
from torch import Tensor

from lprnet_model import LayoutError, expected_shapes, infer_shape, numbered_charset, read_checkpoint, save_tensors
from plates import CHARSET_CN68, UPSTREAM_PREPROCESS

PREPROCESS_PRESETS = {
    "upstream": UPSTREAM_PREPROCESS,
    # The sample of the RDK boards: RGB, and a scale that reaches 1 exactly.
    "rdk": {**UPSTREAM_PREPROCESS, "channel_order": "RGB", "scale": 1 / 127.5},
}


def model_metadata(charset: Sequence[str], blank: int, preprocess: Mapping, source: str) -> dict[str, str]:
    return {
        "lprnet.format": "1",
        "lprnet.charset": json.dumps(list(charset), ensure_ascii=False),
        "lprnet.blank": str(blank),
        "lprnet.preprocess": json.dumps(dict(preprocess)),
        "lprnet.source": source,
    }


def write_model(
    path: Path,
    state: Mapping[str, Tensor],
    charset: Sequence[str],
    preprocess: Mapping,
    source: str,
    blank: int | None = None,
    sparse: bool = False,
) -> None:
    """Checks that the state dict is an LPRNet (LayoutError otherwise) and writes it; sparse: zeros of convolutions as a
    bit mask."""
    shape = infer_shape(state)
    if len(charset) != shape.classes:
        raise LayoutError(f"charset: expected {shape.classes} entries as backbone.20.weight has, found {len(charset)}")
    colours = 1 if preprocess["channel_order"] == "GRAY" else 3
    if colours != shape.channels:
        raise LayoutError(
            f"backbone.0.weight: expected {colours} input channels for {preprocess['channel_order']},"
            f" found {shape.channels}"
        )
    tensors = {key: state[key].to(torch.float32) for key in expected_shapes(shape)}
    if blank is None:
        blank = len(charset) - 1
    save_tensors(path, tensors, model_metadata(charset, blank, preprocess, source), sparse)


def read_charset(text: str) -> list[str]:
    """`cn68`, or a file: a JSON array, else one entry a line, else one line of characters."""
    if text == "cn68":
        return list(CHARSET_CN68)
    content = Path(text).read_text(encoding="utf-8").strip("\r\n")
    if content.lstrip().startswith("["):
        entries = json.loads(content)
    elif "\n" in content:
        entries = [line.rstrip("\r") for line in content.split("\n")]
    else:
        entries = list(content)
    if not isinstance(entries, list) or not all(isinstance(entry, str) and entry for entry in entries):
        raise ValueError("expected an array of non-empty strings")
    repeated = sorted({entry for entry in entries if entries.count(entry) > 1})
    if repeated:
        raise ValueError(f"expected distinct entries, found {repeated[0]!r} more than once")
    return entries


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("checkpoint", type=Path, help=".pth state dict, or a checkpoint that holds one")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .safetensors file to write")
    characters = parser.add_mutually_exclusive_group()
    characters.add_argument("--charset", metavar="cn68|FILE", help="classes in order (default: cn68 for 68 classes)")
    characters.add_argument(
        "--charset-size-only", action="store_true", help='entries "#0", "#1" ... and "-": for logits, not for texts'
    )
    parser.add_argument("--blank", type=int, help="index of the blank (default: the last)")
    parser.add_argument(
        "--preprocess", choices=sorted(PREPROCESS_PRESETS), default="upstream", help="pixel preset (default: upstream)"
    )
    parser.add_argument("--channel-order", choices=("BGR", "RGB", "GRAY"), help="instead of the preset's")
    parser.add_argument("--mean", type=float, help="normalised = (pixel - mean) * scale")
    parser.add_argument("--scale", type=float)
    parser.add_argument("--source", help="where the weights come from (default: the file name)")
    parser.add_argument(
        "--sparse", action="store_true", help="store the zeros of a pruned network as bits where that is smaller"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.output.suffix != ".safetensors":
        parser.error(f"--output: expected a .safetensors file, found {options.output.name}")
    if not options.output.absolute().parent.is_dir():
        parser.error(f"--output: {options.output.parent}: no such folder")
    try:
        state = read_checkpoint(options.checkpoint)
        shape = infer_shape(state)
    except LayoutError as error:
        return _fail(options.checkpoint, str(error))
    except OSError as error:
        return _fail(options.checkpoint, error.strerror or str(error))

    if options.charset_size_only:
        charset = numbered_charset(shape.classes)
    elif options.charset is None and shape.classes == len(CHARSET_CN68):
        charset = list(CHARSET_CN68)
    elif options.charset is None:
        parser.error(
            f"the model has {shape.classes} classes: name them with --charset FILE,"
            " or give --charset-size-only for a model that is read for its logits"
        )
    else:
        try:
            charset = read_charset(options.charset)
        except OSError as error:
            return _fail(Path(options.charset), error.strerror or str(error))
        except ValueError as error:
            return _fail(Path(options.charset), str(error))
    if options.blank is not None and not 0 <= options.blank < shape.classes:
        parser.error(f"--blank: expected 0 to {shape.classes - 1}, found {options.blank}")

    preprocess = dict(PREPROCESS_PRESETS[options.preprocess])
    if shape.channels == 1:
        preprocess["channel_order"] = "GRAY"
    for key in ("channel_order", "mean", "scale"):
        if getattr(options, key) is not None:
            preprocess[key] = getattr(options, key)
    try:
        source = options.source or options.checkpoint.name
        write_model(options.output, state, charset, preprocess, source, options.blank, options.sparse)
    except LayoutError as error:
        return _fail(options.checkpoint, str(error))
    except OSError as error:
        return _fail(options.output, error.strerror or str(error))
    return 0


def _fail(path: Path, reason: str) -> int:
    print(f"{path}: {reason}", file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main())
