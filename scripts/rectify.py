"""Plates cut out of pictures by their corners, as the engine does it: one row as it is, two rows set side by side.

Pixel positions are the engine's: the center of pixel (0, 0) is at 0.5, where OpenCV has it at 0, hence the halves.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

# Which part of a plate of two rows (440 x 220 mm) fills which columns of one row (440 mm): left, right, top, bottom,
# begin, end. engine/image/rectify.cpp says why these.
TWO_ROWS = ((85.5, 354.5, -1.7, 91.7, 0, 134.5), (4.6, 433.3, 59.4, 230.6, 134.5, 440))


def warp(picture: np.ndarray, quad: np.ndarray, plate: Sequence[float], width: int, height: int) -> np.ndarray:
    """The picture with its `quad` laid on the rectangle left, top, right, bottom of a width x height image."""
    left, top, right, bottom = plate
    corners = np.float32([[left, top], [right, top], [right, bottom], [left, bottom]]) - np.float32(0.5)
    matrix = cv2.getPerspectiveTransform(quad - np.float32(0.5), corners)
    return cv2.warpPerspective(
        picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def rectified(picture: np.ndarray, corners: Sequence, rows: int, width: int, height: int) -> np.ndarray:
    """A plate of one or two rows, its four corners in the picture clockwise from the upper left, as one row."""
    quad = np.float32(corners).reshape(4, 2)
    if rows == 1:
        return warp(picture, quad, (0, 0, width, height), width, height)
    parts = []
    for left, right, top, bottom, begin, end in TWO_ROWS:
        columns = int(end / 440 * width + 0.5) - int(begin / 440 * width + 0.5)
        across, down = columns / (right - left), height / (bottom - top)
        plate = (-left * across, -top * down, (440 - left) * across, (220 - top) * down)
        parts.append(warp(picture, quad, plate, columns, height))
    return np.concatenate(parts, axis=1)


def joined_rows(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """A crop that is a plate of two rows from edge to edge, as one row."""
    bottom, right = picture.shape[:2]
    return rectified(picture, ((0, 0), (right, 0), (right, bottom), (0, bottom)), 2, width, height)
