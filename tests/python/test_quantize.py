"""lprnet quantize on real weights and crops: how much of the accuracy is kept, and which weights ship.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from paths import DATA, WEIGHTS, lprnet, need_data

MAX_LOSS = 0.002  # share of the plates
MIN_LAYER_COSINE = 0.999
MIN_LOGITS_COSINE = 0.9995


# Sets of calibration images differ by some plates either way; for `search`, which chooses by them, the mean of
# two is what counts.
@pytest.mark.parametrize("method, sets", [("mse", [200]), ("percentile", [200]), ("search", [200, 400])])
def test_public_checkpoint_keeps_its_accuracy(method: str, sets: list[int], public_model: Path, tmp_path: Path) -> None:
    quantized = tmp_path / "int8.safetensors"
    options = ["--calibration", DATA / "plates/train", "--test", DATA / "plates/dev", "--method", method]
    losses = []
    for images in sets:
        report = json.loads(lprnet("quantize", "-j", "-m", public_model, "-o", quantized, *options, "--images", images))
        assert len(report["layers"]) == 16
        assert report["layers"][-1]["cosine"] >= MIN_LOGITS_COSINE
        if method == "mse":  # the default
            assert min(layer["cosine"] for layer in report["layers"]) >= MIN_LAYER_COSINE
        losses.append(report["test"]["before"]["accuracy"] - report["test"]["after"]["accuracy"])
    print(f"{method}: plates lost, as shares: {losses}")
    assert statistics.fmean(losses) <= MAX_LOSS


@pytest.mark.parametrize("isa", ["sse2", "avx2", "avx512vnni"])
def test_pruned_networks_keep_their_texts(isa: str, tmp_path: Path) -> None:
    """Their plans differ: sparse convolutions pass pixels on as others do not. Without half of its weights a network
    guesses at many plates; what it is sure of stays."""
    if isa not in json.loads(lprnet("info", "-j"))["isas"]:
        pytest.skip(f"{isa}: not on this CPU")
    crops, dev = need_data(DATA / "plates/train"), need_data(DATA / "plates/dev")
    pruned, int8 = tmp_path / "pruned.safetensors", tmp_path / "int8.safetensors"

    def read(model: Path) -> dict[str, tuple[str, float]]:
        lines = (line.split("\t") for line in lprnet("read", "-m", model, dev, isa=isa).splitlines())
        return {path: (text, float(confidence)) for text, confidence, path in lines}

    for amount in ("0.35", "0.5"):
        lprnet("prune", "-m", WEIGHTS / "lprnet-sparse35.safetensors", "-o", pruned, "--amount", amount)
        options = ["--calibration", crops, "--images", "30"]
        report = json.loads(
            lprnet("quantize", "-j", "-m", pruned, "-o", int8, *options, isa=isa)
        )
        if amount == "0.35":  # as many as the network was trained without
            assert report["texts_changed"] == 0
        before, after = read(pruned), read(int8)
        sure = [path for path, (_, confidence) in before.items() if confidence >= 0.9]
        assert len(before) == len(after) > 1000 and len(sure) > len(before) / 2
        assert [path for path in sure if before[path][0] != after[path][0]] == []
        assert report["layers"][-1]["cosine"] >= MIN_LOGITS_COSINE
        assert min(layer["cosine"] for layer in report["layers"]) >= MIN_LAYER_COSINE


@pytest.mark.parametrize(
    ("name", "source", "limit"),
    [
        ("lprnet-int8", "lprnet", 569_000),
        ("lprnet-sparse35-int8", "lprnet-sparse35", 427_000),
    ],
)
def test_shipped_int8_weights_keep_the_accuracy(name: str, source: str, limit: int) -> None:
    path = WEIGHTS / f"{name}.safetensors"
    assert path.stat().st_size <= limit
    dev = need_data(DATA / "plates/dev")
    accuracy = [
        json.loads(lprnet("eval", "-j", "-m", model, dev))["accuracy"]
        for model in (path, WEIGHTS / f"{source}.safetensors")
    ]
    assert accuracy[0] >= accuracy[1] - MAX_LOSS


def test_sparse_int8_with_numpy_alone(tmp_path: Path) -> None:
    """What weights/FORMAT.md says of sparse int8 tensors; zeros of the other file stay zeros."""
    key = "backbone.16.weight"

    def dense(path: Path, dtype: type) -> np.ndarray:
        with safe_open(str(path), framework="np") as file:
            shape = file.get_tensor(key + ".shape")
            bits = np.unpackbits(file.get_tensor(key + ".mask"), count=shape.prod(), bitorder="little")
            values = file.get_tensor(key + ".values")
            assert values.dtype == dtype and values.all()
            elements = np.zeros(shape.prod(), dtype)
            elements[bits == 1] = values
            return elements.reshape(shape)

    exact = dense(WEIGHTS / "lprnet-sparse35.safetensors", np.float16)
    found = dense(WEIGHTS / "lprnet-sparse35-int8.safetensors", np.int8)
    assert exact.shape == found.shape
    assert not found[exact == 0].any()
    layers = json.loads(lprnet("info", "-j", "-m", WEIGHTS / "lprnet-sparse35-int8.safetensors"))["weights"]
    assert next(layer for layer in layers if layer["name"] == "backbone.16")["zeros"] == int((found == 0).sum())
