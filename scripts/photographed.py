"""Masks of province characters cut from pictures of cars, cleaned: their ground and ink become the rendered plate's.

Pictures lie in folders named after the character, 10 to 50 pixels wide, light ink on blue or black or dark on yellow.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from plates import IMAGE_SUFFIXES, PROVINCES

# Gray levels between ground and ink below which a picture shows noise.
LEAST_CONTRAST = 22
# Of the correlation with the drawn character; below, it is another character, cut in half, or blurred beyond reading.
LEAST_LIKENESS = 0.58


def photographed_masks(
    folder: Path, size: tuple[int, int], drawn: Sequence[dict[str, list[np.ndarray]]]
) -> dict[str, list[np.ndarray]]:
    """Masks of this size by character, of every folder below that is named after a province. Only those are kept that
    look like one of the `drawn` alphabets' character."""
    masks: dict[str, list[np.ndarray]] = {}
    for path in sorted(folder.rglob("*")):
        character = path.parent.name
        if character not in PROVINCES or path.suffix.lower() not in IMAGE_SUFFIXES:
            continue
        image = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_COLOR)
        mask = None if image is None else ink_mask(image, size)
        if mask is None:
            continue
        likeness = max((_likeness(mask, alphabet[character][2]) for alphabet in drawn), default=1.0)
        if likeness >= LEAST_LIKENESS:
            masks.setdefault(character, []).append(mask)
    return masks


def ink_mask(image: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
    """255 where there is ink, cut to the character and stretched to `size`; None where there is none to be seen."""
    pixels = image.astype(np.float32)
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    low, high = np.percentile(gray, (8, 92))
    if high - low < LEAST_CONTRAST:
        return None
    # Yellow grounds have dark ink, all others light.
    blue, _, red = pixels.reshape(-1, 3).mean(axis=0)
    ink = (high - gray if red > blue + 15 else gray - low) / (high - low)
    ink = np.clip((ink - 0.12) / 0.76, 0, 1)
    across, down = _extent(ink.max(axis=0)), _extent(ink.max(axis=1))
    if across[1] - across[0] < 0.55 * ink.shape[1] or down[1] - down[0] < 0.6 * ink.shape[0]:
        return None
    ink = ink[down[0] : down[1], across[0] : across[1]]
    return (cv2.resize(ink, size, interpolation=cv2.INTER_CUBIC).clip(0, 1) * 255).astype(np.uint8)


def _extent(profile: np.ndarray) -> tuple[int, int]:
    inked = np.flatnonzero(profile > 0.5)
    return (int(inked[0]), int(inked[-1]) + 1) if len(inked) else (0, 0)


def _likeness(mask: np.ndarray, drawn: np.ndarray) -> float:
    """Correlation of both, blurred to what a camera leaves of a character."""
    first, second = (cv2.GaussianBlur(one, (0, 0), 1.6).astype(np.float32).ravel() for one in (mask, drawn))
    return float(np.corrcoef(first, second)[0, 1])
