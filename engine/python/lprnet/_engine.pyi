from collections.abc import Callable, Iterable, Sequence
import os
from typing import Any, Literal

import numpy
import numpy.typing
from typing_extensions import Buffer

import lprnet._results


class Reading:
    """
    What a recognizer tells about one picture. Immutable; equal readings have equal parts.
    """

    def __init__(self, text: str, confidence: float, reject_score: float = 0.0, characters: Iterable[lprnet._results.Character] = (), candidates: Iterable[lprnet._results.Candidate] = ()) -> None:
        """A reading of another origin, for Vote. Any numbers are taken."""

    @property
    def text(self) -> str:
        """
        The plate; empty if the network saw no character, or no text with a format fits.
        """

    @property
    def confidence(self) -> float:
        """
        P(text | image), 0 to 1; with decode='grammar' P(text | image, it has a format).
        """

    @property
    def reject_score(self) -> float:
        """
        0 to 1, near 1 for pictures that show no plate. See Recognizer.reject_above.
        """

    @property
    def characters(self) -> tuple[lprnet._results.Character, ...]:
        """
        Each character with its confidence, its steps and what else may stand there.
        """

    @property
    def candidates(self) -> tuple[lprnet._results.Candidate, ...]:
        """The likeliest texts, best first; the first one is `text`."""

    def __repr__(self) -> str: ...

    def __str__(self) -> str: ...

    def __eq__(self, other: object, /) -> bool: ...

    def __hash__(self) -> int: ...

    def __reduce__(self) -> tuple: ...

class Model:
    """
    A network with its weights, alphabet and preprocessing. Immutable; any number of
    recognizers and threads share one. Pickled with the bytes of its file.
    """

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Model:
        """
        Reads a .safetensors file as described in weights/FORMAT.md.

        NotFoundError (a FileNotFoundError) if it cannot be read; MalformedError or
        MismatchError (ValueErrors) name the first tensor or metadata key that does not fit.
        """

    @staticmethod
    def from_bytes(data: Buffer, label: str = 'model') -> Model:
        """
        The same from the bytes of a file. `label` stands for the path in messages.
        """

    @staticmethod
    def builtin(precision: str = 'fp32') -> Model:
        """
        The model in this package: 'fp32', or 'int8', the same computed in integers.
        """

    @property
    def name(self) -> str:
        """The path, the label, or 'builtin' ('builtin-int8')."""

    @property
    def source(self) -> str:
        """Free text that tells where the weights come from."""

    @property
    def architecture(self) -> str:
        """Which network's layers it has: 'LPRNet'."""

    @property
    def alphabet(self) -> list[str]:
        """
        The characters it can read, in the order of its classes, without the blank.
        """

    @property
    def charset(self) -> list[str]:
        """The text of each class, the blank included."""

    @property
    def blank(self) -> int:
        """Index of the CTC blank in `charset`."""

    @property
    def precision(self) -> str:
        """'fp32', 'sparse' or 'int8'."""

    @property
    def parameters(self) -> int:
        """Number of weights."""

    @property
    def steps(self) -> int:
        """Time steps of the output sequence, 18 for LPRNet."""

    @property
    def temperature(self) -> float:
        """
        By which logits are divided so that confidences are shares of plates read right.
        """

    def info(self) -> dict[str, Any]:
        """
        All of this but the characters, with the size of the input in pixels, as a dict.
        """

    def save(self, path: str | os.PathLike[str]) -> None:
        """
        Writes its .safetensors file, whole or not at all; NotFoundError (a FileNotFoundError)
        where that cannot be.
        """

    def __repr__(self) -> str: ...

    def __getstate__(self) -> tuple[Any, ...]: ...

    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...

class Patterns:
    """
    What the texts of plates look like: formats with priors, in a small language that the
    README describes. Immutable; pickled as its text.
    """

    @staticmethod
    def parse(text: str, label: str = 'patterns') -> Patterns:
        """
        MalformedError (a ValueError) says 'label:line:column: what is wrong', counted from 1
        in characters.
        """

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Patterns:
        """The same from a file of UTF-8 text of at most 64 KiB."""

    @staticmethod
    def builtin(name: str = 'cn') -> Patterns:
        """Chinese plates: 'cn', the one set there is."""

    @property
    def text(self) -> str:
        """As it was parsed."""

    @property
    def formats(self) -> tuple[lprnet._results.Format, ...]:
        """
        Name and prior of each, in the order of the text; Candidate.format is an index in it.
        """

    def writable(self, model: Model) -> list[bool]:
        """
        For each format whether the model has the characters to write any text of it.
        """

    def __repr__(self) -> str: ...

    def __getstate__(self) -> tuple[str, str]: ...

    def __setstate__(self, state: tuple[str, str], /) -> None: ...

