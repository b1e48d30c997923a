"""What several files of tests share: the scripts as modules, and fixtures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from paths import DATA, REPOSITORY, SCRIPTS, need_data

sys.path[:0] = [str(SCRIPTS), str(REPOSITORY / "bench" / "peers")]


@pytest.fixture
def network():
    """A narrow network with random weights."""
    import dump_reference
    import lprnet_model

    return dump_reference.random_model(lprnet_model.LprnetShape.from_widths(0.25), seed=3)


@pytest.fixture(scope="module")
def bank():
    """The glyphs of rendered plates; skipped where no font has them."""
    import synth_plates

    try:
        return synth_plates.GlyphBank()
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def public_checkpoint() -> Path:
    return need_data(DATA / "checkpoints" / "public" / "Final_LPRNet_model.pth")


@pytest.fixture(scope="session")
def public_model(public_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public checkpoint as a model file."""
    model = tmp_path_factory.mktemp("public") / "public.safetensors"
    subprocess.run([sys.executable, SCRIPTS / "export_weights.py", public_checkpoint, "-o", model], check=True)
    return model
