#!/usr/bin/env python3
"""Writes the inputs in corpus/ that fuzzing begins with: small, made up here, one for each thing a
parser can meet. Inputs that fuzzing found are kept beside them as found-*, which this leaves alone.

    make_corpus.py        needs Pillow, OpenCV and NumPy, as scripts/requirements.txt has them
"""

import io
import json
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

CORPUS = Path(__file__).resolve().parent / "corpus"
BOM = b"\xef\xbb\xbf"


def picture(width, height, channels=3, seed=1):
    """Stripes and a little noise: neither flat nor incompressible."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    planes = [(x * 23 // (c + 1) + y * 11 * (c + 1)) % 256 for c in range(channels)]
    noise = np.random.default_rng(seed).integers(0, 9, (height, width, channels))
    return np.clip(np.stack(planes, -1) + noise, 0, 255).astype(np.uint8)


def tiff(orientation, order="<"):
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(order + "HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


# --- JPEG ---------------------------------------------------------------------------------------


def segment(marker, payload):
    return bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload


def pillow_jpeg(image, **options):
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=60, optimize=True, **options)
    return stream.getvalue()


def cv2_jpeg(pixels, sampling=None, restart=0):
    options = [cv2.IMWRITE_JPEG_QUALITY, 50, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    if sampling is not None:
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    if restart:
        options += [cv2.IMWRITE_JPEG_RST_INTERVAL, restart]
    return cv2.imencode(".jpg", pixels, options)[1].tobytes()


def without(jpeg, marker):
    """Leaves out the segments of that marker."""
    out, at = bytearray(jpeg[:2]), 2
    while jpeg[at + 1] != 0xDA:
        end = at + 2 + struct.unpack_from(">H", jpeg, at + 2)[0]
        if jpeg[at + 1] != marker:
            out += jpeg[at:end]
        at = end
    return bytes(out + jpeg[at:])


def jpegs():
    rgb = Image.fromarray(picture(19, 11))
    plain = pillow_jpeg(rgb)
    files = {
        "420": plain,
        "422": cv2_jpeg(picture(21, 9), cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422),
        "440": cv2_jpeg(picture(9, 21), cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440),
        "411": cv2_jpeg(picture(35, 9), cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411),
        "444": pillow_jpeg(rgb, subsampling=0),
        "gray": pillow_jpeg(rgb.convert("L")),
        "cmyk": pillow_jpeg(rgb.convert("CMYK")),
        "progressive": pillow_jpeg(rgb, progressive=True),
        "progressive-gray": pillow_jpeg(rgb.convert("L"), progressive=True),
        "restarts": cv2_jpeg(picture(33, 17), restart=1),
        "one-pixel": pillow_jpeg(Image.fromarray(picture(1, 1))),
        "exif": plain[:2] + segment(0xE1, b"Exif\0\0" + tiff(6)) + plain[2:],
        "exif-big-endian": plain[:2] + segment(0xE1, b"Exif\0\0" + tiff(5, ">")) + plain[2:],
        "adobe-rgb": plain[:2] + segment(0xEE, b"Adobe\0\x64\0\0\0\0\0") + plain[2:],
        "comment": plain[:2] + segment(0xFE, b"\x1b[2J\n") + plain[2:],
        "no-eoi": plain[:-2],
        "fill-bytes": plain[:2] + b"\xff\xff\xff" + plain[2:],
        "no-quantization": without(plain, 0xDB),
        "no-scan": plain[: plain.index(b"\xff\xda")] + b"\xff\xd9",
        "cut": plain[:-20],
    }
    # With the tables of the standard, which MJPEG leaves out.
    stream = io.BytesIO()
    rgb.save(stream, "JPEG", quality=60, optimize=False)
    files["no-huffman"] = without(stream.getvalue(), 0xC4)
    arithmetic = bytearray(plain)
    arithmetic[plain.index(b"\xff\xc0") + 1] = 0xC9
    files["arithmetic"] = bytes(arithmetic)
    return {name + ".jpg": data for name, data in files.items()}


# --- PNG ----------------------------------------------------------------------------------------


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(
    width, height, depth, color, interlaced=False, before=b"", between=b"", level=0, row_filter=0, size_of_data=None
):
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    rows = bytearray()
    for x, y, dx, dy in passes:
        columns = (width - x + dx - 1) // dx
        if columns <= 0:
            continue
        for row in range((height - y + dy - 1) // dy):
            size = (columns * CHANNELS[color] * depth + 7) // 8
            rows.append((row_filter + row) % 5 if row_filter else 0)
            rows += bytes((37 * i + 11 * row) % 256 if color != 3 else (i + row) % 2 for i in range(size))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    stream = zlib.compress(bytes(rows), level)
    half = len(stream) // 2
    data = (
        chunk(b"IDAT", stream[:size_of_data])
        if not between
        else chunk(b"IDAT", stream[:half]) + between + chunk(b"IDAT", stream[half:])
    )
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + data + chunk(b"IEND", b"")


def pngs():
    palette = chunk(b"PLTE", bytes(range(0, 255, 5))[: 3 * 16])
    files = {}
    for color, depths in {0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16]}.items():
        for depth in depths:
            before = palette if color == 3 else b""
            files[f"color{color}-{depth}"] = png(11, 5, depth, color, before=before)
    files |= {
        "interlaced": png(11, 9, 8, 2, interlaced=True),
        "interlaced-1": png(9, 9, 1, 3, interlaced=True, before=palette),
        "filters": png(9, 11, 8, 2, row_filter=1),
        "deflated": png(17, 9, 8, 2, level=9),
        "transparent": png(7, 5, 8, 3, before=palette + chunk(b"tRNS", b"\0\x80\xff")),
        "transparent-gray": png(7, 5, 8, 0, before=chunk(b"tRNS", b"\0\x25")),
        "exif": png(7, 5, 8, 2, before=chunk(b"eXIf", tiff(6))),
        "two-parts": png(11, 5, 8, 2, between=chunk(b"IDAT", b"")),
        "parts-apart": png(11, 5, 8, 2, between=chunk(b"tEXt", b"a\0b")),
        "short-palette": png(7, 5, 8, 3, before=chunk(b"PLTE", b"abc")),
        "no-palette": png(7, 5, 8, 3),
        "escape-codes": png(3, 2, 8, 0, before=chunk(b"\x1b[2J", b"")),
        "cut": png(11, 5, 8, 2)[:-30],
        "pixels-of-no-bytes": png(2, 1, 1, 0, size_of_data=0),
    }
    return {name + ".png": data for name, data in files.items()}


# --- BMP ----------------------------------------------------------------------------------------


def bmp(width, height, bits, compression=0, header=40, palette=0, masks=b"", rows=None):
    stride = (abs(width) * bits + 31) // 32 * 4
    if rows is None:
        rows = bytes((7 * i) % 256 if bits != 8 else i % max(palette, 1) for i in range(stride * abs(height)))
    if header == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, bits)
        colors = bytes(range(3 * palette))
    else:
        head = struct.pack(
            "<IiiHHIIiiII", header, width, height, 1, bits, compression, len(rows), 2835, 2835, palette, 0
        )
        colors = b"".join(bytes([i * 9 % 256, i * 5 % 256, i, 0]) for i in range(palette))
        extra = header - 40
        head += masks[:extra].ljust(extra, b"\0") if extra else masks
    offset = 14 + len(head) + len(colors)
    return struct.pack("<2sIHHI", b"BM", offset + len(rows), 0, 0, offset) + head + colors + rows


def bmps():
    masks565 = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    masks8 = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    files = {
        "1": bmp(11, 4, 1, palette=2),
        "4": bmp(7, 4, 4, palette=16),
        "8": bmp(7, 4, 8, palette=5),
        "16": bmp(7, 4, 16),
        "16-masks": bmp(7, 4, 16, compression=3, masks=masks565),
        "24": bmp(7, 4, 24),
        "24-top-down": bmp(7, -4, 24),
        "32": bmp(7, 4, 32),
        "32-v4": bmp(7, 4, 32, compression=3, header=108, masks=masks8),
        "32-v5": bmp(7, 4, 32, compression=3, header=124, masks=masks8),
        "core": bmp(7, 4, 24, header=12),
        "core-8": bmp(7, 4, 8, header=12, palette=5),
        "short-palette": bmp(7, 4, 8, palette=2, rows=bytes(range(32))),
        "rle8": bmp(7, 4, 8, compression=1, palette=5, rows=b"\x07\x01\0\0\x07\x02\0\0\0\1"),
        "cut": bmp(7, 4, 24)[:-9],
        "no-rows": bmp(7, 4, 24, rows=b""),
    }
    return {name + ".bmp": data for name, data in files.items()}


# --- Weights and what describes them ------------------------------------------------------------


def safetensors(tensors, metadata=None, pad=True):
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, shape, values) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header, ensure_ascii=False).encode()
    if pad:
        text = text.ljust(-(-len(text) // 8) * 8)
    return struct.pack("<Q", len(text)) + text + data


def weights():
    floats = struct.pack("<4f", 0.5, -1.0, 1e-41, 3e38)
    sparse = {
        "w.values": ("F32", [2], floats[:8]),
        "w.shape": ("I64", [2], struct.pack("<2q", 3, 3)),
        "w.mask": ("U8", [2], b"\x05\x00"),
    }
    return {
        "one": safetensors({"a": ("F32", [2, 2], floats)}, {"lprnet.format": "1"}),
        "many-types": safetensors(
            {
                d: (d, [8 // s], bytes(8))
                for d, s in {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I8": 1, "BOOL": 1}.items()
            }
        ),
        "sparse": safetensors(sparse),
        "sparse-int8": safetensors(sparse | {"w.values": ("I8", [2], b"\x7f\x80")}),
        "empty": safetensors({}),
        "scalar": safetensors({"s": ("F32", [], floats[:4])}),
        "no-padding": safetensors({"a": ("U8", [3], b"abc")}, pad=False),
        "names": safetensors({"gru\u00df.\u4eac": ("U8", [1], b"a")}, {"k": "\u001b[2J"}),
        "long-header": struct.pack("<Q", 1 << 40) + b"{}",
        "brackets": struct.pack("<Q", 600) + b'{"__metadata__":' + b"[" * 584,
        "cut": safetensors({"a": ("F32", [2, 2], floats)})[:-3],
        # Not a file: pieces for the sparse tensor that the target makes of them.
        "pieces": bytes([32]) + struct.pack("<2q", 3, 3) + b"\x05\x00\x01" + floats,
    }


def metadata():
    """A byte for the number of classes less two, then lines of KEY=VALUE."""
    preprocess = '{"width":94,"height":24,"channel_order":"%s","mean":%s,"scale":0.01,"resize":"bilinear"}'
    lines = {
        "nothing": "",
        "charset": 'charset=["A","京","-"]',
        "charset-twice": 'charset=["A","A","-"]',
        "charset-blank-entry": 'charset=["A","","-"]',
        "charset-bom": 'charset=["\ufeffA","B","-"]',
        "charset-number": 'charset=["A",1,"-"]',
        "charset-pasted": "charset=['A','B','-']",
        "charset-escapes": 'charset=["\\u0041","\\ud83d\\ude00","\\u001b[2J"]',
        "charset-surrogate": 'charset=["\\ud800","B","-"]',
        "charset-brackets": "charset=" + "[" * 2000,
        "charset-braces": "charset=" + '{"a":' * 900,
        "blank": "blank=0\ntemperature=1.5\nsource=a test",
        "blank-too-large": "blank=99",
        "temperature": "temperature=1e400",
        "preprocess": "preprocess=" + preprocess % ("RGB", "[1,2,3]"),
        "preprocess-gray": "preprocess=" + preprocess % ("GRAY", "127.5"),
        "preprocess-large": "preprocess=" + (preprocess % ("BGR", "0")).replace("94", "65536"),
        "preprocess-huge-mean": "preprocess=" + preprocess % ("BGR", "1e39"),
        "preprocess-infinite": "preprocess=" + preprocess % ("BGR", "1e400"),
        "golden": "golden=fnv1a64:0123456789abcdef",
        "format": "format=2",
        "many": "\n".join(f"key{i}=value" for i in range(40)),
    }
    return {name: bytes([1]) + text.encode() for name, text in lines.items()}


TUNING = """lprnet tuning 1
cpu A processor
isa avx2
# a comment
conv 64 64 3x1 18x44 F(6,3)
conv 64 256 1x1 18x44 35% sparse
conv 3 64 3x3 22x92 direct
conv * direct
"""


def tunings():
    return {
        "plain": TUNING.encode(),
        "crlf": TUNING.replace("\n", "\r\n").encode(),
        "bom": BOM + TUNING.encode(),
        "header": b"lprnet tuning 1\n",
        "other-version": b"lprnet tuning 2\n",
        "spaces": b"lprnet tuning 1\n \t cpu x\n\tisa\ty\n  conv 1 1 1x1 1x1 direct",
        "extents": b"lprnet tuning 1\nconv 1048577 0 3x 99999999999x1 105% F(9,9)\n",
        "escape-codes": b"lprnet tuning 1\ncpu \x1b[2J\nconv \x1b\n",
    }


def patterns():
    return {
        "plain": "<letter> = [A-CZ]\n// a comment\nsmall 1 : 京<letter>#{5}\nlarge 0.5: 沪(A|B)[D0-9]{4,6}\n".encode(),
        "escapes": "a : \\#\\[\\\\?@é-\n".encode(),
        "choices": b"a : ((A|B)(C|D|)){0,3}\nb 1e-3 : [^A]{2}\n",
        "nested": ("a : " + "(" * 70 + "A" + ")" * 70).encode(),
        "many-choices": ("a : " + "(A|B|C|D)?{0,9}" * 8).encode(),
        "large-repeat": b"a : #{4294967295}{99999999999}\n",
        "names": b"<a> = A<b>\n<b> = <a>\nx : <a>\n",
        "bom": BOM + b"a : A#\n",
        "escape-codes": b"\x1b[2J : A\n",
    }


def frame_texts():
    words = [
        "nv12:64x32",
        "bgr:4x4:12",
        "yuyv:3x3",
        "i420:32768x32768:99999999999999999999",
        "rgba:1x1:4",
        "1,2,3,4",
        "-5,0,70000,1",
        "0,0,10,0,10,5,0,5",
        "1e9,0,2e9,0,2e9,nan,1e9,5",
        "0.5,0.5,9.5,1,9,4.5,0,4",
        "gray:0x1",
        ",,,",
    ]
    return {f"{i:02}": word.encode() for i, word in enumerate(words)}


def labels():
    return {
        "plain": "a.jpg\t京A12345\nfolder/b.png\tABC\ttest\textra\r\n\nc.bmp\tX".encode(),
        "bom": BOM + b"a.jpg\tA\n",
        "no-text": b"a.jpg\t\n",
        "one-field": b"a.jpg\n",
        "latin1": b"a.jpg\t\xe9\n",
        "escape-codes": b"\x1b[2J\t\x1b\n\x00\t\x00",
        "nothing": b"\r\n\n",
        "absolute": b"/a/../b\tA\n",
    }


def lists():
    return {
        "plain": b"a\nb c\r\n\nd",
        "bom": BOM + b"a\nb\n",
        "bom-alone": BOM + b"\n" + BOM + b"a",
        "zero": b"a\0b\n\0\n",
        "minus": b"-\n--\n",
        "latin1": b"\xe9\n\xff\n",
        "utf16": "a\nb\n".encode("utf-16"),
    }


def texts():
    """A byte for the longest that is shown, one for the length of the first of two texts."""
    pairs = [
        ("A12345", "A1Z345"),
        ("京A", "沪A"),
        ("\x1b[2J", "\n\r\t\0"),
        ("\u202eabc", "\u2028\u0085"),
        ("", "\ufeff"),
        ("é" * 9, "e\u0301"),
    ]
    files = {f"{i}": bytes([9, len(a.encode())]) + (a + b).encode() for i, (a, b) in enumerate(pairs)}
    files["invalid"] = bytes([3, 6]) + b"\xc0\x80\xed\xa0\x80\xff\xf4\x90\x80\x80\xe4\xba"
    return files


# --- Inputs that targets cut into values --------------------------------------------------------


def random_bytes(count, size, seed):
    generator = np.random.default_rng(seed)
    return {f"{i}": generator.integers(0, 256, size, np.uint8).tobytes() for i in range(count)}


def properties():
    """As properties_of() in bpu_properties_fuzz.cpp takes them: tensors that are accepted."""
    files = random_bytes(6, 120, 7)
    for shape in range(6):
        for kind in range(14):
            # Shape, type, layout, NCHW, aligned alike, strides as aligned, 60000 bytes.
            head = bytes([shape, kind, 1, 0, 1, 0, 1]) + struct.pack("<H", 60000)
            quantized = bytes([2, 0]) + b"".join(bytes([9 + i]) + struct.pack("<fbB", 0.25, 3, 4) for i in range(4))
            # One scale, no zero points.
            files[f"shape{shape}-type{kind}"] = head + quantized + bytes([0, 0, 3, 0, 0, 1, 2, 3])
    return files


def dumps():
    files = random_bytes(3, 60, 11)
    ones = bytes([4]) + struct.pack("<f", 1.0)
    nan = bytes([4]) + struct.pack("<f", float("nan"))
    files |= {
        "plain": bytes([0, 0]) + ones + bytes([0]) + ones,
        "json": bytes([128, 0]) + ones + bytes([0]) + ones + bytes([3, 0]) + ones,
        "layers": bytes([0, 0]) + ones + bytes([0]) + ones + b"".join(bytes([i, 0]) + ones for i in range(1, 9)),
        "not-numbers": bytes([0, 0]) + nan + bytes([0]) + nan,
        "two-images": bytes([0, 3]) + ones + bytes([3]) + ones,
        "other-images": bytes([0, 0]) + ones + bytes([3]) + ones,
        "integers": bytes([0, 2]) + ones + bytes([0]) + ones,
        "no-images": bytes([0, 192]) + ones + bytes([192]) + ones,
        "no-format": bytes([5, 0]) + ones + bytes([0]) + ones,
        "no-input": bytes([6, 5, 0]) + ones,
        "a-file": bytes([7]) + safetensors({"input": ("F32", [1], bytes(4))}, {"lprnet.format": "\u001b[2J"}),
        "no-file": bytes([7]) + b"\x1b[2J",
    }
    return files


def main():
    made = {
        "bmp": bmps(),
        "bpu_properties": properties(),
        "dump": dumps(),
        "frame_text": frame_texts(),
        # As large as a network's input; the targets take the other pictures too.
        "image_to_text": {"plate.jpg": cv2_jpeg(picture(94, 24))},
        "inputs": lists(),
        "jpeg": jpegs(),
        "labels": labels(),
        "metadata": metadata(),
        "patterns": patterns(),
        "picture": {"neither": b"GIF89a\1\0\1\0"},
        "png": pngs(),
        "printable": texts(),
        "safetensors": weights(),
        "track": random_bytes(12, 160, 5),
        "tuning": tunings(),
        "weights": {f"network-{i}": bytes([i]) for i in range(6)},
    }
    total = 0
    for target, files in made.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if not old.name.startswith("found-"):
                old.unlink()
        for name, data in files.items():
            (folder / name).write_bytes(data)
            total += len(data)
    print(f"{sum(map(len, made.values()))} files, {total} bytes")


if __name__ == "__main__":
    main()
