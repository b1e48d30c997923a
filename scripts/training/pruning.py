"""Which convolution weights a stage removes, and keeping them at zero while the others are trained on."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

# Output channels of one group of shaped pruning: one full register of the widest kernels.
GROUP_CHANNELS = 16
# Three input channels: nothing to leave out by groups.
NO_GROUPS = ("backbone.0",)


def convolutions(network: nn.Module) -> dict[str, nn.Conv2d]:
    return {name: layer for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)}


def _keep_largest(scores: Tensor, amount: float) -> Tensor:
    """False for the floor(amount * n) smallest scores; among equals the one of lower index goes first."""
    flat = scores.detach().double().flatten().numpy()
    keep = np.ones(flat.size, dtype=bool)
    keep[np.argsort(flat, kind="stable")[: int(amount * flat.size)]] = False
    return torch.from_numpy(keep).reshape(scores.shape)


def unstructured_masks(network: nn.Module, amount: float) -> dict[str, Tensor]:
    """The smallest |w| of every convolution, the same share of each."""
    return {name: _keep_largest(layer.weight.abs(), amount) for name, layer in convolutions(network).items()}


def global_masks(network: nn.Module, amount: float) -> dict[str, Tensor]:
    """The smallest |w| of all convolutions together."""
    layers = convolutions(network)
    keep = _keep_largest(torch.cat([layer.weight.detach().abs().flatten() for layer in layers.values()]), amount)
    parts = keep.split([layer.weight.numel() for layer in layers.values()])
    return {name: part.reshape(layer.weight.shape) for (name, layer), part in zip(layers.items(), parts, strict=True)}


def group_masks(network: nn.Module, amount: float) -> dict[str, Tensor]:
    """Whole groups of one input channel x GROUP_CHANNELS output channels, all taps, by L1 norm, per convolution. The
    last group of a layer may be smaller: its norm is scaled up, so that it is judged by the mean."""
    masks = {}
    for name, layer in convolutions(network).items():
        out = layer.weight.shape[0]
        if name in NO_GROUPS:
            masks[name] = torch.ones_like(layer.weight, dtype=torch.bool)
            continue
        norms = layer.weight.detach().abs().sum(dim=(2, 3)).split(GROUP_CHANNELS)
        scores = torch.stack([norm.sum(dim=0) * (GROUP_CHANNELS / len(norm)) for norm in norms])
        keep = _keep_largest(scores, amount).repeat_interleave(GROUP_CHANNELS, dim=0)[:out]
        masks[name] = keep[:, :, None, None].expand_as(layer.weight)
    return masks


MASKS = {"unstructured": unstructured_masks, "global": global_masks, "groups": group_masks}


class FixedZeros:
    """Convolution weights that are zero when this is made stay zero."""

    def __init__(self, network: nn.Module) -> None:
        weights = [layer.weight for layer in convolutions(network).values()]
        self.masked = [(weight, weight.detach() != 0) for weight in weights if bool((weight == 0).any())]

    def clear_gradients(self) -> None:
        """Before the gradients are clipped: those of removed weights must not count in the norm."""
        for weight, keep in self.masked:
            weight.grad.mul_(keep)

    @torch.no_grad()
    def clear_weights(self) -> None:
        """After the optimizer's step, whose momentum knows of no mask."""
        for weight, keep in self.masked:
            weight.mul_(keep)


@torch.no_grad()
def prune(network: nn.Module, method: str, amount: float) -> None:
    masks = MASKS[method](network, amount)
    for name, layer in convolutions(network).items():
        layer.weight.mul_(masks[name])


def zero_share(network: nn.Module) -> float:
    weights = [layer.weight.detach() for layer in convolutions(network).values()]
    return sum(int((weight == 0).sum()) for weight in weights) / sum(weight.numel() for weight in weights)
