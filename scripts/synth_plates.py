#!/usr/bin/env python3
"""Renders Chinese license plates: what may be written on them, glyphs, grounds and places, clean or as cameras see
them.

Geometry and formats follow GA 36-2018; plates of two rows are photographed as one row, as the engine joins them.
camera.py has what happens to a clean plate then. Every image depends on its seed alone.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from camera import photograph
from photographed import photographed_masks
from plates import ARMIES, CHARSET_CN89, DIGITS, HEIGHT, LETTERS, PROVINCES, SERVICES, SPECIALS, WIDTH

# Pixels per millimetre of a clean plate: half size is still twice as large as the network's input.
SCALE = 0.5
CELL_WIDTH, CELL_HEIGHT = 45, 90
# Share of the plates whose province is a photographed character, where there are such.
PHOTOGRAPHED_SHARE = 0.35

# Serial patterns of 4892 real labels (A a letter, 9 a digit).
SERIAL_PATTERNS = {
    "AA999": 1033, "A9999": 571, "A999A": 548, "99999": 463, "A9A99": 408, "999A9": 400, "9A999": 380, "99A99": 360,
    "9AA99": 237, "999AA": 163, "9999A": 111, "A99A9": 91, "9A9A9": 75, "99AA9": 35, "9A99A": 13,
}  # fmt: skip
# Of four, in front of a last 警, 学 or 挂; a guess.
SHORT_PATTERNS = {"9999": 60, "A999": 20, "999A": 8, "AA99": 6, "9A99": 3, "99A9": 3}
# Between 粤Z and 港 or 澳: a guess from a handful of pictures.
BORDER_PATTERNS = {"A999": 55, "9999": 25, "AA99": 10, "999A": 5, "9A99": 5}

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
# All that is no province and written with a Chinese character.
HAN = PROVINCES + SPECIALS + SERVICES + ARMIES


@dataclass(frozen=True)
class Cell:
    """Where a character stands, in mm: left, top, width, height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """Size of a plate in mm, its rows, the cells of its characters, and the dot or emblem between them."""

    width: float
    cells: tuple[Cell, ...]
    dot: tuple[float, float] | None = None
    height: float = 140
    rows: int = 1
    emblem: bool = False


def _row(starts: Sequence[float], widths: Sequence[float]) -> tuple[Cell, ...]:
    return tuple(Cell(x, 25, width, CELL_HEIGHT) for x, width in zip(starts, widths, strict=True))


def _gap_after(count: int) -> tuple[float, ...]:
    """Left edges of seven characters, 12 apart but for 34 after the first `count`."""
    return tuple(15.5 + 57 * i + (22 if i >= count else 0) for i in range(7))


def _seven(count: int) -> Layout:
    return Layout(440, _row(_gap_after(count), (CELL_WIDTH,) * 7), (15.5 + 57 * count + 5, 70))


_BOTTOM = tuple(Cell(27.5 + 80 * i, 90, 65, 110) for i in range(5))
_ARMED_REST = tuple(Cell(165.5 + 54 * i, 25, 45, 90) for i in range(5))
LAYOUTS = {
    "seven": _seven(2),
    "police": _seven(1),
    "embassy": _seven(4),
    "eight": Layout(
        480, _row((15.5, 69.5, 161.5, 213.5, 265.5, 317.5, 369.5, 421.5), (45,) + (43,) * 7), (137, 70), emblem=True
    ),
    "two_rows": Layout(440, (Cell(110, 15, 80, 60), Cell(250, 15, 80, 60)) + _BOTTOM, (220, 45), 220, 2),
    "tractor": Layout(
        440, (Cell(80, 15, 80, 60), Cell(225, 15, 55, 60), Cell(295, 15, 55, 60)) + _BOTTOM, None, 220, 2
    ),
    "armed": Layout(440, _row((15.5, 66), (45, 45)) + (Cell(117, 62, 36, 53),) + _ARMED_REST),
    "armed_older": Layout(
        440, _row((15.5, 66), (45, 45)) + (Cell(115, 62, 20, 53), Cell(138, 62, 20, 53)) + _ARMED_REST
    ),
}


