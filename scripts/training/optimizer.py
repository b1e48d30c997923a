"""One step of training: CTC loss, AdamW, learning rate, and the moving average whose weights count."""

from __future__ import annotations

import ctypes
import math

import torch
from torch import Tensor, nn

from lprnet_model import Lprnet
from plates import UPSTREAM_PREPROCESS, normalize
from training.batches import Batch
from training.recipe import Stage

# Temperature of the probabilities that a teacher passes on.
SOFTNESS = 2.0


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
        floats, means = [], []
        for key, value in network.state_dict().items():
            if value.is_floating_point():
                floats.append(value)
                means.append(self.tensors[key])
            else:
                self.tensors[key].copy_(value)
        torch._foreach_lerp_(means, floats, 1 - decay)


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


def make_optimizer(network: Lprnet, stage: Stage) -> torch.optim.Optimizer:
    """AdamW; batch norms and biases are not decayed. `share` is the part of the learning rate that a group gets."""
    front = {id(p) for p in network.transformer.parameters()} if network.transformer is not None else set()
    groups = []
    for share, in_front in ((1.0, False), (stage.transformer_rate, True)):
        parameters = [p for p in network.parameters() if (id(p) in front) == in_front]
        for decay, matrices in ((stage.weight_decay, True), (0.0, False)):
            part = [p for p in parameters if (p.ndim > 1) == matrices]
            if part:
                groups.append({"params": part, "weight_decay": decay, "share": share})
    on_cpu = next(network.parameters()).device.type == "cpu"
    return torch.optim.AdamW(groups, lr=stage.lr, betas=(0.9, 0.99), fused=not on_cpu)


def pixels_of(batch: Batch, device: torch.device) -> Tensor:
    """The network's input, [n, 3, 24, 94] in channels-last order."""
    pixels = torch.from_numpy(normalize(batch.images)) if device.type == "cpu" else _normalized_there(batch, device)
    return pixels.contiguous(memory_format=torch.channels_last)


def _normalized_there(batch: Batch, device: torch.device) -> Tensor:
    """The same numbers as normalize's, from bytes that take a quarter of the time to copy."""
    images = torch.from_numpy(batch.images).to(device, non_blocking=True)
    return (images.permute(0, 3, 1, 2).float() - UPSTREAM_PREPROCESS["mean"]) * UPSTREAM_PREPROCESS["scale"]


def logits_of(network: nn.Module, pixels: Tensor, stage: Stage) -> Tensor:
    """[n, class, step], in the precision that the stage trains with."""
    with torch.autocast(pixels.device.type, dtype=torch.bfloat16, enabled=stage.precision == "bf16"):
        return network(pixels)


def loss_of(network: nn.Module, pixels: Tensor, batch: Batch, stage: Stage, wanted: Tensor | None = None) -> Tensor:
    """CTC loss and, with a teacher's logits, how far the probabilities of each step are from the teacher's."""
    logits = logits_of(network, pixels, stage)
    log_probabilities = logits.float().permute(2, 0, 1).log_softmax(dim=2)
    time_steps = torch.full((len(batch.lengths),), logits.shape[2], dtype=torch.int64)
    loss = nn.functional.ctc_loss(
        log_probabilities,
        torch.from_numpy(batch.labels).to(pixels.device),
        time_steps,
        torch.from_numpy(batch.lengths),
        blank=logits.shape[1] - 1,
        zero_infinity=True,
    )
    if wanted is None:
        return loss
    # Softened, so that the teacher's doubts count; the square keeps the gradient's size.
    soft = nn.functional.log_softmax(logits.float() / SOFTNESS, dim=1)
    goal = nn.functional.log_softmax(wanted.float() / SOFTNESS, dim=1)
    distance = nn.functional.kl_div(soft, goal, reduction="none", log_target=True).sum(dim=1).mean()
    return loss + stage.distil * SOFTNESS**2 * distance
