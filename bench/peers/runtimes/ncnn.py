"""ncnn: fp32, converted by pnnx. Winograd, sgemm and packed layouts are on, as by default; fp16 and bf16 are off, whose
results are not those of fp32."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import ncnn
import numpy as np

TITLE = "ncnn"
# Its slice has no step: "trained" cannot be loaded.
PRECISIONS = {"fp32": ("folded", "split")}
# It chooses its kernels by CPUID when a layer is made and has no switch.
ISA_ENVIRONMENT: dict[str, dict[str, str]] = {}
FOLDERS = ("ncnn", "ncnn.libs")


def version() -> str:
    return ncnn.__version__


def convert(onnx: Path, precision: str, pixels: np.ndarray) -> Path:
    # The binary itself: the package around it would import torch.
    pnnx = Path(sysconfig.get_path("purelib")) / "pnnx" / "pnnx"
    shape = ",".join(str(size) for size in (1, *pixels.shape[1:]))
    # Absolute, because pnnx writes its files where it runs.
    command = [str(pnnx), str(onnx.absolute()), f"inputshape=[{shape}]", "fp16=0"]
    subprocess.run(command, cwd=onnx.parent, capture_output=True, check=True)
    return onnx.with_suffix(".ncnn.param")


class _Session:
    def __init__(self, path: Path, threads: int) -> None:
        self.net = ncnn.Net()
        options = self.net.opt
        options.num_threads = threads
        options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
        options.use_bf16_storage = False
        # Pools in place of malloc for every layer's output.
        self.allocators = ncnn.UnlockedPoolAllocator(), ncnn.PoolAllocator()
        options.blob_allocator, options.workspace_allocator = self.allocators
        if self.net.load_param(str(path)) != 0 or self.net.load_model(str(path.with_suffix(".bin"))) != 0:
            raise RuntimeError(f"{path}: not loaded")

    def set_input(self, pixels: np.ndarray) -> None:
        self.pixels = np.ascontiguousarray(pixels[0])
        self.input = ncnn.Mat(self.pixels)

    def infer(self) -> None:
        extractor = self.net.create_extractor()
        extractor.input("in0", self.input)
        self.status, self.output = extractor.extract("out0")

    def logits(self) -> np.ndarray:
        if self.status != 0:
            raise RuntimeError(f"extract returned {self.status}")
        return np.array(self.output)[None]


def load(path: Path, threads: int) -> _Session:
    return _Session(path, threads)