class Words:
    """Draws what plates say: letters, digits and serials by their patterns."""

    def __init__(self, rng: np.random.Generator, province: str | None = None) -> None:
        self.rng = rng
        self.province = province or PROVINCES[rng.integers(len(PROVINCES))]

    def one_of(self, characters: str) -> str:
        return characters[self.rng.integers(len(characters))]

    def letter(self) -> str:
        return self.one_of(LETTERS)

    def digits(self, count: int) -> str:
        return "".join(DIGITS[i] for i in self.rng.integers(10, size=count))

    def serial(self, patterns: Mapping[str, int] = SERIAL_PATTERNS) -> str:
        steps = np.cumsum(np.fromiter(patterns.values(), dtype=np.float64))
        pattern = tuple(patterns)[int(np.searchsorted(steps, self.rng.random() * steps[-1], side="right"))]
        return "".join(self.letter() if mark == "A" else self.digits(1) for mark in pattern)

    def office(self) -> str:
        return self.province + self.letter()

    def standard(self) -> str:
        """Now and then with the O of old official plates."""
        return (self.province + "O" if self.rng.random() < 0.012 else self.office()) + self.serial()

    def energy_small(self) -> str:
        first = self.one_of("DF") if self.rng.random() < 0.7 else self.one_of("ABCEGHJK")
        return self.office() + first + (self.letter() if self.rng.random() < 0.25 else self.digits(1)) + self.digits(4)


@dataclass(frozen=True)
class Kind:
    """A kind of plate: ground and ink (names of COLOURS), what it says, where, and which characters are red."""

    ground: str
    ink: str
    text: Callable[[Words], str]
    layout: str = "seven"
    red: tuple[int, ...] = ()
    rim: float = 1.0  # share of the plates that have one


# BGR of grounds and inks.
COLOURS = {
    "blue": (180, 70, 10), "yellow": (20, 180, 235), "white": (235, 235, 235), "black": (30, 28, 28),
    "deep_green": (70, 105, 20), "paper": (235, 230, 222), "light": (245, 245, 245), "dark": (25, 25, 25),
    "red": (45, 40, 205),
}  # fmt: skip


def _short(last: str) -> Callable[[Words], str]:
    return lambda words: words.office() + words.serial(SHORT_PATTERNS) + last


def _border(last: str) -> Callable[[Words], str]:
    return lambda words: "粤Z" + words.serial(BORDER_PATTERNS) + last


def _military(words: Words) -> str:
    return words.letter() + words.letter() + words.digits(5)


def _older_military(words: Words) -> str:
    return (
        words.one_of(ARMIES[:3] if words.rng.random() < 0.6 else ARMIES) + words.one_of(LETTERS + "O") + words.digits(5)
    )


def _armed(words: Words) -> str:
    last = words.letter() if words.rng.random() < 0.3 else words.digits(1)
    return "WJ" + words.province + words.digits(4) + last


KINDS: dict[str, Kind] = {
    "blue": Kind("blue", "light", Words.standard),
    "green": Kind("green", "dark", Words.energy_small, "eight", rim=0.5),
    "green_large": Kind("green_large", "dark", lambda w: w.office() + w.digits(5) + w.one_of("DF"), "eight", rim=0.5),
    "yellow": Kind("yellow", "dark", Words.standard),
    "white": Kind("white", "dark", Words.standard),
    "black": Kind("black", "light", Words.standard),
    "temporary": Kind("paper", "dark", Words.standard, rim=0.3),
    "two_rows": Kind("yellow", "dark", Words.standard, "two_rows"),
    "trailer": Kind("yellow", "dark", _short("挂"), "two_rows"),
    "trainer": Kind("yellow", "dark", _short("学")),
    "police": Kind("white", "dark", _short("警"), "police", red=(6,)),
    "hong_kong": Kind("black", "light", _border("港")),
    "macau": Kind("black", "light", _border("澳")),
    "embassy": Kind("black", "light", lambda w: "使" + w.digits(6), "embassy", red=(0,)),
    "consulate": Kind("black", "light", lambda w: w.office() + w.digits(4) + "领", red=(6,)),
    "military": Kind("white", "dark", _military, red=(0, 1)),
    "military_two_rows": Kind("white", "dark", _military, "two_rows", red=(0, 1)),
    "military_older": Kind("white", "dark", _older_military, red=(0, 1)),
    "armed_police": Kind("white", "dark", _armed, "armed", red=(0, 1, 2)),
    "armed_police_older": Kind("white", "dark", lambda w: "WJ" + w.digits(7), "armed_older", red=(0, 1, 2, 3)),
    "aviation": Kind("deep_green", "light", lambda w: "民航" + w.letter() + w.digits(4)),
    "emergency": Kind(
        "white", "dark", lambda w: w.province + "X" + w.one_of(LETTERS + DIGITS) + w.digits(3) + "应急", "eight",
        red=(6, 7),
    ),
    "tractor": Kind("deep_green", "light", lambda w: w.province + w.digits(7), "tractor"),
}  # fmt: skip
# Kinds with characters, formats or rows of their own.
SPECIAL_KINDS = tuple(KINDS)[tuple(KINDS).index("two_rows") :]
KIND_SHARES = {
    "blue": 0.44, "green": 0.14, "green_large": 0.05, "yellow": 0.12, "white": 0.01, "black": 0.02, "temporary": 0.01,
    "two_rows": 0.04, "trailer": 0.02, "trainer": 0.025, "police": 0.03, "hong_kong": 0.015, "macau": 0.01,
    "embassy": 0.01, "consulate": 0.01, "military": 0.015, "military_two_rows": 0.005, "military_older": 0.01,
    "armed_police": 0.006, "armed_police_older": 0.002, "aviation": 0.005, "emergency": 0.005, "tractor": 0.002,
}  # fmt: skip


