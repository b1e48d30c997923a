"""Reading in a process of its own, for work that must go on whatever a picture does to it."""

import pickle
import signal
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from lprnet._engine import Recognizer


class IsolatedReader:
    """Recognizer.read_columns() in another process, which is replaced when it ends.

    A picture that ends it twice, also alone, gets an error in its row; all others are read. Not for several threads.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        self._state = pickle.dumps(recognizer)
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = ""

    def read_columns(self, pictures: Iterable[Any]) -> dict[str, list[Any]]:
        pictures = list(pictures)
        answer = self._ask(pictures)
        if answer is None and len(pictures) <= 1:
            answer = self._ask(pictures)  # it may have ended for another reason
        if answer is not None:
            return answer
        if len(pictures) <= 1:
            error = f"image: the process that read it ended, {self._ending}"
            return {"text": [None], "confidence": [None], "reject_score": [None], "error": [error]}
        half = len(pictures) // 2
        first, second = self.read_columns(pictures[:half]), self.read_columns(pictures[half:])
        return {name: first[name] + second[name] for name in first}

    def close(self) -> None:
        if self._process is not None:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait()
            self._process = None

    def __enter__(self) -> "IsolatedReader":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        try:
            self.close()
        except OSError:
            pass

    def _start(self) -> None:
        # The package's folder may not be on the path of a fresh interpreter.
        code = f"import sys; sys.path = {sys.path!r}; from lprnet._isolated import serve; serve()"
        self._process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            self._process.stdin.write(self._state)
            self._process.stdin.flush()
            pickle.load(self._process.stdout)
        except (EOFError, BrokenPipeError) as error:  # no picture is to blame
            raise RuntimeError("lprnet: the process that reads pictures did not start") from error

    def _ask(self, pictures: list[Any]) -> dict[str, list[Any]] | None:
        """None if the process ended."""
        question = pickle.dumps(pictures)  # what cannot be pickled raises here, and leaves the process alone
        try:
            if self._process is None:
                self._start()
            self._process.stdin.write(question)
            self._process.stdin.flush()
            return pickle.load(self._process.stdout)
        except (EOFError, pickle.UnpicklingError, BrokenPipeError, ConnectionResetError):
            process, self._process = self._process, None
            process.kill()  # nothing to it if it is gone already
            process.communicate()
            status = process.returncode
            self._ending = f"by signal {-status}" if status < 0 else f"with status {status}"
            return None
        except BaseException:
            # Interrupted half way: the next question would get this one's answer.
            process, self._process = self._process, None
            if process is not None:
                process.kill()
                process.communicate()
            raise


def serve() -> None:
    """The other side: a recognizer, then lists of pictures, until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asked decides
    recognizer = pickle.load(sys.stdin.buffer)
    pickle.dump("ready", sys.stdout.buffer)
    sys.stdout.buffer.flush()
    while True:
        try:
            pictures = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(recognizer.read_columns(pictures), sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
        sys.stdout.buffer.flush()
