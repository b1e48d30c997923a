"""Pixels in every arrangement that numpy has, and what is none: the right answer or an error, never another's text."""

import array
import ctypes
import gc
import weakref

import numpy as np
import pytest

import lprnet


@pytest.fixture(scope="module")
def plate(samples):
    return lprnet.decode_image(samples[1])


@pytest.fixture(scope="module")
def expected(recognizer, samples):
    return recognizer.read(samples[1])


def spread(plate, steps):
    """The same pixels as every other element of a larger array, which is noise elsewhere."""
    noise = np.random.default_rng(3).integers(0, 256, [n * s for n, s in zip(plate.shape, steps, strict=True)])
    wide = noise.astype(np.uint8)
    view = wide[tuple(slice(None, None, s) for s in steps)]
    view[:] = plate
    return view


def in_records(plate):
    records = np.zeros(plate.shape[:2], [("number", "f8"), ("color", "u1", 3)])
    records["color"] = plate
    return records["color"]


ARRANGEMENTS = {
    "as decoded": lambda p: p,
    "read-only": lambda p: np.frombuffer(p.tobytes(), np.uint8).reshape(p.shape),
    "Fortran": np.asfortranarray,
    "bottom up": lambda p: np.ascontiguousarray(p[::-1])[::-1],
    "right to left": lambda p: np.ascontiguousarray(p[:, ::-1])[:, ::-1],
    "channels last to first": lambda p: np.ascontiguousarray(p[..., ::-1])[..., ::-1],
    "all three": lambda p: np.ascontiguousarray(p[::-1, ::-1, ::-1])[::-1, ::-1, ::-1],
    "channels first": lambda p: np.ascontiguousarray(p.transpose(2, 0, 1)).transpose(1, 2, 0),
    "columns first": lambda p: np.ascontiguousarray(p.transpose(1, 0, 2)).transpose(1, 0, 2),
    "cut from a frame": lambda p: np.pad(p, ((5, 9), (7, 3), (0, 0)))[5:-9, 7:-3],
    "every second row": lambda p: spread(p, (2, 1, 1)),
    "every third pixel": lambda p: spread(p, (1, 3, 1)),
    "every second byte": lambda p: spread(p, (1, 1, 2)),
    "three of four channels": lambda p: np.dstack([p, p[..., 0]])[..., :3],
    "at an odd address": lambda p: np.frombuffer(b"x" + p.tobytes(), np.uint8)[1:].reshape(p.shape),
    "of a subclass": lambda p: p.view(np.recarray),
    "a memoryview": lambda p: memoryview(p),
    "with alpha": lambda p: np.dstack([p, np.full(p.shape[:2], 77, np.uint8)]),
    "field of a record": lambda p: in_records(p),
}


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_arrangement(recognizer, plate, expected, name):
    image = ARRANGEMENTS[name](plate)
    before = np.array(image)
    assert recognizer.read(image) == expected
    assert recognizer.read_batch([image]) == [expected]
    assert np.array_equal(before, image)
    left, right = plate.shape[1] // 4, plate.shape[1] // 2
    part = recognizer.read(plate, region=(left, 1, right, 20))
    assert recognizer.read(image, region=(left, 1, right, 20)) == part


def in_ctypes(plate):
    """Whose buffers have no strides."""
    kind = ctypes.c_uint8
    for side in reversed(plate.shape):
        kind = kind * side
    return kind.from_buffer_copy(plate.tobytes())


def test_ctypes(recognizer, plate, expected):
    assert recognizer.read(in_ctypes(plate)) == expected
    assert recognizer.read_batch(in_ctypes(plate[None])) == [expected]
    assert recognizer.read_batch([in_ctypes(plate), in_ctypes(plate[..., 0])])[0] == expected
    assert recognizer.read(in_ctypes(plate[..., 0])) == recognizer.read(plate[..., 0])
    with pytest.raises(TypeError, match="found float32 array of shape"):
        recognizer.read((ctypes.c_float * 9 * 9)())
    with pytest.raises(ValueError, match="found uint8 array of shape"):
        recognizer.read((ctypes.c_uint8 * 0 * 9)())
    with pytest.raises(lprnet.MalformedError):
        recognizer.read((ctypes.c_uint8 * 9)())


def test_random_views(recognizer):
    """Slices of slices of transposed arrays: read as numpy copies them, whatever the strides."""
    random = np.random.default_rng(7)
    seen = set()
    for _ in range(60):
        view = random.integers(0, 256, random.integers(8, 60, 4)).astype(np.uint8)
        view = view.transpose(random.permutation(4))
        view = view[tuple(slice(None, None, int(s)) for s in random.choice([-3, -2, -1, 1, 2, 3], 4))]
        view = view[int(random.integers(len(view)))][..., : int(random.choice([1, 3, 4]))]
        if view.shape[2] not in (1, 3, 4):
            continue
        seen.add((view.shape[2], *np.sign(view.strides)))
        assert recognizer.read(view) == recognizer.read(np.ascontiguousarray(view)), (view.shape, view.strides)
    assert len(seen) > 10


