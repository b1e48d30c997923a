"""Picture files against OpenCV: every byte of every pixel, of every form of JPEG, PNG and BMP.

LPRNET_PIXELS names the program that prints pixels, LPRNET the one that reads plates; without them the build of the
preset `release` is taken. What is not built or not installed is skipped by name. LPRNET_FEW bounds the number of real
crops that are encoded again (60; a large number for all), LPRNET_PICTURE_SEEDS lists seeds of the corpus, and
LPRNET_PICTURE_MUTANTS is the number of golden pictures changed at random (2000).
"""

from __future__ import annotations

import collections
import dataclasses
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")  # read when cv2 is imported

import cv2
import numpy as np
import pytest

import make_picture_corpus
import make_picture_golden
import picture_writers as pw
from paths import DATA, REPOSITORY, SAMPLES, need_data, need_program

PIXELS = Path(os.environ.get("LPRNET_PIXELS", REPOSITORY / "build/release/tests/lprnet_pixels"))
SEEDS = [int(seed) for seed in os.environ.get("LPRNET_PICTURE_SEEDS", "1").split(",")]
FEW = int(os.environ.get("LPRNET_FEW", "60"))
MUTANTS = int(os.environ.get("LPRNET_PICTURE_MUTANTS", "2000"))
FILES_A_CALL = 200


