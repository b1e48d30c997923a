#!/usr/bin/env python3
"""Writes hundreds of small JPEG, PNG and BMP files of every form that is met or that a reader has to withstand.

Pillow, OpenCV, ImageMagick and the tools of libjpeg-turbo write what they can, scripts/picture_writers.py the rest.
manifest.json lists the files: name, kind, whether lprnet reads it ("readable"), words of its error if not ("says"),
why OpenCV's verdict is another, where it is ("differs"), and then the file whose pixels are right ("same_as").

Usage: make_picture_corpus.py FOLDER [--seed N]
Needs numpy, pillow, opencv-python-headless, and the programs cjpeg, jpegtran (Debian package libjpeg-turbo-progs) and
convert (imagemagick).
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import picture_writers as pw

PROGRAMS = {"cjpeg": "libjpeg-turbo-progs", "jpegtran": "libjpeg-turbo-progs", "convert": "imagemagick"}


@dataclasses.dataclass
class Picture:
    name: str
    data: bytes
    kind: str
    readable: bool = True
    says: str = ""
    differs: str = ""
    same_as: str = ""


SIZES = [(1, 1), (2, 2), (3, 3), (4, 5), (1, 17), (17, 1), (7, 9), (15, 17), (16, 16), (33, 65), (94, 24), (95, 25)]
LARGE = (217, 131)
# Luma, then both chroma components.
COMMON = {
    "444": [(1, 1), (1, 1), (1, 1)],
    "422": [(2, 1), (1, 1), (1, 1)],
    "440": [(1, 2), (1, 1), (1, 1)],
    "420": [(2, 2), (1, 1), (1, 1)],
    "411": [(4, 1), (1, 1), (1, 1)],
    "410": [(4, 2), (1, 1), (1, 1)],
}
# Three components of three sizes, chroma larger than luma, factors with a divisor in common, three and four.
ODD = [
    [(1, 2), (2, 1), (1, 1)],
    [(2, 2), (2, 1), (1, 2)],
    [(2, 2), (1, 2), (2, 1)],
    [(2, 2), (2, 1), (2, 1)],
    [(2, 2), (1, 2), (1, 2)],
    [(1, 1), (2, 2), (2, 2)],
    [(1, 1), (2, 1), (1, 2)],
    [(1, 1), (1, 1), (2, 2)],
    [(2, 1), (2, 1), (2, 1)],
    [(1, 2), (1, 2), (1, 2)],
    [(2, 1), (1, 1), (2, 1)],
    [(3, 1), (1, 1), (1, 1)],
    [(1, 3), (1, 1), (1, 1)],
    [(3, 2), (1, 1), (1, 2)],
    [(2, 3), (1, 1), (2, 1)],
    [(4, 1), (2, 1), (1, 1)],
    [(1, 4), (1, 2), (1, 1)],
    [(2, 4), (1, 1), (1, 1)],
    [(4, 1), (1, 1), (4, 1)],
    [(1, 1), (4, 1), (1, 4)],
    [(1, 1), (3, 1), (1, 3)],
]
SCRIPTS = {
    "spectral": "0,1,2: 0-0, 0,0; 0: 1-5, 0,0; 1: 1-5, 0,0; 2: 1-63, 0,0; 0: 6-63, 0,0; 1: 6-63, 0,0;",
    "bits": "0,1,2: 0-0, 0,3; 0: 1-63, 0,3; 2: 1-63, 0,3; 1: 1-63, 0,3;"
    + "".join(
        f"0,1,2: 0-0, {b},{b - 1}; 0: 1-63, {b},{b - 1}; 1: 1-63, {b},{b - 1}; 2: 1-63, {b},{b - 1};" for b in (3, 2, 1)
    ),
    "each_dc": "2: 0-0, 0,1; 0: 0-0, 0,0; 1: 0-0, 0,1; 2: 1-63, 0,0; 0: 1-63, 0,0; 2: 0-0, 1,0; 1: 1-63, 0,0;"
    " 1: 0-0, 1,0;",
    "each_coefficient": "0,1,2: 0-0, 0,0;"
    + "".join(f"0: {k}-{k}, 0,0;" for k in range(1, 64))
    + "1: 1-63, 0,0; 2: 1-63, 0,0;",
    "last_first": "0,1,2: 0-0, 0,0; 2: 33-63, 0,0; 1: 2-63, 0,0; 0: 20-63, 0,1; 0: 1-19, 0,0;"
    " 1: 1-1, 0,0; 2: 1-32, 0,0; 0: 20-63, 1,0;",
}
BASELINE_SCRIPTS = {"each": "0; 1; 2;", "backwards": "2; 1; 0;", "chroma_together": "0; 1,2;", "luma_late": "1; 0,2;"}


class Writer:
    """Contents and tools: everything that needs the random numbers or another program."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = np.random.default_rng(seed)
        self.folder = folder

    def plane(self, width: int, height: int) -> np.ndarray:
        """Soft shapes, a few hard edges and noise; reaches 0 and 255."""
        coarse = self.random.uniform(-60, 315, (max(2, up4(height)), max(2, up4(width)))).astype(np.float32)
        plane = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width)
        plane = plane + self.random.normal(0, 6, plane.shape)
        x, y = self.random.integers(0, width), self.random.integers(0, height)
        plane[y : y + 6, x : x + 9] = self.random.choice([0, 255])
        return np.clip(plane, 0, 255)

    def rgb(self, width: int, height: int) -> np.ndarray:
        return np.stack([self.plane(width, height) for _ in range(3)], -1).astype("u1")

    def planes(self, width: int, height: int, factors: Sequence[tuple[int, int]]) -> list[np.ndarray]:
        across, down = max(h for h, _ in factors), max(v for _, v in factors)
        return [self.plane(pw.up(width * h, across), pw.up(height * v, down)) for h, v in factors]

    def jpeg(self, width: int, height: int, factors: Sequence[tuple[int, int]], **options: object) -> bytes:
        options.setdefault("padding", self.random)
        return pw.jpeg(width, height, factors, self.planes(width, height, factors), **options)

    def run(self, data: bytes, *command: str) -> bytes:
        result = subprocess.run(command, input=data, capture_output=True, check=False)
        if result.returncode not in (0, 2):  # 2: the tools of libjpeg warned
            sys.exit(f"{' '.join(command)}: exit status {result.returncode}\n{result.stderr.decode()}")
        return result.stdout

    def ppm(self, rgb: np.ndarray) -> bytes:
        return f"P6 {rgb.shape[1]} {rgb.shape[0]} 255\n".encode() + rgb.tobytes()

    def cjpeg(self, rgb: np.ndarray, *options: str) -> bytes:
        return self.run(self.ppm(rgb), "cjpeg", *options)

    def script(self, text: str) -> str:
        path = self.folder / "scans.txt"
        path.write_text(text)
        return str(path)

    def retell(self, jpeg: bytes, *options: str) -> bytes:
        """The same coefficients, coded in another way."""
        return self.run(jpeg, "jpegtran", "-copy", "all", *options)

    def convert(self, rgb: np.ndarray, kind: str, *options: str) -> bytes:
        return self.run(self.ppm(rgb), "convert", "ppm:-", *options, f"{kind}:-")


def opencv_reads(data: bytes) -> bool:
    return cv2.imdecode(np.frombuffer(data, "u1"), cv2.IMREAD_COLOR) is not None


def up4(length: int) -> int:
    return pw.up(length, 4) + 1


def label(factors: Sequence[tuple[int, int]]) -> str:
    return "_".join(f"{h}x{v}" for h, v in factors)


def cjpeg_factors(factors: Sequence[tuple[int, int]]) -> list[str]:
    return ["-sample", ",".join(f"{h}x{v}" for h, v in factors)]


# --- JPEG ---------------------------------------------------------------------------------------------------------


