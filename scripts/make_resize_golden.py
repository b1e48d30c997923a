#!/usr/bin/env python3
"""Writes tests/golden/resize/: what OpenCV makes of small pictures.

A case is a picture of noise that any program can regenerate, the conversion
and size asked for, and OpenCV's answer. Only the answer is stored:

    index.txt    one line per case, after lines that begin with '#':
                 name source_width source_height format order width height seed
    NAME.bin     the answer, height x width x channels bytes, NHWC

Byte i of the source (planes, then rows, then pixels, then channels of the
format, no gaps) is the low byte of this, in unsigned 32-bit arithmetic:

    v = i * 2654435761 + seed * 2246822519
    v = (v ^ (v >> 15)) * 3266489917
    v = v ^ (v >> 16)

Usage: make_resize_golden.py [--check] [FOLDER]
--check compares with what is there, writes nothing and fails on a difference.
Needs numpy and opencv-python-headless (the x86-64 wheel).
"""

import argparse
import pathlib
import sys

import cv2
import numpy as np

# name: source width, source height, format, order, width, height
CASES = {
    # Bilinear to the size of the network, down, up and both at once.
    "one_pixel": (1, 1, "bgr", "bgr", 94, 24),
    "two_by_two": (2, 2, "gray", "gray", 94, 24),
    "one_column": (1, 37, "gray", "gray", 94, 24),
    "one_row": (53, 1, "gray", "gray", 94, 24),
    "long_row": (20000, 1, "gray", "gray", 94, 24),
    "twice_up": (47, 12, "bgr", "bgr", 94, 24),
    "same_width": (94, 50, "bgr", "bgr", 94, 24),
    "same_height": (120, 24, "bgr", "bgr", 94, 24),
    "plate": (136, 36, "bgr", "bgr", 94, 24),
    "large_plate": (440, 140, "bgr", "bgr", 94, 24),
    "primes": (97, 31, "bgr", "bgr", 94, 24),
    "almost_same": (93, 23, "gray", "gray", 94, 24),
    "half_width_only": (188, 24, "gray", "gray", 94, 24),
    "four_times": (376, 96, "gray", "gray", 94, 24),
    "full_hd": (1920, 1080, "gray", "gray", 94, 24),
    # Exactly half, where OpenCV takes the mean of 2x2 pixels.
    "half": (188, 48, "bgr", "bgr", 94, 24),
    "half_gray": (64, 16, "gray", "gray", 32, 8),
    "half_bgra_to_gray": (62, 18, "bgra", "gray", 31, 9),
    # Other output sizes.
    "to_one_pixel": (136, 36, "bgr", "bgr", 1, 1),
    "to_primes": (136, 36, "bgr", "bgr", 37, 7),
    "thrice_up": (20, 10, "gray", "gray", 60, 30),
    "stretched": (5, 3, "gray", "gray", 1024, 2),
    # Channel orders, with and without a resize.
    "bgr_to_gray": (64, 32, "bgr", "gray", 64, 32),
    "rgb_to_gray": (64, 32, "rgb", "gray", 64, 32),
    "bgr_to_gray_resized": (131, 41, "bgr", "gray", 94, 24),
    "rgb_to_gray_resized": (131, 41, "rgb", "gray", 94, 24),
    "bgra_to_gray_resized": (131, 41, "bgra", "gray", 94, 24),
    "rgba_to_gray_resized": (131, 41, "rgba", "gray", 94, 24),
    "rgb_to_bgr_resized": (51, 19, "rgb", "bgr", 40, 11),
    "bgra_to_bgr_resized": (51, 19, "bgra", "bgr", 40, 11),
    "rgba_to_bgr_resized": (51, 19, "rgba", "bgr", 40, 11),
    "gray_to_bgr_resized": (51, 19, "gray", "bgr", 40, 11),
    "bgr_to_rgb_resized": (51, 19, "bgr", "rgb", 40, 11),
    "rgb_to_rgb_resized": (51, 19, "rgb", "rgb", 40, 11),
    "bgra_to_rgb_resized": (51, 19, "bgra", "rgb", 40, 11),
    "rgba_to_rgb_resized": (51, 19, "rgba", "rgb", 40, 11),
    "gray_to_rgb_resized": (51, 19, "gray", "rgb", 40, 11),
    # Formats of cameras; OpenCV takes even sides only.
    "nv12_to_bgr": (40, 12, "nv12", "bgr", 40, 12),
    "nv12_to_bgr_resized": (136, 36, "nv12", "bgr", 94, 24),
    "nv12_to_rgb_resized": (52, 20, "nv12", "rgb", 40, 11),
    "nv12_to_gray_resized": (52, 20, "nv12", "gray", 40, 11),
    "nv21_to_bgr_resized": (52, 20, "nv21", "bgr", 40, 11),
    "i420_to_bgr_resized": (52, 20, "i420", "bgr", 40, 11),
    "yuyv_to_bgr_resized": (52, 20, "yuyv", "bgr", 40, 11),
}

BYTES = {"bgr": 3, "rgb": 3, "bgra": 4, "rgba": 4, "gray": 1, "yuyv": 2}
PLANAR = ("nv12", "nv21", "i420")  # one and a half bytes a pixel, in rows of luma
OPENCV_NAMES = {"nv12": "YUV2BGR_NV12", "nv21": "YUV2BGR_NV21", "i420": "YUV2BGR_I420", "yuyv": "YUV2BGR_YUY2"}


def noise(count, seed):
    v = np.arange(count, dtype=np.uint32)
    v = v * np.uint32(2654435761) + np.uint32((seed * 2246822519) % 2**32)
    v = (v ^ (v >> np.uint32(15))) * np.uint32(3266489917)
    v = v ^ (v >> np.uint32(16))
    return (v & np.uint32(255)).astype(np.uint8)


def source(width, height, form, seed):
    if form in PLANAR:
        return noise(width * height * 3 // 2, seed).reshape(height * 3 // 2, width)
    picture = noise(width * height * BYTES[form], seed).reshape(height, width, BYTES[form])
    return picture[:, :, 0] if form == "gray" else picture


def convert(picture, form, order):
    if form in OPENCV_NAMES:  # through BGR: the gray of the color, not the luma, whose range is another one
        picture = cv2.cvtColor(picture, getattr(cv2, f"COLOR_{OPENCV_NAMES[form]}"))
        form = "bgr"
    if form != order:
        picture = cv2.cvtColor(picture, getattr(cv2, f"COLOR_{form.upper()}2{order.upper()}"))
    return picture


def answer(picture, form, order, width, height):
    return cv2.resize(convert(picture, form, order), (width, height), interpolation=cv2.INTER_LINEAR)


def files():
    index = [
        "# Written by scripts/make_resize_golden.py, which describes the source pictures.",
        f"# OpenCV {cv2.__version__}",
        "# name source_width source_height format order width height seed",
    ]
    for seed, (name, case) in enumerate(CASES.items(), start=1):
        source_width, source_height, form, order, width, height = case
        picture = source(source_width, source_height, form, seed)
        index.append(" ".join(map(str, (name, *case, seed))))
        yield f"{name}.bin", answer(picture, form, order, width, height).tobytes()
    yield "index.txt", ("\n".join(index) + "\n").encode()


def without_comments(text):
    return [line for line in text.split(b"\n") if not line.startswith(b"#")]


def same(name, expected, found):
    if name == "index.txt":  # the version of OpenCV may differ where its answers do not
        return without_comments(expected) == without_comments(found)
    return expected == found


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=root / "tests" / "golden" / "resize")
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
