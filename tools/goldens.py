"""Writes tests/golden/*.safetensors: what PyTorch computes, for tests/goldens to hold the engine against.

From the repository's root:

    python3 -m venv .tools/torch
    .tools/torch/bin/pip install torch==2.15.0 numpy safetensors
    .tools/torch/bin/python tools/goldens.py

Each case draws from a seed of its own name, so a new case leaves the others' bytes alone. Everything starts from numbers
that float32 holds, is computed in float64 and rounded to float32 at the end: a difference that a test sees is the
engine's own rounding, not PyTorch's.
"""

import copy
import zlib
from collections import OrderedDict
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

FOLDER = Path(__file__).parent.parent / "tests" / "golden"


def normal(*shape):
    return torch.randn(*shape).double()


def ties(*shape):
    """Small whole numbers: equal maxima, and zeros for ReLU."""
    return torch.randint(-2, 3, shape).double()


def wide(*shape):
    """Far into both tails of a sigmoid."""
    return (12 * torch.randn(*shape)).double()


def sequence(**layers):
    """A network whose layers, and so its parameters, have these names."""
    return nn.Sequential(OrderedDict(layers))


def seeded(name, build):
    """Draws a network's parameters in float32 and hands it back in float64."""
    torch.manual_seed(zlib.crc32(name.encode()))
    return build().double()


def both_ways(name, net, x, loss_of):
    """Runs forward and backward; returns every input, output and gradient of the case by name, and running statistics
    before (among the parameters) and after."""
    before = {"param/" + name: value.clone() for name, value in net.named_buffers() if value.is_floating_point()}
    x.requires_grad_()
    y = net(x)
    y.retain_grad()
    loss = loss_of(y)
    loss.backward()
    found = {"input": x, "output": y, "loss": loss, "dinput": x.grad, "doutput": y.grad} | before
    for parameter, value in net.named_parameters():
        found["param/" + parameter] = value
        found["grad/" + parameter] = value.grad
    found |= {"after/" + name: value for name, value in net.named_buffers() if value.is_floating_point()}
    return {f"{name}/{key}": value for key, value in found.items()}


CONV = {
    "conv 3x3, pad 1": ((3, 7, 6), lambda: nn.Conv2d(3, 5, 3, padding=1)),
    "conv 5x5": ((2, 8, 8), lambda: nn.Conv2d(2, 4, 5)),
    "conv 1x1": ((6, 4, 5), lambda: nn.Conv2d(6, 3, 1)),
    "conv 1x1, stride 2": ((6, 4, 5), lambda: nn.Conv2d(6, 3, 1, stride=2)),
    "conv 2x2, stride 3": ((2, 8, 9), lambda: nn.Conv2d(2, 3, 2, stride=3)),
    "conv 5x5, stride 4, pad 2": ((1, 11, 13), lambda: nn.Conv2d(1, 4, 5, stride=4, padding=2)),
    "conv 2x2, pad 3": ((2, 3, 4), lambda: nn.Conv2d(2, 3, 2, padding=3)),
    "conv 3x3, dilation 2": ((2, 8, 7), lambda: nn.Conv2d(2, 3, 3, dilation=2, padding=2)),
    "conv 3x3, stride 2, dilation 2": ((2, 9, 8), lambda: nn.Conv2d(2, 3, 3, stride=2, dilation=2, padding=1)),
    "conv 3x2, each axis its own": (
        (3, 9, 8),
        lambda: nn.Conv2d(3, 4, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 3)),
    ),
    "conv 3x3, 2 groups": ((4, 6, 6), lambda: nn.Conv2d(4, 6, 3, groups=2, padding=1)),
    "conv 3x3, depthwise, stride 2": ((5, 7, 6), lambda: nn.Conv2d(5, 10, 3, groups=5, stride=2, padding=1)),
    "conv 3x3, one filter for each channel": ((19, 7, 6), lambda: nn.Conv2d(19, 19, 3, groups=19, padding=1)),
    "conv 5x3, one filter for each channel, stride 2": (
        (18, 9, 8),
        lambda: nn.Conv2d(18, 18, (5, 3), groups=18, stride=2, padding=(2, 1), bias=False),
    ),
    "conv 2x2, one filter for each channel, stride 3, dilation 2": (
        (3, 9, 8),
        lambda: nn.Conv2d(3, 3, 2, groups=3, stride=3, dilation=2, padding=1),
    ),
    "conv 3x3, without bias": ((3, 5, 5), lambda: nn.Conv2d(3, 4, 3, bias=False)),
    "conv 3x3, many channels": ((17, 5, 6), lambda: nn.Conv2d(17, 19, 3, padding=1)),
}

