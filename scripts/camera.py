"""What cameras, detectors and storage make of a plate: the view, the crop, light, dirt, blur, noise, JPEG.

Takes clean plates, rendered or real, and gives 24x94 crops. strength goes from 0, which only resizes, to 1. Every image
depends on the random generator alone.
"""

from __future__ import annotations

import cv2
import numpy as np

from plates import HEIGHT, WIDTH
from rectify import rectified

PLATE_ASPECT = 440 / 140
CUT_SHARE, LOOSE_SHARE = 0.12, 0.2
# Views that fill less of their box: its 94x24 pixels would not hold the characters.
LEAST_FULLNESS = 0.5
# Spread of the gray levels of a crop.
LEAST_CONTRAST = 6
# In the letters beside a plate: a dealer's name on the frame, a date burnt in by the recorder.
_FRAME_LETTERS = "ABDEHNORSTUV0124789"


def photograph(clean: np.ndarray, rng: np.random.Generator, strength: float, rows: int = 1) -> np.ndarray:
    """A clean front view seen by a camera and cut out; two rows are joined into one, as the engine joins them."""
    crop = _photograph(clean, rng, strength, rows)
    # Of a black or a white picture nobody could say what stands on it: its label would teach to guess.
    return crop if _contrast(crop) >= LEAST_CONTRAST else _photograph(clean, rng, 0.4 * strength, rows)


def _photograph(clean: np.ndarray, rng: np.random.Generator, strength: float, rows: int) -> np.ndarray:
    if rows == 1:
        return spoil(view_plate(clean, rng, strength)[0], rng, strength)
    picture, quad = view_plate(clean, rng, strength, flat=0.62)
    before = picture.shape
    picture = expose(picture, rng, strength)
    quad *= np.float32((picture.shape[1] / before[1], picture.shape[0] / before[0]))
    # The corners are those of a detector, or the box itself where the plate nearly fills it.
    height, width = picture.shape[:2]
    if rng.random() < 0.6 and _fullness(quad) > 0.8:
        quad = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    quad = quad + (rng.normal(0, 1, (4, 2)) * (0.012 * width, 0.02 * height) * strength).astype(np.float32)
    return rectified(picture, quad, 2, WIDTH, HEIGHT)


def _contrast(crop: np.ndarray) -> float:
    return float(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)[4:-4].std())


def _fullness(quad: np.ndarray) -> float:
    """Which part of the box around four corners they enclose."""
    span = quad.max(axis=0) - quad.min(axis=0)
    return float(cv2.contourArea(quad) / (span[0] * span[1]))


def _mixed(rng: np.random.Generator, *spreads: tuple[float, float]) -> float:
    """A normal draw whose spread is one of several (share, spread): most are small, a few far off."""
    pick = rng.random()
    for share, spread in spreads:  # noqa: B007  the last one is drawn with
        if pick < share:
            break
        pick -= share
    return float(rng.normal(0, spread))


def _quad_of_view(rng: np.random.Generator, width: int, height: int, strength: float) -> np.ndarray:
    """Corners of a plate seen from somewhere, in any unit: turned in space, seen through a lens nearby or far away."""
    roll = np.deg2rad(np.clip(_mixed(rng, (0.6, 2.5), (0.28, 7), (0.12, 15)), -40, 40)) * strength
    yaw = np.deg2rad(np.clip(_mixed(rng, (0.5, 10), (0.5, 24)), -55, 55)) * strength
    pitch = np.deg2rad(np.clip(_mixed(rng, (0.6, 8), (0.4, 18)), -42, 42)) * strength
    distance = width * rng.uniform(2.5, 12)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], dtype=np.float64) * (width / 2, height / 2)
    # Detectors and rectification by eye add a shear of their own.
    corners[:, 0] -= rng.normal(0, 0.10) * strength * corners[:, 1]
    # Turned about the upright axis, then the level one, then the line of sight.
    x, depth = corners[:, 0] * np.cos(yaw), corners[:, 0] * np.sin(yaw)
    y, depth = corners[:, 1] * np.cos(pitch) - depth * np.sin(pitch), corners[:, 1] * np.sin(pitch) + depth
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    seen = np.stack([x, y], axis=1) @ turn * (distance / (distance + depth))[:, None]
    jitter = rng.normal(0, 1, (4, 2)) * (0.010 * width, 0.035 * height) * strength
    return (seen + jitter).astype(np.float32)


