"""Prints, as JSON, the logits of a model with an adapter that PEFT loads.

    python tests/parity/peft_load.py MODEL ADAPTER TOKEN...
"""

import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

base, adapter, *tokens = sys.argv[1:]
model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
model = PeftModel.from_pretrained(model, adapter).eval()
with torch.no_grad():
    logits = model(torch.tensor([[int(token) for token in tokens]])).logits[0]
layers = sum("lora_A" in name for name, _ in model.named_parameters())
print(json.dumps({"layers": layers, "logits": logits.flatten().tolist()}))