def decode(folder: Path, files: list[Path]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """What the program makes of the files: pixels as OpenCV orders them, and errors, by name."""
    if not PIXELS.exists():
        pytest.skip(f"the program that prints pixels is not built: {PIXELS}")
    errors = {}
    for begin in range(0, len(files), FILES_A_CALL):
        part = files[begin : begin + FILES_A_CALL]
        result = subprocess.run([PIXELS, folder, *part], capture_output=True, text=True, check=False)
        lines = result.stderr.splitlines()
        assert result.returncode == (3 if lines else 0), result.stderr
        for line in lines:
            path, _, message = line.partition(": ")
            errors[Path(path).name] = message
    pixels = {}
    for file in files:
        path = folder / f"{file.name}.ppm"
        if path.exists():
            header, _, data = path.read_bytes().partition(b"\n")
            width, height = map(int, header.split()[1:3])
            pixels[file.name] = np.frombuffer(data, np.uint8).reshape(height, width, 3)[..., ::-1]
    assert pixels.keys() | errors.keys() == {file.name for file in files}
    assert not pixels.keys() & errors.keys()
    return pixels, errors


def opencv(path: Path) -> np.ndarray | None:
    try:
        return cv2.imread(str(path), cv2.IMREAD_COLOR)
    except cv2.error:  # sizes that it will not hear of
        return None


@pytest.mark.parametrize("seed", SEEDS)
def test_corpus_against_opencv(seed: int, tmp_path: Path) -> None:
    missing = make_picture_corpus.missing_programs()
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    corpus, output = tmp_path / "corpus", tmp_path / "pixels"
    output.mkdir()
    manifest = make_picture_corpus.write_corpus(corpus, seed)
    assert len(manifest) >= 1500
    pixels, errors = decode(output, [corpus / row["file"] for row in manifest])
    wrong = []
    table = collections.defaultdict(collections.Counter)
    for row in manifest:
        name = row["file"]
        ours, theirs = pixels.get(name), opencv(corpus / name)
        same = ours is not None and theirs is not None and np.array_equal(ours, theirs)
        column = "equal" if same else "refused" if ours is None else "other"
        table[row["kind"]][column] += 1
        if row["readable"] != (ours is not None):
            wrong.append(f"{name}: {errors.get(name, 'read, where it should be refused')}")
        elif ours is None and row["says"] not in errors[name]:
            wrong.append(f"{name}: expected an error with {row['says']!r}, found {errors[name]!r}")
        elif row["differs"] and (same if ours is not None else theirs is None):
            wrong.append(f"{name}: no longer differs from OpenCV, though {row['differs']}")
        elif row["differs"] and ours is not None and not np.array_equal(ours, opencv(corpus / row["same_as"])):
            wrong.append(f"{name}: other pixels than {row['same_as']}")
        elif not row["differs"] and ours is not None and not same:
            found = "OpenCV refuses it" if theirs is None else f"{theirs.shape} against {ours.shape}"
            if theirs is not None and theirs.shape == ours.shape:
                off = np.abs(theirs.astype(int) - ours)
                found = f"{np.count_nonzero(off)} of {off.size} values differ, by {off.max()} at most"
            wrong.append(f"{name}: {found}")
        elif not row["differs"] and ours is None and theirs is not None:
            wrong.append(f"{name}: OpenCV reads it, here: {errors[name]}")
    print(f"\n{'kind':<55}{'equal':>8}{'refused':>9}{'other':>8}")
    for kind, counts in sorted(table.items()):
        print(f"{kind:<55}{counts['equal']:>8}{counts['refused']:>9}{counts['other']:>8}")
    total = sum(table.values(), collections.Counter())
    print(f"{'all':<55}{total['equal']:>8}{total['refused']:>9}{total['other']:>8}")
    assert not wrong, "\n".join(wrong)


def test_golden_pictures_are_what_opencv_decodes() -> None:
    assert make_picture_golden.differences(make_picture_golden.GOLDEN) == []


# --- Real crops, encoded again --------------------------------------------------------------------------------------

ENCODINGS = {
    "422": [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422],
    "progressive": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
}


def read_plates(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [need_program(), "read", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_real_crops_encoded_again(encoding: str, tmp_path: Path) -> None:
    """Pixels equal to OpenCV's, and texts to those of PyTorch on OpenCV's pixels."""
    dev, checkpoint = DATA / "plates" / "dev", DATA / "checkpoints" / "public" / "Final_LPRNet_model.pth"
    for path in (dev, checkpoint):
        need_data(path)
    names = [line.split("\t")[0] for line in (dev / "labels.tsv").read_text("utf-8").splitlines()]
    names = names[:: max(1, len(names) // FEW)]
    folder, output = tmp_path / "crops", tmp_path / "pixels"
    folder.mkdir(), output.mkdir()
    files = [folder / f"{number}.jpg" for number in range(len(names))]
    for name, file in zip(names, files, strict=True):
        assert cv2.imwrite(str(file), cv2.imread(str(dev / name)), ENCODINGS[encoding])
    pixels, _errors = decode(output, files)
    assert [file.name for file in files if not np.array_equal(pixels[file.name], opencv(file))] == []

    model, table = tmp_path / "model.safetensors", tmp_path / "texts.tsv"
    scripts = REPOSITORY / "scripts"
    subprocess.run([sys.executable, scripts / "export_weights.py", checkpoint, "-o", model], check=True)
    subprocess.run([sys.executable, scripts / "predict.py", model, "--images", *files, "-o", table], check=True)
    expected = [line.split("\t")[1] for line in table.read_text("utf-8").splitlines()]
    result = read_plates("-m", model, *files)
    assert result.returncode == 0, result.stderr
    texts = [line.split("\t")[0] for line in result.stdout.splitlines()]
    assert len(texts) == len(expected) == len(files)
    print(f"{encoding}: {sum(map(str.__eq__, texts, expected))} of {len(texts)} texts equal")
    assert [(name, a, b) for name, a, b in zip(names, texts, expected, strict=True) if a != b] == []


# --- Damage -----------------------------------------------------------------------------------------------------------


def plate(extension: str, options: list[int] | None = None) -> bytes:
    """A rendered plate as a file that OpenCV writes."""
    picture = cv2.imread(str(sorted(SAMPLES.glob("*.jpg"))[0]))
    picture = cv2.resize(picture, (94, 24), interpolation=cv2.INTER_AREA)
    ok, data = cv2.imencode(extension, picture, options or [])
    assert ok
    return data.tobytes()


def restart_markers(jpeg: bytes) -> list[int]:
    begin = pw.segments(jpeg)[-1][2]
    return [at for at in range(begin, len(jpeg) - 1) if jpeg[at] == 0xFF and 0xD0 <= jpeg[at + 1] <= 0xD7]


def cuts(data: bytes, step: int) -> Iterator[bytes]:
    for size in range(0, len(data), step):
        yield data[:size]


def flips(data: bytes, begin: int, end: int, step: int = 1) -> Iterator[bytes]:
    """One byte of data[begin:end] after the other changed, in three ways."""
    for at in range(begin, end, step):
        for value in {data[at] ^ 0xFF, (data[at] + 1) & 0xFF, data[at] ^ 1 << at % 8}:
            yield data[:at] + bytes([value]) + data[at + 1 :]


def damaged_jpeg() -> Iterator[bytes]:
    restart = [cv2.IMWRITE_JPEG_RST_INTERVAL, 1]
    for options in ([], restart, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], ENCODINGS["422"]):
        jpeg = plate(".jpg", [cv2.IMWRITE_JPEG_QUALITY, 80, *options])
        yield from cuts(jpeg, 7)
        for cut in cuts(jpeg, 41):
            yield cut + pw.EOI
    jpeg = plate(".jpg", restart)
    marks = restart_markers(jpeg)
    assert len(marks) >= 5
    for at, following in zip(marks, [*marks[1:], len(jpeg) - 2], strict=True):
        yield jpeg[:at] + pw.EOI
        yield jpeg[: at + 2] + pw.EOI
        yield jpeg[:at] + jpeg[following:]  # an interval lost
        yield jpeg[:at] + jpeg[at:following] + jpeg[at:]  # an interval twice
        yield jpeg[:at] + jpeg[at + 2 :]
    progressive = plate(".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    scans = [at for at in range(len(progressive) - 1) if progressive[at : at + 2] == b"\xff\xda"]
    assert len(scans) == 10
    for at, following in zip(scans, [*scans[1:], len(progressive) - 2], strict=True):
        yield progressive[:at] + progressive[following:]
        yield progressive[:at] + pw.EOI


def damaged_headers() -> Iterator[bytes]:
    for options in ([], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]):
        jpeg = plate(".jpg", options)
        yield from flips(jpeg, 2, pw.segments(jpeg)[-1][2])


def damaged_scans() -> Iterator[bytes]:
    for options in ([], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 3]):
        jpeg = plate(".jpg", [cv2.IMWRITE_JPEG_QUALITY, 60, *options])
        yield from flips(jpeg, pw.segments(jpeg)[-1][2], len(jpeg), 3)


def with_adler(stream: bytes) -> bytes:
    """A zlib stream with the check sum of what it inflates to, where it inflates to something."""
    inflate = zlib.decompressobj(-15)
    try:
        data = inflate.decompress(stream[2:])
    except zlib.error:
        return stream
    if not inflate.eof:
        return stream
    rest = inflate.unused_data
    return stream[: len(stream) - len(rest)] + struct.pack(">I", zlib.adler32(data)) + rest[4:]


def damaged_png() -> Iterator[bytes]:
    png = plate(".png")
    yield from cuts(png, 7)
    yield from flips(png, 0, len(png), 29)
    small = make_picture_golden.GOLDEN / "png_type3_4_adam7.png"
    yield from flips(small.read_bytes(), 0, small.stat().st_size)
    # The same with check sums that fit, so that what is checked is what they protect.
    samples = np.random.default_rng(3).integers(0, 256, (5, 9, 3))
    rows = pw.png_rows(samples, 8)
    for data in flips(rows, 0, len(rows), 5):
        yield pw.png(samples, 8, pw.RGB, data=zlib.compress(data))
    packed = zlib.compress(rows)
    for data in flips(packed, 0, len(packed) - 4):
        yield pw.png(samples, 8, pw.RGB, data=with_adler(data))
    header = pw.ihdr(9, 5, 8, pw.RGB)[8:21]
    for data in flips(header, 0, len(header)):
        yield pw.PNG_SIGNATURE + pw.chunk(b"IHDR", data) + pw.png(samples, 8, pw.RGB)[33:]


def is_known(file: bytes, width: int, height: int) -> bool:
    """The forms for which the corpus says why OpenCV has other pixels or none."""
    if file[:2] == b"BM":
        header, _width, _height, _planes, bits, compression = struct.unpack("<IiiHHI", file[14:34])
        runs_of_nibbles = compression == pw.BI_RLE4
        masks_inside = bits == 16 and compression == pw.BI_BITFIELDS and header > 40
        return runs_of_nibbles or masks_inside or max(width, height) > 1 << 20
    if file[:4] == b"\x89PNG":  # the check sum inside, and a code of a distance that older stb_image takes for 0
        at, data = 8, b""
        while at + 8 <= len(file):
            length = struct.unpack(">I", file[at : at + 4])[0]
            if file[at + 4 : at + 8] == b"IDAT":
                data += file[at + 8 : at + 8 + length]
            at += 12 + length
        inflate = zlib.decompressobj(-15)
        try:
            found = inflate.decompress(data[2:])
        except zlib.error as error:
            return "invalid distance code" in str(error)
        return inflate.eof and inflate.unused_data[:4] != struct.pack(">I", zlib.adler32(found))
    return False


def damaged_bmp() -> Iterator[bytes]:
    bmp = plate(".bmp")
    yield from cuts(bmp, 7)
    for name in ("bmp_rle8.bmp", "bmp_rle4.bmp", "bmp_4_short_palette.bmp", "bmp_565_top_down.bmp", "bmp_32_v5.bmp"):
        small = (make_picture_golden.GOLDEN / name).read_bytes()
        yield from cuts(small, 1)
        yield from flips(small, 0, len(small))


def with_crcs(png: bytes) -> bytes:
    """Check sums of chunks that fit, as far as there are chunks."""
    out, at = png[:8], 8
    while at + 12 <= len(png):
        end = at + 8 + struct.unpack(">I", png[at : at + 4])[0]
        if end + 4 > len(png):
            break
        out += png[at:end] + struct.pack(">I", zlib.crc32(png[at + 4 : end]))
        at = end + 4
    return out + png[at:]


def mutants(extension: str) -> Callable[[], Iterator[bytes]]:
    """Golden pictures with up to four changes: bytes, bits, pieces lost, doubled or moved in from another picture."""

    def generate() -> Iterator[bytes]:
        random = np.random.default_rng(20)
        seeds = [path.read_bytes() for path in sorted(make_picture_golden.GOLDEN.glob(f"*{extension}"))]
        for _ in range(MUTANTS):
            data = bytearray(seeds[random.integers(len(seeds))])
            for _ in range(random.integers(1, 5)):
                at = int(random.integers(len(data)))
                until = min(len(data), at + int(random.integers(1, 40)))
                change = random.integers(7)
                if change == 0:
                    data[at] = random.integers(256)
                elif change == 1:
                    data[at] ^= 1 << int(random.integers(8))
                elif change == 2:
                    data[at] = random.choice([0, 1, 0x7F, 0x80, 0xFF])
                elif change == 3 and until - at < len(data):
                    del data[at:until]
                elif change == 4:
                    data[at:at] = data[at:until]
                elif change == 5:
                    other = seeds[random.integers(len(seeds))]
                    begin = int(random.integers(len(other)))
                    data[at:until] = other[begin : begin + until - at]
                else:
                    data[at:until] = random.bytes(until - at)
            yield with_crcs(bytes(data)) if extension == ".png" and random.integers(4) else bytes(data)

    return generate


DAMAGE: dict[str, tuple[str, Callable[[], Iterator[bytes]]]] = {
    "jpeg": (".jpg", damaged_jpeg),
    "jpeg headers": (".jpg", damaged_headers),
    "jpeg scans": (".jpg", damaged_scans),
    "png": (".png", damaged_png),
    "bmp": (".bmp", damaged_bmp),
    "random jpeg": (".jpg", mutants(".jpg")),
    "random png": (".png", mutants(".png")),
    "random bmp": (".bmp", mutants(".bmp")),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_what_is_read_in_spite_of_damage_is_what_opencv_reads(kind: str, tmp_path: Path) -> None:
    """Never pixels of our own making: they are OpenCV's, or the picture is refused, with one line."""
    extension, generate = DAMAGE[kind]
    output = tmp_path / "pixels"
    output.mkdir()
    files = []
    for number, data in enumerate(generate()):
        files.append(tmp_path / f"{number}{extension}")
        files[-1].write_bytes(data)
    pixels, _errors = decode(output, files)
    wrong, known = [], 0
    for file in files:
        if file.name in pixels:
            theirs = opencv(file)
            if theirs is not None and np.array_equal(pixels[file.name], theirs):
                continue
            height, width, _ = pixels[file.name].shape
            if is_known(file.read_bytes(), width, height):
                known += 1
            else:
                wrong.append(file.name)
    print(f"{kind}: {len(files)} damaged files, {len(pixels)} read all the same, {known} in forms that differ")
    assert wrong == []
    assert known <= len(files) // 4


def test_cut_plates_give_no_text(tmp_path: Path) -> None:
    """Through the program: each cut file takes one line, and a text stands only for the whole picture."""
    whole = {}
    files = []
    for name, extension, options in (
        ("baseline", ".jpg", []),
        ("restart", ".jpg", [cv2.IMWRITE_JPEG_RST_INTERVAL, 3]),
        ("progressive", ".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
        ("png", ".png", []),
        ("bmp", ".bmp", []),
    ):
        data = plate(extension, options)
        path = tmp_path / f"{name}{extension}"
        path.write_bytes(data)
        whole[name] = read_plates(path).stdout.split("\t")[0]
        assert len(whole[name]) >= 7
        for number, cut in enumerate(cuts(data, 7)):
            files.append(tmp_path / f"{name}_{number}{extension}")
            files[-1].write_bytes(cut)
    result = read_plates(*files)
    assert result.returncode == 3
    lines = result.stdout.splitlines()
    assert len(lines) + len(result.stderr.splitlines()) == len(files)
    for line in lines:
        fields = line.split("\t")
        assert fields[0] == whole[Path(fields[-1]).name.split("_")[0]], line
    # Of each form the end marker or the padding behind it may be what is lost.
    assert len(lines) <= 4


# --- Files that ask for more than they are worth --------------------------------------------------------------------

MAX_SECONDS, MAX_BYTES = 1.0, 256 << 20


def long_jpeg(width: int, height: int, scans: list[bytes], frame: int = pw.SOF2) -> bytes:
    """Gray, with a table whose only AC symbol is a run of 32,767 empty blocks at the most, and one for DC."""
    file = pw.SOI + pw.segment(pw.DQT, b"\0" + bytes([1] * 64))
    file += pw.segment(frame, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    file += pw.dht(0, b"\1" + bytes(15), b"\0") + pw.dht(0x10, b"\1" + bytes(15), b"\xe0")
    return file + b"".join(scans) + pw.EOI


def scan(first: int, last: int, high: int, low: int, data: bytes) -> bytes:
    return pw.segment(pw.SOS, b"\1\1\0" + bytes([first, last, high << 4 | low])) + data


def runs(blocks: int) -> bytes:
    """Entropy-coded data of empty blocks: codes of one bit and 14 more, of the run's length."""
    bits = pw.BitWriter()
    while blocks > 0:
        length = min(32767, max(16384, blocks))
        bits.put(0, 1)
        bits.put(length - 16384, 14)
        blocks -= length
    bits.align()
    return bytes(bits.bytes)


def bombs() -> dict[str, tuple[str, Callable[[], bytes]]]:
    def empty_scans(side: int, count: int) -> bytes:
        blocks = (side // 8) ** 2
        dc = scan(0, 0, 0, 0, bytes(blocks // 8))
        bands = [scan(1 + k % 63, 1 + k % 63, 0, 0, runs(blocks)) for k in range(count)]
        return long_jpeg(side, side, [dc, *bands])

    def bits_one_by_one(side: int, bits: int) -> bytes:
        """Each coefficient in scans of its own, and each of its lowest bits."""
        blocks = (side // 8) ** 2
        dc = bytes(pw.up(blocks, 8))
        scans = []
        for band in range(64):
            data = runs(blocks) if band else dc
            scans.append(scan(band, band, 0, bits, data))
            scans += [scan(band, band, bit, bit - 1, data) for bit in range(bits, 0, -1)]
        return long_jpeg(side, side, scans)

    def inflated(width: int, height: int, size: int) -> bytes:
        packer = zlib.compressobj(9)
        block = bytes(1 << 20)
        data = b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()
        picture = np.zeros((1, 1, 1), int)
        png = pw.png(picture, 8, pw.GRAY, data=data)
        return pw.PNG_SIGNATURE + pw.ihdr(width, height, 8, pw.GRAY) + png[33:]

    def many_chunks() -> bytes:
        return pw.png(np.zeros((1, 1, 1), int), 8, pw.GRAY, before=pw.chunk(b"tEXt", b"a\0b") * 500000)

    def huge(width: int, height: int, kind: int, depth: int) -> bytes:
        return pw.PNG_SIGNATURE + pw.ihdr(width, height, depth, kind) + pw.png(np.zeros((1, 1, 3), int), 8, pw.RGB)[33:]

    gray = long_jpeg(8, 8, [], pw.SOF0)
    sequential = scan(0, 63, 0, 0, b"\x3f")
    small = pw.segment(pw.COM, b"")
    return {
        "70,000 scans": (".jpg", lambda: long_jpeg(8, 8, [sequential] * 70000, pw.SOF0)),
        "70,000 scans of bits": (".jpg", lambda: long_jpeg(8, 8, [scan(1, 63, 0, 0, runs(1))] * 70000)),
        "100 scans of 8192x8192": (".jpg", lambda: empty_scans(8192, 100)),
        "63 scans of 4096x4096": (".jpg", lambda: empty_scans(4096, 63)),
        "63 scans of 2048x2048": (".jpg", lambda: empty_scans(2048, 63)),
        "896 scans of 2048x2048": (".jpg", lambda: bits_one_by_one(2048, 13)),
        "256 scans of 2048x2048": (".jpg", lambda: bits_one_by_one(2048, 3)),
        "256 scans of 4096x4096": (".jpg", lambda: bits_one_by_one(4096, 3)),
        "65500x65500 of nothing": (".jpg", lambda: long_jpeg(65500, 65500, [sequential], pw.SOF0)),
        "65500x65500 progressive": (".jpg", lambda: long_jpeg(65500, 65500, [scan(0, 0, 0, 0, b"")])),
        "65500x16 of nothing": (".jpg", lambda: long_jpeg(65500, 16, [sequential], pw.SOF0)),
        "500,000 comments": (".jpg", lambda: gray[:2] + small * 500000 + gray[2:]),
        "10 million fill bytes": (".jpg", lambda: gray[:2] + b"\xff" * 10**7 + gray[2:]),
        "10 million bytes before a marker": (".jpg", lambda: long_jpeg(8, 8, [sequential + bytes(10**7)], pw.SOF0)),
        "60,000 tables": (".jpg", lambda: gray[:2] + pw.dht(3, b"\1" + bytes(15), b"\0") * 60000 + gray[2:]),
        "60,000 restart markers": (
            ".jpg",
            lambda: long_jpeg(8, 8, [pw.segment(pw.DRI, b"\0\1") + sequential + b"\xff\xd0" * 60000], pw.SOF0),
        ),
        "1x1 with 1 GiB": (".png", lambda: inflated(1, 1, 1 << 30)),
        "30000x30000 of zeros": (".png", lambda: inflated(30000, 30000, 900 << 20)),
        "8000x8000 of zeros": (".png", lambda: inflated(8000, 8000, 62 << 20)),
        "500,000 chunks": (".png", many_chunks),
        "2^31-1 squared": (".png", lambda: huge(0x7FFFFFFF, 0x7FFFFFFF, pw.RGB, 16)),
        "2^31-1 by 1": (".png", lambda: huge(0x7FFFFFFF, 1, pw.GRAY, 1)),
        "1 by 2^31-1": (".png", lambda: huge(1, 0x7FFFFFFF, pw.RGBA, 16)),
        "30000x30000 in runs": (
            ".bmp",
            lambda: pw.bmp(30000, 30000, 8, b"\0\1", palette=bytes(1024), compression=pw.BI_RLE8),
        ),
        "2^31-1 squared, 1 bit": (".bmp", lambda: pw.bmp(0x7FFFFFFF, 0x7FFFFFFF, 1, b"", palette=bytes(8))),
        "8000x8000 in runs": (
            ".bmp",
            lambda: pw.bmp(8000, 8000, 4, b"\0\1", palette=bytes(64), compression=pw.BI_RLE4),
        ),
        "10 million deltas": (
            ".bmp",
            lambda: pw.bmp(300, 300, 8, b"\0\2\0\0" * 10**7 + b"\0\1", palette=bytes(1024), compression=pw.BI_RLE8),
        ),
    }


# Runs a program and prints its exit status, seconds and peak memory. In a process of its own, because the peak of a
# child begins with that of its parent, and this one may hold gigabytes of other tests.
MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""


@pytest.mark.parametrize("name", bombs())
def test_hostile_files_are_bounded(name: str, tmp_path: Path) -> None:
    extension, generate = bombs()[name]
    path = tmp_path / f"picture{extension}"
    path.write_bytes(generate())
    if not PIXELS.exists():
        pytest.skip(f"the program that prints pixels is not built: {PIXELS}")
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, PIXELS, tmp_path, path], capture_output=True, text=True, check=True
    )
    message = run.stderr
    status, seconds, kilobytes = (float(word) for word in run.stdout.split())
    print(f"{name}: {path.stat().st_size} bytes, {seconds:.2f} s, {kilobytes / 1024:.0f} MB: {message or 'read'}")
    assert status in (0, 3), message
    assert len(message.splitlines()) == (1 if status else 0)
    assert kilobytes * 1024 - path.stat().st_size < MAX_BYTES  # the file itself does not count
    assert seconds < MAX_SECONDS


# --- Inputs that went wrong once ------------------------------------------------------------------------------------

TEXT = "川G5W306"


@dataclasses.dataclass
class Case:
    files: list[str]
    status: int
    texts: list[str]
    words: str = ""


CASES = [
    Case(["good.jpg"], 0, [TEXT]),
    Case(["good.jpg", "no_scan.jpg"], 3, [TEXT], "no_scan.jpg: damaged"),
    Case(["no_scan.jpg", "good.jpg", "no_scan.jpg"], 3, [TEXT], "no_scan.jpg: damaged"),
    Case(["jpeg_dht_oob_segv.jpg"], 3, [], "damaged"),
    Case(["jpeg_slow_100scans.jpg"], 3, [], "image"),
    Case(["jpeg_slow_5000scans.jpg"], 3, [], "image"),
    Case(["jpeg_mem_prog4.jpg"], 3, [], "image"),
    Case(["nodqt.jpg"], 3, [], "damaged"),
    Case(["no_eoi.jpg"], 0, [TEXT]),
    Case(["nodht_jpg_422.jpg"], 0, [TEXT]),
    Case(["jpg_422.jpg"], 0, [TEXT]),
    Case(["jpg_arith.jpg"], 3, [], "arithmetic"),
    Case(["exif_6.jpg"], 0, [TEXT]),
    Case(["exif_6.png"], 0, [TEXT]),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "+".join(case.files))
def test_inputs_that_went_wrong_once(case: Case, tmp_path: Path) -> None:
    files = [DATA / "cases" / name for name in case.files]
    for path in files:
        need_data(path)
    result = read_plates(*files)
    assert result.returncode == case.status, result.stderr
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == case.texts
    lines = result.stderr.splitlines()
    assert len(lines) == len(files) - len(case.texts)
    assert all(case.words in line for line in lines)
    pixels, _errors = decode(tmp_path, files)
    for path in files:
        if path.name in pixels:
            assert np.array_equal(pixels[path.name], opencv(path))


def test_short_palette_reads_the_same_every_time(tmp_path: Path) -> None:
    path = DATA / "cases" / "png_palette_short.png"
    need_data(path)
    pixels, _errors = decode(tmp_path, [path])
    assert np.array_equal(pixels[path.name], opencv(path))
    assert len({read_plates(path).stdout for _ in range(5)}) == 1
