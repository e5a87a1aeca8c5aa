"""Writes pickles/protocol0.pkl to protocol5.pkl, one dict of NumPy arrays in every protocol.

Run as `python3 make_pickles.py` in this folder; made with NumPy 2.4 on Python 3.11. `pickle.rs` beside this file
knows the numbers.
"""

import pickle

import numpy as np

arrays = {
    "conv.weight": np.array([[[[1, -2], [0.5, 3]]], [[[0.1, 4], [-8, 0]]]], "<f8"),
    "bias": np.array([1.5, -0.25], ">f4"),
    "affine": np.asfortranarray([[1, 2, 3], [4, 5, 6]], "<f4"),
    "half": np.array([65504, -0.125], "<f2"),
    "bytes": np.array([0, 92, 10, 200, 255], "u1"),
    "longs": np.array([-70000, 1 << 40], ">i8"),
    "scalar": np.float64(0.75),
}
for protocol in range(6):
    with open(f"pickles/protocol{protocol}.pkl", "wb") as file:
        pickle.dump(arrays, file, protocol)