class Vote:
    """
    One answer from several readings of the same plate, as of a vehicle that is
    followed from frame to frame. Ask the recognizer for some candidates to make
    the most of each frame.
    """

    def __init__(self) -> None: ...

    def add(self, reading: Reading) -> None:
        """One without text says nothing and is not counted."""

    def answer(self, candidates: int = 5) -> lprnet._results.Answer:
        """
        The likeliest text, its share among all texts (0 to 1), by how much it is ahead of
        the next, and up to so many texts, best first.
        """

    @property
    def frames(self) -> int:
        """Readings that were counted."""

    def clear(self) -> None:
        """For the next vehicle."""

class KnownPlates:
    """
    A list of plates that are expected, for texts to be compared with.
    Immutable; safe to use from many threads.
    """

    def __init__(self, plates: Iterable[str]) -> None: ...

    @property
    def plates(self) -> list[str]:
        """The list, in order."""

    def find(self, text: str, count: int = 1, least_likelihood: float = 1e-3) -> list[lprnet._results.Match]:
        """
        The best `count` plates with at least that likelihood (0 to 1), best first: 1 for an
        equal text, around 0.01 to 0.1 for a usual confusion such as D for 0.
        """

    def __len__(self) -> int: ...

    def __reduce__(self) -> tuple: ...

class Recognizer:
    """
    Pixels in, plate text out. Any number of threads may use one at the same time; it can be
    pickled, and works in processes that were forked. A context manager that closes it.

    model      None for the built-in one, a path of a .safetensors file, or a Model
    precision  of the built-in model: 'fp32', or 'int8', faster and read alike
    isa        kernel table such as 'avx2'; '' for the best of this CPU, or LPRNET_ISA
    threads    pictures that read_batch() reads at once, 1 to 64
    intra      threads that share each picture, 1 to 64: for one picture at a time
    decode     'greedy', 'beam' or 'grammar'; None: grammar with patterns or provinces,
               else beam with candidates, else greedy
    patterns   formats of plates: Patterns, a path of a file, or 'cn'
    candidates texts in a reading, at most, 1 to 100; the greedy decoder has one
    temperature divides the logits, 0.05 to 20; None takes the model's own
    provinces  that most plates here are of, such as '粤' or '京津冀': theirs count more;
               for grammar alone

    TypeError and ValueError name the argument, what was expected and what was found.
    Pixels of an array must not change while they are read.
    """

    def __init__(self, model: Model | str | os.PathLike[str] | None = None, *, precision: Literal['fp32', 'int8'] | None = None, isa: str = '', threads: int = 1, intra: int = 1, decode: Literal['greedy', 'beam', 'grammar'] | None = None, patterns: Patterns | str | os.PathLike[str] | None = None, candidates: int = 1, temperature: float | None = None, provinces: str = '') -> None: ...

    def read(self, image: str | os.PathLike[str] | Buffer, *, region: Sequence[int] | None = None, quad: Sequence[Any] | None = None, two_rows: bool = False, color: Literal['bgr', 'rgb'] = 'bgr', format: str | None = None, width: int | None = None, height: int | None = None, stride: int | None = None) -> Reading:
        """
        Reads one plate.

        image: the path of a JPEG, PNG or BMP file; its bytes (or a 1-d uint8 array of them);
        or pixels, a uint8 array of shape (height, width) for gray, (height, width, 3) or
        (height, width, 4), with any strides, also read-only. Nothing is converted: another
        type is a TypeError, another shape a ValueError.
        region: (x, y, width, height) in pixels, the part to read; has to lie inside.
        quad: four corners (x, y) in pixels, clockwise from the plate's top left.
        two_rows: the plate has two rows, which are cut apart and set side by side.
        color: order of the channels of arrays, 'bgr' as OpenCV has it, or 'rgb'.
        format: `image` is a frame of bytes without a header, in one piece: 'nv12', 'nv21',
        'i420', 'yuyv', 'bgr', 'rgb', 'bgra', 'rgba' or 'gray', of width x height pixels and
        `stride` bytes a row (None: without gaps).

        NotFoundError (a FileNotFoundError) for a file that cannot be read, MalformedError
        and UnsupportedError (ValueErrors) for what is no whole picture, OutOfMemoryError (a
        MemoryError) for one that takes more than 240 MiB to decode.
        """

    def read_batch(self, images: Iterable[Any] | Buffer, *, region: Sequence[int] | None = None, quad: Sequence[Any] | None = None, two_rows: bool = False, color: Literal['bgr', 'rgb'] = 'bgr', format: str | None = None, width: int | None = None, height: int | None = None, stride: int | None = None) -> list[Reading | Exception]:
        """
        Reads many pictures, `threads` of them at once, without the interpreter's lock.

        images: an iterable of what read() takes, or a uint8 array of shape (count, height,
        width, 3) or (count, height, width, 4). The keywords are those of read(), for every picture.
        Returns a list in the order of `images`. One that cannot be read has the exception that
        read() would raise in its place. An exception of a signal, such as KeyboardInterrupt, stops
        the batch after the pictures that are being read.
        """

    def read_columns(self, images: Iterable[Any] | Buffer, *, region: Sequence[int] | None = None, quad: Sequence[Any] | None = None, two_rows: bool = False, color: Literal['bgr', 'rgb'] = 'bgr') -> dict[str, list[Any]]:
        """
        read_batch() for tables: lists 'text', 'confidence', 'reject_score' and 'error', one
        value for each picture. Of a picture that cannot be read the first three are None;
        of the others the last.
        """

    def close(self) -> None:
        """
        Gives its memory and threads back. It cannot read afterwards: a ValueError.
        """

    def __enter__(self) -> Recognizer: ...

    def __exit__(self, *exception: object) -> None: ...

    @property
    def closed(self) -> bool: ...

    @property
    def model(self) -> Model:
        """The model it reads with."""

    @property
    def isa(self) -> str:
        """Name of the kernel table in use."""

    @property
    def threads(self) -> int: ...

    @property
    def intra(self) -> int: ...

    @property
    def decode(self) -> str: ...

    @property
    def patterns(self) -> Patterns | None: ...

    @property
    def candidates(self) -> int: ...

    @property
    def provinces(self) -> str: ...

    @property
    def reject_above(self) -> float:
        """A reading whose reject_score is above this is likely not of a plate."""

    def __repr__(self) -> str: ...

    def __reduce__(self) -> tuple: ...

