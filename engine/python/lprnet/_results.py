"""The parts of answers, as named tuples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from lprnet._engine import Model


class Alternative(NamedTuple):
    """Another character that may stand in a place, with its share among all, 0 to 1."""

    text: str
    confidence: float


class Character(NamedTuple):
    """A character of a reading.

    confidence: 0 to 1, against all texts that differ in this place alone. first_step, last_step: its time steps in the
    likeliest alignment, from 0. alternatives: up to three others, likeliest first.
    """

    text: str
    confidence: float
    first_step: int
    last_step: int
    alternatives: tuple[Alternative, ...]


class Candidate(NamedTuple):
    """A text that may be the plate's.

    confidence: as Reading.confidence. format: an index in Patterns.formats, -1 for a text without one.
    """

    text: str
    confidence: float
    format: int


class Answer(NamedTuple):
    """The answer of a Vote: the likeliest text, its share among all (0 to 1), by how much it is ahead, all texts."""

    text: str
    confidence: float
    margin: float
    candidates: tuple[Candidate, ...]


class Match(NamedTuple):
    """A known plate that a text may stand for: its index in the list, itself, its likelihood from 0 to 1."""

    index: int
    plate: str
    likelihood: float


class Format(NamedTuple):
    """A format of plates, with the prior of its texts."""

    name: str
    prior: float


class Failure(NamedTuple):
    """An input that could not be used: its index in what was given, and the exception."""

    index: int
    error: Exception


class VerifiedLayer(NamedTuple):
    """A layer against PyTorch, over all elements of all images.

    max_abs: largest difference. rel_l2: norm of the difference over that of what was expected. cosine: -1 to 1, NaN if
    one side alone is all zeros.
    """

    name: str
    max_abs: float
    rel_l2: float
    cosine: float
    ok: bool


class Verification(NamedTuple):
    """What verify() found.

    first_bad: name of the first layer whose cosine is too low. fused: names of the dump that are not computed on their
    own. texts_equal: every image is read as from the dumped logits.
    """

    ok: bool
    first_bad: str | None
    layers: tuple[VerifiedLayer, ...]
    fused: tuple[str, ...]
    texts_equal: bool
    images: int
    isa: str


class TableCheck(NamedTuple):
    """A network on one kernel table.

    error: of the logits against the reference, relative. hash: of a network in int8, whose bits are to be equal
    everywhere. wrong: what is; empty if all is well.
    """

    model: str
    precision: str
    isa: str
    error: float
    hash: str | None
    wrong: str

    @property
    def ok(self) -> bool:
        return not self.wrong


class Setting(NamedTuple):
    """One way to make the input, and what came of it.

    scale: a formula such as "(x - 127.5) / 128". right: plates. edits: characters to replace, add or remove, of all
    plates. log_likelihood: natural logarithm of the probability of the plate's text, mean. as_good_as_best: the
    pictures do not tell it from the best one. model_file: what the model's file says.
    """

    channel_order: str
    scale: str
    resize: str
    right: int
    edits: int
    log_likelihood: float
    as_good_as_best: bool
    model_file: bool


class Diagnosis(NamedTuple):
    """What doctor() found: settings, the likeliest first; and the pictures that could not be used."""

    ok: bool
    verdict: str
    plates: int
    characters: int
    settings: tuple[Setting, ...]
    errors: tuple[Failure, ...]


class QuantizedLayer(NamedTuple):
    """What quantizing did to a layer.

    largest, clip: its largest output, and where they saturate; 0 if outputs are not quantized. cosine, relative_error:
    of its outputs against those in float32. error_alone, error_without: of the logits with this layer alone quantized,
    and with all but it; share: its part of the sum of the former's squares (these are None unless asked for).
    """

    name: str
    type: str
    weights: Literal["float32", "int8"]
    kernel: str
    largest: float
    clip: float
    cosine: float
    relative_error: float
    error_alone: float | None
    error_without: float | None
    share: float | None


class Quantization(NamedTuple):
    """A model in int8, and what that did.

    method: as the file's metadata have it. texts_changed: of `images`, those that are read otherwise. error: relative,
    of the logits, None unless asked for. bytes_before, bytes_after: of the files. errors: pictures that could not be
    used.
    """

    model: Model
    method: str
    images: int
    texts_changed: int
    layers: tuple[QuantizedLayer, ...]
    error: float | None
    bytes_before: int
    bytes_after: int
    errors: tuple[Failure, ...]


class PrunedLayer(NamedTuple):
    """What pruning did to a layer: shares of zeros, and of the sums of |w| and w^2 that were removed, 0 to 1."""

    name: str
    weights: int
    zeros: int
    share: float
    l1_removed: float
    l2_removed: float
    stored_bytes: int


class Pruning(NamedTuple):
    """A pruned model, and what that did. bytes_before, bytes_after: of the files."""

    model: Model
    layers: tuple[PrunedLayer, ...]
    bytes_before: int
    bytes_after: int


class Score(NamedTuple):
    """What was read right: counts, and shares from 0 to 1.

    char_accuracy: one minus edits per character, not below 0. first_char_accuracy: of the first character alone.
    """

    plates: int
    correct: int
    accuracy: float
    char_accuracy: float
    first_char_accuracy: float


class Bin(NamedTuple):
    """Plates whose confidence is in one of fifteen equal intervals: its mean, and the share that was read right."""

    plates: int
    confidence: float
    accuracy: float


class Confusion(NamedTuple):
    """A character that was replaced, and how often; an empty one is missing or was added."""

    expected: str
    found: str
    count: int


class Evaluation(NamedTuple):
    """What evaluate() found.

    expected_calibration_error: mean distance between confidence and share read right, 0 to 1. rejected: readings with a
    reject_score above Recognizer.reject_above. reliability: bins of confidence. by_length: by characters of the text.
    confusions: the most frequent first. errors: pictures that could not be read.
    """

    all: Score
    decode: str
    expected_calibration_error: float
    mean_confidence: float
    rejected: int
    reliability: tuple[Bin, ...]
    by_set: dict[str, Score]
    by_length: dict[int, Score]
    confusions: tuple[Confusion, ...]
    errors: tuple[Failure, ...]