def test_rgb(recognizer, plate, expected):
    assert recognizer.read(plate[..., ::-1], color="rgb") == expected
    alpha = np.zeros((*plate.shape[:2], 1), np.uint8)
    assert recognizer.read(np.concatenate([plate[..., ::-1], alpha], 2), color="rgb") == expected
    assert recognizer.read(plate, color="rgb") != expected


def test_gray(recognizer, plate):
    gray = plate[..., 1]
    expected = recognizer.read(np.dstack([gray] * 3))
    assert not gray.flags.c_contiguous
    for image in (gray, gray.copy(), gray[..., None], np.asfortranarray(gray)):
        assert recognizer.read(image) == expected


def test_broadcast(recognizer):
    gray = np.broadcast_to(np.uint8(90), (24, 94))
    assert gray.strides == (0, 0)
    assert recognizer.read(gray) == recognizer.read(np.full((24, 94), 90, np.uint8))
    column = np.broadcast_to(np.arange(24, dtype=np.uint8)[:, None, None], (24, 1, 3))
    assert recognizer.read(column) == recognizer.read(column.copy())


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 94), (24, 1), (1, 1), (2, 32768), (32768, 2, 3)])
def test_smallest_and_longest(recognizer, shape):
    image = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    assert recognizer.read(image) == recognizer.read(np.asfortranarray(image))


def test_stack(recognizer, samples):
    stack = np.random.default_rng(2).integers(0, 256, (5, 30, 90, 3)).astype(np.uint8)
    stack[3] = lprnet.decode_image(samples[0])[:30, :90]
    expected = [recognizer.read(image) for image in stack]
    assert recognizer.read_batch(stack) == expected
    assert recognizer.read_batch(np.asfortranarray(stack)) == expected
    assert recognizer.read_batch(stack[::-1]) == expected[::-1]
    assert recognizer.read_batch(stack[:0]) == []
    assert recognizer.read_batch(stack[:, ::2, 5:, ::-1]) == [recognizer.read(s[::2, 5:, ::-1]) for s in stack]


OTHER_TYPES = ["?", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "c8", "S1", "U1", "O", "M8[s]", "V1"]


@pytest.mark.parametrize("dtype", OTHER_TYPES)
def test_other_types_are_refused(recognizer, dtype):
    image = np.zeros((24, 94, 3), dtype)
    with pytest.raises(TypeError, match="image: expected .*uint8 array of shape .* found "):
        recognizer.read(image)
    if dtype != "M8[s]":  # whose memory Python has no letter for: a sequence like any other
        with pytest.raises(TypeError, match="images: expected .*uint8 array of shape .* found "):
            recognizer.read_batch(image[None])
    [error] = recognizer.read_batch([image])
    assert isinstance(error, TypeError)


def test_type_is_named(recognizer):
    with pytest.raises(TypeError, match=r"found float32 array of shape \(24, 94, 3\)"):
        recognizer.read(np.ones((24, 94, 3), np.float32) * 255)
    with pytest.raises(TypeError, match=r"found int64 array of shape \(3,\)"):
        recognizer.read(np.arange(3))


@pytest.mark.parametrize(
    "shape", [(), (24, 94, 2), (24, 94, 5), (1, 24, 94, 3), (3, 24, 94), (0, 94), (24, 0, 3), (24, 94, 0), (0, 0, 3),
              (32769, 1), (1, 32769, 3), (2, 2, 2, 2, 3)]
)  # fmt: skip
def test_other_shapes_are_refused(recognizer, shape):
    image = np.zeros(shape, np.uint8)
    with pytest.raises(ValueError, match="image: expected .* found "):
        recognizer.read(image)


def test_stack_of_other_shape(recognizer):
    for shape in ((24, 94, 3), (2, 24, 94), (24,), (1, 2, 24, 94, 3)):
        with pytest.raises(ValueError, match="images: expected .*count, height, width, 3.* found uint8"):
            recognizer.read_batch(np.zeros(shape, np.uint8))


def test_two_gigabytes(recognizer):
    """Of which no page is ever touched: refused for its sides."""
    huge = np.broadcast_to(np.uint8(0), (40000, 20000, 3))
    with pytest.raises(ValueError, match=r"32768 pixels, found uint8 array of shape \(40000, 20000, 3\)"):
        recognizer.read(huge)


def test_views_that_are_larger_than_memory(recognizer):
    """What has to be copied is bounded, as decoding is; what lies side by side is read where it is."""
    view = np.broadcast_to(np.uint8(7), (32768, 32768, 3))
    with pytest.raises(MemoryError, match="at most 251658240 bytes of pixels that are not side by side.* 3221225472"):
        recognizer.read(view)
    with pytest.raises(MemoryError):
        recognizer.read(view, region=(0, 0, 94, 24))
    [error, reading] = recognizer.read_batch([view, view[:24, :94]])
    assert isinstance(error, lprnet.OutOfMemoryError) and reading == recognizer.read(view[:24, :94].copy())


