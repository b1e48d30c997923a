"""Reads the tensors of PyTorch checkpoints, old or zip format, and of safetensors files, as people save them.

Nothing of a file is ever imported or called. A checkpoint is a pickle, which names functions and classes to be called
when it is opened; torch.load(weights_only=True) therefore refuses a file that holds anything but tensors. Here every
name but those of torch's own tensor parts stands for an empty class made on the spot, which takes any arguments and
does nothing, so that what lies beside the weights (numpy scalars, an argparse.Namespace, paths, an optimizer) does no
harm.
Storages are read only for the tensors that are asked for.
"""

from __future__ import annotations

import collections
import io
import json
import math
import pickle
import pickletools
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

__all__ = ["Checkpoint", "LayoutError", "check_architecture", "read_checkpoint", "read_network", "read_transformer"]


class LayoutError(ValueError):
    """A tensor that does not fit LPRNet; the message names it and says what was expected and found."""


ARCHITECTURE = "LPRNet"


def check_architecture(metadata: Mapping[str, str] | None) -> None:
    """LayoutError if the metadata of a safetensors file names another network: its first tensors may be the same."""
    found = (metadata or {}).get("lprnet.architecture", ARCHITECTURE)
    if found != ARCHITECTURE:
        shown = found if len(found) <= 96 else found[:96] + "..."
        raise LayoutError(f"metadata 'lprnet.architecture' is {shown!r}, expected {ARCHITECTURE!r}")


# --- Tensors without torch.load ------------------------------------------------------------------------------------

STORAGES = {
    "DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool,
}  # fmt: skip
# LPRNet's largest tensor has some MB; a file that says more is no checkpoint of one.
MAX_PICKLE_BYTES = 8 << 20
MAX_STORAGE_BYTES = 256 << 20
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001


@dataclass(eq=False)
class _Storage:
    dtype: torch.dtype
    key: str


@dataclass(eq=False)
class _TensorRef:
    """A tensor whose numbers have not been read."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def span(self) -> int:
        """Elements from the first to behind the last, if there are any."""
        return 1 + sum((extent - 1) * step for extent, step in zip(self.size, self.stride, strict=False))

    def read(self, data: bytes) -> Tensor:
        item = torch.empty((), dtype=self.storage.dtype).element_size()
        if 0 not in self.size and self.offset + self.span() > len(data) // item:
            raise LayoutError(f"it reaches behind the end of its storage of {len(data)} bytes")
        whole = len(data) // item * item
        if whole == 0 or 0 in self.size:
            return torch.empty(self.size, dtype=self.storage.dtype)
        flat = torch.frombuffer(bytearray(data[:whole]), dtype=self.storage.dtype)
        return torch.as_strided(flat, self.size, self.stride, self.offset).clone()


class _Inert:
    """Stands for an object of a class that the file names. Takes anything, does nothing."""

    name = ""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> _Inert:
        return object.__new__(cls)

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        # Of a whole module that was saved: enough to say what it is.
        self.is_module = isinstance(state, dict) and "_parameters" in state

    def __call__(self, *_args: Any, **_kwargs: Any) -> _Inert:
        return self

    def __setitem__(self, _key: Any, _value: Any) -> None:
        pass

    def append(self, _value: Any) -> None:
        pass

    def extend(self, _values: Any) -> None:
        pass

    def add(self, _value: Any) -> None:
        pass


def _numbers(values: Any) -> tuple[int, ...]:
    if not isinstance(values, tuple) or not all(isinstance(v, int) and 0 <= v < 2**40 for v in values):
        raise LayoutError("a tensor's shape is not made of whole numbers")
    return values


def _rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any, *_rest: Any) -> _TensorRef:
    size, stride = _numbers(size), _numbers(stride)
    (offset,) = _numbers((offset,))
    if not isinstance(storage, _Storage) or len(size) != len(stride):
        raise LayoutError("a tensor without a storage, or whose shape and strides differ in length")
    if math.prod(size) * 8 > MAX_STORAGE_BYTES:
        raise LayoutError(f"a tensor of {list(size)} is larger than any of LPRNet")
    return _TensorRef(storage, offset, size, stride)


def _first(value: Any, *_rest: Any) -> Any:
    return value


def _rebuild_from_type(rebuild: Any, _type: Any, arguments: Any, *_state: Any) -> Any:
    if isinstance(rebuild, _Builder) and isinstance(arguments, tuple):
        return rebuild(*arguments)
    return _Inert()


class _Builder:
    """One of our functions under a name of torch's. An object, so that a file cannot change the function itself."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, _state: Any) -> None:
        raise pickle.UnpicklingError("a function with a state")


