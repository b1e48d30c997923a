"""Checkpoints as people save them: wherever the network lies in a file it becomes the same model file, what lies beside
it is never run, and what is no LPRNet is refused in one line that says where it looked."""

from __future__ import annotations

import argparse
import collections
import dataclasses
import datetime
import io
import os
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import checkpoint as checkpoint_module
import dump_reference
import export_weights
import int8_network
import lprnet_model
from paths import DATA, need_data

CLASSES = 37


@pytest.fixture(scope="module")
def state() -> dict:
    shape = lprnet_model.LprnetShape.from_widths(0.125, classes=CLASSES)
    return dict(dump_reference.random_model(shape, seed=11).state_dict())


def prefixed(state: dict, prefix: str) -> dict:
    return {prefix + key: value for key, value in state.items()}


def bare_container(state: dict) -> dict:
    return {key.replace("container.0.", "container."): value for key, value in state.items()}


def export(source: Path, output: Path, *arguments: object) -> int:
    words = [source, "-o", output, "--charset-size-only", "--source", "x", *arguments]
    return export_weights.main([str(word) for word in words])


OTHER = {"conv.weight": torch.ones(3, 2), "conv.bias": torch.zeros(3)}
WRAPPERS = {
    "net_state_dict": lambda d: {"net_state_dict": d},
    "net_state_dict and a counter": lambda d: {"iterations": 5, "net_state_dict": d},
    "behind a transformer": lambda d: {"epoch": 3, "lpr": d, "st": OTHER},
    "lightning": lambda d: {"state_dict": prefixed(d, "model."), "epoch": 3},
    "compiled": lambda d: prefixed(d, "_orig_mod."),
    "parallel": lambda d: {"model": prefixed(d, "module.")},
    "lprnet": lambda d: {"lprnet": d, "epoch": 1},
    "prefixes in any order": lambda d: prefixed(d, "_orig_mod.module.model."),
    "prefixes in another": lambda d: {"ckpt": {"best": prefixed(d, "model._orig_mod.module.")}},
    "in a list": lambda d: {"nets": [OTHER, d]},
    "ordered": lambda d: collections.OrderedDict(d),
    "bare container": bare_container,
    "bare container, parallel": lambda d: {"w": prefixed(bare_container(d), "module.")},
    "numpy scalars": lambda d: {"loss": np.float64(0.5), "best": np.int64(3), "mean": np.ones(3), "net": d},
    "arguments": lambda d: {"args": argparse.Namespace(lr=0.1, path=Path("/x")), "state_dict": d},
    "dates and paths": lambda d: {"when": datetime.datetime(2020, 1, 2), "p": Path("a/b"), "model": d, "s": {1, 2}},
    "scalars beside": lambda d: {**d, "epoch": 7, "when": datetime.date(2020, 1, 2)},
    "saved twice": lambda d: {"model": d, "state_dict": prefixed(d, "module.")},
    "parameters": lambda d: {k: torch.nn.Parameter(v) if v.is_floating_point() else v for k, v in d.items()},
    "a view": lambda d: {k: torch.stack([v, v])[1] for k, v in d.items()},
    "transposed": lambda d: {
        k: v.transpose(0, -1).contiguous().transpose(0, -1) if v.ndim else v for k, v in d.items()
    },
    "double": lambda d: {"model": {k: v.double() for k, v in d.items()}},
}


@pytest.mark.parametrize("zip_format", [True, False])
@pytest.mark.parametrize("name", WRAPPERS)
def test_every_wrapper_gives_the_same_file(state: dict, tmp_path: Path, name: str, zip_format: bool) -> None:
    plain, wrapped = tmp_path / "plain.pth", tmp_path / "wrapped.pth"
    torch.save(state, plain)
    torch.save(WRAPPERS[name](state), wrapped, _use_new_zipfile_serialization=zip_format)
    assert export(plain, tmp_path / "plain.safetensors") == 0
    assert export(wrapped, tmp_path / "wrapped.safetensors") == 0
    assert (tmp_path / "wrapped.safetensors").read_bytes() == (tmp_path / "plain.safetensors").read_bytes()


