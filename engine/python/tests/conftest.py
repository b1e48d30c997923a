"""What the tests of the package share. They need numpy, and lprnet installed or on PYTHONPATH.

LPRNET names the program to compare with, LPRNET_DATA the data set; without them those tests are skipped by name.
"""

import os
import shutil
import signal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def interruptible():
    """Ctrl-C is a KeyboardInterrupt here and in new processes, also where whoever started the tests ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def samples() -> list[Path]:
    paths = sorted(p for p in (ROOT / "tests/samples").iterdir() if p.suffix in (".jpg", ".png"))
    assert len(paths) >= 12
    return paths


@pytest.fixture(scope="session")
def program() -> str:
    """The program built by CMake, not the package's own command."""
    for path in (os.environ.get("LPRNET"), ROOT / "build/release/lprnet", ROOT / "build/dev/lprnet"):
        if path and shutil.which(path):
            return str(path)
    pytest.skip("the program lprnet is not built, and LPRNET does not name it")


@pytest.fixture(scope="session")
def data() -> Path:
    path = Path(os.environ.get("LPRNET_DATA", ROOT.parent / "shared/data"))
    if not (path / "plates").is_dir():
        pytest.skip(f"{path}/plates is not there")
    return path


@pytest.fixture(scope="session")
def recognizer():
    import lprnet

    return lprnet.Recognizer()
