"""Saves the `state_dict` of every torchvision network of the catalogue, loads it here by its names, compares the answers to
one picture with torch's, and writes docs/torchvision.md.

    python3 -m venv DIR && DIR/bin/pip install numpy safetensors torch torchvision
    cargo build --release
    DIR/bin/python tools/torchvision_weights.py [--write] [NAME …]

The files are what `safetensors.torch.save_file(model.state_dict(), path)` makes and nothing else: they do not say of which
network they are. Weights are random, as torchvision draws them; those of batch norms, which it sets to 1 and 0, are drawn,
too, so that none may stand for another, and their statistics are those of two random pictures.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn
from torchvision import models

ROOT = Path(__file__).parent.parent
VGG = [f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")]
RESNET = [f"resnet{depth}" for depth in (18, 34, 50, 101, 152)]
EFFICIENT = dict(zip([f"efficientnet_b{i}" for i in range(8)], (224, 240, 288, 300, 380, 456, 528, 600)))
# GoogLeNet has two auxiliary classifiers in training, and none when torchvision gives it with trained weights.
NAMES = ["alexnet", *VGG, "googlenet", "googlenet without auxiliaries", *RESNET, *EFFICIENT]
WITHIN = 1e-3


def build(name):
    torch.manual_seed(0)
    options = {"init_weights": True, "aux_logits": name == "googlenet"} if name.startswith("googlenet") else {}
    net = models.get_model(name.split()[0], weights=None, **options).train()
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, 0, 0.1)
        norm.momentum = None
    if norms:
        net(torch.rand(2, 3, 224, 224))
    return net.eval()


@torch.no_grad()
def compare(binary, name, folder, own):
    """How far this engine's answer is from torch's, relative to the largest number, and how many parameters there are."""
    net, side = build(name), EFFICIENT.get(name, 224)
    image = torch.rand(1, 3, side, side)
    want = net(image).numpy()
    state = {key: value.contiguous() for key, value in net.state_dict().items()}
    weights = folder / ("weights.pth" if own else "weights.safetensors")
    torch.save(net.state_dict(), weights) if own else save_file(state, weights)
    np.savez(folder / "in.npz", input=image.numpy())
    command = [binary, "run", "--model", weights, "--input", folder / "in.npz"]
    done = subprocess.run([*command, "--output", folder / "out.npz"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name}: {done.stderr}")
    with np.load(folder / "out.npz") as answers:
        have = answers["output"]
    off = float(np.abs(have - want).max() / np.abs(want).max()) if have.shape == want.shape else np.inf
    return off, side, sum(value.numel() for value in net.parameters())


def main():
    options = argparse.ArgumentParser()
    options.add_argument("names", nargs="*")
    options.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "hitofude")
    options.add_argument("--torch", action="store_true", help="save with torch.save and not as safetensors")
    options.add_argument("--write", action="store_true", help="write docs/torchvision.md")
    options = options.parse_args()
    rows, wrong = [], []
    for name in options.names or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            off, side, parameters = compare(options.binary, name, Path(folder), options.torch)
        rows.append(f"| {name} | {parameters:,} | {side} × {side} | {off:.1e} |")
        print(rows[-1], flush=True)
        if not off <= WITHIN:
            wrong.append(name)
    if options.write:
        write(rows)
    print(f"{len(rows) - len(wrong)} within {WITHIN}, {len(wrong)} not")
    sys.exit(bool(wrong))


def write(rows):
    table = "\n".join(["| network | parameters | picture | off by |", "| --- | ---: | ---: | ---: |", *rows])
    (ROOT / "docs" / "torchvision.md").write_text(f"""# torchvision's weights by name

The networks of the catalogue that papers describe at full size ([zoo](../src/zoo/mod.rs)) name their parameters as torchvision
does, so a `state_dict` loads as it is:

```python
from safetensors.torch import save_file
from torchvision import models

save_file(models.resnet18(weights="DEFAULT").state_dict(), "resnet18.safetensors")
```

`hitofude run --model resnet18.safetensors --input IN.npz --output OUT.npz` then runs it, and the lab *Your model* opens it: the
file need not say of which network it is, since names and shapes fit one alone. Where they fit more than one,
`--architecture NAME` says which. What a picture's numbers must be, torchvision says beside each set of weights:
mostly RGB from 0 to 1 with ImageNet's mean and deviation taken off. torchvision's GoogLeNet has a step of its own before its
first layer when it comes with trained weights (`transform_input`), which is no layer here.

Made by `tools/torchvision_weights.py --write` with torchvision {torchvision.__version__.split("+")[0]}: random weights, one picture, the largest difference
of the 1000 scores from torch's, relative to the largest of them.

{table}
""")


main()
