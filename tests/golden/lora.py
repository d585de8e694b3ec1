"""Makes lora_gpt2/ and lora_llama/ (LoRA adapters as PEFT writes them) and lora_*.* (what they compute
on gpt2_tiny and llama_family/llama).

    python tests/golden/lora.py [FOLDER]

A and B are random float32 numbers, neither of them zero. What they compute is computed in float64
and rounded once. README.md tells the layout.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model

import gpt2
import llama_family
from common import HERE, Source, versions, write_golden


def make_adapted(name: str, model: torch.nn.Module, **options):
    """The model with an adapter whose numbers are seeded by their names."""
    config = LoraConfig(r=4, lora_alpha=12, lora_dropout=0.0, task_type="CAUSAL_LM", **options)
    model = get_peft_model(model, config)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "lora_" in key:
                numbers = Source(f"{name}/{key}").normal(*parameter.shape)
                parameter.copy_(numbers / parameter.shape[1] ** 0.5)
    return model.eval()


def adapter_tensors(model, prefix: str, pick) -> dict[str, torch.Tensor]:
    """Tensors of the adapter by the names of PEFT's file."""
    return {f"{prefix}/{key.replace('.default', '')}": pick(parameter).detach().clone()
            for key, parameter in model.named_parameters() if parameter.requires_grad}


def make(name: str, model, rows, end: int, folder: Path, **options) -> None:
    model = make_adapted(name, model, **options)
    target = folder / name
    shutil.rmtree(target, ignore_errors=True)
    model.save_pretrained(target)
    (target / "README.md").unlink(missing_ok=True)
    (target / "adapter_model.safetensors").chmod(0o644)

    model = model.double()
    batch, targets_of = gpt2.collate(rows, end)
    ids = torch.from_numpy(batch).long()
    with torch.no_grad():
        logits = model(ids[:1]).logits
    cases = [{"op": "forward", "name": "forward/first", "attributes": {},
              "tensors": {"tokens": batch[:1], "logits": logits[0]}}]

    loss = gpt2.loss_of(model(ids).logits, targets_of["prompt"])
    loss.backward()
    cases.append({"op": "loss", "name": "loss/prompt", "attributes": {},
                  "tensors": {"tokens": batch, "targets": targets_of["prompt"], "output": loss,
                              **adapter_tensors(model, "grad", lambda p: p.grad)}})

    learnt = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learnt, lr=gpt2.LR, betas=gpt2.BETAS, eps=gpt2.EPS,
                                  weight_decay=gpt2.WEIGHT_DECAY)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = gpt2.loss_of(model(ids).logits, targets_of["prompt"])
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    attributes = {"steps": 3, "lr": gpt2.LR, "beta1": gpt2.BETAS[0], "beta2": gpt2.BETAS[1],
                  "eps": gpt2.EPS, "weightDecay": gpt2.WEIGHT_DECAY}
    cases.append({"op": "adamw", "name": "adamw/step3", "attributes": attributes,
                  "tensors": {"losses": np.array(losses, np.float32),
                              **adapter_tensors(model, "weight", lambda p: p)}})
    write_golden(name, cases, versions("torch", "transformers", "peft", "numpy"), folder)


def main(folder: Path) -> None:
    make("lora_gpt2", gpt2.make_model(), gpt2.examples(), gpt2.END, folder,
         target_modules=["c_attn", "c_fc", "c_proj"], fan_in_fan_out=True)
    make("lora_llama", llama_family.make_model("llama"), llama_family.examples(), llama_family.END, folder,
         target_modules=["q_proj", "v_proj", "down_proj"], use_rslora=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
