"""Writes tests/golden/gan.safetensors: one step of a DCGAN's two networks as PyTorch takes it, for tests/generate.rs.

From the repository's root, with the environment that tools/goldens.py describes:

    .tools/torch/bin/python tools/gan.py

Numbers start in float32, are computed in float64 and rounded at the end. The discriminator learns from real and drawn images, by
Adam; then the generator from what the discriminator says by then.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

FILE = Path(__file__).parent.parent / "tests" / "golden" / "gan.safetensors"
N, LATENT, CLASSES, UP, DOWN, RATE = 4, 3, 10, (3, 4, 2), (2, 3, 4), 1e-4
EPS = 1e-5


def draw(shape, deviation):
    return (torch.randn(shape) * deviation).double().requires_grad_()


def parameters(conditional, spectral, auxiliary):
    c = LATENT + CLASSES * conditional
    g = {
        "project.weight": draw((c, UP[0], 7, 7), 0.5),
        "norm1.weight": draw(UP[0], 1.0),
        "norm1.bias": draw(UP[0], 0.3),
        "mix.weight": draw((UP[1], UP[0], 3, 3), 0.5),
        "norm2.weight": draw(UP[1], 1.0),
        "norm2.bias": draw(UP[1], 0.3),
        "up1.weight": draw((UP[1], UP[2], 4, 4), 0.5),
        "norm3.weight": draw(UP[2], 1.0),
        "norm3.bias": draw(UP[2], 0.3),
        "up2.weight": draw((UP[2], 1, 4, 4), 0.5),
        "up2.bias": draw(1, 0.3),
    }
    d, before = {}, 1
    for n, width in enumerate(DOWN, 1):
        d[f"conv{n}.weight"] = draw((width, before, 4, 4), 0.3)
        if n > 1 and not spectral:
            d[f"norm{n}.weight"], d[f"norm{n}.bias"] = draw(width, 1.0), draw(width, 0.3)
        else:
            d[f"conv{n}.bias"] = draw(width, 0.3)
        before = width
    heads = {"real": CLASSES if conditional else 1} | ({"class": CLASSES} if auxiliary else {})
    for head, scores in heads.items():
        d[f"{head}.weight"], d[f"{head}.bias"] = draw((scores, DOWN[-1] * 9), 0.3), draw(scores, 0.3)
    if spectral:
        # One direction well ahead of the others, so that power iteration has found it.
        for name, w in d.items():
            if w.dim() > 1:
                with torch.no_grad():
                    flat = w.view(w.shape[0], -1)
                    flat += torch.outer(torch.randn(flat.shape[0]), torch.randn(flat.shape[1])).double()
    return g, d


def norm(x, p, name):
    return F.batch_norm(x, None, None, p[f"{name}.weight"], p[f"{name}.bias"], training=True, eps=EPS)


def generate(p, z):
    x = F.relu(norm(F.conv_transpose2d(z, p["project.weight"], stride=7), p, "norm1"))
    x = F.relu(norm(F.conv2d(x, p["mix.weight"], padding=1), p, "norm2"))
    x = F.relu(norm(F.conv_transpose2d(x, p["up1.weight"], stride=2, padding=1), p, "norm3"))
    return torch.sigmoid(F.conv_transpose2d(x, p["up2.weight"], p["up2.bias"], stride=2, padding=1))


def tell(p, x, spectral):
    def used(name):
        w = p[name]
        return w / torch.linalg.matrix_norm(w.flatten(1), 2) if spectral else w

    for n in range(1, len(DOWN) + 1):
        x = F.conv2d(x, used(f"conv{n}.weight"), p.get(f"conv{n}.bias"), stride=2, padding=1)
        if f"norm{n}.weight" in p:
            x = norm(x, p, f"norm{n}")
        x = F.leaky_relu(x, 0.2)
    x = x.flatten(1)
    classes = F.linear(x, used("class.weight"), p["class.bias"]) if "class.weight" in p else None
    return F.linear(x, used("real.weight"), p["real.bias"]), classes


def lost(p, x, classes, target, case):
    """The game's loss, and the sum over images of how sure the discriminator was."""
    scores, read = tell(p, x, case["spectral"])
    score = scores.gather(1, classes[:, None]) if case["conditional"] else scores
    loss = F.binary_cross_entropy_with_logits(score, torch.full_like(score, target))
    if read is not None:
        loss = loss + case["auxiliary"] * F.cross_entropy(read, classes)
    return loss, torch.sigmoid(score).mean()


def step(case):
    torch.manual_seed(30 + 2 * case["spectral"] + case["conditional"])
    g, d = parameters(case["conditional"], case["spectral"], case["auxiliary"])
    real, latents = torch.rand(N, 1, 28, 28), torch.randn(N, LATENT)
    labels, digits = torch.randint(CLASSES, (N,)), torch.randint(CLASSES, (N,))
    z = latents.double()
    if case["conditional"]:
        z = torch.cat([z, F.one_hot(digits, CLASSES).double()], 1)
    named = {f"g.{k}": v for k, v in g.items()} | {f"d.{k}": v for k, v in d.items()}
    found = {f"param/{k}": v.detach().clone() for k, v in named.items()}
    adam = torch.optim.Adam(list(d.values()), lr=RATE, betas=(0.5, 0.999))
    drawn = generate(g, z[:, :, None, None])
    on_real, d_real = lost(d, real.double(), labels, 1 - case["smoothing"], case)
    on_drawn, d_fake = lost(d, drawn.detach(), digits, 0.0, case)
    d_loss = on_real + on_drawn
    d_loss.backward()
    found |= {f"grad/d.{k}": v.grad.clone() for k, v in d.items()}
    adam.step()
    g_loss, _ = lost(d, drawn, digits, 1.0, case)
    g_loss.backward()
    found |= {f"grad/g.{k}": v.grad for k, v in g.items()}
    numbers = torch.stack([d_loss, g_loss, d_real, d_fake])
    return found | {"real": real, "latents": latents, "labels": labels.double(), "digits": digits.double(),
                    "drawn": drawn, "progress": numbers}


CASES = {
    "conditional": {"conditional": True, "spectral": False, "auxiliary": 0.0, "smoothing": 0.1},
    "spectral": {"conditional": True, "spectral": True, "auxiliary": 0.5, "smoothing": 0.0},
    "plain": {"conditional": False, "spectral": False, "auxiliary": 0.0, "smoothing": 0.0},
}

if __name__ == "__main__":
    torch.set_num_threads(1)
    tensors = {}
    for name, case in CASES.items():
        tensors |= {f"{name}/{key}": v.detach().float().contiguous() for key, v in step(case).items()}
    save_file(tensors, FILE)
    print(f"{len(tensors)} tensors, {FILE.stat().st_size} bytes")
