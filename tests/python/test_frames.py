"""Frames as cameras give them, and the doctor: what the program makes of pixels that OpenCV prepared."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from paths import SAMPLES, need_data
from test_engine import DEV, run, script

WIDTH, HEIGHT = 1280, 720


def samples() -> list[tuple[Path, str]]:
    rows = [line.split("\t") for line in (SAMPLES / "labels.tsv").read_text(encoding="utf-8").splitlines()]
    return [(SAMPLES / row[0], row[1]) for row in rows]


def street() -> tuple[np.ndarray, list[np.ndarray], list[str]]:
    """The sample plates at an angle in one frame, their corners (clockwise) and texts."""
    frame = np.full((HEIGHT, WIDTH, 3), (90, 100, 95), np.uint8)
    quads, texts = [], []
    for number, (path, text) in enumerate(samples()):
        plate = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
        height, width = plate.shape[:2]
        x, y = 40 + 310 * (number % 4), 60 + 220 * (number // 4)
        quad = np.float32([[x, y], [x + 230, y + 28], [x + 228, y + 96], [x - 3, y + 62]])
        # Corners of pixels, whose centers OpenCV has at whole numbers.
        corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
        matrix = cv2.getPerspectiveTransform(corners - np.float32(0.5), quad - np.float32(0.5))
        cv2.warpPerspective(plate, matrix, (WIDTH, HEIGHT), dst=frame, borderMode=cv2.BORDER_TRANSPARENT)
        quads.append(quad)
        texts.append(text)
    return frame, quads, texts


def raw_bytes(frame: np.ndarray, form: str) -> bytes:
    if form == "bgr":
        return frame.tobytes()
    if form == "yuyv":
        return cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_YUY2).tobytes()
    if form in ("rgb", "bgra", "rgba"):
        return cv2.cvtColor(frame, getattr(cv2, f"COLOR_BGR2{form.upper()}")).tobytes()
    planar = cv2.cvtColor(frame, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    luma, u, v = np.split(planar, [WIDTH * HEIGHT, WIDTH * HEIGHT * 5 // 4])
    chroma = {"i420": (u, v), "nv12": (np.stack([u, v], 1),), "nv21": (np.stack([v, u], 1),)}[form]
    return b"".join(part.tobytes() for part in (luma, *chroma))


def read_frame(path: Path, form: str, quads: list[np.ndarray]) -> list[dict]:
    words = [f"--quad={','.join(f'{value:g}' for value in quad.reshape(-1))}" for quad in quads]
    result = run("native", None, "read", "-j", "--raw", f"{form}:{WIDTH}x{HEIGHT}", path, *words)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_the_plates_of_a_frame_in_every_format(tmp_path: Path) -> None:
    frame, quads, texts = street()
    for form in ("bgr", "rgb", "bgra", "rgba", "nv12", "nv21", "i420", "yuyv"):
        path = tmp_path / form
        path.write_bytes(raw_bytes(frame, form))
        found = read_frame(path, form, quads)
        assert [line["plate"] for line in found] == texts, form
        assert [line["quad"] for line in found] == [quad.reshape(-1).tolist() for quad in quads]


def test_a_region_of_a_raw_frame_is_the_plate_alone(tmp_path: Path) -> None:
    path, text = samples()[0]
    plate = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    frame = np.full((HEIGHT, WIDTH, 3), 30, np.uint8)
    height, width = plate.shape[:2]
    frame[101 : 101 + height, 203 : 203 + width] = plate
    raw = tmp_path / "frame"
    raw.write_bytes(frame.tobytes())
    words = ["--raw", f"bgr:{WIDTH}x{HEIGHT}", "--roi", f"203,101,{width},{height}"]
    alone, part = run("native", None, "read", path), run("native", None, "read", raw, *words)
    assert part.stdout.split("\t")[:2] == alone.stdout.split("\t")[:2]
    assert part.stdout.startswith(text)


def doctor(model: Path, words: list[str]) -> tuple[subprocess.CompletedProcess[str], dict]:
    result = run("native", None, "doctor", "-j", "-m", model, *words)
    return result, json.loads(result.stdout)


@pytest.fixture(scope="module")
def labelled() -> list[str]:
    need_data(DEV)
    rows = [line.split("\t") for line in (DEV / "labels.tsv").read_text(encoding="utf-8").splitlines()]
    return [f"{DEV / row[0]}={row[1]}" for row in rows if row[2] == "ccpd_photos"][:40]


@pytest.mark.parametrize("preset", ["upstream", "rdk"])
def test_doctor_tells_upstream_from_rdk(
    preset: str, labelled: list[str], public_checkpoint: Path, tmp_path: Path
) -> None:
    """The public checkpoint reads BGR; boards run it with the settings of `rdk` and get nonsense."""
    model = tmp_path / "model.safetensors"
    script("export_weights.py", public_checkpoint, "--preprocess", preset, "-o", model)
    result, report = doctor(model, labelled)
    good = [setting for setting in report["settings"] if setting["as_good_as_best"]]
    assert {setting["channel_order"] for setting in good} == {"BGR"}
    assert {"(x - 127.5) / 128", "(x - 127.5) / 127.5"} == {setting["scale"] for setting in good}
    file = next(setting for setting in report["settings"] if setting["model_file"])
    if preset == "upstream":
        assert result.returncode == 0 and report["verdict"] == "the model file fits"
        assert file["channel_order"] == "BGR" and file["right"] >= 30
    else:
        assert result.returncode == 1 and report["verdict"] == "the model file does not fit"
        assert file["channel_order"] == "RGB" and file["right"] == 0


def test_doctor_on_a_gray_model(tmp_path: Path) -> None:
    model = tmp_path / "gray.safetensors"
    script(
        "dump_reference.py",
        "--random-model",
        "widths=0.25,classes=68,channels=1,seed=1",
        "--random-images",
        1,
        "--save-model",
        model,
        "-o",
        tmp_path / "dump.safetensors",
    )
    charset = json.loads(run("native", None, "info", "-j", "-m", model).stdout)["charset"]
    result, report = doctor(model, [f"{samples()[0][0]}={charset[0]}{charset[1]}"])
    assert result.returncode == 1 and report["verdict"] == "nothing fits"
    assert {setting["channel_order"] for setting in report["settings"]} == {"GRAY"}
