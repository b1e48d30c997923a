"""evaluate(): readings of labelled pictures, scored."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from lprnet._engine import Reading, Recognizer, _score
from lprnet._results import Evaluation, Failure

# Pictures that are in memory at once, and after which progress is told.
CHUNK = 256


def evaluate(
    plates: Iterable[tuple[Any, ...]],
    recognizer: Recognizer | None = None,
    *,
    progress: Callable[[int], object] | None = None,
) -> Evaluation:
    """Reads labelled pictures and counts what comes out right.

    plates: (picture, text) or (picture, text, set), the picture as Recognizer.read() takes it; any number, they are
    taken 256 at a time. Those that cannot be read are in `errors` of the answer and count nowhere else. recognizer:
    None for one with the built-in model. progress: called with the number of pictures so far. TypeError for rows of
    another form.
    """
    recognizer = recognizer or Recognizer()
    rows, errors, done = [], [], 0
    plates = iter(plates)
    while chunk := list(islice(plates, CHUNK)):
        labels = [label_of(row, done + i) for i, row in enumerate(chunk)]
        for (text, group), answer in zip(labels, recognizer.read_batch([row[0] for row in chunk]), strict=True):
            if isinstance(answer, Reading):
                rows.append((text, group, answer))
            else:
                errors.append(Failure(done, answer))
            done += 1
        if progress is not None:
            progress(done)
    return _score(recognizer.decode, rows, tuple(errors))


def label_of(row: Any, index: int) -> tuple[str, str]:
    fits = isinstance(row, (tuple, list)) and 2 <= len(row) <= 3 and all(isinstance(word, str) for word in row[1:])
    if not fits:
        raise TypeError(f"plates: expected (picture, text) or (picture, text, set), found {row!r:.60} at {index}")
    return row[1], row[2] if len(row) > 2 else ""
