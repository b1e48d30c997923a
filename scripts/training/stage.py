"""Runs one stage: resumes it where it stopped, writes its journal, checkpoint and, once done, ema.pth."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import nn

from lprnet_model import Lprnet, LprnetShape, load_model
from training.batches import batches
from training.growing import grown
from training.journal import Journal, Progress
from training.optimizer import MovingAverage, learning_rate, loss_of, make_optimizer
from training.pruning import FixedZeros, prune
from training.recipe import RecipeError, Stage

# Channels and width of a transformer that is added.
TRANSFORMER = (32, 32, 32)

Evaluate = Callable[[Lprnet], dict[str, float]]


@dataclass(frozen=True)
class Site:
    """What a run uses and the weights do not depend on, but for the data: where things are and how often to save."""

    real: tuple[Path, ...]
    glyphs: Path | None
    workers: int
    save_minutes: float
    eval_minutes: float


def save_atomically(content: dict, path: Path) -> None:
    temporary = path.with_suffix(".tmp")
    torch.save(content, temporary)
    os.replace(temporary, path)


def is_done(folder: Path) -> bool:
    return (folder / "ema.pth").is_file()


def check_settings(stage: Stage, folder: Path, start: Path | None) -> None:
    """A folder belongs to one set of settings: to go on with others would give weights that no recipe describes."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = json.loads(json.dumps({**asdict(stage), "start": start.name if start else ""}))
    path = folder / "settings.json"
    if path.is_file():
        found = json.loads(path.read_text(encoding="utf-8"))
        for key, value in settings.items():
            if found.get(key) != value:
                raise RecipeError(f"{path}: {key} is {found.get(key)!r}, expected {value!r}: choose another --out")
        return
    path.write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def starting_network(stage: Stage, start: Path | None) -> Lprnet:
    """Random weights, or those of `start`, widened and with more classes and pruned if the stage says so."""
    initial = load_model(start).network if start else None
    shape = LprnetShape.from_widths(stage.widths, stage.classes)
    if initial and stage.widths == 1:
        shape = replace(initial.shape, classes=stage.classes)
    if stage.transformer and not shape.transformer:
        shape = replace(shape, transformer=TRANSFORMER)
    if initial and initial.shape != shape:
        initial = grown(initial, shape, stage.seed)
    network = Lprnet(shape, dropout=stage.dropout).to(memory_format=torch.channels_last)
    torch.manual_seed(stage.seed)
    if initial:
        network.load_state_dict(initial.state_dict())
    else:
        network.reset_parameters()
    if stage.prune != "none":
        prune(network, stage.prune, stage.amount)
    return network


def run_average(stage: Stage, folder: Path, parts: Sequence[Path], evaluate: Evaluate) -> None:
    """The mean of the weights and batch-norm statistics of some model files."""
    check_settings(stage, folder, None)
    networks = [load_model(part).network for part in parts]
    states = [network.state_dict() for network in networks]
    mean = {
        key: torch.stack([state[key] for state in states]).mean(dim=0) if value.is_floating_point() else value
        for key, value in states[0].items()
    }
    networks[0].load_state_dict(mean)
    accuracy = evaluate(networks[0])
    Journal(folder, 0).add(0, 0.0, 0.0, 0.0, accuracy)
    print(f"{stage.name}  mean of {len(parts)}  {_listed(accuracy)}", flush=True)
    save_atomically(mean, folder / "ema.pth")


def _listed(accuracy: dict[str, float]) -> str:
    return "  ".join(f"{name} {100 * share:.1f}" for name, share in accuracy.items())


def run_stage(
    stage: Stage, folder: Path, start: Path | None, site: Site, evaluate: Evaluate, teacher: Path | None = None
) -> None:
    """Trains; `start` is a model file or None. Killed and run again it gives the weights of an uninterrupted run."""
    check_settings(stage, folder, start)
    network = starting_network(stage, start)
    taught_by = load_model(teacher).network.to(memory_format=torch.channels_last) if teacher else None
    zeros = FixedZeros(network)
    optimizer = make_optimizer(network, stage)
    average = MovingAverage(network, stage.ema)
    averaged = Lprnet(network.shape).to(memory_format=torch.channels_last)
    checkpoint_path = folder / "checkpoint.pth"
    step, spent = 0, 0.0
    if checkpoint_path.is_file():
        saved = torch.load(checkpoint_path, weights_only=True)
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        average.tensors, average.updates = saved["ema"], saved["updates"]
        step, spent = saved["step"], saved["seconds"]

    journal = Journal(folder, step)
    progress = Progress(stage.name, stage.end, step, stage.batch)
    began = time.monotonic() - spent
    last_save = last_eval = time.monotonic()
    losses: list[float] = []

    def save() -> None:
        content = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "ema": average.tensors}
        content |= {"updates": average.updates, "step": step, "seconds": time.monotonic() - began}
        save_atomically(content, checkpoint_path)

    def report(rate: float) -> None:
        averaged.load_state_dict(average.tensors)
        accuracy = evaluate(averaged)
        minutes = (time.monotonic() - began) / 60
        journal.add(step, minutes, rate, sum(losses) / max(len(losses), 1), accuracy)
        losses.clear()
        progress.say(f"{stage.name}  step {step}  {_listed(accuracy)}")

    for batch in batches(stage, site.real, site.glyphs, step, site.workers):
        # Dropout draws from here: seeded by the step, so that a resumed run draws the same.
        torch.manual_seed(stage.seed * 1_000_003 + step)
        rate = learning_rate(stage, step)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["share"]
        network.train()
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(network, batch, stage, taught_by)
        loss.backward()
        zeros.clear_gradients()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        zeros.clear_weights()
        average.update(network)
        step += 1
        losses.append(loss.item())
        progress.step(step, losses[-1])
        now = time.monotonic()
        if now - last_save >= 60 * site.save_minutes:
            save()
            last_save = now
        if now - last_eval >= 60 * site.eval_minutes and step < stage.end:
            report(rate)
            last_eval = time.monotonic()
    save()
    report(learning_rate(stage, stage.end))
    save_atomically(average.tensors, folder / "ema.pth")