BUILDERS: dict[tuple[str, str], Callable] = {
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _first,
    ("torch._utils", "_rebuild_parameter_with_state"): _first,
    ("torch._tensor", "_rebuild_from_type_v2"): _rebuild_from_type,
    ("torch", "Size"): lambda values=(): tuple(values) if isinstance(values, (tuple, list)) else (),
    ("collections", "OrderedDict"): lambda pairs=(): collections.OrderedDict(
        pairs if isinstance(pairs, (list, tuple, dict)) else ()
    ),
    ("collections", "defaultdict"): lambda *_factory: _Dictionary(),
}


class _Dictionary(dict):
    pass


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in STORAGES:
            return _Builder(lambda *_args, dtype=STORAGES[name]: dtype)
        builder = BUILDERS.get((module, name))
        if (module, name) == ("collections", "OrderedDict"):
            # A class, because files also make it by NEWOBJ; the type is C's and cannot be changed.
            return collections.OrderedDict
        if builder is not None:
            return _Builder(builder)
        return type("_Inert", (_Inert,), {"name": f"{module}.{name}"})

    def persistent_load(self, saved: Any) -> Any:
        # A sixth part, if it is not None, is of views as they were before PyTorch 0.4.
        if not isinstance(saved, tuple) or len(saved) < 5 or saved[0] != "storage" or any(saved[5:]):
            return _Inert()
        kind, key, _location, count = saved[1:5]
        if not isinstance(kind, _Builder) or not isinstance(count, int) or count < 0:
            return _Inert()
        dtype = kind()
        if not isinstance(dtype, torch.dtype):
            return _Inert()
        return self.storages.setdefault(str(key), _Storage(dtype, str(key)))


def _check_opcodes(file: BinaryIO) -> None:
    """Every opcode has its argument inside the file, so that none allocates more than the file has."""
    begin = file.tell()
    for opcode, argument, position in pickletools.genops(file):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and argument > MAX_PICKLE_BYTES:
            raise pickle.UnpicklingError("a memo without end")
        if position is not None and position - begin > MAX_PICKLE_BYTES:
            raise LayoutError(f"a pickle of more than {MAX_PICKLE_BYTES} bytes")
    file.seek(begin)


def _unpickle(file: BinaryIO) -> tuple[Any, dict[str, _Storage]]:
    """The value, and every storage it names, also those that only inert objects know of."""
    unpickler = _Unpickler(file)
    try:
        _check_opcodes(file)
        return unpickler.load(), unpickler.storages
    except LayoutError:
        raise
    except MemoryError as error:
        raise LayoutError("the pickle in it asks for more memory than there is") from error
    except Exception as error:  # whatever hostile opcodes make of the objects above
        raise LayoutError("expected a PyTorch checkpoint, found a pickle that is damaged or of another kind") from error


class Checkpoint:
    """What a file holds: dictionaries, in each other or not, whose tensors are read when they are asked for."""

    def __init__(self, content: Any, read: Callable[[_Storage], bytes]) -> None:
        self.content = content
        self._read = read

    def tensor(self, value: Any) -> Tensor:
        if isinstance(value, Tensor):
            return value
        return value.read(self._read(value.storage))

    @staticmethod
    def open(path: Path) -> Checkpoint:
        """LayoutError for any other kind of file, OSError for no such file."""
        with open(path, "rb") as file:
            start = file.read(16)
        if not start:
            raise LayoutError("the file is empty")
        if zipfile.is_zipfile(path):
            return _open_zip(path)
        length = struct.unpack("<Q", start[:8])[0] if len(start) >= 9 else 0
        if length > 0 and start[8:9] == b"{" and path.stat().st_size >= 8 + length:
            return _open_safetensors(path)
        if start[:1] == b"\x80":
            return _open_legacy(path)
        raise LayoutError("expected a PyTorch checkpoint or a safetensors file, found another kind of file")


def _open_zip(path: Path) -> Checkpoint:
    archive = zipfile.ZipFile(path)
    names = {name.partition("/")[2]: name for name in archive.namelist()}
    if "constants.pkl" in names:
        raise LayoutError("expected a state dict, found a TorchScript program: save its state_dict() instead")
    if "data.pkl" not in names:
        raise LayoutError("expected a PyTorch checkpoint, found another zip archive")

    def member(name: str, limit: int) -> bytes:
        info = archive.NameToInfo.get(names.get(name, ""))
        if info is None:
            raise LayoutError(f"{name}: missing from the archive")
        if info.file_size > limit:
            raise LayoutError(f"{name}: {info.file_size} bytes in the archive, expected at most {limit}")
        try:
            return archive.read(info)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as error:
            raise LayoutError(f"{name}: the archive is damaged: {error}") from error
        except Exception as error:  # zlib's, lzma's
            raise LayoutError(f"{name}: the archive is damaged") from error

    if "byteorder" in names and member("byteorder", 64).strip() != b"little":
        raise LayoutError("expected numbers in little-endian order, found big-endian")
    content, _ = _unpickle(io.BytesIO(member("data.pkl", MAX_PICKLE_BYTES)))
    return Checkpoint(content, lambda storage: member(f"data/{storage.key}", MAX_STORAGE_BYTES))


