#!/usr/bin/env python3
"""Writes tests/golden/pictures/: small picture files, and what OpenCV makes of them.

    index.txt    one line per file, after lines that begin with '#':
                 NAME WIDTH HEIGHT HASH     read; 64-bit FNV-1a of the pixels, by rows, red, green, blue
                 NAME - WORDS               not read, with these words in the error
    NAME         the file

Usage: make_picture_golden.py [--check] [FOLDER]
--check compares the files that are there with OpenCV, writes nothing and fails on a difference.
Needs what make_picture_corpus.py needs; --check needs numpy and opencv-python-headless alone.
"""

from __future__ import annotations

import argparse
import struct
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

import picture_writers as pw
from make_picture_corpus import COMMON, Writer

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden" / "pictures"
LARGEST, LARGEST_FOLDER = 1500, 60000


def readable(w: Writer) -> Iterator[tuple[str, bytes]]:
    coarse = {"steps": np.full(64, 24)}
    for name, factors in COMMON.items():
        yield f"jpeg_{name}.jpg", w.jpeg(21, 13, factors, **coarse)
    for name in ("444", "420", "422"):
        yield f"jpeg_{name}_progressive.jpg", w.retell(w.jpeg(19, 11, COMMON[name], **coarse), "-progressive")
    yield "jpeg_odd_factors.jpg", w.jpeg(21, 13, [(2, 2), (2, 1), (1, 2)], **coarse)
    yield "jpeg_small_luma.jpg", w.jpeg(13, 9, [(1, 1), (2, 2), (1, 1)], **coarse)
    yield "jpeg_one_pixel.jpg", w.jpeg(1, 1, COMMON["420"])
    yield "jpeg_three_wide.jpg", w.jpeg(3, 20, COMMON["420"], **coarse)
    yield "jpeg_gray.jpg", w.jpeg(17, 9, [(2, 1)], **coarse)
    yield "jpeg_apart.jpg", w.jpeg(21, 13, COMMON["420"], scans=[[2], [0], [1]], restart=2, **coarse)
    yield "jpeg_restart.jpg", w.jpeg(25, 17, COMMON["422"], restart=1, **coarse)
    yield "jpeg_rgb.jpg", w.jpeg(13, 9, COMMON["444"], head=pw.adobe(0), **coarse)
    yield "jpeg_rgb_by_name.jpg", w.jpeg(13, 9, COMMON["444"], head=b"", ids=[82, 71, 66], **coarse)
    yield "jpeg_cmyk.jpg", w.jpeg(13, 9, [(1, 1)] * 4, head=pw.adobe(0), **coarse)
    yield "jpeg_ycck.jpg", w.jpeg(13, 9, [(2, 2), (1, 1), (1, 1), (2, 2)], head=pw.adobe(2), **coarse)
    yield "jpeg_steps_16_bits.jpg", w.jpeg(17, 9, COMMON["420"], steps=np.full(64, 300), sof=pw.SOF1)
    motion = pw.without(w.jpeg(21, 13, COMMON["422"], **coarse), pw.DHT)
    yield "jpeg_no_tables.jpg", motion
    yield "jpeg_no_tables_no_end.jpg", motion[:-2]
    yield "jpeg_after_end.jpg", w.jpeg(9, 9, COMMON["444"], **coarse) + b"garbage"
    for value in range(2, 9):
        head = pw.exif(pw.tiff([pw.entry(0x100, 3, 1, 5), pw.orientation(value)], value % 2 == 0))
        yield f"jpeg_turned_{value}.jpg", w.jpeg(13, 7, COMMON["420"], head=head, **coarse)
    for kind, depth, adam7 in (
        (pw.GRAY, 1, True),
        (pw.GRAY, 2, False),
        (pw.GRAY, 4, True),
        (pw.GRAY, 16, False),
        (pw.RGB, 8, True),
        (pw.RGB, 16, False),
        (pw.PALETTE, 4, True),
        (pw.GRAY_ALPHA, 8, False),
        (pw.RGBA, 8, False),
        (pw.RGBA, 16, True),
    ):
        samples = w.random.integers(0, 1 << depth, (7, 11, pw.PNG_CHANNELS[kind]))
        # Shorter than the indices go: what lies beyond is black.
        palette = w.random.bytes(3 * 11) if kind == pw.PALETTE else None
        transparent = struct.pack(">H", int(samples[0, 0, 0])) if kind == pw.GRAY else None
        before = pw.chunk(b"gAMA", struct.pack(">I", 100000))
        data = pw.png(samples, depth, kind, adam7, palette=palette, transparent=transparent, before=before, split=50)
        yield f"png_type{kind}_{depth}{'_adam7' if adam7 else ''}.png", data
    samples = w.random.integers(0, 256, (5, 9, 3))
    for value in (3, 6):
        turned = pw.chunk(b"eXIf", pw.tiff([pw.orientation(value)]))
        yield f"png_turned_{value}.png", pw.png(samples, 8, pw.RGB, after=turned)
    pixels = w.random.integers(0, 16, (5, 9))
    palette = w.random.bytes(4 * 12)
    yield "bmp_4_short_palette.bmp", pw.bmp(9, 5, 4, pw.bmp_rows(pixels, 4), palette=palette, used=12)
    yield "bmp_1_os2.bmp", pw.bmp(9, 5, 1, pw.bmp_rows(pixels % 2, 1), palette=palette[:6], header=12)
    yield "bmp_rle4.bmp", pw.bmp(9, 5, 4, pw.rle4(pixels, True), palette=palette, used=12, compression=pw.BI_RLE4)
    yield "bmp_rle8.bmp", pw.bmp(9, 5, 8, pw.rle8(pixels), palette=palette, used=12, compression=pw.BI_RLE8)
    pixels = w.random.integers(0, 65536, (5, 9))
    data = pw.bmp(9, -5, 16, pw.bmp_rows(pixels, 16), compression=pw.BI_BITFIELDS, masks=pw.RGB565)
    yield "bmp_565_top_down.bmp", data
    yield "bmp_555.bmp", pw.bmp(9, 5, 16, pw.bmp_rows(pixels, 16))
    yield "bmp_24.bmp", pw.bmp(9, 5, 24, pw.bmp_rows(w.random.integers(0, 256, (5, 9, 3)), 24))
    pixels = w.random.integers(0, 1 << 32, (5, 9))
    masks = (0xFF, 0xFF00, 0xFF0000, 0xFF000000)
    data = pw.bmp(9, 5, 32, pw.bmp_rows(pixels, 32), compression=pw.BI_BITFIELDS, masks=masks, header=124)
    yield "bmp_32_v5.bmp", data


