"""Writes tests/golden/zoo.json and zoo.safetensors: what torchvision's networks are, for tests/zoo.rs.

From the repository's root, with the environment that tools/goldens.py names and torchvision 0.29.2 in it:

    .tools/torch/bin/python tools/zoo.py

The table has, for each network, the number of parameters, the multiply-adds of its convolutions and linear layers for one
image, the shape behind every layer that strides, and a checksum of the names and shapes of its parameters and buffers.
The tensors are the outputs of some of them for parameters and an image that a formula gives, so that no weights need be
stored.
"""

import json
import zlib
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision import models

FOLDER = Path(__file__).parent.parent / "tests" / "golden"

SIDES = dict(zip("01234567", (224, 240, 288, 300, 380, 456, 528, 600)))
VGG = [f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")]
RESNET = [f"resnet{depth}" for depth in (18, 34, 50, 101, 152)]
EFFICIENT = [f"efficientnet_b{size}" for size in SIDES]
RUN = ["alexnet", "googlenet", "resnet18", "resnet50", "efficientnet_b0"]


def build(name):
    options = {"init_weights": False} if name == "googlenet" else {}
    return models.get_model(name, weights=None, **options)


def side(name):
    return SIDES[name[-1]] if name in EFFICIENT else 224


def state(net):
    """Parameters and running statistics; the count of batches is none of ours."""
    return {name: value for name, value in net.state_dict().items() if not name.endswith("num_batches_tracked")}


def facts(name):
    """The row of the table. Computed without numbers; GoogLeNet's auxiliary classifiers run while training only."""
    with torch.device("meta"):
        net, image = build(name).train(), torch.zeros(2, 3, side(name), side(name))
    found = {"multiply_adds": 0, "stages": {}}

    def see(module_name):
        def hook(module, inputs, output):
            if isinstance(module, nn.Conv2d):
                found["multiply_adds"] += output[0].numel() * module.weight[0].numel()
            elif isinstance(module, nn.Linear):
                found["multiply_adds"] += module.weight.numel()
            stride = getattr(module, "stride", 1)
            if isinstance(module, (nn.Conv2d, nn.MaxPool2d)) and stride not in (1, (1, 1)):
                found["stages"][module_name] = list(output.shape[1:])

        return hook

    for module_name, module in net.named_modules():
        module.register_forward_hook(see(module_name))
    net(image)
    names = "\n".join(sorted(f"{key} {list(value.shape)}" for key, value in state(net).items()))
    return {
        "parameters": sum(value.numel() for value in net.parameters()),
        "names": zlib.crc32(names.encode()),
        **found,
    }


def drawn(name, count):
    """Numbers from 0 to 1 that follow from a name."""
    h = (np.arange(count, dtype=np.uint64) * 2654435761 + zlib.crc32(name.encode())) & 0xFFFFFFFF
    h ^= h >> 16
    h = (h * 0x21F0AAAD) & 0xFFFFFFFF
    h ^= h >> 15
    return (h >> 8).astype(np.float64) / 2**24


def value(name, shape):
    """A parameter or statistic: weights as wide as their fan-in asks, variances and norms' weights around 1."""
    v = drawn(name, int(np.prod(shape)))
    if len(shape) > 1:
        v = (2 * v - 1) * np.sqrt(6 / np.prod(shape[1:]))
    elif name.endswith("bias") or name.endswith("mean"):
        v = 0.2 * v - 0.1
    else:
        v = v + 0.5
    return torch.from_numpy(v.astype(np.float32).reshape(shape))


@torch.inference_mode()
def output(name):
    net = build(name).eval()
    net.load_state_dict({key: value(key, tuple(old.shape)) for key, old in state(net).items()}, strict=False)
    image = torch.from_numpy((2 * drawn("image", 3 * side(name) ** 2) - 1).astype(np.float32))
    return net.double()(image.reshape(1, 3, side(name), side(name)).double())[0].float()


if __name__ == "__main__":
    table = {name: facts(name) for name in ["alexnet", *VGG, "googlenet", *RESNET, *EFFICIENT]}
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in table.items())
    (FOLDER / "zoo.json").write_text(f"{{\n{rows}\n}}\n")
    save_file({name: output(name).contiguous() for name in RUN}, FOLDER / "zoo.safetensors")
    for name, row in table.items():
        print(f"{name:16} {row['parameters']:>11,} parameters {row['multiply_adds']:>15,} multiply-adds")
