#!/usr/bin/env python3
"""Pictures that show no plate, to test what a recognizer makes of them: noise, flat colors, gradients, textures,
stripes, bricks, shapes, and text that is no plate. Equal seeds give equal pictures.

    scripts/non_plates.py -o folder --count 60
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

Random = np.random.Generator
SIZES = ((94, 24), (136, 36), (200, 64), (300, 90), (440, 140))
WORDS = (
    "EXIT TAXI STOP PARKING police Hello open 24h www.example.com HONDA TOYOTA A4 BMW turbo diesel SUV please drive"
    " slowly sale 50% off 0123456 +49170 99:59 18.50 EUR 2021-05-07 No.12 gate B-7 AB12CDE 7ABC123 KA01AB1234 WXYZ"
).split()
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)


def color(random: Random) -> np.ndarray:
    return random.integers(0, 256, 3).astype(np.float64)


def blend(share: np.ndarray, random: Random) -> np.ndarray:
    """Two colors mixed by an array of shares 0..1."""
    return color(random) * (1 - share[..., None]) + color(random) * share[..., None]


def clouds(width: int, height: int, random: Random, aspect: float = 1.0) -> np.ndarray:
    """Noise of all scales, 0..1: what surfaces look like from afar."""
    total = np.zeros((height, width))
    amplitude = 1.0
    for octave in range(7):
        cells = 2 << octave
        grid = random.normal(size=(min(cells, height) + 1, min(int(3 * cells * aspect), width) + 1))
        total += amplitude * cv2.resize(grid.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        amplitude *= random.uniform(0.45, 0.75)
    return (total - total.min()) / (np.ptp(total) + 1e-9)


def noise(width: int, height: int, random: Random) -> np.ndarray:
    kind = random.integers(3)
    if kind == 2:
        return color(random) + random.normal(0, random.uniform(5, 60), (height, width, 3))
    channels = 3 if kind == 0 else 1
    return np.repeat(random.integers(0, 256, (height, width, channels)), 3 // channels, 2).astype(np.float64)


def flat(width: int, height: int, random: Random) -> np.ndarray:
    return np.broadcast_to(color(random), (height, width, 3)).copy()


def gradient(width: int, height: int, random: Random) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    angle = random.uniform(0, 2 * np.pi)
    along = np.cos(angle) * x / width + np.sin(angle) * y / height
    return blend((along - along.min()) / np.ptp(along), random)


def texture(width: int, height: int, random: Random) -> np.ndarray:
    light = 0.5 + 0.5 * clouds(width, height, random)[..., None]
    return blend(clouds(width, height, random, random.choice([0.2, 1.0, 3.0])), random) * light


def stripes(width: int, height: int, random: Random) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    angle, frequency = random.uniform(0, np.pi), random.uniform(3, 60) / width
    wave = np.sin(2 * np.pi * frequency * (np.cos(angle) * x + np.sin(angle) * y) + random.uniform(0, 6))
    if random.random() < 0.5:
        wave = np.sign(wave)
    return blend((wave + 1) / 2, random) + random.normal(0, random.uniform(0, 20), (height, width, 3))


def bricks(width: int, height: int, random: Random) -> np.ndarray:
    picture = flat(width, height, random)
    across, down = int(width / random.uniform(3, 12)), max(3, int(height / random.uniform(1.5, 6)))
    base = color(random)
    for row, y in enumerate(range(0, height, down)):
        for x in range(-across * (row % 2) // 2, width, across):
            one = np.clip(base + random.normal(0, 15, 3), 0, 255)
            cv2.rectangle(picture, (x + 1, y + 1), (x + across - 2, y + down - 2), one.tolist(), -1)
    return picture + random.normal(0, 8, (height, width, 3))


def shapes(width: int, height: int, random: Random) -> np.ndarray:
    picture = np.ascontiguousarray(texture(width, height, random))
    for _ in range(random.integers(1, 8)):
        points = [(int(random.uniform(-0.1, 1.1) * width), int(random.uniform(-0.1, 1.1) * height)) for _ in range(3)]
        paint = color(random).tolist()
        kind = random.integers(3)
        if kind == 0:
            cv2.line(picture, points[0], points[1], paint, int(random.integers(1, max(2, height // 6))))
        elif kind == 1:
            cv2.circle(picture, points[0], int(random.uniform(0.05, 0.6) * height), paint, -1)
        else:
            cv2.fillPoly(picture, [np.array(points)], paint)
    return cv2.GaussianBlur(picture, (0, 0), random.uniform(0.4, 2))


def text(width: int, height: int, random: Random) -> np.ndarray:
    ground = (flat if random.random() < 0.6 else texture)(width, height, random)
    picture = np.clip(ground, 0, 255).astype(np.uint8)  # text is drawn on bytes alone
    if random.random() < 0.6:
        words = " ".join(random.choice(WORDS, random.integers(1, 4)))
    else:
        words = "".join(random.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), random.integers(3, 12)))
    font = FONTS[random.integers(len(FONTS))]
    (wide, high), _ = cv2.getTextSize(words, font, 1.0, 1)
    scale = min(random.uniform(0.4, 0.8) * height / high, 1.2 * width / wide)
    origin = (int(random.uniform(0, 0.1) * width), int(random.uniform(0.7, 0.95) * height))
    cv2.putText(picture, words, origin, font, scale, color(random).tolist(), int(random.integers(1, 4)), cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), random.uniform(0.3, 1.2)).astype(np.float64)


KINDS: dict[str, Callable[[int, int, Random], np.ndarray]] = {
    "noise": noise,
    "flat": flat,
    "gradient": gradient,
    "texture": texture,
    "stripes": stripes,
    "bricks": bricks,
    "shapes": shapes,
    "text": text,
}


def write_pictures(folder: Path, count: int, seed: int) -> None:
    """`count` PNG files of each kind and a labels.tsv whose texts match no plate."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    labels = []
    for kind, draw in KINDS.items():
        for number in range(count):
            width, height = SIZES[random.integers(len(SIZES))]
            pixels = np.clip(draw(width, height, random), 0, 255).astype(np.uint8)
            name = f"{kind}_{number:03d}.png"
            (folder / name).write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
            labels.append(f"{name}\tnone\t{kind}\n")
    (folder / "labels.tsv").write_text("".join(labels), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder to fill")
    parser.add_argument("--count", type=int, default=60, help="pictures of each kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    write_pictures(options.output, options.count, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