def _open_legacy(path: Path) -> Checkpoint:
    if path.stat().st_size > MAX_STORAGE_BYTES:
        raise LayoutError(f"expected at most {MAX_STORAGE_BYTES} bytes in the old format")
    file = io.BytesIO(path.read_bytes())
    first = _unpickle(file)[0]
    if first != LEGACY_MAGIC or _unpickle(file)[0] != LEGACY_PROTOCOL:
        raise LayoutError("expected a PyTorch checkpoint, found another kind of pickle")
    _unpickle(file)  # about the machine that wrote it
    content, storages = _unpickle(file)
    keys = _unpickle(file)[0]
    if not isinstance(keys, list):
        raise LayoutError("expected a list of storages behind the dictionary")
    data: dict[str, bytes] = {}
    for key in keys:
        head = file.read(8)
        count = struct.unpack("<q", head)[0] if len(head) == 8 else -1
        # A storage that nothing we know of refers to has an element size that nobody has told us.
        storage = storages.get(str(key))
        if count < 0 or storage is None:
            break
        size = count * torch.empty((), dtype=storage.dtype).element_size()
        if size > MAX_STORAGE_BYTES:
            break
        data[str(key)] = file.read(size)

    def read(storage: _Storage) -> bytes:
        if storage.key not in data:
            raise LayoutError("the file is cut short, or a tensor of an unknown kind is in it")
        return data[storage.key]

    return Checkpoint(content, read)


def _open_safetensors(path: Path) -> Checkpoint:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            check_architecture(file.metadata())
            return Checkpoint({key: file.get_tensor(key) for key in file.keys()}, lambda _storage: b"")
    except LayoutError:
        raise
    except (SafetensorError, json.JSONDecodeError, ValueError) as error:
        raise LayoutError(f"expected a safetensors file: {error}") from error


# --- The network among what a file holds -----------------------------------------------------------------------------

MAX_DEPTH = 16
# Whatever stands before this names the network; training frameworks add module., model., _orig_mod. and others.
FIRST_TENSOR = "backbone.0.weight"
# The same of a spatial transformer.
FIRST_LOCATED = "localization.0.weight"
TRANSFORMER_MODULES = ("localization.", "fc_loc.")
OWN_TRANSFORMER = ("transformer.localization.", "transformer.fc_loc.")
TRANSFORMER = re.compile(
    r"(^|\.)(st|stn|st_?net|stn_?net|loc_?net|localization|localisation|fc_loc|transformer)(\.|$)", re.I
)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, (_TensorRef, Tensor))


def _dictionaries(content: Any) -> Iterator[tuple[tuple[str, ...], Mapping]]:
    """Every dictionary once, outer ones first, with its path."""
    waiting = collections.deque([((), content)])
    seen: set[int] = set()
    while waiting:
        path, value = waiting.popleft()
        if id(value) in seen or len(path) > MAX_DEPTH:
            continue
        seen.add(id(value))
        if isinstance(value, Mapping):
            yield path, value
            waiting.extend(((*path, str(key)), inner) for key, inner in value.items())
        elif isinstance(value, (list, tuple)):
            waiting.extend(((*path, str(index)), inner) for index, inner in enumerate(value))


@dataclass
class _Candidate:
    path: tuple[str, ...]
    prefix: str
    tensors: dict[str, Any]

    def label(self) -> str:
        parts = [*self.path, self.prefix.rstrip(".")]
        return ".".join(part for part in parts if part)

    def place(self) -> str:
        return f"in {self.label()!r}" if self.label() else "in the file's own dictionary"


def _candidates(content: Any, first: str = FIRST_TENSOR) -> list[_Candidate]:
    """Whatever has a tensor of that name, under any prefix."""
    found = []
    for path, dictionary in _dictionaries(content):
        names = {str(key): value for key, value in dictionary.items()}
        for key, value in names.items():
            if not ("." + key).endswith("." + first) or not _is_tensor(value):
                continue
            prefix = key[: len(key) - len(first)]
            tensors = {name[len(prefix) :]: value for name, value in names.items() if name.startswith(prefix)}
            found.append(_Candidate(path, prefix, tensors))
    return found


def _described(value: Any) -> str:
    if isinstance(value, _Inert):
        if getattr(value, "is_module", False):
            return f"a whole module ({value.name}): save its state_dict() instead"
        return value.name or "an object"
    if isinstance(value, Mapping):
        keys = [str(key) for key in value]
        shown = ", ".join(repr(key[:60]) for key in keys[:6]) + (", ..." if len(keys) > 6 else "")
        return f"a dictionary of {shown}" if keys else "an empty dictionary"
    return "a tensor" if _is_tensor(value) else f"a {type(value).__name__}"


