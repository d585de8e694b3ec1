"""Adapters of every kind as PEFT makes them, for adapters_test.ts.

    python adapters.py FOLDER NAME=BASE ...

Writes FOLDER/NAME.KIND for each base and kind, and prints logits of the tokens 3, 1, 4, 1, 5 by folder.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

KINDS = {
    "modules": dict(target_modules=["q_proj"], modules_to_save=["embed_tokens", "lm_head"]),
    "norm": dict(target_modules=["q_proj"], modules_to_save=["norm"]),
    "dora": dict(target_modules=["q_proj", "down_proj"], use_dora=True),
    "patterns": dict(target_modules=["q_proj", "v_proj", "up_proj"], rank_pattern={"layers.0.self_attn.q_proj": 3, "up_proj": 2},
                     alpha_pattern={r"^model\.layers\.1.*v_proj": 5, "up_proj": 7}, use_rslora=True),
    "head": dict(target_modules=["q_proj", "lm_head"]),
    "embedding": dict(target_modules=["q_proj", "embed_tokens"]),
    "block": dict(target_modules=["q_proj"], modules_to_save=["mlp"]),
    "regex": dict(target_modules=r".*\.1\..*(q|up)_proj", layers_pattern=None),
    "layer": dict(target_modules=["q_proj"], layers_to_transform=[1], layers_pattern="layers"),
    "exclude": dict(target_modules=["q_proj", "v_proj", "up_proj"], exclude_modules=["model.layers.0.self_attn.q_proj", "mlp.up_proj"]),
    "exclude pattern": dict(target_modules="all-linear", exclude_modules=r".*layers\.1\..*|lm_head"),
    "layers": dict(target_modules=["q_proj", "model.layers.0.mlp.up_proj"], layers_to_transform=[1]),
    "all layers": dict(target_modules=["q_proj"], layers_to_transform=[]),
    "rsLoRA, initialized otherwise": dict(target_modules=["q_proj", "o_proj"], use_rslora=True, init_lora_weights="orthogonal"),
    "tying": dict(target_modules=["q_proj"], modules_to_save=["embed_tokens"], ensure_weight_tying=True),
    "bias": dict(target_modules=["c_attn"], bias="all"),
}
# Llama has all that is not another's.
OF = {"gemma": ["modules", "head", "embedding", "tying"], "gpt2": ["bias"]}
folder = Path(sys.argv[1])
answer = {}
for name, base in (argument.split("=") for argument in sys.argv[2:]):
    kinds = {kind: KINDS[kind] for kind in OF.get(name, [kind for kind in KINDS if kind not in ["tying", "bias"]])}
    for kind, options in kinds.items():
        torch.manual_seed(len(answer))
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        model = get_peft_model(model, LoraConfig(r=4, lora_alpha=12, task_type="CAUSAL_LM", **options)).eval()
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                if "lora_" in key and "magnitude" not in key:
                    parameter.normal_(0, 0.2)
                elif parameter.requires_grad:
                    parameter.mul_(1 + 0.3 * torch.rand_like(parameter))
            logits = model(torch.tensor([[3, 1, 4, 1, 5]])).logits[0]
        model.save_pretrained(folder / f"{name}.{kind}")
        answer[f"{name}.{kind}"] = logits.flatten().tolist()
json.dump(answer, sys.stdout)
