"""Runs the ONNX project's own backend tests through `hitofude run` and writes docs/onnx.md.

    python3 -m venv DIR && DIR/bin/pip install numpy onnx
    cargo build --release
    DIR/bin/python tools/onnx_backend.py [--write] [FILTER]

A case counts when every operator of its model is one that the project's issue on formats lists (LISTED below) and every
array is of a type that float networks use (TYPES). The other cases are tried as well where this engine knows all their
operators, and reported apart; the rest are not applicable, with the reason.
"""

import argparse
import collections
import gzip
import io
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases

ROOT = Path(__file__).parent.parent
LISTED = """Conv ConvTranspose Gemm MatMul MaxPool AveragePool GlobalAveragePool GlobalMaxPool BatchNormalization
InstanceNormalization LayerNormalization GroupNormalization LRN Relu LeakyRelu PRelu Elu Selu Celu Sigmoid HardSigmoid
HardSwish Tanh Softplus Softsign Gelu Erf Clip Softmax LogSoftmax Add Sub Mul Div Pow Sqrt Exp Log Neg Abs Min Max Sum Mean
ReduceMean ReduceSum ReduceMax ReduceMin ReduceL2 Concat Split Slice Gather Pad Flatten Reshape Squeeze Unsqueeze Transpose
Resize Upsample DepthToSpace Dropout Identity Constant ConstantOfShape Shape Cast Expand Where Equal Less Greater LessOrEqual
GreaterOrEqual And Or Not ArgMax QuantizeLinear DequantizeLinear LSTM GRU RNN ConvInteger MatMulInteger QLinearConv
QLinearMatMul Einsum GridSample NonMaxSuppression RoiAlign Loop If""".split()
# float32, uint8, int8, int32, int64, bool: what a float network and its quantised form are made of.
TYPES = {1, 2, 3, 6, 7, 9}
# Beyond those the engine reads uint16, int16, float16, float64, uint32, uint64, bfloat16.
READ = TYPES | {4, 5, 10, 11, 12, 13, 16}
# Where this engine answers as PyTorch and ONNX Runtime do, and the ONNX project's reference does not.
OTHERWISE = {
    f"test_resize_downsample_scales_{mode}_align_corners": "the side that comes out counts, as PyTorch and ONNX Runtime "
    "have it, not scale times side"
    for mode in ("linear", "cubic")
}
# Largest case, in bytes, that goes into the file that CI runs.
PACKED = 2000
FOLDERS = ["pytorch-operator", "pytorch-converted", "simple"]


def operators(graph):
    for node in graph.node:
        yield node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                yield from operators(inner)


def types(graph):
    """The number types of a model's inputs and outputs; 0 for what is no tensor."""
    return {port.type.tensor_type.elem_type for port in [*graph.input, *graph.output]}


def cases():
    """Every case: its group, name, model, and data sets of named inputs and outputs with tolerances."""
    for case in collect_testcases(None):
        sets = [(list(inputs), list(outputs)) for inputs, outputs in case.data_sets]
        yield "node", case.name, case.model, sets, case.rtol, case.atol
    data = Path(onnx.__file__).parent / "backend" / "test" / "data"
    for group in FOLDERS:
        for folder in sorted((data / group).iterdir()):
            model = onnx.load(folder / "model.onnx")
            sets = [read_set(model, each) for each in sorted(folder.glob("test_data_set_*"))]
            yield group, folder.name, model, sets, 1e-3, 1e-7


def read_set(model, folder):
    def read(kind):
        found = []
        for i in range(len(list(folder.glob(f"{kind}_*.pb")))):
            tensor = TensorProto()
            try:
                tensor.ParseFromString((folder / f"{kind}_{i}.pb").read_bytes())
                found.append(numpy_helper.to_array(tensor))
            except Exception:
                found.append(None)
        return found

    return read("input"), read("output")


def reason(name, model, known):
    """Why a case cannot be asked of this engine; None if it can."""
    if name in OTHERWISE:
        return OTHERWISE[name]
    unknown = sorted(set(operators(model.graph)) - known)
    if unknown:
        return "operators beyond: " + ", ".join(unknown)
    odd = types(model.graph) - READ
    if odd:
        return "types beyond: " + ", ".join(TensorProto.DataType.Name(t) if t else "no tensor" for t in sorted(odd))
    if any(n.op_type == "Dropout" and len(n.input) == 3 for n in model.graph.node) and "zero_ratio" not in name:
        return "a mask drawn by NumPy's generator"
    inner = {t.data_type for t in model.graph.initializer}
    inner |= {a.t.data_type for n in model.graph.node for a in n.attribute if a.HasField("t")}
    inner |= {a.i for n in model.graph.node for a in n.attribute if a.name in ("to", "output_dtype", "dtype")}
    odd = inner - READ
    return "types beyond: " + ", ".join(TensorProto.DataType.Name(t) for t in sorted(odd)) if odd else None


def plain(x):
    """A case's array; NumPy's files have no bfloat16, so it goes as float32 and comes back so."""
    x = numpy_helper.to_array(x) if isinstance(x, TensorProto) else np.asarray(x)
    return x.astype(np.float32) if x.dtype.name == "bfloat16" else x


