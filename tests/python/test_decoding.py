"""Decoders and confidences on labelled crops, as `lprnet eval` counts them, and the scripts about confidences.
"""

from __future__ import annotations

import functools
import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

import calibrate
import count_confusions
import non_plates
from paths import DATA, PROGRAM, SAMPLES, SHIPPED, need_data, need_program


@functools.cache
def evaluate(labels: Path, decoder: str, model: Path = SHIPPED) -> dict:
    need_program()
    need_data(labels)
    return calibrate.evaluate(PROGRAM, model, labels, decoder)


DECODERS = ("greedy", "beam", "grammar")
DEV = DATA / "plates" / "dev" / "labels.tsv"


def test_grammar_on_the_public_checkpoint(public_model: Path) -> None:
    greedy, grammar = (evaluate(DEV, decoder, public_model) for decoder in ("greedy", "grammar"))
    assert grammar["accuracy"] >= greedy["accuracy"] + 0.045


def test_grammar_is_below_greedy_on_no_set() -> None:
    greedy, grammar = (evaluate(DEV, decoder) for decoder in ("greedy", "grammar"))
    for name, score in greedy["by_set"].items():
        assert grammar["by_set"][name]["correct"] >= score["correct"], name


@pytest.mark.parametrize("decoder", DECODERS)
def test_confidences_can_be_believed(decoder: str) -> None:
    assert evaluate(DEV, decoder)["expected_calibration_error"] <= 0.02


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("non_plates")
    non_plates.write_pictures(folder, 60, seed=1, kinds=[kind for kind in non_plates.KINDS if kind != "foreign"])
    return folder


@pytest.mark.parametrize("decoder", DECODERS)
def test_pictures_without_a_plate_are_rejected(decoder: str, pictures: Path) -> None:
    report = evaluate(pictures / "labels.tsv", decoder)
    assert report["plates"] == 60 * (len(non_plates.KINDS) - 1)
    assert report["rejected"] >= 0.95 * report["plates"]
    assert evaluate(SAMPLES, decoder)["rejected"] == 0


def test_plates_of_other_countries_are_rejected_with_formats(tmp_path: Path) -> None:
    non_plates.write_pictures(tmp_path, 120, seed=1, kinds=["foreign"])
    assert evaluate(tmp_path / "labels.tsv", "grammar")["rejected"] >= 0.8 * 120
    # Without formats a text is a text: what is rejected there is what is hard to read.
    assert evaluate(tmp_path / "labels.tsv", "greedy")["rejected"] < 0.8 * 120


@pytest.mark.parametrize("decoder", DECODERS)
def test_plates_are_not_rejected(decoder: str) -> None:
    report = evaluate(DEV, decoder)
    assert report["rejected"] <= 0.01 * report["plates"]


def test_equal_seeds_give_equal_pictures(tmp_path: Path, pictures: Path) -> None:
    non_plates.write_pictures(tmp_path, 60, seed=1, kinds=[kind for kind in non_plates.KINDS if kind != "foreign"])
    for path in sorted(pictures.iterdir()):
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_calibrate_writes_a_temperature_that_the_program_reads(tmp_path: Path) -> None:
    need_program()
    output, plot = tmp_path / "calibrated.safetensors", tmp_path / "plot.png"
    flags = ["--program", PROGRAM, "--fit", SAMPLES, "--test", SAMPLES, "-o", output, "--plot", plot]
    assert calibrate.main(list(map(str, [SHIPPED, *flags]))) == 0
    report = calibrate.evaluate(PROGRAM, output, SAMPLES, "grammar")
    assert 0.25 <= report["temperature"] <= 4.0 and report["temperature"] != 1.0
    assert plot.stat().st_size > 1000
    calibrate.set_temperature(output, output, 1.0)
    assert calibrate.evaluate(PROGRAM, output, SAMPLES, "grammar")["temperature"] == 1.0


def test_calibrate_reports_what_the_program_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need_program()
    missing = tmp_path / "none.safetensors"
    assert calibrate.main([str(missing), "--program", str(PROGRAM), "--test", str(SAMPLES)]) == 3
    assert "none.safetensors" in capsys.readouterr().err
    assert calibrate.main([str(SHIPPED), "--program", str(tmp_path / "none"), "--test", str(SAMPLES)]) == 3


def test_the_table_of_confusions_leaves_out_what_happened_once() -> None:
    rows = [{"expected": "B", "found": "8", "count": 3}, {"expected": "", "found": "1", "count": 1}]
    text = count_confusions.table(Counter("BB8"), rows, "model")
    assert '{"B", "8", 3},' in text and '{"", "1", 1}' not in text and '{"B", 2},' in text


def test_json_lines_describe_candidates_and_characters() -> None:
    need_program()
    command = [PROGRAM, "read", "-j", "--decode", "grammar", "-n", "5", SAMPLES]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    for line in map(json.loads, result.stdout.splitlines()):
        assert [candidate["plate"] for candidate in line["candidates"]][0] == line["plate"]
        assert len({candidate["plate"] for candidate in line["candidates"]}) == 5
        assert sum(candidate["confidence"] for candidate in line["candidates"]) <= 1.00001
        assert line["matches_template"] and not line["rejected"]
        for character in line["characters"]:
            shares = [other["confidence"] for other in character["alternatives"]]
            assert shares == sorted(shares, reverse=True)
            assert character["confidence"] + sum(shares) <= 1.00001
