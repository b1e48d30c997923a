"""The notebook runs, and shows what it says."""

import os
import sys

import pytest

from conftest import ROOT

NOTEBOOK = ROOT / "engine/python/examples/plates.ipynb"


def test_notebook(monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    for needed in ("ipykernel", "matplotlib", "pandas"):
        pytest.importorskip(needed)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(p for p in sys.path if p))  # of the kernel
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    book = nbformat.read(NOTEBOOK, as_version=4)
    assert all(not cell.get("outputs") for cell in book.cells)  # not kept in the tree
    client.NotebookClient(
        book, timeout=240, kernel_name="python3", resources={"metadata": {"path": NOTEBOOK.parent}}
    ).execute()
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    tables = [output["data"]["text/plain"] for output in outputs if "text/html" in output.get("data", {})]
    assert len(tables) == 2 and "川G5W306" in tables[0]
