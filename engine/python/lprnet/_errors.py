"""The library's errors, as exceptions that are also those that Python has for such a thing."""


class Error(Exception):
    """What the engine could not do: one line that says what, where, expected and found."""


class InvalidArgumentError(Error, ValueError):
    """Something that no input could make valid."""


class NotFoundError(Error, FileNotFoundError):
    """A file or folder is missing or cannot be opened."""


class MalformedError(Error, ValueError):
    """A file's bytes do not form what its kind promises."""


class MismatchError(Error, ValueError):
    """Well-formed, but not what this network or option expects."""


class UnsupportedError(Error, ValueError):
    """Valid, but not available in this build or on this CPU."""


class OutOfMemoryError(Error, MemoryError):
    """There is no memory, or more would be needed than the limit for one picture."""


class DeviceFailedError(Error, RuntimeError):
    """An accelerator or its runtime refused."""


class TimedOutError(Error, TimeoutError):
    """No answer in the time given."""