def jpeg_sampling(w: Writer) -> Iterator[Picture]:
    for name, factors in COMMON.items():
        for width, height in [*SIZES, LARGE]:
            rgb = w.rgb(width, height)
            size = f"{width}x{height}"
            quality = str(w.random.integers(30, 98))
            options = [*cjpeg_factors(factors), "-quality", quality]
            yield Picture(f"{name}_{size}.jpg", w.cjpeg(rgb, *options), f"JPEG {name}")
            yield Picture(
                f"{name}_{size}_progressive.jpg", w.cjpeg(rgb, *options, "-progressive"), f"JPEG {name}, progressive"
            )
    for number, factors in enumerate(ODD):
        for width, height in [SIZES[number % 5], (7, 9), (33, 65), (95, 25), (24, 16)]:
            name = f"odd_{label(factors)}_{width}x{height}"
            yield Picture(f"{name}.jpg", w.jpeg(width, height, factors), "JPEG, odd sampling factors")
        progressive = w.retell(w.jpeg(45, 37, factors), "-progressive")
        yield Picture(f"odd_{label(factors)}_progressive.jpg", progressive, "JPEG, odd sampling factors, progressive")
    for factors in (
        [(3, 1), (2, 1), (1, 1)],
        [(2, 3), (2, 2), (1, 1)],
        [(1, 3), (1, 2), (1, 2)],
        [(3, 1), (1, 1), (2, 1)],
    ):
        name = f"fraction_{label(factors)}.jpg"
        yield Picture(name, w.jpeg(40, 30, factors), "JPEG, factors that do not divide", False)
    yield Picture(
        "eleven_blocks.jpg", w.jpeg(40, 40, [(3, 3), (1, 1), (1, 1)]), "JPEG, more than ten blocks an MCU", False
    )
    eleven_apart = w.jpeg(40, 40, [(3, 3), (1, 1), (1, 1)], scans=[[0], [1], [2]])
    yield Picture("eleven_blocks_apart.jpg", eleven_apart, "JPEG, odd sampling factors")


def jpeg_gray(w: Writer) -> Iterator[Picture]:
    for width, height in [*SIZES, LARGE]:
        file = io.BytesIO()
        Image.fromarray(w.plane(width, height).astype("u1")).save(file, "JPEG", quality=int(w.random.integers(20, 99)))
        yield Picture(f"gray_{width}x{height}.jpg", file.getvalue(), "JPEG gray")
        progressive = w.retell(file.getvalue(), "-progressive")
        yield Picture(f"gray_{width}x{height}_progressive.jpg", progressive, "JPEG gray, progressive")
    for factors in [(2, 2), (2, 1), (1, 2), (4, 4), (3, 1), (1, 4)]:
        for width, height in [(7, 9), (95, 25)]:
            # One component is not interleaved, so that its factors say nothing.
            jpeg = w.jpeg(width, height, [factors], restart=3)
            yield Picture(f"gray_{label([factors])}_{width}x{height}.jpg", jpeg, "JPEG gray with sampling factors")


def jpeg_scans(w: Writer) -> Iterator[Picture]:
    for name, factors in COMMON.items():
        rgb = w.rgb(61, 43)
        options = [*cjpeg_factors(factors), "-quality", "85"]
        for script, text in SCRIPTS.items():
            yield Picture(
                f"scans_{name}_{script}.jpg",
                w.cjpeg(rgb, *options, "-scans", w.script(text)),
                f"JPEG scan script {script}",
            )
        for script, text in BASELINE_SCRIPTS.items():
            jpeg = w.cjpeg(rgb, *options, "-scans", w.script(text))
            yield Picture(f"scans_{name}_baseline_{script}.jpg", jpeg, "JPEG, components in scans of their own")
        yield Picture(
            f"scans_{name}_optimized.jpg", w.cjpeg(rgb, *options, "-optimize"), "JPEG, optimized Huffman tables"
        )
        for restart in ("1B", "5B", "1", "2"):
            kind = "JPEG, restart markers"
            jpeg = w.cjpeg(rgb, *options, "-restart", restart)
            yield Picture(f"restart_{name}_{restart}.jpg", jpeg, kind)
            jpeg = w.cjpeg(rgb, *options, "-restart", restart, "-progressive")
            yield Picture(f"restart_{name}_{restart}_progressive.jpg", jpeg, f"{kind}, progressive")
        jpeg = w.jpeg(61, 43, factors, sof=pw.SOF1)
        yield Picture(f"extended_{name}.jpg", jpeg, "JPEG, extended sequential")
    for factors in ODD[:6]:
        jpeg = w.jpeg(45, 37, factors, scans=[[2], [0], [1]], restart=2)
        yield Picture(f"apart_{label(factors)}.jpg", jpeg, "JPEG, components in scans of their own")


def jpeg_quality(w: Writer) -> Iterator[Picture]:
    for quality in (1, 2, 3, 5, 8, 10, 15, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92, 95, 97, 98, 99, 100):
        rgb = w.rgb(66, 38)
        for name in ("444", "420", "422"):
            jpeg = w.cjpeg(rgb, *cjpeg_factors(COMMON[name]), "-quality", str(quality))
            yield Picture(f"quality_{quality}_{name}.jpg", jpeg, "JPEG, quality 1 to 100")
    for largest in (256, 700, 3000, 65535):
        for sof in (pw.SOF0, pw.SOF1):
            steps = w.random.integers(1, largest + 1, 64)
            steps[0] = largest
            jpeg = w.jpeg(40, 33, COMMON["420"], steps=steps, sof=sof)
            yield Picture(f"steps_{largest}_{sof:x}.jpg", jpeg, "JPEG, 16-bit quantization tables")
    for amplitude in (100, 400, 1000):
        for step in (1, 7, 16):
            # Noise in every coefficient, far beyond what a picture has: sums saturate.
            blocks = w.random.integers(-amplitude, amplitude + 1, (3, 4, 64))
            jpeg = pw.jpeg(32, 24, [(1, 1)], [], coefficients=[blocks], steps=np.full(64, step))
            yield Picture(f"wild_{amplitude}_{step}.jpg", jpeg, "JPEG, coefficients beyond any picture's")


def jpeg_colors(w: Writer) -> Iterator[Picture]:
    heads = {
        "none": b"",
        "jfif": pw.JFIF,
        "adobe0": pw.adobe(0),
        "adobe1": pw.adobe(1),
        "adobe2": pw.adobe(2),
        "jfif_adobe0": pw.JFIF + pw.adobe(0),
        "adobe0_jfif": pw.adobe(0) + pw.JFIF,
        "adobe_short": pw.segment(pw.APP14, b"Adobe\0d\0\0\0\0"),
        "adobe0_adobe1": pw.adobe(0) + pw.adobe(1),
        "jfif_short": pw.segment(pw.APP0, b"JFIF\0\1\1") + pw.adobe(0),
        "jfxx": pw.segment(pw.APP0, b"JFXX\0\x10\0\0\0\0\0\0\0\0\0"),
    }
    identities = {"123": None, "012": [0, 1, 2], "rgb": [82, 71, 66], "lower": [114, 103, 98], "far": [1, 34, 255]}
    for head_name, head in heads.items():
        for ids_name, ids in identities.items():
            name = f"color_{ids_name}_{head_name}.jpg"
            jpeg = w.jpeg(19, 13, COMMON["444"], head=head, ids=ids)
            yield Picture(name, jpeg, "JPEG colors by JFIF, Adobe and identifiers")
        for name in ("420", "422"):
            jpeg = w.jpeg(35, 21, COMMON[name], head=head)
            yield Picture(f"color_{name}_{head_name}.jpg", jpeg, "JPEG colors by JFIF, Adobe and identifiers")
        yield Picture(f"color_gray_{head_name}.jpg", w.jpeg(19, 13, [(1, 1)], head=head), "JPEG gray")
        for number, factors in enumerate(
            (
                [(1, 1)] * 4,
                [(2, 2), (1, 1), (1, 1), (2, 2)],
                [(2, 1), (1, 1), (1, 1), (2, 1)],
                [(1, 2), (1, 1), (1, 1), (1, 1)],
            )
        ):
            jpeg = w.jpeg(37, 23, factors, head=head)
            yield Picture(f"four_{number}_{head_name}.jpg", jpeg, "JPEG, CMYK and YCCK")
            if number < 2:
                progressive = w.retell(jpeg, "-progressive")
                yield Picture(
                    f"four_{number}_{head_name}_progressive.jpg", progressive, "JPEG, CMYK and YCCK, progressive"
                )
    for width, height in SIZES[:8]:
        file = io.BytesIO()
        cmyk = np.stack([w.plane(width, height) for _ in range(4)], -1).astype("u1")
        Image.fromarray(cmyk, "CMYK").save(file, "JPEG", quality=90)
        yield Picture(f"pillow_cmyk_{width}x{height}.jpg", file.getvalue(), "JPEG, CMYK and YCCK")
        rgb = w.rgb(width, height)
        yield Picture(f"cjpeg_rgb_{width}x{height}.jpg", w.cjpeg(rgb, "-rgb"), "JPEG, RGB")
        jpeg = w.convert(rgb, "jpeg", "-colorspace", "CMYK")
        yield Picture(f"convert_cmyk_{width}x{height}.jpg", jpeg, "JPEG, CMYK and YCCK")
    for count in (2, 5):
        jpeg = (
            w.jpeg(20, 12, [(1, 1)] * count)
            if count < 5
            else w.jpeg(20, 12, [(1, 1)] * 5, scans=[[i] for i in range(5)])
        )
        yield Picture(f"components_{count}.jpg", jpeg, "JPEG, two and five components", False)


