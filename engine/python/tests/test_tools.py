"""verify, selftest, doctor, quantize, prune and evaluate: the same answers as the program's JSON, and errors."""

import json
import os
import signal
import subprocess
import threading
import time

import numpy as np
import pytest

import lprnet
from conftest import ROOT

SAMPLES = ROOT / "tests/samples"


def answers(program, *words, status=0):
    """Of the program, with the kernels that the package chooses."""
    environment = {**os.environ, "LPRNET_ISA": lprnet.Recognizer().isa}
    environment.pop("LD_PRELOAD", None)  # a sanitizer's runtime, which the program has inside
    run = subprocess.run(
        [program, *map(str, words), "--json"], capture_output=True, text=True, env=environment
    )  # fmt: skip
    assert run.returncode == status, run.stderr
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def labelled():
    """In the order of the table: sums depend on it."""
    rows = [line.split("\t") for line in (SAMPLES / "labels.tsv").read_text().splitlines()]
    return [(SAMPLES / row[0], row[1]) for row in rows]


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    """Two images, and logits that no network gives them: every answer is far off."""
    info = lprnet.Model.builtin().info()
    random = np.random.default_rng(5)
    planes = random.uniform(-1, 1, (2, 3, info["input_height"], info["input_width"])).astype("<f4")
    logits = random.normal(size=(2, info["classes"], info["steps"])).astype("<f4")
    head, data = {"__metadata__": {"lprnet.format": "dump-1"}}, b""
    for name, values in (("input", planes), ("logits", logits)):
        head[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [len(data), len(data) + values.nbytes]}
        data += values.tobytes()
    text = json.dumps(head).encode()
    path = tmp_path_factory.mktemp("dump") / "dump.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


@pytest.fixture
def same_isa(monkeypatch):
    monkeypatch.setenv("LPRNET_ISA", lprnet.Recognizer().isa)


def test_selftest(program):
    rows = answers(program, "selftest")
    found = lprnet.selftest()
    assert [check.ok for check in found] == [True] * len(rows)
    assert [(c.model, c.precision, c.isa, c.error, c.hash) for c in found] == [
        tuple(row[key] for key in ("model", "precision", "isa", "error", "hash")) for row in rows
    ]
    own = lprnet.selftest(lprnet.Model.builtin("int8"))
    assert own == [check for check in found if check.precision == "int8"]


def test_verify(program, dump):
    wanted = answers(program, "verify", dump, status=1)
    found = lprnet.verify(dump, isa=wanted["isa"])
    assert found.layers and not found.ok and not wanted["ok"]
    assert [layer._asdict() for layer in found.layers] == wanted["layers"]
    for key in ("first_bad", "images", "isa", "texts_equal"):
        assert getattr(found, key) == wanted[key]
    assert list(found.fused) == wanted["fused"]
    loose = lprnet.verify(dump, min_cosine=-1)
    assert all(layer.ok for layer in loose.layers) and loose.first_bad is None


def test_verify_refuses(tmp_path, dump):
    with pytest.raises(FileNotFoundError, match="nothing"):
        lprnet.verify(tmp_path / "nothing")
    with pytest.raises(ValueError, match="dump-1"):
        lprnet.verify(ROOT / "weights/lprnet.safetensors")
    with pytest.raises(ValueError, match="min_cosine: expected a number from -1 to 1, found float 1.5"):
        lprnet.verify(dump, min_cosine=1.5)
    with pytest.raises(TypeError, match="dump: expected a path, found None"):
        lprnet.verify(None)
    with pytest.raises(TypeError, match="progress: expected None or a function, found int 3"):
        lprnet.verify(dump, progress=3)
    with pytest.raises(ValueError, match="no_such"):
        lprnet.verify(dump, isa="no_such")


def test_doctor(program, labelled, same_isa):
    wanted = answers(program, "doctor", SAMPLES)
    found = lprnet.doctor(labelled)
    for key in ("plates", "characters", "verdict"):
        assert getattr(found, key) == wanted[key]
    assert [setting._asdict() for setting in found.settings] == wanted["settings"]
    assert found.ok and found.errors == ()
    arrays = [(lprnet.decode_image(path), text) for path, text in labelled]
    assert lprnet.doctor(arrays) == found


