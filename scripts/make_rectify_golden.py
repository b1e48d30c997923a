#!/usr/bin/env python3
"""Writes tests/golden/rectify/: what OpenCV makes of plates seen at an angle.

The pictures are those of make_resize_golden.py: noise that any program can regenerate. Only the answer is stored:

    index.txt    one line per case, after lines that begin with '#':
                 name source_width source_height format order width height rows x0 y0 x1 y1 x2 y2 x3 y3 seed
    NAME.bin     the answer, height x width x channels bytes, NHWC

Corners are clockwise from the top left, in pixels from the upper left corner of the picture, so the center of pixel
(0, 0) is at 0.5, where OpenCV has it at 0. A plate of two rows is two warps side by side.

Usage: make_rectify_golden.py [--check] [FOLDER]
--check compares with what is there, writes nothing and fails on a difference of more than one level.
Needs numpy and opencv-python-headless 5: version 4 rounds positions to 1/32 pixel.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Iterator

import cv2
import numpy as np

from make_resize_golden import convert, source
from rectify import rectified

# name: source width, source height, format, order, width, height, rows, corners
CASES = {
    # The whole picture, upright: no rotation, no perspective.
    "whole": (136, 36, "bgr", "bgr", 94, 24, 1, (0, 0, 136, 0, 136, 36, 0, 36)),
    "same_size": (94, 24, "bgr", "bgr", 94, 24, 1, (0, 0, 94, 0, 94, 24, 0, 24)),
    "upright": (200, 80, "bgr", "bgr", 94, 24, 1, (11, 7, 187, 7, 187, 63, 11, 63)),
    # Turned, sheared, in perspective, small, large.
    "turned": (220, 160, "bgr", "bgr", 94, 24, 1, (40.25, 30.5, 190.75, 90.125, 175.5, 130.25, 25, 70.625)),
    "turned_back": (220, 160, "bgr", "bgr", 94, 24, 1, (30.5, 90, 180.25, 35.75, 195.5, 72, 45.75, 126.25)),
    "sheared": (220, 90, "gray", "gray", 94, 24, 1, (50, 20, 200, 20, 170, 70, 20, 70)),
    "perspective": (220, 160, "bgr", "bgr", 94, 24, 1, (30.5, 20.25, 190.5, 60.75, 188.25, 92.5, 28.125, 110)),
    "strong_perspective": (300, 200, "gray", "gray", 94, 24, 1, (10, 10, 290, 90, 290, 110, 10, 190)),
    "upside_down": (220, 80, "bgr", "bgr", 94, 24, 1, (200, 70, 20, 64, 22, 10, 202, 14)),
    "tiny": (40, 30, "bgr", "bgr", 94, 24, 1, (10.5, 10.25, 14.25, 11, 14, 12.75, 10.25, 12)),
    "full_hd": (1920, 1080, "gray", "gray", 94, 24, 1, (901.5, 610.25, 1102.75, 640.5, 1100.25, 702.5, 899, 668)),
    # Partly outside: the pixels of the edge go on.
    "beyond_left": (120, 60, "bgr", "bgr", 94, 24, 1, (-30, -10.5, 80, 5, 78.5, 40, -28, 30)),
    "beyond_right": (120, 60, "bgr", "bgr", 94, 24, 1, (60, 30, 150.5, 36, 148, 75.25, 58, 66)),
    "beyond_all": (30, 10, "gray", "gray", 94, 24, 1, (-20, -15, 60, -5, 55, 30, -25, 25)),
    # Other output sizes.
    "to_one_pixel": (60, 40, "bgr", "bgr", 1, 1, 1, (10, 10, 50, 12, 48, 30, 9, 28)),
    "to_primes": (136, 60, "bgr", "bgr", 37, 7, 1, (10.5, 12, 120, 5.25, 125, 45, 8, 50.5)),
    "to_large": (60, 40, "gray", "gray", 300, 100, 1, (5, 6, 55, 3, 58, 35, 3, 37)),
    # Formats and channel orders.
    "rgb_to_bgr": (131, 61, "rgb", "bgr", 94, 24, 1, (10.5, 12, 120, 5.25, 125, 45, 8, 50.5)),
    "bgra_to_rgb": (131, 61, "bgra", "rgb", 94, 24, 1, (10.5, 12, 120, 5.25, 125, 45, 8, 50.5)),
    "rgba_to_gray": (131, 61, "rgba", "gray", 94, 24, 1, (10.5, 12, 120, 5.25, 125, 45, 8, 50.5)),
    "gray_to_bgr": (131, 61, "gray", "bgr", 94, 24, 1, (10.5, 12, 120, 5.25, 125, 45, 8, 50.5)),
    "nv12_to_bgr": (132, 62, "nv12", "bgr", 94, 24, 1, (10.5, 12, 120, 5.25, 125, 45, 8, 50.5)),
    "nv12_to_rgb": (132, 62, "nv12", "rgb", 94, 24, 1, (10.5, 12, 120, 5.25, 125, 45, 8, 50.5)),
    "nv12_to_gray": (132, 62, "nv12", "gray", 94, 24, 1, (10.5, 12, 120, 5.25, 125, 45, 8, 50.5)),
    "nv21_to_bgr": (132, 62, "nv21", "bgr", 94, 24, 1, (10.5, 12, 120, 5.25, 125, 45, 8, 50.5)),
    "i420_to_bgr": (132, 62, "i420", "bgr", 94, 24, 1, (10.5, 12, 120, 5.25, 125, 45, 8, 50.5)),
    "yuyv_to_bgr": (132, 62, "yuyv", "bgr", 94, 24, 1, (10.5, 12, 120, 5.25, 125, 45, 8, 50.5)),
    # Two rows become one.
    "two_rows": (180, 110, "bgr", "bgr", 94, 24, 2, (10.5, 12, 160, 5.25, 165, 85, 8, 90.5)),
    "two_rows_nv12": (180, 110, "nv12", "bgr", 94, 24, 2, (10.5, 12, 160, 5.25, 165, 85, 8, 90.5)),
    "two_rows_to_gray": (180, 110, "bgr", "gray", 141, 36, 2, (10.5, 12, 160, 5.25, 165, 85, 8, 90.5)),
}


def files() -> Iterator[tuple[str, bytes]]:
    index = [
        "# Written by scripts/make_rectify_golden.py, which describes the source pictures.",
        f"# OpenCV {cv2.__version__}",
        "# name source_width source_height format order width height rows x0 y0 x1 y1 x2 y2 x3 y3 seed",
    ]
    for seed, (name, case) in enumerate(CASES.items(), start=1001):
        source_width, source_height, form, order, width, height, rows, corners = case
        picture = convert(source(source_width, source_height, form, seed), form, order)
        index.append(" ".join(map(str, (name, *case[:-1], *corners, seed))))
        yield f"{name}.bin", rectified(picture, corners, rows, width, height).tobytes()
    yield "index.txt", ("\n".join(index) + "\n").encode()


def without_comments(text: bytes) -> list[bytes]:
    return [line for line in text.split(b"\n") if not line.startswith(b"#")]


def same(name: str, expected: bytes, found: bytes) -> bool:
    if name == "index.txt":
        return without_comments(expected) == without_comments(found)
    if len(expected) != len(found):
        return False
    levels = [np.frombuffer(data, np.uint8).astype(int) for data in (expected, found)]
    return int(abs(levels[0] - levels[1]).max()) <= 1


def main() -> int:
    root = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=root / "tests" / "golden" / "rectify")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments = parser.parse_args()

    if arguments.check:
        wrong = 0
        for name, data in files():
            path = arguments.folder / name
            if not path.is_file():
                print(f"{path}: expected {len(data)} bytes, found no file", file=sys.stderr)
                wrong += 1
            elif not same(name, data, path.read_bytes()):
                print(f"{path}: differs from OpenCV {cv2.__version__}", file=sys.stderr)
                wrong += 1
        return 1 if wrong else 0

    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, data in files():
        (arguments.folder / name).write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
