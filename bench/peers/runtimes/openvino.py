"""OpenVINO: fp32 (its own default would be bf16 where the CPU has it), and int8 by NNCF with default settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino

TITLE = "OpenVINO"
PRECISIONS = {"fp32": ("trained", "folded", "split"), "int8": ("folded", "split")}
ISA_ENVIRONMENT = {"avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2"}}
FOLDERS = ("openvino",)


def version() -> str:
    return openvino.__version__.split("-")[0]


def convert(onnx: Path, precision: str, pixels: np.ndarray) -> Path:
    # The runtime's own file format is the faster one to load.
    output = onnx.with_suffix(f".{precision}.xml")
    model = openvino.convert_model(str(onnx))
    if precision == "int8":
        import nncf

        model = nncf.quantize(model, nncf.Dataset([image[None] for image in pixels]), subset_size=len(pixels))
    openvino.save_model(model, str(output), compress_to_fp16=False)
    return output


class _Session:
    def __init__(self, path: Path, threads: int) -> None:
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "f32",
            # The worker pins itself.
            "ENABLE_CPU_PINNING": False,
        }
        self.request = openvino.Core().compile_model(str(path), "CPU", settings).create_infer_request()

    def set_input(self, pixels: np.ndarray) -> None:
        self.pixels = pixels
        self.request.set_input_tensor(openvino.Tensor(pixels, shared_memory=True))

    def infer(self) -> None:
        self.request.infer(share_outputs=True)

    def logits(self) -> np.ndarray:
        return self.request.get_output_tensor().data


def load(path: Path, threads: int) -> _Session:
    return _Session(path, threads)
