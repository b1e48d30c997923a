"""Tests of the Python side: model files, dumps, charset, decoding and the plate renderer.

Nothing here needs data, except what is marked so: that is skipped by name where the data folder (LPRNET_DATA, else
../shared/data beside the repository) is absent.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import dump_reference
import export_weights
import lprnet_model
import plates
import predict
import synth_plates
from paths import DATA, SCRIPTS, need_data


@pytest.fixture()
def checkpoint(network: lprnet_model.Lprnet, tmp_path: Path) -> Path:
    path = tmp_path / "net.pth"
    torch.save(network.state_dict(), path)
    return path


def export(*arguments: object) -> int:
    return export_weights.main([str(argument) for argument in arguments])


def test_charset_order() -> None:
    charset = lprnet_model.CHARSET_CN68
    assert len(charset) == len(set(charset)) == 68
    assert charset[0] == "京" and charset[30] == "新" and charset[31] == "0" and charset[40] == "9"
    assert charset[41] == "A" and charset[64:] == ("Z", "I", "O", "-")
    assert plates.encode("皖A0Z") == [12, 41, 31, 64]
    with pytest.raises(ValueError, match="警"):
        plates.encode("皖A1234警")
    for classes, longer in plates.CHARSETS.items():
        assert len(longer) == len(set(longer)) == classes
        assert longer[:67] == charset[:67] and longer[-1] == "-"
        assert export_weights.read_charset(f"cn{classes}") == list(longer)
    assert plates.CHARSETS[75][67:74] == tuple("学警挂港澳使领")
    assert plates.encode("皖A1234警", plates.CHARSET_CN89)[-1] == 68


def test_greedy_merges_repeats_and_drops_blanks() -> None:
    charset = ["a", "b", "-"]
    path = [2, 0, 0, 2, 0, 1, 1, 2]
    logits = np.full((3, len(path)), -1.0, dtype=np.float32)
    logits[path, np.arange(len(path))] = 1.0
    assert plates.greedy_text(logits, charset) == "aab"
    assert plates.greedy_text(logits, charset, blank=0) == "-" + "-" + "b" + "-"


def test_labels(tmp_path: Path) -> None:
    labels = tmp_path / "labels.tsv"
    labels.write_text("a/1.jpg\t皖A12345\tday\tsomewhere\n\nb.png\t沪B1\n", encoding="utf-8")
    first, second = plates.read_labels(labels)
    assert (first.path, first.text, first.group) == (tmp_path / "a/1.jpg", "皖A12345", "day")
    assert (second.name, second.text, second.group) == ("b.png", "沪B1", "")
    labels.write_text("only-a-path\n", encoding="utf-8")
    with pytest.raises(ValueError, match="labels.tsv:1"):
        plates.read_labels(labels)
    assert plates.text_from_file_name(Path("京A12345_2-x.jpg")) == "京A12345"


def test_normalize_channel_orders() -> None:
    image = np.zeros((1, 24, 94, 3), dtype=np.uint8)
    image[..., 0] = 255
    bgr = plates.normalize(image)
    assert bgr.shape == (1, 3, 24, 94) and bgr.dtype == np.float32
    assert bgr[0, 0, 0, 0] == np.float32(127.5) * np.float32(0.0078125) and bgr[0, 2, 0, 0] == -bgr[0, 0, 0, 0]
    rgb = plates.normalize(image, export_weights.PREPROCESS_PRESETS["rdk"])
    assert rgb[0, 2, 0, 0] == pytest.approx(1) and rgb[0, 0, 0, 0] == pytest.approx(-1)
    assert plates.normalize(image, {**plates.UPSTREAM_PREPROCESS, "channel_order": "GRAY"}).shape == (1, 1, 24, 94)


@pytest.mark.parametrize("widths", [1.0, 0.75, 1.25, [20, 36, 44, 52, 28]])
@pytest.mark.parametrize(("classes", "channels"), [(68, 3), (36, 1)])
def test_shape_is_inferred(widths: float | list[int], classes: int, channels: int) -> None:
    shape = lprnet_model.LprnetShape.from_widths(widths, classes, channels)
    network = lprnet_model.Lprnet(shape).eval()
    assert lprnet_model.infer_shape(network.state_dict()) == shape
    with torch.inference_mode():
        assert network(torch.zeros(2, channels, 24, 94)).shape == (2, classes, 18)


def test_blocks_may_have_any_inner_width() -> None:
    """Pruned networks have blocks whose four widths are unrelated."""
    blocks = ((5, 7, 9, 21), (6, 8, 10, 23), (4, 4, 5, 30))
    shape = lprnet_model.LprnetShape(3, 11, blocks, 13, 40)
    network = lprnet_model.model_from_state_dict(lprnet_model.Lprnet(shape).state_dict())
    assert network.shape == shape
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 24, 94)).shape == (1, 40, 18)


def test_channel_stride_pool_is_max_pool_3d() -> None:
    x = torch.randn(2, 10, 9, 14)
    for channel_stride, stride in ((1, (1, 1)), (2, (1, 2)), (4, (1, 2))):
        wanted = torch.nn.MaxPool3d((1, 3, 3), (channel_stride, *stride))(x)
        assert torch.equal(lprnet_model.ChannelStridePool(channel_stride, stride)(x), wanted)


def test_context_mean_is_per_image_unless_asked(network: lprnet_model.Lprnet) -> None:
    images = torch.from_numpy(plates.normalize(dump_reference.random_images(3, seed=5)))
    images[1] *= 0.1
    with torch.inference_mode():
        alone = torch.cat([network(image) for image in images.split(1)])
        together = network(images)
        network.batch_context_mean = True
        upstream = network(images)
        network.batch_context_mean = False
    assert torch.allclose(alone, together, rtol=1e-3, atol=1e-3)
    assert not torch.allclose(alone, upstream, rtol=1e-2, atol=1e-2)


def test_byte_dropout_rate_and_mean() -> None:
    dropout = lprnet_model.ByteDropout(0.25).train()
    for x in (torch.ones(4, 16, 30, 40), torch.ones(4, 16, 30, 41).to(memory_format=torch.channels_last)):
        y = dropout(x)
        assert float((y == 0).float().mean()) == pytest.approx(0.25, abs=0.01)
        assert float(y.mean()) == pytest.approx(1, abs=0.02)
    assert torch.equal(dropout.eval()(x), x)


def test_export_round_trip(network: lprnet_model.Lprnet, checkpoint: Path, tmp_path: Path) -> None:
    output = tmp_path / "net.safetensors"
    assert export(checkpoint, "-o", output, "--source", "a test") == 0
    tensors = load_file(output)
    state = network.state_dict()
    assert set(tensors) == {key for key in state if not key.endswith("num_batches_tracked")}
    for key, value in tensors.items():
        assert value.dtype == torch.float32 and torch.equal(value, state[key])
    with safe_open(str(output), framework="pt") as file:
        metadata = file.metadata()
    assert metadata["lprnet.format"] == "1" and metadata["lprnet.blank"] == "67"
    assert json.loads(metadata["lprnet.charset"]) == list(plates.CHARSET_CN68)
    assert json.loads(metadata["lprnet.preprocess"]) == plates.UPSTREAM_PREPROCESS
    assert metadata["lprnet.source"] == "a test"
    content = output.read_bytes()
    assert (8 + int.from_bytes(content[:8], "little")) % 8 == 0
    model = lprnet_model.load_model(output)
    image = dump_reference.random_images(1, seed=1)[0]
    assert np.array_equal(model.logits(image), lprnet_model.load_model(checkpoint).logits(image))
    assert export(checkpoint, "-o", output, "--source", "a test") == 0
    assert output.read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.pth", "net.safetensors"]


@pytest.mark.parametrize("wrapper", ["state_dict", "model", "net"])
@pytest.mark.parametrize("zip_format", [True, False])
def test_export_unwraps(network: lprnet_model.Lprnet, tmp_path: Path, wrapper: str, zip_format: bool) -> None:
    state = {f"module.{key}": value for key, value in network.state_dict().items()}
    source, output = tmp_path / "wrapped.pth", tmp_path / "out.safetensors"
    torch.save({wrapper: state, "epoch": 3}, source, _use_new_zipfile_serialization=zip_format)
    assert export(source, "-o", output) == 0
    assert torch.equal(load_file(output)["backbone.0.weight"], network.state_dict()["backbone.0.weight"])


def drop(state: dict) -> None:
    del state["backbone.8.block.4.bias"]


def narrow(state: dict) -> None:
    state["backbone.11.block.0.weight"] = state["backbone.11.block.0.weight"][:, :-1]


def flatten(state: dict) -> None:
    state["backbone.16.weight"] = state["backbone.16.weight"].flatten(1)


def stretch(state: dict) -> None:
    state["backbone.4.block.2.weight"] = state["backbone.4.block.2.weight"].repeat(1, 1, 1, 3)


def add(state: dict) -> None:
    state["backbone.3.weight"] = torch.zeros(1)


def poison(state: dict) -> None:
    state["backbone.12.running_var"][0] = float("nan")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (drop, "backbone.8.block.4.bias: missing"),
        (narrow, "backbone.11.block.0.weight: expected shape [16, 64, 1, 1], found [16, 63, 1, 1]"),
        (flatten, "backbone.16.weight: expected 4 dimensions"),
        (stretch, "backbone.4.block.2.weight: expected shape [8, 8, 3, 1], found [8, 8, 3, 3]"),
        (add, "backbone.3.weight: unexpected"),
        (poison, "backbone.12.running_var: expected finite values"),
    ],
)
def test_export_names_the_bad_tensor(network, tmp_path: Path, capsys, spoil, named: str) -> None:
    state = {key: value.clone() for key, value in network.state_dict().items()}
    spoil(state)
    source, output = tmp_path / "bad.pth", tmp_path / "bad.safetensors"
    torch.save(state, source)
    assert export(source, "-o", output) == 3
    error = capsys.readouterr().err
    assert error.startswith(f"{source}: ") and named in error and error.count("\n") == 1
    assert not output.exists()


def test_export_refuses_what_is_no_checkpoint(tmp_path: Path, capsys) -> None:
    source = tmp_path / "text.pth"
    source.write_text("hello\n")
    for path in (source, tmp_path / "absent.pth"):
        assert export(path, "-o", tmp_path / "x.safetensors") == 3
        error = capsys.readouterr().err
        assert error.startswith(f"{path}: ") and error.count("\n") == 1 and "weights_only" not in error


def test_export_wants_characters_it_cannot_know(tmp_path: Path, capsys) -> None:
    shape = lprnet_model.LprnetShape.from_widths(0.25, classes=5, channels=1)
    source, output = tmp_path / "five.pth", tmp_path / "five.safetensors"
    torch.save(lprnet_model.Lprnet(shape).state_dict(), source)
    with pytest.raises(SystemExit) as stop:
        export(source, "-o", output)
    assert stop.value.code == 2 and "5 classes" in capsys.readouterr().err
    assert export(source, "-o", output, "--charset-size-only") == 0
    model = lprnet_model.load_model(output)
    assert model.charset == ["#0", "#1", "#2", "#3", "-"] and model.preprocess["channel_order"] == "GRAY"
    charset = tmp_path / "charset.json"
    charset.write_text('["a", "b", "c", "-", "d"]')
    assert export(source, "-o", output, "--charset", charset, "--blank", 3) == 0
    assert lprnet_model.load_model(output).blank == 3
    assert export(source, "-o", output, "--charset", "cn68") == 3
    assert "expected 5 entries" in capsys.readouterr().err


def test_dump_matches_the_network(tmp_path: Path) -> None:
    model_file, dump_file = tmp_path / "m.safetensors", tmp_path / "d.safetensors"
    spec = "widths=0.25,classes=37,channels=3,seed=1"
    arguments = ["--random-model", spec, "--save-model", model_file, "--random-images", 2, "-o", dump_file]
    assert dump_reference.main([str(argument) for argument in arguments]) == 0
    model = lprnet_model.load_model(model_file)
    tensors = load_file(dump_file)
    assert set(tensors) == set(dump_reference.leaf_modules(model.network)) | {"input", "logits"}
    assert "backbone.15" not in tensors and "backbone.4" not in tensors and "backbone.4.block.0" in tensors
    assert tensors["input"].shape == (2, 3, 24, 94) and tensors["logits"].shape == (2, 37, 18)
    # A ReLU that wrote into its input would show here.
    assert torch.equal(tensors["backbone.2"], tensors["backbone.1"].relu()) and float(tensors["backbone.1"].min()) < 0
    assert torch.allclose(tensors["container.0"].mean(2), tensors["logits"], atol=1e-5)
    with safe_open(str(dump_file), framework="pt") as file:
        metadata = file.metadata()
    assert metadata["batch"] == "1" and metadata["torch"] == torch.__version__
    assert json.loads(metadata["files"]) == ["random-0", "random-1"] and len(json.loads(metadata["texts"])) == 2

    again = tmp_path / "again.safetensors"
    arguments = [model_file, "--tensors", dump_file, "--layers", "backbone.22,logits", "--limit", 1, "-o", again]
    assert dump_reference.main([str(argument) for argument in arguments]) == 0
    second = load_file(again)
    assert set(second) == {"backbone.22", "input", "logits"}
    assert torch.allclose(second["logits"][0], tensors["logits"][0], atol=1e-5)


def test_predict_reads_decoded_pixels(network: lprnet_model.Lprnet, checkpoint: Path, tmp_path: Path) -> None:
    pixels = torch.from_numpy(dump_reference.random_images(2, seed=9))
    decoded, output, logits = tmp_path / "p.safetensors", tmp_path / "out.tsv", tmp_path / "l.safetensors"
    save_file({"images": pixels}, decoded, metadata={"files": '["a.png", "b.png"]'})
    arguments = [checkpoint, "--decoded", decoded, "-o", output, "--logits", logits]
    assert predict.main([str(argument) for argument in arguments]) == 0
    rows = [line.split("\t") for line in output.read_text(encoding="utf-8").splitlines()]
    assert [row[0] for row in rows] == ["a.png", "b.png"]
    with torch.inference_mode():
        wanted = network(torch.from_numpy(plates.normalize(pixels.numpy()[:1])))
    assert torch.allclose(load_file(logits)["logits"][:1], wanted, atol=1e-5)


def test_renderer_is_deterministic_and_writes_valid_labels(bank: synth_plates.GlyphBank) -> None:
    kinds = set()
    even = {kind: 1 / len(synth_plates.KINDS) for kind in synth_plates.KINDS}
    for seed in range(150):
        image, text, kind = synth_plates.synthetic_sample(bank, np.random.default_rng(seed), kind_shares=even)
        assert image.shape == (24, 94, 3) and image.dtype == np.uint8
        plates.encode(text, plates.CHARSET_CN89)
        if kind not in synth_plates.SPECIAL_KINDS:
            assert text[0] in plates.PROVINCES and text[1] in plates.LETTERS + "O"
            assert len(text) == (8 if kind.startswith("green") else 7)
        kinds.add(kind)
        again = synth_plates.synthetic_sample(bank, np.random.default_rng(seed), kind_shares=even)
        assert np.array_equal(image, again[0]) and text == again[1]
    assert kinds == set(synth_plates.KINDS)


def test_renderer_program(bank: synth_plates.GlyphBank, tmp_path: Path) -> None:
    def run(folder: str, *arguments: str) -> dict[str, bytes]:
        command = [sys.executable, str(SCRIPTS / "synth_plates.py"), "--out", str(tmp_path / folder), *arguments]
        subprocess.run(command, check=True, capture_output=True)
        return {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}

    files = run("a", "--count", "5", "--seed", "4")
    assert len(files) == 6 and files == run("b", "--count", "5", "--seed", "4")
    assert files != run("c", "--count", "5", "--seed", "5")
    assert len(run("clean", "--count", "3", "--clean")) == 4
    samples = run("samples", "--samples")
    assert len(samples) == 13 and samples == run("samples2", "--samples")
    for sample in plates.list_samples([tmp_path / "samples"]):
        plates.encode(sample.text)
        assert plates.text_from_file_name(sample.path) == sample.text
    special = run("special", "--special-samples")
    assert len(special) == 8 and special == run("special2", "--special-samples")
    for sample in plates.list_samples([tmp_path / "special"]):
        plates.encode(sample.text, plates.CHARSET_CN89)


def test_public_checkpoint_reads_plates(tmp_path: Path) -> None:
    """The module is the public network if the public weights read plates: 89.0 % of this set at batch 1."""
    weights = need_data(DATA / "checkpoints/public/Final_LPRNet_model.pth")
    labels = need_data(DATA / "plates/dev/labels.tsv")
    output = tmp_path / "public.safetensors"
    assert export(weights, "-o", output) == 0
    model = lprnet_model.load_model(output)
    samples = [sample for sample in plates.read_labels(labels) if sample.group == "ccpd1000"]
    torch.set_num_threads(1)
    right = sum(
        model.text(model.logits(plates.to_network_size(plates.read_image(sample.path)))) == sample.text
        for sample in samples
    )
    assert right / len(samples) == pytest.approx(0.890, abs=0.004)


@pytest.mark.parametrize(
    ("name", "classes", "channels"),
    [("latin37/Final_LPRNet_model.pth", 37, 3), ("gray36/Final_LPRNet_model.pth", 36, 1)],
)
def test_other_public_checkpoints_export(tmp_path: Path, name: str, classes: int, channels: int) -> None:
    weights = need_data(DATA / f"checkpoints/{name}")
    output = tmp_path / "other.safetensors"
    assert export(weights, "-o", output, "--charset-size-only") == 0
    shape = lprnet_model.load_model(output).network.shape
    assert (shape.classes, shape.channels) == (classes, channels)
