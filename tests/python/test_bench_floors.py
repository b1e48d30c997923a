"""scripts/bench_floors.py, with a stand-in for the benchmark that prints a report."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from paths import REPOSITORY, SCRIPTS

SCRIPT = SCRIPTS / "bench_floors.py"


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    rows = [
        {"run_name": "conv2d_f32/avx2/logits", "aggregate_name": aggregate, "peak": peak}
        for aggregate, peak in (("mean", 0.1), ("median", 0.8))
    ]
    rows.append({"run_name": "conv2d_f32/sse2/logits", "aggregate_name": "median", "peak": 0.5})
    rows.append({"run_name": "max_pool2d_f32/sse2/backbone.3", "aggregate_name": "median"})
    (tmp_path / "report.json").write_text(json.dumps({"benchmarks": rows}), encoding="utf-8")
    program = tmp_path / "bench"
    program.write_text(f"#!/bin/sh\ncat '{tmp_path}/report.json'\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def floors(bench: Path, text: str | None, *arguments: str) -> tuple[int, str, str]:
    file = bench.parent / "floors.csv"
    if text is not None:
        file.write_text("benchmark,share\n" + text, encoding="utf-8")
    command = [sys.executable, str(SCRIPT), "--bench", str(bench), "--floors", str(file), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout, result.stderr


def test_kernels_at_their_floor_pass(bench: Path) -> None:
    status, out, _ = floors(
        bench, "conv2d_f32/avx2/logits,0.80\nconv2d_f32/sse2/logits,0.45\nconv2d_f32/neon/logits,0.9\n"
    )
    assert (status, out) == (0, "2 kernels, 0 below their floor\n")


def test_kernels_below_without_or_gone_are_named(bench: Path) -> None:
    status, out, _ = floors(bench, "conv2d_f32/avx2/logits,0.81\nconv2d_f32/avx2/backbone.2,0.7\n")
    assert status == 1
    assert out.splitlines() == [
        "conv2d_f32/avx2/backbone.2: not measured, expected at least 0.70 of the peak",
        "conv2d_f32/avx2/logits: 0.80 of the peak, expected at least 0.81",
        "conv2d_f32/sse2/logits: no floor; --update adds one",
        "2 kernels, 3 below their floor",
    ]


def test_update_keeps_what_was_not_measured(bench: Path) -> None:
    status, _, _ = floors(bench, "conv2d_f32/neon/logits,0.9\nconv2d_f32/avx2/gone,0.9\n", "--update")
    assert status == 0
    assert (bench.parent / "floors.csv").read_text(encoding="utf-8").splitlines() == [
        "benchmark,share",
        "conv2d_f32/avx2/logits,0.72",
        "conv2d_f32/neon/logits,0.90",
        "conv2d_f32/sse2/logits,0.45",
    ]
    assert floors(bench, None)[0] == 0


@pytest.mark.parametrize("text", [None, "conv2d_f32/avx2/logits,much\n"])
def test_floors_that_cannot_be_read(bench: Path, text: str | None) -> None:
    status, out, err = floors(bench, text)
    assert (status, out) == (3, "")
    assert err.startswith("bench_floors.py: ") and "floors.csv" in err and err.count("\n") == 1


def test_a_benchmark_that_is_not_there(bench: Path) -> None:
    status, _, err = floors(bench.with_name("missing"), "conv2d_f32/avx2/logits,0.8\n")
    assert status == 3 and "missing" in err


def test_the_committed_floors_are_of_kernels_that_are_fast() -> None:
    import bench_floors

    committed = bench_floors.read_floors(REPOSITORY / "bench" / "floors.csv")
    fused = [share for name, share in committed.items() if name.startswith("conv2d_f32/avx") and "logits" not in name]
    assert len(fused) > 40 and min(fused) > 0.75
