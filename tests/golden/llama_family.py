"""Makes llama_family/ (a tiny Llama, Mistral, Gemma and Gemma 3 as Hugging Face writes them) and llama_family.*.

    python tests/golden/llama_family.py [FOLDER]

As gpt2.py: random float32 weights, large enough that nothing is near linear; what they compute, in
float64 (but norms and angles in float32, as the models have them), rounded once. README.md tells
the layout.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import (
    Gemma3ForCausalLM, Gemma3TextConfig, GemmaConfig, GemmaForCausalLM, LlamaConfig, LlamaForCausalLM,
    MistralConfig, MistralForCausalLM,
)

from common import HERE, Source, versions, write_golden
from gpt2 import collate, forest, loss_of

END = 40
MASK = "prompt"
LR, BETAS, EPS, WEIGHT_DECAY = 1e-3, (0.9, 0.999), 1e-8, 0.1
SHAPE = {
    "vocab_size": 41, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2,
    "max_position_embeddings": 64, "bos_token_id": 0, "eos_token_id": END, "pad_token_id": END,
}
MODELS = {
    # Biases, a head of its own, shared keys, Llama 3's frequencies, all in one.
    "llama": (LlamaForCausalLM, LlamaConfig(
        **SHAPE, num_attention_heads=2, num_key_value_heads=1, head_dim=6, attention_bias=True,
        mlp_bias=True, tie_word_embeddings=False, rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "llama3", "rope_theta": 100.0, "factor": 4.0, "low_freq_factor": 1.0,
                         "high_freq_factor": 4.0, "original_max_position_embeddings": 32})),
    "mistral": (MistralForCausalLM, MistralConfig(
        **SHAPE, num_attention_heads=2, num_key_value_heads=2, sliding_window=16, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0})),
    "gemma": (GemmaForCausalLM, GemmaConfig(
        **SHAPE, num_attention_heads=2, num_key_value_heads=1, head_dim=6)),
    "gemma3": (Gemma3ForCausalLM, Gemma3TextConfig(
        **SHAPE, num_attention_heads=2, num_key_value_heads=1, head_dim=6, sliding_window=6,
        layer_types=["sliding_attention", "full_attention"], query_pre_attn_scalar=12,
        rope_parameters={"sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
                         "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 10000.0}})),
}

# Chosen so that no greedy choice is narrow.
DRAWS = {"llama": 1, "mistral": 20, "gemma": 9, "gemma3": 1}


def make_model(name: str):
    """The tiny model in float32, its weights by their names' seeds."""
    kind, config = MODELS[name]
    model = kind._from_config(config, attn_implementation="eager")
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            numbers = Source(f"llama_family/{name}/{DRAWS[name]}/{parameter_name}").normal(*parameter.shape)
            if "norm" in parameter_name:
                numbers = (0 if "gemma" in name else 1) + 0.3 * numbers
            elif parameter_name.endswith("bias"):
                numbers = 0.3 * numbers
            elif "embed_tokens" in parameter_name:
                # Gemma's are scaled up, and a tied head repeats a token whose embedding prevails.
                numbers = (0.1 if "gemma" in name else 0.3) * numbers
            else:
                numbers = 2 / parameter.shape[1] ** 0.5 * numbers
            parameter.copy_(numbers)
    return model.eval()


def examples() -> list[tuple[list[int], int, int]]:
    """(tokens, instruction's length, prompt's length): shared beginnings, as in gpt2.py, longer than 16."""
    source = Source("llama_family/examples")
    template = source.integers(9, END, 11).tolist()
    first, second = source.integers(9, END, 3).tolist(), source.integers(9, END, 6).tolist()
    long = source.integers(9, END, 6).tolist()
    rows = []
    for instruction, response in ((first, source.integers(9, END, 4).tolist()), (second, long),
                                  (second, long[:4])):
        start = template + instruction
        prompt = start + [7, 8]
        rows.append((prompt + response, len(start), len(prompt)))
    return rows


def generate_cases(name: str, model, rows) -> list[dict]:
    """Greedy, 16 new tokens. The prompts share a beginning and differ in length; one is 3 tokens."""
    cases = []
    for kind, prompt in (("long", rows[1][0][: rows[1][2]]), ("short", rows[1][0][:3])):
        with torch.no_grad():
            result = model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)),
                                    do_sample=False, max_new_tokens=16, eos_token_id=None,
                                    pad_token_id=END, return_dict_in_generate=True, output_scores=True)
        best = torch.stack(result.scores).squeeze(1).topk(2).values
        margin = float((best[:, 0] - best[:, 1]).min())
        tokens = result.sequences[0, len(prompt):].numpy()
        assert margin > 5e-3 and len(set(tokens.tolist())) > 3, (name, kind, margin, tokens)
        cases.append({"op": f"{name}/generate", "name": f"{name}/generate/{kind}",
                      "attributes": {"maxNewTokens": 16, "smallestMargin": round(margin, 4)},
                      "tensors": {"prompt": np.array(prompt, np.int32), "output": tokens}})
    return cases


def training_case(name: str, model, batch, targets) -> dict:
    """Three steps of AdamW on the batch with the prompt masked; the model is changed."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, betas=BETAS, eps=EPS,
                                  weight_decay=WEIGHT_DECAY)
    losses, gradients = [], {}
    for step in range(3):
        optimizer.zero_grad()
        loss = loss_of(model(batch).logits, targets)
        loss.backward()
        losses.append(loss.detach())
        if step == 0:
            gradients = {f"grad/{key}": p.grad.clone() for key, p in model.named_parameters()}
        optimizer.step()
    weights = {f"weight/{key}": p.detach().clone() for key, p in model.named_parameters()}
    return {"op": f"{name}/train", "name": f"{name}/train",
            "attributes": {"lr": LR, "beta1": BETAS[0], "beta2": BETAS[1], "eps": EPS,
                           "weightDecay": WEIGHT_DECAY},
            "tensors": {"losses": torch.stack(losses), **gradients, **weights}}


def main(folder: Path) -> None:
    rows = examples()
    batch, targets = collate(rows, END)
    shape, edges = forest(rows, targets)
    inputs = {"tokens": batch, "targets": targets[MASK],
              **{f"forest/{key}": value for key, value in {**shape, **edges[MASK]}.items()}}
    cases = [{"op": "batch", "name": "batch", "attributes": {"lengths": [len(row[0]) for row in rows]},
              "tensors": inputs}]
    target = folder / "llama_family"
    shutil.rmtree(target, ignore_errors=True)
    ids = torch.from_numpy(batch).long()
    for name in MODELS:
        model = make_model(name)
        model.save_pretrained(target / name)
        (target / name / "generation_config.json").unlink(missing_ok=True)
        (target / name / "model.safetensors").chmod(0o644)
        model = model.double()
        cases.append({"op": f"{name}/forward", "name": f"{name}/forward",
                      "tensors": {"logits": model(ids).logits}})
        cases += generate_cases(name, model, rows)
        cases.append(training_case(name, model, ids, targets[MASK]))
    write_golden("llama_family", cases, versions("torch", "transformers", "numpy"), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