class Branches(nn.Module):
    """Named layers that all read the input; `join` makes one output of the input and theirs."""

    def __init__(self, join, **branches):
        super().__init__()
        self.join = join
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x):
        return self.join(x, *(branch(x) for branch in self.children()))


def squeeze():
    """Squeeze and excitation."""
    gate = sequence(squeeze=nn.AdaptiveAvgPool2d(1), excite=nn.Conv2d(6, 6, 1), gate=nn.Sigmoid())
    return Branches(lambda x, s: x * s, s=gate)


class Volume(nn.Module):
    """A 3-D convolution of volumes that lie as the engine has them: slice by slice, each with all its channels."""

    def __init__(self, slices, conv):
        super().__init__()
        self.slices, self.a = slices, conv

    def forward(self, x):
        n, _, h, w = x.shape
        y = self.a(x.reshape(n, self.slices, -1, h, w).transpose(1, 2)).transpose(1, 2)
        return y.reshape(n, -1, *y.shape[3:])


class SegNet(nn.Module):
    """Pooled, convolved, and unpooled to where the maxima were. Sizes that the last window leaves out stay."""

    def __init__(self, c, **window):
        super().__init__()
        self.pool = nn.MaxPool2d(**window, return_indices=True)
        self.a = nn.Conv2d(c, c, 3, padding=1)
        self.unpool = nn.MaxUnpool2d(**window)

    def forward(self, x):
        pooled, indices = self.pool(x)
        return self.unpool(self.a(pooled), indices, output_size=x.shape)


def normal_around(module, mean=0.0):
    """Gives every parameter and buffer of a normalisation numbers that matter."""
    with torch.no_grad():
        for name, value in [*module.named_parameters(), *module.named_buffers()]:
            if value.is_floating_point():
                value.copy_(torch.rand_like(value) + 0.5 if "var" in name else torch.randn_like(value))
    return module


NORMS = {
    "batch norm": ((5, 4, 3), lambda: normal_around(nn.BatchNorm2d(5)).eval()),
    "batch norm in training": ((5, 4, 3), lambda: normal_around(nn.BatchNorm2d(5, eps=1e-3, momentum=0.3))),
    "batch norm behind a flattened image": (
        (3, 2, 2),
        lambda: sequence(flatten=nn.Flatten(), a=normal_around(nn.BatchNorm1d(12)).eval(), b=nn.Linear(12, 4)),
    ),
    "layer norm": ((5, 4, 3), lambda: normal_around(nn.LayerNorm([5, 4, 3]))),
    "layer norm behind a flattened image": (
        (5, 2, 3),
        lambda: sequence(flatten=nn.Flatten(), a=normal_around(nn.LayerNorm(30)), b=nn.Linear(30, 4)),
    ),
    "layer norm, not affine": ((5, 4, 3), lambda: nn.LayerNorm([5, 4, 3], elementwise_affine=False)),
    "instance norm": ((5, 4, 3), lambda: nn.InstanceNorm2d(5)),
    "instance norm, affine": ((5, 4, 3), lambda: normal_around(nn.InstanceNorm2d(5, affine=True))),
    "group norm": ((6, 4, 3), lambda: normal_around(nn.GroupNorm(3, 6))),
    "local response norm": ((7, 4, 3), lambda: nn.LocalResponseNorm(5, alpha=0.5, beta=0.75, k=2)),
    "local response norm, even size": ((7, 4, 3), lambda: nn.LocalResponseNorm(4, alpha=0.5, beta=0.6, k=1)),
}

