"""Pickle, fork, spawn; the program and its command; stubs."""

import json
import multiprocessing
import os
import pickle
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import lprnet


def read_in_child(recognizer, path):
    return recognizer.read(path)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"precision": "int8"},
        {"candidates": 4},
        {"patterns": "cn", "candidates": 2, "temperature": 2.5},
        {"intra": 2},
        {"provinces": "京津冀"},
    ],
)
def test_pickle(samples, options):
    recognizer = lprnet.Recognizer(**options)
    again = pickle.loads(pickle.dumps(recognizer))
    assert again.read(samples[2]) == recognizer.read(samples[2])
    for name in ("threads", "intra", "decode", "candidates", "provinces", "isa"):
        assert getattr(again, name) == getattr(recognizer, name)


def test_pickle_needs_no_file(samples, tmp_path):
    file = tmp_path / "copy.safetensors"
    file.write_bytes((Path(__file__).resolve().parents[3] / "weights/lprnet-int8.safetensors").read_bytes())
    recognizer = lprnet.Recognizer(file)
    file.unlink()
    again = pickle.loads(pickle.dumps(recognizer))
    assert again.read(samples[0]) == lprnet.Recognizer(precision="int8").read(samples[0])
    assert again.model.name == str(file)


def test_pickle_of_parts(samples):
    reading = lprnet.Recognizer(candidates=3).read(samples[0])
    errors = lprnet.Recognizer().read_batch([b"", None, "missing"])
    assert pickle.loads(pickle.dumps(reading)) == reading
    assert [repr(e) for e in pickle.loads(pickle.dumps(errors))] == [repr(e) for e in errors]
    patterns = pickle.loads(pickle.dumps(lprnet.Patterns.builtin()))
    assert patterns.formats == lprnet.Patterns.builtin().formats
    assert pickle.loads(pickle.dumps(lprnet.KnownPlates(["A", "B"]))).plates == ["A", "B"]


@pytest.mark.parametrize("kind", [lprnet.Model, lprnet.Patterns])
@pytest.mark.parametrize("state", [(), (1,), ("x",), (b"x", b"y"), ("x", 3), (1, 2, 3), None])
def test_foreign_state(kind, state):
    with pytest.raises((TypeError, ValueError)):
        kind.__new__(kind).__setstate__(state)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pool(samples, method):
    recognizer = lprnet.Recognizer()
    expected = recognizer.read_batch(samples)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.starmap(read_in_child, [(recognizer, path) for path in samples]) == expected


@pytest.mark.parametrize("intra", [1, 2])
def test_fork_in_the_midst(samples, intra):
    """The child has none of the threads that the parent is reading with, and ends as any process does."""
    recognizer = lprnet.Recognizer(intra=intra, threads=2)
    unused = lprnet.Recognizer(intra=intra)  # that the child only destroys
    unused.read(samples[0])
    expected = recognizer.read_batch(samples)
    stop = threading.Event()

    def keep_reading():
        while not stop.is_set():
            recognizer.read_batch(samples)

    threads = [threading.Thread(target=keep_reading) for _ in range(2)]
    for thread in threads:
        thread.start()
    context = multiprocessing.get_context("fork")
    try:
        for _ in range(3):
            queue = context.SimpleQueue()
            child = context.Process(target=lambda q=queue: q.put(recognizer.read_batch(samples) == expected))
            child.start()
            child.join(60)
            alive = child.is_alive()
            if alive:
                child.kill()
            assert not alive and child.exitcode == 0 and queue.get()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert recognizer.read_batch(samples) == expected


def read_by_program(program, isa, *words):
    environment = {**os.environ, "LPRNET_ISA": isa}
    command = [program, "read", "--json", "--quiet", *words]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return [json.loads(line) for line in run.stdout.splitlines()]


def compare_with_program(program, paths, folder, flags, **options):
    # The same kernels: tables differ in the order of their sums.
    recognizer = lprnet.Recognizer(threads=2, **options)
    rows = read_by_program(program, recognizer.isa, *flags, *folder)
    assert [row["file"] for row in rows] == [str(path) for path in paths]
    for row, reading in zip(rows, recognizer.read_batch(paths), strict=True):
        assert (row["plate"], row["confidence"]) == (reading.text, reading.confidence)
        assert row["reject_score"] == reading.reject_score
        assert [(c["char"], c["confidence"]) for c in row["characters"]] == [c[:2] for c in reading.characters]
        assert [(c["plate"], c["confidence"]) for c in row["candidates"]] == [c[:2] for c in reading.candidates]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("decode", ["greedy", "beam", "grammar"])
def test_same_as_program(program, samples, precision, decode):
    flags = ["--decode", decode, "--precision", precision]
    compare_with_program(program, samples, samples, flags, precision=precision, decode=decode)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_same_as_program_on_data(program, data, precision):
    folder = data / "plates/dev"
    paths = sorted((p for p in folder.rglob("*") if p.suffix in (".jpg", ".png")), key=lambda p: os.fsencode(p))
    assert len(paths) > 100
    compare_with_program(program, paths, [folder], ["--precision", precision], precision=precision)


def command(*words, **options):
    return subprocess.run([sys.executable, "-m", "lprnet", *words], capture_output=True, text=True, **options)


def test_command(program, samples):
    for words in (["--version"], ["--help"], ["read", str(samples[0])], ["read", "missing"], ["rad"], []):
        own = command(*words)
        other = subprocess.run([program, *words], capture_output=True, text=True)
        assert (own.returncode, own.stdout, own.stderr) == (other.returncode, other.stdout, other.stderr)


def test_command_writes_to_a_full_disk(samples):
    with open("/dev/full", "w") as full:
        run = subprocess.run([sys.executable, "-m", "lprnet", "read", samples[0]], stdout=full, stderr=subprocess.PIPE)
    assert run.returncode == 3 and b"standard output" in run.stderr


def test_version(program):
    assert command("--version").stdout == f"lprnet {lprnet.__version__}\n"


def test_import_needs_no_numpy():
    code = "import sys; sys.modules['numpy'] = None; import lprnet; print(lprnet.Recognizer().read_batch([b'']))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout == "[MalformedError('not a JPEG, PNG or BMP image')]\n" and run.stderr == ""


def test_symbols():
    """Other modules of the process see none of the engine, nor of the C++ runtime in it."""
    nm = shutil.which("nm") or pytest.skip("nm is not there")
    import lprnet._engine as engine

    run = subprocess.run([nm, "-D", "--defined-only", engine.__file__], capture_output=True, text=True, check=True)
    assert [line.split()[-1] for line in run.stdout.splitlines()] == ["PyInit__engine"]


def test_stubs():
    """Those in the package are those of the extension module; made by
    python -m nanobind.stubgen -m lprnet._engine -o engine/python/lprnet/_engine.pyi"""
    stubgen = pytest.importorskip("nanobind.stubgen")
    import lprnet._engine as engine

    stub = stubgen.StubGen(engine)
    stub.put(engine)
    here = Path(__file__).resolve().parents[1] / "lprnet/_engine.pyi"
    assert stub.get() == here.read_text()
    assert (Path(lprnet.__file__).parent / "py.typed").exists()
