"""Plates by the million on Ray Data. Needs ray and pyarrow.

As a function on a dataset:

>>> import lprnet.ray, ray
>>> plates = lprnet.ray.read_plates(ray.data.read_parquet("crops/"), column="image", precision="int8")
>>> plates.write_parquet("plates/")

As a command for folders, lists and parquet files, which goes on where it was interrupted:

    python -m lprnet.ray SOURCE OUT
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import ray
import ray.data

from lprnet import Recognizer
from lprnet._isolated import IsolatedReader
from lprnet.tables import ANSWERS, kept_columns, read_table

# Blocks that keep every worker busy to the end: one of Ray's usual size has ten thousands of crops.
BLOCK_BYTES = 8 << 20
BATCH_ROWS = 256
# The endings of pictures in folders, as the program has them.
SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".bmp")


class _Worker:
    def __init__(self, recognizer: Recognizer, column: str) -> None:
        self.reader = IsolatedReader(recognizer)
        self.column = column

    def __call__(self, batch: pa.Table) -> pa.Table:
        return read_table(batch, self.reader, self.column)


def workers_of(workers: int | None, cpus: float, available: float) -> int:
    """How many there are; ValueError if they leave no CPU: what reads files would wait for one forever."""
    most = int((available - 1) // cpus)
    wanted = most if workers is None else workers
    if wanted < 1 or wanted > most:
        raise ValueError(
            f"workers: expected 1 to {most} of {cpus:g} CPUs each, so that one of the cluster's {available:g} "
            f"stays free for reading files, found {wanted}"
        )
    return wanted


def read_plates(
    dataset: ray.data.Dataset,
    column: str = "image",
    *,
    workers: int | None = None,
    cpus: float = 1,
    batch_rows: int = BATCH_ROWS,
    **options: Any,
) -> ray.data.Dataset:
    """A row for each of `dataset`: its columns, and text, confidence, reject_score, error.

    column: paths, which every node must be able to open, or the bytes of image files, which are not repeated in the
    answer. workers: actors; None: as many as leave one CPU free. cpus: that each of them takes. options: those of
    Recognizer. ValueError and TypeError for a column or workers that are not fit.

    A worker that is killed is replaced, and its rows are read again. Pictures that cannot be read, and those that end
    the process that reads them, are rows with an error.
    """
    schema = dataset.schema()
    if schema is not None:  # that of an empty dataset is not known
        kept_columns(pa.schema(list(zip(schema.names, schema.types, strict=True))), column)
    return dataset.map_batches(
        _Worker,
        fn_constructor_kwargs={"recognizer": Recognizer(**options), "column": column},
        batch_format="pyarrow",
        batch_size=batch_rows,
        zero_copy_batch=True,
        num_cpus=cpus,
        concurrency=workers_of(workers, cpus, ray.cluster_resources().get("CPU", 0)),
    )


# --- The command ------------------------------------------------------------------------------------


def paths_of(source: Path) -> list[str]:
    """Of a folder, searched in depth, or of a list with a path on each line."""
    if source.is_dir():
        paths = sorted(str(path) for path in source.rglob("*") if path.suffix.lower() in SUFFIXES)
    else:
        paths = [line for line in source.read_text(encoding="utf-8-sig").splitlines() if line]
    return list(dict.fromkeys(paths))


def dataset_of(source: Path, column: str, name: str, done: pa.Array) -> ray.data.Dataset:
    """Of the rows whose `name` is not in `done` yet."""
    if is_parquet(source):
        rows = ray.data.read_parquet(str(source), columns=list(dict.fromkeys([name, column])))
        known = ray.put(done)
        if not len(done):
            return rows

        def not_done(batch: pa.Table) -> pa.Table:
            return batch.filter(pc.invert(pc.is_in(batch[name], value_set=ray.get(known))))

        return rows.map_batches(not_done, batch_format="pyarrow", batch_size=None)
    paths = pa.array(paths_of(source), pa.string())
    paths = paths.filter(pc.invert(pc.is_in(paths, value_set=done)))
    # Small blocks: a path is short, its picture is not.
    blocks = [pa.table({"path": paths[begin : begin + 4096]}) for begin in range(0, len(paths), 4096)]
    return ray.data.from_arrow(blocks or [pa.table({"path": paths})])


def is_parquet(source: Path) -> bool:
    return source.suffix == ".parquet" or (source.is_dir() and any(source.glob("*.parquet")))


def answered(out: Path, name: str) -> pa.Table:
    """`name` and `error` of the rows that the parts in `out` have, however they came there."""
    parts = []
    for part in sorted(out.glob("part-*.parquet")):
        try:
            found = pq.read_schema(part).names
        except pa.ArrowInvalid as error:
            raise ValueError(f"{part}: expected an earlier run's parquet file, found another: {error}") from error
        if name not in found or "error" not in found:
            raise ValueError(f"{part}: expected the columns {name} and error of an earlier run, found {found}")
        parts.append(pq.read_table(part, columns=[name, "error"]))
    # Names are of the type that the source has, such as numbers.
    return pa.concat_tables(parts or [pa.table({name: pa.array([], pa.string()), "error": pa.array([], pa.string())})])


def write_part(table: pa.Table, out: Path) -> None:
    """Whole or not at all, so that whoever goes on finds rows that are there, and no others."""
    new = out / f".{uuid.uuid4().hex}.tmp"
    try:
        pq.write_table(table, new)
        new.rename(out / f"part-{time.time_ns()}.parquet")
    finally:
        new.unlink(missing_ok=True)


class Summary:
    def __init__(self, above: float) -> None:
        self.above, self.begin = above, time.monotonic()
        self.rows = self.rejected = self.errors = 0

    def add(self, table: pa.Table) -> None:
        self.rows += len(table)
        self.errors += len(table) - table["error"].null_count
        self.rejected += pc.sum(pc.greater(table["reject_score"], self.above)).as_py() or 0

    def __str__(self) -> str:
        seconds = max(time.monotonic() - self.begin, 1e-9)
        return (
            f"{self.rows - self.errors} read, of these {self.rejected} likely no plates; {self.errors} errors; "
            f"{self.rows / seconds:.0f} plates a second"
        )


def batches_of(plates: ray.data.Dataset) -> Iterator[pa.Table]:
    return plates.iter_batches(batch_format="pyarrow", batch_size=None)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m lprnet.ray", description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder of pictures, list of paths, or parquet file or folder")
    parser.add_argument("out", type=Path, help="folder for the answers: parquet with path, text, confidence, ...")
    parser.add_argument("--column", default="image", help="of parquet: the pictures' bytes or paths")
    parser.add_argument("--name", default="path", help="of parquet: the column that tells rows apart")
    parser.add_argument("--precision", choices=["fp32", "int8"], default="fp32")
    parser.add_argument("--model", help="weights file; default: the one built in")
    parser.add_argument("--workers", type=int, help="default: all CPUs but one")
    parser.add_argument("--address", help="of a cluster; default: this machine alone")
    parser.add_argument("--part-rows", type=int, default=16384, help="rows after which a file is written")
    arguments = parser.parse_args(words)
    source, out = arguments.source, arguments.out
    if not source.exists():
        print(f"lprnet.ray: {source}: expected a folder, a list or a parquet file, found nothing", file=sys.stderr)
        return 3
    try:
        options = {"model": arguments.model}
        if not arguments.model:
            options["precision"] = arguments.precision
        recognizer = Recognizer(**options)
        if not ray.is_initialized():
            # One for reading files at least, also where there is one in all.
            here = {} if arguments.address else {"num_cpus": max(2, os.cpu_count() or 1)}
            ray.init(address=arguments.address, log_to_driver=False, **here)
        context = ray.data.DataContext.get_current()
        context.target_max_block_size = BLOCK_BYTES
        out.mkdir(parents=True, exist_ok=True)
        for left in out.glob(".*.tmp"):
            left.unlink()
        name = arguments.name if is_parquet(source) else "path"
        column = arguments.column if is_parquet(source) else "path"
        before = answered(out, name)
        done = before[name].combine_chunks()
        plates = read_plates(dataset_of(source, column, name, done), column, workers=arguments.workers, **options)
    except (ValueError, TypeError, OSError, MemoryError) as error:
        print(f"lprnet.ray: {error}", file=sys.stderr)
        return 2 if isinstance(error, (ValueError, TypeError)) else 3
    errors = len(before) - before["error"].null_count
    if len(before):
        print(f"lprnet.ray: {len(before)} rows are in {out} already, {errors} of them with an error", file=sys.stderr)
    status = run(plates, name, out, Summary(recognizer.reject_above), arguments.part_rows)
    # As one run would have ended that nobody had interrupted.
    return 3 if status == 0 and errors else status


def run(plates: ray.data.Dataset, name: str, out: Path, summary: Summary, part_rows: int) -> int:
    """Writes what comes; also what had come when it was interrupted."""
    parts: list[pa.Table] = []

    def write() -> None:
        if parts:
            write_part(pa.concat_tables(parts), out)
            parts.clear()

    try:
        try:
            for batch in batches_of(plates):
                if not len(batch):
                    continue
                part = batch.select([name, *ANSWERS.names])
                parts.append(part)
                summary.add(part)
                if sum(map(len, parts)) >= part_rows:
                    write()
        finally:
            write()
    except KeyboardInterrupt:
        print(f"lprnet.ray: interrupted, {summary}; the same command goes on", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"lprnet.ray: {out}: {error}; the same command goes on", file=sys.stderr)
        return 3
    print(summary)
    return 3 if summary.errors else 0


if __name__ == "__main__":
    sys.exit(main())
