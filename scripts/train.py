#!/usr/bin/env python3
"""Trains LPRNet from scratch with CTC, on labelled crops and on plates rendered on the fly.

The context mean is per image, so that training equals reading one plate at a time. The weights that count are an
exponential moving average. Batches come from a process of their own. With --steps, batch N depends on the seed and N
alone and a run can be repeated; with --minutes the schedule follows the clock and always finishes its decay.
"""

from __future__ import annotations

import argparse
import ctypes
import math
import multiprocessing
import os
import sys
import time
from collections import Counter
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Iterator

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from lprnet_model import Lprnet, LprnetShape, load_model
from plates import (
    CHARSET_CN68, Sample, encode, greedy_text, list_samples, normalise, read_image, to_network_size,
)  # fmt: skip
from synth_plates import GlyphBank, real_sample, synthetic_sample

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]


class BatchSource:
    """Augmented batches: step -> uint8 images, concatenated label indices, label lengths."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.seed = arguments.seed
        self.batch = arguments.batch
        self.real_share = arguments.real_share
        self.real_strength = arguments.real_strength
        self.synth_strength = arguments.synth_strength
        self.bank = GlyphBank(arguments.glyphs)
        samples = list_samples(arguments.real) if arguments.real else []
        self.images = [read_image(sample.path) for sample in samples]
        self.texts = [sample.text for sample in samples]
        self.steps = np.cumsum(self._shares(samples, arguments.province_balance))
        if not samples:
            self.real_share = 0.0

    @staticmethod
    def _shares(samples: list[Sample], balance: float) -> np.ndarray:
        """Rare provinces are drawn more often: share ~ count^(1 - balance)."""
        counts = Counter(sample.text[:1] for sample in samples)
        weights = np.array([counts[sample.text[:1]] ** -balance for sample in samples], dtype=np.float64)
        return weights / weights.sum() if samples else weights

    def draw(self, step: int, strength: float) -> Batch:
        """strength in 0..1 scales every augmentation: small at the start, so that the alignment is found early."""
        rng = np.random.default_rng([self.seed, step])
        images, labels, lengths = [], [], []
        for _ in range(self.batch):
            if rng.random() < self.real_share:
                index = min(int(np.searchsorted(self.steps, rng.random())), len(self.images) - 1)
                image = real_sample(self.images[index], rng, self.real_strength * strength)
                text = self.texts[index]
            else:
                image, text, _ = synthetic_sample(self.bank, rng, self.synth_strength * strength)
            indices = encode(text)
            images.append(image)
            labels += indices
            lengths.append(len(indices))
        return np.stack(images), np.array(labels, dtype=np.int64), np.array(lengths, dtype=np.int64)


def ease(share: float, ease_in: float) -> float:
    """How far augmentation goes once `share` of the budget is spent: a quarter at first, all of it from ease_in on."""
    return min(1.0, 0.25 + 0.75 * share / max(ease_in, 1e-6))


def _produce(
    arguments: argparse.Namespace, first: int, stride: int, clock_share: Synchronized, queue: multiprocessing.Queue
) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    source = BatchSource(arguments)
    step = first
    while True:
        # Batches are made ahead, so by steps the ease must come from the batch's own number to be repeatable.
        share = step / arguments.steps if arguments.steps else clock_share.value
        queue.put(source.draw(step, ease(share, arguments.ease_in)))
        step += stride


def batches(arguments: argparse.Namespace, first: int, clock_share: Synchronized) -> Iterator[Batch]:
    """Batches in order of their step, made ahead by --workers processes that end with this one."""
    context = multiprocessing.get_context("spawn")
    queues = []
    for worker in range(arguments.workers):
        queue = context.Queue(maxsize=12)
        process = context.Process(
            target=_produce, args=(arguments, first + worker, arguments.workers, clock_share, queue), daemon=True
        )
        process.start()
        queues.append((queue, process))
    turn = 0
    while True:
        queue, process = queues[turn % len(queues)]
        while queue.empty():
            if not process.is_alive():
                raise RuntimeError("the process that makes batches ended")
            time.sleep(0.002)
        yield queue.get()
        turn += 1


class MovingAverage:
    """Exponential moving average of parameters and batch-norm statistics; young averages forget faster."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.tensors = {key: value.detach().clone() for key, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (20 + self.updates))
        for key, value in network.state_dict().items():
            if value.is_floating_point():
                self.tensors[key].lerp_(value, 1 - decay)
            else:
                self.tensors[key].copy_(value)


