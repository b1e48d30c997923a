"""What reading many pictures costs over the engine itself: CPU time of the plain engine, of Arrow, and of a job on Ray.

    python bench/bulk.py [--rows 100000] [--precision int8] [--pictures FOLDER]

The pictures of the folder, JPEG, lie in one parquet file, again and again under new names, until it has so many rows.
Each way reads all of them. Prints a table, and whether every row was answered once, with the text of the plain engine.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

import lprnet
from lprnet._isolated import IsolatedReader
from lprnet.tables import read_table

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
GROUP = 4096


class TreeTimes(threading.Thread):
    """CPU seconds of a process and of all that it started, also of those that ended: looked at five times a second."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root, self.seconds, self.names, self.parents = root, {}, {}, {}
        self.stopped = threading.Event()

    def look(self):
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
                name = (entry / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace")
            except OSError:  # it has just ended
                continue
            found[int(entry.name)] = (int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS, name)
        tree = {self.root, *self.seconds}
        grown = True
        while grown:
            grown = False
            for pid, (parent, _, _) in found.items():
                if pid not in tree and parent in tree:
                    tree.add(pid)
                    grown = True
        for pid in tree & found.keys():
            self.parents.setdefault(pid, found[pid][0])
            self.seconds[pid] = found[pid][1]
            self.names[pid] = found[pid][2]

    def run(self):
        while not self.stopped.wait(0.2):
            self.look()

    def of(self, wanted):
        """Of the processes whose name the function wants, and of those that they started."""
        chosen = {pid for pid, name in self.names.items() if wanted(name)}
        for pid in sorted(self.parents):
            if self.parents[pid] in chosen:
                chosen.add(pid)
        return sum(self.seconds[pid] for pid in chosen)


def make(path, pictures, rows):
    schema = pa.schema([("path", pa.string()), ("image", pa.binary())])
    with pq.ParquetWriter(path, schema) as writer:
        for begin in range(0, rows, GROUP):
            numbers = range(begin, min(begin + GROUP, rows))
            images = [pictures[number % len(pictures)] for number in numbers]
            writer.write_table(pa.table({"path": [f"{n:07}.jpg" for n in numbers], "image": images}, schema=schema))


def cpu(work):
    """What the function returned, and CPU seconds of this process and of children that ended meanwhile."""
    begin = os.times()
    answer = work()
    end = os.times()
    return answer, sum(end[:4]) - sum(begin[:4])


def plain(recognizer, pictures):
    return [[reading.text for reading in recognizer.read_batch(pictures[i : i + GROUP])]
            for i in range(0, len(pictures), GROUP)]  # fmt: skip


def isolated(recognizer, table):
    with IsolatedReader(recognizer) as reader:
        return read_table(table, reader)


def ray_job(source, out, precision):
    words = [sys.executable, "-m", "lprnet.ray", source, out, "--precision", precision]
    begin = time.monotonic()
    job = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    times = TreeTimes(job.pid)
    times.start()
    messages = job.communicate()[1]
    times.stopped.set()
    times.join()
    if job.returncode != 0:
        sys.exit(f"bulk: {' '.join(map(str, words))}: exit status {job.returncode}: {messages[-1000:]}")
    return times, time.monotonic() - begin


def answers_in(out):
    return pa.concat_tables([pq.read_table(part) for part in sorted(Path(out).glob("part-*.parquet"))])


def check(out, texts):
    """Every row once, and with its text."""
    table = answers_in(out)
    answers = dict(zip(table["path"].to_pylist(), table["text"].to_pylist(), strict=True))
    wrong = sum(answers.get(f"{n:07}.jpg") != text for n, text in enumerate(texts))
    if len(table) != len(texts) or wrong:
        sys.exit(f"bulk: {len(table)} rows for {len(texts)}, {wrong} without the plain engine's text")


def parse(description):
    """What the user asked for, and the pictures' bytes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--precision", choices=["fp32", "int8"], default="int8")
    parser.add_argument("--pictures", type=Path, default=ROOT / "tests/samples")
    arguments = parser.parse_args()
    pictures = [path.read_bytes() for path in sorted(arguments.pictures.rglob("*.jpg"))]
    if not pictures:
        sys.exit(f"{parser.prog}: {arguments.pictures}: no picture *.jpg")
    return arguments, pictures


def main():
    arguments, pictures = parse(__doc__.splitlines()[0])
    recognizer = lprnet.Recognizer(precision=arguments.precision)
    rows = defaultdict(float)
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "crops.parquet"), Path(folder, "plates")
        make(source, pictures, arguments.rows)
        all_pictures = [pictures[n % len(pictures)] for n in range(arguments.rows)]
        answers, rows["the engine: read_batch of bytes"] = cpu(lambda: plain(recognizer, all_pictures))
        texts = [text for batch in answers for text in batch]
        _, rows["decode_image alone"] = cpu(lambda: [lprnet.decode_image(picture) for picture in all_pictures])
        table = pq.read_table(source)
        _, rows["an Arrow table: read_table"] = cpu(lambda: read_table(table, recognizer))
        _, rows["the same, the pictures read in a process beside"] = cpu(lambda: isolated(recognizer, table))
        times, seconds = ray_job(source, out, arguments.precision)
        check(out, texts)
        rows["Ray: the actors"] = times.of(lambda name: name.startswith("ray::") and "_Worker" in name)
        rows["Ray: the whole job"] = sum(times.seconds.values())
    engine = rows["the engine: read_batch of bytes"]
    kind = f"{arguments.precision}, {recognizer.isa}"
    print(f"{arguments.rows} crops, {kind}, {os.cpu_count()} CPUs; Ray took {seconds:.1f} s")
    print("\n| | CPU s | us a plate | to the engine |\n|---|---:|---:|---:|")
    for name, value in rows.items():
        print(f"| {name} | {value:.1f} | {1e6 * value / arguments.rows:.0f} | {value / engine:.2f} |")
    hours = rows["Ray: the whole job"] / arguments.rows * 1e9 / 3600
    print(f"\n{arguments.rows / engine:.0f} plates a second and core; a billion crops on Ray: {hours:.0f} core hours")


if __name__ == "__main__":
    main()
