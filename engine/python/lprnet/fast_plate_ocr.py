"""Recognizer with the names that users of fast-plate-ocr know. Needs nothing of it.

>>> from lprnet.fast_plate_ocr import LicensePlateRecognizer
>>> LicensePlateRecognizer(precision="int8").run("plate.jpg", return_confidence=True)
"""

import os
from typing import Any, NamedTuple

from lprnet._engine import Reading, Recognizer


class PlatePrediction(NamedTuple):
    """plate: the text. char_probs: confidence of each character, 0 to 1, where asked for. Regions are not told."""

    plate: str
    char_probs: list[float] | None = None
    region: str | None = None
    region_prob: float | None = None


class LicensePlateRecognizer:
    """`options` are those of Recognizer. Arrays are RGB or gray, as fast-plate-ocr takes them."""

    def __init__(self, **options: Any) -> None:
        self.recognizer = Recognizer(**options)

    def run(self, source: Any, return_confidence: bool = False) -> list[PlatePrediction]:
        """Of a path, an array, a list of them, or an array of shape (count, height, width, 3): one for each picture.

        Raises the first error of Recognizer.read(); read_batch() keeps those of each picture apart.
        """
        is_one = isinstance(source, (str, bytes, os.PathLike)) or getattr(source, "ndim", 4) <= 3
        answers = self.recognizer.read_batch([source] if is_one else source, color="rgb")
        for answer in answers:
            if not isinstance(answer, Reading):
                raise answer
        if not return_confidence:
            return [PlatePrediction(answer.text) for answer in answers]
        return [PlatePrediction(a.text, [character.confidence for character in a.characters]) for a in answers]

    def run_one(self, source: Any, return_confidence: bool = False) -> PlatePrediction:
        """Of one picture; ValueError for another number of them."""
        predictions = self.run(source, return_confidence)
        if len(predictions) != 1:
            raise ValueError(f"source: expected one picture, found {len(predictions)}")
        return predictions[0]
