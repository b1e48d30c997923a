"""The package for the toolchain of RDK X5: its graphs against the engine, the limits of the BPU's operators, settings
and calibration data, and the comparison with what a board dumps.

No board and no toolchain is needed: ONNX Runtime computes the graphs. Tests that need the public data are skipped by
name where it is absent, those that need the program where it is not built.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from paths import DATA, PROGRAM, REPOSITORY, SAMPLES, SHIPPED, WEIGHTS, need_data, need_program

onnx = pytest.importorskip("onnx", reason="onnx: not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime: not installed")
yaml = pytest.importorskip("yaml", reason="pyyaml: not installed")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from safetensors.numpy import save_file  # noqa: E402

import bpu_limits  # noqa: E402
import compare_bpu_dump  # noqa: E402
import dump_reference  # noqa: E402
import export_rdk_x5  # noqa: E402
import lprnet_model  # noqa: E402
import onnx_network  # noqa: E402
import plates  # noqa: E402
from int8_network import Int8Network  # noqa: E402

# Float rounding over 17 layers, as in the tests of the engine.
MAX_LOGIT_ERROR = 2e-3
SHAPES = {
    "gray": lprnet_model.LprnetShape.from_widths(0.25, classes=37, channels=1),
    # Neither 2 nor 4 divides the channels in front of the pools.
    "odd": lprnet_model.LprnetShape(3, 5, ((3, 4, 6, 9), (2, 3, 5, 7), (4, 2, 3, 11)), 6, 10),
}


def tensors_of(network: lprnet_model.Lprnet) -> dict[str, np.ndarray]:
    return {key: value.numpy() for key, value in network.state_dict().items()}


def run_graph(graph: onnx.ModelProto, pixels: np.ndarray) -> list[dict[str, np.ndarray]]:
    """The outputs by name for each image."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph.SerializeToString(), settings, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return [
        {
            name: value[0]
            for name, value in zip(names, session.run(None, {onnx_network.INPUT: image[None]}), strict=True)
        }
        for image in pixels
    ]


def logits_of(tensors: dict[str, np.ndarray], form: str, pixels: np.ndarray) -> np.ndarray:
    """Of the form `branches` the rest is done here, as the adapter does it."""
    answers = run_graph(onnx_network.build(tensors, form), pixels)
    if form == "whole":
        return np.stack([answer["logits"] for answer in answers])
    context = tensors["container.0.weight"], tensors["container.0.bias"]
    return np.stack(
        [onnx_network.finish_branches([answer[name] for name in onnx_network.BRANCHES], *context) for answer in answers]
    )


