#!/usr/bin/env python3
"""Trains LPRNet by the recipe: one stage of recipe.toml and every stage that it starts from.

Stages are counted in steps, batch N depends on the recipe and N alone, and a finished stage is kept: killed and run
again, the same command goes on where it stopped and ends with the same weights. Each stage leaves in its folder below
--out ema.pth (the result), log.csv, accuracy.png, settings.json and checkpoint.pth (to resume). TRAINING.md says what
the stages gave.

Exit status: 0 done, 2 wrong usage, 3 an input could not be read.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Sequence

import torch

from lprnet_model import LayoutError, Lprnet
from synth_dev import render_dev
from synth_plates import GlyphBank
from training.evaluation import EvalSet
from training.optimiser import keep_memory
from training.recipe import RecipeError, Stage, chain, changed, load_recipe
from training.stage import Evaluate, Site, is_done, run_stage

SCRIPTS = Path(__file__).resolve().parent
# Plates of the synthetic dev set in the log; the whole set takes longer than it tells more.
LOG_PER_PROVINCE = 16
LOG_GREENS = 248


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("stage", help="a stage of the recipe: dense, sparse35 ...; short needs no data")
    parser.add_argument("--data", type=Path, help="folder with plates/train, plates/dev and glyphs")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs, one folder each stage")
    parser.add_argument("--recipe", type=Path, default=SCRIPTS / "recipe.toml", help="default: recipe.toml beside this")
    parser.add_argument("--initial", type=Path, metavar="MODEL", help="start the stage from this, not from its parent")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="change settings of the stage")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="torch threads (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes that make batches (default: %(default)s)")
    parser.add_argument("--save-minutes", type=float, default=3.0, help="between checkpoints (default: %(default)s)")
    parser.add_argument("--eval-minutes", type=float, default=6.0, help="between evaluations (default: %(default)s)")
    return parser


def make_evaluate(data: Path | None, glyphs: Path | None) -> Evaluate:
    """Accuracy on plates/dev where it is, and on part of the synthetic dev set: synth7 and synth8 by length."""
    images, texts, groups = render_dev(GlyphBank(glyphs), LOG_PER_PROVINCE, LOG_GREENS)
    synthetic = EvalSet(images, texts, [f"synth{len(text)}" for text in texts])
    crops = EvalSet.of_crops([data / "plates" / "dev"]) if data else None

    def evaluate(network: Lprnet) -> dict[str, float]:
        rendered = synthetic.accuracy(network)
        if crops is None:
            return rendered
        del rendered["all"]
        return crops.accuracy(network) | rendered

    return evaluate


def stages_to_run(arguments: argparse.Namespace) -> list[Stage]:
    stages = chain(load_recipe(arguments.recipe), arguments.stage)
    if arguments.initial:
        stages = stages[-1:]
    stages[-1] = changed(stages[-1], arguments.set)
    needs_data = [stage.name for stage in stages if stage.real_share > 0]
    if needs_data and not arguments.data:
        raise RecipeError(f"stage {needs_data[0]}: trains on real crops: expected --data, found none")
    return stages


def main(words: Sequence[str] | None = None) -> int:
    arguments = build_parser().parse_args(words)
    try:
        stages = stages_to_run(arguments)
    except (RecipeError, OSError) as error:
        print(f"{arguments.recipe}: {error}", file=sys.stderr)
        return 2
    glyphs = arguments.data / "glyphs" if arguments.data else None
    for folder in (glyphs, arguments.data and arguments.data / "plates" / "dev"):
        if folder is not None and not folder.is_dir():
            print(f"{folder}: no such folder", file=sys.stderr)
            return 3
    keep_memory()
    torch.set_num_threads(arguments.threads)
    real = (arguments.data / "plates" / "train",) if arguments.data else ()
    site = Site(real, glyphs, arguments.workers, arguments.save_minutes, arguments.eval_minutes)
    start: Path | None = arguments.initial
    try:
        evaluate = make_evaluate(arguments.data, glyphs)
        for stage in stages:
            folder = arguments.out / stage.name
            if is_done(folder):
                print(f"{stage.name}  done before: {folder / 'ema.pth'}", flush=True)
            else:
                run_stage(stage, folder, start, site, evaluate)
            start = folder / "ema.pth"
    except (RecipeError, LayoutError, OSError, ValueError) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
