"""Tokens of real vocabularies as transformers makes them from GGUF files -> real_tokens.json.

    TUNEBOOK_SMOLLM2_GGUF=... TUNEBOOK_GEMMA3_GGUF=... python tests/golden/real_tokens.py

SmolLM2's GGUF names the pre-tokenizer "smollm", whose digits stand apart (its tokenizer.json has
Digits(individual_digits) before ByteLevel; so has llama.cpp). transformers 5.23 leaves that out, so it is
put back here. Takes some minutes: transformers derives Gemma's 514,906 merges in Python.
"""

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from tokenizers import pre_tokenizers
from transformers import AutoTokenizer

here = Path(__file__).parent
out = Path(sys.argv[1] if len(sys.argv) > 1 else here) / "real_tokens.json"
texts = [one["text"] for one in json.loads((here / "text.json").read_text())["encode"]]
texts = [text for text in texts if len(text) < 200 and text.isprintable() | ("\n" in text)][:120]
texts = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts]
texts += [
    "### Instruction:\nConvert 12,345 kilometers  to 2 miles.\n\n### Input:\n  42\n\n1\n\n### Response:\n",
    "<|im_start|>user\nHi 2024<|im_end|>\n", "<start_of_turn>user\nHi<end_of_turn>\n", "\n\n\n\n", "\t\t\t", "<table>",
]


def tokens(variable):
    path = Path(os.environ[variable])
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    backend = tokenizer.backend_tokenizer
    if variable == "TUNEBOOK_SMOLLM2_GGUF":
        backend.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    special = [backend.encode(text, add_special_tokens=True).ids for text in texts]
    backend.encode_special_tokens = True
    ordinary = [backend.encode(text, add_special_tokens=False).ids for text in texts]
    return {"special": special, "ordinary": ordinary}


golden = {
    "versions": {"python": platform.python_version(), "transformers": version("transformers")},
    "texts": texts,
    "smollm2": tokens("TUNEBOOK_SMOLLM2_GGUF"),
    "gemma3": tokens("TUNEBOOK_GEMMA3_GGUF"),
}
out.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(out, out.stat().st_size)
