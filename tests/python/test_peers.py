"""Tests of the comparison with other runtimes: the exported networks, the report and the comparison of two runs.

Nothing here measures time. Peers are not needed, but for ONNX Runtime, which runs the exported networks.
"""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from paths import SAMPLES, SHIPPED

onnx = pytest.importorskip("onnx", reason="onnx: not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime: not installed")

import compare  # noqa: E402
import contenders  # noqa: E402
import dump_reference  # noqa: E402
import lprnet_model  # noqa: E402
import measure  # noqa: E402
import onnx_network as network  # noqa: E402
import plates  # noqa: E402
import prepare  # noqa: E402
import report  # noqa: E402

# Float rounding over 17 layers, as in the tests of the engine.
MAX_LOGIT_ERROR = 2e-3


def logits_of(graph, pixels: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"pixels": image[None]})[0] for image in pixels])


@pytest.fixture(scope="module")
def sample_pixels() -> np.ndarray:
    samples = plates.list_samples([SAMPLES])
    return plates.normalize(np.stack([plates.to_network_size(plates.read_image(sample.path)) for sample in samples]))


@pytest.mark.parametrize("form", network.FORMS)
def test_export_reads_what_torch_reads(form: str, sample_pixels: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    network.export(SHIPPED, form, path)
    found = logits_of(onnx.load(str(path)), sample_pixels)
    model = lprnet_model.load_model(SHIPPED)
    with torch.inference_mode():
        expected = np.concatenate([model.network(image).numpy() for image in torch.from_numpy(sample_pixels).split(1)])
    assert np.abs(found - expected).max() <= MAX_LOGIT_ERROR
    assert [model.text(one) for one in found] == [model.text(one) for one in expected]


@pytest.mark.parametrize("form", network.FORMS)
@pytest.mark.parametrize(
    "shape",
    [
        lprnet_model.LprnetShape.from_widths(0.25, classes=37, channels=1),
        # Neither 2 nor 4 divides the channels in front of the pools.
        lprnet_model.LprnetShape(3, 5, ((3, 4, 6, 9), (2, 3, 5, 7), (4, 2, 3, 11)), 6, 10),
    ],
    ids=["gray", "odd"],
)
def test_export_takes_every_size_from_the_tensors(shape: lprnet_model.LprnetShape, form: str) -> None:
    model = dump_reference.random_model(shape, seed=5)
    tensors = {key: value.numpy() for key, value in model.state_dict().items()}
    pixels = np.random.default_rng(1).uniform(-1, 1, (2, shape.channels, 24, 94)).astype(np.float32)
    found = logits_of(network.build(tensors, form), pixels)
    with torch.inference_mode():
        expected = np.concatenate([model(image).numpy() for image in torch.from_numpy(pixels).split(1)])
    scale = np.abs(expected).max()
    assert np.abs(found - expected).max() <= MAX_LOGIT_ERROR * max(scale, 1)


def test_forms_hold_what_their_names_say() -> None:
    tensors = {key: value.numpy() for key, value in lprnet_model.load_model(SHIPPED).network.state_dict().items()}
    ops = {form: [node.op_type for node in network.build(tensors, form).graph.node] for form in network.FORMS}
    assert ops["trained"].count("BatchNormalization") == 6 and ops["trained"].count("Slice") == 2
    assert "BatchNormalization" not in ops["folded"] and ops["folded"].count("Slice") == 2
    assert "Slice" not in ops["split"] and ops["split"].count("Conv") == ops["folded"].count("Conv") + 2
    with pytest.raises(ValueError, match="form: expected one of trained, folded, split, whole, branches, found 'fast'"):
        network.build(tensors, "fast")


def test_precisions_come_from_the_help() -> None:
    one = "  --precision TEXT:{fp32}=fp32\n      Arithmetic: fp32\n"
    three = "  --precision TEXT:{fp32,sparse,int8}=fp32\n"
    assert contenders.precisions(one) == ["fp32"]
    assert contenders.precisions(three) == ["fp32", "sparse", "int8"]
    assert contenders.precisions("  --threads INT:INT in [1 - 256]\n") == ["fp32"]


def test_turns_and_cores() -> None:
    assert [measure.rotated("abc", by) for by in range(4)] == [list("abc"), list("bca"), list("cab"), list("abc")]
    one, two, streams, _ = contenders.MODES
    assert one.cores([0, 1]) == [1] and two.cores([0, 1]) == [0, 1] and streams.cores([4, 5]) == [4, 5]


def test_a_missing_peer_is_one_line(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log, pytest.raises(contenders.Absent) as caught:
        contenders.run_worker("describe", {"runtime": "no_such_peer"}, log)
    assert "no_such_peer" in str(caught.value) and "\n" not in str(caught.value)


FAKE_PROGRAM = """#!/bin/sh
case "$*" in
*--help*) echo "  --precision TEXT:{fp32,sparse,int8}=fp32"; echo "  --intra INT" ;;
*int8*) echo "lprnet: model.safetensors: holds no int8 tensors" >&2; exit 3 ;;
*) echo "$*|$LPRNET_ISA" >> "$(dirname "$0")/calls"
   echo '[{"latency_ms":{"p50":1.5,"p99":2},"fps":600}]' ;;
esac
"""


def test_our_rows_follow_what_the_program_offers(tmp_path: Path) -> None:
    program = tmp_path / "lprnet"
    program.write_text(FAKE_PROGRAM)
    program.chmod(0o755)
    ours = contenders.Ours(program, Path("dense"), {"sparse": Path("pruned")})
    cores = sorted(os.sched_getaffinity(0))[-1:] * 2
    with (tmp_path / "log").open("w") as log:
        workshop = prepare.Workshop(tmp_path, tmp_path / "pixels.npy", log, cores)
        notes: list[str] = []
        taking_part = [list(measure.take_part(workshop, [], ours, mode, notes)) for mode in contenders.MODES]
    assert taking_part == [["lprnet fp32", "lprnet sparse"]] * 4
    assert len(notes) == 4
    assert notes[0] == "lprnet int8, one thread: lprnet: model.safetensors: holds no int8 tensors"
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls[1].startswith("bench -j -m pruned --precision sparse --threads 1 --warmup")
    assert "--threads 1 --intra 2" in calls[2] and "--threads 2 --warmup 1 --frames 2|" in calls[4]
    assert calls[6].endswith("|avx2") and calls[5].endswith("|")


def row(mode: str, contender: str, p50: list[float], fps: list[float]) -> dict:
    return {"mode": mode, "contender": contender, "p50_ms": p50, "p99_ms": [2 * time for time in p50], "fps": fps}


@pytest.fixture()
def results() -> dict:
    return {
        "command": "bench/peers/compare.py",
        "date": "2000-01-01 00:00 UTC",
        "cpu": "a processor",
        "isa": "avx2",
        "cores": [0, 1],
        "rounds": 3,
        "frames": 10,
        "versions": {"lprnet": "lprnet 0"},
        "rows": [
            row("one thread", "lprnet fp32", [1.0, 2.0, 1.0], [1000, 500, 1000]),
            row("one thread", "peer fp32", [1.5, 3.0, 9.0], [666, 333, 111]),
            row("two streams", "lprnet fp32", [1.0, 1.0, 1.0], [2000, 2000, 2000]),
            row("two streams", "peer fp32", [1.0, 1.0, 1.0], [1000, 1000, 1000]),
        ],
        "footprint": [
            {"contender": "lprnet", "start_ms": 8.04, "rss_kib": 10000, "peak_kib": 11000, "bytes": 3_100_000},
            {
                "contender": "peer fp32",
                "start_ms": 20.0,
                "start_with_python_ms": 99.6,
                "rss_kib": 50000,
                "rss_over_python_kib": 25000,
                "peak_kib": 50000,
                "bytes": 30_000_000,
                "package_bytes": 40_000_000,
                "libraries": ["peer.so"],
            },
        ],
        "call_us": {"peer": 4.4},
        "peers": [
            {
                "name": "peer fp32",
                "version": "1.2",
                "form": "split",
                "form_ms": {"folded": 1.6, "split": 1.5},
                "max_abs": {"folded": 1e-5, "split": 2e-5},
                "texts_equal": {"folded": True, "split": True},
            }
        ],
        "notes": ["other: not installed"],
    }


def test_speed_table_has_medians_and_ratios_of_neighboring_runs(results: dict) -> None:
    lines = report.speed_table(results["rows"]).splitlines()
    assert lines == [
        "|  | one thread, ms | two streams, frames/s |",
        "|---|---:|---:|",
        "| lprnet fp32 | 1.000 | 2000 |",
        # Ratios 1.5, 1.5 and 9: one disturbed round does not count.
        "| peer fp32 | 3.000 (1.50) | 1000 (2.00) |",
    ]


def test_speed_table_marks_what_was_not_measured(results: dict) -> None:
    del results["rows"][2]
    lines = report.speed_table(results["rows"]).splitlines()
    assert lines[2:] == ["| lprnet fp32 | 1.000 | - |", "| peer fp32 | 3.000 (1.50) | 1000 |"]


def test_page_holds_every_table(results: dict) -> None:
    page = report.page(results)
    assert "| lprnet | 8.0 | - | 10.2 | - | 3.1 | - |" in page
    assert "| peer fp32 | 20.0 | 100 | 51.2 | 25.6 | 30.0 | 40.0 |" in page
    assert "| peer fp32 | 1.2 | split | folded 1.600, split 1.500 | 2.0e-05 | yes |" in page
    assert "- other: not installed" in page and "peer 4 us" in page


def test_plot_is_written(results: dict, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib: not installed")
    report.plot(results, tmp_path / "speed.png")
    assert (tmp_path / "speed.png").read_bytes().startswith(b"\x89PNG")


def run_compare(tmp_path: Path, before: dict, after: dict, *flags: str) -> int:
    paths = [tmp_path / "before.json", tmp_path / "after.json"]
    for path, content in zip(paths, (before, after), strict=True):
        path.write_text(json.dumps(content))
    return compare.main([*flags, "--compare", *map(str, paths)])


def test_compare_names_our_slower_rows_only(results: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    after = copy.deepcopy(results)
    assert run_compare(tmp_path, results, after) == 0
    after["rows"][0]["p50_ms"] = [1.04, 2.0, 1.04]
    after["rows"][1]["p50_ms"] = [30.0, 30.0, 30.0]
    assert run_compare(tmp_path, results, after) == 0
    assert run_compare(tmp_path, results, after, "--threshold", "3") == 1
    capsys.readouterr()
    # Frames a second: fewer is slower.
    after["rows"][2]["fps"] = [1800, 1800, 1800]
    assert run_compare(tmp_path, results, after) == 1
    captured = capsys.readouterr()
    assert "| lprnet fp32 | two streams | 2000 | 1800 | 1.111 |" in captured.out
    assert captured.err == "compare.py: slower by more than 5 %: lprnet fp32, two streams\n"


def test_compare_rejects_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "missing.json")
    assert compare.main(["--compare", missing, missing]) == 3
    assert "missing.json" in capsys.readouterr().err
