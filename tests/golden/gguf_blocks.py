"""What PyPI's gguf makes of every block type that lib/weights/gguf reads.

Writes gguf_blocks.gguf (random blocks of each type and all kinds of metadata), gguf_blocks.safetensors (the same
tensors as float32, by gguf's numpy code) and gguf_blocks.json (versions). Needs no PyTorch:

    pip install -r tests/python/requirements.txt && python tests/golden/gguf_blocks.py
"""

import hashlib
import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import save_file

TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K",
         "IQ4_NL", "IQ4_XS", "TQ1_0", "TQ2_0", "MXFP4"]
# Where each type's float16 scales and minima lie in a block: random bits there could be NaN.
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
          "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
          "IQ4_NL": [0], "IQ4_XS": [0], "TQ1_0": [52], "TQ2_0": [64]}
# Where a block's exponent of eight bits lies: the largest make infinite values.
EXPONENTS = {"MXFP4": 0}
ROWS, COLUMNS = 3, 512


def blocks(name: str) -> np.ndarray:
    """Random blocks of a type, as bytes (rows, bytes of a row)."""
    seed = int.from_bytes(hashlib.sha256(f"gguf/{name}".encode()).digest()[:8], "little")
    random = np.random.Generator(np.random.PCG64(seed))
    if name not in HALVES and name not in EXPONENTS:
        values = random.standard_normal((ROWS, COLUMNS)).astype(np.float32)
        return np.ascontiguousarray(gguf.quants.quantize(values, Type[name])).view(np.uint8)
    elements, size = gguf.GGML_QUANT_SIZES[Type[name]]
    data = random.integers(0, 256, (ROWS * COLUMNS // elements, size), dtype=np.uint8)
    if name in EXPONENTS:
        data[:, EXPONENTS[name]] %= 252
        data[:3, EXPONENTS[name]] = [0, 1, 2]  # subnormal
    for at in HALVES.get(name, []):
        scales = (random.standard_normal(len(data)) * 0.1).astype("<f2")
        scales[0] = np.float16(6e-8)  # a subnormal
        data[:, at:at + 2] = scales.view(np.uint8).reshape(-1, 2)
    return data.reshape(ROWS, -1)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(folder / "gguf_blocks.gguf", "test")
    writer.add_uint8("test.u8", 255)
    writer.add_int8("test.i8", -128)
    writer.add_uint16("test.u16", 65535)
    writer.add_int16("test.i16", -32768)
    writer.add_uint32("test.u32", 4294967295)
    writer.add_int32("test.i32", -2147483648)
    writer.add_float32("test.f32", 0.1)
    writer.add_uint64("test.u64", 2**64 - 1)
    writer.add_int64("test.i64", -(2**53))
    writer.add_float64("test.f64", 0.1)
    writer.add_bool("test.true", True)
    writer.add_bool("test.false", False)
    writer.add_string("test.string", "Grüße, \u2603 \U0001f600")
    writer.add_array("test.strings", ["\ufeffmark", "", "Ġthe", "<0x0A>"])
    writer.add_array("test.ints", [1, -2, 3])
    writer.add_array("test.floats", [0.5, -1000.0, 1e-30])
    writer.add_array("test.bools", [True, False, True])
    expected = {}
    for name in TYPES:
        data = blocks(name)
        writer.add_tensor(name, data, raw_dtype=Type[name])
        values = gguf.quants.dequantize(data, Type[name])
        expected[name] = np.ascontiguousarray(values, np.float32).reshape(ROWS, COLUMNS)
        assert np.isfinite(expected[name]).all(), name
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(expected, folder / "gguf_blocks.safetensors")
    used = {"python": platform.python_version(),
            **{name: version(name) for name in ["gguf", "numpy", "safetensors"]}}
    (folder / "gguf_blocks.json").write_text(json.dumps({"versions": used}, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
