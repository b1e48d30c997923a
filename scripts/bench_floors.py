#!/usr/bin/env python3
"""Whether every convolution kernel still reaches its share of the peak: the guard against compilers that spill.

Runs `lprnet_bench` on the convolutions of the instruction sets that this CPU has and holds the median share of the
multiply-add peak, which is measured in the same run and so does not depend on the machine's mood, against the floors in
bench/floors.csv (benchmark, share). Prints those that are below their floor twice. --update writes the file anew: nine
tenths of what was measured (of sparse kernels six tenths), for the instruction sets that were; the others keep theirs.

The machine has to be idle. Floors hold for the CPU and the compiler that bench/README.md names.

Exit status: 0 none is below, 1 some are, 2 wrong usage, 3 the benchmark did not run or a file could not be read.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
KEPT = 0.9  # of what is measured: neighbors make single runs differ by several percent
KEPT_SPARSE = 0.6  # where the panels fall in the caches differs from run to run, and with it a third of the speed


class BenchError(RuntimeError):
    """What went wrong, in one line."""


def measure(bench: Path, benchmarks: str, repetitions: int) -> dict[str, float]:
    """Median share of the peak by benchmark, of those that the regular expression matches."""
    command = [
        str(bench),
        f"--benchmark_filter=^({benchmarks})",
        f"--benchmark_repetitions={repetitions}",
        "--benchmark_min_time=0.05",
        "--benchmark_enable_random_interleaving=true",
        "--benchmark_format=json",
    ]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BenchError(f"{bench}: {error.strerror}") from None
    if result.returncode != 0:
        raise BenchError((result.stderr.strip().splitlines() or [f"{bench}: exit status {result.returncode}"])[-1])
    return shares(json.loads(result.stdout))


def shares(report: Mapping) -> dict[str, float]:
    return {
        row["run_name"]: row["peak"]
        for row in report["benchmarks"]
        if row.get("aggregate_name") == "median" and "peak" in row
    }


def read_floors(path: Path) -> dict[str, float]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return {row["benchmark"]: float(row["share"]) for row in csv.DictReader(file)}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise BenchError(f"{path}: expected the columns benchmark and share: {error}") from None


def write_floors(path: Path, floors: Mapping[str, float]) -> None:
    unfinished = path.with_suffix(".part")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["benchmark", "share"])
        writer.writerows((name, f"{floors[name]:.2f}") for name in sorted(floors))
    unfinished.replace(path)


def kept_of(benchmark: str) -> float:
    return KEPT_SPARSE if benchmark.startswith("conv2d_sparse") else KEPT


def isa_of(benchmark: str) -> str:
    return benchmark.split("/")[1]


def below(measured: Mapping[str, float], floors: Mapping[str, float]) -> list[str]:
    """A line for each kernel below its floor, without one, or gone though its instruction set was measured."""
    lines = []
    isas = {isa_of(name) for name in measured}
    for name in sorted({*measured, *(name for name in floors if isa_of(name) in isas)}):
        if name not in floors:
            lines.append(f"{name}: no floor; --update adds one")
        elif name not in measured:
            lines.append(f"{name}: not measured, expected at least {floors[name]:.2f} of the peak")
        elif measured[name] < floors[name]:
            lines.append(f"{name}: {measured[name]:.2f} of the peak, expected at least {floors[name]:.2f}")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--bench", type=Path, default=REPOSITORY / "build/release/bench/lprnet_bench", help="our benchmark"
    )
    parser.add_argument("--floors", type=Path, default=REPOSITORY / "bench/floors.csv", help="(default: %(default)s)")
    parser.add_argument("--kernels", default="conv", help="which, a regular expression (default: %(default)s)")
    parser.add_argument("--repetitions", type=int, default=7, help="(default: %(default)s)")
    parser.add_argument("--update", action="store_true", help="write the floors instead of holding against them")
    options = parser.parse_args(arguments)
    if options.repetitions < 2:
        parser.error("--repetitions: expected at least 2")
    try:
        floors = read_floors(options.floors) if options.floors.exists() or not options.update else {}
        measured = measure(options.bench, f"{options.kernels}[^/]*/", options.repetitions)
        if not measured:
            raise BenchError(f"{options.bench}: no benchmark of {options.kernels} states its share of the peak")
        low = [name for name, share in measured.items() if share < floors.get(name, 0.0)]
        if low and not options.update:  # a neighbor may have disturbed those
            again = measure(options.bench, "|".join(f"{re.escape(name)}$" for name in low), options.repetitions)
            measured |= {name: max(measured[name], share) for name, share in again.items() if name in measured}
    except BenchError as error:
        print(f"bench_floors.py: {error}", file=sys.stderr)
        return 3
    if options.update:
        isas = {isa_of(name) for name in measured}
        kept = {name: share for name, share in floors.items() if isa_of(name) not in isas}
        write_floors(options.floors, {**kept, **{name: kept_of(name) * share for name, share in measured.items()}})
        print(f"{options.floors}: {len(measured)} floors")
        return 0
    lines = below(measured, floors)
    print("\n".join([*lines, f"{len(measured)} kernels, {len(lines)} below their floor"]))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
