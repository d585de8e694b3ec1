"""Makes nf4.*: what bitsandbytes makes of some matrices as NF4, with plain and doubly quantised scales.

    python tests/golden/nf4.py [FOLDER]
"""

import sys
from pathlib import Path

import bitsandbytes.functional as bnb
import torch

from common import HERE, Source, versions, write_golden


def main(folder: Path) -> None:
    cases = []
    for name, rows, width in (("small", 3, 64), ("wide", 5, 192), ("blocks", 68, 256)):
        weight = Source(f"nf4/{name}").normal(rows, width, scale=0.3).float()
        weight[0, 3] = 2.5  # an outlier, and a block of zeros
        weight[1, :64] = 0
        outputs = {}
        for key, double in (("plain", False), ("double", True)):
            codes, state = bnb.quantize_4bit(weight, blocksize=64, quant_type="nf4",
                                             compress_statistics=double)
            # Of the many rows that a second scale needs, the last are enough.
            outputs[key] = bnb.dequantize_4bit(codes, state)[-8:]
        cases.append({"op": "nf4", "name": f"nf4/{name}", "attributes": {},
                      "tensors": {"weight": weight, **outputs}})
    write_golden("nf4", cases, versions("torch", "bitsandbytes", "numpy"), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