def refused(w: Writer) -> Iterator[tuple[str, bytes, str]]:
    coarse = {"steps": np.full(64, 24)}
    jpeg = w.jpeg(21, 13, COMMON["420"], restart=1, **coarse)
    *_, (_, header, scan) = pw.segments(jpeg)
    yield "cut_in_scan.jpg", jpeg[: (scan + len(jpeg)) // 2] + pw.EOI, "damaged"
    yield "cut_at_restart.jpg", jpeg[: jpeg.rindex(b"\xff\xd0") + 2] + pw.EOI, "damaged"
    yield "no_scan.jpg", jpeg[:header] + pw.EOI, "damaged"
    yield "no_steps.jpg", pw.without(jpeg, pw.DQT), "damaged"
    yield "table_too_full.jpg", pw.before_scan(jpeg, pw.dht(0, b"\3" + bytes(15), b"abc")), "damaged"
    yield "arithmetic.jpg", w.retell(jpeg, "-arithmetic"), "arithmetic"
    sof = b"\xff\xc0\0\x11\x08"
    yield "lossless.jpg", jpeg.replace(sof, b"\xff\xc3\0\x11\x08"), "lossless"
    yield "twelve_bits.jpg", jpeg.replace(sof, b"\xff\xc1\0\x11\x0c"), "12 bits"
    progressive = w.retell(w.jpeg(19, 11, COMMON["420"], **coarse), "-progressive")
    yield "last_scan_missing.jpg", progressive[: progressive.rindex(b"\xff\xda")] + pw.EOI, "damaged"
    png = pw.png(w.random.integers(0, 256, (5, 9, 3)), 8, pw.RGB)
    yield "no_end.png", png[:-12], "damaged"
    yield "wrong_crc.png", png[:-14] + b"ab" + png[-12:], "damaged"
    samples = w.random.integers(0, 256, (5, 9, 3))
    short = zlib.compress(pw.png_rows(samples, 8)[:-3])
    yield "rows_missing.png", pw.png(samples, 8, pw.RGB, data=short), "damaged"
    yield "cut.bmp", pw.bmp(9, 5, 24, pw.bmp_rows(samples, 24))[:-1], "damaged"


def fnv1a(data: bytes) -> int:
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def line_of(path: Path, words: str | None) -> str:
    if words is not None:
        return f"{path.name} - {words}"
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        return f"{path.name} is not read by OpenCV"
    return f"{path.name} {pixels.shape[1]} {pixels.shape[0]} {fnv1a(pixels[..., ::-1].tobytes()):016x}"


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    with tempfile.TemporaryDirectory() as scratch:
        w = Writer(7, Path(scratch))
        files = [(name, data, None) for name, data in readable(w)] + list(refused(w))
    lines = ["# Written by scripts/make_picture_golden.py, which describes it.", f"# OpenCV {cv2.__version__}"]
    for name, data, words in files:
        assert len(data) <= LARGEST, f"{name} has {len(data)} bytes"
        (folder / name).write_bytes(data)
        lines.append(line_of(folder / name, words))
    assert sum(len(data) for _, data, _ in files) <= LARGEST_FOLDER
    (folder / "index.txt").write_text("\n".join(lines) + "\n")


def differences(folder: Path) -> list[str]:
    wrong = []
    for line in (folder / "index.txt").read_text().splitlines():
        name, second, words = line.split(" ", 2)
        found = line_of(folder / name, words if second == "-" else None) if name != "#" else line
        if found != line:
            wrong.append(f"{line}: OpenCV gives {found}")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=GOLDEN)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    if not arguments.check:
        write(arguments.folder)
    wrong = differences(arguments.folder)
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
