"""One module per peer, each imported only inside a worker process. What a module offers:

TITLE                    its name in tables
PRECISIONS               for each precision that it can run, the forms of the network (scripts/onnx_network.py) to try
ISA_ENVIRONMENT          environment variables that limit it to an instruction set, by our name of that set
FOLDERS                  folders in site-packages that hold its libraries
version()
convert(onnx, precision, pixels)   makes whatever file load() wants next to the ONNX file and returns its path;
                                   pixels [image, C, 24, 94] calibrate int8
load(path, threads)      a Session, every optimization on
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

NAMES = ("onnxruntime", "openvino", "ncnn")


class Session(Protocol):
    """One loaded network. Only infer() is timed: it reads the input that was set and leaves the logits in place."""

    def set_input(self, pixels: np.ndarray) -> None: ...

    def infer(self) -> None: ...

    def logits(self) -> np.ndarray: ...
