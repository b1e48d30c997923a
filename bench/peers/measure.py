"""The measured part: rounds in which every contender has its turn, then cold start, memory and size."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from contenders import (
    MODES,
    Absent,
    Lprnet,
    Mode,
    Ours,
    Peer,
    Worker,
    bench_help,
    first_output_ms,
    lprnet_memory,
    precisions,
)
from prepare import SAMPLES, Entry, Workshop, call_network, converted

OURS = "lprnet"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def rotated(items: Sequence, by: int) -> list:
    """Round number `by` starts with another contender than the round before it."""
    by %= max(len(items), 1)
    return [*items[by:], *items[:by]]


def speed_rows(
    workshop: Workshop, entries: list[Entry], ours: Ours, rounds: int, frames: int, notes: list[str]
) -> list[dict]:
    """One row for each mode and contender that takes part: p50, p99 and frames a second of every round."""
    rows = []
    for mode in MODES:
        if mode.threads * mode.streams > len(workshop.cores):
            notes.append(f"{mode.title}: {len(workshop.cores)} core may be used here")
            continue
        say(f"measuring: {mode.title}")
        contenders = take_part(workshop, entries, ours, mode, notes)
        found: dict[str, list] = {name: [] for name in contenders}
        try:
            for number in range(rounds):
                for name in rotated(list(found), number):
                    try:
                        found[name].append(contenders[name].measure(max(frames // 4, 20), frames))
                    except Absent as reason:
                        notes.append(f"{name}, {mode.title}: {reason}")
                        del found[name]
        finally:
            for contender in contenders.values():
                contender.close()
        for name, samples in found.items():
            rows.append(
                {
                    "mode": mode.title,
                    "contender": name,
                    "p50_ms": [sample.p50_ms for sample in samples],
                    "p99_ms": [sample.p99_ms for sample in samples],
                    "fps": [sample.fps for sample in samples],
                }
            )
    return rows


def take_part(
    workshop: Workshop, entries: list[Entry], ours: Ours, mode: Mode, notes: list[str]
) -> dict[str, Lprnet | Peer]:
    contenders: dict[str, Lprnet | Peer] = {}
    for precision in precisions(bench_help(ours.program)):
        name = f"{OURS} {precision}"
        try:
            contender = Lprnet(ours, precision, mode, workshop.cores)
            contender.measure(1, 1)
            contenders[name] = contender
        except Absent as reason:
            notes.append(f"{name}, {mode.title}: {reason}")
    for entry in entries:
        if mode.isa and mode.isa not in entry.isa_environment:
            notes.append(f"{entry.name}, {mode.title}: cannot be limited to an instruction set at run time")
            continue
        isa = entry.isa_environment[mode.isa] if mode.isa else {}
        try:
            contenders[entry.name] = Peer(
                entry.runtime, entry.paths[entry.form], workshop.pixels, mode, workshop.cores, isa, workshop.log
            )
        except Absent as reason:
            notes.append(f"{entry.name}, {mode.title}: {reason}")
    return contenders


def footprint(workshop: Workshop, entries: list[Entry], ours: Ours, starts: int) -> list[dict]:
    """Cold start (medians), resident memory after some frames, and bytes of program or libraries."""
    say("measuring: cold start, memory, size")
    cores = MODES[0].cores(workshop.cores)
    image = str(sorted(SAMPLES.glob("*.jpg"))[0])
    read = [str(ours.program), "read", *ours.weights(), image]
    whole: list[float] = []
    peers: dict[str, list[dict]] = {entry.name: [] for entry in entries}
    for number in range(starts):
        whole.append(first_output_ms(read, cores))
        for entry in rotated(entries, number):
            peers[entry.name].append(one_start(workshop, entry, cores))
    row = {"contender": OURS, "start_ms": statistics.median(whole), **lprnet_memory(ours, cores)}
    rows = [{**row, "bytes": stripped_size(ours.program)}]
    for entry in entries:
        found = peers[entry.name]
        last = found[-1]
        rows.append(
            {
                "contender": entry.name,
                "start_ms": statistics.median(start["inside_ms"] for start in found),
                "start_with_python_ms": statistics.median(start["whole_ms"] for start in found),
                "rss_kib": last["rss_kib"],
                "rss_over_python_kib": last["rss_kib"] - last["bare_kib"],
                "peak_kib": last["peak_kib"],
                "bytes": sum(Path(path).stat().st_size for path in last["libraries"]),
                "package_bytes": last["package_bytes"],
                "libraries": [Path(path).name for path in last["libraries"]],
            }
        )
    return rows


def one_start(workshop: Workshop, entry: Entry, cores: list[int]) -> dict:
    worker = Worker(entry.runtime, entry.paths[entry.form], workshop.pixels, 1, cores, {}, workshop.log)
    try:
        worker.ask("measure", warmup=0, frames=50)
        return {
            "inside_ms": worker.ready["create_ms"] + worker.ready["first_ms"],
            "whole_ms": (worker.ready["first_at"] - worker.spawned) * 1e3,
            **worker.ask("footprint"),
        }
    finally:
        worker.close()


def stripped_size(program: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        stripped = Path(folder) / program.name
        if shutil.which("strip") is None:
            raise Absent("strip: not installed")
        subprocess.run(["strip", "-o", str(stripped), str(program)], check=True)
        return stripped.stat().st_size


def call_files(workshop: Workshop, entries: list[Entry]) -> dict[str, tuple[Entry, str]]:
    """By peer: a network that is one small pool."""
    shape = np.load(workshop.pixels)[:1].shape
    return {
        entry.title: (entry, converted(workshop, entry.runtime, "fp32", "call", partial(call_network, shape)))
        for entry in entries
        if entry.precision == "fp32"
    }


def call_costs(workshop: Workshop, files: dict[str, tuple[Entry, str]]) -> dict[str, float]:
    """Microseconds, p50, of a call through each peer's Python binding when there is next to nothing to compute."""
    costs = {}
    for title, (entry, path) in files.items():
        peer = Peer(entry.runtime, path, workshop.pixels, MODES[0], workshop.cores, {}, workshop.log)
        costs[title] = peer.measure(200, 1000).p50_ms * 1e3
        peer.close()
    return costs
