#!/usr/bin/env python3
"""Pictures that show no plate of China, to test what a recognizer makes of them: surfaces (noise, flat colors,
gradients, textures, stripes, bricks, shapes, text), parts of cars (grilles, lamps, wheels, badges) and plates of other
countries. Equal seeds and fonts give equal pictures.

    scripts/non_plates.py -o folder --count 60
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from synth_plates import FONT_ROOT, LATIN_FONTS

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


def metal(width: int, height: int, random: Random) -> np.ndarray:
    """Car paint: one color, lighter towards one side, slightly dirty."""
    light = (0.6 + 0.4 * clouds(width, height, random, 0.3))[..., None]
    return (color(random) * light + gradient(width, height, random)) / 2


def grille(width: int, height: int, random: Random) -> np.ndarray:
    picture = np.ascontiguousarray(metal(width, height, random) * 0.4)
    step = max(3, int(height * random.uniform(0.08, 0.3)))
    bars, thickness = random.integers(3), int(random.integers(1, max(2, step // 2) + 1))
    chrome = (color(random) * 0.4 + 130).tolist()
    if bars != 1:
        for y in range(int(random.integers(step)), height, step):
            cv2.line(picture, (0, y), (width, y + int(random.uniform(-0.1, 0.1) * height)), chrome, thickness)
    if bars != 0:
        for x in range(int(random.integers(step)), width, step):
            cv2.line(picture, (x, 0), (x, height), chrome, thickness)
    return cv2.GaussianBlur(picture, (0, 0), random.uniform(0.5, 1.5)) + random.normal(0, 5, (height, width, 3))


def lamp(width: int, height: int, random: Random) -> np.ndarray:
    picture = np.ascontiguousarray(metal(width, height, random))
    for _ in range(random.integers(1, 4)):
        center = (int(random.uniform(0.1, 0.9) * width), int(random.uniform(0.2, 0.8) * height))
        radius = random.uniform(0.15, 0.45) * height
        glass = np.array([40, 40, 200]) if random.random() < 0.5 else np.array([220, 230, 240])
        for ring in range(4):
            size = (int(radius * (1 - ring / 5) * random.uniform(1, 2)) + 1, int(radius * (1 - ring / 5)) + 1)
            paint = np.clip(glass * random.uniform(0.5, 1.3), 0, 255).tolist()
            cv2.ellipse(picture, center, size, 0, 0, 360, paint, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), random.uniform(0.6, 2)) + random.normal(0, 4, (height, width, 3))


def wheel(width: int, height: int, random: Random) -> np.ndarray:
    picture = np.ascontiguousarray(metal(width, height, random) * 0.5)
    center = (int(random.uniform(0.2, 0.8) * width), int(random.uniform(-0.2, 1.2) * height))
    radius = random.uniform(0.5, 1.4) * height
    cv2.circle(picture, center, int(radius), (25, 25, 25), -1, cv2.LINE_AA)
    cv2.circle(picture, center, int(0.75 * radius), (170, 170, 170), -1, cv2.LINE_AA)
    spokes = int(random.integers(5, 11))
    for spoke in range(spokes):
        angle = 2 * np.pi * spoke / spokes
        end = (int(center[0] + 0.7 * radius * np.cos(angle)), int(center[1] + 0.7 * radius * np.sin(angle)))
        cv2.line(picture, center, end, (60, 60, 60), max(1, int(0.08 * radius)), cv2.LINE_AA)
    return cv2.GaussianBlur(picture, (0, 0), random.uniform(0.6, 1.8)) + random.normal(0, 5, (height, width, 3))


def font(height: int, random: Random) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """One of those that plates are rendered with, or the one that comes with Pillow."""
    found = [(FONT_ROOT / path, index) for path, index in LATIN_FONTS if (FONT_ROOT / path).is_file()]
    if not found:
        return ImageFont.load_default(height)
    path, index = found[random.integers(len(found))]
    return ImageFont.truetype(str(path), height, index=index)


def write(
    picture: np.ndarray, words: str, ink: np.ndarray, random: Random, left: float, share: float, middle: float = 0.5
) -> np.ndarray:
    """`words` from `left` to the right end and `share` of the picture's height, both shares of the picture."""
    height, width = picture.shape[:2]
    letters = font(100, random)
    x0, y0, x1, y1 = letters.getbbox(words)
    mask = Image.new("L", (int(x1 - x0) + 2, int(y1 - y0) + 2))
    ImageDraw.Draw(mask).text((1 - x0, 1 - y0), words, fill=255, font=letters)
    wide, high = max(4, int((0.96 - left) * width)), max(3, int(share * height))
    resized = cv2.resize(np.asarray(mask), (wide, high), interpolation=cv2.INTER_AREA).astype(np.float64) / 255
    y = min(max(int(middle * height - high / 2), 0), height - high)
    x = int((left + 0.02) * width)
    area = picture[y : y + high, x : x + wide]
    area += (ink - area) * resized[: area.shape[0], : area.shape[1], None]
    return picture


