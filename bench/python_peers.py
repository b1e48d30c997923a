"""Reading plates from Python: this package beside ONNX Runtime's binding on the same network.

    bench/peers/setup && build/peers-venv/bin/pip install .    # the environment with both
    build/peers-venv/bin/python bench/python_peers.py [--rounds 5]

A call reads one picture, a batch 64, with one thread and with two. Ours begins with an array of bytes and ends with a
text; ONNX Runtime begins with floats that are ready and ends with logits, in the form that it runs fastest. Each
measurement is a process of its own, since idle threads of one would spin beside the other; they take turns. Prints
microseconds a picture: medians over the rounds of the medians of a second.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "weights/lprnet.safetensors"
BATCH = 64
SECONDS = 1.0
sys.path[:0] = [str(ROOT / "bench/peers"), str(ROOT / "scripts")]


def pictures():
    """The samples at the network's size, BGR."""
    from plates import list_samples, read_image, to_network_size

    samples = list_samples([ROOT / "tests/samples"])
    return np.stack([to_network_size(read_image(sample.path)) for sample in samples])


def batch_of(array):
    return np.ascontiguousarray(np.resize(array, (BATCH, *array.shape[1:])))


def ours(kind, threads, precision, _path, _pixels):
    import lprnet

    images = pictures()
    shared = {"intra": threads} if kind == "call" else {"threads": threads}
    recognizer, batch = lprnet.Recognizer(precision=precision, **shared), batch_of(images)
    texts = [reading.text for reading in recognizer.read_batch(images)]
    return (lambda: recognizer.read(images[0]) if kind == "call" else recognizer.read_batch(batch)), texts


def with_batch(path, size):
    """The network for so many pictures at once."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    for value in [*model.graph.input, *model.graph.output]:
        value.type.tensor_type.shape.dim[0].dim_value = size
    del model.graph.value_info[:]  # of one picture
    for constant in model.graph.initializer:
        if constant.name == "logits.shape":
            shape = numpy_helper.to_array(constant).copy()
            shape[0] = size
            constant.CopyFrom(numpy_helper.from_array(shape, constant.name))
    return model.SerializeToString()


def onnx_runtime(kind, threads, _precision, path, pixels):
    import onnxruntime

    import lprnet
    from plates import greedy_text

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    inputs = np.load(pixels)
    count = 1 if kind == "call" else BATCH
    session = onnxruntime.InferenceSession(with_batch(path, count), options, providers=["CPUExecutionProvider"])
    feed = {"pixels": inputs[:1] if kind == "call" else batch_of(inputs)}
    if kind == "call":
        logits = np.concatenate([session.run(None, {"pixels": image[None]})[0] for image in inputs])
    else:
        logits = session.run(None, feed)[0][: len(inputs)]
    classes = [*lprnet.Model.builtin().alphabet, ""]  # the last is the blank
    return (lambda: session.run(None, feed)), [greedy_text(one, classes) for one in logits]


CONTENDERS = {"lprnet": ours, "ONNX Runtime": onnx_runtime}


def measure(name, kind, threads, precision, path, pixels):
    cores = sorted(os.sched_getaffinity(0))[-threads:]
    os.sched_setaffinity(0, cores)
    call, texts = CONTENDERS[name](kind, threads, precision, path, pixels)
    count = 1 if kind == "call" else BATCH
    for seconds in (0.3, SECONDS):  # the first to warm up
        times, end = [], time.perf_counter() + seconds
        while time.perf_counter() < end or len(times) < 3:
            begin = time.perf_counter_ns()
            call()
            times.append((time.perf_counter_ns() - begin) / 1000 / count)
    print(json.dumps({"us": statistics.median(times), "texts": texts}))


def onnx_files():
    """By precision the file of the form that ONNX Runtime runs fastest, and its input."""
    import prepare

    cores = sorted(os.sched_getaffinity(0))[-2:]
    workshop = prepare.open_workshop(ROOT / "build/peers", MODEL, cores)
    entries = prepare.convert(workshop, MODEL, "onnxruntime", [])
    prepare.choose_forms(workshop, entries, 3, 60)
    return {entry.precision: entry.paths[entry.form] for entry in entries}, str(workshop.pixels)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", nargs=6, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        name, kind, threads, precision, path, pixels = arguments.one
        measure(name, kind, int(threads), precision, path, pixels)
        return
    files, pixels = onnx_files()
    print("| | threads | lprnet, us | ONNX Runtime, us | times faster | texts |\n|---|---:|---:|---:|---:|---|")
    for precision, path in files.items():
        for kind in ("call", "batch"):
            for threads in (1, 2):
                times, texts = {name: [] for name in CONTENDERS}, {}
                for _ in range(arguments.rounds):
                    for name in CONTENDERS:
                        words = [sys.executable, __file__, "--one", name, kind, str(threads), precision, path, pixels]
                        run = subprocess.run(words, capture_output=True, text=True)
                        if run.returncode != 0:
                            sys.exit(f"python_peers: {name}: {run.stderr.strip()[-1000:]}")
                        answer = json.loads(run.stdout)
                        times[name].append(answer["us"])
                        texts[name] = answer["texts"]
                us = {name: statistics.median(found) for name, found in times.items()}
                ratio = us["ONNX Runtime"] / us["lprnet"]
                equal = "equal" if texts["lprnet"] == texts["ONNX Runtime"] else "DIFFERENT"
                row = f"{us['lprnet']:.0f} | {us['ONNX Runtime']:.0f} | {ratio:.2f} | {equal} |"
                print(f"| {precision}, {kind} | {threads} | {row}", flush=True)


if __name__ == "__main__":
    main()
