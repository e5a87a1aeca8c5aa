"""Small graphs as ONNX Runtime's own tools and other exporters write them, run by ONNX Runtime and by `hitofude run`.

    python3 -m venv DIR && DIR/bin/pip install numpy onnx onnxruntime
    cargo build --release
    DIR/bin/python tools/onnx_runtime.py [--pack tests/golden/onnx_runtime.npz.gz]

Quantised files in both of its formats, what it writes for recurrent networks, functions of a model's own, sparse weights,
operators out of order, and operators that two programs read differently. Says how far the answers lie apart, and packs models,
inputs and ONNX Runtime's answers for tests/imported.
"""

import argparse
import gzip
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

ROOT = Path(__file__).parent.parent
rng = np.random.default_rng(1)


def real(*shape):
    return (rng.standard_normal(shape) * 0.5).astype(np.float32)


def model(nodes, inputs, outputs, constants=(), opset=17, functions=(), domains=(), sparse=()):
    info = h.make_tensor_value_info
    graph = h.make_graph(
        nodes,
        "graph",
        [info(name, kind, shape) for name, kind, shape in inputs],
        [info(name, kind, None) for name, kind in outputs],
        [nh.from_array(value, name) for name, value in dict(constants).items()],
        sparse_initializer=list(sparse),
    )
    opsets = [h.make_opsetid("", opset), *[h.make_opsetid(domain, 1) for domain in domains]]
    return h.make_model(graph, opset_imports=opsets, ir_version=8, functions=list(functions))


def recurrent(op, ways, gates, extra=(), **attributes):
    steps, batch, inputs, hidden = 5, 2, 4, 3
    constants = {"W": real(ways, gates * hidden, inputs), "R": real(ways, gates * hidden, hidden), "B": real(ways, 2 * gates * hidden)}
    names = ["X", "W", "R", "B", "", "", "", ""]
    if "lengths" in extra:
        names[4], constants["lengths"] = "lengths", np.array([5, 3], np.int32)
    if "first" in extra:
        names[5], constants["first"] = "first", real(ways, batch, hidden)
    if "peepholes" in extra:
        names[7], constants["peepholes"] = "peepholes", real(ways, 3 * hidden)
    while not names[-1]:
        names.pop()
    outputs = ["Y", "Y_h", *(["Y_c"] if op == "LSTM" else [])]
    node = h.make_node(op, names, outputs, hidden_size=hidden, **attributes)
    built = model([node], [("X", T.FLOAT, [steps, batch, inputs])], [(name, T.FLOAT) for name in outputs], constants)
    return built, {"X": real(steps, batch, inputs)}


class Calibration(CalibrationDataReader):
    def __init__(self, name, arrays):
        self.left = iter([{name: array} for array in arrays])

    def get_next(self):
        return next(self.left, None)


