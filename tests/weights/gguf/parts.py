"""PyPI's gguf, for gguf_test.ts: parts.py FILE [ALIGNMENT] writes five small tensors as a GGUF file in three parts."""

import sys

import gguf
import numpy as np

writer = gguf.GGUFWriter(sys.argv[1], "test", split_max_tensors=2)
if len(sys.argv) > 2:
    writer.add_custom_alignment(int(sys.argv[2]))
writer.add_string("test.key", "of the first")
for i in range(5):
    writer.add_tensor(f"t{i}", np.array([i, i + 0.5, -i], np.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