def orientations() -> dict[str, bytes]:
    """TIFF data by name: those from which a reader has to take an orientation, and those from which none."""
    o = pw.orientation
    far = struct.pack("<I", 60000)
    cases = {}
    for value in range(0, 11):
        for little in (True, False):
            cases[f"{value}_{'little' if little else 'big'}"] = pw.tiff([o(value)], little)
    cases |= {
        "long_little": pw.tiff([o(6, pw.LONG)]),
        "long_big": pw.tiff([o(6, pw.LONG)], False),
        "byte": pw.tiff([pw.entry(pw.ORIENTATION, 1, 1, b"\6\0\0\0")]),
        "byte_big": pw.tiff([pw.entry(pw.ORIENTATION, 1, 1, b"\6\0\0\0")], False),
        "count_2": pw.tiff([o(6, count=2)]),
        "count_0": pw.tiff([o(6, count=0)]),
        "kind_99": pw.tiff([pw.entry(pw.ORIENTATION, 99, 1, b"\6\0\0\0")]),
        "twice": pw.tiff([o(8), o(3)]),
        "at_26": pw.tiff([o(6)], at=26),
        "at_0": b"II*\0\0\0\0\0" + pw.tiff([o(6)])[8:],
        "at_end": b"II*\0\xff\xff\0\0" + pw.tiff([o(6)])[8:],
        "magic": pw.tiff([o(6)], magic=43),
        "order_im": pw.tiff([o(6)], order=b"IM"),
        "order_xx": pw.tiff([o(6)], False, order=b"XX"),
        "order_false": pw.tiff([o(6)], False, order=b"II"),
        "count_large": pw.tiff([o(6)], count=500),
        "count_small": pw.tiff([pw.entry(0x100, 3, 1, 5), o(6)], count=1),
        "count_none": pw.tiff([o(6)], count=0),
        "cut": pw.tiff([o(6)])[:16],
        "cut_after_value": pw.tiff([o(7)])[:20],
        "short": b"II*\0",
        "one": b"I",
        "others": pw.tiff(
            [pw.entry(0x100, 3, 1, 5), pw.entry(0x9999, 7, 4, b"abcd"), pw.entry(0x8825, 4, 1, 65000), o(5)]
        ),
        "sub_directory": pw.tiff([pw.entry(0x8769, 4, 1, 65000), o(7)]),
        "make": pw.tiff([pw.entry(0x10F, 2, 4, b"abc\0"), o(6)]),
        "make_far": pw.tiff([pw.entry(0x10F, 2, 10, struct.pack("<I", 38)), o(6)], tail=b"abcdefghi\0"),
        "make_outside": pw.tiff([pw.entry(0x10F, 2, 10, far), o(6)]),
        "make_outside_after": pw.tiff([o(6), pw.entry(0x131, 2, 10, far)]),
        "make_huge": pw.tiff([pw.entry(0x10F, 2, 0xFFFFFFFF, struct.pack("<I", 8)), o(6)]),
        "resolution": pw.tiff([o(6), pw.entry(0x11A, 5, 1, struct.pack("<I", 38))], tail=bytes(8)),
        "resolution_outside": pw.tiff([pw.entry(0x11A, 5, 1, far), o(6)]),
        "resolution_outside_after": pw.tiff([o(6), pw.entry(0x11B, 5, 1, far)]),
        "white_point": pw.tiff([pw.entry(0x13E, 5, 2, far), o(6)]),
        "primaries": pw.tiff([pw.entry(0x13F, 5, 6, far), o(6)]),
        "coefficients": pw.tiff([pw.entry(0x211, 5, 3, far), o(6)]),
        "black_white": pw.tiff([pw.entry(0x214, 5, 6, far), o(6)]),
        "many": pw.tiff([pw.entry(0x9000 + i, 3, 1, i) for i in range(300)] + [o(4)]),
        "no_entry": pw.tiff([]),
    }
    return cases


def jpeg_exif(w: Writer) -> Iterator[Picture]:
    def picture(name: str, head: bytes, factors: str = "444") -> Picture:
        return Picture(f"exif_{name}.jpg", w.jpeg(13, 7, COMMON[factors], head=head), "JPEG, EXIF orientation")

    for name, data in orientations().items():
        yield picture(name, pw.JFIF + pw.exif(data))
    turned = {value: pw.exif(pw.tiff([pw.orientation(value)])) for value in (1, 3, 6, 8)}
    for value in range(2, 9):
        data = pw.exif(pw.tiff([pw.orientation(value)], value % 2 == 0))
        for factors in ("420", "422", "440"):
            yield picture(f"{value}_{factors}", data + pw.JFIF, factors)
        yield Picture(f"exif_{value}_gray.jpg", w.jpeg(13, 7, [(1, 1)], head=data), "JPEG, EXIF orientation")
        progressive = w.retell(w.jpeg(29, 17, COMMON["420"], head=pw.JFIF + data), "-progressive")
        yield Picture(f"exif_{value}_progressive.jpg", progressive, "JPEG, EXIF orientation")
        yield Picture(f"exif_{value}_cmyk.jpg", w.jpeg(13, 7, [(1, 1)] * 4, head=data), "JPEG, EXIF orientation")
    thumbnail = w.jpeg(16, 12, COMMON["420"])
    heads = {
        "no_jfif": turned[6],
        "before_jfif": turned[6] + pw.JFIF,
        "xmp_before": pw.JFIF + pw.XMP + turned[6],
        "xmp_after": pw.JFIF + turned[6] + pw.XMP,
        "6_then_3": pw.JFIF + turned[6] + turned[3],
        "1_then_3": pw.JFIF + turned[1] + turned[3],
        "empty_then_3": pw.JFIF + pw.exif(pw.tiff([])) + turned[3],
        "broken_then_3": pw.JFIF + pw.exif(b"XX") + turned[3],
        "cut_then_3": pw.JFIF + pw.exif(pw.tiff([pw.orientation(6)])[:12]) + turned[3],
        "short_then_3": pw.JFIF + pw.segment(pw.APP1, b"Ex") + turned[3],
        "nothing_then_3": pw.JFIF + pw.segment(pw.APP1, b"") + turned[3],
        "only_name": pw.JFIF + pw.segment(pw.APP1, b"Exif\0\0"),
        "name_cut": pw.JFIF + pw.segment(pw.APP1, b"Exif\0"),
        "name_other_end": pw.JFIF + pw.segment(pw.APP1, b"Exif\0\1" + pw.tiff([pw.orientation(6)])),
        "name_lower": pw.JFIF + pw.segment(pw.APP1, b"exif\0\0" + pw.tiff([pw.orientation(6)])),
        "app2": pw.JFIF + pw.segment(pw.APP2, b"Exif\0\0" + pw.tiff([pw.orientation(6)])),
        "padded": pw.JFIF + pw.exif(b"\0\0" + pw.tiff([pw.orientation(6)])),
        "comment_before": pw.JFIF + pw.segment(pw.COM, b"comment \x1b[2J") + turned[8],
        "photoshop_before": pw.JFIF + pw.segment(0xED, b"Photoshop 3.0\0") + turned[8],
        "fill_before": pw.JFIF + b"\xff\xff\xff" + turned[8],
        "thumbnail": pw.JFIF + pw.exif(pw.tiff([pw.orientation(8)], tail=thumbnail)),
    }
    for name, head in heads.items():
        yield picture(name, head)
    jpeg = w.jpeg(13, 7, COMMON["444"])
    yield Picture("exif_before_scan.jpg", pw.before_scan(jpeg, turned[6]), "JPEG, EXIF orientation")
    yield Picture("exif_after_scan.jpg", jpeg[:-2] + turned[6] + jpeg[-2:], "JPEG, EXIF orientation")
    yield Picture("exif_after_end.jpg", jpeg + turned[6], "JPEG, EXIF orientation")
    for value in (1, 5, 6, 8):
        file = io.BytesIO()
        tags = Image.Exif()
        tags[0x0112], tags[0x010F], tags[0x0132], tags[0x011A] = value, "a camera", "2024:01:02 03:04:05", 72.0
        Image.fromarray(w.rgb(31, 18)).save(file, "JPEG", exif=tags, quality=90)
        yield Picture(f"exif_pillow_{value}.jpg", file.getvalue(), "JPEG, EXIF orientation")


