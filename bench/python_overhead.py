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


def microseconds(call, calls, plates=1):
    """The 10th and 50th percentile of a call, for each of its plates."""
    for _ in range(max(3, calls // 20)):
        call()
    times = []
    for _ in range(calls):
        begin = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - begin)
    return np.percentile(times, [10, 50]) / 1000 / plates


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
    sample = next((ROOT / "tests/samples").glob("*.jpg"))
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

    # A batch takes so long that the machine always does something beside: compared with as long a time of calls,
    # in turn, so that both have the same hour.
    batches = {
        f"{BATCH} arrays, one by one": one_by_one,
        f"array of {BATCH}, a plate": lambda: recognizer.read_batch(stack),
        f"list of {BATCH}, a plate": lambda: recognizer.read_batch(list(stack)),
    }
    times = {name: [] for name in batches}
    for _ in range(few):
        for name, call in batches.items():
            begin = time.perf_counter_ns()
            call()
            times[name].append((time.perf_counter_ns() - begin) / 1000 / BATCH)
    for name in batches:
        yield name, *np.percentile(times[name], [10, 50])
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