def network():
    nodes = [
        h.make_node("Conv", ["x", "k1", "b1"], ["c1"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        h.make_node("LeakyRelu", ["c1"], ["r1"], alpha=0.1),
        h.make_node("Conv", ["r1", "k2"], ["c2"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        h.make_node("Add", ["r1", "c2"], ["sum"]),
        h.make_node("Sigmoid", ["sum"], ["s"]),
        h.make_node("Mul", ["s", "r1"], ["m"]),
        h.make_node("Concat", ["m", "sum"], ["both"], axis=1),
        h.make_node("GlobalAveragePool", ["both"], ["p"]),
        h.make_node("Flatten", ["p"], ["f"]),
        h.make_node("Gemm", ["f", "w", "b"], ["y"], transB=1),
    ]
    constants = {"k1": real(4, 2, 3, 3), "b1": real(4), "k2": real(4, 4, 3, 3), "w": real(3, 8), "b": real(3)}
    return model(nodes, [("x", T.FLOAT, [1, 2, 6, 5])], [("y", T.FLOAT)], constants), {"x": real(1, 2, 6, 5)}


def quantised(folder, style, per_channel):
    built, feeds = network()
    source, target = folder / "float.onnx", folder / "quantised.onnx"
    onnx.save(built, source)
    reader = Calibration("x", [real(1, 2, 6, 5) for _ in range(8)])
    quantize_static(source, target, reader, quant_format=style, per_channel=per_channel, activation_type=QuantType.QUInt8)
    return onnx.load(target), feeds


def dynamic(folder, built, feeds):
    source, target = folder / "float.onnx", folder / "dynamic.onnx"
    onnx.save(built, source)
    quantize_dynamic(source, target)
    return onnx.load(target), feeds


def perceptron():
    nodes = [h.make_node("MatMul", ["x", "w1"], ["a"]), h.make_node("Relu", ["a"], ["r"]), h.make_node("MatMul", ["r", "w2"], ["y"])]
    constants = {"w1": real(6, 5), "w2": real(5, 3)}
    return model(nodes, [("x", T.FLOAT, [4, 6])], [("y", T.FLOAT)], constants), {"x": real(4, 6)}


def one(op, inputs, constants=(), opset=17, **attributes):
    """A graph of one operator; what is given comes first."""
    kinds = {np.dtype(np.float32): T.FLOAT, np.dtype(np.int64): T.INT64, np.dtype(np.uint8): T.UINT8}
    given = [(name, kinds[value.dtype], list(value.shape)) for name, value in inputs.items()]
    node = h.make_node(op, [*inputs, *dict(constants)], ["y"], **attributes)
    return model([node], given, [("y", T.FLOAT)], constants, opset), dict(inputs)


def function():
    inner = h.make_function("own", "ConvRelu", ["X", "W"], ["Y"],
                            [h.make_node("Conv", ["X", "W"], ["c"], kernel_shape=[3, 3]), h.make_node("Relu", ["c"], ["Y"])],
                            [h.make_opsetid("", 17)], [])
    nodes = [h.make_node("ConvRelu", ["x", "k"], ["a"], domain="own"), h.make_node("ConvRelu", ["a", "l"], ["y"], domain="own")]
    constants = {"k": real(2, 1, 3, 3), "l": real(1, 2, 3, 3)}
    return model(nodes, [("x", T.FLOAT, [1, 1, 7, 7])], [("y", T.FLOAT)], constants, functions=[inner], domains=["own"]), {"x": real(1, 1, 7, 7)}


def sparse():
    weights = h.make_sparse_tensor(h.make_tensor("k", T.FLOAT, [2], [1.0, 2.0]), h.make_tensor("i", T.INT64, [2], [0, 5]), [1, 1, 3, 3])
    node = h.make_node("Conv", ["x", "k"], ["y"], kernel_shape=[3, 3])
    return model([node], [("x", T.FLOAT, [1, 1, 6, 6])], [("y", T.FLOAT)], sparse=[weights]), {"x": real(1, 1, 6, 6)}


def unsorted():
    built, feeds = perceptron()
    nodes = list(built.graph.node)
    del built.graph.node[:]
    built.graph.node.extend(reversed(nodes))
    return built, feeds


def outputs(mode, total):
    side = 5 - total
    return one("ConvTranspose", {"x": real(1, 1, 2, 2)}, {"k": real(1, 1, 3, 3)}, output_shape=[side, side], strides=[2, 2], auto_pad=mode)


def cases(folder):
    yield "lstm", *recurrent("LSTM", 1, 4)
    yield "lstm_both", *recurrent("LSTM", 2, 4, ["first"], direction="bidirectional")
    yield "lstm_reverse", *recurrent("LSTM", 1, 4, ["lengths"], direction="reverse")
    yield "lstm_peepholes", *recurrent("LSTM", 1, 4, ["peepholes"], clip=0.7)
    yield "gru", *recurrent("GRU", 1, 3, linear_before_reset=1)
    yield "gru_both", *recurrent("GRU", 2, 3, ["lengths"], direction="bidirectional")
    yield "rnn", *recurrent("RNN", 1, 1, activations=["Relu"])
    yield "lstm_dynamic", *dynamic(folder, *recurrent("LSTM", 2, 4, direction="bidirectional"))
    yield "matmul_dynamic", *dynamic(folder, *perceptron())
    for style in (QuantFormat.QDQ, QuantFormat.QOperator):
        for per_channel in (False, True):
            yield f"static_{style.name}_{per_channel}".lower(), *quantised(folder, style, per_channel)
    yield "function", *function()
    yield "sparse", *sparse()
    yield "unsorted", *unsorted()
    for mode in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        for total in (1, 2):
            yield f"transpose_{mode}_{total}".lower(), *outputs(mode, total)
    for scale in (0.6, 1.7, 2.5):
        scales = {"roi": np.zeros(0, np.float32), "s": np.array([1, 1, scale, scale], np.float32)}
        yield f"resize_nearest_{scale}", *one("Resize", {"x": real(1, 1, 5, 6)}, scales, mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
        yield f"resize_corners_{scale}", *one("Resize", {"x": real(1, 1, 5, 6)}, scales, mode="linear", coordinate_transformation_mode="align_corners")
    yield "resize_10", *one("Resize", {"x": real(1, 1, 2, 4)}, {"s": np.array([1, 1, 0.6, 0.6], np.float32)}, 10, mode="nearest")
    for before, after in ((-2, 1), (1, -2), (2, -2)):
        pads = {"p": np.array([before, after], np.int64)}
        yield f"pad_wrap_{before}_{after}", *one("Pad", {"x": real(5)}, pads, 19, mode="wrap")
    for op in ("MaxPool", "AveragePool"):
        for ceil in (0, 1):
            yield f"small_{op}_{ceil}".lower(), *one(op, {"x": real(1, 2, 2, 9)}, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=ceil)
    yield "celu", *one("Celu", {"x": np.array([np.nan, 1, -1], np.float32)})
    for mode in ("bilinear", "nearest", "bicubic"):
        for padding in ("zeros", "border", "reflection"):
            yield f"grid_{mode}_{padding}", *one("GridSample", {"x": real(1, 2, 5, 6), "g": 2 * real(1, 3, 4, 2)}, mode=mode, padding_mode=padding)
    yield "einsum", *one("Einsum", {"a": real(3, 5), "b": real(2, 5, 7)}, equation="mf,bft->bmt")
    yield "einsum_dots", *one("Einsum", {"a": real(2, 3, 4, 5), "b": real(1, 3, 5, 2)}, equation="...ij,...jk->...ik")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "hitofude")
    options.add_argument("--pack", type=Path)
    options = options.parse_args()
    packed, wrong = {}, []
    # With more threads DynamicQuantizeLSTM brings each row to 8 bits by itself, and its numbers are others.
    alone = ort.SessionOptions()
    alone.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, built, feeds in cases(folder):
            path = folder / "model.onnx"
            path.write_bytes(built.SerializeToString())
            session = ort.InferenceSession(path, alone, providers=["CPUExecutionProvider"])
            wanted = dict(zip([port.name for port in session.get_outputs()], session.run(None, feeds), strict=True))
            np.savez(folder / "in.npz", **feeds)
            command = [options.binary, "run", "--model", path, "--input", folder / "in.npz", "--output", folder / "out.npz"]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                wrong.append(name)
                print(f"{name:24} {done.stderr.strip()[:160]}")
                continue
            with np.load(folder / "out.npz") as answers:
                apart = max(float(np.nanmax(np.abs(answers[k].astype(float) - v.astype(float)))) if answers[k].shape == v.shape and v.size else np.inf for k, v in wanted.items())
            print(f"{name:24} {apart:.2e}")
            if apart > 1e-4:
                wrong.append(name)
            packed[f"{name}:model"] = np.frombuffer(built.SerializeToString(), np.uint8)
            packed[f"{name}:within"] = np.array([1e-4, 1e-5], np.float32)
            packed |= {f"{name}:0:in:{k}": v for k, v in feeds.items()} | {f"{name}:0:out:{k}": v for k, v in wanted.items()}
    if options.pack:
        stored = io.BytesIO()
        np.savez(stored, **packed)
        options.pack.write_bytes(gzip.compress(stored.getvalue(), 9, mtime=0))
    print(f"onnxruntime {ort.__version__}: {len(wrong)} wrong: {', '.join(wrong)}" if wrong else f"onnxruntime {ort.__version__}: all right")
    sys.exit(bool(wrong))


main()