def test_optimizer_state_beside(state: dict, tmp_path: Path) -> None:
    network = lprnet_model.model_from_state_dict(state)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.zeros(1, 3, 24, 94)).sum().backward()
    optimizer.step()
    content = {"optimizer": optimizer.state_dict(), "model": network.state_dict()}
    for zip_format in (True, False):
        torch.save(content, tmp_path / "a.pth", _use_new_zipfile_serialization=zip_format)
        assert export(tmp_path / "a.pth", tmp_path / "a.safetensors") == 0
        assert torch.equal(load_file(tmp_path / "a.safetensors")["container.0.bias"], network.container[0].bias)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_becomes_float32(state: dict, tmp_path: Path, dtype: torch.dtype) -> None:
    half = {key: value.to(dtype) if value.is_floating_point() else value for key, value in state.items()}
    torch.save({"model": half}, tmp_path / "half.pth")
    save_file(half, tmp_path / "half.safetensors")
    for source in ("half.pth", "half.safetensors"):
        assert export(tmp_path / source, tmp_path / "out.safetensors") == 0
        tensors = load_file(tmp_path / "out.safetensors")
        assert all(
            value.dtype == torch.float32 and torch.equal(value, half[key].float()) for key, value in tensors.items()
        )


def test_safetensors(state: dict, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "a.pth")
    save_file(prefixed(state, "module."), tmp_path / "b.safetensors")
    assert export(tmp_path / "a.pth", tmp_path / "x.safetensors") == 0
    assert export(tmp_path / "b.safetensors", tmp_path / "y.safetensors") == 0
    assert (tmp_path / "x.safetensors").read_bytes() == (tmp_path / "y.safetensors").read_bytes()


def renamed(path: Path, output: Path, architecture: str | None) -> Path:
    """A copy of a model file that names this architecture, or none."""
    with safe_open(str(path), framework="pt") as file:
        metadata = dict(file.metadata())
    metadata.pop("lprnet.architecture", None)
    if architecture is not None:
        metadata["lprnet.architecture"] = architecture
    save_file(load_file(path), str(output), metadata=metadata)
    return output


def test_files_may_name_their_architecture(state: dict, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "a.pth")
    assert export(tmp_path / "a.pth", tmp_path / "a.safetensors") == 0
    with safe_open(str(tmp_path / "a.safetensors"), framework="pt") as file:
        assert "lprnet.architecture" not in file.metadata()
    for name in ("LPRNet", None):
        path = renamed(tmp_path / "a.safetensors", tmp_path / "b.safetensors", name)
        assert lprnet_model.load_model(path).network.shape.classes == CLASSES
        assert export(path, tmp_path / "c.safetensors") == 0
        assert (tmp_path / "c.safetensors").read_bytes() == (tmp_path / "a.safetensors").read_bytes()


@pytest.mark.parametrize("name", ["", "lprnet", "Other", "\x1b[2J\n", "\u202e", "x" * 100000])
def test_another_architecture_is_refused(
    state: dict, tmp_path: Path, capsys: pytest.CaptureFixture, name: str
) -> None:
    torch.save(state, tmp_path / "a.pth")
    assert export(tmp_path / "a.pth", tmp_path / "a.safetensors") == 0
    other = renamed(tmp_path / "a.safetensors", tmp_path / "other.safetensors", name)
    for read in (lprnet_model.load_model, checkpoint_module.read_checkpoint, int8_network.Int8Network):
        with pytest.raises(checkpoint_module.LayoutError, match="'lprnet.architecture' is .*expected 'LPRNet'$"):
            read(other)
    assert export(other, tmp_path / "b.safetensors") == 3
    message = capsys.readouterr().err
    assert message.count("\n") == 1 and message.rstrip("\n").isprintable() and len(message) < 1000
    assert f"{other}: metadata 'lprnet.architecture' is " in message
    assert not (tmp_path / "b.safetensors").exists()


