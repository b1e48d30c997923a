#!/usr/bin/env python3
"""Trains LPRNet by the recipe: one stage of recipe.toml and every stage that it starts from.

Stages are counted in steps, batch N depends on the recipe and N alone, and a finished stage is kept: killed and run
again, the same command goes on where it stopped and ends with the same weights. Each stage leaves in its folder below
--out ema.pth (the result), log.csv, accuracy.png, settings.json and checkpoint.pth (to resume); stages.md there has the
last row of each. TRAINING.md says what the stages gave.

Exit status: 0 done, 2 wrong usage, 3 an input could not be read.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from lprnet_model import LayoutError, Lprnet
from plates import list_samples
from synth_dev import Size, render_dev
from synth_plates import SPECIAL_KINDS, GlyphBank
from training.evaluation import EvalSet, network_input
from training.journal import write_table
from training.optimizer import keep_memory
from training.recipe import RecipeError, Stage, chain, changed, load_recipe, together
from training.stage import Evaluate, Site, Training, is_done, run_average, run_stages

SCRIPTS = Path(__file__).resolve().parent
# Plates of the synthetic dev set in the log; the whole set takes longer than it tells more.
EVAL_SPLITS = ("dev", "dev2")
TRAIN_SPLITS = ("train", "train2")
LOG_SIZE = Size(per_province=16, greens=124, per_kind=12)
# Real crops of these sets are told apart by their kind, of which there are but a few each.
BY_KIND = {"web_special"}
TWO_ROWS = {"two_row_yellow"}
OTHERS = {"armed_police", "civil_aviation", "agricultural_two_row"}


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("stage", nargs="+", help="stages of the recipe: dense, sparse35 ...; short needs no data")
    parser.add_argument("--data", type=Path, help="folder with plates/train, plates/dev and glyphs")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs, one folder each stage")
    parser.add_argument("--recipe", type=Path, default=SCRIPTS / "recipe.toml", help="default: recipe.toml beside this")
    parser.add_argument(
        "--given", nargs="+", default=[], metavar="STAGE=MODEL", help="take these weights as the result of a stage"
    )
    parser.add_argument("--initial", type=Path, metavar="MODEL", help="start the stage from this, not from its parent")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="change settings of the stage")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="torch threads (default: %(default)s)")
    parser.add_argument("--device", default="cpu", help="of torch, such as cuda (default: %(default)s)")
    parser.add_argument("--compile", action="store_true", help="torch.compile the networks: pays after some minutes")
    parser.add_argument("--workers", type=int, default=1, help="processes that make batches (default: %(default)s)")
    parser.add_argument("--save-minutes", type=float, default=3.0, help="between checkpoints (default: %(default)s)")
    parser.add_argument("--eval-minutes", type=float, default=20.0, help="between evaluations (default: %(default)s)")
    return parser


def make_evaluate(data: Path | None, glyphs: Path | None) -> Evaluate:
    """Accuracy on plates/dev and dev2 where they are, and on part of the synthetic dev set: synth7 and synth8 by
    length."""
    images, texts, groups = render_dev(GlyphBank(glyphs), LOG_SIZE)
    names = {"green": "synth8"} | {kind: "synth_special" for kind in SPECIAL_KINDS}
    synthetic = EvalSet(images, texts, [names.get(group, "synth7") for group in groups])
    folders = {name: data / "plates" / name for name in EVAL_SPLITS} if data else {}
    crops = {name: eval_set(folder) for name, folder in folders.items() if folder.is_dir()}

    def evaluate(network: Lprnet) -> dict[str, float]:
        rendered = synthetic.accuracy(network)
        if not crops:
            return rendered
        del rendered["all"]
        found: dict[str, float] = {}
        for name, part in crops.items():
            accuracy = part.accuracy(network)
            found["all" if name == "dev" else name] = accuracy.pop("all")
            found |= {group if group not in found else f"{group}_{name}": share for group, share in accuracy.items()}
        return found | rendered

    return evaluate


def eval_set(folder: Path) -> EvalSet:
    samples = list_samples([folder])
    groups = []
    for one in samples:
        of_few = "two_rows" if one.kind in TWO_ROWS else "others" if one.kind in OTHERS else "special"
        groups.append(of_few if one.group in BY_KIND else one.group)
    return EvalSet([network_input(one) for one in samples], [one.text for one in samples], groups)


def given_results(words: Sequence[str]) -> dict[str, Path]:
    given = {}
    for word in words:
        name, mark, path = word.partition("=")
        if not mark or not Path(path).is_file():
            raise RecipeError(f"--given {word}: expected STAGE=MODEL with a model file")
        given[name] = Path(path)
    return given


def stages_to_run(arguments: argparse.Namespace, given: dict[str, Path]) -> list[Stage]:
    recipe = load_recipe(arguments.recipe)
    for name in given:
        if name not in recipe:
            raise RecipeError(f"--given {name}: not in the recipe, which has {', '.join(recipe)}")
        # What it came from need not be run.
        recipe[name] = replace(recipe[name], after="", average=(), teacher="", steps=max(1, recipe[name].steps))
    stages = [stage for stage in chain(recipe, arguments.stage) if stage.name not in given]
    if not stages:
        raise RecipeError(f"--given {' '.join(arguments.stage)}: nothing is left to run")
    if arguments.initial:
        stages = stages[-1:]
    stages[-1] = changed(stages[-1], arguments.set)
    needs_data = [stage.name for stage in stages if stage.real_share > 0 and not stage.average]
    if needs_data and not arguments.data:
        raise RecipeError(f"stage {needs_data[0]}: trains on real crops: expected --data, found none")
    together(stages)
    return stages


def main(words: Sequence[str] | None = None) -> int:
    arguments = build_parser().parse_args(words)
    try:
        given = given_results(arguments.given)
        stages = stages_to_run(arguments, given)
    except (RecipeError, OSError) as error:
        print(f"{arguments.recipe}: {error}", file=sys.stderr)
        return 2
    glyphs = arguments.data / "glyphs" if arguments.data else None
    real = [arguments.data / "plates" / name for name in TRAIN_SPLITS] if arguments.data else []
    for folder in (glyphs, arguments.data and arguments.data / "plates" / "dev", *real[:1]):
        if folder is not None and not folder.is_dir():
            print(f"{folder}: no such folder", file=sys.stderr)
            return 3
    keep_memory()
    torch.set_num_threads(arguments.threads)
    torch.backends.cudnn.benchmark = True
    real = [folder for folder in real if folder.is_dir()]
    site = Site(
        tuple(real), glyphs, arguments.workers, arguments.save_minutes, arguments.eval_minutes,
        torch.device(arguments.device), arguments.compile,
    )  # fmt: skip
    folders: list[Path] = []
    try:
        evaluate = make_evaluate(arguments.data, glyphs)
        for group in together(stages):
            trainings = []
            for stage in group:
                folder = arguments.out / stage.name
                folders.append(folder)
                if is_done(folder):
                    print(f"{stage.name}  done before: {folder / 'ema.pth'}", flush=True)
                    continue
                needed = {name: given.get(name, arguments.out / name / "ema.pth") for name in stage.needs}
                if stage.average:
                    run_average(stage, folder, [needed[part] for part in stage.average], evaluate)
                    continue
                start = arguments.initial or needed.get(stage.after)
                trainings.append(Training(stage, folder, start, site, needed.get(stage.teacher)))
            if trainings:
                run_stages(trainings, site, evaluate)
            write_table(arguments.out / "stages.md", folders)
    except (RecipeError, LayoutError, OSError, ValueError) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
