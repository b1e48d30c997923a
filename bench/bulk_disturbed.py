"""A job on Ray that is disturbed: does every picture have its row in the end, once?

    python bench/bulk_disturbed.py [--rows 100000] [--precision int8] [--pictures FOLDER]

The pictures lie in one parquet file as in bulk.py, every thousandth of them cut to a piece that is no picture. While
`python -m lprnet.ray` reads them, its worker is killed at a quarter of the rows, the command is interrupted at half of
them and killed at three quarters, and started again each time. Exit status 1 if a row is missing, there twice, or has
another text than the plain engine's.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
from bulk import GROUP, TreeTimes, answers_in, make, parse

import lprnet

# Seconds that each part of the job may take, whatever happens to it.
LIMIT = 1800


def rows_in(out):
    return sum(pq.read_metadata(part).num_rows for part in Path(out).glob("part-*.parquet"))


class Job:
    def __init__(self, source, out, precision):
        self.out = out
        words = [sys.executable, "-m", "lprnet.ray", source, out, "--precision", precision, "--part-rows", str(GROUP)]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.begin = time.monotonic()

    def wait_for(self, rows):
        while rows_in(self.out) < rows:
            if self.process.poll() is not None:
                sys.exit(f"bulk_disturbed: ended with {self.process.returncode} before row {rows}: {self.messages()}")
            if time.monotonic() - self.begin > LIMIT:
                self.process.kill()
                sys.exit(f"bulk_disturbed: {rows_in(self.out)} rows of {rows} after {LIMIT} s")
            time.sleep(0.2)

    def kill_worker(self):
        tree = TreeTimes(self.process.pid)
        tree.look()
        workers = [pid for pid, name in tree.names.items() if name.startswith("ray::") and "_Worker" in name]
        if not workers:
            sys.exit(f"bulk_disturbed: no worker among {sorted(tree.names.values())}")
        os.kill(workers[0], signal.SIGKILL)

    def messages(self):
        return self.process.stderr.read()[-1000:].strip()

    def end(self, number=None):
        """The exit status, after this signal."""
        if number is not None:
            self.process.send_signal(number)
        self.process.wait(LIMIT)
        print(f"{rows_in(self.out)} rows, exit status {self.process.returncode}: {self.messages()}", flush=True)
        return self.process.returncode


def main():
    arguments, files = parse(__doc__.splitlines()[0])
    rows = arguments.rows
    texts = [reading.text for reading in lprnet.Recognizer(precision=arguments.precision).read_batch(files)]
    # Every thousandth is bad whatever the number of files: they lie in the parquet file in this order.
    pictures = [files[n % len(files)] if n % 1000 != 999 else files[n % len(files)][:100] for n in range(rows)]
    expected = {f"{n:07}.jpg": None if n % 1000 == 999 else texts[n % len(files)] for n in range(rows)}

    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "crops.parquet"), Path(folder, "plates")
        make(source, pictures, rows)
        job = Job(source, out, arguments.precision)
        job.wait_for(rows // 4)
        job.kill_worker()
        print("a worker is killed", flush=True)
        job.wait_for(rows // 2)
        statuses = [job.end(signal.SIGINT)]
        job = Job(source, out, arguments.precision)
        job.wait_for(rows * 3 // 4)
        statuses += [job.end(signal.SIGKILL)]
        statuses += [Job(source, out, arguments.precision).end()]
        table = answers_in(out)

    if statuses != [130, -signal.SIGKILL, 3]:  # 3: some were not read
        sys.exit(f"bulk_disturbed: expected exit statuses 130, -9 and 3, found {statuses}")
    found = dict(zip(table["path"].to_pylist(), table["text"].to_pylist(), strict=True))
    errors = len(table) - table["error"].null_count
    wrong = [path for path, text in expected.items() if path not in found or found[path] != text]
    if len(table) != rows or wrong or errors != rows // 1000:
        sys.exit(f"bulk_disturbed: {len(table)} rows of {rows}, {errors} errors, other texts: {wrong[:5]} ...")
    print(f"{rows} rows, each once, {errors} of them with an error; texts are the plain engine's")


if __name__ == "__main__":
    main()
