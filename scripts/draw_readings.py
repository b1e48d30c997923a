#!/usr/bin/env python3
"""Draws the pictures of the README: plates with the texts that the program reads, and a plate at an angle with corners.

    scripts/draw_readings.py --program build/release/lprnet

Everything in them is ours: the plates are those of tests/samples, the car is drawn here. They lie in scripts/pictures
and not among the samples, because a folder of samples is read as a whole by the demo and by tests.

Writes plates.png, car.jpg (a picture to try --quad on) and quad.png. Needs a font with Chinese characters, such as
Debian's fonts-noto-cjk.

Exit status: 0 done, 2 wrong usage, 3 the program, the font or a file is missing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rectify import rectified

REPOSITORY = Path(__file__).resolve().parents[1]
PICTURES = REPOSITORY / "scripts" / "pictures"
FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
PAPER, INK, GRAY = (255, 255, 255), (20, 20, 20), (110, 110, 110)
RED, YELLOW = (225, 40, 40), (255, 235, 0)

# Where the plate is on the car: clockwise from its top left, in pixels. README.md has the same numbers.
CORNERS = ((302.0, 262.0), (474.0, 290.0), (472.0, 348.0), (300.0, 314.0))


def read(program: Path, *arguments: str | Path) -> list[dict]:
    """The readings of `lprnet read -j`."""
    command = [str(program), "read", "-j", "-q", *map(str, arguments)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def plates_sheet(program: Path, font: Path) -> Image.Image:
    """All samples, each with what was read under it."""
    columns, width, height = 4, 220, 112
    readings = read(program, REPOSITORY / "tests" / "samples")
    rows = -(-len(readings) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), PAPER)
    draw = ImageDraw.Draw(sheet)
    large, small = ImageFont.truetype(str(font), 19), ImageFont.truetype(str(font), 13)
    for i, reading in enumerate(readings):
        left, top = i % columns * width, i // columns * height
        plate = Image.open(reading["file"]).convert("RGB")
        scale = min(196 / plate.width, 62 / plate.height)
        plate = plate.resize((round(plate.width * scale), round(plate.height * scale)), Image.Resampling.BICUBIC)
        sheet.paste(plate, (left + (width - plate.width) // 2, top + 8 + (62 - plate.height) // 2))
        draw.text((left + 12, top + 74), reading["plate"], INK, large)
        draw.text((left + width - 12, top + 80), f"{reading['confidence']:.4f}", GRAY, small, anchor="ra")
    return sheet


def car() -> np.ndarray:
    """The rear of a car seen from the side, with a plate of tests/samples on it. BGR."""
    canvas = Image.new("RGB", (960, 540), (176, 196, 212))
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 300, 960, 540), (92, 94, 98))
    draw.polygon(((0, 430), (960, 330), (960, 345), (0, 455)), (222, 222, 214))
    body = ((120, 110), (560, 132), (820, 160), (880, 250), (884, 392), (600, 458), (150, 384), (100, 236))
    draw.polygon(body, (128, 34, 40))
    draw.polygon(((150, 128), (536, 148), (572, 236), (134, 206)), (38, 46, 54))
    draw.polygon(((582, 152), (800, 172), (852, 242), (612, 240)), (46, 56, 66))
    draw.polygon(((112, 226), (196, 236), (192, 290), (116, 276)), (210, 60, 52))
    draw.polygon(((548, 280), (618, 286), (622, 346), (546, 338)), (210, 60, 52))
    draw.polygon(((150, 352), (600, 424), (600, 458), (150, 384)), (52, 52, 56))
    draw.polygon(((286, 250), (490, 280), (488, 362), (284, 328)), (98, 24, 30))
    for x, y in ((168, 372), (716, 398)):
        draw.ellipse((x - 46, y - 46, x + 46, y + 60), (26, 26, 28))
        draw.ellipse((x - 20, y - 18, x + 20, y + 30), (140, 142, 146))
    picture = cv2.cvtColor(np.asarray(canvas), cv2.COLOR_RGB2BGR)

    encoded = np.fromfile(REPOSITORY / "tests" / "samples" / "川G5W306.jpg", np.uint8)
    plate = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    height, width = plate.shape[:2]
    matrix = cv2.getPerspectiveTransform(
        np.float32([[0, 0], [width, 0], [width, height], [0, height]]) - np.float32(0.5),
        np.float32(CORNERS) - np.float32(0.5),
    )
    size = (picture.shape[1], picture.shape[0])
    seen = cv2.warpPerspective(cv2.GaussianBlur(plate, (0, 0), 1.2), matrix, size)
    mask = cv2.warpPerspective(np.full((height, width), 255, np.uint8), matrix, size) > 127
    picture[mask] = seen[mask]
    picture = cv2.GaussianBlur(picture, (0, 0), 0.8)
    noise = np.random.default_rng(1).normal(0, 3, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def quad_sheet(program: Path, font: Path, path: Path) -> Image.Image:
    """The car and what is read from all of it; beside it the corners, the text, and the plate that they cut out."""
    corners = ",".join(f"{number:g}" for point in CORNERS for number in point)
    whole = read(program, path)[0]
    plate = read(program, path, "--quad", corners)[0]
    text, small = ImageFont.truetype(str(font), 26), ImageFont.truetype(str(font), 15)
    photo = Image.open(path).convert("RGB").resize((480, 270), Image.Resampling.LANCZOS)
    sheet = Image.new("RGB", (2 * 480 + 20, 270 + 92), PAPER)
    draw = ImageDraw.Draw(sheet)
    sheet.paste(photo, (0, 0))
    sheet.paste(photo, (500, 0))
    points = [(500 + x / 2, y / 2) for x, y in CORNERS]
    draw.line([*points, points[0]], YELLOW, 3)
    for i, (x, y) in enumerate(points):
        place = (x + (9 if i in (1, 2) else -9), y + (9 if i > 1 else -9))
        draw.text(place, str(i + 1), YELLOW, small, anchor="mm", stroke_width=2, stroke_fill=INK)
    draw.text((0, 276), "lprnet read car.jpg", GRAY, small)
    draw.text((0, 304), whole["plate"] or "(nothing)", RED, text)
    scores = f"{whole['confidence']:.4f}, reject_score {whole['reject_score']:.4f}"
    draw.text((480, 310), scores, GRAY, small, anchor="ra")
    draw.text((500, 276), f"lprnet read car.jpg --quad {corners}", GRAY, small)
    draw.text((500, 304), plate["plate"], INK, text)
    draw.text((640, 310), f"{plate['confidence']:.4f}", GRAY, small)
    cut = rectified(cv2.imread(str(path)), CORNERS, 1, 94, 24)
    cut = Image.fromarray(cv2.cvtColor(cut, cv2.COLOR_BGR2RGB)).resize((188, 48), Image.Resampling.BICUBIC)
    sheet.paste(cut, (980 - 188, 304))
    return sheet


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=REPOSITORY / "build" / "release" / "lprnet")
    parser.add_argument("--font", type=Path, default=FONT, help="a font with Chinese characters")
    parser.add_argument("-o", "--output", type=Path, default=PICTURES, metavar="FOLDER")
    options = parser.parse_args(arguments)
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        plates_sheet(options.program, options.font).quantize(128).save(options.output / "plates.png", optimize=True)
        picture = options.output / "car.jpg"
        Image.fromarray(cv2.cvtColor(car(), cv2.COLOR_BGR2RGB)).save(picture, quality=88)
        sheet = quad_sheet(options.program, options.font, picture)
        sheet.quantize(128).save(options.output / "quad.png", optimize=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"draw_readings.py: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