def jpeg_segments(w: Writer) -> Iterator[Picture]:
    jpeg = w.jpeg(45, 37, COMMON["420"], restart=2)
    scan = pw.segments(jpeg)[-1][2]
    kind = "JPEG, unusual but whole"
    standard = pw.standard_codes()
    file = io.BytesIO()
    Image.fromarray(w.rgb(31, 18)).save(file, "JPEG", icc_profile=w.random.bytes(150000), comment=b"hello")
    whole = {
        "icc": file.getvalue(),
        "comment": pw.before_scan(jpeg, pw.segment(pw.COM, b"hello \x1b[31m\n") * 3),
        "comment_empty": pw.before_scan(jpeg, pw.segment(pw.COM, b"")),
        "fill": pw.before_scan(jpeg, b"\xff\xff\xff"),
        "fill_before_end": jpeg[:-2] + b"\xff\xff\xff" + jpeg[-2:],
        "zeros_before_end": jpeg[:-2] + b"\0\0\0" + jpeg[-2:],
        "garbage_before_end": jpeg[:-2] + b"garbage" + jpeg[-2:],
        "garbage_after_end": jpeg + b"garbage" * 9,
        "zeros_after_end": jpeg + bytes(3000),
        "another_after_end": jpeg + w.jpeg(20, 20, COMMON["444"]),
        "no_end": jpeg[:-2],
        "half_end": jpeg[:-1],
        "restart_0": pw.before_scan(w.jpeg(45, 37, COMMON["422"]), pw.segment(pw.DRI, b"\0\0")),
        "restart_beyond": pw.before_scan(w.jpeg(45, 37, COMMON["422"]), pw.segment(pw.DRI, b"\x7f\0")),
        "tables_again": pw.before_scan(jpeg, pw.dht(0, *standard[0]) + pw.dht(0x10, *standard[0x10])),
        "steps_again": pw.before_scan(jpeg, pw.segment(pw.DQT, b"\0" + bytes([4] * 64))),
        "steps_unused": pw.before_scan(jpeg, pw.segment(pw.DQT, b"\x13" + bytes([0, 1] * 64))),
        "table_unused": pw.before_scan(jpeg, pw.dht(0x13, *standard[0x10])),
        "app15": pw.before_scan(jpeg, pw.segment(0xEF, bytes(70)) + pw.segment(0xE5, b"")),
        "large_app": pw.before_scan(jpeg, pw.segment(0xEB, bytes(65533))),
    }
    for name, data in whole.items():
        yield Picture(f"whole_{name}.jpg", data, kind)
    motion = "JPEG, frames of MJPEG without Huffman tables"
    for name, factors in COMMON.items():
        for width, height in ((33, 17), (94, 24)):
            frame = w.jpeg(width, height, factors, head=pw.segment(pw.APP0, b"AVI1\0\0\0\0\0\0\0\0\0\0"), restart=4)
            yield Picture(f"motion_{name}_{width}.jpg", pw.without(frame, pw.DHT), motion)
    yield Picture("motion_gray.jpg", pw.without(w.jpeg(33, 17, [(1, 1)]), pw.DHT), motion)
    yield Picture("motion_no_end.jpg", pw.without(w.jpeg(33, 17, COMMON["422"]), pw.DHT)[:-2], motion)
    for name, slot in (("dc", 0), ("ac", 0x10)):
        data = w.jpeg(33, 17, COMMON["422"]).replace(pw.dht(slot, *standard[slot]), b"")
        yield Picture(f"motion_only_{name}_left_out.jpg", data, motion)

    odd = "OpenCV takes what was decoded; here a picture is read whole or not at all"
    damaged = "JPEG, damaged"
    middle = (scan + len(jpeg)) // 2
    first_restart = jpeg.index(b"\xff\xd1", scan)
    header = pw.segments(jpeg)[-1][1]
    frame = next(begin for marker, begin, _ in pw.segments(jpeg) if marker == pw.SOF0)
    apart = w.jpeg(45, 37, COMMON["420"], scans=[[0], [1], [2]])
    last_scan = apart.rindex(b"\xff\xda")
    partial = {
        "cut_in_scan": jpeg[:middle],
        "cut_in_scan_end": jpeg[:middle] + pw.EOI,
        "cut_at_restart": jpeg[: first_restart + 2] + pw.EOI,
        "restart_lost": jpeg[:first_restart] + jpeg[first_restart + 2 :],
        "restart_wrong": jpeg[: first_restart + 1] + b"\xd5" + jpeg[first_restart + 2 :],
        "component_without_scan": apart[:last_scan] + pw.EOI,
        "scan_header_only": jpeg[:scan],
        "taller_than_data": jpeg[: frame + 5] + struct.pack(">H", 90) + jpeg[frame + 7 :],
    }
    for name, data in partial.items():
        yield Picture(f"damaged_{name}.jpg", data, damaged, False, "damaged", odd)
    progressive = w.retell(w.jpeg(45, 37, COMMON["420"]), "-progressive")
    starts = [i for i in range(len(progressive) - 1) if progressive[i : i + 2] == b"\xff\xda"]
    for scans in range(1, len(starts)):
        # A table for the next scan may stand in front of it and is left in.
        data = progressive[: starts[scans]] + pw.EOI
        yield Picture(f"damaged_progressive_{scans}_scans.jpg", data, damaged, False, "damaged", odd)
    refused = {
        "header_only": jpeg[:header],
        "no_scan": jpeg[:header] + pw.EOI,
        "no_steps": pw.without(jpeg, pw.DQT),
        "no_frame": pw.without(jpeg, pw.SOF0),
        "two_frames": pw.before_scan(jpeg, jpeg[frame : frame + 19]),
        "two_starts": pw.SOI + jpeg,
        "height_0": jpeg[: frame + 5] + b"\0\0" + jpeg[frame + 7 :],
        "height_0_dnl": jpeg[: frame + 5] + b"\0\0" + jpeg[frame + 7 : -2] + pw.segment(pw.DNL, b"\0\x25") + pw.EOI,
        "width_0": jpeg[: frame + 7] + b"\0\0" + jpeg[frame + 9 :],
        "width_65535": jpeg[: frame + 7] + b"\xff\xff" + jpeg[frame + 9 :],
        "table_too_full": pw.before_scan(jpeg, pw.dht(0, b"\3" + bytes(15), b"abc")),
        "table_symbols": pw.before_scan(jpeg, pw.dht(0, standard[0][0], standard[0][1][:-1] + b"\x11")),
        "table_class_2": pw.before_scan(jpeg, pw.dht(0x20, bytes(16), b"")),
        "table_slot_4": pw.before_scan(jpeg, pw.dht(4, bytes(16), b"")),
        "table_cut": pw.before_scan(jpeg, pw.segment(pw.DHT, b"\0" + standard[0][0] + b"ab")),
        "table_300_symbols": pw.before_scan(
            jpeg, pw.segment(pw.DHT, b"\0" + bytes([0] * 14 + [150, 150]) + bytes(300))
        ),
        "table_absent": jpeg[: header + 6] + b"\x22" + jpeg[header + 7 :],
        "table_slot_9": jpeg[: header + 6] + b"\x99" + jpeg[header + 7 :],
        "steps_cut": pw.before_scan(jpeg, pw.segment(pw.DQT, b"\3" + bytes(20))),
        "steps_slot_4": pw.before_scan(jpeg, pw.segment(pw.DQT, b"\4" + bytes([1] * 64))),
        "factor_0": jpeg[: frame + 11] + b"\2" + jpeg[frame + 12 :],
        "factor_5": jpeg[: frame + 11] + b"\x52" + jpeg[frame + 12 :],
        "frame_length": jpeg[: frame + 3] + b"\x14" + jpeg[frame + 4 :],
        "component_unknown": jpeg[: header + 5] + b"\x09" + jpeg[header + 6 :],
        "component_twice": jpeg[: header + 7] + b"\x01" + jpeg[header + 8 :],
        "scan_of_0": jpeg[: header + 4] + b"\0" + jpeg[header + 5 :],
        "progressive_frame": jpeg.replace(b"\xff\xc0\0\x11", b"\xff\xc2\0\x11"),
        "segment_past_end": jpeg[:2] + b"\xff\xe3\xff\xff" + jpeg[2:],
        "garbage_first": b"xx" + jpeg,
        "only_start": pw.SOI,
        "start_and_end": pw.SOI + pw.EOI,
        "reserved_02": pw.before_scan(jpeg, pw.segment(0x02, b"")),
        "hierarchical": pw.before_scan(jpeg, pw.segment(0xDE, b"\0\0")),
    }
    for name, data in refused.items():
        yield Picture(f"refused_{name}.jpg", data, damaged, False)
    unsupported = "JPEG, processes that are not read"
    coded = w.jpeg(45, 37, COMMON["420"])
    arithmetic = "OpenCV reads arithmetic coding; here the error names it"
    for name, options in (("sequential", []), ("progressive", ["-progressive"])):
        data = w.retell(coded, "-arithmetic", *options)
        yield Picture(f"arithmetic_{name}.jpg", data, unsupported, False, "arithmetic", arithmetic)
    sof = b"\xff\xc0\0\x11\x08"
    for name, marker, says in (
        ("lossless", 0xC3, "lossless"),
        ("differential", 0xC5, "hierarchical"),
        ("differential_progressive", 0xC6, "hierarchical"),
        ("differential_lossless", 0xC7, "hierarchical"),
        ("arithmetic_lossless", 0xCB, "arithmetic"),
        ("arithmetic_differential", 0xCD, "arithmetic"),
    ):
        data = coded.replace(sof, bytes([0xFF, marker, 0, 0x11, 8]))
        yield Picture(f"process_{name}.jpg", data, unsupported, False, says)
    for bits in (2, 12, 16):
        data = coded.replace(sof, bytes([0xFF, 0xC1, 0, 0x11, bits]))
        yield Picture(f"process_{bits}_bits.jpg", data, unsupported, False, "bits" if bits == 12 else "")