def verify(dump: str | os.PathLike[str], model: Model | str | os.PathLike[str] | None = None, *, isa: str = '', min_cosine: float = 0.999999, progress: Callable[[int, int], object] | None = None) -> lprnet._results.Verification:
    """
    Compares every layer with a dump of PyTorch, which scripts/dump_reference.py writes.

    min_cosine: what a layer has to have, -1 to 1. progress: called with parts done and in all;
    an exception that it raises, or KeyboardInterrupt, stops the work. MismatchError (a
    ValueError) if the dump is of another network, NotFoundError if it cannot be read.
    """

def selftest(model: Model | str | os.PathLike[str] | None = None, *, progress: Callable[[int, int], object] | None = None) -> list[lprnet._results.TableCheck]:
    """
    Compares every kernel table of this CPU with plain loops. model: None for those built
    in, in both precisions. progress: as for verify().
    """

def doctor(plates: Iterable[tuple[Any, str]], model: Model | str | os.PathLike[str] | None = None, *, isa: str = '', progress: Callable[[int, int], object] | None = None) -> lprnet._results.Diagnosis:
    """
    Finds out which pixels a model expects: channel order, scale and resize.

    plates: pairs of a picture, as Recognizer.read() takes it, and its text; a dozen will do.
    Those that cannot be used are in `errors` of the answer; if none can, the first error is
    raised. `ok` is false if the model's file says something else than fits best.
    progress: as for verify().
    """

def quantize(pictures: Iterable[Any] | None, model: Model | str | os.PathLike[str] | None = None, *, method: Literal['max', 'percentile', 'mse', 'kl', 'search'] = 'mse', plain: bool = False, zero_below: float = 0.0, keep_float: Iterable[str] = (), damage: bool = False, label: str = 'quantized', progress: Callable[[int, int], object] | None = None) -> lprnet._results.Quantization:
    """
    Makes a model that is computed in int8; Model.save() writes it.

    pictures: some hundreds like those to be read, as Recognizer.read() takes them; None: weights
    of a byte alone, computed in float32. Those that cannot be read are in `errors`; if none
    can, the first error is raised.
    method: where activations saturate. plain: without what makes it good, as a baseline.
    zero_below: weights below this share (0 to 1) of the largest of their output channel become
    zero. keep_float: layers whose weights stay float32. damage: also what each layer does to
    the logits, in seconds. label: the new model's name. progress: as for verify(), while
    networks are compared; the seconds of quantizing itself cannot be stopped.
    UnsupportedError (a ValueError) for a model that is quantized already.
    """

def prune(amount: float = 0.0, model: Model | str | os.PathLike[str] | None = None, *, layers: dict[str, float] = {}, whole: Literal['weights', 'groups'] = 'weights', over_all: bool = False, label: str = 'pruned') -> lprnet._results.Pruning:
    """
    Makes a model whose smallest weights are zero; Model.save() writes it.

    amount: share that becomes zero, 0 to 1, of each layer or, with over_all, of all together.
    layers: layers with a share of their own, by PyTorch module path; 0 leaves one as it is.
    whole: single weights, or groups of one input channel x 16 output channels. label: the new
    model's name. InvalidArgumentError for a layer that is not there, UnsupportedError for a
    quantized model (ValueErrors).
    """

def decode_image(image: str | os.PathLike[str] | Buffer, *, color: Literal['bgr', 'rgb'] = 'bgr', max_bytes: int | None = None) -> numpy.typing.NDArray[numpy.uint8]:
    """
    The pixels of a JPEG, PNG or BMP file, by its path or its bytes, as a uint8 array
    of shape (height, width, 3): equal to what OpenCV's imread gives. Needs numpy.

    color: order of the channels. max_bytes: memory that decoding may take (None: 240
    MiB). Errors are those of Recognizer.read().
    """
