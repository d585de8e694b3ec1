"""What Hugging Face's transformers computes with saved models and GGUF files, for the tests beside this file.

    python hugging_face.py '[{"model": DIRECTORY OR GGUF FILE, "logits": FILE, "long": [...], "rows": 4,
                              "prompt": [1, 2, ...], "newTokens": 32}, ...]'

For each, writes the logits of the last rows of `long` to a file (float32), and prints, as one JSON
list, the model's class and the greedy tokens after `prompt` with the two best tokens at each and their
logits. A GGUF file is read by transformers itself.
"""

import json
import os
import sys

import torch
from transformers import AutoModelForCausalLM


def compute(request: dict) -> dict:
    directory, gguf = request["model"], None
    if directory.endswith(".gguf"):
        directory, gguf = os.path.split(directory)
    model = AutoModelForCausalLM.from_pretrained(directory, gguf_file=gguf, dtype=torch.float32).eval()
    with torch.no_grad():
        logits = model(torch.tensor([request["long"]]), logits_to_keep=request["rows"]).logits[0]
        logits.numpy().tofile(request["logits"])
        ids = torch.tensor([request["prompt"]])
        result = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False,
                                max_new_tokens=request["newTokens"], eos_token_id=None,
                                pad_token_id=0, return_dict_in_generate=True, output_scores=True)
    best = torch.stack(result.scores).squeeze(1).topk(2)
    return {"kind": type(model).__name__,
            "best": {"tokens": best.indices.tolist(), "logits": best.values.tolist()},
            "tokens": result.sequences[0, ids.shape[1]:].tolist()}


if __name__ == "__main__":
    torch.set_num_threads(1)  # beside other tests it takes no longer
    print(json.dumps([compute(request) for request in json.loads(sys.argv[1])]))
