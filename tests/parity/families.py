"""What transformers and PEFT compute with tiny models of every family, for families_test.ts.

    python families.py FOLDER

As tests/golden/llama_family.py: random float32 weights at settings that are not the defaults, what
they compute in float64, rounded once. Writes FOLDER/NAME (the model, as transformers saves it),
FOLDER/NAME/adapter (a LoRA adapter, as PEFT saves it), and families.json and families.safetensors.
"""

import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    Gemma2Config, Gemma2ForCausalLM, Gemma3ForCausalLM, Gemma3TextConfig, GemmaConfig, GemmaForCausalLM,
    GPTNeoXConfig, GPTNeoXForCausalLM, GraniteConfig, GraniteForCausalLM, LlamaConfig, LlamaForCausalLM,
    MistralConfig, MistralForCausalLM, Olmo2Config, Olmo2ForCausalLM, Phi3Config, Phi3ForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config,
    Qwen3ForCausalLM, SmolLM3Config, SmolLM3ForCausalLM, Starcoder2Config, Starcoder2ForCausalLM,
)

sys.path.insert(0, str(Path(__file__).parent.parent / "golden"))
from common import Source, versions, write_golden  # noqa: E402
from gpt2 import collate, forest, loss_of  # noqa: E402
from llama_family import END, MASK, examples, generate_cases, training_case  # noqa: E402

SHAPE = {
    "vocab_size": 41, "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2,
    "num_attention_heads": 4, "max_position_embeddings": 64, "bos_token_id": 0, "eos_token_id": END,
    "pad_token_id": END,
}
PLAIN = {"rope_type": "default", "rope_theta": 100.0}
MODELS = {
    "llama_yarn": (LlamaForCausalLM, LlamaConfig(
        **SHAPE, num_key_value_heads=2, tie_word_embeddings=False,
        rope_parameters={"rope_type": "yarn", "rope_theta": 100.0, "factor": 4.0, "beta_fast": 4.0,
                         "beta_slow": 0.5, "original_max_position_embeddings": 16})),
    "llama_dynamic": (LlamaForCausalLM, LlamaConfig(
        **{**SHAPE, "max_position_embeddings": 12}, num_key_value_heads=2, head_dim=6,
        rope_parameters={"rope_type": "dynamic", "rope_theta": 100.0, "factor": 4.0})),
    "mistral": (MistralForCausalLM, MistralConfig(
        **SHAPE, num_key_value_heads=2, head_dim=6, sliding_window=6, tie_word_embeddings=False,
        rope_parameters=PLAIN)),
    "gemma": (GemmaForCausalLM, GemmaConfig(
        **SHAPE, num_key_value_heads=1, head_dim=6, rope_parameters=PLAIN)),
    "gemma3": (Gemma3ForCausalLM, Gemma3TextConfig(
        **{**SHAPE, "num_hidden_layers": 6}, num_key_value_heads=2, head_dim=6, query_pre_attn_scalar=6,
        sliding_window=6,
        rope_parameters={"sliding_attention": PLAIN,
                         "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1000.0}})),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config(
        **SHAPE, num_key_value_heads=2, tie_word_embeddings=True, rope_parameters=PLAIN)),
    "qwen2_window": (Qwen2ForCausalLM, Qwen2Config(
        **SHAPE, num_key_value_heads=1, tie_word_embeddings=False, use_sliding_window=True,
        sliding_window=6, max_window_layers=1, rope_parameters=PLAIN)),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(
        **SHAPE, num_key_value_heads=2, head_dim=6, tie_word_embeddings=True, rope_parameters=PLAIN)),
    "qwen3_bias": (Qwen3ForCausalLM, Qwen3Config(
        **SHAPE, num_key_value_heads=1, head_dim=6, tie_word_embeddings=False, attention_bias=True,
        use_sliding_window=True, sliding_window=6, max_window_layers=0, rope_parameters=PLAIN)),
    "phi3": (Phi3ForCausalLM, Phi3Config(
        **SHAPE, num_key_value_heads=2, sliding_window=6, tie_word_embeddings=False,
        rope_parameters=PLAIN)),
    "phi4": (Phi3ForCausalLM, Phi3Config(
        **{**SHAPE, "num_attention_heads": 2}, num_key_value_heads=1, tie_word_embeddings=True,
        original_max_position_embeddings=16,
        rope_parameters={"rope_type": "longrope", "rope_theta": 100.0, "partial_rotary_factor": 0.75,
                         "short_factor": [1.0, 1.1, 1.2], "long_factor": [1.5, 2.0, 3.0]})),
    "smollm3": (SmolLM3ForCausalLM, SmolLM3Config(
        **{**SHAPE, "num_hidden_layers": 4}, num_key_value_heads=2, tie_word_embeddings=True,
        rope_parameters=PLAIN)),
    "smollm3_window": (SmolLM3ForCausalLM, SmolLM3Config(
        **SHAPE, num_key_value_heads=1, tie_word_embeddings=False, no_rope_layers=[0, 1],
        use_sliding_window=True, sliding_window=6, attention_bias=True, mlp_bias=True,
        rope_parameters=PLAIN)),
    "olmo2": (Olmo2ForCausalLM, Olmo2Config(
        **SHAPE, num_key_value_heads=2, tie_word_embeddings=False, rope_parameters=PLAIN)),
    "granite": (GraniteForCausalLM, GraniteConfig(
        **SHAPE, num_key_value_heads=2, tie_word_embeddings=True, embedding_multiplier=3.0,
        logits_scaling=1.5, residual_multiplier=0.6, attention_multiplier=0.3, rope_parameters=PLAIN)),
    "gemma2": (Gemma2ForCausalLM, Gemma2Config(
        **SHAPE, num_key_value_heads=2, head_dim=6, query_pre_attn_scalar=6, sliding_window=6,
        attn_logit_softcapping=1.5, final_logit_softcapping=2.5, rope_parameters=PLAIN)),
    "gemma2_own": (Gemma2ForCausalLM, Gemma2Config(
        **SHAPE, num_key_value_heads=1, head_dim=6, query_pre_attn_scalar=9, sliding_window=5,
        layer_types=["full_attention", "sliding_attention"], tie_word_embeddings=False, attention_bias=True,
        attn_logit_softcapping=1.5, final_logit_softcapping=None, rope_parameters=PLAIN)),
    "gpt_neox": (GPTNeoXForCausalLM, GPTNeoXConfig(
        **{**SHAPE, "num_attention_heads": 2}, tie_word_embeddings=False, hidden_act="gelu",
        rope_parameters={**PLAIN, "partial_rotary_factor": 0.5})),
    "gpt_neox_sequential": (GPTNeoXForCausalLM, GPTNeoXConfig(
        **SHAPE, tie_word_embeddings=False, hidden_act="gelu_new", use_parallel_residual=False,
        rope_parameters={**PLAIN, "partial_rotary_factor": 1.0})),
    "starcoder2": (Starcoder2ForCausalLM, Starcoder2Config(
        **SHAPE, num_key_value_heads=2, tie_word_embeddings=True, rope_parameters=PLAIN)),
    "starcoder2_window": (Starcoder2ForCausalLM, Starcoder2Config(
        **SHAPE, num_key_value_heads=1, tie_word_embeddings=False, sliding_window=6, use_bias=False,
        rope_parameters=PLAIN)),
}


