"""What takes part, each behind the same face: measure(warmup, frames) runs it once and returns a Sample.

Our program is started anew for each measurement. A peer lives in worker processes, which are stopped (SIGSTOP) whenever
it is not their turn, so that no idle thread of theirs spins beside another contender.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from worker import memory_kib

WORKER = Path(__file__).with_name("worker.py")
WARM_SECONDS = 0.5  # our program starts in milliseconds


class Absent(RuntimeError):
    """A contender that cannot take part; the message is one line."""


@dataclass(frozen=True)
class Mode:
    """threads share one image; streams are independent images, each on a core of its own."""

    title: str
    threads: int = 1
    streams: int = 1
    isa: str | None = None

    def cores(self, available: Sequence[int]) -> list[int]:
        """The last ones: the first core is where most systems handle interrupts."""
        return list(available)[-self.threads * self.streams :]


MODES = (
    Mode("one thread"),
    Mode("two threads, one image", threads=2),
    Mode("two streams", streams=2),
    Mode("one thread, AVX2", isa="avx2"),
)


@dataclass(frozen=True)
class Sample:
    p50_ms: float
    p99_ms: float
    fps: float


@dataclass(frozen=True)
class Ours:
    """Our program, its weights, and other weights for precisions that need them."""

    program: Path
    model: Path
    models: Mapping[str, Path]
    builtin: bool = False  # the weights are those linked into the program

    def weights(self, precision: str = "fp32") -> list[str]:
        """The words that select the weights."""
        if precision in self.models:
            return ["-m", str(self.models[precision])]
        return [] if self.builtin else ["-m", str(self.model)]


class Lprnet:
    """`lprnet bench`, for one precision and mode."""

    def __init__(self, ours: Ours, precision: str, mode: Mode, cores: Sequence[int]) -> None:
        self.mode = mode
        self.cores = mode.cores(cores)
        self.command = [str(ours.program), "bench", "-j", *ours.weights(precision), "--precision", precision]
        self.command += ["--threads", str(mode.streams)]
        if mode.threads > 1:
            if "--intra" not in bench_help(ours.program):
                raise Absent("lprnet bench has no --intra")
            self.command += ["--intra", str(mode.threads)]
        self.environment = dict(os.environ)
        if mode.isa:
            self.environment["LPRNET_ISA"] = mode.isa

    def measure(self, warmup: int, frames: int) -> Sample:
        command = [*self.command, "--warmup", str(warmup), "--frames", str(frames * self.mode.streams)]
        result = pinned(command, self.cores, self.environment)
        [found] = json.loads(result.stdout)
        return Sample(found["latency_ms"]["p50"], found["latency_ms"]["p99"], found["fps"])

    def close(self) -> None:
        pass


def pinned(
    command: Sequence[str], cores: Sequence[int], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Runs to the end on these cores; Absent, with its own words, where it fails."""
    run = ["taskset", "-c", ",".join(map(str, cores)), *command]
    result = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Absent((result.stderr.strip().splitlines() or [f"exit status {result.returncode}"])[-1])
    return result


