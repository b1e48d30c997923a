#!/usr/bin/env python3
"""What the priors of rare formats do to the plates read right, on dev, dev2 and the synthetic dev set.

    scripts/compare_priors.py model.safetensors --data ../shared/data/plates --glyphs ../shared/data/glyphs 1 0.3 0.1

Each number takes the place of the prior of all formats whose prior is below 1, but for those that no network was
trained on. Crops of two rows are joined as training joins them.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from calibrate import REPOSITORY, ProgramError, ask, evaluate
from plates import list_samples
from synth_dev import render_dev
from synth_plates import SPECIAL_KINDS, GlyphBank, write_image
from training.evaluation import network_input

UNTRAINED = ("standard-rare",)
FORMAT = re.compile(r"^([\w-]+) +([\d.]+) +:", re.MULTILINE)


def formats_with(prior: float, builtin: str) -> str:
    """The built-in formats with this prior for the rare ones."""

    def changed(match: re.Match[str]) -> str:
        name, found = match.groups()
        return match[0] if float(found) == 1 or name in UNTRAINED else f"{name} {prior} :"

    return FORMAT.sub(changed, builtin)


def write_set(folder: Path, images: Iterable[np.ndarray], texts: Sequence[str], groups: Sequence[str]) -> Path:
    folder.mkdir()
    lines = []
    for number, (image, text, group) in enumerate(zip(images, texts, groups, strict=True)):
        write_image(folder / f"{number:05d}.png", image)
        lines.append(f"{number:05d}.png\t{text}\t{group}\n")
    (folder / "labels.tsv").write_text("".join(lines), encoding="utf-8")
    return folder


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path, help=".safetensors model file")
    parser.add_argument("priors", type=float, nargs="+", help="of rare formats, above 0")
    parser.add_argument("--data", type=Path, required=True, help="folder with dev and dev2")
    parser.add_argument("--glyphs", type=Path, help="folder of glyph images for the synthetic set")
    parser.add_argument("--program", type=Path, default=REPOSITORY / "build/release/lprnet")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            sets = []
            for split in ("dev", "dev2"):
                samples = list_samples([options.data / split])
                groups = [sample.group if sample.group == "web_special" else "plain" for sample in samples]
                images = [network_input(sample) for sample in samples]
                sets.append(write_set(folder / split, images, [sample.text for sample in samples], groups))
            images, texts, groups = render_dev(GlyphBank(options.glyphs))
            groups = ["special" if group in SPECIAL_KINDS else "plain" for group in groups]
            sets.append(write_set(folder / "synthetic", images, texts, groups))
            builtin = ask(options.program, "info", "--formats")
            for prior in options.priors:
                formats = folder / "formats.txt"
                formats.write_text(formats_with(prior, builtin), encoding="utf-8")
                for one in sets:
                    report = evaluate(options.program, options.model, one, "grammar", "--pattern", str(formats))
                    shares = ", ".join(
                        f"{group} {score['correct']} of {score['plates']}" for group, score in report["by_set"].items()
                    )
                    error = f"{100 * report['expected_calibration_error']:.2f}"
                    print(f"{prior}: {one.name}: {shares}, {report['rejected']} rejected, calibration error {error}")
    except ProgramError as error:
        print(error.args[1], file=sys.stderr)
        return int(error.args[0])
    except OSError as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
