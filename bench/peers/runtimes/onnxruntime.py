"""ONNX Runtime: fp32, and int8 as QDQ with a scale for each output channel. Input and output stay bound to memory, so
that a call copies nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

TITLE = "ONNX Runtime"
# "trained" is left to fp32: the quantizer wants batch norms folded first.
PRECISIONS = {"fp32": ("trained", "folded", "split"), "int8": ("folded", "split")}
# MLAS chooses its kernels by CPUID and has no switch.
ISA_ENVIRONMENT: dict[str, dict[str, str]] = {}
FOLDERS = ("onnxruntime",)


def version() -> str:
    return onnxruntime.__version__


def convert(onnx: Path, precision: str, pixels: np.ndarray) -> Path:
    if precision == "fp32":
        return onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared, output = onnx.with_suffix(".prepared.onnx"), onnx.with_suffix(".int8.onnx")
    quant_pre_process(str(onnx), str(prepared))

    class Plates(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self.images = iter(pixels)

        def get_next(self) -> dict[str, np.ndarray] | None:
            image = next(self.images, None)
            return None if image is None else {"pixels": image[None]}

    quantization.quantize_static(
        str(prepared),
        str(output),
        Plates(),
        quant_format=quantization.QuantFormat.QDQ,
        # The set that ran fastest of five. The context stays in float: it divides by a mean square.
        op_types_to_quantize=["Conv", "MaxPool", "AveragePool"],
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
    )
    return output


class _Session:
    def __init__(self, path: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        output = self.session.get_outputs()[0]
        self.output = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(output.shape, np.float32))
        self.binding.bind_ortvalue_output(output.name, self.output)

    def set_input(self, pixels: np.ndarray) -> None:
        self.input = onnxruntime.OrtValue.ortvalue_from_numpy(pixels)
        self.binding.bind_ortvalue_input(self.session.get_inputs()[0].name, self.input)

    def infer(self) -> None:
        self.session.run_with_iobinding(self.binding)

    def logits(self) -> np.ndarray:
        return self.output.numpy()


def load(path: Path, threads: int) -> _Session:
    return _Session(path, threads)
