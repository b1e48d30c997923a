"""Within fast-alpr, with a detector that finds what the test says; and the names of fast-plate-ocr."""

import numpy as np
import pytest

import lprnet
from lprnet.fast_plate_ocr import LicensePlateRecognizer


@pytest.fixture(scope="module")
def plates(samples):
    return [lprnet.decode_image(path) for path in samples[:3]]


def test_fast_alpr(plates, recognizer):
    fast_alpr = pytest.importorskip("fast_alpr")
    from fast_alpr.base import BaseDetector
    from open_image_models.detection.core.base import BoundingBox, DetectionResult

    from lprnet.fast_alpr import LprnetOCR

    height, width = max(p.shape[0] for p in plates), max(p.shape[1] for p in plates)
    frame = np.random.default_rng(1).integers(0, 256, (height * 4, width + 20, 3)).astype(np.uint8)
    boxes = []
    for i, plate in enumerate(plates):
        y, x = i * height, 7
        frame[y : y + plate.shape[0], x : x + plate.shape[1]] = plate
        boxes.append(BoundingBox(x, y, x + plate.shape[1], y + plate.shape[0]))
    boxes.append(BoundingBox(0, 3 * height, width, 4 * height))  # noise

    class Detector(BaseDetector):
        def predict(self, frame):
            return [DetectionResult(label="License Plate", confidence=0.9, bounding_box=box) for box in boxes]

    results = fast_alpr.ALPR(detector=Detector(), ocr=LprnetOCR()).predict(frame)
    readings = [recognizer.read(plate) for plate in plates]
    assert [result.ocr.text for result in results[:3]] == [reading.text for reading in readings]
    assert [result.ocr.confidence for result in results[:3]] == [
        [character.confidence for character in reading.characters] for reading in readings
    ]
    assert results[3].ocr is None  # no plate, by its reject score
    ocr = LprnetOCR(reject_above=1, precision="int8")
    assert ocr.predict(None) is None and ocr.predict(plates[0][:0]) is None
    assert ocr.predict(plates[0]).text == readings[0].text
    with pytest.raises(TypeError, match="found float64 array"):
        ocr.predict(plates[0].astype(float))


def test_fast_plate_ocr(plates, samples, recognizer):
    ours = LicensePlateRecognizer()
    readings = [recognizer.read(plate) for plate in plates]
    texts = [reading.text for reading in readings]
    rgb = [np.ascontiguousarray(plate[..., ::-1]) for plate in plates]
    assert [p.plate for p in ours.run(rgb)] == texts
    assert [p.plate for p in ours.run([str(path) for path in samples[:3]])] == texts
    assert ours.run(str(samples[0])) == ours.run(samples[0]) == ours.run(rgb[0]) == ours.run(rgb[0][None])
    assert ours.run(rgb[0], return_confidence=True)[0].char_probs == [c.confidence for c in readings[0].characters]
    assert ours.run_one(rgb[0]).char_probs is None and ours.run([]) == []
    assert ours.run_one(rgb[0][..., 0]).plate == recognizer.read(rgb[0][..., 0]).text
    with pytest.raises(FileNotFoundError):
        ours.run([rgb[0], "missing.jpg"])
    with pytest.raises(ValueError, match="expected one picture, found 3"):
        ours.run_one(rgb)
    with pytest.raises(TypeError, match="images: expected a list"):
        ours.run(None)
