#!/usr/bin/env python3
"""Writes what the toolchain of RDK X5 needs to make BPU models of a model file: ONNX, settings, calibration data.

Two forms of the network: `whole` leaves everything to the BPU and answers with logits; `branches` answers with the
four branches of the context, each with a scale of its own, and leaves the rest to the CPU. Two kinds of input:
`featuremap` is what the network reads, float32; `nv12` (for gray networks `gray`) is what a camera gives, 94x24 pixels,
normalized by the BPU. A spatial transformer is in neither: it has to run on the CPU in front. steps.md in the folder
says which commands to run, on the host and on the board.

Exit status: 0 done, 2 wrong usage, 3 an input could not be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from safetensors import SafetensorError

import onnx_network
from lprnet_model import Model, SpatialTransformer, load_model
from plates import HEIGHT, WIDTH, list_samples, normalize, read_image, to_network_size

MARCH = "bayes-e"
DOCKER_IMAGE = "openexplorer/ai_toolchain_ubuntu_20_x5_cpu:v1.2.8"
FEATUREMAP = "featuremap"
CAMERA_TYPE = {"BGR": "nv12", "RGB": "nv12", "GRAY": "gray"}
# As the engine reads NV12 (video), or as an ISP in full range writes it.
NV12_RANGES = {"video": "bt601_video", "full": "regular"}
# Unchanged pixels: what the toolchain wants of calibration data where it normalizes itself.
LEVELS = {"mean": 0.0, "scale": 1.0}

CONFIG = """\
model_parameters:
  onnx_model: "{form}.onnx"
  march: "{march}"
  output_model_file_prefix: "{name}"
  working_dir: "{name}"
{node_info}input_parameters:
  input_name: "{input}"
  input_shape: "1x{channels}x{height}x{width}"
  input_type_train: "{train}"
  input_layout_train: "NCHW"
  input_type_rt: "{runtime}"
{input_settings}calibration_parameters:
  cal_data_dir: "./calibration/{calibration}_f32"
  cal_data_type: "float32"
  calibration_type: "default"
compiler_parameters:
  compile_mode: "latency"
  optimize_level: "O3"
  debug: True
"""

STEPS = """\
# From this folder to a BPU model

Made from `{model}` by scripts/export_rdk_x5.py of lprnet.cpp, by what the toolchain's documentation says. Whether the
toolchain agrees is told by step 1.

| file | what |
|---|---|
| `whole.onnx` | `{input}` to `logits`, all of it for the BPU |
| `branches.onnx` | `{input}` to {branches}: the CPU divides them by their mean squares and adds them up |
| `*_{featuremap}.yaml` | input: float32, 1x{channels}x{height}x{width}, {order}, (x - {mean}) * {scale} |
| `*_{camera}.yaml` | input: {camera} of {width}x{height} pixels{range}; the BPU normalizes |
| `calibration/` | {count} images for each kind of input |
{transformer}
## On the host (x86, the toolchain's container)

    docker run -it --rm -v "$PWD":/package -w /package {docker} bash

1. Where will each operator run? Everything but the conversion of inputs and outputs should be `BPU` and in the
   subgraph `id(0)`:

       hb_mapper checker --model-type onnx --march {march} --model whole.onnx --input-shape {input} {shape}
       hb_mapper checker --model-type onnx --march {march} --model branches.onnx --input-shape {input} {shape}

2. Quantize and compile. The table at the end gives the cosine of each node; at least 0.99 at the outputs is usual:

       for name in {names}; do
           hb_mapper makertbin --config $name.yaml --model-type onnx
       done

   `NAME/NAME.bin` is the model.

## On the board

    hrt_model_exec model_info --model_file branches_{featuremap}.bin
    hrt_model_exec perf --model_file branches_{featuremap}.bin --thread_num 1 --frame_count 2000
    hrt_model_exec perf --model_file branches_{featuremap}.bin --thread_num 8 --frame_count 8000
    hrt_model_exec infer --model_file branches_{featuremap}.bin --input_file calibration/{featuremap}_f32/000.bin \\
        --enable_dump true --dump_format bin --dump_path dump

## Where does it differ?

    scripts/compare_bpu_dump.py {model} calibration/{featuremap}_f32/000.bin dump --int8 int8.safetensors