def run(binary, model, sets, rtol, atol, work):
    """None if every output of every data set is right, else what is wrong."""
    path = work / "model.onnx"
    path.write_bytes(model.SerializeToString())
    for inputs, outputs in sets:
        given = zip([port.name for port in model.graph.input], inputs, strict=False)
        np.savez(work / "in.npz", **{name: plain(x) for name, x in given})
        command = [binary, "run", "--model", path, "--input", work / "in.npz", "--output", work / "out.npz"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode:
            return done.stderr.strip().splitlines()[-1]
        with np.load(work / "out.npz") as answers:
            for port, want in zip(model.graph.output, outputs, strict=False):
                have = answers[port.name]
                want = plain(want)
                if have.dtype != want.dtype or have.shape != want.shape:
                    return f"{port.name}: {have.dtype} {have.shape}, not {want.dtype} {want.shape}"
                if not np.allclose(have, want, rtol, atol, equal_nan=True):
                    worst = np.abs(have.astype(float) - want.astype(float)).max()
                    return f"{port.name}: off by {worst:g}"
    return None


def pack(name, model, sets, rtol, atol):
    """A case as arrays of one .npz: NAME:model, NAME:within, NAME:SET:in:PORT and NAME:SET:out:PORT."""
    yield f"{name}:model", np.frombuffer(model.SerializeToString(), np.uint8)
    yield f"{name}:within", np.array([rtol, atol], np.float32)
    for i, (inputs, outputs) in enumerate(sets):
        for port, x in zip(model.graph.input, inputs, strict=False):
            yield f"{name}:{i}:in:{port.name}", plain(x)
        for port, x in zip(model.graph.output, outputs, strict=False):
            yield f"{name}:{i}:out:{port.name}", plain(x)


def table(rows):
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("filter", nargs="?", default="")
    options.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "hitofude")
    options.add_argument("--pack", type=Path, help="write the listed cases that passed, for tests/imported")
    options.add_argument("--write", action="store_true", help="write docs/onnx.md")
    options = options.parse_args()
    listing = subprocess.run([options.binary, "models", "--operators"], capture_output=True, text=True, check=True)
    known = set(listing.stdout.split())
    missing = sorted(set(LISTED) - known)
    if missing:
        sys.exit(f"listed operators that are not known: {missing}")
    counts = collections.defaultdict(collections.Counter)
    packed = {}
    by_operator, failures, reasons = collections.defaultdict(collections.Counter), [], collections.Counter()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for group, name, model, sets, rtol, atol in cases():
            if options.filter not in name:
                continue
            used = set(operators(model.graph))
            listed = used <= set(LISTED) and types(model.graph) <= TYPES
            key = (group, "listed" if listed else "beyond")
            why = reason(name, model, known)
            if why:
                counts[key]["not applicable"] += 1
                reasons[why] += 1
                continue
            wrong = run(options.binary, model, sets, rtol, atol, Path(folder))
            verdict = "failed" if wrong else "passed"
            counts[key][verdict] += 1
            if listed:
                by_operator[min(used, key=lambda op: (op == "Constant", op)) if len(used) == 1 else "several"][verdict] += 1
            if listed and not wrong:
                case = dict(pack(f"{group}/{name}", model, sets, rtol, atol))
                if sum(x.nbytes for x in case.values()) <= PACKED and "_expanded" not in name:
                    packed.update(case)
            if wrong:
                failures.append((group, name, "listed" if listed else "beyond", wrong))
                print(f"FAILED {group} {name}: {wrong}", flush=True)
    for key in sorted(counts):
        print(*key, dict(counts[key]))
    print(f"{sum(c['passed'] for c in counts.values())} passed, {len(failures)} failed")
    if options.pack:
        stored = io.BytesIO()
        np.savez(stored, **packed)
        # Packed as one: the archive's own entries are mostly names, which repeat.
        options.pack.write_bytes(gzip.compress(stored.getvalue(), 9, mtime=0))
    if options.write:
        write(counts, by_operator, failures, reasons)
    sys.exit(any(kind == "listed" for _, _, kind, _ in failures))


def write(counts, by_operator, failures, reasons):
    verdicts = ["passed", "failed", "not applicable"]
    head = [["cases", *verdicts], ["---", *["---:"] * 3]]
    rows = [[f"{group}, {kind}", *[counts[group, kind][v] for v in verdicts]] for group, kind in sorted(counts)]
    listed = [[op, by_operator[op]["passed"], by_operator[op]["failed"]] for op in sorted(by_operator)]
    text = f"""# ONNX: what runs

Made by `tools/onnx_backend.py --write` with the package onnx {onnx.__version__}: the ONNX project's own backend tests,
each through `hitofude run`, within the tolerances that the cases give.

*Listed* cases use only the operators that float CNNs are made of and their number types (float32, int8, uint8, int32,
int64, bool); *beyond* are all others. Not applicable are those with an operator or a type that is not read.

{table(head + rows)}

## Listed cases by operator

Cases of one operator under its name, graphs of several under *several*.

{table([["operator", "passed", "failed"], ["---", "---:", "---:"], *listed])}

## What failed

{table([["case", "kind", "why"], ["---", "---", "---"], *[[f"{g}: {n}", k, w] for g, n, k, w in failures]]) if failures else "Nothing."}

## Why cases are not applicable

{table([["reason", "cases"], ["---", "---:"], *sorted(reasons.items(), key=lambda item: (-item[1], item[0]))])}
"""
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs" / "onnx.md").write_text(text)


main()
