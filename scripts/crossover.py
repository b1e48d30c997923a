#!/usr/bin/env python3
"""From which share of zero weights on sparse convolutions pay: a table and a plot.

For every amount `lprnet prune --amount`, then `lprnet bench --per-layer` with three plans in turn: the dense weights,
the pruned ones with every convolution sparse, and the pruned ones as planned by default. Writes PREFIX.csv (isa, zeros,
layer, dense_us, sparse_us, planned_us; the layer "all" is the whole network) and PREFIX.png, and prints the whole
network's speed-up. Each time is the least of the medians of several rounds. The pruned models lie in a temporary
folder and are gone afterwards.

Exit status: 0 done, 2 wrong usage, 3 an input could not be read.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

DEFAULT_AMOUNTS = "0,0.1,0.2,0.3,0.35,0.4,0.5,0.6,0.7,0.8,0.9,0.95"
ALL_SPARSE = "lprnet tuning 1\nconv * sparse\n"
NETWORK = "all"


class ProgramError(RuntimeError):
    """The program failed; the message is its own."""


class Row(NamedTuple):
    isa: str
    zeros: float
    layer: str
    dense_us: float
    sparse_us: float
    planned_us: float


class Program:
    def __init__(self, path: Path, frames: int) -> None:
        self.path = path
        self.frames = frames

    def run(self, *arguments: object, isa: str = "") -> dict:
        environment = {**os.environ, **({"LPRNET_ISA": isa} if isa else {})}
        environment.pop("LPRNET_TUNING", None)
        command = [str(self.path.absolute()), *map(str, arguments), "-j"]
        result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        if result.returncode != 0:
            raise ProgramError(result.stderr.strip() or f"{arguments[0]}: exit status {result.returncode}")
        return json.loads(result.stdout)

    def times_us(self, model: Path, isa: str, *options: object) -> dict[str, float]:
        """Median time of each convolution, by name, and of the network."""
        bench = self.run("bench", "-m", model, "--per-layer", "--frames", self.frames, *options, isa=isa)[0]
        times = {layer["name"]: 1e3 * layer["ms"] for layer in bench["layers"] if layer["kernel"].startswith("conv")}
        return {**times, NETWORK: 1e3 * bench["latency_ms"]["p50"]}


def measure(
    program: Program, dense: Path, isas: Sequence[str], amounts: Sequence[float], rounds: int, folder: Path
) -> list[Row]:
    """All points in each round, so that a busy minute spoils one round and not one point."""
    tuning = folder / "sparse.txt"
    tuning.write_text(ALL_SPARSE)
    least: dict[tuple[str, float, str], list[float]] = {}
    for round_ in range(rounds):
        for amount in amounts:
            pruned = folder / f"{amount}.safetensors"
            if round_ == 0:
                program.run("prune", "-m", dense, "-o", pruned, "--amount", amount)
            for isa in isas:
                plans = ((dense,), (pruned, "--tuning", tuning), (pruned,))
                for plan, (model, *options) in enumerate(plans):
                    for layer, us in program.times_us(model, isa, *options).items():
                        best = least.setdefault((isa, amount, layer), [math.inf] * len(plans))
                        best[plan] = min(us, best[plan])
    return [Row(*point, *best) for point, best in sorted(least.items(), key=lambda item: isas.index(item[0][0]))]


def print_network(rows: Sequence[Row]) -> None:
    for row in rows:
        if row.layer == NETWORK:
            print(
                f"{row.isa:8} {100 * row.zeros:3.0f} % zeros: dense {row.dense_us:7.0f} us, "
                f"planned {row.planned_us:7.0f} us, {row.dense_us / row.planned_us:.2f}x"
            )


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Row._fields)
        for row in rows:
            writer.writerow([row.isa, f"{row.zeros:g}", row.layer, *(f"{us:.1f}" for us in row[3:])])


def write_plot(path: Path, rows: Sequence[Row], kernels: dict[str, str]) -> None:
    """One panel for each instruction set. Layers of one shape share a color: 1x1 solid, others dashed."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    isas = list(dict.fromkeys(row.isa for row in rows))
    layers = [layer for layer in dict.fromkeys(row.layer for row in rows) if layer != NETWORK]
    colors = pyplot.get_cmap("tab20")
    figure, axes = pyplot.subplots(
        1, len(isas), figsize=(1.5 + 4.2 * len(isas), 5.2), sharey=True, squeeze=False, layout="constrained"
    )
    for isa, axis in zip(isas, axes[0], strict=True):
        of_isa = [row for row in rows if row.isa == isa]
        for i, layer in enumerate(layers):
            points = [row for row in of_isa if row.layer == layer]
            axis.plot(
                [100 * p.zeros for p in points],
                [p.dense_us / p.sparse_us for p in points],
                color=colors(i % 20),
                linestyle="-" if kernels[layer] == "1x1" else "--",
                linewidth=1,
                label=f"{layer} {kernels[layer]}",
            )
        network = [row for row in of_isa if row.layer == NETWORK]
        axis.plot(
            [100 * p.zeros for p in network],
            [p.dense_us / p.planned_us for p in network],
            color="black",
            linewidth=3,
            label="network, as planned",
        )
        axis.axhline(1, color="gray", linewidth=0.8)
        axis.set(title=isa, xlabel="zero weights, %", yscale="log", ylim=(0.3, 8))
        axis.set_yticks([0.5, 1, 1.5, 2, 3, 5], labels=["0.5", "1", "1.5", "2", "3", "5"])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("speed-up over the dense plan")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside right upper", fontsize=8)
    figure.savefig(path, dpi=110)


def parse_amounts(text: str) -> list[float]:
    try:
        amounts = [float(word) for word in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers separated by commas, found '{text}'") from None
    if not all(0 <= amount <= 1 for amount in amounts):
        raise argparse.ArgumentTypeError(f"expected shares from 0 to 1, found '{text}'")
    return amounts


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lprnet", type=Path, required=True, metavar="PROGRAM", help="the program lprnet")
    parser.add_argument("-m", "--model", type=Path, required=True, help=".safetensors model without zeros")
    parser.add_argument("--out", type=Path, required=True, metavar="PREFIX", help="writes PREFIX.csv and PREFIX.png")
    parser.add_argument(
        "--amounts", type=parse_amounts, default=parse_amounts(DEFAULT_AMOUNTS), help=f"default: {DEFAULT_AMOUNTS}"
    )
    parser.add_argument("--isas", help="such as avx2,avx512 (default: all of this CPU but the reference)")
    parser.add_argument("--frames", type=int, default=100, help="of each measurement (default: 100)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each plan (default: 3)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_arguments(arguments)
    program = Program(options.lprnet, options.frames)
    try:
        info = program.run("info", "-m", options.model)
        isas = options.isas.split(",") if options.isas else [isa for isa in info["isas"] if isa != "reference"]
        # "conv1d_winograd_f32 3x1 F(6,3)"
        kernels = {layer["name"]: layer["kernel"].split()[1] for layer in info["layers"] if " " in layer["kernel"]}
        with tempfile.TemporaryDirectory(prefix="lprnet-crossover-") as folder:
            rows = measure(program, options.model, isas, options.amounts, options.rounds, Path(folder))
    except (OSError, ProgramError) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        return 3
    write_csv(Path(f"{options.out}.csv"), rows)
    write_plot(Path(f"{options.out}.png"), rows, kernels)
    print_network(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
