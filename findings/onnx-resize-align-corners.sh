#!/bin/sh
# ONNX's own test of Resize by scales with align_corners is answered otherwise by the programs that write and run such graphs. A
# side of 4 times 0.6 is 2.4 and becomes 2. The reference in the package onnx 1.23.2, and with it the standard's test case
# `resize_downsample_scales_linear_align_corners`, lays the corners of the old side on a side of 2.4, so that the last number
# is not the last number of the input. ONNX Runtime 1.32.0 lays them on the 2 that come out, and so does PyTorch, which exports
# `Upsample(scale_factor=0.6, align_corners=True)` as this operator. An engine that passes the standard's test has other numbers
# than the exporter meant.
#
# Seen, for the row 1 2 3 4:
#   reference   [1.0, 3.142857074737549]
#   onnxruntime [1.0, 4.0]
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy onnx==1.23.2 onnxruntime==1.32.0
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

node = helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="linear", coordinate_transformation_mode="align_corners")
port = helper.make_tensor_value_info
scales = numpy_helper.from_array(np.array([1, 1, 1, 0.6], np.float32), "scales")
graph = helper.make_graph(
    [node], "g", [port("x", TensorProto.FLOAT, [1, 1, 1, 4])], [port("y", TensorProto.FLOAT, [1, 1, 1, 2])], [scales]
)
made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
feeds = {"x": np.array([[[[1, 2, 3, 4]]]], np.float32)}
session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
seen = {
    "reference": ReferenceEvaluator(made).run(None, feeds)[0].ravel().tolist(),
    "onnxruntime": session.run(None, feeds)[0].ravel().tolist(),
}
for who, row in seen.items():
    print(f"{who:11} {row}")
assert np.allclose(seen["reference"], [1, 3.142857]) and np.allclose(seen["onnxruntime"], [1, 4]), seen
PY
