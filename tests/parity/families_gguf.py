"""What PyPI's gguf calls tensors and keys, for families_test.ts.

    python families_gguf.py '{"ARCHITECTURE": ["model.layers.0.self_attn.q_proj", …]}'

One JSON document out: for each architecture its names of these modules, and its keys.
"""

import json
import sys

import gguf

ARCHITECTURES = {name: arch for arch, name in gguf.MODEL_ARCH_NAMES.items()}
TEMPLATES = [
    value for group in vars(gguf.Keys).values() if isinstance(group, type)
    for value in vars(group).values() if isinstance(value, str) and value.startswith("{arch}.")
]

answers = {}
for name, modules in json.loads(sys.argv[1]).items():
    names = gguf.get_tensor_name_map(ARCHITECTURES[name], 8)
    answers[name] = {
        "tensors": {module: names.get_name(module) for module in modules},
        "keys": [template.replace("{arch}", name) for template in TEMPLATES],
    }
print(json.dumps(answers))
