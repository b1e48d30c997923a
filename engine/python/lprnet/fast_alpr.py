"""lprnet as the reader of fast-alpr. Needs fast-alpr.

>>> from fast_alpr import ALPR
>>> from lprnet.fast_alpr import LprnetOCR
>>> alpr = ALPR(ocr=LprnetOCR(precision="int8"))
"""

from typing import Any

from fast_alpr.base import BaseOCR, OcrResult

from lprnet import Recognizer


class LprnetOCR(BaseOCR):
    """Reads the crops that fast-alpr's detector finds. `options` are those of Recognizer.

    reject_above: a crop whose reject_score is above this shows no plate and has no result; None takes the
    recognizer's own, 1 keeps all.
    """

    def __init__(self, reject_above: float | None = None, **options: Any) -> None:
        self.recognizer = Recognizer(**options)
        self.reject_above = self.recognizer.reject_above if reject_above is None else reject_above

    def predict(self, cropped_plate: Any) -> OcrResult | None:
        """Text and the confidence of each character of a crop, uint8, BGR; None for no plate, or a box of no size.

        Errors are those of Recognizer.read().
        """
        if cropped_plate is None or getattr(cropped_plate, "size", 1) == 0:
            return None
        reading = self.recognizer.read(cropped_plate)
        if not reading.text or reading.reject_score > self.reject_above:
            return None
        return OcrResult(text=reading.text, confidence=[character.confidence for character in reading.characters])