# --- PNG ----------------------------------------------------------------------------------------------------------


def png_forms(w: Writer) -> Iterator[Picture]:
    sizes = [(1, 1), (2, 3), (5, 1), (1, 9), (7, 9), (8, 8), (13, 11), (33, 17), (94, 24)]
    number = 0
    for kind, depths in pw.PNG_DEPTHS.items():
        for depth in depths:
            for adam7 in (False, True):
                for width, height in (sizes[number % len(sizes)], sizes[(number + 4) % len(sizes)], (14, 10)):
                    number += 1
                    samples = w.random.integers(0, 1 << depth, (height, width, pw.PNG_CHANNELS[kind]))
                    palette = w.random.bytes(3 << depth) if kind == pw.PALETTE else None
                    name = f"type{kind}_{depth}_{'adam7_' if adam7 else ''}{width}x{height}"
                    data = pw.png(samples, depth, kind, adam7, palette=palette)
                    yield Picture(f"{name}.png", data, f"PNG, color type {kind}, {depth} bits")
                    if kind in (pw.GRAY_ALPHA, pw.RGBA):
                        continue
                    transparent = w.random.bytes(1 << depth) if palette else samples[0, 0].astype(">u2").tobytes()
                    data = pw.png(samples, depth, kind, adam7, palette=palette, transparent=transparent)
                    yield Picture(f"{name}_trns.png", data, "PNG with tRNS")
    for filters in ((0,), (1,), (2,), (3,), (4,), (4, 3, 2, 1, 0)):
        for kind, depth in ((pw.RGB, 8), (pw.GRAY, 1), (pw.RGBA, 16), (pw.GRAY, 4)):
            samples = w.random.integers(0, 1 << depth, (9, 14, pw.PNG_CHANNELS[kind]))
            name = f"filter_{''.join(map(str, filters))}_{kind}_{depth}.png"
            yield Picture(name, pw.png(samples, depth, kind, filters=filters), "PNG, each filter")
    for depth, entries in ((1, 1), (2, 3), (4, 5), (4, 10), (8, 1), (8, 100), (8, 255)):
        samples = w.random.integers(0, 1 << depth, (11, 13, 1))
        data = pw.png(samples, depth, pw.PALETTE, palette=w.random.bytes(3 * entries))
        yield Picture(f"palette_{depth}_{entries}.png", data, "PNG, indices past the palette")
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        for width, height in ((37, 19), (94, 24)):
            file = io.BytesIO()
            if mode == "I;16":
                picture = Image.fromarray(w.random.integers(0, 65536, (height, width), dtype="u2"))
            else:
                picture = Image.fromarray(w.rgb(width, height)).convert(mode)
            picture.save(file, "PNG", optimize=width == 37)
            yield Picture(f"pillow_{mode.replace(';', '_')}_{width}.png", file.getvalue(), "PNG by Pillow")
    for kind in ("png8", "png24", "png32", "png48", "png64", "png00"):
        for interlace in ("none", "plane"):
            data = w.convert(w.rgb(31, 22), kind, "-interlace", interlace)
            yield Picture(f"convert_{kind}_{interlace}.png", data, "PNG by ImageMagick")


