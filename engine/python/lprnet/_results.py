"""The parts of answers, as named tuples."""

from typing import NamedTuple


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
