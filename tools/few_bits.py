"""Writes tests/golden/few_bits.safetensors: what PyTorch's autograd makes of rounding in the graph, for tests/goldens/few_bits.rs.

From the repository's root, with the environment that tools/goldens.py describes:

    .tools/torch/bin/python tools/few_bits.py

The rules: learnt step sizes (Esser et al. 2020) by their logarithm (Jain et al. 2020), ternary weights (Li et al. 2016), BinaryConnect and
BinaryNet (Courbariaux et al. 2015, Hubara et al. 2016), XNOR-Net (Rastegari et al. 2016); sign(0) = +1 and the gradient where |x| <= 1, as
larq has it, with no gradient through the mean. Numbers start in float32, are computed in float64 and rounded at the end.
"""

import zlib
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

FILE = Path(__file__).parent.parent / "tests" / "golden" / "few_bits.safetensors"


def straight(value, rounded):
    """`rounded` forward, the gradient of `value` backward."""
    return value + (rounded - value).detach()


def levels(bits, signed):
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)


def lsq(x, log_step, numbers, lo, hi):
    """Levels of a learnt step, whose gradient is divided by the root of numbers times the highest level."""
    step, scale = 2**log_step, (numbers * hi) ** -0.5
    step = step * scale + (step * (1 - scale)).detach()
    v = torch.clamp(x / step, lo, hi)
    return straight(v, torch.round(v)) * step


class SignStraight(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0).to(x)

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy * (x.abs() <= 1)


class Fake(nn.Module):
    def __init__(self, bits, signed, step):
        super().__init__()
        self.log_step = nn.Parameter(torch.tensor([step]).log2())
        self.range = levels(bits, signed)

    def forward(self, x):
        return lsq(x, self.log_step, x[0].numel(), *self.range)


class Sign(nn.Module):
    def forward(self, x):
        return SignStraight.apply(x)


class Conv(nn.Module):
    """A convolution over weights rounded by a rule."""

    def __init__(self, c, out, k, rule, pad=0, stride=1):
        super().__init__()
        conv = nn.Conv2d(c, out, k)
        # Wide enough that some latent weights are beyond 1.
        self.weight = nn.Parameter(conv.weight.detach() * (8 if rule in ("binary", "scaled") else 1))
        self.bias, self.rule, self.at = nn.Parameter(conv.bias.detach()), rule, dict(padding=pad, stride=stride)
        if isinstance(rule, int):
            # Such that some weights are beyond the levels.
            self.log_step = nn.Parameter((0.7 * conv.weight.abs().amax((1, 2, 3)) / 2 ** (rule - 1)).log2().detach())

    def rounded(self):
        w, each = self.weight, (1, 2, 3)
        if isinstance(self.rule, int):
            step = self.log_step[:, None, None, None]
            return lsq(w, step, w[0].numel(), *levels(self.rule, True))
        mean = w.abs().mean(each, keepdim=True).detach()
        if self.rule == "ternary":
            above = (w.abs() > 0.7 * mean).to(w)
            scale = (w.abs() * above).sum(each, keepdim=True) / above.sum(each, keepdim=True).clamp(min=1)
            return straight(w, torch.sign(w) * above * scale)
        return SignStraight.apply(w) * (mean if self.rule == "scaled" else 1)

    def forward(self, x):
        return F.conv2d(x, self.rounded(), self.bias, **self.at)


CASES = {
    "fake quantise, 8 bits": ((3, 5, 4), lambda: Fake(8, False, 0.02), 1),
    "fake quantise, 4 bits with a sign": ((2, 6, 5), lambda: Fake(4, True, 0.2), 1),
    "fake quantise, 1 bit": ((2, 6, 5), lambda: Fake(1, False, 0.8), 1),
    "sign": ((3, 5, 4), Sign, 1),
    "sign, whole numbers": ((3, 5, 4), Sign, 0),
    "conv of 8 bits": ((3, 6, 5), lambda: Conv(3, 4, 3, 8, pad=1), 1),
    "conv of 4 bits, stride 2": ((2, 7, 6), lambda: Conv(2, 5, 3, 4, stride=2), 1),
    "conv of 2 bits": ((4, 5, 5), lambda: Conv(4, 3, 2, 2), 1),
    "conv of ternary weights": ((3, 6, 5), lambda: Conv(3, 4, 3, "ternary", pad=1), 1),
    "conv of signs": ((3, 6, 5), lambda: Conv(3, 4, 3, "binary"), 1),
    "conv of scaled signs": ((3, 6, 5), lambda: Conv(3, 4, 3, "scaled", pad=1), 1),
}


def case(name, shape, build, spread):
    torch.manual_seed(zlib.crc32(name.encode()))
    net = build()
    x = torch.randn(3, *shape) if spread else torch.randint(-2, 3, (3, *shape)).float()
    net, x = net.double(), x.double().requires_grad_()
    y = net(x)
    dy = torch.randn(y.shape).double()
    y.backward(dy)
    found = {"input": x, "output": y, "dinput": x.grad, "doutput": dy}
    for parameter, value in net.named_parameters():
        found[f"param/a.{parameter}"], found[f"grad/a.{parameter}"] = value, value.grad
    return {f"{name}/{key}": v.detach().float().contiguous() for key, v in found.items()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    tensors = {}
    for name, (shape, build, spread) in CASES.items():
        tensors |= case(name, shape, build, spread)
    save_file(tensors, FILE)
    print(f"{len(tensors)} tensors, {FILE.stat().st_size} bytes")