def png_chunks(w: Writer) -> Iterator[Picture]:
    samples = w.random.integers(0, 256, (7, 13, 3))
    raw = pw.png_rows(samples, 8)
    data = zlib.compress(raw, 9)
    c = pw.chunk

    def png(**options: object) -> bytes:
        return pw.png(samples, 8, pw.RGB, **options)

    plain = png()
    chroma = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    whole = {
        "plain": plain,
        "split_1": png(split=1),
        "split_7": png(split=7),
        "empty_idat_first": png(before=c(b"IDAT", b"")),
        "gamma_1": png(before=c(b"gAMA", struct.pack(">I", 100000))),
        "gamma": png(before=c(b"gAMA", struct.pack(">I", 45455)) + c(b"cHRM", chroma) + c(b"sRGB", b"\0")),
        "profile": png(before=c(b"iCCP", b"x\0\0" + zlib.compress(w.random.bytes(500)))),
        "profile_broken": png(before=c(b"iCCP", b"x")),
        "background": png(before=c(b"bKGD", bytes(6))),
        "significant": png(before=c(b"sBIT", b"\5\5\5")),
        "palette_unused": png(before=c(b"PLTE", bytes(30))),
        "text": png(before=c(b"tEXt", b"Title\0\x1b[2J"), after=c(b"zTXt", b"a\0\0" + zlib.compress(b"text"))),
        "text_crc": png(before=c(b"tEXt", b"Title\0text", 5)),
        "unknown": png(before=c(b"abCD", b"x")),
        "unknown_crc": png(before=c(b"abCD", b"x", 5)),
        "end_crc": plain[:-4] + b"abcd",
        "after_end": plain + b"garbage",
        "more_rows": png(data=zlib.compress(raw + bytes(1000))),
        "after_stream": png(data=data + b"garbage"),
        "window": png(data=b"\x08\x1d" + data[2:]),
        "stored": png(data=zlib.compress(raw, 0)),
        "fixed_codes": png(data=deflate(raw, strategy=zlib.Z_FIXED)),
        "runs": png(data=deflate(raw, strategy=zlib.Z_RLE)),
        "animation": png(
            before=c(b"acTL", struct.pack(">II", 2, 0))
            + c(b"fcTL", struct.pack(">5I2H2B", 0, 13, 7, 0, 0, 1, 9, 0, 0)),
            after=c(b"fcTL", struct.pack(">5I2H2B", 1, 13, 7, 0, 0, 1, 9, 0, 0))
            + c(b"fdAT", bytes([0, 0, 0, 2]) + data),
        ),
    }
    for name, file in whole.items():
        yield Picture(f"chunks_{name}.png", file, "PNG, chunks around and in pieces")
    for name, tiff in orientations().items():
        yield Picture(f"exif_{name}.png", png(before=c(b"eXIf", tiff)), "PNG, EXIF orientation")
    turned = {value: c(b"eXIf", pw.tiff([pw.orientation(value)])) for value in (3, 6)}
    profile = (b"Exif\0\0" + pw.tiff([pw.orientation(6)])).hex()
    profile_text = f"\nexif\n{len(profile) // 2:8}\n{profile}\n".encode()
    places = {
        "after": png(after=turned[6]),
        "6_then_3": png(before=turned[6] + turned[3]),
        "6_before_3_after": png(before=turned[6], after=turned[3]),
        "named": png(before=c(b"eXIf", b"Exif\0\0" + pw.tiff([pw.orientation(6)]))),
        "crc": png(before=turned[6][:-1] + b"\0"),
        "raw_profile": png(before=c(b"tEXt", b"Raw profile type exif\0" + profile_text)),
        "raw_profile_packed": png(before=c(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile_text))),
    }
    for name, file in places.items():
        yield Picture(f"exif_{name}.png", file, "PNG, EXIF orientation")
    for value in range(1, 9):
        for kind, depth in ((pw.GRAY, 1), (pw.PALETTE, 8), (pw.RGBA, 16)):
            part = w.random.integers(0, 1 << depth, (7, 13, pw.PNG_CHANNELS[kind]))
            tiff = pw.tiff([pw.orientation(value)])
            palette = w.random.bytes(768) if kind == pw.PALETTE else None
            file = pw.png(part, depth, kind, value % 2 == 0, before=c(b"eXIf", tiff), palette=palette)
            yield Picture(f"exif_{value}_type{kind}.png", file, "PNG, EXIF orientation")
    header = pw.ihdr(13, 7, 8, pw.RGB)
    idat = plain.index(b"IDAT") - 4
    sizes_of_idat = len(data)
    indexed = w.random.integers(0, 16, (7, 13, 1))
    refused = {
        "idat_crc": plain[: idat + 8 + sizes_of_idat] + b"abcd" + plain[idat + 12 + sizes_of_idat :],
        "ihdr_crc": plain[:29] + b"abcd" + plain[33:],
        "no_end": plain[:-12],
        "half_end": plain[:-6],
        "last_byte": plain[:-1],
        "half": plain[: len(plain) // 2],
        "header_only": plain[:33],
        "signature_only": plain[:8],
        "signature_cut": plain[:6],
        "no_idat": pw.PNG_SIGNATURE + header + c(b"IEND", b""),
        "unknown_critical": png(before=c(b"ABCD", b"x")),
        "escape_in_name": png(before=c(b"a\x1b[2", b"x")),
        "stream_cut": png(data=data[: len(data) // 2]),
        "rows_missing": png(data=zlib.compress(raw[:-40])),
        "byte_missing": png(data=zlib.compress(raw[:-1])),
        "filter_5": png(data=zlib.compress(b"\5" + raw[1:])),
        "stream_header": png(data=b"\x79\x9c" + data[2:]),
        "stream_dictionary": png(data=b"\x78\xbb" + data[2:]),
        "stream_empty": png(data=b""),
        "two_headers": pw.PNG_SIGNATURE + header + plain[8:],
        "header_second": pw.PNG_SIGNATURE + c(b"tEXt", b"a\0b") + plain[8:],
        "cgbi": pw.PNG_SIGNATURE + c(b"CgBI", b"abcd") + plain[8:],
        "idat_apart": pw.PNG_SIGNATURE
        + header
        + c(b"IDAT", data[:50])
        + c(b"tEXt", b"a\0b")
        + c(b"IDAT", data[50:])
        + c(b"IEND", b""),
        "width_0": pw.PNG_SIGNATURE + pw.ihdr(0, 7, 8, 2) + plain[33:],
        "height_0": pw.PNG_SIGNATURE + pw.ihdr(13, 0, 8, 2) + plain[33:],
        "width_negative": pw.PNG_SIGNATURE + pw.ihdr(0xFFFFFFF0, 7, 8, 2) + plain[33:],
        "width_3_million": pw.PNG_SIGNATURE + pw.ihdr(3000000, 1, 8, 2) + plain[33:],
        "depth_3": pw.PNG_SIGNATURE + pw.ihdr(13, 7, 3, 2) + plain[33:],
        "depth_4_rgb": pw.PNG_SIGNATURE + pw.ihdr(13, 7, 4, 2) + plain[33:],
        "type_5": pw.PNG_SIGNATURE + pw.ihdr(13, 7, 8, 5) + plain[33:],
        "compression_1": pw.PNG_SIGNATURE + c(b"IHDR", struct.pack(">IIBBBBB", 13, 7, 8, 2, 1, 0, 0)) + plain[33:],
        "filter_method_1": pw.PNG_SIGNATURE + c(b"IHDR", struct.pack(">IIBBBBB", 13, 7, 8, 2, 0, 1, 0)) + plain[33:],
        "interlace_2": pw.PNG_SIGNATURE + c(b"IHDR", struct.pack(">IIBBBBB", 13, 7, 8, 2, 0, 0, 2)) + plain[33:],
        "palette_absent": pw.png(indexed, 4, pw.PALETTE),
        "palette_empty": pw.png(indexed, 4, pw.PALETTE, palette=b""),
        "palette_length": pw.png(indexed, 4, pw.PALETTE, palette=bytes(31)),
        "palette_after": pw.png(indexed, 4, pw.PALETTE, after=c(b"PLTE", bytes(48))),
        "chunk_past_end": plain[:33] + b"\x7f\xff\xff\xf0tEXt" + plain[33:],
    }
    for name, file in refused.items():
        yield Picture(f"refused_{name}.png", file, "PNG, damaged", False)
    for name, file in (("check_cut", png(data=data[:-4])), ("check_wrong", png(data=data[:-4] + b"abcd"))):
        why = "the check sum of the inflated data is not looked at; that of each chunk is"
        yield Picture(f"{name}.png", file, "PNG, check sum inside", differs=why, same_as="chunks_plain.png")


def deflate(data: bytes, strategy: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 15, 9, strategy)
    return packer.compress(data) + packer.flush()


# --- BMP ----------------------------------------------------------------------------------------------------------


def bmp_forms(w: Writer) -> Iterator[Picture]:
    for bits in (1, 4, 8):
        kind = f"BMP, {bits} bits"
        for width, height in ((1, 1), (2, 3), (3, 5), (7, 2), (8, 4), (9, 4), (13, 6), (33, 5)):
            pixels = w.random.integers(0, 1 << bits, (height, width))
            palette = w.random.bytes(4 << bits)
            name = f"bits{bits}_{width}x{height}"
            yield Picture(f"{name}.bmp", pw.bmp(width, height, bits, pw.bmp_rows(pixels, bits), palette=palette), kind)
        rows = pw.bmp_rows(pixels, bits)
        forms = {
            "top_down": pw.bmp(width, -height, bits, rows, palette=palette),
            "os2": pw.bmp(width, height, bits, rows, palette=w.random.bytes(3 << bits), header=12),
            "gap": pw.bmp(width, height, bits, rows, palette=palette, gap=b"1234567"),
            "after": pw.bmp(width, height, bits, rows, palette=palette) + b"garbage",
            "gray": pw.bmp(
                width, height, bits, rows, palette=bytes(i for k in range(1 << bits) for i in [k * 255 >> bits] * 4)
            ),
        }
        for header in (52, 56, 64, 108, 124):
            forms[f"header_{header}"] = pw.bmp(width, height, bits, rows, palette=palette, header=header)
        if bits > 1:
            used = (1 << bits) // 3
            forms["palette_short"] = pw.bmp(width, height, bits, rows, palette=palette[: 4 * used], used=used)
        for name, data in forms.items():
            yield Picture(f"bits{bits}_{name}.bmp", data, kind)
    for width, height in ((1, 1), (2, 3), (3, 2), (5, 4), (94, 24)):
        pixels = w.random.integers(0, 65536, (height, width))
        rows = pw.bmp_rows(pixels, 16)
        size = f"{width}x{height}"
        yield Picture(f"bits16_{size}.bmp", pw.bmp(width, height, 16, rows), "BMP, 16 bits")
        for name, masks in (("555", pw.RGB555), ("565", pw.RGB565)):
            for sign in (1, -1):
                data = pw.bmp(width, sign * height, 16, rows, compression=pw.BI_BITFIELDS, masks=masks)
                yield Picture(f"bits16_{name}_{size}_{'up' if sign > 0 else 'down'}.bmp", data, "BMP, 16 bits")
        pixels = w.random.integers(0, 256, (height, width, 3))
        rows = pw.bmp_rows(pixels, 24)
        yield Picture(f"bits24_{size}.bmp", pw.bmp(width, height, 24, rows), "BMP, 24 bits")
        yield Picture(f"bits24_{size}_down.bmp", pw.bmp(width, -height, 24, rows), "BMP, 24 bits")
        yield Picture(f"bits24_{size}_os2.bmp", pw.bmp(width, height, 24, rows, header=12), "BMP, 24 bits")
        data = pw.bmp(width, height, 24, rows, palette=bytes(28), used=7)
        yield Picture(f"bits24_{size}_palette.bmp", data, "BMP, 24 bits")
        yield Picture(f"bits24_{size}_v5.bmp", pw.bmp(width, height, 24, rows, header=124), "BMP, 24 bits")
        pixels = w.random.integers(0, 1 << 32, (height, width))
        rows = pw.bmp_rows(pixels, 32)
        kind = "BMP, 32 bits"
        yield Picture(f"bits32_{size}.bmp", pw.bmp(width, height, 32, rows), kind)
        yield Picture(f"bits32_{size}_down.bmp", pw.bmp(width, -height, 32, rows), kind)
        usual = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
        for name, masks, header in (
            ("masks", usual[:3], 40),
            ("masks_v4", usual, 108),
            ("masks_v5", usual, 124),
            ("rgba_v4", (0xFF, 0xFF00, 0xFF0000, 0xFF000000), 108),
            ("shifted_v5", (0xFF000000, 0xFF0000, 0xFF00, 0xFF), 124),
            ("bits5_v4", (0x7C00, 0x3E0, 0x1F, 0), 108),
            ("bits6_v4", (0xF800, 0x7E0, 0x1F, 0), 108),
            ("bits7_v4", (0x1FC000, 0x3F80, 0x7F, 0), 108),
            ("bits10_v4", (0x3FF00000, 0xFFC00, 0x3FF, 0), 108),
            ("bits12_v4", (0xFFF00000, 0xFFF00, 0xFFF, 0), 108),
            ("bits1_v4", (0x4, 0x2, 0x1, 0), 108),
            ("no_red_v4", (0, 0xFF00, 0xFF, 0), 108),
            ("masks_v3", usual, 56),
        ):
            data = pw.bmp(width, height, 32, rows, compression=pw.BI_BITFIELDS, masks=masks, header=header)
            yield Picture(f"bits32_{size}_{name}.bmp", data, kind)
    for width, height in ((1, 1), (2, 3), (5, 4), (13, 6), (64, 9)):
        palette = w.random.bytes(1024)
        pixels = w.random.integers(0, 256, (height, width))
        for absolute in (False, True):
            for sign in (1, -1):
                name = f"{width}x{height}_{'absolute' if absolute else 'runs'}_{'up' if sign > 0 else 'down'}"
                eight, four = pw.rle8(pixels, absolute), pw.rle4(pixels % 16, absolute)
                data = pw.bmp(width, sign * height, 8, eight, palette=palette, compression=pw.BI_RLE8)
                yield Picture(f"rle8_{name}.bmp", data, "BMP, RLE8")
                data = pw.bmp(width, sign * height, 4, four, palette=palette[:64], compression=pw.BI_RLE4)
                yield Picture(f"rle4_{name}.bmp", data, "BMP, RLE4")
    streams = {
        "end_of_line_first": pw.rle8(pixels)[:-2] + b"\0\0\0\1",
        "ends_early": pw.rle8(pixels[3:]),
        "only_end": b"\0\1",
        "lines_end_early": b"\3\7\0\0" * 9 + b"\0\1",
        "delta": b"\3\7\0\2\4\1\6\x09\0\0\0\1",
        "delta_down": b"\3\7\0\2\0\3\6\x09\0\0\0\1",
    }
    for name, stream in streams.items():
        data = pw.bmp(64, 9, 8, stream, palette=palette, compression=pw.BI_RLE8)
        yield Picture(f"rle8_{name}.bmp", data, "BMP, RLE8")
    lines = b"".join(bytes([1, index]) for row in pixels[::-1].tolist() for index in row)
    for name, stream, says, why in (
        (
            "no_ends_of_lines",
            lines + b"\0\1",
            "leaves",
            "OpenCV goes on in the next line, as for files that fill lines up",
        ),
        ("no_end", pw.rle8(pixels)[:-2], "ends", "OpenCV needs no end mark; here a file without one is cut off"),
    ):
        data = pw.bmp(64, 9, 8, stream, palette=palette, compression=pw.BI_RLE8)
        yield Picture(f"rle8_{name}.bmp", data, "BMP, RLE8", False, says, why)
    nibbles = pixels % 16
    ends_early, turned = nibbles.copy(), nibbles.copy()
    ends_early[:3] = 0  # the upper rows: those that the file does not have
    turned[-1, 3:], turned[-2, :7], turned[-2, 13:], turned[:-2] = 0, 0, 0, 0
    turned[-1, :3], turned[-2, 7:13] = (0, 7, 0), (0, 9, 0, 9, 0, 9)
    early = "OpenCV's reader of RLE4 passes over the end mark, and over the rows of a move"
    for name, indices, stream in (
        ("ends_early", ends_early, pw.rle4(nibbles[3:])),
        ("delta", turned, b"\3\7\0\2\4\1\6\x09\0\0\0\1"),
    ):
        kind = "BMP, RLE4"
        plain = pw.bmp(64, 9, 4, pw.bmp_rows(indices, 4), palette=palette[:64])
        yield Picture(f"rle4_{name}_plain.bmp", plain, kind)
        data = pw.bmp(64, 9, 4, stream, palette=palette[:64], compression=pw.BI_RLE4)
        yield Picture(f"rle4_{name}.bmp", data, kind, differs=early, same_as=f"rle4_{name}_plain.bmp")
    high = w.random.integers(0, 65536, (9, 14))
    rows = pw.bmp_rows(high, 16)
    fields = {"compression": pw.BI_BITFIELDS, "masks": pw.RGB565}
    yield Picture("bits16_header_40.bmp", pw.bmp(14, 9, 16, rows, **fields), "BMP, 16 bits")
    for header in (56, 108, 124):
        data = pw.bmp(14, 9, 16, rows, header=header, **fields)
        why = "OpenCV looks for the masks of 16-bit pixels behind the header, where a longer one has them inside"
        name = f"bits16_header_{header}.bmp"
        yield Picture(name, data, "BMP, 16 bits", differs=why, same_as="bits16_header_40.bmp")
    for kind in ("bmp", "bmp2", "bmp3"):
        rgb = w.rgb(31, 22)
        for name, options in {
            "color": [],
            "alpha": ["-alpha", "set", "-channel", "A", "-evaluate", "set", "40%"],
            "palette": ["-type", "palette", "-colors", "200"],
            "palette_16": ["-type", "palette", "-colors", "12"],
            "two": ["-monochrome"],
            "rle": ["-type", "palette", "-colors", "20", "-compress", "RLE"],
        }.items():
            if kind == "bmp2" and name in ("alpha", "rle"):
                continue
            data = w.convert(rgb, kind, *options)
            runs = kind != "bmp2" and name in ("palette", "rle")
            # It fills lines of runs to a multiple of four pixels. OpenCV then refuses, or draws on in the next line.
            yield Picture(f"convert_{kind}_{name}.bmp", data, "BMP by ImageMagick", not runs, "leaves" if runs else "",
                          "runs beyond the end of a line" if runs and opencv_reads(data) else "")  # fmt: skip
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        file = io.BytesIO()
        Image.fromarray(w.rgb(29, 15)).convert(mode).save(file, "BMP")
        yield Picture(f"pillow_{mode}.bmp", file.getvalue(), "BMP by Pillow")

    pixels = w.random.integers(0, 256, (5, 13))
    rows = pw.bmp_rows(pixels, 8)
    palette = w.random.bytes(1024)
    colors = pw.bmp_rows(w.random.integers(0, 256, (5, 13, 3)), 24)
    whole = pw.bmp(13, 5, 8, rows, palette=palette)
    masks_555 = {"compression": pw.BI_BITFIELDS, "masks": pw.RGB555}
    refused = {
        "one_byte": whole[:-1],
        "one_row": whole[:-16],
        "half": whole[: len(whole) // 2],
        "header_only": whole[:54],
        "header_cut": whole[:30],
        "only_bm": b"BM",
        "color_cut": pw.bmp(13, 5, 24, colors[:-1]),
        "color_padding_cut": pw.bmp(13, 5, 24, colors[:-1]),
        "used_300": pw.bmp(13, 5, 8, rows, palette=palette, used=300),
        "header_16": pw.bmp(13, 5, 8, rows, palette=palette, header=16),
        "width_0": pw.bmp(0, 5, 24, colors),
        "width_negative": pw.bmp(-13, 5, 24, colors),
        "height_0": pw.bmp(13, 0, 24, colors),
        "height_least": pw.bmp(13, -(2**31), 24, colors),
        "bits_2": pw.bmp(13, 5, 2, rows),
        "bits_24_masks": pw.bmp(13, 5, 24, colors, compression=pw.BI_BITFIELDS, masks=(0xFF0000, 0xFF00, 0xFF)),
        "masks_4444": pw.bmp(6, 5, 16, rows, compression=pw.BI_BITFIELDS, masks=(0xF00, 0xF0, 0xF)),
        "masks_565_swapped": pw.bmp(6, 5, 16, rows, compression=pw.BI_BITFIELDS, masks=pw.RGB565[::-1]),
        "masks_cut": pw.bmp(6, 5, 16, b"", **masks_555)[:60],
        "jpeg_inside": pw.bmp(13, 5, 24, colors, compression=4),
        "png_inside": pw.bmp(13, 5, 24, colors, compression=5),
        "rle8_of_4_bits": pw.bmp(13, 5, 4, pw.rle8(pixels % 16), palette=palette[:64], compression=pw.BI_RLE8),
        "rle8_past_row": pw.bmp(13, 5, 8, b"\x20\1" + b"\0\0" * 4 + b"\0\1", palette=palette, compression=pw.BI_RLE8),
        "rle8_cut": pw.bmp(13, 5, 8, pw.rle8(pixels)[:-9], palette=palette, compression=pw.BI_RLE8),
        "offset_past_end": pw.bmp(13, 5, 8, rows, palette=palette, offset=90000),
    }
    for name, data in refused.items():
        yield Picture(f"refused_{name}.bmp", data, "BMP, damaged", False)


def others(w: Writer) -> Iterator[Picture]:
    rgb = w.rgb(20, 10)
    for name, kind in (("gif", "gif"), ("tiff", "tiff"), ("ppm", "ppm"), ("webp", "webp")):
        ok, data = cv2.imencode(f".{kind}", rgb)
        assert ok
        says = "not a JPEG, PNG or BMP image"
        why = "only JPEG, PNG and BMP are read here"
        yield Picture(f"other_{name}.jpg", data.tobytes(), "Other formats", False, says, why)
    yield Picture("other_empty.jpg", b"", "Other formats", False, "empty")
    yield Picture("other_text.jpg", b"not a picture\n", "Other formats", False, "not a JPEG, PNG or BMP image")


FAMILIES = (
    jpeg_sampling, jpeg_gray, jpeg_scans, jpeg_quality, jpeg_colors, jpeg_exif, jpeg_segments, png_forms, png_chunks,
    bmp_forms, others,
)  # fmt: skip


def missing_programs() -> list[str]:
    return [
        f"{program} (Debian package {package})" for program, package in PROGRAMS.items() if not shutil.which(program)
    ]


def write_corpus(folder: Path, seed: int) -> list[dict]:
    """Writes the files and manifest.json; returns the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = []
    with tempfile.TemporaryDirectory() as scratch:
        for number, family in enumerate(FAMILIES):
            # Each family has random numbers of its own: a new file changes no other family's.
            for picture in family(Writer(seed + 1000 * number, Path(scratch))):
                path = folder / picture.name
                assert not path.exists(), f"two pictures are called {picture.name}"
                path.write_bytes(picture.data)
                row = {"file": picture.name, **dataclasses.asdict(picture)}
                manifest.append({key: value for key, value in row.items() if key not in ("name", "data")})
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="an empty folder, or one to create")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if missing_programs():
        sys.exit(f"make_picture_corpus.py: needs {', '.join(missing_programs())}")
    manifest = write_corpus(arguments.folder, arguments.seed)
    readable = sum(row["readable"] for row in manifest)
    print(f"{len(manifest)} files, {readable} of them to be read")


if __name__ == "__main__":
    main()
