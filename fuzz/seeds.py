"""Writes the files that fuzzing begins with into corpus/data and corpus/model: real ones of every format that is read, all small.

Run as `python3 fuzz/seeds.py`; it needs nothing but Python.
"""

import gzip
import io
import json
import struct
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
SPEC = (
    '{"input":[2,6,6],"layers":[{"name":"c","type":"conv","out":2,"kernel":3,"pad":1},{"name":"n","type":"batch_norm"},'
    '{"name":"s","type":"add","inputs":["n","input"]},{"name":"r","type":"relu"},{"name":"p","type":"max_pool","kernel":2,'
    '"stride":2},{"name":"u","type":"upsample_bilinear","scale":2},{"name":"f","type":"flatten"},'
    '{"name":"a","type":"affine","out":3}]}'
)


def put(folder, name, content):
    path = HERE / "corpus" / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def header(file):
    """A safetensors file's header, and its numbers."""
    (size,) = struct.unpack("<Q", file[:8])
    return json.loads(file[8 : 8 + size]), file[8 + size :]


def npy(descr, shape, numbers):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple(shape)}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + numbers


def eighths():
    """A network with its description and 8-bit weights."""
    own = {"c.weight": [2, 2, 3, 3], "a.weight": [3, 72]}
    plain = {"c.bias": [2], "n.weight": [2], "n.bias": [2], "n.running_mean": [2], "n.running_var": [2], "a.bias": [3]}
    entries, data = {"__metadata__": {"network": SPEC}}, b""

    def add(name, dtype, shape, numbers):
        nonlocal data
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(numbers)]}
        data += numbers

    for name, shape in own.items():
        count = 1
        for side in shape:
            count *= side
        add(name, "I8", shape, bytes(i % 256 for i in range(count)))
        add(f"{name}.scale", "F32", shape[:1], struct.pack("<f", 0.01) * shape[0])
    for name, shape in plain.items():
        add(name, "F32", shape, struct.pack("<f", 0.5) * shape[0])
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + data


def models():
    tiny = (ROOT / "pretrained/tiny.safetensors").read_bytes()
    put("model", "tiny.safetensors", tiny)
    put("model", "eighths.safetensors", eighths())
    entries, numbers = header(tiny)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, entry in entries.items():
            if name != "__metadata__":
                begin, end = entry["data_offsets"]
                file.writestr(f"{name}.npy", npy("<f2", entry["shape"], numbers[begin:end]))
    put("model", "tiny.npz", archive.getvalue())
    golden = ROOT / "tests/golden"
    for path in [*(ROOT / "tests/files/pickles").glob("*.pkl"), golden / "deflated.npz", golden / "style.safetensors"]:
        put("model", path.name, path.read_bytes())
    # The ONNX project's own cases: each model is an array of bytes.
    with zipfile.ZipFile(io.BytesIO(gzip.decompress((golden / "onnx.npz.gz").read_bytes()))) as cases:
        for name in cases.namelist():
            if name.endswith(":model.npy"):
                array = cases.read(name)
                put("model", f"{name.split(':')[0].replace('/', '-')}.onnx", array[10 + struct.unpack("<H", array[8:10])[0] :])


def data():
    images = struct.pack(">4I", 0x803, 2, 3, 4) + bytes(range(24))
    labels = struct.pack(">2I", 0x801, 5) + bytes([1, 2, 3, 9, 0])
    strokes = b'{"writer":"w1","digit":3,"strokes":[[[0.1,0.2],[0.3,0.4]],[[0.5,0.6]]]}\n' * 2
    for name, content in [("images", images), ("labels", labels), ("strokes", strokes)]:
        put("data", name, content)
        put("data", f"{name}.gz", gzip.compress(content, mtime=0))
    put("data", "network.json", SPEC.encode())
    for path in (ROOT / "pretrained/style").glob("*.safetensors"):
        described = header(path.read_bytes())[0]["__metadata__"]
        put("data", f"{path.stem}.json", described["network"].encode())


models()
data()
