"""Exact-plate accuracy by greedy decoding, per set, on labelled crops and on the synthetic dev set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from lprnet_model import Lprnet
from plates import CHARSETS, HEIGHT, WIDTH, Sample, greedy_text, list_samples, normalize, read_image, to_network_size
from rectify import joined_rows

# Kinds of crops with two rows; military ones are of either form, which their aspect tells.
TWO_ROW_KINDS = {"two_row_yellow", "trailer", "agricultural_two_row"}
TWO_ROW_ASPECT = 2.5


def network_input(sample: Sample) -> np.ndarray:
    """The crop in the network's size; one of two rows as the engine joins them."""
    image = read_image(sample.path)
    aspect = image.shape[1] / image.shape[0]
    if sample.kind in TWO_ROW_KINDS or (sample.kind == "military" and aspect < TWO_ROW_ASPECT):
        return joined_rows(image, WIDTH, HEIGHT)
    return to_network_size(image)


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
        images = [network_input(sample) for sample in samples]
        return EvalSet(images, [sample.text for sample in samples], [sample.group for sample in samples])

    @torch.inference_mode()
    def logits(self, network: Lprnet, batch: int = 64) -> np.ndarray:
        """[image, class, step]. Batches do not change any answer: every mean in the network is per image."""
        network.eval()
        device = next(network.parameters()).device
        results = []
        for start in range(0, len(self.images), batch):
            pixels = torch.from_numpy(normalize(self.images[start : start + batch]))
            pixels = pixels.to(device, memory_format=torch.channels_last)
            results.append(network(pixels).float().cpu().numpy())
        return np.concatenate(results)

    def accuracy_of(self, logits: np.ndarray) -> dict[str, float]:
        """Share of exact plates per set, and "all" first."""
        charset = CHARSETS[logits.shape[1]]
        right: Counter[str] = Counter()
        total: Counter[str] = Counter()
        for one, text, group in zip(logits, self.texts, self.groups, strict=True):
            exact = greedy_text(one, charset) == text
            for name in ("all", group):
                total[name] += 1
                right[name] += exact
        names = sorted(total, key=lambda name: (name != "all", name))
        return {name: right[name] / total[name] for name in names}

    def accuracy(self, network: Lprnet) -> dict[str, float]:
        return self.accuracy_of(self.logits(network))
