"""The format's own library, for python_test.ts.

peer.py write VALUES FILE   writes tensors made of VALUES (3000 little-endian float32)
peer.py check VALUES FILE   checks that a file that Tunebook wrote holds them
"""

import sys

import ml_dtypes
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

command, values_path, path = sys.argv[1:]
values = np.fromfile(values_path, dtype="<f4").reshape(3, 1000)
half, brain = values.astype(np.float16), values.astype(ml_dtypes.bfloat16)

if command == "write":
    save_file({
        "z.single": values,
        "half": half,
        "brain": brain,
        "a.scalar": np.array(2.5, np.float32),
        "empty": np.zeros((0, 7), np.float32),
        "flags": np.array([True, False]),
    }, path, metadata={"format": "pt"})
else:
    tensors = load_file(path)
    assert set(tensors) == {"z.single", "half", "brain", "a.scalar", "empty"}, tensors.keys()
    assert tensors["z.single"].tobytes() == values.tobytes()
    assert tensors["half"].dtype == np.float16
    assert tensors["half"].tobytes() == half.tobytes()
    assert tensors["brain"].dtype == ml_dtypes.bfloat16
    assert tensors["brain"].tobytes() == brain.tobytes()
    assert tensors["a.scalar"].shape == () and tensors["a.scalar"] == 2.5
    assert tensors["empty"].shape == (0, 7)
    with safe_open(path, "np") as file:
        assert file.metadata() == {"format": "pt", "note": 'é"'}, file.metadata()
    print("equal")