class EvalSet:
    """Labelled crops at the network's size; exact plates per set by greedy decoding."""

    def __init__(self, sources: list[Path]) -> None:
        self.samples = list_samples(sources)
        self.images = np.stack([to_network_size(read_image(sample.path)) for sample in self.samples])

    @torch.inference_mode()
    def accuracy(self, network: Lprnet, batch: int = 64) -> dict[str, float]:
        """Per set, and "all". Batches do not change any answer: every mean in the network is per image."""
        network.eval()
        right: Counter[str] = Counter()
        total: Counter[str] = Counter()
        for start in range(0, len(self.samples), batch):
            pixels = torch.from_numpy(normalise(self.images[start : start + batch]))
            logits = network(pixels.contiguous(memory_format=torch.channels_last)).float().numpy()
            for sample, one in zip(self.samples[start : start + batch], logits):
                exact = greedy_text(one, CHARSET_CN68) == sample.text
                for group in (sample.group, "all"):
                    total[group] += 1
                    right[group] += exact
        return {group: right[group] / total[group] for group in sorted(total)}


def keep_memory() -> None:
    """Tells glibc to keep freed memory. By default each large activation is unmapped and faulted in again at every
    step, which costs a third of the time. A no-op elsewhere."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    m_trim_threshold, m_top_pad, m_mmap_max = -1, -2, -4
    mallopt(m_mmap_max, 0)
    mallopt(m_trim_threshold, 2**31 - 1)
    mallopt(m_top_pad, 256 << 20)


def learning_rate(peak: float, progress: float, step: int, warm_up: int) -> float:
    """Linear warm-up by steps, then a cosine over the whole budget down to 1 % of the peak."""
    if step < warm_up:
        return peak * (step + 1) / warm_up
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def make_optimizer(network: nn.Module, decay: float) -> torch.optim.Optimizer:
    """AdamW; batch norms and biases are not decayed."""
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))


def loss_of(network: Lprnet, batch: Batch, bf16: bool) -> Tensor:
    images, labels, lengths = batch
    pixels = torch.from_numpy(normalise(images)).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        logits = network(pixels)
    log_probabilities = logits.float().permute(2, 0, 1).log_softmax(dim=2)
    steps = torch.full((len(lengths),), logits.shape[2], dtype=torch.int64)
    return nn.functional.ctc_loss(
        log_probabilities,
        torch.from_numpy(labels),
        steps,
        torch.from_numpy(lengths),
        blank=len(CHARSET_CN68) - 1,
        zero_infinity=True,
    )


def save_atomically(content: dict, path: Path) -> None:
    temporary = path.with_suffix(".tmp")
    torch.save(content, temporary)
    os.replace(temporary, path)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--real", type=Path, nargs="*", default=[], help="folders or .tsv lists of labelled crops")
    parser.add_argument("--eval", type=Path, nargs="*", default=[], help="the same, for accuracy; never trained on")
    parser.add_argument("--glyphs", type=Path, help="folder of glyph images for the renderer")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint.pth and ema.pth")
    parser.add_argument("--minutes", type=float, help="budget by the clock")
    parser.add_argument("--steps", type=int, help="budget in steps")
    parser.add_argument("--batch", type=int, default=48, help="images per step (default: %(default)s)")
    parser.add_argument("--lr", type=float, default=2e-3, help="peak learning rate (default: %(default)s)")
    parser.add_argument("--warm-up", type=int, default=300, help="steps of linear warm-up (default: %(default)s)")
    parser.add_argument("--weight-decay", type=float, default=0.02, help="of AdamW (default: %(default)s)")
    parser.add_argument("--dropout", type=float, default=0.2, help="rate of both dropouts (default: %(default)s)")
    parser.add_argument("--ema", type=float, default=0.998, help="decay of the average (default: %(default)s)")
    parser.add_argument("--real-share", type=float, default=0.5, help="share of real crops (default: %(default)s)")
    parser.add_argument("--real-strength", type=float, default=0.7, help="augmentation of real crops")
    parser.add_argument("--synth-strength", type=float, default=0.85, help="augmentation of rendered plates")
    parser.add_argument("--province-balance", type=float, default=0.35, help="0 draws crops evenly, 1 provinces evenly")
    parser.add_argument("--ease-in", type=float, default=0.12, help="share of the budget until full augmentation")
    parser.add_argument("--widths", default="1.0", help="width multiplier, or five widths with commas")
    parser.add_argument("--initial", type=Path, help="model file to fine-tune; its widths replace --widths")
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16", help="of the forward pass")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="torch threads (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes that make batches (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--eval-every", type=float, default=5.0, help="minutes between evaluations")
    parser.add_argument("--save-every", type=float, default=4.0, help="minutes between checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from checkpoint.pth in --out")
    arguments = parser.parse_args()
    if (arguments.minutes is None) == (arguments.steps is None):
        parser.error("give --minutes or --steps")
    return arguments


def parse_widths(text: str) -> float | list[int]:
    return [int(part) for part in text.split(",")] if "," in text else float(text)


def main() -> int:
    arguments = parse_arguments()
    keep_memory()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    checkpoint_path = arguments.out / "checkpoint.pth"

    initial = load_model(arguments.initial).network if arguments.initial else None
    shape = initial.shape if initial else LprnetShape.from_widths(parse_widths(arguments.widths))
    network = Lprnet(shape, dropout=arguments.dropout).to(memory_format=torch.channels_last)
    if initial:
        network.load_state_dict(initial.state_dict())
    else:
        network.reset_parameters()
    optimizer = make_optimizer(network, arguments.weight_decay)
    average = MovingAverage(network, arguments.ema)
    averaged = Lprnet(shape).to(memory_format=torch.channels_last)
    step, spent = 0, 0.0
    if arguments.resume and checkpoint_path.is_file():
        saved = torch.load(checkpoint_path, weights_only=True)
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        average.tensors, average.updates = saved["ema"], saved["updates"]
        step, spent = saved["step"], saved["seconds"]
        torch.manual_seed(arguments.seed + step)

    evaluation = EvalSet(arguments.eval) if arguments.eval else None
    clock_share = multiprocessing.get_context("spawn").Value("d", 0.0)
    source = batches(arguments, step, clock_share)
    began = time.monotonic() - spent
    last_eval = last_save = last_log = time.monotonic()
    loss_sum, loss_count = 0.0, 0

    def progress() -> float:
        if arguments.steps:
            return step / arguments.steps
        return (time.monotonic() - began) / (60 * arguments.minutes)

    def save() -> None:
        seconds = time.monotonic() - began
        save_atomically(
            {
                "network": network.state_dict(),
                "optimizer": optimizer.state_dict(),
                "ema": average.tensors,
                "updates": average.updates,
                "step": step,
                "seconds": seconds,
            },
            checkpoint_path,
        )
        save_atomically(average.tensors, arguments.out / "ema.pth")

    def report() -> None:
        if evaluation is None:
            return
        averaged.load_state_dict(average.tensors)
        accuracy = evaluation.accuracy(averaged)
        print("eval", f"step {step}", *(f"{g} {100 * a:.1f}" for g, a in accuracy.items()), sep="  ", flush=True)

    print("arguments", vars(arguments), flush=True)
    while (now_at := progress()) < 1:
        clock_share.value = now_at
        rate = learning_rate(arguments.lr, now_at, step, arguments.warm_up)
        for group in optimizer.param_groups:
            group["lr"] = rate
        network.train()
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(network, next(source), arguments.precision == "bf16")
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        average.update(network)
        step += 1
        loss_sum += loss.item()
        loss_count += 1
        now = time.monotonic()
        if now - last_log >= 30:
            speed = loss_count * arguments.batch / (now - last_log)
            print(
                f"step {step}  minutes {(now - began) / 60:.1f}  loss {loss_sum / loss_count:.4f}  lr {rate:.2e}"
                f"  images/s {speed:.0f}",
                flush=True,
            )
            loss_sum, loss_count, last_log = 0.0, 0, now
        if now - last_eval >= 60 * arguments.eval_every:
            report()
            last_eval = time.monotonic()
        if now - last_save >= 60 * arguments.save_every:
            save()
            last_save = now
    save()
    report()
    print(f"done  step {step}  minutes {(time.monotonic() - began) / 60:.1f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
