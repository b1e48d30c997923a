#!/usr/bin/env python3
"""Measures lprnet against ONNX Runtime, OpenVINO and ncnn on the same network, in one run, on the same cores.

Writes report.md, results.json and speed.png to the output folder. `bench/peers/setup` makes the Python environment. A
peer that is not installed is named in the report, and the others run. Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import report

if TYPE_CHECKING:
    from prepare import Entry

REPOSITORY = Path(__file__).resolve().parents[2]
BUILTIN = REPOSITORY / "weights/lprnet.safetensors"
CHOICE_ROUNDS, CHOICE_FRAMES = 3, 60


def precision_model(text: str) -> tuple[str, Path]:
    precision, separator, path = text.partition("=")
    if not separator or not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"expected PRECISION=FILE and that file, found {text!r}")
    return precision, Path(path).resolve()


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--lprnet", type=Path, default=REPOSITORY / "build/release/lprnet", help="our program")
    parser.add_argument("--model", type=Path, default=BUILTIN, help="the weights (default: the shipped ones)")
    parser.add_argument(
        "--model-for", type=precision_model, action="append", default=[], metavar="PRECISION=FILE",
        help="other weights for a precision of ours, such as int8=FILE",
    )  # fmt: skip
    parser.add_argument("--peers", help="which, with commas (default: all)")
    parser.add_argument("--rounds", type=int, default=7, help="(default: %(default)s)")
    parser.add_argument("--frames", type=int, default=200, help="in a contender's turn (default: %(default)s)")
    parser.add_argument("--starts", type=int, default=5, help="cold starts (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=REPOSITORY / "build/peers/results", help="folder (default: build/peers/results)"
    )
    parser.add_argument("--work", type=Path, default=REPOSITORY / "build/peers", help="where converted files are kept")
    parser.add_argument("--prepare", action="store_true", help="convert and check only, which a later run need not do")
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("BEFORE", "AFTER"), help="two results.json instead")
    parser.add_argument(
        "--threshold", type=float, default=5, metavar="PERCENT", help="of --compare (default: %(default)s)"
    )
    return parser


def described(entry: Entry) -> dict:
    """Without paths: results are for other machines to read."""
    fields = dataclasses.asdict(entry)
    del fields["paths"]
    return {"name": entry.name, **fields}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = build_parser()
    options = parser.parse_args(arguments)
    if min(options.rounds, options.frames, options.starts) < 1:
        parser.error("--rounds, --frames and --starts: expected at least 1")
    try:
        return compare(options) if options.compare else run(options, arguments, parser)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        print(f"compare.py: {str(error).splitlines()[0]}", file=sys.stderr)
        return 3


def compare(options: argparse.Namespace) -> int:
    before, after = (json.loads(path.read_text(encoding="utf-8")) for path in options.compare)
    text, slower = report.compare(before, after, options.threshold / 100)
    print(text)
    if before["cpu"] != after["cpu"]:
        print(f"compare.py: measured on different machines: {before['cpu']}, {after['cpu']}", file=sys.stderr)
    for name in slower:
        print(f"compare.py: slower by more than {options.threshold:g} %: {name}", file=sys.stderr)
    return 1 if slower else 0


def run(options: argparse.Namespace, arguments: Sequence[str] | None, parser: argparse.ArgumentParser) -> int:
    # Here and not above, so that --compare needs no package; matplotlib, so that it is not missed after measuring.
    import matplotlib  # noqa: F401

    import measure
    import prepare
    import runtimes
    from contenders import Absent, Ours

    names = options.peers.split(",") if options.peers else runtimes.NAMES
    unknown = [name for name in names if name not in runtimes.NAMES]
    if unknown:
        parser.error(f"--peers: expected some of {', '.join(runtimes.NAMES)}, found {unknown[0]!r}")
    for path in (options.lprnet, options.model):
        if not path.is_file():
            raise OSError(f"{path}: no such file")
    ours = Ours(options.lprnet.resolve(), options.model.resolve(), dict(options.model_for), options.model == BUILTIN)
    # It would limit our program in every mode.
    os.environ.pop("LPRNET_ISA", None)
    cores = sorted(os.sched_getaffinity(0))[-2:]
    workshop = prepare.open_workshop(options.work, ours.model, cores)
    entries, notes, wrong = [], [], []
    for name in names:
        measure.say(f"preparing: {name}")
        try:
            candidates = prepare.convert(workshop, ours.model, name, notes)
        except Absent as reason:
            notes.append(f"{name}: {reason}")
            continue
        for entry in candidates:
            try:
                prepare.check(workshop, entry, ours)
                entries.append(entry)
            except Absent as reason:
                notes.append(f"{entry.name}: {reason}")
            except prepare.WrongAnswer as error:
                wrong.append(str(error))
                notes.append(str(error))
    for note in notes:
        measure.say(f"compare.py: {note}")
    for entry in entries:
        for form in entry.paths:
            texts = "equal" if entry.texts_equal[form] else "different"
            measure.say(f"{entry.name}, {form}: largest error of a logit {entry.max_abs[form]:.1e}, texts {texts}")
    calls = measure.call_files(workshop, entries)
    if options.prepare:
        return 1 if wrong else 0

    prepare.choose_forms(workshop, entries, CHOICE_ROUNDS, CHOICE_FRAMES)
    rows = measure.speed_rows(workshop, entries, ours, options.rounds, options.frames, notes)
    info = json.loads(subprocess.run([ours.program, "info", "-j"], capture_output=True, text=True, check=True).stdout)
    results = {
        "command": shlex.join(["bench/peers/compare.py", *(sys.argv[1:] if arguments is None else arguments)]),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": info["cpu"],
        "isa": info["isa"],
        "cores": cores,
        "rounds": options.rounds,
        "frames": options.frames,
        "versions": {
            "lprnet": f"lprnet {info['version']}",
            "python": platform.python_version(),
            **{entry.title: entry.version for entry in entries},
        },
        "rows": rows,
        "footprint": measure.footprint(workshop, entries, ours, options.starts),
        "call_us": measure.call_costs(workshop, calls),
        "peers": [described(entry) for entry in entries],
        "notes": notes,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    text = report.page(results)
    (options.out / "report.md").write_text(text, encoding="utf-8")
    (options.out / "results.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    report.plot(results, options.out / "speed.png")
    print(text, end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