@dataclass(frozen=True)
class Plate:
    """What is written on which kind of plate."""

    text: str
    kind: str

    @property
    def layout(self) -> Layout:
        return LAYOUTS[KINDS[self.kind].layout]


def random_plate(rng: np.random.Generator, kind_shares: Mapping[str, float] = KIND_SHARES) -> Plate:
    """Kind by its share, province and letter uniform, serial by the patterns seen on real plates."""
    steps = np.cumsum(np.fromiter(kind_shares.values(), dtype=np.float64))
    kind = tuple(kind_shares)[min(int(np.searchsorted(steps, rng.random(), side="right")), len(kind_shares) - 1)]
    return Plate(random_text(kind, rng), kind)


def random_text(kind: str, rng: np.random.Generator, province: str | None = None) -> str:
    """What a plate of this kind may say, from one province or any."""
    return KINDS[kind].text(Words(rng, province))


@functools.cache
def characters_of(kind: str) -> frozenset[str]:
    """What plates of this kind are written with, by the look of many."""
    rng = np.random.default_rng(0)
    return frozenset("".join(random_text(kind, rng) for _ in range(300)))


class GlyphBank:
    """Ink masks (uint8, 255 is ink, at SCALE) of every character from every source found.

    Sources are alphabets: a name -> {character: mask}. Each mask comes in three stroke weights. Those of one row are
    45 x 90 mm; `upper` and `lower` are the ones drawn for two rows, 80 x 60 and 65 x 110 mm, where there are such.
    `photographs` are masks of province characters cut from pictures of cars.
    """

    def __init__(self, glyphs: Path | None = None, scale: float = SCALE) -> None:
        self.scale = scale
        self.size = (round(CELL_WIDTH * scale), round(CELL_HEIGHT * scale))
        self.province_sets: list[dict[str, list[np.ndarray]]] = []
        self.latin_sets: list[dict[str, list[np.ndarray]]] = []
        self.others: dict[str, list[list[np.ndarray]]] = {}
        self.upper: dict[str, list[np.ndarray]] = {}
        self.lower: dict[str, list[np.ndarray]] = {}
        self.photographs: dict[str, list[np.ndarray]] = {}
        self.weights: tuple[list[float], list[float]] = ([], [])
        if glyphs is not None:
            self._add_images(glyphs)
            self.photographs = photographed_masks(glyphs, self.size, self.province_sets)
        self._add_fonts(0.7 if self.latin_sets else 1.0)
        if not self.province_sets or not self.latin_sets:
            raise FileNotFoundError(f"no usable fonts below {FONT_ROOT} and no glyph images")
        self.province_shares = np.cumsum(self.weights[0]) / sum(self.weights[0])
        self.latin_shares = np.cumsum(self.weights[1]) / sum(self.weights[1])

    def _add(self, masks: dict[str, np.ndarray], weight: float) -> None:
        provinces = {c: self._weights(m) for c, m in masks.items() if c in PROVINCES}
        latin = {c: self._weights(m) for c, m in masks.items() if c in DIGITS or c in LETTERS + "O"}
        for character in masks:
            if character in HAN and character not in PROVINCES:
                self.others.setdefault(character, []).append(self._weights(masks[character]))
        if len(provinces) == len(PROVINCES):
            self.province_sets.append(provinces)
            self.weights[0].append(weight)
        if set(latin) >= set(DIGITS + LETTERS):
            # The standard has no O; old plates show one that is nearly the zero.
            latin.setdefault("O", latin["0"])
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

    def _load_ink(self, path: Path, width: float = CELL_WIDTH, height: float = CELL_HEIGHT) -> np.ndarray:
        image = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
        size = (round(width * self.scale), round(height * self.scale))
        return cv2.resize(255 - image, size, interpolation=cv2.INTER_AREA)

    def _add_images(self, glyphs: Path) -> None:
        """Two public layouts, wherever below `glyphs`: PREFIX_CHARACTER.jpg, and ne000.png ... in a fixed order."""
        prefixed: dict[str, dict[str, np.ndarray]] = {}
        numbered: dict[str, np.ndarray] = {}
        for path in sorted(glyphs.rglob("*")):
            prefix, _, character = path.stem.rpartition("_")
            if path.stem.startswith("ne") and path.stem[2:].isdigit():
                row, index = int(path.stem[2]), int(path.stem[3:])
                characters = NUMBERED_PROVINCES if row == 0 else LETTERS + DIGITS
                if index < len(characters):
                    numbered[characters[index]] = self._load_ink(path)
            elif character not in CHARSET_CN89 or character == "-":
                continue
            elif prefix in ("140", "green"):
                prefixed.setdefault(prefix, {})[character] = self._load_ink(path)
            elif prefix == "220_up" or (prefix == "220" and character in PROVINCES):
                self.upper[character] = self._weights(self._load_ink(path, 80, 60))
            elif prefix in ("220_down", "220"):
                self.lower[character] = self._weights(self._load_ink(path, 65, 110))
        self._add(prefixed.get("140", {}), 1.0)
        self._add(prefixed.get("green", {}), 0.5)
        self._add(numbered, 0.5)

    def _add_fonts(self, total: float) -> None:
        found_provinces = [(FONT_ROOT / p, i) for p, i in PROVINCE_FONTS if (FONT_ROOT / p).is_file()]
        found_latin = [(FONT_ROOT / p, i) for p, i in LATIN_FONTS if (FONT_ROOT / p).is_file()]
        for path, index in found_provinces:
            font = ImageFont.truetype(str(path), 200, index=index)
            self._add({c: self._draw(font, c) for c in HAN}, total / len(found_provinces))
        for path, index in found_latin:
            font = ImageFont.truetype(str(path), 200, index=index)
            self._add({c: self._draw(font, c) for c in DIGITS + LETTERS + "O"}, total / len(found_latin))

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

    def hand(self, rng: np.random.Generator, tidy: bool = False) -> Hand:
        """A province alphabet, a Latin alphabet and a stroke weight for one plate; tidy takes the first of each."""
        if tidy:
            return Hand(self, self.province_sets[0], self.latin_sets[0], 1, False, None)
        province = int(np.searchsorted(self.province_shares[:-1], rng.random(), side="right"))
        latin = int(np.searchsorted(self.latin_shares[:-1], rng.random(), side="right"))
        two_rows = rng.random() < 0.7
        return Hand(self, self.province_sets[province], self.latin_sets[latin], int(rng.integers(3)), two_rows, rng)


