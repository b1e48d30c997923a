#!/usr/bin/env python3
"""Fits the temperature of a model's confidences, writes it into the file, and shows how far they can be believed.

    scripts/calibrate.py model.safetensors --fit plates/train --test plates/dev -o calibrated.safetensors \\
        --plot plot.png

Fit on crops that the weights were not trained on: on their own training data they are nearly always right, and the
fit makes them too sure of themselves. Without --fit the model's own confidences are tested and plotted.

Exit status: that of the program where it fails, 2 wrong usage, 3 a file could not be read or written.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open

from lprnet_model import save_tensors

REPOSITORY = Path(__file__).resolve().parents[1]


class ProgramError(Exception):
    """The program did not answer; its exit status and its message."""


def ask(program: Path, *words: object) -> str:
    """What the program prints; ProgramError if it fails."""
    try:
        result = subprocess.run([str(program), *map(str, words)], capture_output=True, text=True, check=False)
    except OSError as error:
        raise ProgramError(3, f"{program}: {error.strerror or error}") from error
    if result.returncode != 0:
        raise ProgramError(result.returncode, result.stderr.strip())
    return result.stdout


def evaluate(program: Path, model: Path, labels: Path, decoder: str, *flags: str) -> dict:
    """What `lprnet eval -j` says."""
    return json.loads(ask(program, "eval", "-j", "-m", model, "--decode", decoder, *flags, labels))


def set_temperature(model: Path, output: Path, temperature: float) -> None:
    """A copy of the model with the temperature in its metadata; tensors stay as they are stored."""
    with safe_open(str(model), framework="pt") as file:
        metadata = dict(file.metadata() or {})
        tensors = {key: file.get_tensor(key) for key in file.keys()}
    metadata["lprnet.temperature"] = f"{temperature:.4f}"
    save_tensors(output, tensors, metadata)


def plot(report: dict, path: Path) -> None:
    """Share of plates read right over confidence, with the number of plates in each bin."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    bins = [row for row in report["reliability"] if row["plates"] > 0]
    figure, (above, below) = pyplot.subplots(
        2, 1, figsize=(5, 6), sharex=True, height_ratios=(3, 1), layout="constrained"
    )
    above.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    above.plot([row["confidence"] for row in bins], [row["accuracy"] for row in bins], marker="o", color="C0")
    error = 100 * report["expected_calibration_error"]
    above.set(
        ylabel="share read right",
        ylim=(-0.02, 1.02),
        title=f"{report['plates']} plates, {report['decode']}: calibration error {error:.2f} points",
    )
    width = 1 / len(report["reliability"])
    counts = [row["plates"] for row in report["reliability"]]
    below.bar([(i + 0.5) * width for i in range(len(counts))], counts, width=0.9 * width, color="C0")
    below.set(xlabel="confidence", ylabel="plates", yscale="log", xlim=(0, 1))
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path, help=".safetensors model file")
    parser.add_argument("--fit", type=Path, metavar="LABELS", help="labels.tsv or folder to fit the temperature on")
    parser.add_argument("-o", "--output", type=Path, help="the model with the fitted temperature")
    parser.add_argument("--test", type=Path, metavar="LABELS", help="other labelled crops to test it on")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="reliability on the tested crops")
    parser.add_argument("--decode", choices=("greedy", "beam", "grammar"), default="grammar")
    parser.add_argument("--program", type=Path, default=REPOSITORY / "build/release/lprnet")
    options = parser.parse_args(arguments)
    if (options.fit is None) != (options.output is None):
        parser.error("--fit and --output belong together")
    if options.fit is None and options.test is None:
        parser.error("expected --fit, --test or both")
    if options.plot is not None and options.test is None:
        parser.error("--plot needs --test")
    try:
        model = options.model
        if options.fit is not None:
            fitted = evaluate(options.program, model, options.fit, options.decode, "--fit-temperature")
            set_temperature(model, options.output, fitted["fitted_temperature"])
            model = options.output
            print(
                f"temperature {fitted['fitted_temperature']:.4f}: loss {fitted['fitted_loss']:.4f},"
                f" {fitted['loss_at_one']:.4f} at 1, on {fitted['plates']} plates"
            )
        if options.test is not None:
            report = evaluate(options.program, model, options.test, options.decode)
            print(
                f"{report['plates']} plates: {100 * report['accuracy']:.2f} % right,"
                f" mean confidence {100 * report['mean_confidence']:.2f} %,"
                f" expected calibration error {100 * report['expected_calibration_error']:.2f} points"
            )
            if options.plot is not None:
                plot(report, options.plot)
    except ProgramError as error:
        print(error.args[1], file=sys.stderr)
        return int(error.args[0])
    except (OSError, SafetensorError) as error:
        print(f"{options.model}: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
