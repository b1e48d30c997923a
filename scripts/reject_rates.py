#!/usr/bin/env python3
"""Thresholds of reject_score: of plates read right how many are above, of pictures without a plate how many are not.

    scripts/reject_rates.py model.safetensors --plates plates/dev plates/dev2 --others folder_of_non_plates.py
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from calibrate import REPOSITORY, ProgramError
from plates import Sample, list_samples

DECODERS = ("greedy", "beam", "grammar")
THRESHOLDS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99, 0.999)


def readings(program: Path, model: Path, decoder: str, samples: Sequence[Sample]) -> list[tuple[str, float]]:
    """Text and reject_score of each."""
    command = [program, "read", "-q", "-j", "-m", model, "--decode", decoder, "-"]
    paths = "".join(f"{sample.path.resolve()}\n" for sample in samples)
    try:
        result = subprocess.run(list(map(str, command)), input=paths, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ProgramError(3, f"{program}: {error.strerror or error}") from error
    if result.returncode != 0:
        raise ProgramError(result.returncode, result.stderr.strip())
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return [(line["plate"], line["reject_score"]) for line in lines]


def share_above(scores: Sequence[float], threshold: float) -> float:
    return sum(score > threshold for score in scores) / max(len(scores), 1)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path, help=".safetensors model file")
    parser.add_argument("--plates", type=Path, nargs="+", required=True, help="labelled crops")
    parser.add_argument("--others", type=Path, nargs="+", required=True, help="folders of non_plates.py")
    parser.add_argument("--program", type=Path, default=REPOSITORY / "build/release/lprnet")
    options = parser.parse_args(arguments)
    plates, others = list_samples(options.plates), list_samples(options.others)
    try:
        for decoder in DECODERS:
            found = readings(options.program, options.model, decoder, plates)
            right = [score for (text, score), one in zip(found, plates, strict=True) if text == one.text]
            wrong = [score for (text, score), one in zip(found, plates, strict=True) if text != one.text]
            by_kind: dict[str, list[float]] = defaultdict(list, all=[])
            found = readings(options.program, options.model, decoder, others)
            for (_, score), one in zip(found, others, strict=True):
                by_kind[one.group].append(score)
                by_kind["all"].append(score)
            print(f"{decoder}: {len(right)} plates read right, {len(wrong)} wrong; above the threshold, %")
            print("  ".join(["above", "right", "wrong", *by_kind]))
            for threshold in THRESHOLDS:
                columns = [right, wrong, *by_kind.values()]
                print("  ".join([f"{threshold:5.3f}"] + [f"{100 * share_above(c, threshold):5.1f}" for c in columns]))
    except ProgramError as error:
        print(error.args[1], file=sys.stderr)
        return int(error.args[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
