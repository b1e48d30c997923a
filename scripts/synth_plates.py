#!/usr/bin/env python3
"""Renders Chinese licence plates and turns clean plates, rendered or real, into realistic camera crops.

Geometry and formats follow GA 36-2018. Single-row plates only: LPRNet cannot read two rows, and plates with characters
outside the charset (警, 学, 挂 ...) cannot be labelled. Every image depends on its seed alone.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from plates import CHARSET_CN68, DIGITS, HEIGHT, LETTERS, PROVINCES, WIDTH

# Pixels per millimetre of a clean plate: half size is still twice as large as the network's input.
SCALE = 0.5
CELL_HEIGHT = 90
PLATE_ASPECT = 440 / 140
SEVEN_STARTS = (15.5, 72.5, 151.5, 208.5, 265.5, 322.5, 379.5)
EIGHT_STARTS = (15.5, 69.5, 161.5, 213.5, 265.5, 317.5, 369.5, 421.5)
SEVEN_WIDTHS = (45,) * 7
EIGHT_WIDTHS = (45,) + (43,) * 7

# Serial patterns of 4892 real labels (A a letter, 9 a digit).
SERIAL_PATTERNS = {
    "AA999": 1033, "A9999": 571, "A999A": 548, "99999": 463, "A9A99": 408, "999A9": 400, "9A999": 380, "99A99": 360,
    "9AA99": 237, "999AA": 163, "9999A": 111, "A99A9": 91, "9A9A9": 75, "99AA9": 35, "9A99A": 13,
}  # fmt: skip
_PATTERNS = tuple(SERIAL_PATTERNS)
_PATTERN_STEPS = np.cumsum(np.array(list(SERIAL_PATTERNS.values()), dtype=np.float64))
_PATTERN_STEPS /= _PATTERN_STEPS[-1]

KINDS = ("blue", "green", "green_large", "yellow", "white", "black")
KIND_SHARES = (0.56, 0.12, 0.04, 0.18, 0.05, 0.05)

FONT_ROOT = Path("/usr/share/fonts")
PROVINCE_FONTS = (
    ("opentype/noto/NotoSansCJK-Bold.ttc", 2),
    ("opentype/noto/NotoSansCJK-Regular.ttc", 2),
    ("truetype/wqy/wqy-zenhei.ttc", 0),
    ("truetype/wqy/wqy-microhei.ttc", 0),
)
LATIN_FONTS = (
    ("truetype/opendin/OSP-DIN.ttf", 0),
    ("truetype/roadgeek/RG2014D.ttf", 0),
    ("opentype/bebas-neue/BebasNeue-Bold.otf", 0),
    ("truetype/roboto/unhinted/RobotoCondensed-Bold.ttf", 0),
)
# The order of the ne000 ... files of one public glyph set.
NUMBERED_PROVINCES = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"


@dataclass(frozen=True)
class Plate:
    """What is written on which kind of plate."""

    text: str
    kind: str


def random_plate(rng: np.random.Generator, kind_shares: Sequence[float] = KIND_SHARES) -> Plate:
    """Kind by its share, province and letter uniform, serial by the patterns seen on real plates."""
    kind = KINDS[int(np.searchsorted(np.cumsum(kind_shares)[:-1], rng.random(), side="right"))]
    return Plate(random_text(kind, rng), kind)


def random_text(kind: str, rng: np.random.Generator, province: str | None = None) -> str:
    """What a plate of this kind may say, from one province or any."""

    def letter() -> str:
        return LETTERS[rng.integers(len(LETTERS))]

    def digits(count: int) -> str:
        return "".join(DIGITS[i] for i in rng.integers(10, size=count))

    head = (province or PROVINCES[rng.integers(len(PROVINCES))]) + letter()
    if kind == "green":
        first = "DF"[rng.integers(2)] if rng.random() < 0.7 else "ABCEGHJK"[rng.integers(8)]
        second = letter() if rng.random() < 0.25 else digits(1)
        return head + first + second + digits(4)
    if kind == "green_large":
        return head + digits(5) + "DF"[rng.integers(2)]
    pattern = _PATTERNS[int(np.searchsorted(_PATTERN_STEPS, rng.random()))]
    return head + "".join(letter() if mark == "A" else digits(1) for mark in pattern)


class GlyphBank:
    """Ink masks (uint8, 255 is ink, 45 or 43 mm x 90 mm at SCALE) of every character from every source found.

    Sources are alphabets: a name -> {character: mask}. Each mask comes in three stroke weights.
    """

    def __init__(self, glyphs: Path | None = None, scale: float = SCALE) -> None:
        self.scale = scale
        self.size = (round(45 * scale), round(CELL_HEIGHT * scale))
        self.province_sets: list[dict[str, list[np.ndarray]]] = []
        self.latin_sets: list[dict[str, list[np.ndarray]]] = []
        self.weights: tuple[list[float], list[float]] = ([], [])
        if glyphs is not None:
            self._add_images(glyphs)
        self._add_fonts(0.7 if self.latin_sets else 1.0)
        if not self.province_sets or not self.latin_sets:
            raise FileNotFoundError(f"no usable fonts below {FONT_ROOT} and no glyph images")
        self.province_shares = np.cumsum(self.weights[0]) / sum(self.weights[0])
        self.latin_shares = np.cumsum(self.weights[1]) / sum(self.weights[1])

    def _add(self, masks: dict[str, np.ndarray], weight: float) -> None:
        provinces = {c: self._weights(m) for c, m in masks.items() if c in PROVINCES}
        latin = {c: self._weights(m) for c, m in masks.items() if c in DIGITS or c in LETTERS}
        if len(provinces) == len(PROVINCES):
            self.province_sets.append(provinces)
            self.weights[0].append(weight)
        if len(latin) == len(DIGITS) + len(LETTERS):
            self.latin_sets.append(latin)
            self.weights[1].append(weight)

    def _weights(self, mask: np.ndarray) -> list[np.ndarray]:
        """Thin, as drawn, thick; made at four times the size so that half a pixel of stroke can be had."""
        large = cv2.resize(mask, None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR)
        large = cv2.copyMakeBorder(large, 8, 8, 8, 8, cv2.BORDER_CONSTANT, value=0)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
        results = []
        for variant in (cv2.erode(large, kernel), large, cv2.dilate(large, kernel)):
            inner = variant[8:-8, 8:-8]
            results.append(cv2.resize(inner, (mask.shape[1], mask.shape[0]), interpolation=cv2.INTER_AREA))
        return results

    def _load_ink(self, path: Path) -> np.ndarray:
        image = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
        return cv2.resize(255 - image, self.size, interpolation=cv2.INTER_AREA)

    def _add_images(self, glyphs: Path) -> None:
        """Two public layouts, wherever below `glyphs`: PREFIX_CHARACTER.jpg, and ne000.png ... in a fixed order."""
        prefixed: dict[str, dict[str, np.ndarray]] = {}
        numbered: dict[str, np.ndarray] = {}
        for path in sorted(glyphs.rglob("*")):
            prefix, _, character = path.stem.partition("_")
            if len(character) == 1 and prefix in ("140", "green") and character in CHARSET_CN68:
                prefixed.setdefault(prefix, {})[character] = self._load_ink(path)
            elif path.stem.startswith("ne") and path.stem[2:].isdigit():
                row, index = int(path.stem[2]), int(path.stem[3:])
                characters = NUMBERED_PROVINCES if row == 0 else LETTERS + DIGITS
                if index < len(characters):
                    numbered[characters[index]] = self._load_ink(path)
        self._add(prefixed.get("140", {}), 1.0)
        self._add(prefixed.get("green", {}), 0.5)
        self._add(numbered, 0.5)

    def _add_fonts(self, total: float) -> None:
        found_provinces = [(FONT_ROOT / p, i) for p, i in PROVINCE_FONTS if (FONT_ROOT / p).is_file()]
        found_latin = [(FONT_ROOT / p, i) for p, i in LATIN_FONTS if (FONT_ROOT / p).is_file()]
        for path, index in found_provinces:
            font = ImageFont.truetype(str(path), 200, index=index)
            self._add({c: self._draw(font, c) for c in PROVINCES}, total / len(found_provinces))
        for path, index in found_latin:
            font = ImageFont.truetype(str(path), 200, index=index)
            self._add({c: self._draw(font, c) for c in DIGITS + LETTERS}, total / len(found_latin))

    def _draw(self, font: ImageFont.FreeTypeFont, character: str) -> np.ndarray:
        """The character stretched to its cell, as the standard's glyphs fill theirs. 1 is as wide beside the other
        digits as the font has it: stretched by itself its stroke would not match."""
        ink = _ink(font, character)
        width, height = self.size
        if character != "1":
            return cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA)
        narrow_width = min(width, max(2, round(width * ink.shape[1] / _ink(font, "0").shape[1])))
        narrow = cv2.resize(ink, (narrow_width, height), interpolation=cv2.INTER_AREA)
        mask = np.zeros((height, width), dtype=np.uint8)
        start = (width - narrow_width) // 2
        mask[:, start : start + narrow_width] = narrow
        return mask

    def pick(self, rng: np.random.Generator, tidy: bool = False) -> tuple[dict, dict, int]:
        """A province alphabet, a Latin alphabet and a stroke weight for one plate; tidy takes the first of each."""
        if tidy:
            return self.province_sets[0], self.latin_sets[0], 1
        province = int(np.searchsorted(self.province_shares[:-1], rng.random(), side="right"))
        latin = int(np.searchsorted(self.latin_shares[:-1], rng.random(), side="right"))
        return self.province_sets[province], self.latin_sets[latin], int(rng.integers(3))


def _ink(font: ImageFont.FreeTypeFont, character: str) -> np.ndarray:
    """The character without any margin, 255 is ink."""
    left, top, right, bottom = font.getbbox(character)
    image = Image.new("L", (right - left, bottom - top), 0)
    ImageDraw.Draw(image).text((-left, -top), character, fill=255, font=font)
    return np.asarray(image)


def _vary(colour: tuple[int, int, int], rng: np.random.Generator, spread: float) -> tuple[float, ...]:
    return tuple(np.clip(np.array(colour) + rng.normal(0, spread, 3), 0, 255))


def _ground(kind: str, width: int, height: int, rng: np.random.Generator, spread: float, tidy: bool) -> np.ndarray:
    """The bare ground in BGR float32."""
    ground = np.empty((height, width, 3), dtype=np.float32)
    if kind == "green":
        top = np.array(_vary((225, 245, 225), rng, spread))
        # From the pale green of the standard to the deep one that cameras make of it.
        depth = 0.0 if tidy else rng.uniform(0, 1)
        bottom = np.array(_vary((110 - 60 * depth, 200 - 40 * depth, 75 - 55 * depth), rng, spread))
        ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** rng.uniform(0.6, 1.4)
        ground[:] = top * (1 - ramp) + bottom * ramp
    elif kind == "green_large":
        ground[:] = _vary((115, 200, 80), rng, spread)
        ground[:, : round(width * 0.29)] = _vary((30, 180, 240), rng, spread)
    else:
        middle = {"blue": (180, 70, 10), "yellow": (20, 180, 235), "white": (235, 235, 235), "black": (30, 28, 28)}
        ground[:] = _vary(middle[kind], rng, spread)
    return ground


def render_plate(
    plate: Plate, bank: GlyphBank, rng: np.random.Generator, tidy: bool = False
) -> np.ndarray:
    """A clean front view in BGR uint8, 440x140 or 480x140 mm at the bank's scale.

    tidy: first glyph sets, little variation of colour and position, no missing screws: for pictures to show.
    """
    scale = bank.scale
    eight = len(plate.text) == 8
    starts = EIGHT_STARTS if eight else SEVEN_STARTS
    widths = EIGHT_WIDTHS if eight else SEVEN_WIDTHS
    width = round((480 if eight else 440) * scale)
    height = round(140 * scale)
    spread = 4 if tidy else 22
    canvas = _ground(plate.kind, width, height, rng, spread, tidy)
    if plate.kind in ("blue", "black"):
        ink = np.array(_vary((245, 245, 245), rng, spread / 2), dtype=np.float32)
    else:
        ink = np.array(_vary((25, 25, 25), rng, spread / 2), dtype=np.float32)

    def at(value: float) -> int:
        return round(value * scale)

    if not plate.kind.startswith("green") or rng.random() < 0.5:
        inset = at(4 if tidy else rng.uniform(2, 7))
        corner = (width - 1 - inset, height - 1 - inset)
        cv2.rectangle(canvas, (inset, inset), corner, ink.tolist(), max(1, at(3)), cv2.LINE_AA)
    if tidy or rng.random() < 0.7:
        screw = rng.uniform(90, 220) if not tidy else 190.0
        for x in (0.25, 0.75):
            for y in (0.1, 0.9):
                if tidy or rng.random() < 0.6:
                    cv2.circle(canvas, (round(x * width), round(y * height)), at(6), (screw,) * 3, -1, cv2.LINE_AA)
    if eight:
        if tidy or rng.random() < 0.8:
            emblem = _vary((170, 120, 90), rng, 5 if tidy else 40)
            radius = at(13)
            cv2.circle(canvas, (at(137), at(70)), radius, emblem, max(1, at(4)), cv2.LINE_AA)
    elif tidy or rng.random() < 0.9:
        cv2.circle(canvas, (at(134.5), at(70)), at(5), ink.tolist(), -1, cv2.LINE_AA)

    provinces, latin, weight = bank.pick(rng, tidy)
    for index, character in enumerate(plate.text):
        mask = (provinces if index == 0 else latin)[character][weight]
        cell = round(widths[index] * scale)
        if mask.shape[1] != cell:
            mask = cv2.resize(mask, (cell, mask.shape[0]), interpolation=cv2.INTER_AREA)
        shift_x, shift_y = (0, 0) if tidy else rng.integers(-1, 2, size=2)
        x, y = at(starts[index]) + shift_x, at(25) + shift_y
        area = canvas[y : y + mask.shape[0], x : x + cell]
        alpha = mask[: area.shape[0], : area.shape[1], None].astype(np.float32) * np.float32(1 / 255)
        colour = ink
        if plate.kind == "white" and index == 1 and not tidy and rng.random() < 0.3:
            colour = np.array((40, 40, 200), dtype=np.float32)
        area += (colour - area) * alpha
    return canvas.astype(np.uint8)


def _quad_of_view(rng: np.random.Generator, width: int, height: int, strength: float, tilt: float) -> np.ndarray:
    """Corners of a plate seen from somewhere, in any unit: turned, sheared and with uneven corners."""
    # Most views are nearly straight, a few are far off: a product of two draws has such a tail.
    angle = np.deg2rad(rng.normal(0, 1) * rng.uniform(0, tilt)) * strength
    shear = rng.normal(0, 0.16) * strength
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    corners[:, 0] -= shear * (corners[:, 1] - height / 2)
    squeeze = 1 - abs(rng.normal(0, 0.12)) * strength
    corners[:, 0] *= squeeze
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], dtype=np.float32)
    corners = corners @ turn
    jitter = rng.normal(0, 1, (4, 2)) * (0.012 * width, 0.045 * height) * strength
    return corners + jitter.astype(np.float32)


def _background(rng: np.random.Generator, width: int, height: int, plate: np.ndarray) -> np.ndarray:
    """What shows around a plate: a few soft patches, dark or near the plate's own colour."""
    patches = rng.uniform(0, 255) * rng.uniform(0.5, 1.1, (2, 4, 1)) + rng.normal(0, 12, (2, 4, 3))
    if rng.random() < 0.3:
        edges = plate[:: plate.shape[0] - 1, :: plate.shape[1] // 3]
        patches = edges[:2, :4].astype(np.float64) * rng.uniform(0.3, 1.2)
    patches = np.clip(patches, 0, 255).astype(np.uint8)
    return cv2.resize(patches, (width, height), interpolation=cv2.INTER_LINEAR)


def view_plate(image: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """A crop around a clean plate seen at an angle; its size is that of a detector's box, from 40 to 190 wide."""
    height, width = image.shape[:2]
    quad = _quad_of_view(rng, width, height, strength, 12)
    low, high = quad.min(axis=0), quad.max(axis=0)
    span = high - low
    # Crops cut into the rim or leave some surroundings; negative margins stay short of the characters.
    margins = np.clip(rng.normal(0.01, 0.025, 4) * strength, -0.035, 0.1)
    low = low - span * margins[:2]
    high = high + span * margins[2:]
    out_width, out_height = _detector_size(rng, strength)
    quad = (quad - low) / (high - low) * (out_width, out_height) - 0.5
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32) - 0.5
    transform = cv2.getPerspectiveTransform(source, quad.astype(np.float32))
    # Without this, shrinking by more than two skips pixels; cameras do not.
    if width > 2.2 * out_width and rng.random() < 0.8:
        image = cv2.blur(image, (3, 3))
    canvas = _background(rng, out_width, out_height, image)
    return cv2.warpPerspective(
        image, transform, (out_width, out_height), dst=canvas, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )


def _detector_size(rng: np.random.Generator, strength: float) -> tuple[int, int]:
    if rng.random() < 0.45:
        return WIDTH, HEIGHT
    low = 100 - 55 * strength
    width = rng.uniform(low, 190)
    return round(width), max(12, round(width * rng.uniform(0.24, 0.36)))


def shake_crop(image: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """A real crop moved a little: turned, sheared, cut closer or with its edge repeated; size as a detector's box."""
    height, width = image.shape[:2]
    out_width, out_height = _detector_size(rng, strength)
    centre = np.array([width / 2, height / 2], dtype=np.float32)
    angle = np.deg2rad(rng.normal(0, 2.5)) * strength
    shear = rng.normal(0, 0.12) * strength
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32) - centre
    corners[:, 0] += shear * corners[:, 1]
    # Turned as the plate would turn: a crop may be squeezed to any aspect.
    sine, squeeze = np.sin(angle), PLATE_ASPECT * height / width
    turn = np.array([[1, sine * squeeze], [-sine / squeeze, 1]], dtype=np.float32)
    corners = corners @ turn
    corners *= 1 + rng.normal(0.005, 0.03, 2).astype(np.float32) * strength
    corners += (rng.normal(0, 1, (4, 2)) * (0.01 * width, 0.03 * height) * strength).astype(np.float32)
    corners += (rng.normal(0, 1, 2) * (0.012 * width, 0.04 * height) * strength).astype(np.float32)
    target = np.array([[0, 0], [out_width, 0], [out_width, out_height], [0, out_height]], dtype=np.float32) - 0.5
    transform = cv2.getPerspectiveTransform((corners + centre - 0.5).astype(np.float32), target)
    border = cv2.BORDER_REPLICATE if rng.random() < 0.7 else cv2.BORDER_REFLECT
    return cv2.warpPerspective(image, transform, (out_width, out_height), flags=cv2.INTER_LINEAR, borderMode=border)


def _light(image: np.ndarray, rng: np.random.Generator, strength: float, colour: float) -> np.ndarray:
    """Gain, offset, gamma, channel gains, a gradient or a patch of glare; float32 in and out."""
    height, width = image.shape[:2]
    kind = rng.random()
    if kind < 0.12 * strength:
        image *= rng.uniform(0.15, 0.5)
        image += rng.uniform(0, 25)
    else:
        gain = np.exp(rng.normal(0, 0.28) * strength)
        image = (image - 128) * np.float32(np.exp(rng.normal(0, 0.25) * strength)) + np.float32(128)
        image *= np.float32(gain)
        image += np.float32(rng.normal(0, 14) * strength)
    if rng.random() < 0.6:
        image *= np.exp(rng.normal(0, colour, 3) * strength).astype(np.float32)
    if rng.random() < 0.25 * strength:
        grey = image.mean(axis=2, keepdims=True)
        image += (grey - image) * np.float32(rng.uniform(0.3, 1.0))
    if rng.random() < 0.35 * strength:
        ramp = rng.uniform(0.45, 1.35, (2, 3)).astype(np.float32)
        image *= cv2.resize(ramp, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    if rng.random() < 0.10 * strength:
        spot = np.zeros((height, width), dtype=np.float32)
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (max(2, int(width * rng.uniform(0.04, 0.25))), max(2, int(height * rng.uniform(0.2, 0.8))))
        cv2.ellipse(spot, centre, axes, float(rng.uniform(0, 180)), 0, 360, float(rng.uniform(40, 150)), -1)
        image += cv2.blur(spot, (max(3, width // 8), max(3, height // 3)))[..., None]
    if rng.random() < 0.08 * strength:
        edge = int(rng.integers(height))
        shade = np.float32(rng.uniform(0.35, 0.8))
        if rng.random() < 0.5:
            image[:edge] *= shade
        else:
            image[edge:] *= shade
    return image


def _dirt(image: np.ndarray, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(1, 5))):
        colour = rng.uniform(20, 200, 3)
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        radius = max(1, int(height * rng.uniform(0.02, 0.10)))
        cv2.circle(image, centre, radius, colour.tolist(), -1)


def _blur(image: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    kind = rng.random()
    # Blur in units of the crop, so that a large crop loses as much as a small one.
    unit = image.shape[1] / WIDTH
    if kind < 0.30 * strength:
        return cv2.GaussianBlur(image, (0, 0), max(0.3, unit * rng.uniform(0.3, 1.25)))
    if kind < 0.50 * strength:
        length = max(2, round(unit * rng.uniform(1.5, 5.0)))
        kernel = np.zeros((length, length), dtype=np.float32)
        angle = rng.uniform(0, np.pi) if rng.random() < 0.5 else rng.normal(0, 0.15)
        half = (length - 1) / 2
        dx, dy = half * np.cos(angle), half * np.sin(angle)
        start = (round(half - dx), round(half - dy))
        cv2.line(kernel, start, (round(half + dx), round(half + dy)), 1.0)
        return cv2.filter2D(image, -1, kernel / max(kernel.sum(), 1e-6))
    if kind < 0.58 * strength:
        soft = cv2.GaussianBlur(image, (0, 0), unit)
        return image + (image - soft) * np.float32(rng.uniform(0.3, 1.2))
    return image


def spoil(image: np.ndarray, rng: np.random.Generator, strength: float, colour: float = 0.13) -> np.ndarray:
    """What camera, light and storage do to a crop; returns 24x94x3 uint8 BGR. strength 0 only resizes."""
    work = image.astype(np.float32, order="C")
    if rng.random() < 0.15 * strength:
        _dirt(work, rng)
    work = _light(work, rng, strength, colour)
    work = _blur(work, rng, strength)
    if rng.random() < 0.22 * strength:
        small = rng.uniform(0.38, 0.8)
        size = (max(20, round(WIDTH * small)), max(7, round(HEIGHT * small * rng.uniform(0.9, 1.2))))
        work = cv2.resize(work, size, interpolation=cv2.INTER_AREA if rng.random() < 0.6 else cv2.INTER_LINEAR)
    if rng.random() < 0.45 * strength:
        noise = rng.standard_normal(work.shape, dtype=np.float32)
        if rng.random() < 0.4:
            noise[..., 1] = noise[..., 2] = noise[..., 0]
        work = work + noise * np.float32(rng.gamma(1.5, 3.5))
    pixels = np.clip(work, 0, 255).astype(np.uint8)
    if rng.random() < 0.3 * strength:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 92))]
        pixels = cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], cv2.IMREAD_COLOR)
    if pixels.shape[:2] != (HEIGHT, WIDTH):
        shrink = pixels.shape[1] > 1.3 * WIDTH and rng.random() < 0.3
        pixels = cv2.resize(
            pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
        )
    return pixels