def test_two_networks_are_told_apart(state: dict, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    other = {key: value + 1 if value.is_floating_point() else value for key, value in state.items()}
    torch.save({"model": state, "ema": prefixed(other, "module.")}, tmp_path / "two.pth")
    assert export(tmp_path / "two.pth", tmp_path / "out.safetensors") == 3
    message = capsys.readouterr().err
    assert "'model'" in message and "'ema.module'" in message and "--key" in message and message.count("\n") == 1
    assert not (tmp_path / "out.safetensors").exists()
    for key, wanted in (("model", state), ("ema", other), ("ema.module", other)):
        assert export(tmp_path / "two.pth", tmp_path / "out.safetensors", "--key", key) == 0
        assert torch.equal(load_file(tmp_path / "out.safetensors")["backbone.0.bias"], wanted["backbone.0.bias"])
    assert export(tmp_path / "two.pth", tmp_path / "out.safetensors", "--key", "nothing") == 3
    assert "'nothing'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrap",
    [
        lambda d: {"lpr": d, "st": OTHER},
        lambda d: {"lprnet": d, "STNet": {"localization.0.weight": torch.ones(2, 3, 3, 3)}},
        lambda d: {**d, "stn.fc_loc.0.weight": torch.ones(6, 32)},
        lambda d: {**prefixed(d, "lprnet."), **prefixed(OTHER, "stn.")},
    ],
)
def test_a_spatial_transformer_is_named(state: dict, tmp_path: Path, capsys: pytest.CaptureFixture, wrap) -> None:
    torch.save(wrap(state), tmp_path / "a.pth")
    assert export(tmp_path / "a.pth", tmp_path / "a.safetensors") == 0
    message = capsys.readouterr().err
    assert "spatial transformer" in message and message.count("\n") == 1
    torch.save(state, tmp_path / "a.pth")
    assert export(tmp_path / "a.pth", tmp_path / "a.safetensors") == 0
    assert capsys.readouterr().err == ""


@pytest.fixture(scope="module")
def transformer() -> dict:
    """Under the names that public code gives its modules."""
    shape = lprnet_model.LprnetShape.from_widths(0.125, classes=CLASSES)
    network = dump_reference.random_model(dataclasses.replace(shape, transformer=(8, 6, 5)), seed=12)
    return dict(network.transformer.state_dict())


FORMS = {
    "lpr and st": lambda d, s: {"epoch": 3, "lpr": d, "st": s},
    "lprnet and stn": lambda d, s: {"lprnet": d, "stn": {"state_dict": prefixed(s, "module.")}},
    "prefixes": lambda d, s: {**prefixed(d, "lprnet."), **prefixed(s, "stn.")},
    "beside the backbone": lambda d, s: {**d, **s},
    "beside the backbone, parallel": lambda d, s: {"model": prefixed({**d, **s}, "module.")},
    "under our own names": lambda d, s: {**d, **prefixed(s, "transformer.")},
    "twice": lambda d, s: {"model": {**d, **s}, "ema": {**d, **s}},
}


@pytest.mark.parametrize("form", [*FORMS, "two files"])
@pytest.mark.parametrize("corners", [None, "true", "false"])
def test_a_spatial_transformer_is_taken_along(
    state: dict, transformer: dict, tmp_path: Path, capsys: pytest.CaptureFixture, form: str, corners: str | None
) -> None:
    output = tmp_path / "out.safetensors"
    if form == "two files":
        torch.save(state, tmp_path / "a.pth")
        torch.save({"net": prefixed(transformer, "module.")}, tmp_path / "st.pth")
        stn = ["--stn", tmp_path / "st.pth"]
    else:
        torch.save(FORMS[form](state, transformer), tmp_path / "a.pth")
        stn = ["--stn"]
    align = ["--stn-align-corners", corners] if corners else []
    assert export(tmp_path / "a.pth", output, *stn, *align) == 0
    assert capsys.readouterr().err == ""
    with safe_open(str(output), framework="pt") as file:
        assert file.metadata()["lprnet.transformer"] == f'{{"align_corners": {corners or "true"}}}'
        for key, value in transformer.items():
            assert torch.equal(file.get_tensor(f"transformer.{key}"), value)
    network = lprnet_model.load_model(output).network
    assert network.transformer.align_corners == (corners != "false")
    # What the network does behind it is what it does without.
    picture = torch.rand(1, 3, 24, 94) * 2 - 1
    plain = lprnet_model.model_from_state_dict(state)
    with torch.inference_mode():
        assert torch.equal(network(picture), plain(network.transformer(picture)))


