"""Plate texts and plate images: charset, labels, image loading, greedy decoding.

What every script needs and what does not need torch. The network is in lprnet_model.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

WIDTH = 94
HEIGHT = 24

PROVINCES = "京沪津渝冀晋蒙辽吉黑苏浙皖闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新"
DIGITS = "0123456789"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
# At an end of plates of trainers, police and trailers, Hong Kong and Macau, embassies and consulates.
SPECIALS = "学警挂港澳使领"
# Civil aviation and emergency rescue.
SERVICES = "民航应急"
# Military plates before 2012: general headquarters, air force, navy, and the seven regions.
ARMIES = "军空海北沈兰济南广成"
# The order of the public 68-class checkpoints comes first: I and O are its last because plates hardly use them.
_CLASS_ORDER = PROVINCES + DIGITS + LETTERS + "IO" + SPECIALS + SERVICES + ARMIES
# By the number of classes: each continues the one before it, "-" is the blank and the last.
CHARSETS: dict[int, tuple[str, ...]] = {
    classes: tuple(_CLASS_ORDER[: classes - 1] + "-") for classes in (68, 75, 79, 89)
}
CHARSET_CN68 = CHARSETS[68]
# Every plate of GA 36-2018 and older ones still on the road.
CHARSET_CN89 = CHARSETS[89]

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm"}

# How the public checkpoint reads pixels: BGR, (x - mean) * scale.
UPSTREAM_PREPROCESS = {
    "width": WIDTH,
    "height": HEIGHT,
    "channel_order": "BGR",
    "mean": 127.5,
    "scale": 0.0078125,
    "resize": "bilinear",
}


class Sample(NamedTuple):
    """One labelled or unlabelled image; `name` is the path as the list gives it, `kind` that of the plate, if known."""

    path: Path
    name: str
    text: str
    group: str
    kind: str = ""


def text_from_file_name(path: Path) -> str:
    """The file name up to the first '.', '-' or '_': the label where no labels.tsv says otherwise."""
    name = path.name
    cut = [name.find(mark) for mark in ".-_" if mark in name]
    return name[: min(cut)] if cut else name


def read_labels(labels_tsv: Path) -> list[Sample]:
    """Rows of a labels.tsv: path, text, set and, in the sixth column, the kind of plate; both may be missing, further
    columns are ignored."""
    samples = []
    for number, line in enumerate(labels_tsv.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        cells = line.split("\t")
        if len(cells) < 2:
            raise ValueError(f"{labels_tsv}:{number}: expected path<TAB>text, found {line!r}")
        group = cells[2] if len(cells) > 2 else ""
        kind = cells[5] if len(cells) > 5 else ""
        samples.append(Sample(labels_tsv.parent / cells[0], cells[0], cells[1], group, kind))
    return samples


def list_samples(sources: Sequence[Path], limit: int | None = None) -> list[Sample]:
    """Samples of folders (their labels.tsv, else every image below them), .tsv lists and single image files."""
    samples: list[Sample] = []
    for source in sources:
        if source.is_dir():
            labels = source / "labels.tsv"
            if labels.is_file():
                samples += read_labels(labels)
                continue
            images = sorted(p for p in source.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
            samples += [Sample(p, p.relative_to(source).as_posix(), text_from_file_name(p), "") for p in images]
        elif source.suffix.lower() == ".tsv":
            samples += read_labels(source)
        else:
            samples.append(Sample(source, source.name, text_from_file_name(source), ""))
    return samples if limit is None else samples[:limit]


def read_image(path: Path) -> np.ndarray:
    """The image as HxWx3 uint8 BGR, whatever the file holds."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise OSError(f"{path}: not a readable image")
    return image


def to_network_size(image: np.ndarray) -> np.ndarray:
    """24x94, bilinear; an image of that size already is left untouched."""
    if image.shape[:2] == (HEIGHT, WIDTH):
        return image
    return cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)


def normalize(images: np.ndarray, preprocess: dict = UPSTREAM_PREPROCESS) -> np.ndarray:
    """NxHxWx3 uint8 BGR -> NxCxHxW float32 as `preprocess` asks for (BGR, RGB or GRAY)."""
    order = preprocess["channel_order"]
    if order == "RGB":
        images = images[..., ::-1]
    elif order == "GRAY":
        images = np.stack([cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in images])[..., None]
    elif order != "BGR":
        raise ValueError(f"channel_order: expected BGR, RGB or GRAY, found {order!r}")
    pixels = np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32)
    # One number, or one for each channel.
    mean, scale = (np.float32(preprocess[key]).reshape(-1, 1, 1) for key in ("mean", "scale"))
    return (pixels - mean) * scale


def greedy_text(logits: np.ndarray, charset: Sequence[str], blank: int | None = None) -> str:
    """Best class per step of classes x steps logits, repeats merged, blanks dropped."""
    if blank is None:
        blank = len(charset) - 1
    text = []
    previous = blank
    for best in logits.argmax(axis=0):
        if best != previous and best != blank:
            text.append(charset[best])
        previous = best
    return "".join(text)


def encode(text: str, charset: Sequence[str] = CHARSET_CN68) -> list[int]:
    """Class indices of a text; a character outside the charset is a ValueError that names it."""
    indices = []
    for character in text:
        if character not in charset:
            raise ValueError(f"{text!r}: {character!r} is not in the charset")
        indices.append(charset.index(character))
    return indices
