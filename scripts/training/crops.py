"""Real crops to train on: drawn by province and set, their heads and serials put together anew, augmented."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from camera import real_sample
from plates import Sample, list_samples, read_image

# Where the gap behind the second character of a tight crop lies, as a share of its width; 0.306 by the standard.
GAP_FROM, GAP_TO = 0.25, 0.37
GAP_WIDTH = 34 / 440
# Ink in the gap as a share of that in the whole crop: above, there is no gap to cut at.
MOST_GAP_INK = 0.55


class RealCrops:
    """The labelled crops of some folders; which is drawn depends on the random generator alone."""

    def __init__(self, sources: Sequence[Path], province_balance: float, set_balance: float) -> None:
        samples = list_samples(sources)
        if not samples:
            raise ValueError("expected labelled crops to train on, found none")
        self.images = [read_image(sample.path) for sample in samples]
        self.texts = [sample.text for sample in samples]
        self.steps = np.cumsum(shares(samples, province_balance, set_balance))
        self.gaps = [
            gap_of(image) if len(text) == 7 else None for image, text in zip(self.images, self.texts, strict=True)
        ]
        dark = [is_dark_on_light(image) for image in self.images]
        # Only plates of one look are put together.
        self.tails = {
            look: [i for i, gap in enumerate(self.gaps) if gap is not None and dark[i] == look]
            for look in (False, True)
        }
        self.dark = dark

    def draw(self, rng: np.random.Generator, strength: float, splice_share: float) -> tuple[np.ndarray, str]:
        """An augmented crop and its text. A share of those that can be cut behind the second character have the serial
        of another plate: so a rare province is seen with thousands of serials."""
        index = min(int(np.searchsorted(self.steps, rng.random())), len(self.images) - 1)
        image, text = self.images[index], self.texts[index]
        if self.gaps[index] is not None and rng.random() < splice_share:
            tails = self.tails[self.dark[index]]
            other = tails[rng.integers(len(tails))]
            image = spliced(image, self.gaps[index], self.images[other], self.gaps[other])
            text = text[:2] + self.texts[other][2:]
        return real_sample(image, rng, strength), text


def shares(samples: Sequence[Sample], province_balance: float, set_balance: float) -> np.ndarray:
    """Rare provinces and small sets are drawn more often: share ~ count^-balance of either, 0 evenly over crops."""
    provinces = Counter(sample.text[:1] for sample in samples)
    sets = Counter(sample.group for sample in samples)
    weights = np.array(
        [provinces[one.text[:1]] ** -province_balance * sets[one.group] ** -set_balance for one in samples]
    )
    return weights / weights.sum()


def is_dark_on_light(image: np.ndarray) -> bool:
    """Yellow plates by their color."""
    blue, _, red = image.reshape(-1, 3).mean(axis=0)
    return bool(red > blue + 15)


def gap_of(image: np.ndarray) -> float | None:
    """Where the gap behind the second character is, as a share of the width; None where it is not to be seen."""
    width = 220
    gray = cv2.cvtColor(cv2.resize(image, (width, 70), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    # Edges tell ink from light; the dot in the gap is small.
    edges = np.abs(cv2.Sobel(gray, cv2.CV_32F, 1, 0))[14:56].mean(axis=0)
    smooth = np.convolve(edges, np.ones(round(GAP_WIDTH * width) - 4) / (round(GAP_WIDTH * width) - 4), mode="same")
    first, last = round(GAP_FROM * width), round(GAP_TO * width)
    at = first + int(smooth[first:last].argmin())
    if at in (first, last - 1) or smooth[at] > MOST_GAP_INK * edges[20:200].mean():
        return None
    return (at + 0.5) / width


def spliced(head: np.ndarray, head_gap: float, tail: np.ndarray, tail_gap: float) -> np.ndarray:
    """The head of one crop in front of the tail of another, in the latter's size and light."""
    height, width = tail.shape[:2]
    cut = round(tail_gap * width)
    part = head[:, : max(2, round(head_gap * head.shape[1]))].astype(np.float32)
    wanted = tail[:, cut:].reshape(-1, 3).astype(np.float32)
    own = part.reshape(-1, 3)
    gain = np.clip((wanted.std(axis=0) + 1) / (own.std(axis=0) + 1), 0.4, 2.5)
    part = (part - own.mean(axis=0)) * gain + wanted.mean(axis=0)
    image = tail.copy()
    image[:, :cut] = np.clip(cv2.resize(part, (cut, height), interpolation=cv2.INTER_LINEAR), 0, 255).astype(np.uint8)
    return image