def test_without_being_asked_for_a_transformer_stays_where_it_is(
    state: dict, transformer: dict, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    torch.save(FORMS["prefixes"](state, transformer), tmp_path / "a.pth")
    assert export(tmp_path / "a.pth", tmp_path / "a.safetensors") == 0
    assert "--stn" in capsys.readouterr().err
    with safe_open(str(tmp_path / "a.safetensors"), framework="pt") as file:
        assert "lprnet.transformer" not in file.metadata()
        assert not [key for key in file.keys() if key.startswith("transformer.")]


def without(tensors: dict, name: str) -> dict:
    return {key: value for key, value in tensors.items() if key != name}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: {}, "expected a spatial transformer with localization.0.weight, found none"),
        (lambda s: without(s, "fc_loc.2.bias"), "transformer.fc_loc.2.bias: missing"),
        (lambda s: {**s, "localization.3.weight": torch.ones(6, 7, 5, 5)}, "expected shape [6, 8, 5, 5]"),
        (lambda s: {**s, "fc_loc.2.weight": torch.ones(8, 5)}, "transformer.fc_loc.2.weight: expected shape [6, 5]"),
        (lambda s: {**s, "fc_loc.0.weight": torch.full((5, 168), float("nan"))}, "expected finite values"),
        (lambda s: {**s, "fc_loc.0.bias": "b"}, "fc_loc.0.bias: expected a tensor"),
        (lambda s: {**s, "fc_loc.4.bias": torch.ones(6)}, "transformer.fc_loc.4.bias: unexpected"),
    ],
)
def test_a_spatial_transformer_that_does_not_fit_is_one_line(
    state: dict, transformer: dict, tmp_path: Path, capsys: pytest.CaptureFixture, spoil, message: str
) -> None:
    torch.save({"lpr": state, "st": spoil(transformer)}, tmp_path / "a.pth")
    assert export(tmp_path / "a.pth", tmp_path / "out.safetensors", "--stn") == 3
    found = capsys.readouterr().err
    assert message in found and found.count("\n") == 1
    assert not (tmp_path / "out.safetensors").exists()


def test_two_spatial_transformers_are_told_apart(
    state: dict, transformer: dict, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    other = {key: value + 1 for key, value in transformer.items()}
    torch.save({"lpr": state, "st": transformer, "ema": other}, tmp_path / "a.pth")
    assert export(tmp_path / "a.pth", tmp_path / "out.safetensors", "--stn") == 3
    message = capsys.readouterr().err
    assert "'st'" in message and "'ema'" in message and message.count("\n") == 1
    assert export(tmp_path / "a.pth", tmp_path / "out.safetensors", "--stn", tmp_path / "none.pth") == 3
    message = capsys.readouterr().err
    assert str(tmp_path / "none.pth") in message and message.count("\n") == 1


class Runs:
    """Would leave a file behind if a checkpoint's pickle were run."""

    def __init__(self, function, *arguments) -> None:
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("zip_format", [True, False])
def test_nothing_of_a_checkpoint_runs(state: dict, tmp_path: Path, zip_format: bool) -> None:
    mark = tmp_path / "mark"
    calls = [
        Runs(os.system, f"touch {mark}"),
        Runs(exec, f"open({str(mark)!r}, 'w')"),
        Runs(eval, f"open({str(mark)!r}, 'w')"),
        Runs(open, str(mark), "w"),
        Runs(io.open, str(mark), "w"),
        Runs(getattr, os, "system"),
    ]
    torch.save({"evil": calls[:-1], "model": state}, tmp_path / "a.pth", _use_new_zipfile_serialization=zip_format)
    assert export(tmp_path / "a.pth", tmp_path / "a.safetensors") == 0
    assert not mark.exists()


def hand_made(content: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "hand.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/version", "3\n")
    return path


@pytest.mark.parametrize(
    "opcodes",
    [
        b"\x80\x02cos\nsystem\n(X\x04\x00\x00\x00trueo.",  # OBJ
        b"\x80\x02(ios\nsystem\n.",  # INST without arguments
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x01\x00\x00\x00aK\x01sb.",  # BUILD on a function
        b"\x80\x02ccollections\nOrderedDict\n}X\x05\x00\x00\x00clearK\x01sb.",  # BUILD on a class
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(K\x01K\x02K\x03K\x04tR.",  # a tensor of nothing
        b"\x80\x02(((((" + b"(" * 5000 + b".",
        b"\x80\x02" + b"]" * 1 + b"\x94" * 3 + b"h\xff.",  # a memo that is not there
        b"\x80\x02r\xff\xff\xff\xff.",  # puts into a memo of 4 GiB
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",  # a frame of 2^63 bytes
        b"\x80\x02\x8a\xff.",
        b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\x00\x00.",  # a bytearray of 2^48 bytes
        b"",
    ],
)
def test_hostile_pickles_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture, opcodes: bytes) -> None:
    assert export(hand_made(opcodes, tmp_path), tmp_path / "a.safetensors") == 3
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "a.safetensors").exists()


