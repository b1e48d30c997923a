"""Spark's data frames: one row out for each row in, also where a worker is killed."""

import os
import shutil
import signal
from pathlib import Path

import pytest

pyspark = pytest.importorskip("pyspark")
pytest.importorskip("pyarrow")
if not shutil.which("java") and "JAVA_HOME" not in os.environ:
    pytest.skip("java is not there, which Spark runs on", allow_module_level=True)

from pyspark.sql import SparkSession  # noqa: E402

import lprnet.spark  # noqa: E402


@pytest.fixture(scope="module")
def spark():
    # Two at once, and four tries of each task.
    session = (
        SparkSession.builder.master("local[2,4]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.executorEnv.PYTHONPATH", os.pathsep.join(p for p in os.sys.path if p))
        .getOrCreate()
    )
    yield session
    session.stop()


def as_dicts(frame, key):
    return {row[key]: row.asDict() for row in frame.collect()}


def test_bytes_and_paths(spark, recognizer, samples):
    rows = [(i, path.read_bytes(), str(path)) for i, path in enumerate(samples)]
    rows += [(len(rows), b"no picture", "missing.jpg"), (len(rows) + 1, None, None)]
    frame = spark.createDataFrame(rows, "id long, image binary, path string").repartition(3)
    for column in ("image", "path"):
        plates = lprnet.spark.read_plates(frame, column)
        kept = ["id", "path"] if column == "image" else ["id", "image", "path"]
        assert plates.columns == [*kept, "text", "confidence", "reject_score", "error"]
        found = as_dicts(plates, "id")
        assert sorted(found) == [row[0] for row in rows]
        expected = recognizer.read_columns([row[1 if column == "image" else 2] for row in rows])
        for name, values in expected.items():
            assert [found[i][name] for i in range(len(rows))] == values


def test_killed_worker(spark, recognizer, samples, tmp_path):
    """The first task to come is killed once, with its process; another try reads its rows."""
    rows = [(i, str(samples[i % len(samples)])) for i in range(60)]
    frame = spark.createDataFrame(rows, "id long, path string").repartition(4)
    mark = str(tmp_path / "killed")

    def kill_once(batches):
        for batch in batches:
            try:
                Path(mark).touch(exist_ok=False)
                os.kill(os.getpid(), signal.SIGKILL)
            except FileExistsError:
                pass
            yield batch

    found = as_dicts(lprnet.spark.read_plates(frame.mapInArrow(kill_once, frame.schema), "path"), "id")
    assert Path(mark).exists()
    assert sorted(found) == list(range(60))
    texts = recognizer.read_columns(samples)["text"]
    assert [found[i]["text"] for i in range(60)] == [texts[i % len(texts)] for i in range(60)]


def test_refuses(spark):
    frame = spark.createDataFrame([(1, "a.jpg", "b")], "number long, path string, text string")
    with pytest.raises(ValueError, match="column: expected one of .* found 'image'"):
        lprnet.spark.read_plates(frame)
    with pytest.raises(TypeError, match="'number', found bigint"):
        lprnet.spark.read_plates(frame, "number")
    with pytest.raises(ValueError, match=r"frame: .* found \['text'\]"):
        lprnet.spark.read_plates(frame, "path")
    with pytest.raises(ValueError, match="precision: expected one of"):
        lprnet.spark.read_plates(frame.drop("text"), "path", precision="int4")
