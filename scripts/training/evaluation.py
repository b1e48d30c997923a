"""Exact-plate accuracy by greedy decoding, per set, on labelled crops and on the synthetic dev set."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Sequence

import numpy as np
import torch

from lprnet_model import Lprnet
from plates import CHARSET_CN68, greedy_text, list_samples, normalise, read_image, to_network_size


class EvalSet:
    """Images of the network's size with text and set."""

    def __init__(self, images: Sequence[np.ndarray], texts: Sequence[str], groups: Sequence[str]) -> None:
        self.images = np.stack(images)
        self.texts = list(texts)
        self.groups = list(groups)

    @staticmethod
    def of_crops(sources: Sequence[Path]) -> EvalSet:
        """Folders or .tsv lists of labelled crops."""
        samples = list_samples(sources)
        images = [to_network_size(read_image(sample.path)) for sample in samples]
        return EvalSet(images, [sample.text for sample in samples], [sample.group for sample in samples])

    @torch.inference_mode()
    def logits(self, network: Lprnet, batch: int = 64) -> np.ndarray:
        """[image, class, step]. Batches do not change any answer: every mean in the network is per image."""
        network.eval()
        results = []
        for start in range(0, len(self.images), batch):
            pixels = torch.from_numpy(normalise(self.images[start : start + batch]))
            results.append(network(pixels.contiguous(memory_format=torch.channels_last)).float().numpy())
        return np.concatenate(results)

    def accuracy_of(self, logits: np.ndarray) -> dict[str, float]:
        """Share of exact plates per set, and "all" first."""
        right: Counter[str] = Counter()
        total: Counter[str] = Counter()
        for one, text, group in zip(logits, self.texts, self.groups):
            exact = greedy_text(one, CHARSET_CN68) == text
            for name in ("all", group):
                total[name] += 1
                right[name] += exact
        names = sorted(total, key=lambda name: (name != "all", name))
        return {name: right[name] / total[name] for name in names}

    def accuracy(self, network: Lprnet) -> dict[str, float]:
        return self.accuracy_of(self.logits(network))