def test_deep_and_endless_dictionaries(state: dict, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    endless: dict = {"epoch": 1}
    endless["self"] = endless
    wide: list = [{"a": 1}]
    for _ in range(60):  # 2^60 paths to one dictionary
        wide = [wide, wide]
    torch.save({"x": endless, "y": wide, "net": state}, tmp_path / "a.pth")
    assert export(tmp_path / "a.pth", tmp_path / "a.safetensors") == 0
    torch.save({"x": endless, "y": wide}, tmp_path / "a.pth")
    assert export(tmp_path / "a.pth", tmp_path / "a.safetensors") == 3
    assert "backbone.0.weight" in capsys.readouterr().err


def test_storages_are_checked(state: dict, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    torch.save(state, tmp_path / "a.pth")
    with zipfile.ZipFile(tmp_path / "a.pth") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    first = next(name for name in members if name.endswith("/data/0"))
    for content in (b"", b"abc", members[first][:-1], None):
        with zipfile.ZipFile(tmp_path / "b.pth", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                if name != first:
                    archive.writestr(name, data)
                elif content is not None:
                    archive.writestr(name, content)
        assert export(tmp_path / "b.pth", tmp_path / "b.safetensors") == 3
        message = capsys.readouterr().err
        assert "backbone.0.weight" in message and message.count("\n") == 1


def test_cut_files_are_one_line(state: dict, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for zip_format in (True, False):
        torch.save({"model": state}, tmp_path / "a.pth", _use_new_zipfile_serialization=zip_format)
        content = (tmp_path / "a.pth").read_bytes()
        for size in (0, 1, 2, 10, 100, 1000, len(content) // 2, len(content) - 30):
            (tmp_path / "b.pth").write_bytes(content[:size])
            assert export(tmp_path / "b.pth", tmp_path / "b.safetensors") == 3
            assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"model": {"conv1.weight": torch.ones(2)}}, ["backbone.0.weight", "'model'", "conv1.weight"]),
        ({"epoch": 3, "args": argparse.Namespace()}, ["backbone.0.weight", "'epoch'", "'args'"]),
        ([1, 2, 3], ["backbone.0.weight", "list"]),
        (torch.ones(3), ["backbone.0.weight", "tensor"]),
        (np.float64(3), ["numpy"]),
    ],
)
def test_refusals_say_where_they_looked(tmp_path: Path, capsys: pytest.CaptureFixture, content, words: list) -> None:
    torch.save(content, tmp_path / "a.pth")
    assert export(tmp_path / "a.pth", tmp_path / "a.safetensors") == 3
    message = capsys.readouterr().err
    assert message.count("\n") == 1 and all(word in message for word in words)


def test_a_whole_module_is_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    torch.save(torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1)), tmp_path / "a.pth")
    assert export(tmp_path / "a.pth", tmp_path / "a.safetensors") == 3
    assert "state_dict()" in capsys.readouterr().err


def test_a_torchscript_program_is_named(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    torch.jit.script(torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1))).save(str(tmp_path / "a.pth"))
    assert export(tmp_path / "a.pth", tmp_path / "a.safetensors") == 3
    assert "TorchScript" in capsys.readouterr().err


