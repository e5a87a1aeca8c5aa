#!/bin/sh
# ONNX's RoiAlign in the mode `max` does not take the largest of the interpolated samples: it takes the largest product of a pixel and
# its bilinear weight. A map that is 1 everywhere comes to 1 in the mode `avg` and to less in `max`. ONNX Runtime 1.32.0 computes
# so, and so does the reference in the package onnx 1.23.2, which the standard's own test case (`roialign_mode_max`) was made with:
# whoever exports a detector with max-pooled regions must expect numbers that shrink with where boxes lie between pixels.
#
# Seen, for a region of one bin whose only sample lies in the middle of four pixels:
#   onnxruntime avg 1.0 max 0.25
#   reference   avg 1.0 max 0.25
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy onnx==1.23.2 onnxruntime==1.32.0
"$folder/venv/bin/python" - <<'PY'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator


def model(mode):
    node = helper.make_node(
        "RoiAlign", ["x", "rois", "images"], ["y"], mode=mode, output_height=1, output_width=1, sampling_ratio=1,
        spatial_scale=1.0, coordinate_transformation_mode="half_pixel",
    )
    tensor = helper.make_tensor_value_info
    inputs = [
        tensor("x", TensorProto.FLOAT, [1, 1, 4, 4]), tensor("rois", TensorProto.FLOAT, [1, 4]), tensor("images", TensorProto.INT64, [1]),
    ]
    graph = helper.make_graph([node], "g", inputs, [tensor("y", TensorProto.FLOAT, [1, 1, 1, 1])])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    return made


# From 1 to 3 along both axes: its middle is the corner that four pixels share.
feeds = {
    "x": np.ones((1, 1, 4, 4), np.float32), "rois": np.array([[1, 1, 3, 3]], np.float32), "images": np.array([0]),
}
seen = {}
for mode in ("avg", "max"):
    made = model(mode)
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    seen["onnxruntime", mode] = float(session.run(None, feeds)[0].item())
    seen["reference", mode] = float(ReferenceEvaluator(made).run(None, feeds)[0].item())
for who in ("onnxruntime", "reference"):
    print(f"{who:11} avg {seen[who, 'avg']} max {seen[who, 'max']}")
assert seen == {("onnxruntime", "avg"): 1.0, ("onnxruntime", "max"): 0.25, ("reference", "avg"): 1.0, ("reference", "max"): 0.25}, seen
PY
