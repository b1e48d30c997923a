"""Whole tables: one row out for each row in, whatever is in it."""

import os
import signal

import pytest

import lprnet
from lprnet._isolated import IsolatedReader

pa = pytest.importorskip("pyarrow")
tables = pytest.importorskip("lprnet.tables")


@pytest.fixture(scope="module")
def pictures(samples):
    files = [path.read_bytes() for path in samples]
    return [*files, None, b"", files[0][:200], *files]


def expected_rows(recognizer, pictures):
    columns = recognizer.read_columns(pictures)
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize(
    "kind", ["binary", "large_binary", "binary_view", "dictionary of chunks", "record batch", "sliced"]
)
def test_bytes(recognizer, pictures, kind):
    numbers = list(range(len(pictures)))
    array = pa.array(pictures, getattr(pa, kind)() if "binary" in kind else pa.binary())
    table = pa.table({"id": numbers, "image": array, "other": pa.array([str(n) for n in numbers])})
    if kind == "dictionary of chunks":
        table = pa.concat_tables([table.slice(0, 1), table.slice(1, 5), table.slice(6)])
    if kind == "record batch":
        table = table.to_batches()[0]
    if kind == "sliced":
        table = pa.concat_tables([table, table]).slice(len(pictures))
    answer = tables.read_table(table, recognizer)
    assert answer.schema == tables.answer_schema(table.schema, "image")
    assert answer.column_names == ["id", "other", "text", "confidence", "reject_score", "error"]
    assert answer["id"].to_pylist() == numbers
    assert answer.select(["text", "confidence", "reject_score", "error"]).to_pylist() == expected_rows(
        recognizer, pictures
    )
    assert answer["error"].null_count == len(pictures) - 3


def test_paths(recognizer, samples):
    paths = [str(path) for path in samples] + ["missing.jpg", None]
    answer = tables.read_table(pa.table({"path": paths}), recognizer, column="path")
    assert answer["path"].to_pylist() == paths
    assert answer["text"].to_pylist() == [*recognizer.read_columns(samples)["text"], None, None]
    assert answer["error"].null_count == len(samples)


def test_more_rows_than_are_taken_at_once(recognizer, samples):
    paths = [str(samples[i % len(samples)]) for i in range(2 * tables.ROWS + 3)]
    answer = tables.read_table(pa.table({"path": paths}), recognizer, column="path")
    assert answer["path"].to_pylist() == paths
    expected = recognizer.read_columns(samples)["text"]
    assert answer["text"].to_pylist() == [expected[i % len(samples)] for i in range(len(paths))]


def test_empty(recognizer):
    table = pa.table({"image": pa.array([], pa.binary()), "id": pa.array([], pa.int8())})
    answer = tables.read_table(table, recognizer)
    assert len(answer) == 0 and answer.schema == tables.answer_schema(table.schema, "image")
    assert tables.read_table(pa.table({"image": pa.nulls(3)}), recognizer)["error"].null_count == 0


def test_refuses(recognizer):
    numbers = pa.table({"image": [1, 2]})
    with pytest.raises(TypeError, match="column: expected paths or the bytes of image files in 'image', found int64"):
        tables.read_table(numbers, recognizer)
    with pytest.raises(ValueError, match="column: expected one of .*'image'.*found 'picture'"):
        tables.read_table(numbers, recognizer, column="picture")
    with pytest.raises(ValueError, match=r"found \['error', 'text'\]"):
        tables.read_table(pa.table({"image": [b""], "text": ["a"], "error": [1]}), recognizer)
    twice = pa.Table.from_arrays([pa.array([b""]), pa.array([b""])], ["image", "image"])
    with pytest.raises(ValueError, match="found 'image' 2 times"):
        tables.read_table(twice, recognizer)




class KillsReader(bytes):
    """A picture that ends the process that reads it, and no other."""

    def __reduce__(self):
        return kill_reader, (os.getpid(),)


def kill_reader(parent):
    if os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def test_isolated(recognizer, pictures):
    with IsolatedReader(recognizer) as reader:
        assert reader.read_columns(pictures) == recognizer.read_columns(pictures)
        assert reader.read_columns([]) == recognizer.read_columns([])
        first = reader._process.pid
        os.kill(first, signal.SIGKILL)
        assert reader.read_columns(pictures) == recognizer.read_columns(pictures)
        assert reader._process.pid != first


def test_pictures_that_end_their_process(recognizer, pictures):
    deadly = [pictures[0], KillsReader(), *pictures, KillsReader(), pictures[1]]
    expected = recognizer.read_columns(deadly)
    for row in (1, len(deadly) - 2):
        expected["error"][row] = "image: the process that read it ended, by signal 9"
    with IsolatedReader(recognizer) as reader:
        assert reader.read_columns(deadly) == expected
        assert reader.read_columns(pictures) == recognizer.read_columns(pictures)


def test_what_cannot_be_sent(recognizer, pictures):
    with IsolatedReader(recognizer) as reader:
        with pytest.raises((TypeError, AttributeError)):
            reader.read_columns([lambda: None])
        assert reader.read_columns(pictures[:2]) == recognizer.read_columns(pictures[:2])


def test_interrupted_question(recognizer, pictures, monkeypatch):
    """An answer that nobody took is not given to the next question."""
    import lprnet._isolated as isolated

    with IsolatedReader(recognizer) as reader:
        reader.read_columns(pictures[:1])

        def interrupted(file):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(isolated.pickle, "load", interrupted)
            with pytest.raises(KeyboardInterrupt):
                reader.read_columns(pictures[:1])
        assert reader.read_columns(pictures[1:3]) == recognizer.read_columns(pictures[1:3])


def test_reader_that_does_not_start(monkeypatch):
    reader = IsolatedReader(lprnet.Recognizer())
    monkeypatch.setattr("sys.path", ["/nowhere"])
    with pytest.raises(RuntimeError, match="did not start"):
        reader.read_columns([b""])


def test_dask(samples):
    """As README.md has it."""
    pandas, dask = pytest.importorskip("pandas"), pytest.importorskip("dask.dataframe")
    files = [str(file) for file in samples]
    recognizer = lprnet.Recognizer(precision="int8")
    frame = dask.from_pandas(pandas.DataFrame({"image": [*files, "missing.jpg"]}), npartitions=3)
    plates = frame.map_partitions(
        lambda part: tables.read_table(pa.Table.from_pandas(part), recognizer).to_pandas()
    ).compute(scheduler="threads")
    assert list(plates["text"][:-1]) == [recognizer.read(file).text for file in files]
    assert "missing.jpg" in plates["error"].iloc[-1]


def test_daft(samples):
    daft = pytest.importorskip("daft")
    files = [str(file) for file in samples]
    recognizer = lprnet.Recognizer(precision="int8")
    plate = daft.func.batch(return_dtype=str)(lambda images: recognizer.read_columns(images.to_pylist())["text"])
    df = daft.from_pydict({"image": [*files, "missing.jpg"]})
    answer = df.with_column("text", plate(df["image"])).to_pydict()
    assert answer["text"] == [*(recognizer.read(file).text for file in files), None]
