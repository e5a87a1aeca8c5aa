"""Asks onnx.checker and onnxruntime about the models that tests/imported exported: are they valid, and do they answer what
this engine answered?

    cargo test --test imported
    python3 -m venv DIR && DIR/bin/pip install numpy onnx onnxruntime
    DIR/bin/python tools/onnx_check.py [FOLDER]
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

FOLDER = Path(__file__).parent.parent / "target" / "tmp" / "exported"


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    models = sorted(folder.glob("*.onnx"))
    failed = 0
    for path in models:
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        with np.load(path.with_suffix(".npz")) as arrays:
            (have,) = session.run(["output"], {"input": arrays["input"]})
            want = arrays["output"]
        off = np.abs(have - want).max() / np.abs(want).max() if have.shape == want.shape else np.inf
        failed += not off <= 1e-4
        print(f"{path.stem:28} {off:.1e}")
    print(f"{len(models) - failed} passed, {failed} failed")
    sys.exit(bool(failed) or not models)


main()
