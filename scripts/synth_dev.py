#!/usr/bin/env python3
"""Renders the synthetic dev set: every province, the 8-character plates and every special kind that real sets hardly
hold.

It is kept as a seed, not as images: same seed, fonts and glyphs, same pixels. labels.tsv has the set in its third
column: the province of a plain 7-character plate, or the kind of the others, and the kind in its fourth. Training draws
from other seeds.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plates import PROVINCES
from synth_plates import SPECIAL_KINDS, GlyphBank, Plate, plate_sample, random_text, write_image

SEED = 36_2018
# Of augmentation, 1 being the most: a person reads all but a few of these. At 0.5 many a province is lost in its
# pixels.
STRENGTH = 0.35
# Grounds of the 7-character plates; most cars are blue.
SEVEN_SHARES = {"blue": 0.7, "yellow": 0.2, "white": 0.05, "black": 0.05}
EIGHT_SHARES = {"green": 0.75, "green_large": 0.25}


@dataclass(frozen=True)
class Size:
    """How many plates the set has."""

    per_province: int = 100
    greens: int = 496
    per_kind: int = 60  # of each of SPECIAL_KINDS


def dev_plates(size: Size) -> list[tuple[str, str]]:
    """Set and province of each plate, in order; those that are no plain ones go through the provinces in turn. A set is
    a province, "green" for both kinds of new energy, or a special kind."""
    sevens = [(province, province) for province in PROVINCES for _ in range(size.per_province)]
    others = ["green"] * size.greens + [kind for kind in SPECIAL_KINDS for _ in range(size.per_kind)]
    return sevens + [(group, PROVINCES[number % len(PROVINCES)]) for number, group in enumerate(others)]


def dev_plate(
    bank: GlyphBank, number: int, group: str, province: str, strength: float = STRENGTH, seed: int = SEED
) -> tuple[np.ndarray, Plate]:
    """One plate of the set; it depends on seed and number alone."""
    rng = np.random.default_rng([seed, number])
    kind = group
    if group not in SPECIAL_KINDS:
        shares = EIGHT_SHARES if group == "green" else SEVEN_SHARES
        kind = str(rng.choice(list(shares), p=list(shares.values())))
    plate = Plate(random_text(kind, rng, province), kind)
    return plate_sample(plate, bank, rng, strength), plate


def render_dev(bank: GlyphBank, size: Size = Size()) -> tuple[list[np.ndarray], list[str], list[str]]:
    """Images, texts and sets of the set as it is by default, or of a smaller one."""
    images, texts, groups = [], [], []
    for number, (group, province) in enumerate(dev_plates(size)):
        image, plate = dev_plate(bank, number, group, province)
        images.append(image)
        texts.append(plate.text)
        groups.append(group)
    return images, texts, groups


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the images and labels.tsv")
    parser.add_argument("--glyphs", type=Path, help="folder of glyph images; fonts alone are used without it")
    parser.add_argument("--per-province", type=int, default=100, help="7-character plates (default: %(default)s)")
    parser.add_argument("--greens", type=int, default=496, help="8-character plates (default: %(default)s)")
    parser.add_argument("--per-kind", type=int, default=60, help="of each special kind (default: %(default)s)")
    parser.add_argument("--strength", type=float, default=STRENGTH, help="of augmentation (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="default: %(default)s")
    arguments = parser.parse_args()
    if arguments.glyphs is not None and not arguments.glyphs.is_dir():
        print(f"{arguments.glyphs}: expected a folder of glyph images", file=sys.stderr)
        return 3
    try:
        bank = GlyphBank(arguments.glyphs)
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 3
    size = Size(arguments.per_province, arguments.greens, arguments.per_kind)
    arguments.out.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, (group, province) in enumerate(dev_plates(size)):
        image, plate = dev_plate(bank, number, group, province, arguments.strength, arguments.seed)
        name = f"{number:05d}.png"
        write_image(arguments.out / name, image)
        lines.append(f"{name}\t{plate.text}\t{group}\t{plate.kind}\n")
    (arguments.out / "labels.tsv").write_text("".join(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