def _choose(content: Any, key: str | None) -> _Candidate:
    candidates = _candidates(content)
    if not candidates:
        places = [(path, value) for path, value in _dictionaries(content) if any(map(_is_tensor, value.values()))]
        if places:
            path, value = places[0]
            where = f"in {'.'.join(path)!r}" if path else "in the file's own dictionary"
            raise LayoutError(f"{FIRST_TENSOR}: missing {where}, found {_described(value)}")
        raise LayoutError(f"expected a dictionary with {FIRST_TENSOR}, found {_described(content)}")
    if key is not None:
        chosen = [c for c in candidates if c.label() == key] or [
            c for c in candidates if c.label().startswith(key + ".") or c.path[-1:] == (key,)
        ]
        if not chosen:
            raise LayoutError(f"no network in {key!r}, found one in {_names(candidates)}")
        candidates = chosen
    return candidates[0] if len(candidates) == 1 else _only(candidates)


def _names(candidates: list[_Candidate]) -> str:
    return " and ".join(repr(c.label()) if c.label() else "the file's own dictionary" for c in candidates)


def _numbers_of(value: Any) -> Any:
    return (value.storage.key, value.offset, value.size, value.stride) if isinstance(value, _TensorRef) else id(value)


def _are_one(candidates: list[_Candidate]) -> bool:
    """The same numbers under several names are one network."""
    first, *others = ({name: _numbers_of(value) for name, value in c.tensors.items()} for c in candidates)
    return all(other == first for other in others)


def _only(candidates: list[_Candidate]) -> _Candidate:
    if not _are_one(candidates):
        raise LayoutError(f"{len(candidates)} networks, {_names(candidates)}: choose one with --key NAME")
    return candidates[0]


def _transformer(content: Any) -> str | None:
    """Where a spatial transformer is kept, if there is one beside the network or among its tensors."""
    for path, dictionary in _dictionaries(content):
        for name, value in dictionary.items():
            full = ".".join((*path, str(name)))
            match = TRANSFORMER.search(full)
            if match and _is_tensor(value):
                return full[: match.end()].rstrip(".")
    return None


def read_network(path: Path, key: str | None = None, front: bool = False) -> tuple[dict[str, Tensor], str, str | None]:
    """Tensors of the network in a file under LPRNet's own names, where they were, and where a spatial transformer that
    belongs in front of it is kept, if there is one. `key` chooses among several networks; with `front` a transformer
    under our own names is read too."""
    checkpoint = Checkpoint.open(path)
    chosen = _choose(checkpoint.content, key)
    state: dict[str, Tensor] = {}
    for name, value in chosen.tensors.items():
        if TRANSFORMER.search(name) and not (front and name.startswith(OWN_TRANSFORMER)):
            continue
        if not _is_tensor(value):
            if name.startswith(("backbone.", "container.")):
                raise LayoutError(f"{name}: expected a tensor {chosen.place()}, found {_described(value)}")
            continue
        if name in ("container.weight", "container.bias"):
            name = name.replace("container.", "container.0.")
            if name in chosen.tensors:
                raise LayoutError(f"{name}: there twice {chosen.place()}, once without the 0")
        try:
            state[name] = checkpoint.tensor(value)
        except LayoutError as error:
            raise LayoutError(f"{name}: {error}") from error
    return state, chosen.place(), _transformer(checkpoint.content)


def read_transformer(path: Path) -> dict[str, Tensor]:
    """Tensors of the spatial transformer in a file, wherever it is kept there, under LPRNet's own names."""
    checkpoint = Checkpoint.open(path)
    candidates = _candidates(checkpoint.content, FIRST_LOCATED)
    if not candidates:
        raise LayoutError(f"expected a spatial transformer with {FIRST_LOCATED}, found none")
    for candidate in candidates:
        candidate.tensors = {
            name: value for name, value in candidate.tensors.items() if name.startswith(TRANSFORMER_MODULES)
        }
    if not _are_one(candidates):
        raise LayoutError(
            f"{len(candidates)} spatial transformers, {_names(candidates)}: save one in a file of its own"
        )
    state = {}
    for name, value in candidates[0].tensors.items():
        if not _is_tensor(value):
            raise LayoutError(f"{name}: expected a tensor {candidates[0].place()}, found {_described(value)}")
        try:
            state[f"transformer.{name}"] = checkpoint.tensor(value)
        except LayoutError as error:
            raise LayoutError(f"{name}: {error}") from error
    return state


def read_checkpoint(path: Path, key: str | None = None, front: bool = False) -> dict[str, Tensor]:
    """The tensors alone."""
    return read_network(path, key, front)[0]
