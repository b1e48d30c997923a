"""What a call from Python costs over the engine's own time: arrays, batches, files, tables. Prints a table.

    PYTHONPATH=build/release/python python bench/python_overhead.py [--precision int8] [--calls 2000]

An array is read alone and in batches; the engine's own time is that of `lprnet bench` with one thread, which LPRNET
names or build/release has. The 10th percentile of calls is what a machine does that nobody disturbs.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import lprnet

ROOT = Path(__file__).resolve().parent.parent
BATCH = 256


def in_turn(functions, calls, plates):
    """The 10th and 50th percentile of a call of each of them, for each of its plates: called one after the other, so
    that all have the same hour."""
    times = np.empty((max(3, calls // 20) + calls, len(functions)))
    for row in times:
        for i, function in enumerate(functions):
            begin = time.perf_counter_ns()
            function()
            row[i] = time.perf_counter_ns() - begin
    return np.percentile(times[-calls:], [10, 50], axis=0).T / 1000 / plates


def microseconds(call, calls, plates=1):
    return in_turn([call], calls, plates)[0]


def of_program(precision, isa):
    program = os.environ.get("LPRNET", ROOT / "build/release/lprnet")
    run = subprocess.run(
        [program, "bench", "--json", "--include-image", "--precision", precision], capture_output=True, text=True,
        env={**os.environ, "LPRNET_ISA": isa},
    )  # fmt: skip
    if run.returncode != 0:
        sys.exit(f"python_overhead: {program} bench: {run.stderr.strip()}")
    return json.loads(run.stdout)


def rows(recognizer, calls):
    sample = min((ROOT / "tests/samples").glob("*.jpg"))
    image, file = lprnet.decode_image(sample), sample.read_bytes()
    # Of the network's size: nothing is resized, as in the program's bench.
    info = recognizer.model.info()
    ready = np.ascontiguousarray(image[: info["input_height"], : info["input_width"]])
    stack = np.repeat(ready[None], BATCH, 0)
    few = max(5, calls // BATCH)
    yield "array, network's size", *microseconds(lambda: recognizer.read(ready), calls)

    def one_by_one():
        for array in stack:
            recognizer.read(array)

    # In the time of a batch something else always runs, too: calls that take as long show how much that is.
    batches = {
        f"{BATCH} arrays, one by one": one_by_one,
        f"array of {BATCH}, a plate": lambda: recognizer.read_batch(stack),
        f"list of {BATCH}, a plate": lambda: recognizer.read_batch(list(stack)),
    }
    for name, found in zip(batches, in_turn(batches.values(), few, BATCH), strict=True):
        yield name, *found
    yield "array of the sample", *microseconds(lambda: recognizer.read(image), calls)
    yield "its JPEG's bytes", *microseconds(lambda: recognizer.read(file), calls)
    yield "decode_image alone", *microseconds(lambda: lprnet.decode_image(file), calls)
    try:
        import pyarrow as pa

        from lprnet._isolated import IsolatedReader
        from lprnet.tables import read_table
    except ImportError:
        return
    table = pa.table({"image": pa.array([file] * BATCH, pa.binary())})
    yield "table of JPEGs, a plate", *microseconds(lambda: read_table(table, recognizer), few, BATCH)
    with IsolatedReader(recognizer) as reader:
        yield "the same, isolated", *microseconds(lambda: read_table(table, reader), few, BATCH)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--precision", choices=["fp32", "int8"], default="fp32")
    parser.add_argument("--calls", type=int, default=2000)
    arguments = parser.parse_args()
    recognizer = lprnet.Recognizer(precision=arguments.precision)
    print(f"{arguments.precision}, {recognizer.isa}, us: 10th percentile, median")
    for name, low, median in rows(recognizer, arguments.calls):
        print(f"{name:24}  {low:9.2f} {median:9.2f}")
    print("lprnet bench:", json.dumps(of_program(arguments.precision, recognizer.isa)))


if __name__ == "__main__":
    main()
