"""What transformers computes with tiny models whose config.json is unusual, for configurations_test.ts.

    python configurations.py FOLDER

Each case is a config.json, as a person may bring it: settings that change the numbers, old keys, keys that are null or absent,
and keys of other families. Writes FOLDER/NAME (that file unchanged, and random weights), and configurations.json and
configurations.safetensors with the logits of one sequence, in float64 of float32 weights.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM

sys.path.insert(0, str(Path(__file__).parent.parent / "golden"))
from common import Source, versions, write_golden  # noqa: E402

TOKENS = [1, 5, 9, 13, 2, 7, 7, 30, 21, 4, 11, 3, 17, 26]
SHAPE = {
    "vocab_size": 41, "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 2,
    "num_attention_heads": 4, "max_position_embeddings": 64, "bos_token_id": 0, "eos_token_id": 40,
    "pad_token_id": 40,
}
GPT2 = {"vocab_size": 41, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 64}
GEMMA3 = {"num_key_value_heads": 1, "head_dim": 6, "sliding_window": 6}
LOCAL_FIRST = ["sliding_attention", "full_attention"]
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
LONG = {"type": "longrope", "short_factor": [1.0, 1.2], "long_factor": [1.5, 2.5]}
LLAMA3 = {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 16}


def scaled(scaling: dict, **more) -> dict:
    return {"num_key_value_heads": 2, "rope_theta": 50.0, "rope_scaling": scaling, **more}


# By family: what each case has beside the shape. Heads of keys are 2 unless a case says otherwise.
CASES = {
    "llama": {
        "head_dim null": {"head_dim": None},
        "heads of keys null": {"num_key_value_heads": None},
        "one head of keys": {"num_key_value_heads": 1, "tie_word_embeddings": True},
        "attention_bias": {"attention_bias": True},
        "mlp_bias": {"mlp_bias": True},
        "a large epsilon": {"rms_norm_eps": 0.1},
        "scaling null": {"rope_theta": 50.0, "rope_scaling": None},
        "scaling empty": {"rope_theta": 50.0, "rope_scaling": {}},
        "linear by its old key": scaled({"type": "linear", "factor": 2.5}),
        "llama3, theta a whole number": scaled(LLAMA3, rope_theta=100),
        "yarn, both mscale": scaled({**YARN, "mscale": 0.7, "mscale_all_dim": 0.9}),
        "yarn, one mscale": scaled({**YARN, "mscale": 0.7}),
        "yarn, attention_factor": scaled({**YARN, "attention_factor": 1.3}),
        "yarn, not truncated": scaled({**YARN, "truncate": False}),
        "yarn, no original context": scaled({"rope_type": "yarn", "factor": 4.0}),
        "yarn, original context beside": scaled(
            {"rope_type": "yarn", "factor": 4.0}, original_max_position_embeddings=8),
        "longrope": scaled(LONG, original_max_position_embeddings=8),
        "longrope, factor": scaled({**LONG, "factor": 8.0, "original_max_position_embeddings": 8}),
        "swish": {"hidden_act": "swish"},
        "pretraining_tp": {"pretraining_tp": 2},
        "others' sliding_window": {"sliding_window": 4},
        "others' layer_types": {"layer_types": LOCAL_FIRST, "sliding_window": 4},
        "others' no_rope_layers": {"no_rope_layers": [0, 1]},
        "others' clip_qkv": {"clip_qkv": 0.2},
        "others' use_qk_norm": {"use_qk_norm": True},
        "others' logit_scale": {"logit_scale": 0.1},
        "others' multipliers": {"attention_multiplier": 0.1, "embedding_multiplier": 3.0},
        "others' soft caps": {"final_logit_softcapping": 2.0, "attn_logit_softcapping": 2.0},
        "others' settings, neutral": {
            "sliding_window": 4, "use_sliding_window": False, "layer_types": ["full_attention"] * 2,
            "logit_scale": 1, "use_qk_norm": False, "no_rope_layers": [1, 1]},
    },
    "mistral": {
        "window absent": {},
        "window": {"sliding_window": 5},
        "window null, head_dim": {"sliding_window": None, "head_dim": 6},
        "yarn": scaled(YARN, sliding_window=None),
        "others' attention_bias": {"attention_bias": True},
    },
    "gemma": {
        "head_dim absent": {"num_key_value_heads": 1},
        "hidden_act gelu": {"num_key_value_heads": 1, "head_dim": 6, "hidden_act": "gelu"},
        "untied": {"num_key_value_heads": 1, "head_dim": 6, "tie_word_embeddings": False},
    },
    "gemma2": {
        "settings absent": {},
        "caps null": {"head_dim": 6, "attn_logit_softcapping": None, "final_logit_softcapping": None},
        "low caps": {"head_dim": 6, "attn_logit_softcapping": 0.5, "final_logit_softcapping": 0.7},
        "linear": scaled({"rope_type": "linear", "factor": 3.0}, head_dim=6),
    },
    "gemma3_text": {
        "pattern": {**GEMMA3, "num_hidden_layers": 4, "sliding_window_pattern": 2},
        "seven layers": {**GEMMA3, "num_hidden_layers": 7},
        "old positions": {**GEMMA3, "rope_theta": 500.0, "rope_local_base_freq": 50.0,
                          "rope_scaling": {"rope_type": "linear", "factor": 8.0}},
        "cap of logits": {**GEMMA3, "final_logit_softcapping": 1.5},
        "attention_bias": {**GEMMA3, "attention_bias": True},
        "untied": {**GEMMA3, "tie_word_embeddings": False},
    },
    "qwen2": {
        "window not used": {"sliding_window": 4, "use_sliding_window": False, "max_window_layers": 0},
        "window, use unsaid": {"sliding_window": 4, "max_window_layers": 0},
        "window of one layer": {"sliding_window": 4, "use_sliding_window": True, "max_window_layers": 1},
        "window null": {"sliding_window": None, "use_sliding_window": True, "max_window_layers": 0},
        "layer_types": {"sliding_window": 4, "use_sliding_window": True, "layer_types": LOCAL_FIRST},
        "head_dim": {"head_dim": 6},
        "others' attention_bias": {"attention_bias": True},
        "yarn by its old key": scaled({"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}),
    },
    "qwen3": {
        "head_dim absent": {},
        "window of one layer": {"head_dim": 6, "sliding_window": 4, "use_sliding_window": True,
                                "max_window_layers": 1},
    },
    "phi3": {
        "partial_rotary_factor": {"partial_rotary_factor": 0.5},
        "partial_rotary_factor, head_dim": {"partial_rotary_factor": 0.5, "head_dim": 8},
        "others' attention_bias": {"attention_bias": True},
        "longrope, short": {"original_max_position_embeddings": 32, "rope_scaling": LONG},
    },
    "smollm3": {
        "no_rope_layers null": {"num_hidden_layers": 4, "no_rope_layers": None},
        "interval": {"num_hidden_layers": 4, "no_rope_layer_interval": 2},
        "window not used": {"sliding_window": 4, "use_sliding_window": False, "no_rope_layers": [0, 1]},
        "window": {"sliding_window": 4, "use_sliding_window": True, "no_rope_layers": [0, 1]},
        "layer_types, not used": {"sliding_window": 4, "layer_types": LOCAL_FIRST},
        "mlp_bias, head_dim": {"mlp_bias": True, "head_dim": 6},
    },
    "olmo2": {
        "attention_bias": {"attention_bias": True},
        "head_dim": {"head_dim": 6},
        "others' clip_qkv": {"clip_qkv": 0.1},
    },
    "granite": {
        "multipliers": {"attention_multiplier": 0.3, "embedding_multiplier": 2,
                        "residual_multiplier": 0.5, "logits_scaling": 3},
        "multipliers absent": {},
        "biases": {"attention_bias": True, "mlp_bias": True},
    },
    "gpt_neox": {
        "attention_bias false": {"rotary_pct": 0.5, "attention_bias": False},
        "base by its old key": {"rotary_pct": 0.5, "rotary_emb_base": 50},
        "gelu_fast, tied": {"rotary_pct": 0.5, "hidden_act": "gelu_fast", "tie_word_embeddings": True},
        "linear": {"rotary_pct": 1.0, "rope_scaling": {"type": "linear", "factor": 2.0}},
    },
    "starcoder2": {
        "window null": {"sliding_window": None},
        "use_bias false, window": {"use_bias": False, "sliding_window": 4},
        "head_dim": {"head_dim": 6},
    },
    "gpt2": {
        "n_inner": {"n_inner": 20},
        "exact GELU": {"activation_function": "gelu"},
        "untied": {"tie_word_embeddings": False},
        "a large epsilon": {"layer_norm_epsilon": 0.1},
    },
}


def draw(model: torch.nn.Module, name: str, offset: int) -> None:
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            numbers = Source(f"configurations/{name}/{key}").normal(*parameter.shape)
            if key.endswith("bias"):
                numbers = 0.3 * numbers
            elif "norm" in key or "ln_" in key:
                numbers = offset + 0.3 * numbers
            elif "embed" in key or "wte" in key:
                numbers = 0.3 * numbers
            else:
                numbers = 2 / parameter.shape[-1] ** 0.5 * numbers
            parameter.copy_(numbers)


def main(folder: Path) -> None:
    results = []
    for family, cases in CASES.items():
        shape = GPT2 if family == "gpt2" else {**SHAPE, "num_key_value_heads": 2}
        for what, more in cases.items():
            config = {"model_type": family, **shape, **more}
            name = f"{family}: {what}"
            directory = folder / str(len(results))
            directory.mkdir(parents=True)
            text = json.dumps(config)
            (directory / "config.json").write_text(text)
            read = AutoConfig.from_pretrained(directory)
            model = AutoModelForCausalLM.from_config(read, attn_implementation="eager")
            draw(model, name, 0 if "gemma" in family else 1)
            model.save_pretrained(directory)
            (directory / "config.json").write_text(text)
            with torch.no_grad():
                logits = model.double().eval()(torch.tensor([TOKENS])).logits[0]
            results.append({"op": "forward", "name": name, "attributes": {"tokens": TOKENS},
                            "tensors": {"logits": logits}})
    write_golden("configurations", results, versions("torch", "transformers", "numpy"), folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
