#!/usr/bin/env python3
"""Counts how a model misreads characters and writes the table that known_plates.cpp weighs texts with.

Take labelled images that the model was not trained on, else it confuses nothing:

    scripts/count_confusions.py --model public.safetensors plates/train -o engine/track/confusions.cpp
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from plates import list_samples

REPOSITORY = Path(__file__).resolve().parents[1]
# Rarer pairs are as likely noise of the counting as habits of the network.
LEAST = 2

HEAD = """// Written by scripts/count_confusions.py; do not edit.
#include "engine/track/confusions.h"

namespace lprnet {
namespace {

"""


def table(seen: Counter[str], confusions: Sequence[dict], source: str) -> str:
    lines = [f"// {source}", "constexpr Seen kSeen[] = {"]
    lines += [f'    {{"{character}", {seen[character]}}},' for character in sorted(seen)]
    lines += ["};", "", "constexpr Confusion kConfusions[] = {"]
    kept = [row for row in confusions if row["count"] >= LEAST]
    kept.sort(key=lambda row: (row["expected"], -row["count"], row["found"]))
    lines += [f'    {{"{row["expected"]}", "{row["found"]}", {row["count"]}}},' for row in kept]
    lines += ["};", "", "}  // namespace", ""]
    lines += ["std::span<const Seen> seen_characters() noexcept {", "    return kSeen;", "}", ""]
    lines += ["std::span<const Confusion> confusions() noexcept {", "    return kConfusions;", "}", ""]
    return HEAD + "\n".join(lines) + "\n}  // namespace lprnet\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("labels", type=Path, help="labels.tsv, or a folder of labelled images")
    parser.add_argument("--model", type=Path, required=True, help="the .safetensors file that reads them")
    parser.add_argument("--program", type=Path, default=REPOSITORY / "build/release/lprnet")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args(arguments)

    command = [options.program, "eval", "-j", "--decode", "greedy", "-m", options.model, options.labels]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if result.returncode != 0:
        print(result.stderr.strip(), file=sys.stderr)
        return result.returncode
    report = json.loads(result.stdout)
    seen = Counter("".join(sample.text for sample in list_samples([options.labels])))
    source = f"{options.model.name}, greedy, on {report['plates']} plates of which {report['correct']} were right."
    options.output.write_text(table(seen, report["confusions"], source), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