@dataclass(frozen=True)
class Hand:
    """What one plate is written with. rng is None for the first of everything."""

    bank: GlyphBank
    provinces: dict[str, list[np.ndarray]]
    latin: dict[str, list[np.ndarray]]
    weight: int
    two_rows: bool  # with the characters drawn for two rows
    rng: np.random.Generator | None

    def mask(self, character: str, cell: Cell) -> np.ndarray:
        """The character's ink in the size of its cell."""
        size = (round(cell.width * self.bank.scale), round(cell.height * self.bank.scale))
        mask = self._drawn(character, cell)
        if (mask.shape[1], mask.shape[0]) == size:
            return mask
        return cv2.resize(mask, size, interpolation=cv2.INTER_AREA if size[0] < mask.shape[1] else cv2.INTER_LINEAR)

    def _drawn(self, character: str, cell: Cell) -> np.ndarray:
        if self.two_rows and cell.height != CELL_HEIGHT:
            special = (self.bank.upper if cell.height == 60 else self.bank.lower).get(character)
            if special:
                return special[self.weight]
        if character in self.latin:
            return self.latin[character][self.weight]
        photographs = self.bank.photographs.get(character)
        if photographs and self.rng and cell.height == CELL_HEIGHT and self.rng.random() < PHOTOGRAPHED_SHARE:
            return photographs[self.rng.integers(len(photographs))]
        if character in self.provinces:
            return self.provinces[character][self.weight]
        others = self.bank.others[character]
        return others[self.rng.integers(len(others)) if self.rng else 0][self.weight]


