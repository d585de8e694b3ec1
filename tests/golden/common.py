"""What the golden scripts share: versions, a seeded source of numbers, and a safetensors writer.

Files are written with a fixed key order, so the same versions give the same bytes.
"""

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

HERE = Path(__file__).parent


def versions(*packages: str) -> dict[str, str]:
    """The versions that made a golden file: Python's and those of the packages named."""
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


class Source:
    """Seeded numbers. A case's numbers depend only on its name, not on the cases before it."""

    def __init__(self, name: str):
        digest = hashlib.sha256(name.encode()).digest()
        self.random = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "little")))

    def normal(self, *shape: int, scale: float = 1.0) -> torch.Tensor:
        """Normal numbers that float32 holds exactly, as float64, so that both precisions start alike."""
        numbers = np.asarray(self.random.standard_normal(shape) * scale, np.float32)
        return torch.from_numpy(numbers.astype(np.float64))

    def integers(self, low: int, high: int, size: int) -> np.ndarray:
        return self.random.integers(low, high, size, dtype=np.int32)


def to_array(value) -> np.ndarray:
    """A tensor or array as the F32 or I32 array that a golden file holds."""
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    value = np.asarray(value)
    kind = np.int32 if value.dtype.kind in "iu" else np.float32
    return np.array(value, kind, order="C")


def write_golden(name: str, cases: list[dict], used: dict[str, str], folder: Path) -> None:
    """Writes NAME.safetensors (tensors named "case/tensor") and NAME.json (cases, attributes, versions)."""
    tensors, index = {}, []
    for case in cases:
        arrays = {key: to_array(value) for key, value in case["tensors"].items()}
        for key, array in arrays.items():
            tensors[f"{case['name']}/{key}"] = array
        index.append({
            "op": case["op"],
            "name": case["name"],
            "attributes": case.get("attributes", {}),
            "tensors": {key: list(array.shape) for key, array in arrays.items()},
        })
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    save_file(tensors, path)
    path.chmod(0o644)
    rows = ",\n    ".join(json.dumps(row) for row in index)
    text = f'{{\n  "versions": {json.dumps(used)},\n  "cases": [\n    {rows}\n  ]\n}}\n'
    (folder / f"{name}.json").write_text(text)
