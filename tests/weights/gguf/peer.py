"""PyPI's gguf, for write_test.ts.

peer.py FILE    prints what its reader finds in a file, as JSON: values of keys, tensors' types, shapes and numbers
peer.py FILE QUANTISED
                as above; the tensor "values" as float32 is also quantised to Q8_0 by gguf itself into QUANTISED
"""

import json
import sys

import gguf
import numpy as np

reader = gguf.GGUFReader(sys.argv[1])
tensors = {}
for tensor in reader.tensors:
    tensors[tensor.name] = {
        "type": tensor.tensor_type.name,
        "shape": [int(n) for n in tensor.shape[::-1]],
        "values": [float(v) for v in gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(-1)],
    }
    if tensor.name == "values" and len(sys.argv) > 2:
        blocks = gguf.quants.quantize(np.array(tensor.data), gguf.GGMLQuantizationType.Q8_0)
        blocks.tofile(sys.argv[2])
fields = {
    key: [[kind.name for kind in field.types], field.contents()]
    for key, field in reader.fields.items()
}
print(json.dumps({"fields": fields, "tensors": tensors}))