def test_other_files_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for content in (b"hello", pickle.dumps([1, 2]), struct.pack("<Q", 5) + b"{nope", b"\x80\x02N.", bytes(100)):
        (tmp_path / "a.pth").write_bytes(content)
        assert export(tmp_path / "a.pth", tmp_path / "a.safetensors") == 3
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("backbone.5.running_var", -1e-3, ["backbone.5.running_var", "at least 0"]),
        ("backbone.5.running_var", float("nan"), ["backbone.5.running_var", "finite"]),
        ("backbone.9.weight", float("inf"), ["backbone.9.weight", "finite"]),
        ("backbone.16.weight", 1e300, ["backbone.16.weight", "float32"]),
    ],
)
def test_numbers_without_a_meaning(
    state: dict, tmp_path: Path, capsys: pytest.CaptureFixture, key: str, value: float, words: list
) -> None:
    spoiled = {name: tensor.double() for name, tensor in state.items()}
    spoiled[key].view(-1)[1] = value
    torch.save(spoiled, tmp_path / "a.pth")
    assert export(tmp_path / "a.pth", tmp_path / "a.safetensors") == 3
    message = capsys.readouterr().err
    assert all(word in message for word in words)


# --- Charset files ---------------------------------------------------------------------------------------------------

LETTERS = "0123456789ABCDEFGHJKLMNPRSTUVXYZ-"


def charset_of(tmp_path: Path, content: str | bytes) -> list[str]:
    path = tmp_path / "charset.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return export_weights.read_charset(str(path))


@pytest.mark.parametrize(
    "content",
    [
        LETTERS,
        "\ufeff" + LETTERS,
        "\n".join(LETTERS) + "\n",
        "\r\n".join(LETTERS) + "\r\n",
        "\r".join(LETTERS),
        "\ufeff" + "\r\n".join(LETTERS),
        repr(list(LETTERS)),
        "\ufeffCHARS = " + repr(list(LETTERS)),
        "CHARS: list[str] = [\n" + ",\n    ".join(f'"{c}"' for c in LETTERS) + ",\n]  # all of them\n",
        repr(tuple(LETTERS)),
        str(list(LETTERS)).replace("'", '"'),
    ],
)
def test_charsets_as_people_write_them(tmp_path: Path, content: str) -> None:
    assert charset_of(tmp_path, content) == list(LETTERS)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("AB\u200bC-", "printable"),
        ("ABCA-", "'A' more than once, at 0 and 3"),
        ("['A', 'B', '']", "entry 2 empty"),
        ("['A', os.system('true')]", "Python list"),
        ("[" * 5000, "Python list"),
        ("['A', 1]", "strings"),
        (LETTERS.encode("utf-16"), "UTF-16"),
        ("京ABC".encode("gbk"), "UTF-8"),
        ("A\n\nB\n-", "entry 1 empty"),
    ],
)
def test_near_misses_are_explained(tmp_path: Path, content: str | bytes, word: str) -> None:
    with pytest.raises(ValueError, match=word.replace("(", r"\(")):
        charset_of(tmp_path, content)


def test_a_forgotten_blank_is_named(state: dict, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    torch.save(state, tmp_path / "a.pth")
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for content in (letters, "\ufeff" + letters):
        (tmp_path / "c.txt").write_text(content, encoding="utf-8")
        words = [tmp_path / "a.pth", "-o", tmp_path / "a.safetensors", "--charset", tmp_path / "c.txt"]
        assert export_weights.main([str(word) for word in words]) == 3
        assert "36 characters and no blank" in capsys.readouterr().err
    (tmp_path / "c.txt").write_text("\ufeff" + letters + "-", encoding="utf-8")
    assert export_weights.main([str(word) for word in words]) == 0


@pytest.mark.parametrize(("name", "entries"), [("vn37_bom.txt", 37), ("vn_pylist.txt", 37), ("bom_noblank.txt", 36)])
def test_charsets_of_the_data_folder(name: str, entries: int) -> None:
    path = DATA / "cases" / name
    need_data(path)
    charset = export_weights.read_charset(str(path))
    assert len(charset) == entries and not any("\ufeff" in entry for entry in charset)


def test_nothing_is_imported_for_a_name(tmp_path: Path) -> None:
    """The module that a pickle names stays unloaded."""
    content = b"\x80\x02}(X\x01\x00\x00\x00acantigravity\nx\nu."
    with pytest.raises(checkpoint_module.LayoutError, match="backbone.0.weight"):
        checkpoint_module.read_checkpoint(hand_made(content, tmp_path))
    assert "antigravity" not in sys.modules