def _ink(font: ImageFont.FreeTypeFont, character: str) -> np.ndarray:
    """The character without any margin, 255 is ink."""
    left, top, right, bottom = font.getbbox(character)
    image = Image.new("L", (right - left, bottom - top), 0)
    ImageDraw.Draw(image).text((-left, -top), character, fill=255, font=font)
    return np.asarray(image)


def _vary(color: tuple[int, int, int], rng: np.random.Generator, spread: float) -> tuple[float, ...]:
    return tuple(np.clip(np.array(color) + rng.normal(0, spread, 3), 0, 255))


def _ground(name: str, width: int, height: int, rng: np.random.Generator, spread: float, tidy: bool) -> np.ndarray:
    """The bare ground in BGR float32."""
    ground = np.empty((height, width, 3), dtype=np.float32)
    if name == "green":
        top = np.array(_vary((225, 245, 225), rng, spread))
        # From the pale green of the standard to the deep one that cameras make of it.
        depth = 0.0 if tidy else rng.uniform(0, 1)
        bottom = np.array(_vary((110 - 60 * depth, 200 - 40 * depth, 75 - 55 * depth), rng, spread))
        ramp = np.linspace(0, 1, height, dtype=np.float32)[:, None, None] ** rng.uniform(0.6, 1.4)
        ground[:] = top * (1 - ramp) + bottom * ramp
    elif name == "green_large":
        ground[:] = _vary((115, 200, 80), rng, spread)
        ground[:, : round(width * 0.29)] = _vary((30, 180, 240), rng, spread)
    else:
        ground[:] = _vary(COLOURS[name], rng, spread)
    if name == "paper":
        # The fine grid of temporary plates, and a pale picture in the lower half.
        ground[:: int(rng.integers(3, 6))] -= rng.uniform(5, 40, 3).astype(np.float32)
        ground[:, :: int(rng.integers(3, 6))] -= rng.uniform(5, 40, 3).astype(np.float32)
        middle = (int(width * rng.uniform(0.2, 0.8)), int(height * rng.uniform(0.5, 1)))
        tint = np.clip(np.array((230, 200, 150)) + rng.normal(0, 25, 3), 0, 255)
        for _ in range(3):
            axes = (int(width * rng.uniform(0.05, 0.4)), int(height * rng.uniform(0.1, 0.5)))
            cv2.ellipse(ground, middle, axes, 0, 180, 360, tint.tolist(), 2, cv2.LINE_AA)
    return ground


def render_plate(plate: Plate, bank: GlyphBank, rng: np.random.Generator, tidy: bool = False) -> np.ndarray:
    """A clean front view in BGR uint8, of its layout's size at the bank's scale.

    tidy: first glyph sets, little variation of color and position, no missing screws: for pictures to show.
    """
    scale = bank.scale
    kind, layout = KINDS[plate.kind], plate.layout
    width, height = round(layout.width * scale), round(layout.height * scale)
    spread = 4 if tidy else 22
    canvas = _ground(kind.ground, width, height, rng, spread, tidy)
    ink = np.array(_vary(COLOURS[kind.ink], rng, spread / 2), dtype=np.float32)

    def at(value: float) -> int:
        return round(value * scale)

    if rng.random() < kind.rim:
        inset = at(4 if tidy else rng.uniform(2, 7))
        corner = (width - 1 - inset, height - 1 - inset)
        cv2.rectangle(canvas, (inset, inset), corner, ink.tolist(), max(1, at(3)), cv2.LINE_AA)
    if tidy or rng.random() < 0.7:
        screw = rng.uniform(90, 220) if not tidy else 190.0
        for x in (0.25, 0.75):
            for y in (0.1, 0.9):
                if tidy or rng.random() < 0.6:
                    cv2.circle(canvas, (round(x * width), round(y * height)), at(6), (screw,) * 3, -1, cv2.LINE_AA)
    if layout.dot and layout.emblem and kind.ground.startswith("green"):
        if tidy or rng.random() < 0.8:
            emblem = _vary((170, 120, 90), rng, 5 if tidy else 40)
            cv2.circle(canvas, (at(layout.dot[0]), at(layout.dot[1])), at(13), emblem, max(1, at(4)), cv2.LINE_AA)
    elif layout.dot and (tidy or rng.random() < 0.9):
        cv2.circle(canvas, (at(layout.dot[0]), at(layout.dot[1])), at(5), ink.tolist(), -1, cv2.LINE_AA)

    hand = bank.hand(rng, tidy)
    red = np.array(_vary(COLOURS["red"], rng, spread / 2), dtype=np.float32)
    # Faded, or seen by a camera without color, red is as good as black or white.
    reds = kind.red if tidy or rng.random() < 0.85 else ()
    if plate.kind == "white" and not tidy and rng.random() < 0.3:
        reds = (1,)
    for index, (character, cell) in enumerate(zip(plate.text, layout.cells, strict=True)):
        mask = hand.mask(character, cell)
        shift_x, shift_y = (0, 0) if tidy else rng.integers(-1, 2, size=2)
        x, y = at(cell.x) + shift_x, at(cell.y) + shift_y
        area = canvas[y : y + mask.shape[0], x : x + mask.shape[1]]
        alpha = mask[: area.shape[0], : area.shape[1], None].astype(np.float32) * np.float32(1 / 255)
        area += ((red if index in reds else ink) - area) * alpha
    return np.clip(canvas, 0, 255).astype(np.uint8)


