"""Pruned networks and sparse model files: the Python side against numpy and against the program.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import export_weights  # noqa: E402
import lprnet_model  # noqa: E402
from paths import PROGRAM, SAMPLES, SCRIPTS, SHIPPED, lprnet


def metadata_of(path: Path) -> dict[str, str]:
    with safe_open(str(path), framework="pt") as file:
        return file.metadata()


def pruned_by_definition(weight: torch.Tensor, amount: float) -> torch.Tensor:
    """The floor(amount * n) smallest magnitudes become zero; of equal ones the first."""
    flat = weight.numpy().flatten()
    order = np.argsort(np.abs(flat), kind="stable")
    flat[order[: int(amount * flat.size)]] = 0
    return torch.from_numpy(flat.reshape(weight.shape))


def pruned_state(amount: float) -> dict[str, torch.Tensor]:
    state = {key: value.float() for key, value in load_file(SHIPPED).items()}
    return {key: pruned_by_definition(value, amount) if value.ndim == 4 else value for key, value in state.items()}


@pytest.mark.parametrize("amount", [0.0, 0.35, 0.5, 1.0])
def test_program_prunes_by_definition(amount: float, tmp_path: Path) -> None:
    output = tmp_path / "pruned.safetensors"
    report = json.loads(lprnet("prune", "-m", SHIPPED, "-o", output, "--amount", amount, "-j"))
    assert report["file_bytes"]["after"] == output.stat().st_size
    found = lprnet_model.dense_tensors(load_file(output))
    expected = pruned_state(amount)
    assert set(found) == set(expected)
    for key, value in expected.items():
        assert torch.equal(found[key].float(), value), key
    for layer in report["layers"]:
        weight = expected[f"{layer['name']}.weight"]
        original = load_file(SHIPPED)[f"{layer['name']}.weight"].double()
        lost = original[weight == 0]
        assert layer["weights"] == weight.numel() and layer["zeros"] == int((weight == 0).sum())
        assert layer["l1_removed"] == pytest.approx(float(lost.abs().sum() / original.abs().sum()))
        assert layer["l2_removed"] == pytest.approx(float(lost.norm() / original.norm()))


@pytest.mark.parametrize("amount", [0.0, 0.08, 0.35, 1.0])
def test_both_writers_give_the_same_bytes(amount: float, tmp_path: Path) -> None:
    by_program, by_python = tmp_path / "program.safetensors", tmp_path / "python.safetensors"
    lprnet("prune", "-m", SHIPPED, "-o", by_program, "--amount", amount)
    model = lprnet_model.load_model(by_program)
    export_weights.write_model(
        by_python, model.network.state_dict(), model.charset, model.preprocess, model.source, model.blank, sparse=True,
        half=True,  # as the shipped ones are
    )  # fmt: skip
    metadata = metadata_of(by_program)
    assert metadata_of(by_python) == metadata
    assert by_python.read_bytes() == by_program.read_bytes()
    # Both keep what is there, and text that JSON has to escape.
    metadata["lprnet.architecture"] = "LPRNet"
    metadata["note"] = 'a "quote", a \\, a tab\t, a line\nbreak, a bell\x07, \x7f and 京'
    lprnet_model.save_tensors(by_python, lprnet_model.dense_tensors(load_file(by_program)), metadata, sparse=True)
    lprnet("prune", "-m", by_python, "-o", by_program, "--layer", "backbone.0=0")
    metadata["lprnet.source"] = metadata_of(by_program)["lprnet.source"]
    lprnet_model.save_tensors(by_python, lprnet_model.dense_tensors(load_file(by_python)), metadata, sparse=True)
    assert by_python.read_bytes() == by_program.read_bytes()


def test_export_sparse(tmp_path: Path) -> None:
    state = pruned_state(0.35)
    checkpoint, dense, sparse = tmp_path / "net.pth", tmp_path / "dense.safetensors", tmp_path / "sparse.safetensors"
    torch.save(state, checkpoint)
    words = [str(checkpoint), "--charset", "cn89", "-o"]
    assert export_weights.main([*words, str(dense)]) == 0
    assert export_weights.main([*words, str(sparse), "--sparse"]) == 0
    assert sparse.stat().st_size <= 1_482_000 < dense.stat().st_size
    stored = load_file(sparse)
    assert stored["backbone.20.weight.mask"].dtype == torch.uint8
    assert stored["backbone.20.weight.shape"].tolist() == [89, 256, 13, 1]
    assert "backbone.20.weight" not in stored and "backbone.20.bias" in stored
    for path in (dense, sparse):
        network = lprnet_model.load_model(path).network.state_dict()
        assert all(torch.equal(network[key], value) for key, value in state.items())
    layers = json.loads(lprnet("info", "-j", "-m", sparse))["weights"]
    assert [layer["zeros"] for layer in layers] == [
        int((state[f"{layer['name']}.weight"] == 0).sum()) for layer in layers
    ]


def test_what_the_format_says_with_numpy_alone(tmp_path: Path) -> None:
    """The lines of weights/FORMAT.md."""
    path = tmp_path / "sparse.safetensors"
    lprnet("prune", "-m", SHIPPED, "-o", path, "--amount", 0.35)
    key = "backbone.20.weight"
    with safe_open(str(path), framework="np") as file:
        shape = file.get_tensor(key + ".shape")
        bits = np.unpackbits(file.get_tensor(key + ".mask"), count=shape.prod(), bitorder="little")
        dense = np.zeros(shape.prod(), np.float32)
        dense[bits == 1] = file.get_tensor(key + ".values")
        dense = dense.reshape(shape)
    assert np.array_equal(dense, pruned_state(0.35)[key].numpy())


def lose(suffix: str):
    return lambda stored, name: stored.pop(name + suffix)


def set_part(suffix: str, change):
    def spoil(stored: dict, name: str) -> None:
        stored[name + suffix] = change(stored[name + suffix].clone())

    return spoil


def set_bit(mask: torch.Tensor) -> torch.Tensor:
    mask[0] = 255 if mask[0] != 255 else 0
    return mask


def zero_value(values: torch.Tensor) -> torch.Tensor:
    values[2] = 0
    return values


def poison_value(values: torch.Tensor) -> torch.Tensor:
    values[2] = float("nan")
    return values


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lose(".mask"), ".mask"),
        (lose(".values"), ".values"),
        (lose(".shape"), ".shape"),
        (lambda stored, name: stored.__setitem__(name, torch.zeros(256, 64, 1, 4)), "twice"),
        (set_part(".mask", lambda mask: mask.to(torch.int8)), ".mask"),
        (set_part(".mask", lambda mask: mask[:-1]), ".mask"),
        (set_part(".mask", set_bit), ".mask"),
        (set_part(".values", lambda values: values.double()), ".values"),
        (set_part(".values", zero_value), ".values"),
        (set_part(".values", poison_value), "backbone.16.weight"),
        (set_part(".shape", lambda shape: shape.to(torch.int32)), ".shape"),
        (set_part(".shape", lambda shape: shape[None]), ".shape"),
        (set_part(".shape", lambda shape: -shape), ".shape"),
        (set_part(".shape", lambda shape: shape.flip(0)), "backbone.16.weight"),
    ],
)
def test_both_readers_refuse(spoil, named: str, tmp_path: Path) -> None:
    path = tmp_path / "sparse.safetensors"
    lprnet("prune", "-m", SHIPPED, "-o", path, "--amount", 0.35)
    stored, metadata = load_file(path), metadata_of(path)
    spoil(stored, "backbone.16.weight")
    save_file({key: value.contiguous() for key, value in stored.items()}, path, metadata=metadata)
    with pytest.raises(lprnet_model.LayoutError, match="backbone.16.weight") as error:
        lprnet_model.load_model(path)
    assert named in str(error.value)
    result = subprocess.run([PROGRAM, "info", "-m", path], capture_output=True, text=True, check=False)
    assert result.returncode == 3 and "'backbone.16.weight" in result.stderr and named in result.stderr


def test_sensitivity_of_a_few_samples(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    lprnet("--version")
    prefix = tmp_path / "curve"
    command = [sys.executable, SCRIPTS / "sensitivity.py", "--lprnet", PROGRAM, "-m", SHIPPED, "--labels", SAMPLES]
    command += ["--out", prefix, "--sample", "6", "--amounts", "0,0.5,0.9"]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    with open(f"{prefix}.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16 * 3
    assert {row["layer"] for row in rows} >= {"backbone.0", "backbone.4.block.2", "container.0"}
    assert [row["amount"] for row in rows[:3]] == ["0", "0.5", "0.9"]
    assert {row["plates"] for row in rows} == {"2"}
    assert {row["accuracy"] for row in rows if row["amount"] == "0"} == {"1"}
    assert Path(f"{prefix}.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curve.csv", "curve.png"]
    assert "backbone.20" in result.stdout


def test_crossover_of_a_few_frames(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    isa = json.loads(lprnet("info", "-j"))["isas"][-1]
    prefix = tmp_path / "curve"
    command = [sys.executable, SCRIPTS / "crossover.py", "--lprnet", PROGRAM, "-m", SHIPPED, "--out", prefix]
    command += ["--amounts", "0,0.9", "--isas", isa, "--frames", "3", "--rounds", "2"]
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    with open(f"{prefix}.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * (16 + 1)
    assert {row["layer"] for row in rows} >= {"backbone.2", "backbone.4.block.3", "logits", "all"}
    assert [row["zeros"] for row in rows if row["layer"] == "all"] == ["0", "0.9"]
    assert all(float(row[time]) > 0 for row in rows for time in ("dense_us", "sparse_us", "planned_us"))
    assert Path(f"{prefix}.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curve.csv", "curve.png"]
    assert "90 % zeros" in result.stdout


@pytest.mark.parametrize("amount", [0.35, 0.9])
def test_every_table_reads_the_same_from_pruned_weights(amount: float, tmp_path: Path) -> None:
    """Sparse kernels against the reference table, which computes the definition by default."""
    path = tmp_path / "sparse.safetensors"
    lprnet("prune", "-m", SHIPPED, "-o", path, "--amount", amount)
    texts = {}
    for isa in json.loads(lprnet("info", "-j"))["isas"]:
        environment = {**os.environ, "LPRNET_ISA": isa}
        command = [str(PROGRAM), "read", "-m", str(path), str(SAMPLES)]
        result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        texts[isa] = [line.split("\t")[0] for line in result.stdout.splitlines()]
        info = subprocess.run(
            [str(PROGRAM), "info", "-m", str(path)], capture_output=True, text=True, check=True, env=environment
        )
        assert ("conv2d_sparse_f32" in info.stdout) == (isa != "reference")
    assert len(texts["reference"]) == 12
    for found in texts.values():
        assert found == texts["reference"]


@pytest.mark.parametrize("sparse", [False, True])
def test_export_half(sparse: bool, tmp_path: Path) -> None:
    """Weights are rounded to the nearest float16 and everything else is as it was; both sides compute with them."""
    state = pruned_state(0.35)
    generator = torch.Generator().manual_seed(5)
    for value in state.values():  # the shipped ones are float16 already
        value.mul_(1 + 1e-3 * torch.rand(value.shape, generator=generator))
    checkpoint, whole, half = tmp_path / "net.pth", tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    torch.save(state, checkpoint)
    words = [str(checkpoint), "--charset", "cn89", *(["--sparse"] if sparse else []), "-o"]
    assert export_weights.main([*words, str(whole)]) == 0
    assert export_weights.main([*words, str(half), "--half"]) == 0
    assert half.stat().st_size < 0.56 * whole.stat().st_size
    found = lprnet_model.dense_tensors(load_file(half))
    assert set(found) == set(state)
    for key, value in state.items():
        expected = value.to(torch.float16) if value.ndim == 4 else value
        assert found[key].dtype == expected.dtype and torch.equal(found[key], expected), key
    layers = json.loads(lprnet("info", "-j", "-m", half))["weights"]
    assert sum(layer["stored_bytes"] for layer in layers) < 0.53 * sum(
        layer["stored_bytes"] for layer in json.loads(lprnet("info", "-j", "-m", whole))["weights"]
    )
    # The program prunes what it read, in the same type.
    output = tmp_path / "pruned.safetensors"
    lprnet("prune", "-m", half, "-o", output, "--amount", 0)
    again = lprnet_model.dense_tensors(load_file(output))
    assert all(torch.equal(again[key], value) and again[key].dtype == value.dtype for key, value in found.items())
    # Every layer against PyTorch with the rounded weights.
    dump = tmp_path / "dump.safetensors"
    subprocess.run(
        [sys.executable, SCRIPTS / "dump_reference.py", half, "--images", SAMPLES, "--limit", "2", "-o", dump],
        check=True,
    )
    lprnet("verify", "-m", half, dump)


def test_export_half_refuses_what_float16_cannot_hold(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    state = load_file(SHIPPED)
    state = {key: value.float() for key, value in state.items()}
    state["backbone.16.weight"][3, 2, 0, 1] = 7e4
    torch.save(state, tmp_path / "net.pth")
    words = [str(tmp_path / "net.pth"), "--charset", "cn89", "-o", str(tmp_path / "half.safetensors"), "--half"]
    assert export_weights.main(words) == 3
    assert "backbone.16.weight: a weight of 70000 is too large for float16" in capsys.readouterr().err
    assert not (tmp_path / "half.safetensors").exists()