def badge(width: int, height: int, random: Random) -> np.ndarray:
    picture = np.ascontiguousarray(metal(width, height, random))
    words = str(random.choice(BADGES))
    return cv2.GaussianBlur(write(picture, words, color(random), random, 0.1, 0.5), (0, 0), random.uniform(0.4, 1.2))


def foreign(width: int, height: int, random: Random) -> np.ndarray:
    """A plate of another country: A stands for a letter, 9 for a digit."""
    pattern = str(random.choice(FOREIGN_PATTERNS))
    letters, digits = "ABCDEFGHJKLMNPRSTUVWXYZ", "0123456789"
    drawn = {"A": letters, "9": digits}
    words = "".join(drawn[c][random.integers(len(drawn[c]))] if c in drawn else c for c in pattern)
    grounds = ((245, 245, 245), (60, 200, 245), (20, 20, 20), (190, 120, 40), (60, 60, 170))
    ground = np.array(grounds[random.choice(5, p=(0.6, 0.2, 0.08, 0.06, 0.06))], dtype=np.float64)
    ink = np.array([25.0, 25, 25]) if ground.sum() > 400 else np.array([235.0, 235, 235])
    picture = np.broadcast_to(ground, (height, width, 3)).copy()
    left, share, middle = 0.02, 0.7, 0.5
    if random.random() < 0.4:  # the band of Europe
        left = 0.12
        picture[:, : int(0.1 * width)] = (150, 60, 10)
    elif random.random() < 0.3:  # the name of a state above
        share, middle = 0.5, 0.62
        write(picture, str(random.choice(STATES)), ink, random, 0.3, 0.16, 0.14)
    write(picture, words, ink, random, left, share, middle)
    cv2.rectangle(picture, (0, 0), (width - 1, height - 1), ink.tolist(), max(1, height // 30))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    moved = corners + random.uniform(-0.06, 0.06, (4, 2)) * height
    turn = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    picture = cv2.warpPerspective(picture, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    picture *= random.uniform(0.4, 1.05)
    noisy = picture + random.normal(0, random.uniform(2, 10), picture.shape)
    return cv2.GaussianBlur(noisy, (0, 0), random.uniform(0.4, 0.02 * height + 0.5))


BADGES = "TURBO 4MOTION TDI GLX Hybrid V6 SPORT 2.0T quattro AMG xDrive HONDA TOYOTA FORD LEXUS CAMRY 320i E200".split()
STATES = "CALIFORNIA TEXAS NEVADA OHIO DUBAI HAWAII ONTARIO".split()
FOREIGN_PATTERNS = (
    # Germany, France, Britain, Italy, Spain, Poland, Russia, California, Texas, India, Brazil, Dubai, Japan, Korea.
    "A AA 999", "AA AA 9999", "AA-999-AA", "AA99 AAA", "AA 999AA", "9999 AAA", "AA 99999", "A999AA 99", "9AAA999",
    "AAA-9999", "AA99AA9999", "AAA9A99", "A 99999", "99-99", "999 9999",
)  # fmt: skip

KINDS: dict[str, Callable[[int, int, Random], np.ndarray]] = {
    "noise": noise,
    "flat": flat,
    "gradient": gradient,
    "texture": texture,
    "stripes": stripes,
    "bricks": bricks,
    "shapes": shapes,
    "text": text,
    "grille": grille,
    "lamp": lamp,
    "wheel": wheel,
    "badge": badge,
    "foreign": foreign,
}


def write_pictures(folder: Path, count: int, seed: int, kinds: Iterable[str] = KINDS) -> None:
    """`count` PNG files of each kind and a labels.tsv whose texts match no plate."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    labels = []
    for kind in kinds:
        for number in range(count):
            width, height = SIZES[random.integers(len(SIZES))]
            pixels = np.clip(KINDS[kind](width, height, random), 0, 255).astype(np.uint8)
            name = f"{kind}_{number:03d}.png"
            (folder / name).write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
            labels.append(f"{name}\tnone\t{kind}\n")
    (folder / "labels.tsv").write_text("".join(labels), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder to fill")
    parser.add_argument("--count", type=int, default=60, help="pictures of each kind (default: %(default)s)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="default: all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    write_pictures(options.output, options.count, options.seed, options.kinds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
