"""The program against PyTorch: every layer, every logit and every text, on every kernel table.

LPRNET names the program, LPRNET_AARCH64 a cross-built one that is run under qemu-user. Without them the builds of
the presets `release` and `aarch64` are taken; what is not built is skipped by name. Tests that need the public data
are skipped by name where it is absent.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from paths import DATA, PROGRAM, REPOSITORY, SCRIPTS, need_data

DEV = DATA / "plates" / "dev"

MIN_COSINE = 0.999999
MAX_LOGIT_ERROR = 2e-3
# The reference table and the emulator are slow; they see so many images where others see all.
FEW = int(os.environ.get("LPRNET_FEW", "60"))

PROGRAMS = {
    "native": ([], PROGRAM),
    "aarch64": (
        ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"],
        Path(os.environ.get("LPRNET_AARCH64", REPOSITORY / "build/aarch64/lprnet")),
    ),
}
TABLES = [("native", isa) for isa in ("reference", "sse2", "avx2", "avx512", "neon")] + [("aarch64", "neon")]
TABLE_IDS = [f"{machine}-{isa}" for machine, isa in TABLES]


def program(machine: str) -> list[str]:
    emulator, path = PROGRAMS[machine]
    if not path.exists():
        pytest.skip(f"the program for {machine} is not built: {path}")
    return [*emulator, str(path.resolve())]


def run(machine: str, isa: str | None, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ)
    if isa is not None:
        environment["LPRNET_ISA"] = isa
    command = [*program(machine), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@functools.cache
def runnable(machine: str) -> frozenset[str]:
    return frozenset(json.loads(run(machine, None, "info", "-j").stdout)["isas"])


def need_table(machine: str, isa: str) -> None:
    if isa not in runnable(machine):
        pytest.skip(f"{isa}: not in this build or not on this CPU")


def script(name: str, *arguments: object) -> None:
    subprocess.run([sys.executable, str(SCRIPTS / name), *map(str, arguments)], check=True)


def verify(machine: str, isa: str, model: Path, dump: Path) -> dict:
    result = run(machine, isa, "verify", "-m", model, "-j", "--min-cosine", MIN_COSINE, dump)
    assert result.returncode == 0, result.stdout + result.stderr
    report = json.loads(result.stdout)
    assert report["ok"] and report["texts_equal"] and report["isa"] == isa
    logits = next(layer for layer in report["layers"] if layer["name"] == "logits")
    assert logits["max_abs"] <= MAX_LOGIT_ERROR
    return report


SPECS = [
    "widths=1,seed=1",
    "widths=0.75,seed=2",
    "widths=1.25,seed=3",
    "widths=1,classes=37,channels=1,seed=4",
    "widths=1,transformer=32:32:32,seed=5",
    "widths=0.5,classes=37,channels=1,transformer=20:12:7,seed=6",
]


@pytest.fixture(scope="module")
def random_dumps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    folder = tmp_path_factory.mktemp("random")
    dumps = {}
    for number, spec in enumerate(SPECS):
        model, dump = folder / f"{number}.safetensors", folder / f"{number}.dump.safetensors"
        script("dump_reference.py", "--random-model", spec, "--random-images", 2, "--save-model", model, "-o", dump)
        dumps[spec] = (model, dump)
    return dumps


@pytest.mark.parametrize("table", TABLES, ids=TABLE_IDS)
@pytest.mark.parametrize("spec", SPECS)
def test_random_networks(spec: str, table: tuple[str, str], random_dumps: dict[str, tuple[Path, Path]]) -> None:
    need_table(*table)
    report = verify(*table, *random_dumps[spec])
    # All that is computed on its own was compared: 16 convolutions, among them the logits, and 3 pools; of a spatial
    # transformer the pools, the linear layers and the picture.
    assert len(report["layers"]) == (24 if "transformer" in spec else 19)


@pytest.mark.parametrize("corners", ["true", "false"])
@pytest.mark.parametrize("table", TABLES, ids=TABLE_IDS)
def test_corners_of_a_transformer(
    corners: str, table: tuple[str, str], random_dumps: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    need_table(*table)
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    source = random_dumps[SPECS[-1]][0]
    model, dump = tmp_path / "model.safetensors", tmp_path / "dump.safetensors"
    with safe_open(str(source), framework="np") as file:
        metadata = file.metadata() | {"lprnet.transformer": f'{{"align_corners": {corners}}}'}
    save_file(load_file(source), model, metadata=metadata)
    script("dump_reference.py", model, "--random-images", 2, "-o", dump)
    verify(*table, model, dump)


@pytest.mark.parametrize("trained", [False, True])
def test_every_verb_takes_a_spatial_transformer(trained: bool, tmp_path: Path) -> None:
    """Of random weights, and of those that ship."""
    model, dump, samples = tmp_path / "model.safetensors", tmp_path / "dump", REPOSITORY / "tests/samples"
    if trained:
        model = REPOSITORY / "weights/lprnet-straight.safetensors"
        script("dump_reference.py", model, "--images", samples, "--limit", 4, "-o", dump)
    else:
        spec = "widths=0.25,transformer=16:8:8"
        script("dump_reference.py", "--random-model", spec, "--random-images", 2, "--save-model", model, "-o", dump)

    def lprnet(verb: str, *arguments: object) -> str:
        result = run("native", None, verb, *arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def names(of: Path) -> set[str]:
        return {layer["name"] for layer in json.loads(lprnet("info", "-j", "-m", of))["layers"]}

    pruned, small, light = (tmp_path / f"{name}.safetensors" for name in ("pruned", "small", "light"))
    lprnet("prune", "-m", model, "-o", pruned, "--amount", 0.3)
    lprnet("quantize", "-m", pruned, "-o", small, "--calibration", samples)
    lprnet("quantize", "-m", model, "-o", light, "--weights-only")
    for path in (model, pruned, small, light):
        assert {"transformer.localization.2", "transformer.fc_loc.2", "transformer"} <= names(path)
        lprnet("selftest", "-m", path)
        lprnet("read", "-m", path, samples)
        lprnet("bench", "-m", path, "--frames", 3)
    assert json.loads(lprnet("info", "-j", "-m", small))["transformer"] == {"align_corners": True}
    for isa in sorted(runnable("native")):
        verify("native", isa, model, dump)
    lprnet("tune", "-m", model, "-o", tmp_path / "tuning")
    if trained:  # of random weights nothing fits
        assert "12 of 12" in lprnet("doctor", "-m", model, *(f"{p}={p.stem}" for p in samples.glob("*.*g")))
    # Sparse tensors of the linear layer, too, mean to PyTorch what they mean here.
    script("dump_reference.py", pruned, "--images", samples, "--limit", 2, "-o", dump)
    lprnet("verify", "-m", pruned, dump)


@pytest.fixture(scope="module", params=["public", "streets", "latin37", "gray36"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = need_data(DATA / "checkpoints" / request.param)
    model = tmp_path_factory.mktemp(request.param) / "model.safetensors"
    charset = ["--charset-size-only"] if request.param in ("latin37", "gray36") else []
    script("export_weights.py", next(folder.glob("*.pth")), "-o", model, *charset)
    return request.param, model


@pytest.mark.parametrize("table", TABLES, ids=TABLE_IDS)
def test_checkpoints_layer_by_layer(checkpoint: tuple[str, Path], table: tuple[str, str], tmp_path: Path) -> None:
    need_table(*table)
    need_data(DEV)
    dump = tmp_path / "dump.safetensors"
    script("dump_reference.py", checkpoint[1], "--images", DEV / "labels.tsv", "--limit", 4, "-o", dump)
    verify(*table, checkpoint[1], dump)


@pytest.fixture(scope="module")
def public(public_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path, Path]:
    """The public checkpoint, its logits for few and for all dev images, and PyTorch's texts for all."""
    need_data(DEV)
    folder = tmp_path_factory.mktemp("public")
    model = public_model
    few, everything = (folder / f"{name}.safetensors" for name in ("few", "all"))
    images = ["--images", DEV / "labels.tsv"]
    script("dump_reference.py", model, *images, "--limit", FEW, "--layers", "logits", "-o", few)
    script("dump_reference.py", model, *images, "--layers", "logits", "-o", everything)
    texts = folder / "texts.tsv"
    script("predict.py", model, *images, "-o", texts)
    return model, few, everything, texts