VOLUMES = {
    "conv 3d 3x3x3, pad 1": ((5 * 2, 4, 6), lambda: Volume(5, nn.Conv3d(2, 4, 3, padding=1))),
    "conv 3d, each axis its own": (
        (7 * 3, 6, 5),
        lambda: Volume(
            7, nn.Conv3d(3, 18, (2, 3, 2), stride=(3, 2, 1), padding=(1, 1, 0), dilation=(2, 1, 2), bias=False)
        ),
    ),
}

OTHERS = {
    "affine": ((7, 1, 1), lambda: sequence(flatten=nn.Flatten(), a=nn.Linear(7, 4))),
    "affine behind an image": ((3, 4, 5), lambda: sequence(flatten=nn.Flatten(), a=nn.Linear(60, 18))),
    "affine, without bias": ((2, 3, 2), lambda: sequence(flatten=nn.Flatten(), a=nn.Linear(12, 5, bias=False))),
    "transposed conv 3x3": ((4, 5, 6), lambda: nn.ConvTranspose2d(4, 3, 3)),
    "transposed conv 2x2, stride 2": ((6, 4, 5), lambda: nn.ConvTranspose2d(6, 4, 2, stride=2)),
    "transposed conv 3x3, many channels": ((17, 6, 5), lambda: nn.ConvTranspose2d(17, 18, 3, padding=1)),
    "transposed conv 3x4, each axis its own": (
        (3, 4, 5),
        lambda: nn.ConvTranspose2d(
            3, 5, (3, 4), stride=(2, 3), padding=(1, 0), output_padding=(1, 2), dilation=(2, 1), bias=False
        ),
    ),
    "upsample, nearest": ((3, 4, 5), lambda: nn.Upsample(scale_factor=2)),
    "upsample, bilinear": ((3, 4, 5), lambda: nn.Upsample(scale_factor=3, mode="bilinear")),
    "max pool 2x2": ((3, 6, 8), lambda: nn.MaxPool2d(2)),
    "max pool 3x3, overlapping": ((5, 7, 9), lambda: nn.MaxPool2d(3, stride=2)),
    "max pool 3x3, overlapping, pad 1": ((2, 7, 6), lambda: nn.MaxPool2d(3, stride=2, padding=1)),
    "max pool 2x3, each axis its own": ((2, 6, 9), lambda: nn.MaxPool2d((2, 3), stride=(1, 2), padding=(1, 0))),
    "max pool 2x2, dilation 2": ((2, 6, 6), lambda: nn.MaxPool2d(2, stride=1, dilation=2)),
    "max pool 3x3, ties": ((2, 7, 7), lambda: nn.MaxPool2d(3, stride=2, padding=1), ties),
    "max pool 3x3, ceil": ((2, 8, 7), lambda: nn.MaxPool2d(3, stride=2, ceil_mode=True)),
    "max pool 2x2, ceil": ((2, 5, 6), lambda: nn.MaxPool2d(2, ceil_mode=True)),
    "max pool 3x3, ceil, pad 1": ((2, 6, 5), lambda: nn.MaxPool2d(3, stride=3, padding=1, ceil_mode=True)),
    "max unpool 2x2, ties": ((3, 6, 7), lambda: SegNet(3, kernel_size=2), ties),
    "max unpool 2x3, each axis its own": (
        (2, 7, 9),
        lambda: SegNet(2, kernel_size=(2, 3), stride=3, padding=(1, 0)),
    ),
    "average pool 2x2": ((3, 6, 8), lambda: nn.AvgPool2d(2)),
    "average pool 3x3, overlapping, pad 1": ((2, 7, 6), lambda: nn.AvgPool2d(3, stride=2, padding=1)),
    "average pool 2x3, each axis its own": ((2, 6, 9), lambda: nn.AvgPool2d((2, 3), stride=(1, 2), padding=(1, 0))),
    "global average pool": ((5, 6, 7), lambda: nn.AdaptiveAvgPool2d(1)),
    "relu": ((3, 4, 5), nn.ReLU, ties),
    "sigmoid": ((3, 4, 5), nn.Sigmoid, wide),
    "tanh": ((3, 4, 5), nn.Tanh, wide),
    "identity": ((3, 4, 5), nn.Identity),
    "add": ((4, 5, 6), lambda: Branches(lambda x, a: a + x, a=nn.Conv2d(4, 4, 3, padding=1))),
    "concat": (
        (3, 5, 6),
        lambda: Branches(lambda *all: torch.cat(all, 1), a=nn.Conv2d(3, 4, 1), b=nn.Conv2d(3, 2, 3, padding=1)),
    ),
    "scale": ((6, 4, 5), squeeze),
    "leaky relu": ((3, 4, 5), lambda: nn.LeakyReLU(0.2)),
    "prelu": ((3, 4, 5), lambda: nn.PReLU(3)),
    "prelu, one slope": ((3, 4, 5), nn.PReLU),
    "elu": ((3, 4, 5), lambda: nn.ELU(0.7)),
    "selu": ((3, 4, 5), nn.SELU),
    "gelu": ((3, 4, 5), nn.GELU),
    "silu": ((3, 4, 5), nn.SiLU),
    "hard swish": ((3, 4, 5), nn.Hardswish, wide),
    "hard sigmoid": ((3, 4, 5), nn.Hardsigmoid, wide),
    "softplus": ((3, 4, 5), nn.Softplus, wide),
    "dropout in inference": ((3, 4, 5), lambda: nn.Dropout(0.3).eval()),
}


