"""A process that holds one peer: `describe` tells about it, `convert` turns an ONNX file into the peer's own, `serve`
loads that and answers commands.

Commands come on standard input and answers go to standard output, one JSON object a line; whatever a library prints
goes to standard error.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import sysconfig
import time
from importlib import import_module
from pathlib import Path

import numpy as np

PR_SET_PDEATHSIG = 1  # from <sys/prctl.h>


def memory_kib(field: str, process: int | str = "self") -> int:
    """VmRSS or VmHWM of a process."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise OSError(f"/proc/{process}/status: no {field}")


def mapped_libraries(folders: tuple[str, ...]) -> list[str]:
    """Shared libraries below site-packages/FOLDER that this process has mapped."""
    paths = {line.split(maxsplit=5)[5] for line in Path("/proc/self/maps").read_text().splitlines() if ".so" in line}
    return sorted(path for path in paths if any(f"/site-packages/{folder}/" in path for folder in folders))


def package_bytes(folders: tuple[str, ...]) -> int:
    """Bytes of all shared libraries below site-packages/FOLDER."""
    site = Path(sysconfig.get_path("purelib"))
    paths = {path.resolve() for folder in folders for path in (site / folder).rglob("*.so*")}
    return sum(path.stat().st_size for path in paths)


def convert(options: dict) -> dict:
    runtime = import_module(f"runtimes.{options['runtime']}")
    path = runtime.convert(Path(options["onnx"]), options["precision"], np.load(options["pixels"]))
    return {"path": str(path)}


def describe(options: dict) -> dict:
    runtime = import_module(f"runtimes.{options['runtime']}")
    return {
        "title": runtime.TITLE,
        "version": runtime.version(),
        "precisions": runtime.PRECISIONS,
        "isa_environment": runtime.ISA_ENVIRONMENT,
    }


class Server:
    def __init__(self, options: dict) -> None:
        os.sched_setaffinity(0, options["cores"])
        self.pixels = np.load(options["pixels"])
        self.bare_kib = memory_kib("VmRSS")
        begin = time.monotonic()
        self.runtime = import_module(f"runtimes.{options['runtime']}")
        imported = time.monotonic()
        self.session = self.runtime.load(Path(options["path"]), options["threads"])
        created = time.monotonic()
        self.session.set_input(self.pixels[:1])
        self.session.infer()
        self.session.logits()
        first = time.monotonic()
        self.ready = {
            "import_ms": (imported - begin) * 1e3,
            "create_ms": (created - imported) * 1e3,
            "first_ms": (first - created) * 1e3,
            # CLOCK_MONOTONIC is the same in every process.
            "first_at": first,
        }

    def measure(self, warmup: int, frames: int) -> dict:
        infer, clock = self.session.infer, time.perf_counter_ns
        for _ in range(warmup):
            infer()
        times = [0] * frames
        start = clock()
        for i in range(frames):
            begin = clock()
            infer()
            times[i] = clock() - begin
        return {"latencies_ns": times, "total_ns": clock() - start}

    def logits(self, output: str) -> dict:
        found = []
        for image in self.pixels:
            self.session.set_input(image[None])
            self.session.infer()
            found.append(np.array(self.session.logits(), np.float32)[0])
        np.save(output, np.stack(found))
        self.session.set_input(self.pixels[:1])
        return {}

    def footprint(self) -> dict:
        return {
            "bare_kib": self.bare_kib,
            "rss_kib": memory_kib("VmRSS"),
            "peak_kib": memory_kib("VmHWM"),
            "libraries": mapped_libraries(self.runtime.FOLDERS),
            "package_bytes": package_bytes(self.runtime.FOLDERS),
        }


def main() -> int:
    # A stopped process would outlive a parent that is killed.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(content: dict) -> None:
        print(json.dumps(content), file=answers, flush=True)

    options = json.loads(sys.argv[2])
    try:
        if sys.argv[1] == "describe":
            answer(describe(options))
            return 0
        if sys.argv[1] == "convert":
            answer(convert(options))
            return 0
        server = Server(options)
        answer(server.ready)
        for line in sys.stdin:
            command = json.loads(line)
            answer(getattr(server, command.pop("do"))(**command))
    # Whatever a peer raises is its failure, told in one line; the other peers go on.
    except Exception as error:  # noqa: BLE001
        answer({"error": f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