def test_what_is_no_picture(recognizer):
    for image in (None, 3, 1.5, [1, 2], (), {}, object(), lprnet, recognizer, [[1, 2], [3, 4]]):
        with pytest.raises(TypeError, match="image: expected a path, .* found "):
            recognizer.read(image)


def test_what_can_become_an_array(recognizer):
    class Tensor:
        def __array__(self):
            raise AssertionError("converted")

    with pytest.raises(TypeError, match=r"found .*Tensor, which numpy.asarray\(\) makes an array of"):
        recognizer.read(Tensor())


def test_encoded_bytes(recognizer, samples, expected):
    file = samples[1].read_bytes()
    for image in (file, bytearray(file), memoryview(file), np.frombuffer(file, np.uint8), array.array("B", file)):
        assert recognizer.read(image) == expected
    for image in (b"", b"\xff\xd8\xff", file[: len(file) // 2], bytes(1000)):
        with pytest.raises(lprnet.MalformedError):
            recognizer.read(image)
    with pytest.raises(ValueError, match="non-contiguous"):
        recognizer.read(np.frombuffer(file, np.uint8)[::2])


def test_frames(recognizer, plate, expected):
    height, width = plate.shape[:2]
    assert recognizer.read(plate.tobytes(), format="bgr", width=width, height=height) == expected
    padded = np.pad(plate.reshape(height, -1), ((0, 0), (0, 7)))
    assert recognizer.read(padded, format="bgr", width=width, height=height, stride=3 * width + 7) == expected
    luma = np.full((height, width), 128, np.uint8)
    gray = recognizer.read(np.full((height, width), round((128 - 16) * 255 / 219), np.uint8))
    for format, chroma in (("nv12", 0.5), ("nv21", 0.5), ("i420", 0.5), ("yuyv", 1)):
        frame = luma.tobytes() + b"\x80" * int(width * height * chroma)
        got = recognizer.read(frame, format=format, width=width, height=height)
        assert got == recognizer.read_batch([frame], format=format, width=width, height=height)[0]
        assert got.text == gray.text
    with pytest.raises(ValueError, match=f"expected a frame of {width * height * 3 // 2} bytes"):
        recognizer.read(luma, format="nv12", width=width, height=height)
    with pytest.raises(ValueError, match="format: expected one of 'bgr'.*found str 'NV12'"):
        recognizer.read(luma, format="NV12", width=width, height=height)
    with pytest.raises(TypeError, match="width: expected an integer from 1 to 32768, found None"):
        recognizer.read(luma, format="gray", height=height)
    with pytest.raises(ValueError, match="format: expected"):
        recognizer.read(luma, width=width)
    with pytest.raises(ValueError, match="stride: expected an integer from"):
        recognizer.read(luma, format="gray", width=width, height=height, stride=width - 1)
    with pytest.raises(TypeError, match="beside format, found str"):
        recognizer.read("a.jpg", format="gray", width=width, height=height)


def test_memory_is_given_back(recognizer, plate):
    class Watched(np.ndarray):
        pass

    for good in (True, False):
        image = plate.copy().view(Watched) if good else np.zeros((2, 2, 2), np.uint8).view(Watched)
        gone = weakref.ref(image)
        recognizer.read_batch([image, image])
        if good:
            recognizer.read(image)
        del image
        gc.collect()
        assert gone() is None
    resizable = bytearray(b"no picture")
    with pytest.raises(lprnet.MalformedError):
        recognizer.read(resizable)
    resizable.append(1)  # a BufferError while somebody holds it


def test_decode_image(samples):
    cv2 = pytest.importorskip("cv2")
    for path in samples:
        expected = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
        assert np.array_equal(lprnet.decode_image(path), expected)
        assert np.array_equal(lprnet.decode_image(path.read_bytes(), color="rgb"), expected[..., ::-1])


def test_decode_image_refuses(samples, tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.jpg"):
        lprnet.decode_image(tmp_path / "nothing.jpg")
    with pytest.raises(MemoryError, match="1 MiB"):
        lprnet.decode_image(bmp(2000, 2000), max_bytes=1 << 20)
    for image in (None, 3, np.zeros((2, 2), np.uint8), np.zeros(4)):
        with pytest.raises(TypeError, match="image: expected a path or the bytes"):
            lprnet.decode_image(image)
    image = lprnet.decode_image(samples[0])
    assert image.flags.writeable and image.flags.c_contiguous and image.dtype == np.uint8


def bmp(width, height):
    size = 3 * width * height
    head = b"BM" + (54 + size).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    head += (40).to_bytes(4, "little") + width.to_bytes(4, "little") + height.to_bytes(4, "little")
    head += (1).to_bytes(2, "little") + (24).to_bytes(2, "little") + bytes(24)
    return head + bytes(size)