def layers():
    """Each layer alone under a random gradient of its output; the loss is that gradient's sum with the output."""
    found = {}
    for name, (shape, build, *values) in (CONV | VOLUMES | OTHERS | NORMS).items():
        net = seeded(name, build)
        net = net if isinstance(net, (nn.Sequential, Branches, SegNet, Volume)) else sequence(a=net)
        x = (values or [normal])[0](2, *shape)
        dy = normal(*copy.deepcopy(net)(x).shape)
        found |= both_ways(name, net, x, lambda y: (y * dy).sum())
    return found


def dropout():
    """What becomes of each number, and of its gradient, where training keeps it."""
    torch.manual_seed(0)
    x, dy = normal(1, 4, 6, 5).requires_grad_(), normal(1, 4, 6, 5)
    kept, dkept = torch.zeros_like(x), torch.zeros_like(x)
    while (kept == 0).any():
        y = F.dropout(x, 0.3, training=True)
        (dx,) = torch.autograd.grad(y, x, dy)
        kept, dkept = torch.where(y != 0, y, kept), torch.where(y != 0, dx, dkept)
    found = {"input": x, "kept": kept, "doutput": dy, "dkept": dkept}
    return {f"dropout in training/{key}": value for key, value in found.items()}


def deep():
    """DeepConvNet with few channels: the same pairs, poolings, paddings and dropout."""
    layers = {}
    for pair, (c, filters, pad) in enumerate([(1, 4, 1), (4, 6, 2), (6, 8, 1)]):
        i = 2 * pair + 1
        layers[f"conv{i}"], layers[f"relu{i}"] = nn.Conv2d(c, filters, 3, padding=1), nn.ReLU()
        layers[f"conv{i + 1}"], layers[f"relu{i + 1}"] = nn.Conv2d(filters, filters, 3, padding=pad), nn.ReLU()
        layers[f"pool{pair + 1}"] = nn.MaxPool2d(2)
    head = sequence(
        flatten=nn.Flatten(),
        affine1=nn.Linear(32, 10),
        relu7=nn.ReLU(),
        dropout1=nn.Dropout(0.5),
        affine2=nn.Linear(10, 5),
        dropout2=nn.Dropout(0.5),
    )
    return sequence(**layers, **dict(head.named_children())).eval()