def make_model(name: str, draw: int):
    kind, config = MODELS[name]
    model = kind._from_config(config, attn_implementation="eager")
    minus_one = "gemma" in name
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            numbers = Source(f"families/{name}/{draw}/{parameter_name}").normal(*parameter.shape)
            if parameter_name.endswith("bias"):
                numbers = 0.3 * numbers
            elif "norm" in parameter_name:
                numbers = (0 if minus_one else 1) + 0.3 * numbers
            elif "embed_tokens" in parameter_name or "embed_in" in parameter_name:
                numbers = (0.1 if minus_one else 0.3) * numbers
            else:
                numbers = 2 / parameter.shape[1] ** 0.5 * numbers
            parameter.copy_(numbers)
    return model.eval()


def drawn(name: str, rows):
    """The first draw of which no greedy choice is narrow, in float64, with what it generates."""
    for draw in range(100):
        model = make_model(name, draw)
        twin = make_model(name, draw).double()
        try:
            return model, twin, generate_cases(name, twin, rows)
        except AssertionError:
            continue
    raise AssertionError(f"{name}: every draw has a narrow choice")


def adapter_case(name: str, model, ids, targets, folder: Path) -> dict:
    """The loss with a LoRA adapter, and the gradients of its matrices; the model is changed."""
    peft = get_peft_model(model, LoraConfig(r=2, lora_alpha=3, target_modules="all-linear",
                                            task_type="CAUSAL_LM"))
    with torch.no_grad():
        for key, parameter in peft.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(Source(f"families/{name}/{key}").normal(*parameter.shape) * 0.3)
    peft.save_pretrained(folder / name / "adapter")
    loss = loss_of(peft(ids).logits, targets)
    loss.backward()
    head = "base_model.model."
    gradients = {f"grad/{key.removeprefix(head).replace('.default', '')}": p.grad.clone()
                 for key, p in peft.named_parameters() if p.requires_grad}
    return {"op": f"{name}/lora", "name": f"{name}/lora", "tensors": {"loss": loss.detach(), **gradients}}


def main(folder: Path) -> None:
    rows = examples()
    batch, targets = collate(rows, END)
    shape, edges = forest(rows, targets)
    inputs = {"tokens": batch, "targets": targets[MASK],
              **{f"forest/{key}": value for key, value in {**shape, **edges[MASK]}.items()}}
    cases = [{"op": "batch", "name": "batch", "attributes": {"lengths": [len(row[0]) for row in rows]},
              "tensors": inputs}]
    ids = torch.from_numpy(batch).long()
    for name in MODELS:
        model, twin, generated = drawn(name, rows)
        model.save_pretrained(folder / name)
        cases += generated
        cases.append({"op": f"{name}/forward", "name": f"{name}/forward",
                      "attributes": {"kind": type(model).__name__},
                      "tensors": {"logits": twin(ids).logits}})
        weights = {key: value.clone() for key, value in twin.state_dict().items()}
        cases.append(training_case(name, twin, ids, targets[MASK]))
        twin.load_state_dict(weights)
        twin.zero_grad()
        cases.append(adapter_case(name, twin, ids, targets[MASK], folder))
    write_golden("families", cases, versions("torch", "transformers", "peft", "numpy"), folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
