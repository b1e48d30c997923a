"""The program lprnet as a command of the package: `lprnet` or `python -m lprnet`."""

import signal
import sys

from lprnet._engine import _run_program


def main() -> int:
    # The program's own: it ends at once, and not when the interpreter gets to it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    return _run_program(["lprnet", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
