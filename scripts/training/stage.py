"""Runs stages: resumes them where they stopped, writes their journals, checkpoints and, once done, ema.pth."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from lprnet_model import Lprnet, LprnetShape, load_model
from training.batches import Batch, batches
from training.growing import grown
from training.journal import Journal, Progress
from training.optimizer import MovingAverage, learning_rate, logits_of, loss_of, make_optimizer, pixels_of
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
    device: torch.device = torch.device("cpu")
    compiled: bool = False


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


class Training:
    """The training of one network, in a folder of its own."""

    def __init__(self, stage: Stage, folder: Path, start: Path | None, site: Site, teacher: Path | None) -> None:
        """`start` and `teacher` are model files or None; goes on from the folder's checkpoint if there is one."""
        check_settings(stage, folder, start)
        self.stage, self.folder, self.teacher = stage, folder, teacher
        self.network = starting_network(stage, start).to(site.device)
        self.zeros = FixedZeros(self.network)
        self.optimizer = make_optimizer(self.network, stage)
        self.average = MovingAverage(self.network, stage.ema)
        self.averaged = Lprnet(self.network.shape).to(site.device, memory_format=torch.channels_last)
        self.step, spent = 0, 0.0
        if self.checkpoint.is_file():
            saved = torch.load(self.checkpoint, weights_only=True, map_location=site.device)
            self.network.load_state_dict(saved["network"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.average.tensors, self.average.updates = saved["ema"], saved["updates"]
            self.step, spent = saved["step"], saved["seconds"]
        self.journal = Journal(folder, self.step)
        self.began = time.monotonic() - spent
        self.losses: list[Tensor] = []
        self.run = torch.compile(self.network) if site.compiled else self.network

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pth"

    @property
    def rate(self) -> float:
        return learning_rate(self.stage, self.step)

    def learn(self, pixels: Tensor, batch: Batch, wanted: Tensor | None) -> None:
        """One step; `wanted` is what the teacher says, if there is one."""
        # Dropout draws from here: seeded by the step, so that a resumed run draws the same.
        torch.manual_seed(self.stage.seed * 1_000_003 + self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * group["share"]
        self.network.train()
        self.optimizer.zero_grad(set_to_none=True)
        loss = loss_of(self.run, pixels, batch, self.stage, wanted)
        loss.backward()
        self.zeros.clear_gradients()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.zeros.clear_weights()
        self.average.update(self.network)
        self.step += 1
        self.losses.append(loss.detach())

    def save(self) -> None:
        content = {
            "network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(),
            "ema": self.average.tensors, "updates": self.average.updates,
            "step": self.step, "seconds": time.monotonic() - self.began,
        }  # fmt: skip
        save_atomically(content, self.checkpoint)

    def report(self, evaluate: Evaluate) -> str:
        self.averaged.load_state_dict(self.average.tensors)
        accuracy = evaluate(self.averaged)
        minutes = (time.monotonic() - self.began) / 60
        loss = float(torch.stack(self.losses).mean()) if self.losses else 0.0
        self.losses.clear()
        self.journal.add(self.step, minutes, self.rate, loss, accuracy)
        return f"{self.stage.name}  step {self.step}  {_listed(accuracy)}"

    def finish(self) -> None:
        save_atomically({key: value.cpu() for key, value in self.average.tensors.items()}, self.folder / "ema.pth")


def run_stages(trainings: Sequence[Training], site: Site, evaluate: Evaluate) -> None:
    """Trains networks on the same batches, those of the first one's stage. Killed and run again it gives the weights of
    an uninterrupted run."""
    first = trainings[0].stage
    begin, end = min(one.step for one in trainings), max(one.stage.end for one in trainings)
    teachers = {one.teacher: load_model(one.teacher).network for one in trainings if one.teacher}
    for teacher in teachers.values():
        teacher.to(site.device, memory_format=torch.channels_last)
    progress = Progress(" ".join(one.stage.name for one in trainings), end, begin, first.batch)
    last_save = last_eval = time.monotonic()
    steps = range(begin, end)
    for step, batch in zip(steps, batches(first, site.real, site.glyphs, steps, site.workers), strict=True):
        pixels = pixels_of(batch, site.device)
        # A run that was cut off between two checkpoints has networks that are ahead of others.
        due = [one for one in trainings if one.step == step < one.stage.end]
        with torch.no_grad():
            wanted = {path: logits_of(teacher, pixels, first) for path, teacher in teachers.items()}
        for one in due:
            one.learn(pixels, batch, wanted.get(one.teacher))
        if due:
            # The loss of the step before, if it is kept: an accelerator need not be waited for.
            progress.step(step + 1, float(due[0].losses[-2:][0]))
        now = time.monotonic()
        if now - last_save >= 60 * site.save_minutes:
            for one in due:
                one.save()
            last_save = now
        if now - last_eval >= 60 * site.eval_minutes:
            for one in due:
                if one.step < one.stage.end:
                    progress.say(one.report(evaluate))
            last_eval = time.monotonic()
    for one in trainings:
        one.save()
        progress.say(one.report(evaluate))
        one.finish()