@pytest.mark.parametrize("table", TABLES, ids=TABLE_IDS)
def test_public_logits_on_dev(table: tuple[str, str], public: tuple[Path, Path, Path, Path]) -> None:
    need_table(*table)
    model, few, everything, _texts = public
    slow = table[0] == "aarch64" or table[1] == "reference"
    verify(*table, model, few if slow else everything)


def dev_paths() -> list[str]:
    return [line.split("\t")[0] for line in (DEV / "labels.tsv").read_text("utf-8").splitlines()]


def texts_of(model: Path, paths: list[Path]) -> list[str]:
    listing = "\n".join(map(str, paths))
    command = [*program("native"), "read", "-m", str(model), "-"]
    result = subprocess.run(command, input=listing, capture_output=True, text=True, check=True)
    return [line.split("\t")[0] for line in result.stdout.splitlines()]


def torch_texts(table: Path) -> dict[str, str]:
    """Path, from the set's folder on, to the text that PyTorch reads."""
    rows = [line.split("\t") for line in table.read_text("utf-8").splitlines()]
    return {"/".join(Path(row[0]).parts[-2:]): row[1] for row in rows}


def test_texts_on_dev_from_the_same_pixels(public: tuple[Path, Path, Path, Path], tmp_path: Path) -> None:
    model, _few, _everything, table = public
    expected = torch_texts(table)
    names = dev_paths()
    paths = []
    for number, name in enumerate(names):
        # PNG keeps OpenCV's decoded pixels, so that the program resizes what PyTorch's side resized.
        paths.append(tmp_path / f"{number}.png")
        assert cv2.imwrite(str(paths[-1]), cv2.imread(str(DEV / name)))
    texts = texts_of(model, paths)
    assert len(texts) == len(names)
    assert [name for name, text in zip(names, texts, strict=True) if expected[name] != text] == []


