"""Writes tests/golden/recurrent.safetensors: what PyTorch's LSTM and Embedding compute, for tests/recurrent.rs.

From the repository's root, with the environment that tools/goldens.py describes:

    .tools/torch/bin/python tools/recurrent.py

Numbers start in float32, are computed in float64 and rounded at the end. Sequences are written as the engine has them: image,
channel, step.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

FILE = Path(__file__).parent.parent / "tests" / "golden" / "recurrent.safetensors"
N, STEPS, TOKENS, C, HIDDEN = 3, 5, 7, 6, 9


def case(states, lengths):
    """Tokens, their vectors, an LSTM, and half the square of what it says against a target."""
    torch.manual_seed(20 + 2 * states + lengths)
    embedding, lstm = nn.Embedding(TOKENS, C), nn.LSTM(C, HIDDEN, batch_first=True)
    draws = [torch.randn(N, HIDDEN), torch.randn(N, HIDDEN), torch.randn(N, STEPS, HIDDEN)]
    embedding, lstm = embedding.double(), lstm.double()
    hidden, cell, target = (draw.double() for draw in draws)
    tokens, length = torch.randint(TOKENS, (N, STEPS)), torch.tensor([3, 5, 1])
    x = embedding(tokens)
    x.retain_grad()
    first = None
    if states:
        hidden.requires_grad_(), cell.requires_grad_()
        first = (hidden[None], cell[None])
    if lengths:
        packed = pack_padded_sequence(x, length, batch_first=True, enforce_sorted=False)
        y, _ = lstm(packed, first)
        y, _ = pad_packed_sequence(y, batch_first=True, total_length=STEPS)
    else:
        y, _ = lstm(x, first)
    loss = 0.5 * ((y - target) ** 2).sum()
    loss.backward()
    across = lambda v: v.transpose(1, 2)
    found = {"tokens": tokens.double(), "target": across(target), "output": across(y), "loss": loss}
    if states:
        found |= {"hidden": hidden, "cell": cell, "dhidden": hidden.grad, "dcell": cell.grad}
    if lengths:
        found["length"] = length.double()
    for name, layer in (("embedding", embedding), ("lstm", lstm)):
        for parameter, value in layer.named_parameters():
            found[f"param/{name}.{parameter}"], found[f"grad/{name}.{parameter}"] = value, value.grad
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    tensors = {}
    for states in (0, 1):
        for lengths in (0, 1):
            name = ("lstm" + ", first states" * states + ", lengths" * lengths)
            tensors |= {f"{name}/{key}": v.detach().float().contiguous() for key, v in case(states, lengths).items()}
    save_file(tensors, FILE)
    print(f"{len(tensors)} tensors, {FILE.stat().st_size} bytes")