def engine_verdict(model: Path, pixels: np.ndarray, logits: np.ndarray, folder: Path) -> dict:
    """The engine computes the same inputs and compares: largest error of a logit, and whether all texts are equal."""
    need_program()
    dump = folder / "dump.safetensors"
    save_file({"input": pixels, "logits": logits}, str(dump), metadata={"lprnet.format": "dump-1"})
    command = [str(PROGRAM), "verify", "-j", "-m", str(model), str(dump)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode in (0, 1), result.stderr
    report = json.loads(result.stdout)
    return {"max_abs": report["layers"][-1]["max_abs"], "texts_equal": report["texts_equal"]}


def pixels_of(source: Path, model: Path) -> np.ndarray:
    images = [plates.to_network_size(plates.read_image(sample.path)) for sample in plates.list_samples([source])]
    return plates.normalize(np.stack(images), lprnet_model.load_model(model).preprocess)


@pytest.fixture(scope="module")
def sample_pixels() -> np.ndarray:
    return pixels_of(SAMPLES, SHIPPED)


@pytest.mark.parametrize("form", onnx_network.BPU_FORMS)
def test_samples_read_as_the_engine_reads_them(form: str, sample_pixels: np.ndarray, tmp_path: Path) -> None:
    logits = logits_of(tensors_of(lprnet_model.load_model(SHIPPED).network), form, sample_pixels)
    verdict = engine_verdict(SHIPPED, sample_pixels, logits, tmp_path)
    assert verdict["texts_equal"] and verdict["max_abs"] <= MAX_LOGIT_ERROR


@pytest.mark.parametrize("form", onnx_network.BPU_FORMS)
@pytest.mark.parametrize("name", ["public", "shipped", "sparse35"])
def test_dev_reads_as_the_engine_reads_it(
    name: str, form: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    dev = need_data(DATA / "plates" / "dev" / "labels.tsv")
    shipped = {"shipped": SHIPPED, "sparse35": WEIGHTS / "lprnet-sparse35.safetensors"}
    model = shipped.get(name) or request.getfixturevalue("public_model")
    pixels = pixels_of(dev, model)
    logits = logits_of(tensors_of(lprnet_model.load_model(model).network), form, pixels)
    verdict = engine_verdict(model, pixels, logits, tmp_path)
    print(f"{name} {form}: {len(pixels)} crops, largest error of a logit {verdict['max_abs']:.1e}")
    assert verdict["texts_equal"] and verdict["max_abs"] <= MAX_LOGIT_ERROR


@pytest.mark.parametrize("form", onnx_network.BPU_FORMS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_size_comes_from_the_tensors(shape: lprnet_model.LprnetShape, form: str) -> None:
    network = dump_reference.random_model(shape, seed=5)
    pixels = np.random.default_rng(1).uniform(-1, 1, (2, shape.channels, 24, 94)).astype(np.float32)
    found = logits_of(tensors_of(network), form, pixels)
    with torch.inference_mode():
        expected = np.concatenate([network(image).numpy() for image in torch.from_numpy(pixels).split(1)])
    assert np.abs(found - expected).max() <= MAX_LOGIT_ERROR * max(np.abs(expected).max(), 1)


def test_branches_are_the_pools_in_the_trained_order(sample_pixels: np.ndarray) -> None:
    network = lprnet_model.load_model(SHIPPED).network
    answer = run_graph(onnx_network.build(tensors_of(network), "branches"), sample_pixels[:1])[0]
    exact = compare_bpu_dump.float_tensors(network, sample_pixels[0])
    assert list(answer) == list(onnx_network.BRANCHES)
    for name, values in answer.items():
        assert values.shape == exact[name].shape
        assert np.abs(values - exact[name]).max() <= 1e-4 * np.abs(exact[name]).max()


# --- The limits of the BPU -----------------------------------------------------------------------


@pytest.mark.parametrize("form", onnx_network.BPU_FORMS)
@pytest.mark.parametrize("shape", [lprnet_model.LprnetShape(), *SHAPES.values()], ids=["published", *SHAPES])
def test_graphs_keep_the_limits(shape: lprnet_model.LprnetShape, form: str) -> None:
    network = lprnet_model.Lprnet(shape)
    assert bpu_limits.violations(onnx_network.build(tensors_of(network), form)) == []


def test_the_trained_form_does_not_keep_them() -> None:
    found = bpu_limits.violations(onnx_network.build(tensors_of(lprnet_model.Lprnet()), "trained"))
    assert any("ReduceMean: axes: expected 1 to 1, found 3" in line for line in found)
    assert any(line.startswith("opset") for line in found)


def small_graph(
    op: str, shape: list[int], constant: list[int] | None = None, opset: int = 11, ir_version: int = 6,
    copies: int = 1, **attributes: object,
) -> onnx.ModelProto:  # fmt: skip
    """One operator on `x`, with one constant where a shape is given for it."""
    constants, inputs = [], ["x"]
    if constant is not None:
        inputs.append("c")
        values = np.array(shape, np.int64) if op == "Reshape" else np.ones(constant, np.float32)
        constants.append(numpy_helper.from_array(values, "c"))
    nodes = [helper.make_node(op, inputs, [f"y{i}"], name=f"y{i}", **attributes) for i in range(copies)]
    outputs = [helper.make_tensor_value_info(f"y{i}", TensorProto.FLOAT, None) for i in range(copies)]
    graph = helper.make_graph(
        nodes, "small", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)], outputs, constants
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = ir_version
    return model


MAP = [1, 8, 600, 600]
VIOLATIONS = {
    "ir_version: expected 7": small_graph("Relu", MAP, ir_version=8),
    "opset: expected 10 or 11": small_graph("Relu", MAP, opset=17),
    "expected four fixed dimensions": small_graph("Relu", [2, 8, 6, 6]),
    "outputs: expected 32 at most, found 33": small_graph("Relu", MAP, copies=33),
    "Erf is not in the table": small_graph("Erf", MAP),
    "Relu: extent": small_graph("Relu", [1, 1, 1, 65537]),
    "Relu: bytes": small_graph("Relu", [1, 2, 65536, 65536]),
    "Relu: dimensions": small_graph("Relu", [1, 8, 6]),
    "Conv: kernel": small_graph("Conv", MAP, [4, 8, 32, 1]),
    "Conv: channels x kernel": small_graph("Conv", [1, 64, 40, 40], [4, 64, 31, 17]),
    "Conv: stride": small_graph("Conv", MAP, [4, 8, 1, 1], strides=[257, 1]),
    "Conv: dilation": small_graph("Conv", MAP, [4, 8, 2, 2], dilations=[17, 1]),
    "Conv: pad": small_graph("Conv", MAP, [4, 8, 1, 1], pads=[257, 0, 257, 0]),
    "Conv: channels of a group": small_graph("Conv", MAP, [8193, 8, 1, 1]),
    "Conv: difference of opposite pads": small_graph("Conv", MAP, [4, 8, 2, 1], pads=[1, 0, 0, 0]),
    "MaxPool: kernel": small_graph("MaxPool", MAP, kernel_shape=[257, 1]),
    "MaxPool: stride": small_graph("MaxPool", MAP, kernel_shape=[3, 3], strides=[257, 1]),
    "MaxPool: pad": small_graph("MaxPool", MAP, kernel_shape=[256, 258], pads=[0, 257, 0, 257]),
    "MaxPool: dilation": small_graph("MaxPool", MAP, kernel_shape=[3, 3], dilations=[2, 1]),
    "MaxPool: dimensions": small_graph("MaxPool", [1, 8, 6, 6, 6], kernel_shape=[1, 3, 3]),
    "AveragePool: kernel": small_graph("AveragePool", MAP, kernel_shape=[257, 1]),
    "AveragePool: area": small_graph("AveragePool", MAP, kernel_shape=[91, 91]),
    "AveragePool: stride": small_graph("AveragePool", MAP, kernel_shape=[3, 3], strides=[257, 1]),
    "AveragePool: pad": small_graph("AveragePool", MAP, kernel_shape=[256, 2], pads=[256, 0, 256, 0]),
    "Pow: elements of the exponent": small_graph("Pow", MAP, [600]),
    "Mul: dimensions": small_graph("Mul", [1] * 11, [1]),
    "ReduceMean: axes: expected 1 to 1, found 3": small_graph("ReduceMean", MAP, axes=[1, 2, 3]),
    "ReduceMean: axes: expected 1 to 1, found 2": small_graph("ReduceMean", MAP, axes=[1, 2]),
    "ReduceMean: axes: expected 1 to 1, found 4": small_graph("ReduceMean", MAP),
    "ReduceMean: keepdims": small_graph("ReduceMean", MAP, axes=[2], keepdims=0),
    "ReduceMean: dimensions": small_graph("ReduceMean", [1] * 6, axes=[2]),
    "Concat: axis": small_graph("Concat", MAP, axis=0),
}


@pytest.mark.parametrize("message", VIOLATIONS)
def test_a_graph_beyond_a_limit_is_refused(message: str) -> None:
    assert [line for line in bpu_limits.violations(VIOLATIONS[message]) if message in line]


# --- The package ---------------------------------------------------------------------------------


def export(*arguments: object) -> int:
    return export_rdk_x5.main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package") / "out"
    assert export(SHIPPED, SAMPLES, "-o", folder, "--count", 5) == 0
    return folder


def test_package_is_complete(package: Path) -> None:
    names = sorted(path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file())
    assert [name for name in names if not name.startswith("calibration/")] == [
        "branches.onnx", "branches_featuremap.yaml", "branches_nv12.yaml", "steps.md", "whole.onnx",
        "whole_featuremap.yaml", "whole_nv12.yaml",
    ]  # fmt: skip
    assert names[4:14:5] and sum(name.startswith("calibration/featuremap_f32/") for name in names) == 5
    for form in onnx_network.BPU_FORMS:
        onnx.checker.check_model(str(package / f"{form}.onnx"), full_check=True)
    steps = (package / "steps.md").read_text("utf-8")
    assert "{" not in steps and "hb_mapper makertbin --config $name.yaml" in steps
    assert "--input-shape pixels 1x3x24x94" in steps and str(REPOSITORY) not in steps


@pytest.mark.parametrize("form", onnx_network.BPU_FORMS)
def test_settings(package: Path, form: str) -> None:
    graph = onnx.load(str(package / f"{form}.onnx")).graph
    preprocess = lprnet_model.load_model(SHIPPED).preprocess
    for kind in ("featuremap", "nv12"):
        settings = yaml.safe_load((package / f"{form}_{kind}.yaml").read_text("utf-8"))
        model, given, calibration = (settings[f"{group}_parameters"] for group in ("model", "input", "calibration"))
        assert model["march"] == "bayes-e" and (package / model["onnx_model"]).is_file()
        assert model["output_model_file_prefix"] == f"{form}_{kind}"
        assert set(model.get("node_info", {})) <= {node.name for node in graph.node}
        assert ("node_info" in model) == (form == "whole")
        assert given["input_name"] == graph.input[0].name and given["input_shape"] == "1x3x24x94"
        assert given["input_type_rt"] == kind
        assert (package / calibration["cal_data_dir"]).is_dir() and calibration["cal_data_type"] == "float32"
        if kind == "featuremap":
            assert given["input_type_train"] == "featuremap" and given["norm_type"] == "no_preprocess"
            assert "mean_value" not in given
        else:
            assert given["input_type_train"] == preprocess["channel_order"].lower()
            assert given["norm_type"] == "data_mean_and_scale"
            assert float(given["mean_value"]) == preprocess["mean"]
            assert float(given["scale_value"]) == preprocess["scale"]
            assert given["input_space_and_range"] == "bt601_video"


def test_calibration_files_are_what_each_input_gets(package: Path, sample_pixels: np.ndarray) -> None:
    preprocess = lprnet_model.load_model(SHIPPED).preprocess
    for number in range(5):
        normalized = np.fromfile(package / f"calibration/featuremap_f32/{number:03}.bin", np.float32)
        assert any(np.array_equal(normalized, image.ravel()) for image in sample_pixels)
        levels = np.fromfile(package / f"calibration/bgr_f32/{number:03}.bin", np.float32)
        assert np.array_equal(levels, np.rint(levels)) and levels.max() > 2
        # What the settings tell the toolchain to make of the levels.
        assert np.array_equal((levels - np.float32(preprocess["mean"])) * np.float32(preprocess["scale"]), normalized)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_spatial_transformer_stays_in_front(channels: int, tmp_path: Path) -> None:
    model = dump_reference.make_random_model(f"widths=0.25,classes=37,channels={channels},transformer=8:6:5")
    images = np.random.default_rng(4).integers(0, 256, (2, 24, 94, 3), dtype=np.uint8)
    export_rdk_x5.write_package(tmp_path / "package", Path("model.safetensors"), model, images, "video")
    text = (tmp_path / "package/steps.md").read_text("utf-8")
    assert "`model.safetensors` has a spatial transformer" in text and "on the CPU in front" in text
    calibration = tmp_path / "package/calibration"
    for number, picture in enumerate(plates.normalize(images, model.preprocess)):
        sample = np.fromfile(calibration / f"featuremap_f32/{number:03}.bin", np.float32).reshape(picture.shape)
        with torch.inference_mode():
            expected = model.network(torch.from_numpy(picture)[None])[0].numpy()
        # The models read what the transformer makes of the picture, and answer as the whole network does.
        assert not np.allclose(sample, picture, atol=0.1)
        found = run_graph(onnx.load(str(tmp_path / "package/whole.onnx")), sample[None])[0]["logits"]
        assert np.abs(found - expected).max() <= MAX_LOGIT_ERROR * max(np.abs(expected).max(), 1)
        order = model.preprocess["channel_order"].lower()
        levels = np.fromfile(calibration / f"{order}_f32/{number:03}.bin", np.float32).reshape(picture.shape)
        assert levels.min() >= 0 and levels.max() <= 255
        assert np.abs((levels - 127.5) * np.float32(0.0078125) - sample).max() <= 1e-5
    for form in onnx_network.FORMS:
        with pytest.raises(ValueError, match="without a spatial transformer"):
            onnx_network.build(tensors_of(model.network), form)


def test_gray_networks_and_means_of_channels(tmp_path: Path) -> None:
    gray = dump_reference.make_random_model("widths=0.25,classes=37,channels=1")
    images = np.random.default_rng(3).integers(0, 256, (2, 24, 94, 3), dtype=np.uint8)
    export_rdk_x5.write_package(tmp_path / "gray", Path("gray.safetensors"), gray, images, "video")
    settings = yaml.safe_load((tmp_path / "gray/whole_gray.yaml").read_text("utf-8"))["input_parameters"]
    assert settings["input_type_train"] == settings["input_type_rt"] == "gray"
    assert settings["input_shape"] == "1x1x24x94" and "input_space_and_range" not in settings

    rgb = lprnet_model.load_model(SHIPPED)
    rgb.preprocess = rgb.preprocess | {"channel_order": "RGB", "mean": [100, 110.5, 120], "scale": [0.01, 0.02, 0.03]}
    export_rdk_x5.write_package(tmp_path / "rgb", Path("rgb.safetensors"), rgb, images, "full")
    settings = yaml.safe_load((tmp_path / "rgb/branches_nv12.yaml").read_text("utf-8"))["input_parameters"]
    assert settings["input_type_train"] == "rgb" and settings["input_space_and_range"] == "regular"
    assert settings["mean_value"] == "100 110.5 120" and settings["scale_value"] == "0.01 0.02 0.03"
    sample = np.fromfile(tmp_path / "rgb/calibration/featuremap_f32/000.bin", np.float32).reshape(3, 24, 94)
    blue = (images[0, :, :, 0].astype(np.float32) - 120) * np.float32(0.03)
    assert np.array_equal(sample[2], blue)


def test_export_errors_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, message in (
        ((tmp_path / "no.safetensors", SAMPLES), "no.safetensors"),
        ((SHIPPED, tmp_path / "empty"), "holds no image"),
        ((SHIPPED, tmp_path / "no.jpg"), "not a readable image"),
    ):
        assert export(*arguments, "-o", tmp_path / "out") == 3
        error = capsys.readouterr().err
        assert message in error and error.count("\n") == 1
        assert not (tmp_path / "out").exists()
    for arguments in (("-o", tmp_path), ("-o", tmp_path / "out", "--count", 0)):
        with pytest.raises(SystemExit) as caught:
            export(SHIPPED, SAMPLES, *arguments)
        assert caught.value.code == 2


# --- Comparing with a board ------------------------------------------------------------------------


def quantize(path: Path, *options: str) -> Path:
    need_program()
    command = [str(PROGRAM), "quantize", "-m", str(SHIPPED), "-o", str(path), "--calibration", str(SAMPLES), *options]
    subprocess.run(command, check=True, capture_output=True)
    return path


@pytest.fixture(scope="module")
def int8_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quantize(tmp_path_factory.mktemp("int8") / "int8.safetensors")


def test_int8_in_python_is_the_engines(int8_model: Path, sample_pixels: np.ndarray, tmp_path: Path) -> None:
    network = Int8Network(int8_model)
    logits = np.stack([network.logits(network.branches(image)) for image in sample_pixels])
    verdict = engine_verdict(int8_model, sample_pixels, logits, tmp_path)
    assert verdict["texts_equal"] and verdict["max_abs"] == 0


def test_float_weights_among_int8_in_python_are_the_engines(sample_pixels: np.ndarray, tmp_path: Path) -> None:
    kept = ("backbone.0", "backbone.4.block.3", "backbone.8.block.4", "backbone.13", "backbone.20", "container.0")
    options = [word for name in kept for word in ("--keep-float", name)]
    model = quantize(tmp_path / "kept.safetensors", "--plain", *options)
    network = Int8Network(model)
    names = (
        "backbone.0",
        "backbone.4.block.2",
        "backbone.8.block.4",
        "backbone.11.block.6",
        "backbone.20",
        "container.0",
    )
    int8 = {name for name in network.tensors if name.endswith(".weight") and network.tensors[name].dtype == np.int8}
    assert len(int8) == 10 and not int8 & {f"{name}.weight" for name in names}
    logits = np.stack([network.logits(network.branches(image)) for image in sample_pixels[:2]])
    verdict = engine_verdict(model, sample_pixels[:2], logits, tmp_path)
    assert verdict["texts_equal"] and verdict["max_abs"] == 0


def write_dump(folder: Path, tensors: dict[str, np.ndarray]) -> Path:
    folder.mkdir()
    for number, (name, values) in enumerate(tensors.items()):
        values.tofile(folder / f"model_infer_output_{number}_{name}.bin")
    return folder


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory, sample_pixels: np.ndarray) -> tuple[Path, Path, dict, dict]:
    """An input file, a folder of branches in 8 bits as a BPU might dump them, their scales, and the exact tensors."""
    folder = tmp_path_factory.mktemp("board")
    sample_pixels[0].tofile(folder / "input.bin")
    exact = compare_bpu_dump.float_tensors(lprnet_model.load_model(SHIPPED).network, sample_pixels[0])
    scales = {name: float(exact[name].max()) / 127 for name in onnx_network.BRANCHES}
    dump = {name: np.rint(exact[name] / scale).astype(np.int8) for name, scale in scales.items()}
    return folder / "input.bin", write_dump(folder / "dump", dump), scales, exact


def compare(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = compare_bpu_dump.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_integers_with_scales(board: tuple[Path, Path, dict, dict], capsys: pytest.CaptureFixture[str]) -> None:
    given, dump, scales, exact = board
    flags = [flag for name, scale in scales.items() for flag in ("--scale", f"{name}={scale!r}")]
    status, out, _ = compare(capsys, SHIPPED, given, dump, "-j", "--min-cosine", 0.99, *flags)
    report = json.loads(out)
    assert status == 0 and list(report["nodes"]) == [*onnx_network.BRANCHES, "logits"]
    for name, scale in scales.items():
        found = report["nodes"][name]["bpu"]
        assert 0 < found["max_abs"] <= scale * 0.5001 and 0.99 < found["cosine"] < 1
    assert report["texts"]["bpu"] == report["texts"]["fp32"] and len(report["texts"]["fp32"]) == 7
    assert compare(capsys, SHIPPED, given, dump, "--min-cosine", 0.9999999, *flags)[0] == 1


def test_three_side_by_side(
    board: tuple[Path, Path, dict, dict], int8_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, _, _, exact = board
    changed = exact["logits"].copy()
    changed[3, 5] += 2
    dump = write_dump(tmp_path / "dump", {"logits": changed})
    status, out, _ = compare(capsys, SHIPPED, given, dump, "--int8", int8_model)
    lines = out.splitlines()
    assert status == 0 and len(lines) == 7
    columns = [f"{who} {name}" for who in ("int8", "bpu") for name in ("cosine", "relative", "max error")]
    assert lines[0].split() == " ".join(["node", *columns]).split()
    # The form `whole` gives no branches, our int8 does.
    assert lines[1].split()[0] == "branch0" and lines[1].split()[4:] == ["-"] * 3
    assert float(lines[1].split()[1]) > 0.99
    assert lines[5].split()[0] == "logits" and float(lines[5].split()[6]) == pytest.approx(2)
    assert float(lines[5].split()[5]) == pytest.approx(2 / np.linalg.norm(exact["logits"]), abs=1e-6)


def test_float_branches_give_the_logits(
    board: tuple[Path, Path, dict, dict], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, _, _, exact = board
    dump = write_dump(tmp_path / "dump", {name: exact[name] for name in onnx_network.BRANCHES})
    report = json.loads(compare(capsys, SHIPPED, given, dump, "-j")[1])
    assert all(found["bpu"]["max_abs"] == 0 for found in report["nodes"].values())


def test_comparison_errors_are_one_line(
    board: tuple[Path, Path, dict, dict], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, dump, _, exact = board
    logits = exact["logits"]
    cases = [
        ((SHIPPED, given, dump), "8-bit integers: give their --scale"),
        ((SHIPPED, given, tmp_path / "none"), "no such folder"),
        ((SHIPPED, given, write_dump(tmp_path / "empty", {})), "holds no model_infer_output_"),
        ((SHIPPED, given, write_dump(tmp_path / "short", {"logits": logits[:5]})), "expected 6408 bytes"),
        ((SHIPPED, given, write_dump(tmp_path / "name", {"softmax": logits})), "found softmax"),
        ((SHIPPED, given, write_dump(tmp_path / "one", {"branch0": exact["branch0"]})), "branch1: missing"),
        ((SHIPPED, given, write_dump(tmp_path / "nan", {"logits": logits * np.float32("nan")})), "not finite"),
        ((SHIPPED, SHIPPED, dump), "expected 27072 bytes"),
        ((SHIPPED, given, "--int8", SHIPPED), "`lprnet quantize` writes"),
        ((tmp_path / "no.safetensors", given, dump), "no.safetensors"),
    ]
    for arguments, message in cases:
        status, out, error = compare(capsys, *arguments)
        assert (status, out) == (3, "") and message in error and error.count("\n") == 1
    for arguments in ((SHIPPED, given), (SHIPPED, given, dump, "--scale", "branch0=-1")):
        with pytest.raises(SystemExit) as caught:
            compare(capsys, *arguments)
        assert caught.value.code == 2
