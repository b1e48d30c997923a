"""Augmented batches, real and rendered, made ahead by processes of their own.

Batch N depends on the stage and N alone, whoever makes it.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from plates import CHARSETS, encode
from synth_plates import GlyphBank, synthetic_sample
from training.crops import RealCrops
from training.recipe import Stage

# Batches ready per process: enough to ride out a slow one, little memory.
QUEUE_LENGTH = 12


class Batch(NamedTuple):
    """uint8 images [n, 24, 94, 3] BGR, all labels one after another, how many of them each image has."""

    images: np.ndarray
    labels: np.ndarray
    lengths: np.ndarray


class BatchSource:
    def __init__(self, stage: Stage, real: Sequence[Path], glyphs: Path | None) -> None:
        self.stage = stage
        self.charset = CHARSETS[stage.classes]
        self.bank = GlyphBank(glyphs) if stage.real_share < 1 else None
        self.crops = RealCrops(real, stage.province_balance, stage.set_balance) if stage.real_share > 0 else None

    def draw(self, step: int) -> Batch:
        stage = self.stage
        rng = np.random.default_rng([stage.seed, step])
        ease = ease_of(step / stage.steps, stage.ease_in)
        images, labels, lengths = [], [], []
        for _ in range(stage.batch):
            if rng.random() < stage.real_share:
                image, text = self.crops.draw(rng, stage.real_strength * ease, stage.splice_share)
            else:
                strength = stage.synth_strength * ease
                if stage.synth_spread > 0:
                    strength *= 1 - stage.synth_spread * rng.random()
                image, text, _ = synthetic_sample(self.bank, rng, strength, stage.kinds)
            indices = encode(text, self.charset)
            images.append(image)
            labels += indices
            lengths.append(len(indices))
        return Batch(np.stack(images), np.array(labels, dtype=np.int64), np.array(lengths, dtype=np.int64))


def ease_of(progress: float, ease_in: float) -> float:
    """How far augmentation goes: a quarter at first, so that the alignment is found early, the whole from ease_in
    on."""
    return 1.0 if ease_in <= 0 else min(1.0, 0.25 + 0.75 * progress / ease_in)


def _produce(
    stage: Stage, real: Sequence[Path], glyphs: Path | None, steps: range, queue: multiprocessing.Queue
) -> None:
    cv2.setNumThreads(1)
    source = BatchSource(stage, real, glyphs)
    for step in steps:
        queue.put(source.draw(step))
    queue.close()


def batches(stage: Stage, real: Sequence[Path], glyphs: Path | None, steps: range, workers: int) -> Iterator[Batch]:
    """The batches of these steps of the stage, made by `workers` processes that end with this one."""
    context = multiprocessing.get_context("spawn")
    queues = []
    for worker in range(workers):
        queue = context.Queue(maxsize=QUEUE_LENGTH)
        share = steps[worker::workers]
        process = context.Process(target=_produce, args=(stage, real, glyphs, share, queue), daemon=True)
        process.start()
        queues.append((queue, process))
    for number in range(len(steps)):
        queue, process = queues[number % workers]
        while queue.empty():
            if not process.is_alive():
                raise RuntimeError("the process that makes batches ended")
            time.sleep(0.002)
        yield queue.get()
