"""Exports torchvision's networks with random weights at full size, runs them through `hitofude run` and onnxruntime, and
writes docs/onnx-models.md.

    python3 -m venv DIR && DIR/bin/pip install numpy onnx onnxruntime onnxscript torch torchvision
    cargo build --release
    DIR/bin/python tools/onnx_models.py [--write] [--folder FOLDER] [NAME …]

Batch norms take the statistics of two random pictures first, so that random weights do not make every answer 0 or
infinite. A model that is in the folder already is not exported again.
"""

import argparse
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import torchvision
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
from torch import nn
from torchvision import models

ROOT = Path(__file__).parent.parent


def dcgan():
    """The generator of DCGAN (Radford et al. 2016) for 64 × 64 pictures."""
    layers, width = [], 100
    for i, out in enumerate([512, 256, 128, 64]):
        stride, pad = (1, 0) if i == 0 else (2, 1)
        layers += [nn.ConvTranspose2d(width, out, 4, stride, pad, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        width = out
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False), nn.Tanh())


def plain(name, **options):
    return lambda: getattr(models, name)(weights=None, **options)


def segmentation(name, **options):
    return lambda: getattr(models.segmentation, name)(weights=None, weights_backbone=None, **options)


# The network and its input's shape.
MODELS = {
    "alexnet": (plain("alexnet"), (3, 224, 224)),
    "vgg11_bn": (plain("vgg11_bn"), (3, 224, 224)),
    "googlenet": (plain("googlenet", init_weights=True), (3, 224, 224)),
    "resnet18": (plain("resnet18"), (3, 224, 224)),
    "squeezenet1_1": (plain("squeezenet1_1"), (3, 224, 224)),
    "mobilenet_v2": (plain("mobilenet_v2"), (3, 224, 224)),
    "efficientnet_b0": (plain("efficientnet_b0"), (3, 224, 224)),
    "fcn_resnet50": (segmentation("fcn_resnet50", aux_loss=False), (3, 224, 224)),
    "dcgan": (dcgan, (100, 1, 1)),
    "mobilenet_v3_small": (plain("mobilenet_v3_small"), (3, 224, 224)),
    "densenet121": (plain("densenet121"), (3, 224, 224)),
    "shufflenet": (plain("shufflenet_v2_x0_5"), (3, 224, 224)),
    "inception_v3": (plain("inception_v3", init_weights=True), (3, 299, 299)),
    "regnet": (plain("regnet_y_400mf"), (3, 224, 224)),
    "convnext": (plain("convnext_tiny"), (3, 224, 224)),
    "mnasnet": (plain("mnasnet0_5"), (3, 224, 224)),
    "swin": (plain("swin_t"), (3, 224, 224)),
    "deeplab": (segmentation("deeplabv3_mobilenet_v3_large"), (3, 224, 224)),
    "resnext": (plain("resnext50_32x4d"), (3, 224, 224)),
}
# The exporters of torch: by tracing, and by its compiler's graph. The second has its weights in a file beside the model.
EXPORTERS = {"": False, "_new": True}
QUANTISED = ["resnet18", "mobilenet_v2"]


def export(name, path, dynamo):
    build, shape = MODELS[name]
    torch.manual_seed(0)
    net = build().train()
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    with torch.no_grad():
        for norm in norms:
            norm.momentum = None
        if norms:
            net(torch.rand(2, *shape))
    x = torch.rand(1, *shape)
    np.savez(path.parent / f"{name}.in.npz", input=x.numpy())
    torch.onnx.export(net.eval(), (x,), path, dynamo=dynamo, input_names=["input"])


class One(CalibrationDataReader):
    """The one picture that quantisation is calibrated with."""

    def __init__(self, path):
        self.left = [{"input": np.load(path)["input"]}]

    def get_next(self):
        return self.left.pop() if self.left else None


def quantise(name, path):
    source = path.parent / f"{name}.in.npz"
    quantize_static(path.parent / f"{name}.onnx", path, One(source), quant_format=QuantFormat.QDQ, per_channel=True)


def peer(path, x, optimise=True):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return dict(zip([port.name for port in session.get_outputs()], session.run(None, {session.get_inputs()[0].name: x}), strict=True))


def off(have, want):
    """The largest difference, relative to the largest number."""
    return max(float(np.abs(have[name] - want[name]).max() / np.abs(want[name]).max()) for name in want)


def compare(binary, name, path):
    """How far this engine is from onnxruntime, and onnxruntime without its optimisations from itself."""
    given = path.parent / f"{name}.in.npz"
    x = np.load(given)["input"]
    want = peer(path, x)
    answers = path.parent / "answers.npz"
    command = [binary, "run", "--model", path, "--input", given, "--output", answers]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{path.name}: {done.stderr}")
    with np.load(answers) as have:
        return off(have, want), off(peer(path, x, optimise=False), want)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("names", nargs="*")
    options.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "hitofude")
    options.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "hitofude-onnx-models")
    options.add_argument("--write", action="store_true", help="write docs/onnx-models.md")
    options = options.parse_args()
    warnings.simplefilter("ignore")
    options.folder.mkdir(exist_ok=True)
    rows = []
    for name in options.names or MODELS:
        for suffix in [*EXPORTERS, *(["_int8"] if name in QUANTISED else [])]:
            path = options.folder / f"{name}{suffix}.onnx"
            if not path.exists():
                quantise(name, path) if suffix == "_int8" else export(name, path, EXPORTERS[suffix])
            ours, own = compare(options.binary, name, path)
            kind = {"": "traced", "_new": "compiled", "_int8": "traced, int8 QDQ"}[suffix]
            rows.append(f"| {name} | {kind} | {ours:.1e} | {own:.1e} |")
            print(rows[-1], flush=True)
    if options.write:
        text = f"""# ONNX: whole networks beside onnxruntime

Made by `tools/onnx_models.py --write`: torchvision {torchvision.__version__.split("+")[0]} at
full size with random weights, exported by both of torch's exporters and run through `hitofude run` and onnxruntime
{onnxruntime.__version__}. Differences are the largest of any output's numbers, relative to the largest of them. The last
column is onnxruntime without its optimisations against itself: what rounding alone comes to in such a network. In a
quantised one a number that is rounded the other way is a whole step.

| network | export | this engine | onnxruntime against itself |
| --- | --- | ---: | ---: |
""" + "\n".join(rows) + "\n"
        (ROOT / "docs" / "onnx-models.md").write_text(text)


if __name__ == "__main__":
    main()
