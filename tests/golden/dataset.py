"""Padded batches with every mask, as the published chapter and its exercise make them -> dataset.json.

    R50K=r50k_base.tiktoken TUNEBOOK_TEST_DATA=<folder> python tests/golden/dataset.py

See tiktoken_gpt2.py for R50K. TUNEBOOK_TEST_DATA holds instruction-data.json (1,100 pairs), of which only
hashes are kept. Written from the description of what the chapter does, on plain lists, apart from lib/.
"""

import hashlib
import json
import os
import platform
import struct
import sys
from importlib.metadata import version
from pathlib import Path

import tiktoken_gpt2

encoding = tiktoken_gpt2.load()
PAD, IGNORE = 50256, -100

ENTRIES = [
    {"instruction": "Name three primary colours.", "input": "", "output": "Red, yellow and blue."},
    {"instruction": "Give the plural.", "input": "mouse", "output": "mice"},
    {"instruction": "Give the plural.", "input": "mouse", "output": "mice"},
    {"instruction": "Give the plural.", "input": "goose", "output": "geese"},
    {"instruction": "Give the plural.", "input": "mouse", "output": "mice or, of computers, mouses"},
    {"instruction": "Say nothing.", "input": "", "output": ""},
    {"instruction": "Answer in one letter.", "input": " ", "output": "A"},
    {"instruction": "Translate.", "input": "Guten Morgen 🌞\nWie geht’s?", "output": "Good morning 🌞\n\nHow are you?"},
    {"instruction": "Print the token <|endoftext|> as text.", "input": "", "output": "<|endoftext|>"},
    {"instruction": "Count from one to ten.", "input": "", "output": "1, 2, 3, 4, 5, 6, 7, 8, 9, 10"},
]


def instruction_text(entry):
    text = (
        "Below is an instruction that describes a task. Write a response that appropriately completes the request."
        f"\n\n### Instruction:\n{entry['instruction']}"
    )
    return text + (f"\n\n### Input:\n{entry['input']}" if entry["input"] else "")


def batch_of(entries, mask, max_length):
    """Pad to the longest plus one, shift, mask, cut: in the chapter's order of doing so."""
    encoded = []
    for entry in entries:
        instruction = instruction_text(entry)
        prompt = encoding.encode_ordinary(instruction + "\n\n### Response:\n")
        response = encoding.encode_ordinary(entry["output"])
        encoded.append((len(encoding.encode_ordinary(instruction)), len(prompt), prompt + response))
    longest = max(len(ids) + 1 for _, _, ids in encoded)
    rows = []
    for instruction_length, prompt_length, ids in encoded:
        padded = ids + [PAD] * (longest - len(ids))
        inputs, targets = padded[:-1], padded[1:]
        pads = [i for i, target in enumerate(targets) if target == PAD]
        for i in pads[1:]:
            targets[i] = IGNORE
        hidden = {"none": 0, "instruction": instruction_length - 1, "prompt": prompt_length - 1}[mask]
        targets[:hidden] = [IGNORE] * hidden
        if max_length is not None:
            inputs, targets = inputs[:max_length], targets[:max_length]
        rows.append((inputs, targets))
    return [row[0] for row in rows], [row[1] for row in rows]


def digest_of(batches):
    """SHA-256 of all inputs, then all targets, batch after batch, as little-endian 32-bit integers."""
    sha = hashlib.sha256()
    for inputs, targets in batches:
        for rows in (inputs, targets):
            for row in rows:
                sha.update(struct.pack(f"<{len(row)}i", *row))
    return sha.hexdigest()


cases = []
for mask in ("none", "instruction", "prompt"):
    for max_length in (None, 1024, 45, 30):
        inputs, targets = batch_of(ENTRIES, mask, max_length)
        cases.append({"mask": mask, "maxLength": max_length, "inputs": inputs, "targets": targets})

pairs = json.loads((Path(os.environ["TUNEBOOK_TEST_DATA"]) / "instruction-data.json").read_text("utf-8"))
train = pairs[: int(len(pairs) * 0.85)]
real = {
    mask: digest_of(batch_of(train[i : i + 8], mask, 1024) for i in range(0, len(train), 8))
    for mask in ("none", "instruction", "prompt")
}

golden = {
    "versions": {"python": platform.python_version(), "tiktoken": version("tiktoken")},
    "entries": ENTRIES,
    "cases": cases,
    "instructionDataSha256": real,
}
out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / "dataset.json"
out.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(out, out.stat().st_size)
