"""License plate recognition with LPRNet on CPUs, without a runtime.

>>> import lprnet
>>> lprnet.Recognizer().read("plate.jpg")
Reading('川G5W306', confidence=0.9986, reject_score=0.0014)
"""

from lprnet._engine import (
    KnownPlates,
    Model,
    Patterns,
    Reading,
    Recognizer,
    Vote,
    __version__,
    decode_image,
    doctor,
    prune,
    quantize,
    selftest,
    verify,
)
from lprnet._errors import (
    DeviceFailedError,
    Error,
    InvalidArgumentError,
    MalformedError,
    MismatchError,
    NotFoundError,
    OutOfMemoryError,
    TimedOutError,
    UnsupportedError,
)
from lprnet._evaluate import evaluate
from lprnet._results import Alternative, Answer, Candidate, Character, Format, Match

__all__ = [
    "Alternative",
    "Answer",
    "Candidate",
    "Character",
    "DeviceFailedError",
    "Error",
    "Format",
    "InvalidArgumentError",
    "KnownPlates",
    "MalformedError",
    "Match",
    "MismatchError",
    "Model",
    "NotFoundError",
    "OutOfMemoryError",
    "Patterns",
    "Reading",
    "Recognizer",
    "TimedOutError",
    "UnsupportedError",
    "Vote",
    "__version__",
    "decode_image",
    "doctor",
    "evaluate",
    "prune",
    "quantize",
    "selftest",
    "verify",
]