def simple(side=12, filters=4, kernel=5, hidden=10):
    """SimpleConvNet with few channels."""
    pooled = (side - kernel + 1) // 2
    return sequence(
        conv1=nn.Conv2d(1, filters, kernel),
        relu1=nn.ReLU(),
        pool1=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
        affine1=nn.Linear(filters * pooled * pooled, hidden),
        relu2=nn.ReLU(),
        affine2=nn.Linear(hidden, 5),
    )


def perceptron(activation):
    """Three affine layers, the last one's output as it is."""
    return sequence(
        flatten=nn.Flatten(),
        affine1=nn.Linear(24, 9),
        act1=activation(),
        affine2=nn.Linear(9, 7),
        act2=activation(),
        affine3=nn.Linear(7, 5),
        act3=nn.Identity(),
    )


def scores():
    """No layer but the loss."""
    return sequence(flatten=nn.Flatten(), a=nn.Identity())


def networks():
    """Whole networks under both losses: the mean cross-entropy, and half the sum of the squared errors."""
    found = {}
    cases = {
        "cross-entropy": (scores, (5, 1, 1), "labels", normal),
        "cross-entropy, large scores": (scores, (5, 1, 1), "labels", lambda *shape: 8 * wide(*shape)),
        "squared error": (scores, (5, 1, 1), "targets", normal),
        "simple": (simple, (1, 12, 12), "labels", normal),
        "deep": (deep, (1, 12, 12), "labels", normal),
        "perceptron": (lambda: perceptron(nn.Sigmoid), (2, 3, 4), "labels", normal),
        "regression": (lambda: perceptron(nn.Tanh), (2, 3, 4), "targets", normal),
    }
    for name, (build, shape, kind, values) in cases.items():
        net, x = seeded(name, build), values(3, *shape)
        labels, targets = torch.randint(0, 5, (3,)), normal(3, 5)
        loss = {
            "labels": lambda y: F.cross_entropy(y, labels),
            "targets": lambda y: 0.5 * ((y - targets) ** 2).sum(),
        }[kind]
        found |= both_ways(name, net, x, loss)
        found[f"{name}/{kind}"] = labels if kind == "labels" else targets
    return found


def state(net):
    """Parameters and running statistics by name."""
    return {name: value for name, value in net.state_dict().items() if value.is_floating_point()}


def curves():
    """Twenty steps of each optimiser from one start on the same batches: every loss, and the last parameters."""
    optimisers = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
        "sgd, decay": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.05),
        "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
        "momentum, decay": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.05),
        "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
        "nesterov, decay": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.05),
        "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.05),
        "adagrad, decay": lambda p: torch.optim.Adagrad(p, lr=0.05, weight_decay=0.05, eps=1e-3),
        "adadelta": lambda p: torch.optim.Adadelta(p),
        "adadelta, decay": lambda p: torch.optim.Adadelta(p, lr=5, rho=0.8, eps=1e-4, weight_decay=0.05),
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
        "rmsprop, decay": lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-3, weight_decay=0.05),
        "adam": lambda p: torch.optim.Adam(p, lr=0.01),
        "adam, decay": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.05),
        "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.05),
    }
    start = seeded("curves", lambda: simple(side=8, filters=3, kernel=3, hidden=6))
    x, labels = normal(20, 4, 1, 8, 8), torch.randint(0, 5, (20, 4))
    found = {"data/start/" + name: value for name, value in start.named_parameters()}
    found |= {"data/input": x, "data/labels": labels}
    # Clipping as PyTorch does it, at sizes that bite in some of the steps.
    clips = {
        "sgd, clipped by norm": lambda p: nn.utils.clip_grad_norm_(p, 1.5),
        "sgd, clipped by value": lambda p: nn.utils.clip_grad_value_(p, 0.1),
    }
    optimisers |= {name: optimisers["sgd"] for name in clips}
    # A network whose running statistics follow.
    normalised = seeded("curves, normalised", lambda: sequence(
        conv1=nn.Conv2d(1, 3, 3, bias=False),
        norm1=nn.BatchNorm2d(3, momentum=0.3),
        relu1=nn.ReLU(),
        flatten=nn.Flatten(),
        affine1=nn.Linear(108, 5),
    ))  # fmt: skip
    optimisers["batch norm"] = optimisers["sgd"]
    found |= {"batch norm/start/" + name: value.clone() for name, value in state(normalised).items()}
    for name, make in optimisers.items():
        net, losses = copy.deepcopy(normalised if name == "batch norm" else start), []
        optimiser = make(net.parameters())
        for images, classes in zip(x, labels):
            optimiser.zero_grad()
            loss = F.cross_entropy(net(images), classes)
            loss.backward()
            if name in clips:
                clips[name](net.parameters())
            optimiser.step()
            losses.append(loss.detach())
        found[f"{name}/loss"] = torch.stack(losses)
        found |= {f"{name}/end/{parameter}": value for parameter, value in state(net).items()}
    return found


