"""Scripts for people who work on the tree, without what takes long: regress, test_documents, fresh_debian."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from paths import REPOSITORY, SCRIPTS


def load(name: str) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(name, str(SCRIPTS / name))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def run(name: str, *arguments: str, folder: Path = REPOSITORY) -> tuple[int, str, str]:
    result = subprocess.run([str(folder / "scripts" / name), *arguments], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout, result.stderr


def test_ratios_are_of_pairs() -> None:
    # The machine gets slower from round to round, the new side is 10 % slower in each.
    table = load("regress").Table()
    for base in (100.0, 200.0, 400.0, 800.0, 1600.0):
        table.add("network", "us", base, 1.1 * base)
    table.add("memory", "KiB", 50.0, 40.0)
    network, memory = table.results()
    assert network["ratio"] == pytest.approx(1.1)
    assert network["quartiles"] == pytest.approx([1.1, 1.1])
    assert (network["base"], network["new"], network["rounds"]) == (400.0, pytest.approx(440.0), 5)
    assert memory["ratio"] == pytest.approx(0.8)


def test_each_side_is_first_every_other_round() -> None:
    regress = load("regress")
    sides = [regress.Side("base", Path("a")), regress.Side("new", Path("b"))]
    order: list[str] = []

    def measure(side: object) -> str:
        order.append(side.name)  # type: ignore[attr-defined]
        return side.name  # type: ignore[attr-defined]

    for number in range(4):
        assert regress.in_turn(sides, number, measure) == ["base", "new"]
    assert order == ["base", "new", "new", "base"] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["HEAD", "--rounds", "0"], "expected positive --rounds"),
        (["HEAD", "--frames", "-1"], "expected positive --rounds, --frames"),
        (["no-such-commit"], "no commit 'no-such-commit'"),
        (["HEAD", "--new", "HEAD"], "expected two commits"),
    ],
)
def test_regress_says_what_is_wrong(tmp_path: Path, arguments: list[str], message: str) -> None:
    # A repository of its own: it checks commits out.
    folder = tmp_path / "tree"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(SCRIPTS / "regress", folder / "scripts")
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    status, out, err = run("regress", *arguments, folder=folder)
    assert status == 2
    assert out == ""
    assert message in err.splitlines()[-1]


def test_commands_of_a_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load("test_documents")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "a.md").write_text(
        "Text.\n\n"
        "    lprnet read plate.jpg   # a crop\n"
        "    model.cpp    a list, no command\n"
        "    scripts/build \\\n"
        "        release\n\n"
        "```cpp\n\n    lprnet read inside.jpg\n```\n\n"
        "    kernels/    only a tree\n\n"
        "    $ lprnet doctor a.jpg=A ...\n"
        "    lprnet prints this\n",
        encoding="utf-8",
    )
    assert list(module.blocks("a.md")) == [
        (3, ["lprnet read plate.jpg   # a crop", "scripts/build release"]),
        (15, ["lprnet doctor a.jpg=A"]),
    ]


def test_what_makes_the_files_of_readers_is_python() -> None:
    module = load("test_documents")
    compile(module.PREPARE, "PREPARE", "exec")
    compile(module.PREPARE_PYTORCH, "PREPARE_PYTORCH", "exec")
    compile(module.PREPARE_DATA, "PREPARE_DATA", "exec")


@pytest.mark.parametrize(
    ("missing", "command", "reason"),
    [
        ("pytorch", "scripts/export_weights.py a.pth -o a.safetensors", "needs PyTorch"),
        ("data", "scripts/synth_dev.py --glyphs DATA/glyphs --out synth", "needs labelled crops"),
        ("long", "python -m lprnet.ray SOURCE OUT", "installs Ray"),
    ],
)
def test_commands_are_left_out_where_they_lack_something(missing: str, command: str, reason: str) -> None:
    module = load("test_documents")
    assert module.why_not(command) is None
    assert module.why_not(command, **{missing: False}).startswith(reason)
    assert module.why_not("scripts/train.py sparse35 --data DATA --out runs") == "trains for hours"


def test_documents_are_run_in_a_copy_alone() -> None:
    if not (REPOSITORY / ".git").exists():
        pytest.skip("this tree is a copy")
    status, out, err = run("test_documents")
    assert (status, out) == (2, "")
    assert "run it in a copy" in err


def test_every_document_with_commands_is_run() -> None:
    if not (REPOSITORY / ".git").exists():
        pytest.skip("this tree is a copy")
    module = load("test_documents")
    listed = set(module.DOCUMENTS)
    command = ["git", "-C", str(REPOSITORY), "ls-files", "*.md"]
    tracked = subprocess.run(command, capture_output=True, text=True, check=True)
    # The second language has the commands of the first, see below.
    for document in set(tracked.stdout.split()) - {"README.zh.md"}:
        assert document in listed or not list(module.blocks(document)), document
    assert all((REPOSITORY / document).exists() for document in listed)


def test_both_languages_have_the_same_commands() -> None:
    module = load("test_documents")

    def commands(document: str) -> list[list[str]]:
        return [[line.split(" #")[0].strip() for line in lines] for _, lines in module.blocks(document)]

    assert commands("README.zh.md") == commands("README.md")


def test_tests_that_start_threads_are_marked() -> None:
    """Those alone run under the thread sanitizer; the adapter's run there as a whole."""
    unmarked = []
    for path in sorted((REPOSITORY / "tests").glob("*/*_test.cpp")):
        for name, tags, body in re.findall(
            r'^TEST_CASE\(\s*"(.*?)",\s*"(.*?)"\)(.*?)^}', path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        ):
            starts = re.search(r"std::thread|\.threads = (threads|[2-9])", body) is not None
            refused = "expected 1 to 64 threads" in body
            if path.parent.name != "bpu" and starts and not refused and not re.search(r"\[(threads|team)\]", tags):
                unmarked.append(f"{path.parent.name}/{path.name}: {name}")
    assert unmarked == []


@pytest.mark.parametrize("arguments", [[], ["11"], ["trixie", "true"]])
def test_fresh_debian_wants_a_release(arguments: list[str]) -> None:
    status, out, err = run("fresh_debian", *arguments)
    assert (status, out) == (2, "")
    assert "expected 12 or 13" in err