def _margins(rng: np.random.Generator, strength: float) -> np.ndarray:
    """What a crop leaves left, top, right and bottom, as shares of the plate's extent; negative cuts into it."""
    margins = rng.normal(0.01, 0.025, 4)
    kind = rng.random()
    if kind < LOOSE_SHARE:
        margins += rng.uniform(0, 1, 4) * (0.12, 0.25, 0.12, 0.35)
    margins = np.maximum(margins, (-0.035, -0.09, -0.035, -0.09))
    if LOOSE_SHARE <= kind < LOOSE_SHARE + CUT_SHARE:
        # Up to a third of the first or the last character is gone: still enough to know most of them by.
        margins[2 * rng.integers(2)] = -rng.uniform(0.03, 0.068)
    return margins * strength


def _background(rng: np.random.Generator, width: int, height: int, plate: np.ndarray) -> np.ndarray:
    """What shows around a plate: a few soft patches, dark or near the plate's own color, edges and lettering."""
    patches = rng.uniform(0, 255) * rng.uniform(0.5, 1.1, (2, 4, 1)) + rng.normal(0, 12, (2, 4, 3))
    if rng.random() < 0.3:
        edges = plate[:: plate.shape[0] - 1, :: plate.shape[1] // 3]
        patches = edges[:2, :4].astype(np.float64) * rng.uniform(0.3, 1.2)
    canvas = cv2.resize(np.clip(patches, 0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.3:
        for _ in range(int(rng.integers(1, 4))):
            ends = rng.uniform(-0.2, 1.2, (2, 2)) * (width, height)
            gray = float(rng.uniform(0, 255))
            thickness = int(rng.integers(1, max(2, height // 6)))
            cv2.line(canvas, *(tuple(map(int, end)) for end in ends), (gray, gray, gray), thickness, cv2.LINE_AA)
    if rng.random() < 0.15:
        text = "".join(_FRAME_LETTERS[i] for i in rng.integers(len(_FRAME_LETTERS), size=rng.integers(3, 10)))
        gray = float(rng.uniform(0, 255))
        place = (int(width * rng.uniform(0, 0.5)), int(height * (1 if rng.random() < 0.7 else 0.13)) - 1)
        cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, height / 160, (gray, gray, gray), 1, cv2.LINE_AA)
    return canvas


def view_plate(
    image: np.ndarray, rng: np.random.Generator, strength: float, flat: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """A crop around a clean plate seen at an angle, and the plate's corners in it; its size is that of a detector's
    box, from 40 to 190 wide. flat: its height is that of a plate of one row divided by this."""
    height, width = image.shape[:2]
    quad = _quad_of_view(rng, width, height, strength)
    while _fullness(quad) < LEAST_FULLNESS:
        quad = _quad_of_view(rng, width, height, 0.7 * strength)
    low, high = quad.min(axis=0), quad.max(axis=0)
    span = high - low
    margins = _margins(rng, strength)
    low = low - span * margins[:2]
    high = high + span * margins[2:]
    out_width, out_height = _detector_size(rng, strength, flat)
    quad = (quad - low) / (high - low) * (out_width, out_height)
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32) - 0.5
    transform = cv2.getPerspectiveTransform(source, (quad - 0.5).astype(np.float32))
    # Without this, shrinking by more than two skips pixels; cameras do not.
    if width > 2.2 * out_width and rng.random() < 0.8:
        image = cv2.blur(image, (3, 3))
    canvas = _background(rng, out_width, out_height, image)
    view = cv2.warpPerspective(
        image, transform, (out_width, out_height), dst=canvas, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )
    return view, quad.astype(np.float32)


def _detector_size(rng: np.random.Generator, strength: float, flat: float = 1.0) -> tuple[int, int]:
    if rng.random() < 0.45 and flat == 1:
        return WIDTH, HEIGHT
    low = 100 - 55 * strength
    width = rng.uniform(low, 190)
    return round(width), max(12, round(width * rng.uniform(0.24, 0.36) / flat))


def shake_crop(image: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """A real crop moved a little: turned, sheared, cut closer or with its edge repeated; size as a detector's box."""
    height, width = image.shape[:2]
    out_width, out_height = _detector_size(rng, strength)
    center = np.array([width / 2, height / 2], dtype=np.float32)
    angle = np.deg2rad(_mixed(rng, (0.75, 2.5), (0.25, 7))) * strength
    shear = _mixed(rng, (0.75, 0.12), (0.25, 0.3)) * strength
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32) - center
    corners[:, 0] += shear * corners[:, 1]
    # Turned as the plate would turn: a crop may be squeezed to any aspect.
    sine, squeeze = np.sin(angle), PLATE_ASPECT * height / width
    turn = np.array([[1, sine * squeeze], [-sine / squeeze, 1]], dtype=np.float32)
    corners = corners @ turn
    # A turned plate fills a taller box.
    room = abs(sine) * PLATE_ASPECT * rng.uniform(0, 0.8)
    corners *= 1 + rng.normal(0.005, 0.03, 2).astype(np.float32) * strength + np.float32([0, room])
    corners += (rng.normal(0, 1, (4, 2)) * (0.01 * width, 0.03 * height) * strength).astype(np.float32)
    corners += (rng.normal(0, 1, 2) * (0.012 * width, 0.04 * height) * strength).astype(np.float32)
    if rng.random() < 0.1 * strength:
        side = int(rng.integers(2))
        corners[[0, 3] if side == 0 else [1, 2], 0] += (1 - 2 * side) * width * rng.uniform(0.01, 0.045)
    target = np.array([[0, 0], [out_width, 0], [out_width, out_height], [0, out_height]], dtype=np.float32) - 0.5
    transform = cv2.getPerspectiveTransform((corners + center - 0.5).astype(np.float32), target)
    border = cv2.BORDER_REPLICATE if rng.random() < 0.7 else cv2.BORDER_REFLECT
    return cv2.warpPerspective(image, transform, (out_width, out_height), flags=cv2.INTER_LINEAR, borderMode=border)


def real_sample(image: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """A real crop of any size as an augmented 24x94 image."""
    if rng.random() < 0.1:
        return spoil(image, rng, 0.3 * strength)
    whole, image = image, shake_crop(image, rng, strength)
    swap = rng.random()
    # A plate of another color for nothing: the ground of a blue plate becomes red, brown or greenish.
    if swap < 0.06:
        image = image[..., rng.permutation(3)]
    elif swap < 0.09:
        image = 255 - image
    crop = spoil(image, rng, strength, 0.10)
    return crop if _contrast(crop) >= LEAST_CONTRAST else spoil(whole, rng, 0.3 * strength, 0.10)


def spoil(image: np.ndarray, rng: np.random.Generator, strength: float, color: float = 0.13) -> np.ndarray:
    """`expose`, then 24x94x3 uint8 BGR."""
    pixels = expose(image, rng, strength, color)
    if pixels.shape[:2] == (HEIGHT, WIDTH):
        return pixels
    shrink = pixels.shape[1] > 1.3 * WIDTH and rng.random() < 0.3
    return cv2.resize(pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)


def expose(image: np.ndarray, rng: np.random.Generator, strength: float, color: float = 0.13) -> np.ndarray:
    """What camera, light and storage do to a crop, at its size or a smaller one; uint8 BGR."""
    # Lengths in units of the network's input, so that a large crop loses as much as a small one.
    unit = image.shape[1] / WIDTH
    work = image.astype(np.float32, order="C")
    if rng.random() < 0.15 * strength:
        _dirt(work, rng)
    if rng.random() < 0.07 * strength:
        _cover(work, rng)
    work = _light(work, rng, strength, color)
    work = _blur(work, rng, strength, unit)
    if rng.random() < 0.04 * strength:
        _interlace(work, rng, unit)
    if rng.random() < 0.22 * strength:
        small = rng.uniform(0.38, 0.8) / unit
        size = (max(20, round(work.shape[1] * small)), max(7, round(work.shape[0] * small * rng.uniform(0.9, 1.2))))
        work = cv2.resize(work, size, interpolation=cv2.INTER_AREA if rng.random() < 0.6 else cv2.INTER_LINEAR)
    if rng.random() < 0.08 * strength:
        work = _night(work, rng)
    elif rng.random() < 0.45 * strength:
        work = work + _noise(work.shape, rng) * np.float32(rng.gamma(1.5, 3.5))
    if rng.random() < 0.12 * strength:
        # Sharpened by the camera after the noise: rims of the other shade round every stroke.
        work += (work - cv2.GaussianBlur(work, (0, 0), max(0.5, unit))) * np.float32(rng.uniform(0.4, 1.6))
    pixels = np.clip(work, 0, 255).astype(np.uint8)
    if rng.random() < 0.2 * strength:
        pixels = _thin_color(pixels, rng)
    if rng.random() < 0.3 * strength:
        low, high = (8, 35) if rng.random() < 0.3 else (30, 92)
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(low, high))]
        pixels = cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], cv2.IMREAD_COLOR)
    return pixels


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    noise = rng.standard_normal(shape, dtype=np.float32)
    if rng.random() < 0.4:
        noise[..., 1] = noise[..., 2] = noise[..., 0]
    return noise


def _light(image: np.ndarray, rng: np.random.Generator, strength: float, color: float) -> np.ndarray:
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
        image *= np.exp(rng.normal(0, color, 3) * strength).astype(np.float32)
    if rng.random() < 0.25 * strength:
        gray = image.mean(axis=2, keepdims=True)
        image += (gray - image) * np.float32(rng.uniform(0.3, 1.0))
    if rng.random() < 0.35 * strength:
        ramp = rng.uniform(0.45, 1.35, (2, 3)).astype(np.float32)
        image *= cv2.resize(ramp, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    if rng.random() < 0.10 * strength:
        spot = np.zeros((height, width), dtype=np.float32)
        center = (int(rng.integers(width)), int(rng.integers(height)))
        axes = (max(2, int(width * rng.uniform(0.04, 0.25))), max(2, int(height * rng.uniform(0.2, 0.8))))
        cv2.ellipse(spot, center, axes, float(rng.uniform(0, 180)), 0, 360, float(rng.uniform(40, 150)), -1)
        image += cv2.blur(spot, (max(3, width // 8), max(3, height // 3)))[..., None]
    if rng.random() < 0.08 * strength:
        edge = int(rng.integers(height))
        shade = np.float32(rng.uniform(0.35, 0.8))
        if rng.random() < 0.5:
            image[:edge] *= shade
        else:
            image[edge:] *= shade
    return image


def _night(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A dark gate: little light, much noise, both lifted again by the camera's own gain."""
    image = np.clip(image, 0, 255) * np.float32(rng.uniform(0.06, 0.3))
    image += _noise(image.shape, rng) * np.float32(rng.uniform(1, 5))
    return np.clip(image, 0, None) * np.float32(rng.uniform(1, 3.5))


def _cover(image: np.ndarray, rng: np.random.Generator) -> None:
    """A plastic cover: a haze over all and a band of reflected light."""
    height, width = image.shape[:2]
    haze = rng.uniform(120, 255, 3).astype(np.float32)
    image += (haze - image) * np.float32(rng.uniform(0.1, 0.45))
    band = np.zeros((height, width), dtype=np.float32)
    ends = [(int(width * rng.uniform(-0.1, 1.1)), y) for y in (0, height - 1)]
    if rng.random() < 0.4:
        ends = [(x, int(height * rng.uniform(0, 1))) for x in (0, width - 1)]
    cv2.line(band, *ends, float(rng.uniform(0.3, 0.85)), max(2, int(height * rng.uniform(0.15, 0.6))))
    image += (np.float32(250) - image) * cv2.blur(band, (max(3, width // 10), max(3, height // 5)))[..., None]


def _interlace(image: np.ndarray, rng: np.random.Generator, unit: float) -> None:
    """Two fields of a moving car: every other row is shifted, or lost."""
    shift = int(round(unit * rng.uniform(1, 3))) * (1 if rng.random() < 0.5 else -1)
    if rng.random() < 0.25:
        image[1::2] = image[0 : image.shape[0] // 2 * 2 : 2]
    else:
        image[1::2] = np.roll(image[1::2], shift, axis=1)


def _thin_color(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Color at a half or a quarter of the resolution, as YUV cameras and codecs keep it."""
    height, width = image.shape[:2]
    planes = cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb)
    part = int(rng.integers(2, 5))
    small = cv2.resize(planes[..., 1:], (max(1, width // part), max(1, height // part)), interpolation=cv2.INTER_AREA)
    planes[..., 1:] = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.cvtColor(planes, cv2.COLOR_YCrCb2BGR)


def _dirt(image: np.ndarray, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(1, 5))):
        color = rng.uniform(20, 200, 3)
        center = (int(rng.integers(width)), int(rng.integers(height)))
        radius = max(1, int(height * rng.uniform(0.02, 0.10)))
        cv2.circle(image, center, radius, color.tolist(), -1)


def _blur(image: np.ndarray, rng: np.random.Generator, strength: float, unit: float) -> np.ndarray:
    kind = rng.random()
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
    return image