def test_doctor_says_what_it_could_not_use(labelled):
    bad = [("missing.jpg", labelled[0][1]), (labelled[0][0], "¿"), (np.zeros((2, 2)), "A"), (b"", labelled[0][1]), 3]
    found = lprnet.doctor([bad[0], *labelled[:3], *bad[1:]])
    assert found.plates == 3
    assert [failure.index for failure in found.errors] == [0, 4, 5, 6, 7]
    kinds = [FileNotFoundError, lprnet.MismatchError, TypeError, lprnet.MalformedError, TypeError]
    assert [isinstance(failure.error, kind) for failure, kind in zip(found.errors, kinds, strict=True)] == [True] * 5
    with pytest.raises(FileNotFoundError, match="missing.jpg"):
        lprnet.doctor(bad[:1])
    with pytest.raises(ValueError, match="plates: expected some, found none"):
        lprnet.doctor([])
    for wrong in (None, "folder", 3):
        with pytest.raises(TypeError, match="plates: expected a list of pairs"):
            lprnet.doctor(wrong)


@pytest.mark.parametrize(
    ("flags", "options"),
    [
        ([], {}),
        (["--method", "max", "--plain"], {"method": "max", "plain": True}),
        (["--zero-below", "0.01", "--keep-float", "backbone.0", "--report"],
         {"zero_below": 0.01, "keep_float": ["backbone.0"], "damage": True}),
        (["--weights-only"], {"pictures": None}),
    ],
)  # fmt: skip
def test_quantize(program, samples, tmp_path, same_isa, flags, options):
    calibration = [] if "--weights-only" in flags else ["--calibration", SAMPLES]
    wanted = answers(program, "quantize", "-o", tmp_path / "program.safetensors", *calibration, *flags)
    options = dict(options)
    pictures = options.pop("pictures", samples)
    found = lprnet.quantize(pictures, label="mine", **options)
    assert found.method == wanted["method"] and found.images == wanted["images"]
    assert found.texts_changed == wanted["texts_changed"] and found.error == wanted.get("error")
    assert {"before": found.bytes_before, "after": found.bytes_after} == wanted["file_bytes"]
    assert [{k: v for k, v in layer._asdict().items() if v is not None} for layer in found.layers] == wanted["layers"]
    assert found.model.name == "mine" and found.errors == ()
    found.model.save(tmp_path / "package.safetensors")
    assert (tmp_path / "package.safetensors").read_bytes() == (tmp_path / "program.safetensors").read_bytes()
    assert lprnet.Recognizer(found.model).read(samples[0]) == lprnet.Recognizer(
        tmp_path / "package.safetensors"
    ).read(samples[0])


def test_quantize_refuses(samples):
    with pytest.raises(ValueError, match="quantized"):
        lprnet.quantize(samples, lprnet.Model.builtin("int8"))
    with pytest.raises(ValueError, match="no.such"):
        lprnet.quantize(samples[:1], keep_float=["no.such"])
    with pytest.raises(TypeError, match="keep_float: expected a list of layers, found str"):
        lprnet.quantize(samples[:1], keep_float="backbone.0")
    with pytest.raises(ValueError, match="method: expected one of 'max', .*found str 'best'"):
        lprnet.quantize(samples[:1], method="best")
    with pytest.raises(TypeError, match="pictures: expected None or a list of pictures, found str"):
        lprnet.quantize(str(samples[0]))
    with pytest.raises(ValueError, match="pictures: expected some, found none"):
        lprnet.quantize([])
    with pytest.raises(lprnet.MalformedError):
        lprnet.quantize([b"", None])
    found = lprnet.quantize([b"", samples[0], None, samples[1]], plain=True)
    assert found.images == 2 and [failure.index for failure in found.errors] == [0, 2]


@pytest.mark.parametrize(
    ("flags", "options"),
    [
        (["--amount", "0.3"], {"amount": 0.3}),
        (["--amount", "0.5", "--global", "--keep", "backbone.0"],
         {"amount": 0.5, "over_all": True, "layers": {"backbone.0": 0}}),
        (["--layer", "backbone.4.block.0=0.25", "--shape", "groups"],
         {"layers": {"backbone.4.block.0": 0.25}, "whole": "groups"}),
    ],
)  # fmt: skip
def test_prune(program, tmp_path, flags, options):
    wanted = answers(program, "prune", "-o", tmp_path / "program.safetensors", *flags)
    found = lprnet.prune(**options)
    assert [layer._asdict() for layer in found.layers] == wanted["layers"]
    assert {"before": found.bytes_before, "after": found.bytes_after} == wanted["file_bytes"]
    found.model.save(tmp_path / "package.safetensors")
    assert (tmp_path / "package.safetensors").read_bytes() == (tmp_path / "program.safetensors").read_bytes()


