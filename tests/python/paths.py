"""Where the tests find things, and the program.

LPRNET names the program; without it the build of the preset `release` is taken. The data folder is LPRNET_DATA, else
../shared/data beside the repository. What is not there is skipped by name.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPTS = REPOSITORY / "scripts"
SAMPLES = REPOSITORY / "tests" / "samples"
WEIGHTS = REPOSITORY / "weights"
SHIPPED = WEIGHTS / "lprnet.safetensors"
DATA = Path(os.environ.get("LPRNET_DATA", REPOSITORY.parent / "shared" / "data"))
PROGRAM = Path(os.environ.get("LPRNET", REPOSITORY / "build/release/lprnet")).resolve()


def need_program() -> Path:
    if not PROGRAM.exists():
        pytest.skip(f"the program is not built: {PROGRAM}")
    return PROGRAM


def need_data(path: Path) -> Path:
    if not path.exists():
        name = path.relative_to(DATA) if path.is_relative_to(DATA) else path.name
        pytest.skip(f"{name}: not in the data folder")
    return path


def lprnet(*arguments: object, isa: str = "") -> str:
    """What the program prints; it has to succeed."""
    environment = {**os.environ, "LPRNET_ISA": isa} if isa else None
    command = [str(need_program()), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
