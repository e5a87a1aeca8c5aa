"""One contender of `npm run bench -- --native`: PyTorch or ONNX Runtime on one thread of the CPU.

    python native.py FOLDER torch|channels_last|onnxruntime

Reads `forward` or `train` lines and answers each with JSON: milliseconds, and what came out. FOLDER has numbers.safetensors
(weights, images, targets), network.json and network.onnx.
"""

import json
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import numpy as np

FOLDER, NAME = sys.argv[1:]
RATE = 3e-4  # benches/cases.mjs


def read_numbers():
    with open(f"{FOLDER}/numbers.safetensors", "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        body = file.read()
    at = lambda entry: np.frombuffer(body[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
    return {name: at(entry) for name, entry in header.items() if name != "__metadata__"}


def tasks_of_onnxruntime(numbers):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(f"{FOLDER}/network.onnx", options, providers=["CPUExecutionProvider"])
    images = numbers["images"]
    return {"forward": lambda: session.run(None, {"input": images})[0]}


def tasks_of_torch(numbers):
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.set_num_threads(1)
    last = torch.channels_last if NAME == "channels_last" else torch.contiguous_format
    layers, channels = [], 1
    for layer in json.load(open(f"{FOLDER}/network.json"))["layers"]:
        name, kind = layer["name"], layer["type"]
        if kind == "conv":
            layers.append((name, nn.Conv2d(channels, layer["out"], layer["kernel"], padding=layer["pad"])))
            channels = layer["out"]
        elif kind == "affine":
            layers.append((name, nn.Linear(numbers[f"{name}.weight"].shape[1], layer["out"])))
        else:
            layers.append((name, {"relu": nn.ReLU(), "flatten": nn.Flatten(), "max_pool": nn.MaxPool2d(2)}[kind]))
    net = nn.Sequential()
    for name, module in layers:
        net.add_module(name, module)
    net.load_state_dict({name: torch.tensor(value) for name, value in numbers.items() if name not in ("images", "targets")})
    net = net.to(memory_format=last)
    images = torch.tensor(numbers["images"]).to(memory_format=last)
    targets = torch.tensor(numbers["targets"])
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE)

    @torch.inference_mode()
    def forward():
        return net(images).numpy()

    def train():
        optimiser.zero_grad()
        loss = F.cross_entropy(net(images), targets)
        loss.backward()
        optimiser.step()
        return np.array([loss.item()])

    return {"forward": forward, "train": train}


def main():
    numbers = read_numbers()
    tasks = (tasks_of_onnxruntime if NAME == "onnxruntime" else tasks_of_torch)(numbers)
    print(json.dumps(sorted(tasks)), flush=True)
    for line in sys.stdin:
        run = tasks[line.strip()]
        started = time.perf_counter()
        answer = run()
        took = 1000 * (time.perf_counter() - started)
        print(json.dumps({"ms": took, "answer": answer.ravel()[:1000].tolist()}), flush=True)


main()
