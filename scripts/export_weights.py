#!/usr/bin/env python3
"""Turns a PyTorch LPRNet state dict into the project's .safetensors model file.

The network may be in any dictionary of the file, under any prefix, in any floating-point type; safetensors do as well.
Nothing of the file is run, see checkpoint.py.

Tensors keep PyTorch's names and order, as float32, with --half weights as float16; num_batches_tracked is left out.
What the tensors cannot say (characters, pixels, source) goes into the metadata. Equal input gives equal bytes.

Exit status: 0 written, 2 wrong usage, 3 the input could not be read or is no LPRNet.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from checkpoint import LayoutError, read_network, read_transformer
from lprnet_model import (
    TRANSFORMER_KEY,
    expected_shapes,
    halved_weights,
    infer_shape,
    numbered_charset,
    save_tensors,
)  # fmt: skip
from plates import CHARSET_CN68, CHARSETS, UPSTREAM_PREPROCESS

PREPROCESS_PRESETS = {
    "upstream": UPSTREAM_PREPROCESS,
    # The sample of the RDK boards: RGB, and a scale that reaches 1 exactly.
    "rdk": {**UPSTREAM_PREPROCESS, "channel_order": "RGB", "scale": 1 / 127.5},
}


def model_metadata(charset: Sequence[str], blank: int, preprocess: Mapping, source: str) -> dict[str, str]:
    """Without lprnet.architecture, which means LPRNet: networks exported again give the bytes of before that key."""
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
    align_corners: bool = True,
    half: bool = False,
) -> None:
    """Checks that the state dict is an LPRNet (LayoutError otherwise) and writes it; sparse: zeros of convolutions as a
    bit mask; align_corners: of a spatial transformer, if it has one; half: weights rounded to float16."""
    shape = infer_shape(state)
    if (wrong := missing_classes(charset, shape.classes)) is not None:
        raise LayoutError(f"charset: {wrong}")
    colors = 1 if preprocess["channel_order"] == "GRAY" else 3
    if colors != shape.channels:
        raise LayoutError(
            f"backbone.0.weight: expected {colors} input channels for {preprocess['channel_order']},"
            f" found {shape.channels}"
        )
    tensors = {key: state[key].to(torch.float32) for key in expected_shapes(shape)}
    for key, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise LayoutError(f"{key}: a value of {state[key].dtype} is too large for float32")
    if half:
        tensors = halved_weights(tensors)
    if blank is None:
        blank = len(charset) - 1
    metadata = model_metadata(charset, blank, preprocess, source)
    if shape.transformer:
        metadata[TRANSFORMER_KEY] = json.dumps({"align_corners": align_corners})
    save_tensors(path, tensors, metadata, sparse)


ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
# Chinese plates; those beyond 68 classes are the project's own.
NAMED_CHARSETS = {f"cn{classes}": charset for classes, charset in CHARSETS.items()}
# What people call the blank.
BLANKS = {"-", "_", "blank", "<blank>", "[blank]", "<b>", "ε", "␣", " "}


def read_charset(text: str) -> list[str]:
    """`cn68` or its like, or a file: a JSON array, else a list as Python writes it, else one entry a line, else one
    line of characters. A byte order mark is skipped."""
    if text in NAMED_CHARSETS:
        return list(NAMED_CHARSETS[text])
    content = Path(text).read_bytes()
    for mark, encoding in ENCODINGS.items():
        if content.startswith(mark):
            raise ValueError(f"expected UTF-8, found {encoding}: save the file as UTF-8")
    try:
        content = content.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"expected UTF-8, found another encoding at byte {error.start}") from error
    name = re.match(r"\s*\w+\s*(:\s*[\w.\[\]]+\s*)?=\s*(?=[\[(])", content)
    if name is not None or content.lstrip().startswith(("[", "(")):
        entries = _read_list(content[name.end() :] if name else content)
    elif re.search(r"[\r\n]", content):
        entries = [line for line in re.split(r"\r\n|\r|\n", content)]
    else:
        entries = list(content)
    _check_entries(entries)
    return list(entries)


def _read_list(content: str) -> list:
    """JSON, or the literal of a list as it stands in a Python file; of the latter nothing but constants is taken."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        pass
    try:
        entries = ast.literal_eval(content.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError("expected a JSON array or a Python list of strings, found neither") from error
    return list(entries) if isinstance(entries, tuple) else entries


def _check_entries(entries: object) -> None:
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise ValueError("expected an array of non-empty strings")
    for index, entry in enumerate(entries):
        if not entry:
            hint = ": the blank is written '-'" if index in (0, len(entries) - 1) else ""
            raise ValueError(f"expected an array of non-empty strings, found entry {index} empty{hint}")
        if not entry.isprintable():
            raise ValueError(f"expected printable entries, found {entry!r} at {index}")
    first: dict[str, int] = {}
    for index, entry in enumerate(entries):
        if entry in first:
            raise ValueError(
                f"expected distinct entries, found {entry!r} more than once, at {first[entry]} and {index}"
            )
        first[entry] = index


def missing_classes(entries: Sequence[str], classes: int) -> str | None:
    """What to say of a charset that does not fit the classes."""
    if len(entries) == classes:
        return None
    if len(entries) == classes - 1 and not BLANKS.intersection(entries):
        return (
            f"{len(entries)} characters and no blank: the network has {classes} classes,"
            " and the last is usually the blank; add '-' as the last entry"
        )
    return f"expected {classes} entries as backbone.20.weight has, found {len(entries)}"


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "checkpoint", type=Path, help="state dict, .pth or .safetensors, or a checkpoint that holds one"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .safetensors file to write")
    characters = parser.add_mutually_exclusive_group()
    characters.add_argument(
        "--charset",
        metavar="FILE",
        help=f"classes in order: {', '.join(NAMED_CHARSETS)} or a file (default: cn68 for 68)",
    )
    characters.add_argument(
        "--charset-size-only", action="store_true", help='entries "#0", "#1" ... and "-": for logits, not for texts'
    )
    parser.add_argument(
        "--key", metavar="NAME", help="the dictionary or prefix of the network, where a file has several"
    )
    parser.add_argument(
        "--stn",
        nargs="?",
        const="",
        metavar="FILE",
        help="also the spatial transformer in front of the network, from FILE, or without one from the checkpoint",
    )
    parser.add_argument(
        "--stn-align-corners",
        choices=("true", "false"),
        default="true",
        help="as affine_grid and grid_sample were called; true is what PyTorch before 1.3 did (default: %(default)s)",
    )
    parser.add_argument("--blank", type=int, help="index of the blank (default: the last)")
    parser.add_argument(
        "--preprocess", choices=sorted(PREPROCESS_PRESETS), default="upstream", help="pixel preset (default: upstream)"
    )
    parser.add_argument("--channel-order", choices=("BGR", "RGB", "GRAY"), help="instead of the preset's")
    parser.add_argument("--mean", type=float, help="normalized = (pixel - mean) * scale")
    parser.add_argument("--scale", type=float)
    parser.add_argument("--source", help="where the weights come from (default: the file name)")
    parser.add_argument(
        "--sparse", action="store_true", help="store the zeros of a pruned network as bits where that is smaller"
    )
    parser.add_argument(
        "--half", action="store_true", help="round the weights to float16: half of the space, logits hardly others"
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
        state, place, transformer = read_network(options.checkpoint, options.key)
    except LayoutError as error:
        return _fail(options.checkpoint, str(error))
    except OSError as error:
        return _fail(options.checkpoint, error.strerror or str(error))
    if options.stn is not None:
        stn = Path(options.stn) if options.stn else options.checkpoint
        try:
            state |= read_transformer(stn)
        except LayoutError as error:
            return _fail(stn, str(error))
        except OSError as error:
            return _fail(stn, error.strerror or str(error))
    try:
        try:
            shape = infer_shape(state)
        except LayoutError as error:
            raise LayoutError(f"{error} ({place})") from error
    except LayoutError as error:
        return _fail(options.checkpoint, str(error))

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
        if (wrong := missing_classes(charset, shape.classes)) is not None:
            return _fail(Path(options.charset), wrong)
    if options.blank is not None and not 0 <= options.blank < shape.classes:
        parser.error(f"--blank: expected 0 to {shape.classes - 1}, found {options.blank}")

    preprocess = dict(PREPROCESS_PRESETS[options.preprocess])
    if shape.channels == 1:
        preprocess["channel_order"] = "GRAY"
    for key in ("channel_order", "mean", "scale"):
        if getattr(options, key) is not None:
            preprocess[key] = getattr(options, key)
    if not abs(preprocess["mean"]) <= 1e6:
        parser.error(f"--mean: expected -1e6 to 1e6, found {preprocess['mean']}")
    if not 1e-9 <= abs(preprocess["scale"]) <= 1e9:
        parser.error(f"--scale: expected 1e-9 to 1e9 or as much below 0, found {preprocess['scale']}")
    try:
        source = options.source or options.checkpoint.name
        align_corners = options.stn_align_corners == "true"
        write_model(
            options.output, state, charset, preprocess, source, options.blank, options.sparse, align_corners,
            options.half,
        )  # fmt: skip
    except LayoutError as error:
        return _fail(options.checkpoint, str(error))
    except OSError as error:
        return _fail(options.output, error.strerror or str(error))
    if transformer is not None and options.stn is None:
        print(
            f"{options.checkpoint}: warning: {transformer!r} looks like a spatial transformer, which straightens"
            " pictures in front of this network; it is left out: --stn takes it along, or give the network plates that"
            " are straight already (--quad)",
            file=sys.stderr,
        )
    return 0


def _fail(path: Path, reason: str) -> int:
    print(f"{path}: {reason}", file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main())
