"""Tests of training: the recipe, pruning masks, resuming, the synthetic dev set and the int8 simulation.

Everything runs on rendered plates and narrow networks; no data is needed.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import dump_reference
import lprnet_model
import photographed
import plates
import rectify
import simulate_int8
import synth_dev
import synth_plates
import train
from paths import SCRIPTS
from training import crops, growing, pruning, recipe, stage
from training.evaluation import EvalSet, network_input
from training.optimizer import make_optimizer

TINY = {"batch": 2, "widths": 0.25, "classes": 68, "real_share": 0.0, "warm_up": 2, "kinds": {"blue": 1.0}}


def site() -> stage.Site:
    return stage.Site(real=(), glyphs=None, workers=2, save_minutes=0, eval_minutes=0)


def run(folder: Path, start: Path | None = None, evaluate=lambda network: {"all": 0.0}, **settings) -> dict:
    training = stage.Training(recipe.Stage("test", **{**TINY, **settings}), folder, start, site(), teacher=None)
    stage.run_stages([training], site(), evaluate)
    return lprnet_model.read_checkpoint(folder / "ema.pth")


def equal(first: dict, second: dict) -> bool:
    return set(first) == set(second) and all(torch.equal(first[key], second[key]) for key in first)


def test_every_stage_of_the_recipe_can_run() -> None:
    stages = recipe.load_recipe(SCRIPTS / "recipe.toml")
    assert {"dense", "sparse35", "sparse50", "sparse70", "shaped35", "short"} <= set(stages)
    for name in stages:
        assert recipe.chain(stages, [name])[0].needs == () and recipe.chain(stages, [name])[-1].name == name
    shipped = recipe.chain(stages, ["dense", "sparse35"])
    assert [[one.name for one in group] for group in recipe.together(shipped)] == [
        ["scratch"], ["restart"], ["first"], ["cameras", "wide"], ["dense", "sparse35"],
    ]  # fmt: skip
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
        ("[a]\nsteps = 1\nkinds = { blue = 0.5 }", "stage a: kinds: expected shares that add up to 1, found 0.5"),
        ("[a]\nsteps = 1\nkinds = { pink = 1.0 }", "stage a: kinds: unknown kind 'pink'"),
        ("[a]\nsteps = 1\nkinds = [1.0]", "stage a: kinds: expected NAME = SHARE"),
        ("[a]\nsteps = 1\nclasses = 70", "stage a: classes: expected one of (68, 75, 79, 89)"),
        ("[a]\nsteps = 1\nclasses = 79", "stage a: kinds: military_older has "),
        ("[a]\nsteps = 1\naverage = ['b']", "stage a: average: expected no after"),
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
        recipe.chain(stages, ["a"])
    with pytest.raises(recipe.RecipeError, match="stage d: not in the recipe"):
        recipe.chain(stages, ["c"])


def test_stages_beside_others(bank: synth_plates.GlyphBank, tmp_path: Path) -> None:
    """Networks that are trained in one go get the weights that each would get alone."""
    alone = [recipe.Stage(name, **{**TINY, "steps": steps, "lr": rate}) for name, steps, rate in
             (("a", 3, 1e-3), ("b", 5, 2e-3), ("c", 4, 3e-3))]  # fmt: skip
    wanted = [run(tmp_path / f"alone_{one.name}", steps=one.steps, lr=one.lr) for one in alone]
    trainings = [stage.Training(one, tmp_path / one.name, None, site(), teacher=None) for one in alone]
    stage.run_stages(trainings, site(), lambda network: {"all": 0.0})
    for one, expected in zip(alone, wanted, strict=True):
        assert equal(lprnet_model.read_checkpoint(tmp_path / one.name / "ema.pth"), expected)


def test_a_cut_off_group_goes_on_where_each_of_it_was(bank: synth_plates.GlyphBank, tmp_path: Path) -> None:
    stages = [recipe.Stage(name, **{**TINY, "steps": 4, "lr": rate}) for name, rate in (("a", 1e-3), ("b", 2e-3))]
    wanted = [run(tmp_path / f"alone_{one.name}", steps=4, lr=one.lr) for one in stages]
    for one, steps in zip(stages, (1, 3), strict=True):
        training = stage.Training(one, tmp_path / one.name, None, site(), teacher=None)
        for batch in stage.batches(one, (), None, range(steps), 1):
            training.learn(stage.pixels_of(batch, site().device), batch, None)
        training.save()
    trainings = [stage.Training(one, tmp_path / one.name, None, site(), teacher=None) for one in stages]
    assert [one.step for one in trainings] == [1, 3]
    stage.run_stages(trainings, site(), lambda network: {"all": 0.0})
    for one, expected in zip(stages, wanted, strict=True):
        assert equal(lprnet_model.read_checkpoint(tmp_path / one.name / "ema.pth"), expected)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[a]\nsteps = 4\n[b]\nsteps = 6\nafter = 'a'\nbeside = 'a'\n", "stage b: needs a, which is not done when a"),
        ("[a]\nsteps = 4\n[b]\nsteps = 4\nbeside = 'a'\nseed = 7\n", "stage b: seed: expected 1 as a, whose batches"),
        ("[a]\nsteps = 4\n[b]\nsteps = 6\nbeside = 'a'\n", "stage b: steps: expected 4 as a"),
        ("[a]\nsteps = 4\nbatch = 3\n[b]\nsteps = 4\nbeside = 'a'\n", "stage b: batch: expected 3 as a"),
    ],
)
def test_stages_that_cannot_be_beside_others(tmp_path: Path, capsys, text: str, named: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    assert train.main(["a", "b", "--recipe", str(path), "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert named in error and error.count("\n") == 1


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

    files = render("a", "--per-province", "2", "--greens", "31", "--per-kind", "3")
    assert files == render("b", "--per-province", "2", "--greens", "31", "--per-kind", "3")
    samples = plates.list_samples([tmp_path / "a"])
    kinds = synth_plates.SPECIAL_KINDS
    assert len(samples) == 93 + 3 * len(kinds) and len(files) == len(samples) + 1
    for number, sample in enumerate(samples):
        plates.encode(sample.text, plates.CHARSET_CN89)
        if number < 62:
            assert sample.text[0] == sample.group == plates.PROVINCES[number // 2] and len(sample.text) == 7
        elif number < 93:
            assert sample.text[0] == plates.PROVINCES[number - 62] and sample.group == "green" and len(sample.text) == 8
        else:
            assert sample.group == kinds[(number - 93) // 3]
    images, texts, groups = synth_dev.render_dev(bank, synth_dev.Size(2, 31, 3))
    assert texts == [sample.text for sample in samples] and groups == [sample.group for sample in samples]
    assert np.array_equal(images[5], plates.read_image(samples[5].path))


@pytest.mark.parametrize(("widths", "classes"), [(0.25, 89), (0.5, 68), (0.5, 79), (0.375, 68)])
def test_a_grown_network_answers_as_before(
    network: lprnet_model.Lprnet, monkeypatch: pytest.MonkeyPatch, widths: float, classes: int
) -> None:
    monkeypatch.setattr(growing, "COPY_NOISE", 0.0)
    shape = lprnet_model.LprnetShape.from_widths(widths, classes)
    larger = growing.grown(network, shape, seed=1)
    assert larger.shape == shape
    images = dump_reference.random_images(4, seed=2)
    rows = EvalSet(images, [""] * 4, [""] * 4)
    before, after = rows.logits(network), rows.logits(larger)
    shared = np.concatenate([after[:, :67], after[:, -1:]], axis=1)
    # Copies that are not of all channels alike change the mean square that a tap is divided by, and so do new classes,
    # which are nearly silent.
    limit = 1e-4 if (widths, classes) == (0.5, 68) else 0.15
    assert np.abs(shared - before).max() < limit * np.abs(before).max()
    if classes == 68:
        twice = growing.grown(network, shape, seed=1).state_dict()
        assert equal(twice, larger.state_dict())
    else:
        assert after[:, 67:-1].mean() < before.mean() - 1


def test_a_network_does_not_shrink(network: lprnet_model.Lprnet) -> None:
    with pytest.raises(ValueError, match="at least the widths"):
        growing.grown(network, lprnet_model.LprnetShape.from_widths(0.125), seed=1)


def test_an_added_transformer_changes_nothing_at_first(network: lprnet_model.Lprnet, tmp_path: Path) -> None:
    torch.save(network.state_dict(), tmp_path / "start.pth")
    straight = recipe.Stage("test", steps=1, classes=68, transformer=True)
    larger = stage.starting_network(straight, tmp_path / "start.pth")
    assert larger.shape.transformer == stage.TRANSFORMER
    images = dump_reference.random_images(4, seed=2)
    rows = EvalSet(images, [""] * 4, [""] * 4)
    before = rows.logits(network)
    assert np.allclose(rows.logits(larger), before, atol=1e-4 * np.abs(before).max())

    again = lprnet_model.model_from_state_dict(larger.state_dict())
    assert again.shape == larger.shape
    again.transformer.fc_loc[2].bias.data[2] = 2.0  # half a width to the right
    assert not np.allclose(rows.logits(again), before, atol=0.01 * np.abs(before).max())
    half = dict(larger.state_dict())
    del half["transformer.fc_loc.0.weight"]
    with pytest.raises(lprnet_model.LayoutError, match="transformer.fc_loc.0.weight: missing"):
        lprnet_model.model_from_state_dict(half)

    groups = make_optimizer(larger, straight).param_groups
    assert [group["share"] for group in groups] == [1.0, 1.0, 0.1, 0.1]
    assert sum(len(group["params"]) for group in groups) == len(list(larger.parameters()))
    kept = recipe.Stage("test", steps=1, classes=68)
    torch.save(larger.state_dict(), tmp_path / "larger.pth")
    assert stage.starting_network(kept, tmp_path / "larger.pth").shape == larger.shape


def test_copies_keep_what_strided_pools_keep() -> None:
    assert growing.copies(8, 16, 4).tolist() == [0, 1, 2, 3, 4, 5, 6, 7] * 2
    assert growing.copies(8, 12, 4).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3]
    assert growing.copies(3, 3).tolist() == [0, 1, 2]


def test_stages_that_use_others(bank: synth_plates.GlyphBank, tmp_path: Path) -> None:
    text = "[a]\nsteps = 2\nseed = 1\n[b]\nlike = 'a'\nafter = 'a'\nseed = 2\n[c]\nlike = 'a'\nafter = 'a'\nseed = 3\n"
    text += "[mean]\naverage = ['b', 'c']\n[wide]\nlike = 'a'\nafter = 'a'\nwidths = 0.375\n"
    text += "[taught]\nlike = 'b'\n"
    text = text.replace("[a]\n", "[a]\nbatch = 2\nwidths = 0.25\nreal_share = 0.0\nwarm_up = 1\n")
    text = text.replace("[taught]\nlike = 'b'\n", "[taught]\nlike = 'a'\nafter = 'a'\nseed = 2\nteacher = 'wide'\n")
    (tmp_path / "recipe.toml").write_text(text)
    words = ["--recipe", str(tmp_path / "recipe.toml"), "--out", str(tmp_path), "--threads", "1"]
    assert train.main(["mean", *words]) == 0
    first, second, mean = (lprnet_model.read_checkpoint(tmp_path / name / "ema.pth") for name in ("b", "c", "mean"))
    key = "backbone.20.weight"
    assert torch.equal(mean[key], (first[key] + second[key]) / 2) and not torch.equal(first[key], second[key])
    assert train.main(["taught", *words]) == 0
    taught = lprnet_model.read_checkpoint(tmp_path / "taught" / "ema.pth")
    assert taught[key].shape == first[key].shape and not torch.equal(taught[key], first[key])
    table = (tmp_path / "stages.md").read_text().splitlines()
    assert [line.split("|")[1].strip() for line in table[2:]] == ["a", "wide", "taught"]

    other = ["--recipe", words[1], "--out", str(tmp_path / "given"), "--threads", "1"]
    assert train.main(["b", *other, "--given", f"a={tmp_path / 'a' / 'ema.pth'}"]) == 0
    assert equal(first, lprnet_model.read_checkpoint(tmp_path / "given" / "b" / "ema.pth"))
    assert not (tmp_path / "given" / "a").exists()


def test_given_results_that_are_none(tmp_path: Path, capsys) -> None:
    for given in ("dense", "dense=nowhere.pth", f"pearl={SCRIPTS / 'recipe.toml'}"):
        assert train.main(["sparse35", "--out", str(tmp_path), "--given", given]) == 2
        assert f"--given {given.split('=')[0]}" in capsys.readouterr().err


def test_photographed_characters_become_masks() -> None:
    size = (22, 45)
    drawn = np.zeros((45, 22), np.uint8)
    drawn[4:41, 3:7] = drawn[4:41, 15:19] = drawn[20:24, 3:19] = 255
    small = cv2.resize(
        cv2.copyMakeBorder(drawn, 4, 4, 3, 3, cv2.BORDER_CONSTANT), (14, 27), interpolation=cv2.INTER_AREA
    )
    alpha = small[..., None] / 255
    blue = ((180, 70, 10) * (1 - alpha) + 240 * alpha).astype(np.uint8)
    yellow = ((20, 180, 235) * (1 - alpha) + 30 * alpha).astype(np.uint8)
    for image in (blue, yellow, blue // 3):
        mask = photographed.ink_mask(image, size)
        assert mask.shape == (45, 22)
        assert mask[10, 2] > 150 and mask[10, 11] < 100 and mask[22, 11] > 120
    assert photographed.ink_mask(np.full((27, 14, 3), 90, np.uint8), size) is None


def test_heads_and_serials_are_put_together(bank: synth_plates.GlyphBank, tmp_path: Path) -> None:
    lines = []
    for number, (text, kind) in enumerate((("京A12345", "blue"), ("藏B67890", "blue"), ("皖AD12345", "green"))):
        image = synth_plates.render_plate(synth_plates.Plate(text, kind), bank, np.random.default_rng(1), tidy=True)
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
        lines.append(f"{number}.png\t{text}\tset{number}\n")
    (tmp_path / "labels.tsv").write_text("".join(lines), encoding="utf-8")
    source = crops.RealCrops([tmp_path], 0.5, 0.0)
    assert [gap is not None for gap in source.gaps] == [True, True, False]
    assert all(abs(gap - 0.306) < 0.03 for gap in source.gaps[:2])
    texts = {source.draw(np.random.default_rng(seed), 0.5, 1.0)[1] for seed in range(60)}
    assert texts == {"京A12345", "京A67890", "藏B67890", "藏B12345", "皖AD12345"}
    first, second = (plates.read_image(tmp_path / f"{number}.png") for number in range(2))
    whole = crops.spliced(first, source.gaps[0], second, source.gaps[1])
    assert np.array_equal(whole[:, 80:], second[:, 80:])
    assert (
        np.abs(whole[:, :60].astype(int) - first[:, :60]).mean()
        < np.abs(whole[:, :60].astype(int) - second[:, :60]).mean()
    )


def test_crops_of_two_rows_are_joined(tmp_path: Path) -> None:
    picture = dump_reference.random_images(1, seed=4)[0]
    picture = cv2.resize(picture, (120, 70))
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    sample = plates.Sample(tmp_path / "a.png", "a.png", "", "web", "trailer")
    assert np.array_equal(network_input(sample), rectify.joined_rows(picture, 94, 24))
    assert not np.array_equal(network_input(sample._replace(kind="blue")), network_input(sample))
    assert np.array_equal(network_input(sample._replace(kind="military")), network_input(sample))


def test_evaluation_counts_exact_plates(network: lprnet_model.Lprnet) -> None:
    images = dump_reference.random_images(3, seed=2)
    texts = [plates.greedy_text(one, plates.CHARSET_CN68) for one in EvalSet(images, "abc", "xyz").logits(network)]
    rows = EvalSet(images, [texts[0], "wrong", texts[2]], ["a", "a", "b"])
    assert rows.accuracy(network) == {"all": pytest.approx(2 / 3), "a": 0.5, "b": 1.0}


def test_folding_changes_nothing_and_int8_little(network: lprnet_model.Lprnet) -> None:
    images = dump_reference.random_images(4, seed=2)
    rows = EvalSet(images, [""] * 4, [""] * 4)
    exact = rows.logits(network)
    folded = simulate_int8.folded(network)
    assert np.allclose(rows.logits(folded), exact, atol=1e-4 * np.abs(exact).max())
    histograms = simulate_int8.activation_histograms(folded, images)
    assert set(histograms) == set(simulate_int8.relus(network))
    clips = {name: simulate_int8.clip_of(*histogram, "max") for name, histogram in histograms.items()}
    rounded = rows.logits(simulate_int8.simulated(network, clips))
    assert not np.array_equal(rounded, exact) and simulate_int8.mean_cosine(exact, rounded) > 0.99
    assert np.array_equal(rows.logits(network), exact)


def test_clips_leave_out_a_lone_outlier() -> None:
    counts = np.zeros(simulate_int8.HISTOGRAM_BINS)
    counts[:1000] = 100_000
    counts[-1] = 1
    assert simulate_int8.clip_of(counts, 8.0, "max") == 8.0
    assert simulate_int8.clip_of(counts, 8.0, "percentile") == pytest.approx(1000 * 8 / len(counts))
    assert simulate_int8.clip_of(counts, 8.0, "mse") < 2
