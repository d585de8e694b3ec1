"""Losses of SmolLM2-135M-Instruct's first steps of full fine-tuning, by transformers -> smollm2_sft.json.

    TUNEBOOK_SMOLLM2_GGUF=... TUNEBOOK_TEST_DATA=... python tests/golden/smollm2_sft.py [--steps N] [DIRECTORY]

The GGUF file dequantised to float32; the first 85 % of chapter 7's pairs in the Alpaca format, prompt and response
encoded apart; the loss is the mean over a batch's response and closing tokens, before its update; torch.optim.AdamW on
every parameter, no schedule, no clipping. The batches are the ones that smollm2_sft.json names. A step takes some 5 s on
two cores, and 5 GB of memory; the file is written after each, so that a run that is stopped leaves the steps it took.
"""

import argparse
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

here = Path(__file__).parent
batches = json.loads((here / "smollm2_sft.json").read_text())["batches"]
parser = argparse.ArgumentParser(description="Records SmolLM2's losses in its first steps of fine-tuning.")
parser.add_argument("directory", nargs="?", type=Path, default=here, help="where smollm2_sft.json is written")
parser.add_argument("--steps", type=int, default=len(batches), help="how many of its batches to train on (all)")
options = parser.parse_args()
if not 1 <= options.steps <= len(batches):
    parser.error(f"--steps is {options.steps}, expected 1 to {len(batches)}, the batches that are named")
out = options.directory / "smollm2_sft.json"
weights = Path(os.environ["TUNEBOOK_SMOLLM2_GGUF"])
pairs = json.loads((Path(os.environ["TUNEBOOK_TEST_DATA"]) / "instruction-data.json").read_text())
train = pairs[: int(len(pairs) * 0.85)]

tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name)
model = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name, dtype=torch.float32)
settings = {"lr": 5e-5, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.1}
optimizer = torch.optim.AdamW(model.parameters(), **settings)
IGNORED = -100


def encode(pair):
    prompt = (
        "Below is an instruction that describes a task. "
        "Write a response that appropriately completes the request."
        f"\n\n### Instruction:\n{pair['instruction']}"
        + (f"\n\n### Input:\n{pair['input']}" if pair["input"] else "")
        + "\n\n### Response:\n"
    )
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in (prompt, pair["output"])]
    return ids[0], [*ids[1], tokenizer.eos_token_id]


def collate(batch):
    examples = [encode(train[index]) for index in batch]
    width = max(len(prompt) + len(response) for prompt, response in examples) - 1
    inputs = torch.full((len(batch), width), tokenizer.eos_token_id)
    targets = torch.full((len(batch), width), IGNORED)
    seen = torch.zeros((len(batch), width), dtype=torch.long)
    for row, (prompt, response) in enumerate(examples):
        ids = torch.tensor(prompt + response)
        inputs[row, : len(ids) - 1] = ids[:-1]
        targets[row, len(prompt) - 1 : len(ids) - 1] = ids[len(prompt) :]
        seen[row, : len(ids) - 1] = 1
    return inputs, targets, seen


def write(counted, losses):
    golden = {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in ("torch", "transformers")}},
        "settings": settings,
        "batches": batches,
        "counted": counted,
        "losses": losses,
    }
    rows = ",\n  ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in golden.items())
    beside = out.with_suffix(".part")
    beside.write_text(f"{{\n  {rows}\n}}\n")
    beside.replace(out)


losses, counted = [], []
for step, batch in enumerate(batches[: options.steps]):
    inputs, targets, seen = collate(batch)
    logits = model(input_ids=inputs, attention_mask=seen, use_cache=False).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    losses.append(round(loss.item(), 6))
    counted.append((targets != IGNORED).sum().item())
    write(counted, losses)
    print(step + 1, losses[-1], counted[-1], flush=True)
print(out, out.stat().st_size)
