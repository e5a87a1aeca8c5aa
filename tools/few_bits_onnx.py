"""Models of few bits as ONNX, run by ONNX Runtime on MNIST's test images beside this engine's own reading of them.

    python3 -m venv DIR && DIR/bin/pip install numpy onnx onnxruntime
    cargo build --release
    DIR/bin/python tools/few_bits_onnx.py [--data ../shared/data/mnist] [--hitofude target/release/hitofude]

For each shipped file: what `hitofude export` writes must pass ONNX's checker, and the images that it misreads must be those
that `hitofude eval` names, but for a few where a value lies between two levels: at most 0.1 % of the images may differ, 0.5 %
for the network of signs, where a value beside 0 turns a sign.
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

ROOT = Path(__file__).parent.parent
MODELS = {"tiny_int8": 0.001, "tiny_mixed": 0.001, "smallest": 0.001, "draw_int8": 0.001, "binary": 0.005}


def idx(path, header):
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "mnist")
    arguments.add_argument("--hitofude", type=Path, default=ROOT / "target" / "release" / "hitofude")
    given = arguments.parse_args()
    images = idx(given.data / "t10k-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28).astype(np.float32) / 255
    labels = idx(given.data / "t10k-labels-idx1-ubyte.gz", 8)
    failed = False
    for name, most in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.onnx"
            subprocess.run([given.hitofude, "export", "--model", name, "--out", path], check=True, stderr=subprocess.DEVNULL)
            onnx.checker.check_model(onnx.load(path), full_check=True)
            optimised = Path(folder) / "optimised.onnx"
            options = ort.SessionOptions()
            options.optimized_model_filepath = str(optimised)
            options.log_severity_level = 3
            session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            whole = sum(node.op_type.startswith("QLinear") for node in onnx.load(optimised).graph.node)
            scores = np.concatenate([session.run(None, {"input": images[i : i + 500]})[0] for i in range(0, len(images), 500)])
        theirs = set(np.flatnonzero(scores.argmax(1) != labels).tolist())
        command = [given.hitofude, "eval", "--model", name, "--data", given.data]
        ours = set(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["misclassified"])
        other = len(ours ^ theirs)
        failed |= other > most * len(images) or (name != "binary" and not whole)
        print(f"{name}: misread {len(ours)} here, {len(theirs)} there, {other} of them by one alone; {whole} operators fused to 8 bits")
    sys.exit(failed)


if __name__ == "__main__":
    main()
