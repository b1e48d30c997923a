"""Ray Data on a cluster of two nodes: every input exactly once, whatever happens to workers, pictures, the driver."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lprnet
from lprnet._isolated import IsolatedReader

ray = pytest.importorskip("ray")
pa = pytest.importorskip("pyarrow")
pytest.importorskip("ray.data")
import pyarrow.parquet as pq  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

import lprnet.ray  # noqa: E402

ROWS = 60
DEADLY = b"ends the process that reads it"


@pytest.fixture(scope="module")
def cluster():
    paths = os.pathsep.join([str(Path(__file__).parent), *(p for p in sys.path if p)])
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=2)
    ray.init(address=cluster.address, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": paths}})
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture(scope="module")
def pictures(samples):
    files = [path.read_bytes() for path in samples]
    return [b"corrupt" if i % 10 == 7 else files[i % len(files)] for i in range(ROWS)]


def as_rows(dataset):
    rows = sorted(dataset.take_all(), key=lambda row: row["path"])
    return [{name: row[name] for name in ("path", *lprnet.tables.ANSWERS.names)} for row in rows]


def expected_rows(pictures, changed=None):
    columns = lprnet.Recognizer().read_columns(pictures)
    columns["path"] = [f"{i:04}" for i in range(len(pictures))]
    rows = [{name: columns[name][i] for name in ("path", *lprnet.tables.ANSWERS.names)} for i in range(len(pictures))]
    for i, error in (changed or {}).items():
        rows[i]["error"] = error
    return rows


def dataset_of(pictures):
    table = pa.table({"path": [f"{i:04}" for i in range(len(pictures))], "image": pa.array(pictures, pa.binary())})
    return ray.data.from_arrow([table.slice(begin, 10) for begin in range(0, len(table), 10)])


def test_two_nodes(cluster, pictures):
    assert len(ray.nodes()) == 2
    assert as_rows(lprnet.ray.read_plates(dataset_of(pictures), batch_rows=10)) == expected_rows(pictures)


def test_killed_worker(cluster, pictures, monkeypatch, tmp_path):
    """The actor itself, at its second batch: another takes its place."""
    mark = tmp_path / "killed"

    class Worker(lprnet.ray._Worker):
        def __call__(self, batch):
            try:
                mark.touch(exist_ok=False)
                os.kill(os.getpid(), signal.SIGKILL)
            except FileExistsError:
                return super().__call__(batch)

    monkeypatch.setattr(lprnet.ray, "_Worker", Worker)
    assert as_rows(lprnet.ray.read_plates(dataset_of(pictures), batch_rows=10)) == expected_rows(pictures)
    assert mark.exists()


class ReaderOfDeadly(IsolatedReader):
    """Whose other process ends wherever it is asked for that picture."""

    def _ask(self, pictures):
        if DEADLY in pictures:
            if self._process is None:
                self._start()
            os.kill(self._process.pid, signal.SIGKILL)
        return super()._ask(pictures)


class WorkerOfDeadly(lprnet.ray._Worker):
    def __init__(self, recognizer, column):
        super().__init__(recognizer, column)
        self.reader = ReaderOfDeadly(recognizer)


def test_deadly_picture(cluster, pictures, monkeypatch):
    deadly = [*pictures[:13], DEADLY, *pictures[14:]]
    monkeypatch.setattr(lprnet.ray, "_Worker", WorkerOfDeadly)
    error = "image: the process that read it ended, by signal 9"
    assert as_rows(lprnet.ray.read_plates(dataset_of(deadly), batch_rows=10)) == expected_rows(deadly, {13: error})


def test_refuses(cluster, pictures):
    dataset = dataset_of(pictures)
    with pytest.raises(ValueError, match="workers: expected 1 to 2 of 1 CPUs each, .*cluster's 3 .* found 3"):
        lprnet.ray.read_plates(dataset, workers=3)
    with pytest.raises(ValueError, match="found 0"):
        lprnet.ray.read_plates(dataset, workers=0)
    with pytest.raises(ValueError, match="column: expected one of .*'picture'"):
        lprnet.ray.read_plates(dataset, "picture")
    with pytest.raises(ValueError, match="precision: "):
        lprnet.ray.read_plates(dataset, precision="int4")


# --- The command ------------------------------------------------------------------------------------


def command(*words, **options):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    environment["RAY_DATA_DISABLE_PROGRESS_BARS"] = "1"
    return subprocess.Popen(
        [sys.executable, "-m", "lprnet.ray", *map(str, words)], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
    )  # fmt: skip


def finish(process, status):
    out, err = process.communicate(timeout=240)
    assert process.returncode == status, err
    return out


def parts(folder):
    return pa.concat_tables([pq.read_table(part) for part in sorted(folder.glob("part-*.parquet"))])


@pytest.fixture(scope="module")
def folder(samples, tmp_path_factory):
    folder = tmp_path_factory.mktemp("crops")
    (folder / "deeper").mkdir()
    for i in range(ROWS):
        name = folder / ("deeper" if i % 2 else ".") / f"{i:04}.jpg"
        name.write_bytes(b"corrupt" if i % 10 == 7 else samples[0].read_bytes())
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_command_on_a_cluster(cluster, folder, tmp_path):
    out = finish(command(folder, tmp_path, "--address", cluster.address), 3)
    table = parts(tmp_path)
    assert table.column_names == ["path", *lprnet.tables.ANSWERS.names]
    assert sorted(table["path"].to_pylist()) == sorted(map(str, folder.rglob("*.jpg")))
    assert ROWS - table["error"].null_count == ROWS // 10
    assert f"{ROWS - ROWS // 10} read" in out and f"{ROWS // 10} errors" in out and "plates a second" in out


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_command_goes_on(cluster, folder, tmp_path, how, interruptible):
    words = (folder, tmp_path, "--address", cluster.address, "--part-rows", 1, "--workers", 1)
    process = command(*words)
    begin = time.monotonic()
    while not list(tmp_path.glob("part-*.parquet")) and process.poll() is None:
        assert time.monotonic() - begin < 240
        time.sleep(0.01)
    process.send_signal(how)
    process.communicate(timeout=60)
    finish(command(*words[:4]), 3)
    assert sorted(parts(tmp_path)["path"].to_pylist()) == sorted(map(str, folder.rglob("*.jpg")))


def test_errors_of_an_earlier_run_count(cluster, tmp_path):
    """What was interrupted and goes on ends like a run that was not."""
    source, out = tmp_path / "list", tmp_path / "out"
    source.write_text(f"{tmp_path / 'missing.jpg'}\n")
    for rows in ("0 read, of these 0 likely no plates; 1 errors", "0 read, of these 0 likely no plates; 0 errors"):
        process = command(source, out, "--address", cluster.address)
        assert rows in finish(process, 3)
    assert len(parts(out)) == 1


@pytest.mark.parametrize("name, kind", [("path", str), ("id", int)])
def test_command_on_parquet(cluster, pictures, tmp_path, name, kind):
    source = tmp_path / "crops.parquet"
    names = [kind(f"{i:04}") for i in range(ROWS)]
    pq.write_table(pa.table({name: names, "image": pa.array(pictures, pa.binary())}), source)
    out = tmp_path / "out"
    out.mkdir()
    done = lprnet.tables.read_table(pq.read_table(source).slice(0, 25), lprnet.Recognizer())
    lprnet.ray.write_part(done, out)
    (out / ".left.tmp").write_bytes(b"of a run that was killed")
    finish(command(source, out, "--name", name, "--address", cluster.address), 3)
    rows = sorted(parts(out).to_pylist(), key=lambda row: row[name])
    expected = expected_rows(pictures)
    assert [row.pop(name) for row in rows] == names
    assert rows == [{column: row[column] for column in lprnet.tables.ANSWERS.names} for row in expected]
    assert not (out / ".left.tmp").exists()


def test_refuses_parts_of_others(tmp_path):
    pq.write_table(pa.table({"path": ["a.jpg"], "plate": ["A1"]}), tmp_path / "part-1.parquet")
    with pytest.raises(ValueError, match=r"part-1\.parquet: expected the columns path and error .*'plate'"):
        lprnet.ray.answered(tmp_path, "path")
    (tmp_path / "part-1.parquet").write_bytes(b"no parquet")
    with pytest.raises(ValueError, match=r"part-1\.parquet: expected an earlier run's parquet file"):
        lprnet.ray.answered(tmp_path, "path")


def test_command_refuses(tmp_path):
    assert lprnet.ray.main([str(tmp_path / "nothing"), str(tmp_path / "out")]) == 3
    assert not (tmp_path / "out").exists()