def first_output_ms(command: Sequence[str], cores: Sequence[int]) -> float:
    """From the start of the program on these cores to its first output; Absent where it fails."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)  # inherited: taskset would be one more program to start
    reader, writer = os.pipe()
    try:
        begin = time.monotonic()
        # Not subprocess, whose own work before and behind the start would be counted too.
        process = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1)])
        os.close(writer)
        with os.fdopen(reader, "rb", buffering=0) as output:
            first = output.read(1)
            spent = time.monotonic() - begin
            while output.read(4096):
                pass
    finally:
        os.sched_setaffinity(0, before)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if status != 0 or not first:
        raise Absent(f"{' '.join(command)}: exit status {status}")
    return spent * 1e3


def bench_help(program: Path) -> str:
    return subprocess.run([str(program), "bench", "--help"], capture_output=True, text=True, check=True).stdout


def precisions(help_text: str) -> list[str]:
    """The choices of --precision as the help prints them: `--precision TEXT:{fp32,sparse}=fp32`."""
    found = re.search(r"--precision\b[^{\n]*\{([^}]*)\}", help_text)
    return found.group(1).split(",") if found else ["fp32"]


def run_worker(task: str, options: dict, log: IO[str]) -> dict:
    """A worker that answers once and ends."""
    command = [sys.executable, str(WORKER), task, json.dumps(options)]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, text=True, check=False)
    return parsed(result.stdout, result.returncode)


def parsed(line: str, status: int | None) -> dict:
    answer = json.loads(line) if line.strip() else {"error": f"ended with status {status}"}
    if "error" in answer:
        raise Absent(answer["error"])
    return answer


class Worker:
    """A serving worker process: asleep from its start until asked."""

    def __init__(
        self,
        runtime: str,
        path: str,
        pixels: Path,
        threads: int,
        cores: Sequence[int],
        isa: dict[str, str],
        log: IO[str],
    ) -> None:
        options = {"runtime": runtime, "path": path, "pixels": str(pixels), "threads": threads, "cores": list(cores)}
        self.spawned = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER), "serve", json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **isa},
        )
        try:
            self.ready = self.receive()
        except Absent:
            self.close()
            raise
        self.process.send_signal(signal.SIGSTOP)

    def send(self, command: dict) -> None:
        try:
            print(json.dumps(command), file=self.process.stdin, flush=True)
        except BrokenPipeError as error:
            raise Absent(f"ended with status {self.process.wait()}") from error

    def receive(self) -> dict:
        line = self.process.stdout.readline()
        return parsed(line, None if line else self.process.wait())

    def ask(self, do: str, **arguments: object) -> dict:
        [answer] = ask_together([self], do, **arguments)
        return answer

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()


def ask_together(workers: Sequence[Worker], do: str, **arguments: object) -> list[dict]:
    """Wakes the workers, gives all of them the command, and stops them when all have answered."""
    for worker in workers:
        worker.send({"do": do, **arguments})
    for worker in workers:
        worker.process.send_signal(signal.SIGCONT)
    try:
        return [worker.receive() for worker in workers]
    finally:
        for worker in workers:
            worker.process.send_signal(signal.SIGSTOP)


class Peer:
    """One peer in one mode: a worker, or one for each stream (no interpreter lock is shared)."""

    def __init__(
        self, runtime: str, path: str, pixels: Path, mode: Mode, cores: Sequence[int], isa: dict[str, str], log: IO[str]
    ) -> None:
        mine = mode.cores(cores)
        groups = [mine] if mode.streams == 1 else [[core] for core in mine]
        self.workers: list[Worker] = []
        try:
            for group in groups:
                self.workers.append(Worker(runtime, path, pixels, mode.threads, group, isa, log))
        except Absent:
            self.close()
            raise

    def measure(self, warmup: int, frames: int) -> Sample:
        answers = ask_together(self.workers, "measure", warmup=warmup, frames=frames)
        times = np.concatenate([answer["latencies_ns"] for answer in answers]) / 1e6
        fps = sum(frames * 1e9 / answer["total_ns"] for answer in answers)
        return Sample(float(np.percentile(times, 50)), float(np.percentile(times, 99)), fps)

    def close(self) -> None:
        for worker in self.workers:
            worker.close()


def lprnet_memory(ours: Ours, cores: Sequence[int]) -> dict:
    """Resident memory of our program while `lprnet bench` is running."""
    command = ["taskset", "-c", ",".join(map(str, cores)), str(ours.program), "bench", *ours.weights()]
    process = subprocess.Popen([*command, "--frames", "10000000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(WARM_SECONDS)
        return {"rss_kib": memory_kib("VmRSS", process.pid), "peak_kib": memory_kib("VmHWM", process.pid)}
    finally:
        process.kill()
        process.wait()