def test_prune_refuses():
    with pytest.raises(ValueError, match="no.such"):
        lprnet.prune(0.5, layers={"no.such": 0.1})
    with pytest.raises(ValueError, match="amount: expected a number from 0 to 1, found float 1.5"):
        lprnet.prune(1.5)
    with pytest.raises(TypeError, match="layers: expected a dict of shares by layer, found list"):
        lprnet.prune(0.5, layers=["backbone.0"])
    with pytest.raises(ValueError, match="builtin-int8"):
        lprnet.prune(0.5, lprnet.Model.builtin("int8"))


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("decode", ["greedy", "beam"])
def test_evaluate(program, labelled, tmp_path, precision, decode):
    table = tmp_path / "labels.tsv"
    rows = [(path, text, "even" if i % 2 == 0 else "odd") for i, (path, text) in enumerate(labelled)]
    rows[1] = (rows[1][0], rows[1][1][:-1] + "Q", "odd")  # read wrong
    table.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    wanted = answers(program, "eval", table, "--precision", precision, "--decode", decode)
    seen = []
    found = lprnet.evaluate(rows, lprnet.Recognizer(precision=precision, decode=decode), progress=seen.append)
    assert seen == [len(rows)] and found.errors == ()
    score = found.all._asdict()
    assert score == {key: wanted[key] for key in score} and score["correct"] < len(rows)
    for key in ("decode", "expected_calibration_error", "mean_confidence", "rejected"):
        assert getattr(found, key) == wanted[key]
    assert [b._asdict() for b in found.reliability] == wanted["reliability"]
    assert {name: score._asdict() for name, score in found.by_set.items()} == wanted["by_set"]
    assert {str(length): score._asdict() for length, score in found.by_length.items()} == wanted["by_length"]
    assert [c._asdict() for c in found.confusions] == wanted["confusions"]


def test_evaluate_keeps_errors(labelled):
    found = lprnet.evaluate([labelled[0], ("missing.jpg", "A"), (None, "B", "set"), labelled[1]])
    assert found.all.plates == 2
    assert [failure.index for failure in found.errors] == [1, 2]
    assert isinstance(found.errors[0].error, FileNotFoundError) and isinstance(found.errors[1].error, TypeError)
    assert lprnet.evaluate([]).all[:3] == (0, 0, 0.0)
    for wrong in ([3], ["ab"], [(b"",)], [(b"", 3)], [(b"", "A", "set", "more")]):
        with pytest.raises(TypeError, match=r"plates: expected \(picture, text\) .* at 0"):
            lprnet.evaluate(wrong)


def test_save(tmp_path, samples):
    for precision in ("fp32", "int8"):
        lprnet.Model.builtin(precision).save(tmp_path / "own")
        stem = "lprnet" if precision == "fp32" else "lprnet-int8"
        assert (tmp_path / "own").read_bytes() == (ROOT / f"weights/{stem}.safetensors").read_bytes()
    before = sorted(tmp_path.iterdir())
    for path in (tmp_path, tmp_path / "no/folder", "/dev/full"):
        with pytest.raises(OSError):
            lprnet.Model.builtin().save(path)
    with pytest.raises(TypeError, match="path: expected a path, found None"):
        lprnet.Model.builtin().save(None)
    assert sorted(tmp_path.iterdir()) == before


def test_progress(labelled, dump):
    seen = []
    lprnet.selftest(lprnet.Model.builtin("int8"), progress=lambda *parts: seen.append(parts))
    assert seen and seen == sorted(seen) and seen[-1][0] == seen[-1][1]

    def failing(done, parts):
        raise LookupError("enough")

    for call in (
        lambda: lprnet.selftest(progress=failing),
        lambda: lprnet.verify(dump, progress=failing),
        lambda: lprnet.doctor(labelled, progress=failing),
    ):
        with pytest.raises(LookupError, match="enough"):
            call()


def test_interrupt(labelled, interruptible):
    def send():
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in range(1000):
            lprnet.doctor(labelled)
    thread.join()
