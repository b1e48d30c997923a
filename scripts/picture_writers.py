"""JPEG, PNG, BMP and EXIF written byte by byte, for forms that no encoder writes.

What is here is as small as a test needs: a JPEG of any sampling factors and any order of scans, coded with the
standard's own Huffman tables; a PNG of any type, depth and filter; a BMP of any header. Damage is done by the
caller, to the bytes or by an argument that says something false.
"""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

# --- JPEG ---------------------------------------------------------------------------------------------------------

# Coefficient k of the file to its place in a block by rows: diagonals, upwards and downwards in turn.
ZIGZAG = np.array(sorted(range(64), key=lambda i: (i // 8 + i % 8, i // 8 if (i // 8 + i % 8) % 2 else i % 8)))
COSINES = np.array(
    [[(0.5 if k else np.sqrt(1 / 8)) * np.cos((2 * n + 1) * k * np.pi / 16) for n in range(8)] for k in range(8)]
)
SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SOF0, SOF1, SOF2, DHT, SOS, DQT, DNL, DRI, APP0, APP1, APP2, APP14, COM = (
    0xC0, 0xC1, 0xC2, 0xC4, 0xDA, 0xDB, 0xDC, 0xDD, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE)  # fmt: skip


def segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


JFIF = segment(APP0, b"JFIF\0" + struct.pack(">HBHHBB", 0x0101, 0, 1, 1, 0, 0))
XMP = segment(APP1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")


def adobe(transform: int) -> bytes:
    return segment(APP14, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform))


def segments(jpeg: bytes) -> list[tuple[int, int, int]]:
    """Marker, first and one-past-last byte of each segment up to the first scan's header."""
    found, at = [], 2
    while True:
        end = at + 2 + struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        found.append((jpeg[at + 1], at, end))
        if jpeg[at + 1] == SOS:
            return found
        at = end


def without(jpeg: bytes, marker: int) -> bytes:
    """The file without its segments of one kind."""
    for kind, begin, end in reversed(segments(jpeg)):
        if kind == marker:
            jpeg = jpeg[:begin] + jpeg[end:]
    return jpeg


def before_scan(jpeg: bytes, extra: bytes) -> bytes:
    """The file with bytes put in front of the first scan's header."""
    at = segments(jpeg)[-1][1]
    return jpeg[:at] + extra + jpeg[at:]


@functools.cache
def standard_codes() -> dict[int, tuple[bytes, bytes]]:
    """Class and slot of a DHT segment to counts and symbols: those that libjpeg writes where it does not optimize."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    jpeg, codes = file.getvalue(), {}
    for kind, begin, end in segments(jpeg):
        at = begin + 4
        while kind == DHT and at < end:
            counts = jpeg[at + 1 : at + 17]
            codes[jpeg[at]] = (counts, jpeg[at + 17 : at + 17 + sum(counts)])
            at += 17 + sum(counts)
    return codes


def dht(slot: int, counts: bytes, symbols: bytes) -> bytes:
    return segment(DHT, bytes([slot]) + counts + symbols)


@functools.cache
def codewords(slot: int) -> dict[int, tuple[int, int]]:
    """Symbol to code and its length."""
    counts, symbols = standard_codes()[slot]
    words, code, at = {}, 0, 0
    for length, count in enumerate(counts, 1):
        for symbol in symbols[at : at + count]:
            words[symbol] = (code, length)
            code += 1
        at += count
        code <<= 1
    return words


class BitWriter:
    """Entropy-coded data: most significant bit first, a zero after each byte FF."""

    def __init__(self) -> None:
        self.bytes = bytearray()
        self.pending, self.count = 0, 0

    def put(self, value: int, length: int) -> None:
        self.pending, self.count = self.pending << length | value, self.count + length
        while self.count >= 8:
            self.count -= 8
            byte = self.pending >> self.count & 0xFF
            self.bytes += b"\xff\0" if byte == 0xFF else bytes([byte])
        self.pending &= (1 << self.count) - 1

    def put_number(self, value: int) -> None:
        length = abs(value).bit_length()
        self.put(value if value >= 0 else value + (1 << length) - 1, length)

    def align(self) -> None:
        if self.count:
            self.put((1 << (8 - self.count)) - 1, 8 - self.count)


def put_block(bits: BitWriter, coefficients: Sequence[int], last_dc: int) -> None:
    dc, ac = codewords(0), codewords(0x10)
    difference = coefficients[0] - last_dc
    bits.put(*dc[abs(difference).bit_length()])
    bits.put_number(difference)
    run = 0
    for value in coefficients[1:]:
        if value == 0:
            run += 1
            continue
        while run > 15:
            bits.put(*ac[0xF0])
            run -= 16
        bits.put(*ac[run << 4 | abs(value).bit_length()])
        bits.put_number(value)
        run = 0
    if run:
        bits.put(*ac[0])


def transform(plane: np.ndarray, steps: np.ndarray, high: int, wide: int, padding: np.ndarray | None) -> np.ndarray:
    """Quantized coefficients of high x wide blocks. What lies beside the plane is its edge, or `padding`."""
    height, width = plane.shape
    samples = np.pad(plane, ((0, high * 8 - height), (0, wide * 8 - width)), mode="edge")
    if padding is not None:
        samples[height:], samples[:, width:] = padding[height:], padding[:, width:]
    blocks = (samples - 128.0).reshape(high, 8, wide, 8).swapaxes(1, 2)
    spectrum = np.einsum("ij,abjk,lk->abil", COSINES, blocks, COSINES).reshape(high, wide, 64)
    return np.rint(spectrum[..., ZIGZAG] / steps).astype(int)


def up(a: int, b: int) -> int:
    return -(-a // b)


def jpeg(
    width: int,
    height: int,
    factors: Sequence[tuple[int, int]],
    planes: Sequence[np.ndarray],
    *,
    steps: np.ndarray | None = None,
    padding: np.random.Generator | None = None,
    head: bytes = JFIF,
    ids: Sequence[int] | None = None,
    scans: Sequence[Sequence[int]] | None = None,
    restart: int = 0,
    sof: int = SOF0,
    coefficients: Sequence[np.ndarray] | None = None,
) -> bytes:
    """A sequential JPEG. planes[i] has the component's own size, `scans` lists the components of each scan.

    `padding` fills what lies beside the picture with noise, which no pixel may depend on. `coefficients`, by blocks
    in whole MCUs and in the order of the file, replaces the transform of the planes.
    """
    steps = np.full(64, 4) if steps is None else steps
    ids = range(1, len(factors) + 1) if ids is None else ids
    across, down = max(h for h, _ in factors), max(v for _, v in factors)
    mcus_wide, mcus_high = up(width, 8 * across), up(height, 8 * down)
    if coefficients is None:
        coefficients = []
        for (h, v), plane in zip(factors, planes, strict=False):
            high, wide = mcus_high * v, mcus_wide * h
            noise = None if padding is None else padding.uniform(0, 255, (8 * high, 8 * wide))
            coefficients.append(transform(plane, steps, high, wide, noise))
    wide_steps = bool((steps > 255).any())
    file = SOI + head
    file += segment(DQT, bytes([wide_steps << 4]) + steps.astype(">u2" if wide_steps else "u1").tobytes())
    frame = struct.pack(">BHHB", 8, height, width, len(factors))
    file += segment(sof, frame + b"".join(bytes([i, h << 4 | v, 0]) for i, (h, v) in zip(ids, factors, strict=False)))
    for slot in (0, 0x10):
        file += dht(slot, *standard_codes()[slot])
    if restart:
        file += segment(DRI, struct.pack(">H", restart))
    for scan in scans or [range(len(factors))]:
        file += segment(SOS, bytes([len(scan)]) + b"".join(bytes([ids[i], 0]) for i in scan) + b"\0\x3f\0")
        rows, columns = mcus_high, mcus_wide
        if len(scan) == 1:  # one block is one MCU, and those beside the picture are left out
            h, v = factors[scan[0]]
            rows, columns = up(up(height * v, down), 8), up(up(width * h, across), 8)
        bits, last_dc = BitWriter(), [0] * len(factors)
        for mcu in range(rows * columns):
            if restart and mcu and mcu % restart == 0:
                bits.align()
                bits.bytes += bytes([0xFF, 0xD0 + (mcu // restart - 1) % 8])
                last_dc = [0] * len(factors)
            for i in scan:
                h, v = (1, 1) if len(scan) == 1 else factors[i]
                for block in range(h * v):
                    y, x = mcu // columns * v + block // h, mcu % columns * h + block % h
                    values = coefficients[i][y, x].tolist()
                    put_block(bits, values, last_dc[i])
                    last_dc[i] = values[0]
        bits.align()
        file += bytes(bits.bytes)
    return file + EOI


# --- EXIF ---------------------------------------------------------------------------------------------------------

ORIENTATION = 0x0112
SHORT, LONG = 3, 4


def entry(tag: int, kind: int, count: int, value: int | bytes) -> tuple[int, int, int, int | bytes]:
    return (tag, kind, count, value)


def orientation(value: int, kind: int = SHORT, count: int = 1) -> tuple[int, int, int, int | bytes]:
    return entry(ORIENTATION, kind, count, value)


def tiff(
    entries: Sequence[tuple[int, int, int, int | bytes]],
    little: bool = True,
    *,
    at: int = 8,
    count: int | None = None,
    magic: int = 42,
    order: bytes | None = None,
    tail: bytes = b"",
) -> bytes:
    """One directory at byte `at`. A value is a number of the entry's kind, or the four bytes themselves."""
    mark = "<" if little else ">"
    file = (order or (b"II" if little else b"MM")) + struct.pack(mark + "HI", magic, at) + bytes(at - 8)
    file += struct.pack(mark + "H", len(entries) if count is None else count)
    for tag, kind, number, value in entries:
        if not isinstance(value, bytes):
            value = struct.pack(mark + ("HH" if kind == SHORT else "I"), *((value, 0) if kind == SHORT else (value,)))
        file += struct.pack(mark + "HHI", tag, kind, number) + value
    return file + struct.pack(mark + "I", 0) + tail


def exif(data: bytes) -> bytes:
    return segment(APP1, b"Exif\0\0" + data)


# --- PNG ----------------------------------------------------------------------------------------------------------

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
PNG_CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}
PNG_DEPTHS = {GRAY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GRAY_ALPHA: (8, 16), RGBA: (8, 16)}
# First column and row of each pass, and the steps from there.
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(name: bytes, data: bytes, crc: int | None = None) -> bytes:
    crc = zlib.crc32(name + data) if crc is None else crc
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)


def pack_samples(row: np.ndarray, depth: int) -> bytes:
    """Samples of 1 to 16 bits, the first in the highest bits."""
    if depth >= 8:
        return row.astype(">u2" if depth == 16 else "u1").tobytes()
    each = 8 // depth
    padded = np.pad(row, (0, -len(row) % each)).reshape(-1, each)
    return sum(padded[:, i] << (8 - depth * (i + 1)) for i in range(each)).astype("u1").tobytes()


def filter_rows(rows: Sequence[bytes], step: int, kinds: Sequence[int]) -> bytes:
    """PNG's filters, one kind of `kinds` after the other; `step` bytes to the pixel on the left."""
    out, above = b"", None
    for y, row in enumerate(rows):
        here = np.frombuffer(row, "u1").astype(int)
        above = np.zeros_like(here) if above is None else above
        left, corner = (np.concatenate([np.zeros(step, int), line])[: len(here)] for line in (here, above))
        kind = kinds[y % len(kinds)]
        if kind == 4:
            guess = left + above - corner
            to_left, to_above, to_corner = abs(guess - left), abs(guess - above), abs(guess - corner)
            nearer = np.where(to_above <= to_corner, above, corner)
            guess = np.where((to_left <= to_above) & (to_left <= to_corner), left, nearer)
        else:
            guess = (0, left, above, (left + above) // 2)[kind]
        out += bytes([kind]) + (here - guess & 0xFF).astype("u1").tobytes()
        above = here
    return out


def png_rows(samples: np.ndarray, depth: int, adam7: bool = False, filters: Sequence[int] = (0, 1, 2, 3, 4)) -> bytes:
    """What the image data of a PNG inflates to. samples: height x width x channels."""
    step = max(1, samples.shape[2] * depth // 8)
    out = b""
    for x, y, dx, dy in ADAM7 if adam7 else [(0, 0, 1, 1)]:
        part = samples[y::dy, x::dx]
        if part.size:
            out += filter_rows([pack_samples(row.reshape(-1), depth) for row in part], step, filters)
    return out


def ihdr(width: int, height: int, depth: int, kind: int, adam7: bool = False) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, adam7))


def png(
    samples: np.ndarray,
    depth: int,
    kind: int,
    adam7: bool = False,
    *,
    filters: Sequence[int] = (0, 1, 2, 3, 4),
    before: bytes = b"",
    palette: bytes | None = None,
    transparent: bytes | None = None,
    data: bytes | None = None,
    split: int = 0,
    after: bytes = b"",
) -> bytes:
    """`before` and `after` are chunks around the image data, which `data` replaces and `split` cuts into IDATs."""
    height, width, _ = samples.shape
    file = PNG_SIGNATURE + ihdr(width, height, depth, kind, adam7) + before
    if palette is not None:
        file += chunk(b"PLTE", palette)
    if transparent is not None:
        file += chunk(b"tRNS", transparent)
    data = zlib.compress(png_rows(samples, depth, adam7, filters), 9) if data is None else data
    split = split or max(1, len(data))
    for at in range(0, max(1, len(data)), split):
        file += chunk(b"IDAT", data[at : at + split])
    return file + after + chunk(b"IEND", b"")


# --- BMP ----------------------------------------------------------------------------------------------------------

BI_RGB, BI_RLE8, BI_RLE4, BI_BITFIELDS = 0, 1, 2, 3
RGB555, RGB565 = (0x7C00, 0x3E0, 0x1F), (0xF800, 0x7E0, 0x1F)


def bmp_rows(pixels: np.ndarray, bits: int) -> bytes:
    """Rows from the bottom up, padded to four bytes. pixels: height x width numbers, or x 3 bytes of B, G, R."""
    out = b""
    for row in pixels[::-1]:
        if bits == 24:
            line = row.astype("u1").tobytes()
        else:
            line = pack_samples(row, bits) if bits <= 8 else row.astype("<u2" if bits == 16 else "<u4").tobytes()
        out += line + bytes(-len(line) % 4)
    return out


def bmp(
    width: int,
    height: int,
    bits: int,
    data: bytes,
    *,
    palette: bytes = b"",
    used: int = 0,
    compression: int = BI_RGB,
    masks: Sequence[int] = (),
    header: int = 40,
    gap: bytes = b"",
    offset: int | None = None,
) -> bytes:
    """`header` bytes of the second header: 12 for OS/2, 40, 108 (V4), 124 (V5). A negative height is top-down."""
    packed_masks = struct.pack(f"<{len(masks)}I", *masks)
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, len(data), 2835, 2835, used, 0)
        info += (packed_masks + bytes(header))[: header - 40] if header > 40 else packed_masks
    start = 14 + len(info) + len(palette) + len(gap) if offset is None else offset
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + info + palette + gap + data


def rle8(indices: np.ndarray, absolute: bool = False) -> bytes:
    out = b""
    for row in indices[::-1].tolist():
        if absolute and len(row) > 2:
            out += bytes([0, len(row), *row]) + bytes(len(row) % 2)
        else:
            out += b"".join(bytes([1, index]) for index in row)
        out += b"\0\0"
    return out[:-2] + b"\0\1"


def rle4(indices: np.ndarray, absolute: bool = False) -> bytes:
    out = b""
    for row in indices[::-1].tolist():
        pairs = row + [0] * (-len(row) % 4)
        packed = bytes(high << 4 | low for high, low in zip(pairs[::2], pairs[1::2], strict=True))
        if absolute and len(row) > 2:
            out += bytes([0, len(row)]) + packed
        else:
            out += b"".join(bytes([min(2, len(row) - 2 * i), packed[i]]) for i in range(up(len(row), 2)))
        out += b"\0\0"
    return out[:-2] + b"\0\1"