puts the BPU's answer beside that in float32 and that of `lprnet quantize`, for each branch and the logits.
"""


TRANSFORMER = """
`{model}` has a spatial transformer, which is in none of the ONNX files: the BPU has no operator that samples a picture
anew. It has to run on the CPU in front, and its output, normalized or as pixels, is what these models read; the images
in `calibration/` are such outputs. lprnet.cpp's own recognizer for the BPU does not do that and refuses such models:
export one without `--stn`, or read with the CPU.
"""


def numbers(value: float | Sequence[float]) -> str:
    """One number, or one for each channel with blanks between them, as the toolchain reads them."""
    return " ".join(f"{number:.10g}" for number in np.atleast_1d(value))


def node_info(graph: onnx.GraphProto) -> str:
    """Keeps the arithmetic of the context on the BPU, in int16: mean squares span more than 255 levels resolve."""
    nodes = {}
    for node in graph.node:
        if node.op_type in ("Mul", "ReduceMean", "Div", "Add"):
            info = {"ON": "BPU"}
            # The branches are int8, as convolutions want them.
            if node.name.endswith(".mean_height"):
                nodes[node.name] = info
                continue
            if node.op_type == "Div":
                info["InputType1"] = "int16"
            elif node.op_type != "Mul":
                info["InputType"] = "int16"
            nodes[node.name] = info | {"OutputType": "int16"}
    lines = [f"    {json.dumps(name)}: {json.dumps(info)}\n" for name, info in nodes.items()]
    return "".join(["  node_info:\n", *lines]) if nodes else ""


def config(form: str, kind: str, graph: onnx.GraphProto, preprocess: dict, nv12_range: str) -> str:
    """The YAML of one form and one kind of input."""
    channels = graph.input[0].type.tensor_type.shape.dim[1].dim_value
    if kind == FEATUREMAP:
        train = calibration = FEATUREMAP
        settings = '  input_layout_rt: "NCHW"\n  norm_type: "no_preprocess"\n'
    else:
        train = calibration = preprocess["channel_order"].lower()
        settings = '  norm_type: "data_mean_and_scale"\n'
        for key in ("mean", "scale"):
            settings += f'  {key}_value: "{numbers(preprocess[key])}"\n'
        if kind == "nv12":
            settings += f'  input_space_and_range: "{NV12_RANGES[nv12_range]}"\n'
        else:
            settings += '  input_layout_rt: "NCHW"\n'
    return CONFIG.format(
        form=form, march=MARCH, name=f"{form}_{kind}", node_info=node_info(graph), input=onnx_network.INPUT,
        channels=channels, height=HEIGHT, width=WIDTH, train=train, runtime=kind, input_settings=settings,
        calibration=calibration,
    )  # fmt: skip


@torch.inference_mode()
def straightened(transformer: SpatialTransformer | None, images: np.ndarray, preprocess: dict) -> np.ndarray:
    """Normalized images as the network reads them, one forward pass each."""
    pixels = normalize(images, preprocess)
    if transformer is None:
        return pixels
    return torch.cat([transformer(image) for image in torch.from_numpy(pixels).split(1)]).numpy()


def write_calibration(folder: Path, images: np.ndarray, model: Model) -> None:
    """One file a sample and kind of input: float32, CxHxW, without a header."""
    transformer, preprocess = model.network.transformer, model.preprocess
    values = straightened(transformer, images, preprocess)
    if transformer is None:
        levels = normalize(images, preprocess | LEVELS)
    else:
        mean, scale = (np.reshape(preprocess[key], (-1, 1, 1)) for key in ("mean", "scale"))
        levels = np.clip(values / scale + mean, 0, 255).astype(np.float32)
    for name, samples in ((FEATUREMAP, values), (preprocess["channel_order"].lower(), levels)):
        target = folder / f"{name}_f32"
        target.mkdir(parents=True, exist_ok=True)
        for number, sample in enumerate(samples):
            sample.tofile(target / f"{number:03}.bin")


def steps(source: Path, model: Model, count: int, nv12_range: str) -> str:
    preprocess, channels = model.preprocess, model.network.shape.channels
    camera = CAMERA_TYPE[preprocess["channel_order"]]
    return STEPS.format(
        transformer=TRANSFORMER.format(model=source.name) if model.network.transformer is not None else "",
        model=source.name, input=onnx_network.INPUT, branches=", ".join(f"`{name}`" for name in onnx_network.BRANCHES),
        featuremap=FEATUREMAP, camera=camera, channels=channels, height=HEIGHT, width=WIDTH,
        order=preprocess["channel_order"], mean=numbers(preprocess["mean"]), scale=numbers(preprocess["scale"]),
        range=f" in {nv12_range} range" if camera == "nv12" else "", count=count, docker=DOCKER_IMAGE, march=MARCH,
        shape=f"1x{channels}x{HEIGHT}x{WIDTH}",
        names=" ".join(f"{form}_{kind}" for form in onnx_network.BPU_FORMS for kind in (FEATUREMAP, camera)),
    )  # fmt: skip


def write_package(folder: Path, source: Path, model: Model, images: np.ndarray, nv12_range: str) -> None:
    """Everything but the images is a function of the model."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {key: value.numpy() for key, value in model.network.state_dict().items()}
    kinds = (FEATUREMAP, CAMERA_TYPE[model.preprocess["channel_order"]])
    for form in onnx_network.BPU_FORMS:
        graph = onnx_network.build(tensors, form)
        onnx.save(graph, str(folder / f"{form}.onnx"))
        for kind in kinds:
            text = config(form, kind, graph.graph, model.preprocess, nv12_range)
            (folder / f"{form}_{kind}.yaml").write_text(text, encoding="utf-8")
    write_calibration(folder / "calibration", images, model)
    text = steps(source, model, len(images), nv12_range)
    (folder / "steps.md").write_text(text, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path, help=".safetensors model or .pth state dict, in float32")
    parser.add_argument("images", type=Path, nargs="+", help="folder, labels.tsv or image files, to calibrate with")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder to write; must not exist")
    parser.add_argument("--count", type=int, default=100, help="calibration images at most (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of their choice (default: %(default)s)")
    parser.add_argument(
        "--nv12-range", choices=sorted(NV12_RANGES), default="video", help="of the camera's luma (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    if options.output.exists():
        parser.error(f"--output: {options.output}: exists already")
    if options.count < 1:
        parser.error(f"--count: expected at least 1, found {options.count}")
    try:
        model = load_model(options.model)
    except (OSError, ValueError, SafetensorError) as error:
        print(f"{options.model}: {str(error).splitlines()[0]}", file=sys.stderr)
        return 3
    try:
        samples = list_samples(options.images)
        if not samples:
            raise ValueError(f"{options.images[0]}: holds no image")
        chosen = np.random.default_rng(options.seed).permutation(len(samples))[: options.count]
        images = np.stack([to_network_size(read_image(samples[index].path)) for index in sorted(chosen)])
        write_package(options.output, options.model, model, images, options.nv12_range)
    except (OSError, ValueError) as error:
        print(str(error).splitlines()[0], file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