def synthetic_sample(
    bank: GlyphBank, rng: np.random.Generator, strength: float = 1.0, kind_shares: Mapping[str, float] = KIND_SHARES
) -> tuple[np.ndarray, str, str]:
    """One augmented 24x94 plate: image, text, kind."""
    plate = random_plate(rng, kind_shares)
    return plate_sample(plate, bank, rng, strength), plate.text, plate.kind


def plate_sample(plate: Plate, bank: GlyphBank, rng: np.random.Generator, strength: float) -> np.ndarray:
    """The plate rendered, seen by a camera and cut out: 24x94."""
    return photograph(render_plate(plate, bank, rng), rng, strength, plate.layout.rows)


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
# Of kinds with characters or rows of their own.
SPECIAL_SAMPLE_PLATES = (
    ("京A0K31警", "police", (188, 60)),
    ("冀B4827挂", "trailer", (220, 110)),
    ("粤ZR36D港", "hong_kong", (188, 60)),
    ("苏E4821学", "trainer", (188, 60)),
    ("鲁Q52917D", "green_large", (220, 64)),
    ("VA30216", "military", (188, 60)),
    ("使184036", "embassy", (188, 60)),
)


def render_samples(
    bank: GlyphBank, seed: int, plates: Sequence[tuple[str, str, tuple[int, int]]] = SAMPLE_PLATES
) -> list[tuple[str, str, np.ndarray]]:
    """The plates that ship as an example: (file name, text, image); mild light, slight angle, each of its own size."""
    results = []
    for number, (text, kind, size) in enumerate(plates):
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
    parser = argparse.ArgumentParser(description="Renders Chinese license plates with labels.")
    parser.add_argument("--out", type=Path, required=True, help="folder for the images and labels.tsv")
    parser.add_argument("--count", type=int, default=100, help="how many plates (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same plates (default: %(default)s)")
    parser.add_argument("--glyphs", type=Path, help="folder of glyph images; fonts alone are used without it")
    parser.add_argument("--clean", action="store_true", help="front views as rendered, nothing spoiled")
    parser.add_argument("--strength", type=float, default=1.0, help="how far plates are spoiled (default: %(default)s)")
    parser.add_argument("--samples", action="store_true", help="the sample plates that ship, from fonts only")
    parser.add_argument("--special-samples", action="store_true", help="those of special kinds, likewise")
    arguments = parser.parse_args()
    if arguments.glyphs is not None and not arguments.glyphs.is_dir():
        print(f"{arguments.glyphs}: expected a folder of glyph images", file=sys.stderr)
        return 3
    try:
        # Samples twice as fine as for training: the largest is as wide as the plate has millimetres.
        shown = SPECIAL_SAMPLE_PLATES if arguments.special_samples else SAMPLE_PLATES if arguments.samples else ()
        bank = GlyphBank(scale=1.0) if shown else GlyphBank(arguments.glyphs)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 3
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = []
    if shown:
        for (_, kind, _), (name, text, image) in zip(shown, render_samples(bank, arguments.seed, shown), strict=True):
            write_image(arguments.out / name, image)
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