def photograph(plate: Plate, bank: GlyphBank, rng: np.random.Generator, strength: float) -> np.ndarray:
    """The plate rendered, seen by a camera and cut out: 24x94."""
    clean = render_plate(plate, bank, rng)
    return spoil(view_plate(clean, rng, strength), rng, strength)


def synthetic_sample(
    bank: GlyphBank, rng: np.random.Generator, strength: float = 1.0, kind_shares: Sequence[float] = KIND_SHARES
) -> tuple[np.ndarray, str, str]:
    """One augmented 24x94 plate: image, text, kind."""
    plate = random_plate(rng, kind_shares)
    return photograph(plate, bank, rng, strength), plate.text, plate.kind


def real_sample(image: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """A real crop of any size as an augmented 24x94 image."""
    if rng.random() < 0.1:
        return spoil(image, rng, 0.3 * strength)
    image = shake_crop(image, rng, strength)
    swap = rng.random()
    # A plate of another colour for nothing: the ground of a blue plate becomes red, brown or greenish.
    if swap < 0.06:
        image = image[..., rng.permutation(3)]
    elif swap < 0.09:
        image = 255 - image
    return spoil(image, rng, strength, 0.10)


SAMPLE_PLATES = (
    ("京A7K259", "blue", (188, 48)),
    ("粤BD12345", "green", (220, 64)),
    ("沪C62018", "yellow", (188, 60)),
    ("川G5W306", "blue", (440, 140)),
    ("苏E3H71P", "blue", (WIDTH, HEIGHT)),
    ("浙F48026", "yellow", (WIDTH, HEIGHT)),
    ("鲁Q09827F", "green_large", (480, 140)),
    ("陕V2M619", "white", (188, 60)),
    ("藏A31X47", "blue", (141, 45)),
    ("新J85T20", "black", (188, 60)),
    ("皖K6608N", "blue", (WIDTH, HEIGHT)),
    ("青HF06291", "green", (WIDTH, HEIGHT)),
)


def render_samples(bank: GlyphBank, seed: int) -> list[tuple[str, str, np.ndarray]]:
    """The plates that ship as an example: (file name, text, image); mild light, slight angle, each of its own size."""
    results = []
    for number, (text, kind, size) in enumerate(SAMPLE_PLATES):
        rng = np.random.default_rng([seed, number])
        clean = render_plate(Plate(text, kind), bank, rng, tidy=True)
        height, width = clean.shape[:2]
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
        moved = corners + rng.uniform(-1, 1, (4, 2)) * (0.012 * width, 0.035 * height)
        moved = (moved - moved.min(axis=0)) / np.ptp(moved, axis=0) * np.array(size)
        transform = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
        reduced = cv2.GaussianBlur(clean, (0, 0), max(0.4, 0.35 * width / size[0]))
        image = cv2.warpPerspective(
            reduced, transform, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(52, 50, 48)
        ).astype(np.float32)
        ramp = rng.uniform(0.82, 1.08, (2, 3)).astype(np.float32)
        image *= cv2.resize(ramp, size, interpolation=cv2.INTER_LINEAR)[..., None]
        image += rng.normal(0, 2.5, image.shape).astype(np.float32)
        suffix = "png" if size == (WIDTH, HEIGHT) else "jpg"
        results.append((f"{text}.{suffix}", text, np.clip(image, 0, 255).astype(np.uint8)))
    return results


def write_image(path: Path, image: np.ndarray) -> None:
    options = [cv2.IMWRITE_JPEG_QUALITY, 92] if path.suffix == ".jpg" else []
    done, content = cv2.imencode(path.suffix, image, options)
    if not done:
        raise OSError(f"{path}: cannot be encoded")
    path.write_bytes(content.tobytes())


def main() -> int:
    parser = argparse.ArgumentParser(description="Renders Chinese licence plates with labels.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the images and labels.tsv")
    parser.add_argument("--count", type=int, default=100, help="how many plates (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same plates (default: %(default)s)")
    parser.add_argument("--glyphs", type=Path, help="folder of glyph images; fonts alone are used without it")
    parser.add_argument("--clean", action="store_true", help="front views as rendered, nothing spoiled")
    parser.add_argument("--strength", type=float, default=1.0, help="how far plates are spoiled (default: %(default)s)")
    parser.add_argument("--samples", action="store_true", help="the sample plates that ship, from fonts only")
    arguments = parser.parse_args()
    if arguments.glyphs is not None and not arguments.glyphs.is_dir():
        print(f"{arguments.glyphs}: expected a folder of glyph images", file=sys.stderr)
        return 3
    try:
        # Samples twice as fine as for training: the largest is as wide as the plate has millimetres.
        bank = GlyphBank(scale=1.0) if arguments.samples else GlyphBank(arguments.glyphs)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 3
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = []
    if arguments.samples:
        for name, text, image in render_samples(bank, arguments.seed):
            write_image(arguments.out / name, image)
            kind = next(sample[1] for sample in SAMPLE_PLATES if sample[0] == text)
            rows.append((name, text, kind))
    else:
        for number in range(arguments.count):
            rng = np.random.default_rng([arguments.seed, number])
            if arguments.clean:
                plate = random_plate(rng)
                image, text, kind = render_plate(plate, bank, rng), plate.text, plate.kind
            else:
                image, text, kind = synthetic_sample(bank, rng, arguments.strength)
            name = f"{number:06d}.png"
            write_image(arguments.out / name, image)
            rows.append((name, text, kind))
    lines = ["\t".join(row) + "\n" for row in rows]
    (arguments.out / "labels.tsv").write_text("".join(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