def explain():
    """Attribution maps of one picture for every class, by the definitions of their papers."""
    name = "explain"
    net = seeded(name, lambda: sequence(
        conv1=nn.Conv2d(1, 4, 3, padding=1), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(4, 6, 3, padding=1), relu2=nn.ReLU(),
        flatten=nn.Flatten(), affine1=nn.Linear(180, 8), relu3=nn.ReLU(), affine2=nn.Linear(8, 5),
    ))
    x, classes, steps = torch.rand(1, 1, 12, 10).double(), 5, 20
    found = {"input": x} | {"param/" + key: value for key, value in net.named_parameters()}

    def gradients(at, by=None):
        """The gradient of each class's score at `at`, or at the values of the layer `by`."""
        kept = {}
        handle = by and getattr(net, by).register_forward_hook(lambda _, __, y: kept.update(y=y))
        at = at.clone().requires_grad_()
        scores = net(at)
        target = kept["y"] if by else at
        rows = [torch.autograd.grad(scores[0, c], target, retain_graph=True)[0] for c in range(classes)]
        if by:
            handle.remove()
        return torch.stack(rows), target.detach()

    found["saliency"], _ = gradients(x)
    hooks = [m.register_full_backward_hook(lambda _, dx, __: (dx[0].clamp(min=0),)) for m in net if isinstance(m, nn.ReLU)]
    found["guided"], _ = gradients(x)
    for hook in hooks:
        hook.remove()
    rows, maps = gradients(x, "relu2")
    cams = (rows.mean(dim=(-2, -1), keepdim=True) * maps).sum(dim=2).clamp(min=0)
    found["grad_cam"] = F.interpolate(cams, size=(12, 10), mode="bilinear", align_corners=False)
    found["integrated"] = sum(gradients((k + 0.5) / steps * x)[0] for k in range(steps)) / steps * x
    return {f"{name}/{key}": value for key, value in found.items()}


def style():
    """The losses of Gatys et al. 2016 between three pictures, and the slope of their sum by the painted one."""
    name = "style"
    net = seeded(name, lambda: sequence(
        conv1=nn.Conv2d(3, 6, 3, padding=1), relu1=nn.ReLU(), pool1=nn.AvgPool2d(2),
        conv2=nn.Conv2d(6, 8, 3, padding=1), relu2=nn.ReLU(),
    ))
    image, content, hand = torch.rand(1, 3, 12, 10).double(), torch.rand(1, 3, 12, 10).double(), torch.rand(1, 3, 8, 14).double()
    found = {"image": image, "content": content, "style": hand}
    found |= {"param/" + key: value for key, value in net.named_parameters()}

    def seen(x):
        kept = {}
        hooks = [getattr(net, at).register_forward_hook(lambda _, __, y, at=at: kept.update({at: y})) for at in ("relu1", "relu2")]
        net((x - 0.5) / 0.25)
        for hook in hooks:
            hook.remove()
        return kept

    def gram(y):
        rows = y.flatten(2)[0]
        return rows @ rows.T / rows.shape[1]

    image.requires_grad_()
    now, there, theirs = seen(image), seen(content), seen(hand)
    losses = {"content": ((now["relu2"] - there["relu2"]) ** 2).sum() / (there["relu2"] ** 2).sum()}
    for at, weight in (("relu1", 0.75), ("relu2", 2.0)):
        found[f"gram/{at}"], target = gram(now[at]), gram(theirs[at])
        losses[f"style/{at}"] = weight * ((found[f"gram/{at}"] - target) ** 2).sum() / (target**2).sum()
    across, down = image[..., 1:] - image[..., :-1], image[..., 1:, :] - image[..., :-1, :]
    losses["variation"] = 3.0 * 0.5 * ((across**2).sum() + (down**2).sum()) / image.numel()
    found["losses"] = torch.stack(list(losses.values()))
    found["gradient"], = torch.autograd.grad(sum(losses.values()), image)
    return {f"{name}/{key}": value for key, value in found.items()}


