"""Tests of training: the recipe, pruning masks, resuming, the synthetic dev set and the int8 simulation.

Everything runs on rendered plates and narrow networks; no data is needed.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))

import dump_reference  # noqa: E402
import lprnet_model  # noqa: E402
import plates  # noqa: E402
import simulate_int8  # noqa: E402
import synth_dev  # noqa: E402
import synth_plates  # noqa: E402
import train  # noqa: E402
from training import pruning, recipe, stage  # noqa: E402
from training.evaluation import EvalSet  # noqa: E402

TINY = {"batch": 2, "widths": 0.25, "real_share": 0.0, "warm_up": 2}


@pytest.fixture(scope="module")
def bank() -> synth_plates.GlyphBank:
    try:
        return synth_plates.GlyphBank()
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture()
def network() -> lprnet_model.Lprnet:
    return dump_reference.random_model(lprnet_model.LprnetShape.from_widths(0.25), seed=3)


def site() -> stage.Site:
    return stage.Site(real=(), glyphs=None, workers=2, save_minutes=0, eval_minutes=0)


def run(folder: Path, start: Path | None = None, evaluate=lambda network: {"all": 0.0}, **settings) -> dict:
    stage.run_stage(recipe.Stage("test", **{**TINY, **settings}), folder, start, site(), evaluate)
    return lprnet_model.read_checkpoint(folder / "ema.pth")


def equal(first: dict, second: dict) -> bool:
    return set(first) == set(second) and all(torch.equal(first[key], second[key]) for key in first)


def test_every_stage_of_the_recipe_can_run() -> None:
    stages = recipe.load_recipe(SCRIPTS / "recipe.toml")
    assert {"dense", "sparse35", "sparse50", "sparse70", "shaped35", "short"} <= set(stages)
    for name in stages:
        assert recipe.chain(stages, name)[0].after == "" and recipe.chain(stages, name)[-1].name == name
    assert [one.name for one in recipe.chain(stages, "sparse35")] == ["scratch", "restart", "dense", "sparse35"]
    assert stages["shaped35"].prune == "groups" and stages["shaped35"].amount == stages["sparse35"].amount == 0.35
    assert stages["short"].real_share == 0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[a]\nsteps = 1\nspeed = 3", "stage a: unknown setting 'speed'"),
        ("[a]\nlr = 1", "stage a: steps: missing"),
        ("[a]\nsteps = 1.5", "stage a: steps: expected a whole number"),
        ("[a]\nsteps = 1\nprune = 'most'", "stage a: prune: expected one of"),
        ("[a]\nsteps = 1\namount = 1.0", "stage a: amount: expected 0 to below 1"),
        ("[a]\nsteps = 1\nkinds = [1.0]", "stage a: kinds: expected 6 shares"),
        ("[a]\nsteps = 5\nstop = 6", "stage a: stop: expected 0 to 5"),
        ("[a]\nlike = 'b'", "stage a: like: expected a stage"),
        ("[a", "end of document"),
    ],
)
def test_a_bad_recipe_names_the_setting(tmp_path: Path, capsys, text: str, named: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    assert train.main(["a", "--recipe", str(path), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert named in error and error.count("\n") == 1


def test_stages_that_come_after_themselves_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("[a]\nsteps = 1\nafter = 'b'\n[b]\nsteps = 1\nafter = 'a'\n[c]\nsteps = 1\nafter = 'd'\n")
    stages = recipe.load_recipe(path)
    with pytest.raises(recipe.RecipeError, match="comes after itself"):
        recipe.chain(stages, "a")
    with pytest.raises(recipe.RecipeError, match="stage d: not in the recipe"):
        recipe.chain(stages, "c")


def test_training_on_crops_wants_data(tmp_path: Path, capsys) -> None:
    assert train.main(["dense", "--out", str(tmp_path)]) == 2
    assert "expected --data" in capsys.readouterr().err


def test_a_run_repeats_and_resumes_to_the_bit(bank: synth_plates.GlyphBank, tmp_path: Path) -> None:
    whole = run(tmp_path / "a", steps=5)
    assert equal(whole, run(tmp_path / "b", steps=5))

    evaluations = 0

    def cut_off(network: lprnet_model.Lprnet) -> dict[str, float]:
        nonlocal evaluations
        evaluations += 1
        if evaluations == 3:
            raise KeyboardInterrupt
        return {"all": 0.0}

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "c", steps=5, evaluate=cut_off)
    assert not stage.is_done(tmp_path / "c")
    assert equal(whole, run(tmp_path / "c", steps=5))
    with (tmp_path / "c" / "log.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["1", "2", "4", "5"]
    assert (tmp_path / "c" / "accuracy.png").stat().st_size > 1000
    with pytest.raises(recipe.RecipeError, match="lr is"):
        run(tmp_path / "c", steps=5, lr=1.0)


def test_a_stopped_stage_is_the_start_of_the_whole_one(bank: synth_plates.GlyphBank, tmp_path: Path) -> None:
    run(tmp_path / "a", steps=6, stop=2)
    seen: list[dict] = []

    def remember(network: lprnet_model.Lprnet) -> dict[str, float]:
        seen.append({key: value.clone() for key, value in network.state_dict().items()})
        return {}

    run(tmp_path / "b", steps=6, evaluate=remember)
    assert equal(seen[1], lprnet_model.read_checkpoint(tmp_path / "a" / "ema.pth"))


@pytest.mark.parametrize("method", ["unstructured", "groups"])
def test_removed_weights_stay_removed(bank, network: lprnet_model.Lprnet, tmp_path: Path, method: str) -> None:
    start = tmp_path / "start.pth"
    torch.save(network.state_dict(), start)
    trained = run(tmp_path / "a", start, steps=3, prune=method, amount=0.35)
    pruning.prune(network, method, 0.35)
    for name, layer in pruning.convolutions(network).items():
        assert torch.equal(trained[f"{name}.weight"] == 0, layer.weight == 0), name
        kept = layer.weight != 0
        assert not torch.equal(trained[f"{name}.weight"][kept], layer.weight[kept])


def test_the_smallest_weights_go_and_ties_by_index() -> None:
    layer = torch.nn.Sequential(torch.nn.Conv2d(1, 1, (1, 7)))
    layer[0].weight.data = torch.tensor([3.0, -1.0, 2.0, 1.0, -2.0, 0.5, 2.0]).reshape(1, 1, 1, 7)
    keep = pruning.unstructured_masks(layer, 0.5)["0"].flatten()
    assert keep.tolist() == [True, False, True, False, True, False, True]
    keep = pruning.unstructured_masks(layer, 0.6)["0"].flatten()  # floor(4.2)
    assert keep.tolist() == [True, False, False, False, True, False, True]


def test_masks_remove_the_share_they_are_asked_for(network: lprnet_model.Lprnet) -> None:
    layers = pruning.convolutions(network)
    for name, keep in pruning.unstructured_masks(network, 0.35).items():
        assert int((~keep).sum()) == int(0.35 * keep.numel()), name
    total = sum(layer.weight.numel() for layer in layers.values())
    assert sum(int((~keep).sum()) for keep in pruning.global_masks(network, 0.35).values()) == int(0.35 * total)
    for name, keep in pruning.group_masks(network, 0.35).items():
        if name in pruning.NO_GROUPS:
            assert bool(keep.all())
            continue
        groups = [bool(part[:, channel].any()) for part in keep.split(16) for channel in range(keep.shape[1])]
        whole = [bool(part[:, channel].all()) for part in keep.split(16) for channel in range(keep.shape[1])]
        assert groups == whole and groups.count(False) == int(0.35 * len(groups)), name


def test_short_recipe_trains_without_data(bank: synth_plates.GlyphBank, tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPTS / "train.py"), "short", "--out", str(tmp_path), "--threads", "1"]
    command += ["--set", "steps=4", "batch=4", "widths=0.25"]
    first = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "short  step 4  all " in first and "synth7" in first and "synth8" in first
    assert "\r" not in first
    folder = tmp_path / "short"
    assert {path.name for path in folder.iterdir()} == {
        "accuracy.png", "checkpoint.pth", "ema.pth", "log.csv", "settings.json",
    }  # fmt: skip
    again = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert again.startswith("short  done before: ")


def test_synthetic_dev_set(bank: synth_plates.GlyphBank, tmp_path: Path) -> None:
    def render(folder: str, *words: str) -> dict[str, bytes]:
        command = [sys.executable, str(SCRIPTS / "synth_dev.py"), "--out", str(tmp_path / folder), *words]
        subprocess.run(command, check=True, capture_output=True)
        return {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}

    files = render("a", "--per-province", "2", "--greens", "31")
    assert files == render("b", "--per-province", "2", "--greens", "31")
    samples = plates.list_samples([tmp_path / "a"])
    assert len(samples) == 93 and len(files) == 94
    for number, sample in enumerate(samples):
        plates.encode(sample.text)
        assert sample.text[0] == plates.PROVINCES[number // 2 if number < 62 else number - 62]
        assert sample.group == (sample.text[0] if len(sample.text) == 7 else "green8")
    images, texts, groups = synth_dev.render_dev(bank, 2, 31)
    assert texts == [sample.text for sample in samples] and groups == [sample.group for sample in samples]
    assert np.array_equal(images[5], plates.read_image(samples[5].path))


def test_evaluation_counts_exact_plates(network: lprnet_model.Lprnet) -> None:
    images = dump_reference.random_images(3, seed=2)
    texts = [plates.greedy_text(one, plates.CHARSET_CN68) for one in EvalSet(images, "abc", "xyz").logits(network)]
    crops = EvalSet(images, [texts[0], "wrong", texts[2]], ["a", "a", "b"])
    assert crops.accuracy(network) == {"all": pytest.approx(2 / 3), "a": 0.5, "b": 1.0}


def test_folding_changes_nothing_and_int8_little(network: lprnet_model.Lprnet) -> None:
    images = dump_reference.random_images(4, seed=2)
    crops = EvalSet(images, [""] * 4, [""] * 4)
    exact = crops.logits(network)
    folded = simulate_int8.folded(network)
    assert np.allclose(crops.logits(folded), exact, atol=1e-4 * np.abs(exact).max())
    histograms = simulate_int8.activation_histograms(folded, images)
    assert set(histograms) == set(simulate_int8.relus(network))
    clips = {name: simulate_int8.clip_of(*histogram, "max") for name, histogram in histograms.items()}
    rounded = crops.logits(simulate_int8.simulated(network, clips))
    assert not np.array_equal(rounded, exact) and simulate_int8.mean_cosine(exact, rounded) > 0.99
    assert np.array_equal(crops.logits(network), exact)


def test_clips_leave_out_a_lone_outlier() -> None:
    counts = np.zeros(simulate_int8.HISTOGRAM_BINS)
    counts[:1000] = 100_000
    counts[-1] = 1
    assert simulate_int8.clip_of(counts, 8.0, "max") == 8.0
    assert simulate_int8.clip_of(counts, 8.0, "percentile") == pytest.approx(1000 * 8 / len(counts))
    assert simulate_int8.clip_of(counts, 8.0, "mse") < 2
