#!/usr/bin/env python3
"""How much accuracy each convolution costs when it alone is pruned: a table and a plot.

For every layer and every amount: `lprnet prune --layer NAME=AMOUNT`, then `lprnet eval` on the labelled images. Writes
PREFIX.csv (layer, weights, amount, plates, correct, accuracy, char_accuracy) and PREFIX.png, prints a table of the
exact-plate accuracy in percent. The pruned models lie in a temporary folder and are gone afterwards.

Exit status: 0 done, 2 wrong usage, 3 an input could not be read.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from plates import Sample, list_samples

DEFAULT_AMOUNTS = "0,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9"


class ProgramError(RuntimeError):
    """The program failed; the message is its own."""


class Point(NamedTuple):
    layer: str
    weights: int
    amount: float
    plates: int
    correct: int
    accuracy: float
    char_accuracy: float


class Program:
    """The program with one model."""

    def __init__(self, path: Path, model: Path) -> None:
        self.path = path
        self.model = model

    def json(self, verb: str, *arguments: object, model: Path | None = None) -> dict:
        command = [str(self.path), verb, "-j", "-m", str(model or self.model), *map(str, arguments)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise ProgramError(result.stderr.strip() or f"{verb}: exit status {result.returncode}")
        return json.loads(result.stdout)

    def point(self, layer: str, weights: int, amount: float, labels: Path, folder: Path) -> Point:
        pruned = folder / f"{layer}-{amount}.safetensors"
        try:
            self.json("prune", "-o", pruned, "--layer", f"{layer}={amount}")
            score = self.json("eval", labels, model=pruned)
        finally:
            pruned.unlink(missing_ok=True)
        return Point(
            layer, weights, amount, score["plates"], score["correct"], score["accuracy"], score["char_accuracy"]
        )


def write_labels(path: Path, samples: Sequence[Sample]) -> None:
    lines = [f"{sample.path.resolve()}\t{sample.text}\t{sample.group}\n" for sample in samples]
    path.write_text("".join(lines), encoding="utf-8")


def measure(
    program: Program, amounts: Sequence[float], samples: Sequence[Sample], jobs: int, report=lambda done, total: None
) -> list[Point]:
    """Layers in the order of the network, amounts in the order given. Amount 0 is measured once for all layers."""
    layers = [(layer["name"], layer["weights"]) for layer in program.json("info")["weights"]]
    with tempfile.TemporaryDirectory(prefix="lprnet-sensitivity-") as name:
        folder = Path(name)
        labels = folder / "labels.tsv"
        write_labels(labels, samples)
        untouched = program.point(*layers[0], 0.0, labels, folder)
        wanted = [(layer, weights, amount) for layer, weights in layers for amount in amounts]
        points = []
        with ThreadPoolExecutor(jobs) as pool:
            futures = [
                None if amount == 0 else pool.submit(program.point, layer, weights, amount, labels, folder)
                for layer, weights, amount in wanted
            ]
            try:
                for (layer, weights, _), future in zip(wanted, futures, strict=True):
                    point = future.result() if future else untouched._replace(layer=layer, weights=weights)
                    points.append(point)
                    report(len(points), len(wanted))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    return points


def write_csv(path: Path, points: Sequence[Point]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Point._fields)
        for point in points:
            writer.writerow([f"{value:.6g}" if isinstance(value, float) else value for value in point])


def by_layer(points: Sequence[Point]) -> dict[str, list[Point]]:
    layers: dict[str, list[Point]] = {}
    for point in points:
        layers.setdefault(point.layer, []).append(point)
    return layers


def write_plot(path: Path, points: Sequence[Point]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 6))
    layers = by_layer(points)
    colors = pyplot.get_cmap("turbo")
    for index, (layer, curve) in enumerate(layers.items()):
        axes.plot(
            [100 * point.amount for point in curve],
            [100 * point.accuracy for point in curve],
            marker=".",
            color=colors(index / max(1, len(layers) - 1)),
            label=f"{layer} ({curve[0].weights})",
        )
    axes.set_xlabel("weights of the one layer set to zero, smallest first, %")
    axes.set_ylabel(f"exact plates, % of {points[0].plates}")
    axes.grid(alpha=0.3)
    axes.legend(title="layer (weights)", fontsize="small", loc="lower left")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def print_table(points: Sequence[Point]) -> None:
    layers = by_layer(points)
    amounts = [point.amount for point in next(iter(layers.values()))]
    width = max(map(len, layers))
    print(f"{'layer':{width}}  weights" + "".join(f"{100 * amount:6.3g}%" for amount in amounts))
    for layer, curve in layers.items():
        cells = "".join(f"{100 * point.accuracy:7.2f}" for point in curve)
        print(f"{layer:{width}}  {curve[0].weights:7}{cells}")


def parse_amounts(text: str) -> list[float]:
    amounts = [float(part) for part in text.split(",")]
    if not all(math.isfinite(amount) and 0 <= amount <= 1 for amount in amounts):
        raise ValueError(text)
    return amounts


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--lprnet", type=Path, required=True, metavar="PROGRAM", help="the program lprnet")
    parser.add_argument("-m", "--model", type=Path, required=True, help=".safetensors model")
    parser.add_argument("--labels", type=Path, required=True, help="folder or labels.tsv of labelled images")
    parser.add_argument("--out", type=Path, required=True, metavar="PREFIX", help="writes PREFIX.csv and PREFIX.png")
    parser.add_argument("--sample", type=positive, default=1, metavar="N", help="every N-th image only (default: all)")
    parser.add_argument(
        "--amounts", type=parse_amounts, default=parse_amounts(DEFAULT_AMOUNTS), help=f"default: {DEFAULT_AMOUNTS}"
    )
    parser.add_argument("--jobs", type=positive, default=1, help="programs run at the same time (default: 1)")
    options = parser.parse_args(arguments)
    if not options.out.absolute().parent.is_dir():
        parser.error(f"--out: {options.out.parent}: no such folder")

    def progress(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done}/{total}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    try:
        samples = list_samples([options.labels])[:: options.sample]
        if not samples:
            raise ValueError(f"{options.labels}: no labelled image")
        points = measure(
            Program(options.lprnet, options.model), options.amounts, samples, options.jobs, report=progress
        )
        write_csv(Path(f"{options.out}.csv"), points)
        write_plot(Path(f"{options.out}.png"), points)
    except (OSError, ValueError, ProgramError) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        return 3
    print_table(points)
    return 0


if __name__ == "__main__":
    sys.exit(main())
