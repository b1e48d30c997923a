"""Plates of a Spark data frame. Needs pyspark and pyarrow.

>>> import lprnet.spark
>>> frame = spark.read.format("binaryFile").load("crops/")
>>> lprnet.spark.read_plates(frame, column="content", precision="int8").write.parquet("plates/")
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import types as T

from lprnet import Recognizer
from lprnet._isolated import IsolatedReader
from lprnet.tables import ANSWERS, read_batches

_SPARK_TYPES = {pa.string(): T.StringType(), pa.float32(): T.FloatType()}


def plates_in_arrow(
    column: str = "image", **options: Any
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function for DataFrame.mapInArrow(): tables.read_table() of each batch. `options` are those of Recognizer.

    Pictures are read in a process of its own for each partition: one that ends it gets an error in its row.
    """
    recognizer = Recognizer(**options)  # wrong options are an error here, and not in every worker

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with IsolatedReader(recognizer) as reader:
            yield from read_batches(batches, reader, column)

    return read


def read_plates(frame: DataFrame, column: str = "image", **options: Any) -> DataFrame:
    """A row for each of `frame`: its columns, and text, confidence, reject_score, error.

    column: paths, which every worker must be able to open, or the bytes of image files, which are not repeated in the
    answer. options: those of Recognizer; leave `threads` at 1, Spark runs a task on each core. ValueError and
    TypeError for a column that is not fit.
    """
    if frame.columns.count(column) != 1:
        raise ValueError(f"column: expected one of {frame.columns}, found {column!r}")
    kind = frame.schema[column].dataType
    if not isinstance(kind, (T.StringType, T.BinaryType)):
        expected = f"column: expected paths or the bytes of image files in {column!r}"
        raise TypeError(f"{expected}, found {kind.simpleString()}")
    kept = [field for field in frame.schema if field.name != column or isinstance(kind, T.StringType)]
    taken = sorted({field.name for field in kept} & set(ANSWERS.names))
    if taken:
        raise ValueError(f"frame: expected no columns with the names of answers, found {taken}")
    answers = [T.StructField(field.name, _SPARK_TYPES[field.type]) for field in ANSWERS]
    return frame.mapInArrow(plates_in_arrow(column, **options), T.StructType([*kept, *answers]))