def test_texts_on_dev_from_each_decoder(public: tuple[Path, Path, Path, Path]) -> None:
    model, _few, _everything, table = public
    expected = torch_texts(table)
    names = dev_paths()
    texts = texts_of(model, [DEV / name for name in names])
    assert len(texts) == len(names)
    assert [name for name, text in zip(names, texts, strict=True) if expected[name] != text] == []


def test_golden_files_are_what_pytorch_computes(tmp_path: Path) -> None:
    """The committed golden files come from the committed weights and plates."""
    golden = REPOSITORY / "tests" / "golden" / "network"
    model = REPOSITORY / "weights" / "lprnet.safetensors"
    for name in ("layers", "logits"):
        result = run("native", None, "verify", "-m", model, "-j", golden / f"{name}.safetensors")
        assert result.returncode == 0, result.stdout + result.stderr
    dump = tmp_path / "logits.safetensors"
    samples = REPOSITORY / "tests" / "samples" / "labels.tsv"
    script("dump_reference.py", model, "--images", samples, "--layers", "logits", "-o", dump)
    from safetensors.numpy import load_file

    committed, fresh = load_file(golden / "logits.safetensors"), load_file(dump)
    assert (committed["input"] == fresh["input"]).all()
    assert abs(committed["logits"] - fresh["logits"]).max() <= 1e-4


def test_resize_golden_is_what_opencv_computes() -> None:
    script("make_resize_golden.py", "--check")


def test_affine_golden_is_what_pytorch_computes() -> None:
    script("make_affine_golden.py", "--check")


def test_rectify_golden_is_what_opencv_computes() -> None:
    script("make_rectify_golden.py", "--check")


def test_json_lines_are_json() -> None:
    result = run("native", None, "read", "-j", REPOSITORY / "tests" / "samples")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(lines) == 12
    for line in lines:
        assert line["plate"] == "".join(c["char"] for c in line["characters"])
        assert 0.0 <= line["confidence"] <= 1.0
        assert set(line["processing_time_ms"]) == {"image", "infer", "decode"}
