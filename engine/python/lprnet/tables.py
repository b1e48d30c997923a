"""Plates of a whole table: pyarrow in, pyarrow out. Needs pyarrow.

>>> import lprnet, lprnet.tables, pyarrow.parquet
>>> table = pyarrow.parquet.read_table("crops.parquet")
>>> lprnet.tables.read_table(table, lprnet.Recognizer(precision="int8"), column="image")
"""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import pyarrow as pa

# Columns of answers, beside those that are kept.
ANSWERS = pa.schema(
    [("text", pa.string()), ("confidence", pa.float32()), ("reject_score", pa.float32()), ("error", pa.string())]
)
# Pictures of a column that are Python objects at once.
ROWS = 256


class Reader(Protocol):
    """What reads: a Recognizer, or another with its read_columns()."""

    def read_columns(self, pictures: Iterable[Any], /) -> dict[str, list[Any]]: ...


def kept_columns(schema: pa.Schema, column: str) -> list[str]:
    """Those that read_table() keeps: all, but pictures as bytes. ValueError or TypeError for what it cannot take."""
    if schema.names.count(column) != 1:
        raise ValueError(f"column: expected one of {schema.names}, found {column!r} {schema.names.count(column)} times")
    kind = schema.field(column).type
    is_bytes = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    is_bytes = is_bytes or pa.types.is_binary_view(kind)
    is_path = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if not (is_bytes or is_path or pa.types.is_null(kind)):
        raise TypeError(f"column: expected paths or the bytes of image files in {column!r}, found {kind}")
    kept = [name for name in schema.names if name != column or is_path]
    taken = sorted(set(kept) & set(ANSWERS.names))
    if taken:
        raise ValueError(f"table: expected no columns with the names of answers, found {taken}")
    return kept


def answer_schema(schema: pa.Schema, column: str) -> pa.Schema:
    """What read_table() returns for a table of this schema."""
    kept = [schema.field(name) for name in kept_columns(schema, column)]
    return pa.schema([*kept, *ANSWERS])


def read_table(table: pa.Table | pa.RecordBatch, reader: Reader, column: str = "image") -> pa.Table:
    """One row for each row of `table`, in its order: its columns, and text, confidence, reject_score, error.

    column: paths (strings) or the bytes of image files (binary). Bytes are not repeated in the answer. Of a picture
    that cannot be read, null included, the first three answers are null, of the others the last. ValueError for a
    column that is not there or has the name of an answer, TypeError for one of another type.
    """
    schema = answer_schema(table.schema, column)
    pictures = table.column(column)
    parts = []
    for begin in range(0, max(len(pictures), 1), ROWS):
        columns = reader.read_columns(pictures.slice(begin, ROWS).to_pylist())
        parts.append(pa.table({name: pa.array(columns[name], ANSWERS.field(name).type) for name in ANSWERS.names}))
    answers = pa.concat_tables(parts)
    kept = [table.column(name) for name in kept_columns(table.schema, column)]
    return pa.table([*kept, *answers.columns], schema=schema)


def read_batches(batches: Iterable[pa.RecordBatch], reader: Reader, column: str = "image") -> Iterator[pa.RecordBatch]:
    """read_table() of one batch after the other, for streams that do not fit in memory."""
    for batch in batches:
        yield from read_table(batch, reader, column).combine_chunks().to_batches()


__all__ = ["ANSWERS", "answer_schema", "kept_columns", "read_batches", "read_table"]
