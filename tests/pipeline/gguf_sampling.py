"""Writes a GGUF file without tensors that has every key of gguf-py's about how tokens are drawn.

    python gguf_sampling.py PATH
"""

import sys

from gguf import GGUFWriter, Keys

writer = GGUFWriter(sys.argv[1], "llama")
values = {
    Keys.General.SAMPLING_SEQUENCE: ("penalties;top_k;temperature", writer.add_sampling_sequence),
    Keys.General.SAMPLING_TOP_K: (20, writer.add_sampling_top_k),
    Keys.General.SAMPLING_TOP_P: (0.8, writer.add_sampling_top_p),
    Keys.General.SAMPLING_MIN_P: (0.05, writer.add_sampling_min_p),
    Keys.General.SAMPLING_XTC_PROBABILITY: (0.5, writer.add_sampling_xtc_probability),
    Keys.General.SAMPLING_XTC_THRESHOLD: (0.1, writer.add_sampling_xtc_threshold),
    Keys.General.SAMPLING_TEMP: (0.7, writer.add_sampling_temp),
    Keys.General.SAMPLING_PENALTY_LAST_N: (64, writer.add_sampling_penalty_last_n),
    Keys.General.SAMPLING_PENALTY_REPEAT: (1.1, writer.add_sampling_penalty_repeat),
    Keys.General.SAMPLING_MIROSTAT: (2, writer.add_sampling_mirostat),
    Keys.General.SAMPLING_MIROSTAT_TAU: (5.0, writer.add_sampling_mirostat_tau),
    Keys.General.SAMPLING_MIROSTAT_ETA: (0.1, writer.add_sampling_mirostat_eta),
}
missing = [
    key
    for name, key in vars(Keys.General).items()
    if name.startswith("SAMPLING_") and key not in values
]
assert not missing, f"keys that this script does not write: {missing}"
for value, add in values.values():
    add(value)
writer.add_add_eos_token(True)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.close()
