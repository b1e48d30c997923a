"""One step of training: CTC loss, AdamW, learning rate, and the moving average whose weights count."""

from __future__ import annotations

import ctypes
import math

import torch
from torch import Tensor, nn

from lprnet_model import Lprnet
from plates import CHARSET_CN68, normalise
from training.batches import Batch
from training.recipe import Stage


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


def learning_rate(stage: Stage, step: int) -> float:
    """Linear warm-up, then a cosine over all steps down to 1 % of the peak."""
    if step < stage.warm_up:
        return stage.lr * (step + 1) / stage.warm_up
    return stage.lr * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / stage.steps)))


def make_optimizer(network: nn.Module, stage: Stage) -> torch.optim.Optimizer:
    """AdamW; batch norms and biases are not decayed."""
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": stage.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=stage.lr, betas=(0.9, 0.99))


def loss_of(network: Lprnet, batch: Batch, bf16: bool) -> Tensor:
    pixels = torch.from_numpy(normalise(batch.images)).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        logits = network(pixels)
    log_probabilities = logits.float().permute(2, 0, 1).log_softmax(dim=2)
    time_steps = torch.full((len(batch.lengths),), logits.shape[2], dtype=torch.int64)
    return nn.functional.ctc_loss(
        log_probabilities,
        torch.from_numpy(batch.labels),
        time_steps,
        torch.from_numpy(batch.lengths),
        blank=len(CHARSET_CN68) - 1,
        zero_infinity=True,
    )
