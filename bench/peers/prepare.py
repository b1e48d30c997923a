"""Everything that happens before the clock runs: plates as pixels, ONNX files, each peer's own files, and the check
that a peer computes our logits. Converted files are kept in a folder named after what they were made from."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import onnx
from onnx import TensorProto, helper
from safetensors import safe_open
from safetensors.numpy import save_file

from contenders import MODES, Absent, Ours, Peer, Worker, run_worker

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "scripts"))
import onnx_network  # noqa: E402
from plates import list_samples, normalize, read_image, to_network_size  # noqa: E402

SAMPLES = REPOSITORY / "tests" / "samples"
MAX_FP32_ERROR = 1e-3


class WrongAnswer(RuntimeError):
    """A peer that does not compute our logits; the message is one line."""


@dataclass
class Entry:
    """A peer at one precision: its files by form, and the form that was the fastest."""

    runtime: str
    title: str
    version: str
    precision: str
    isa_environment: dict[str, dict[str, str]]
    paths: dict[str, str] = field(default_factory=dict)
    max_abs: dict[str, float] = field(default_factory=dict)
    texts_equal: dict[str, bool] = field(default_factory=dict)
    form_ms: dict[str, float] = field(default_factory=dict)
    form: str = ""

    @property
    def name(self) -> str:
        return f"{self.title} {self.precision}"


@dataclass
class Workshop:
    """The folder of converted files, and what every worker needs."""

    folder: Path
    pixels: Path
    log: IO[str]
    cores: list[int]


def open_workshop(work: Path, model: Path, cores: list[int]) -> Workshop:
    sources = [model, *sorted(SAMPLES.iterdir()), *sorted(Path(__file__).parent.rglob("*.py"))]
    sources += [Path(onnx_network.__file__)]
    sources += [Path(__file__).with_name("requirements-peers.txt")]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    folder = work / digest
    folder.mkdir(parents=True, exist_ok=True)
    with safe_open(str(model), framework="np") as file:
        preprocess = json.loads(file.metadata()["lprnet.preprocess"])
    images = [to_network_size(read_image(sample.path)) for sample in list_samples([SAMPLES])]
    pixels = folder / "pixels.npy"
    np.save(pixels, normalize(np.stack(images), preprocess))
    return Workshop(folder, pixels, (folder / "log").open("a"), cores)


def convert(workshop: Workshop, model: Path, runtime: str, notes: list[str]) -> list[Entry]:
    """The entries of one peer, each with every form that converts; Absent where it is not installed."""
    about = run_worker("describe", {"runtime": runtime}, workshop.log)
    entries = []
    for precision, forms in about["precisions"].items():
        entry = Entry(runtime, about["title"], about["version"], precision, about["isa_environment"])
        for form in forms:
            try:
                entry.paths[form] = converted(
                    workshop, runtime, precision, form, partial(onnx_network.export, model, form)
                )
            except Absent as reason:
                notes.append(f"{entry.name}, {form}: {reason}")
        if entry.paths:
            entries.append(entry)
    return entries


def converted(workshop: Workshop, runtime: str, precision: str, name: str, write_onnx: Callable[[Path], None]) -> str:
    """The peer's file; made once."""
    folder = workshop.folder / runtime / f"{precision}-{name}"
    done = folder / "done"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "network.onnx"
        write_onnx(path)
        options = {"runtime": runtime, "onnx": str(path), "precision": precision, "pixels": str(workshop.pixels)}
        done.write_text(run_worker("convert", options, workshop.log)["path"])
    return done.read_text()


def call_network(shape: tuple[int, ...], path: Path) -> None:
    """Writes the smallest graph with our input: what it takes is the cost of a call."""
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, shape)
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, shape[1], 1, 1])
    node = helper.make_node("MaxPool", ["pixels"], ["logits"], kernel_shape=shape[2:])
    graph = helper.make_graph([node], "call", [pixels], [logits])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", onnx_network.OPSET)])
    model.ir_version = onnx_network.IR_VERSION
    onnx.save(model, str(path))


def check(workshop: Workshop, entry: Entry, ours: Ours) -> None:
    """Fills in max_abs and texts_equal: the engine itself compares, as with a dump from PyTorch."""
    for form, path in entry.paths.items():
        worker = Worker(entry.runtime, path, workshop.pixels, 1, MODES[0].cores(workshop.cores), {}, workshop.log)
        output = Path(path).parent / "logits.npy"
        try:
            worker.ask("logits", output=str(output))
        finally:
            worker.close()
        dump = output.with_suffix(".safetensors")
        tensors = {"input": np.load(workshop.pixels), "logits": np.load(output)}
        save_file(tensors, str(dump), metadata={"lprnet.format": "dump-1"})
        command = [str(ours.program), "verify", "-j", "-m", str(ours.model), str(dump)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        # 1: the limits of `verify`, which are not ours.
        if result.returncode not in (0, 1):
            raise WrongAnswer(f"{entry.name}, {form}: {result.stderr.strip()}")
        verdict = json.loads(result.stdout)
        entry.max_abs[form] = verdict["layers"][-1]["max_abs"]
        entry.texts_equal[form] = verdict["texts_equal"]
        if entry.precision == "fp32" and not (entry.max_abs[form] <= MAX_FP32_ERROR and entry.texts_equal[form]):
            raise WrongAnswer(
                f"{entry.name}, {form}: expected equal texts and logits within {MAX_FP32_ERROR:.0e}, found"
                f" {'equal' if entry.texts_equal[form] else 'different'} texts and {entry.max_abs[form]:.1e}"
            )


def choose_forms(workshop: Workshop, entries: list[Entry], rounds: int, frames: int) -> None:
    """Measures every form of every entry in turn and keeps the fastest, by the median over the rounds."""
    for entry in entries:
        peers = {
            form: Peer(entry.runtime, path, workshop.pixels, MODES[0], workshop.cores, {}, workshop.log)
            for form, path in entry.paths.items()
        }
        found: dict[str, list[float]] = {form: [] for form in peers}
        for _ in range(rounds):
            for form, peer in peers.items():
                found[form].append(peer.measure(frames // 4, frames).p50_ms)
        for peer in peers.values():
            peer.close()
        entry.form_ms = {form: float(np.median(times)) for form, times in found.items()}
        entry.form = min(entry.form_ms, key=entry.form_ms.__getitem__)