def losses():
    """Every loss, summed, with its slope: on vectors and on maps, weighted and not, far into the tails."""
    shapes = {"vectors": (3, 4, 1, 1), "maps": (3, 4, 5, 3)}
    weights = torch.tensor([0.5, 2.0, 0.0, 1.25]).double()
    found = {}

    def case(name, x, target, loss_of, by=None):
        x.requires_grad_()
        loss = loss_of(x, target)
        loss.backward()
        one = {"input": x, "target": target.double(), "loss": loss, "dinput": x.grad} | ({} if by is None else {"weights": by})
        found.update({f"{name}/{key}": value for key, value in one.items()})

    for at, shape in shapes.items():
        torch.manual_seed(zlib.crc32(f"losses, {at}".encode()))
        pixels = (shape[0], *shape[2:])
        classes = torch.randint(-1, 4, pixels)
        of_class = torch.where(classes < 0, 0.0, weights[classes.clamp(min=0)]).unsqueeze(1)
        each = torch.rand(shape).double()
        case(f"cross_entropy, {at}", wide(*shape), torch.rand(shape).softmax(1).double(),
             lambda x, t: F.cross_entropy(x, t, reduction="sum"))
        case(f"mask_cross_entropy, {at}", normal(*shape), classes.unsqueeze(1),
             lambda x, t: F.cross_entropy(x, classes, ignore_index=-1, reduction="sum"))
        case(f"mask_cross_entropy, {at}, class weights", normal(*shape), classes.unsqueeze(1),
             lambda x, t: F.cross_entropy(x, classes, weight=weights, ignore_index=-1, reduction="sum"), of_class)
        case(f"binary_cross_entropy, {at}", wide(*shape), torch.rand(shape).double(),
             lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="sum"))
        case(f"binary_cross_entropy, {at}, weights", wide(*shape), torch.rand(shape).double(),
             lambda x, t: F.binary_cross_entropy_with_logits(x, t, weight=each, reduction="sum"), each)
        case(f"squared_error, {at}", normal(*shape), normal(*shape), lambda x, t: F.mse_loss(x, t, reduction="sum") / 2)
        case(f"huber, {at}", 2 * normal(*shape), normal(*shape), lambda x, t: F.huber_loss(x, t, delta=0.75, reduction="sum"))
        case(f"huber, {at}, smooth L1", 2 * normal(*shape), normal(*shape),
             lambda x, t: 0.75 * F.smooth_l1_loss(x, t, beta=0.75, reduction="sum"))
    return found


def write(file, tensors):
    rounded = {name: value.detach().float().contiguous() for name, value in tensors.items()}
    save_file(rounded, FOLDER / f"{file}.safetensors")
    print(f"{file}: {len(rounded)} tensors, {(FOLDER / f'{file}.safetensors').stat().st_size} bytes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    write("layers", layers() | dropout())
    write("networks", networks())
    write("curves", curves())
    write("explain", explain())
    write("style", style())
    write("losses", losses())
