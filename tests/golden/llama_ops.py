"""Makes llama_ops.safetensors and llama_ops.json: the ops of the Llama family, as ops.py makes the others.

    python tests/golden/llama_ops.py [FOLDER]

They have a file of their own, so that the larger one keeps its bytes. README.md tells the layout.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

from common import HERE, Source, versions, write_golden
from ops import CASES, case, shape_name


# gated activations, and normalisation by the root mean square over parts as wide as the weight

def gated_cases():
    def add(op, activation, name, gate, up):
        case(op, name, lambda gate, up: activation(gate) * up, {"gate": gate, "up": up})

    for op, activation in (("swiglu", F.silu), ("geglu", lambda x: F.gelu(x, approximate="tanh"))):
        for shape in ((1,), (7, 13), (3, 5, 6)):
            name = shape_name(shape)
            source = Source(f"{op}/{name}")
            add(op, activation, name, source.normal(*shape, scale=3), source.normal(*shape))
        extremes = torch.tensor([-1e4, -100, -30, -5, 0, 5, 30, 100, 1e4], dtype=torch.float32).double()
        add(op, activation, "extremes", extremes, Source(f"{op}/extremes").normal(len(extremes)))


def rms_norm(input, weight, eps, offset):
    parts = input.unflatten(-1, (-1, len(weight)))
    normal = parts * torch.rsqrt(parts.pow(2).mean(-1, keepdim=True) + eps)
    return (normal * (offset + weight)).flatten(-2)


def rms_norm_cases():
    def add(name, input, c, offset=0.0, eps=1e-5):
        source = Source("rms_norm/parameters/" + name)
        weight = (1 - offset + source.normal(c, scale=0.5)).float().double()
        case("rms_norm", name, lambda input, weight: rms_norm(input, weight, eps, offset),
             {"input": input, "weight": weight}, eps=eps, offset=offset)

    for rows, c in ((1, 13), (7, 1), (5, 16), (3, 67), (19, 48), (2, 300)):
        name = f"{rows}x{c}"
        add(name, Source("rms_norm/" + name).normal(rows, c, scale=2), c)
    add("gemma_5x24", Source("rms_norm/gemma").normal(5, 24), 24, offset=1.0, eps=1e-6)
    add("heads_6x3x10", Source("rms_norm/heads").normal(6, 30), 10, offset=1.0, eps=1e-6)
    add("small_4x20", Source("rms_norm/small").normal(4, 20, scale=1e-3), 20)  # near eps


# rotary positions, as Hugging Face has them: float32 angles, element i paired with i + d / 2

def rotary_cases():
    def add(name, positions, heads, d, theta, scaling=None, context=4096):
        config = LlamaConfig(
            hidden_size=heads * d, num_attention_heads=heads, head_dim=d, max_position_embeddings=context,
            rope_parameters={"rope_theta": theta, **(scaling or {"rope_type": "default"})})
        positions = np.array(positions, np.int32)
        embedding = LlamaRotaryEmbedding(config)

        def turn(input):
            t = len(positions)
            cos, sin = embedding(input, torch.from_numpy(positions).long()[None])
            heads_first = input.view(1, t, heads, d).transpose(1, 2)
            turned, _ = apply_rotary_pos_emb(heads_first, heads_first, cos, sin)
            return turned.transpose(1, 2).reshape(t, heads * d)

        case("rotary", name, lambda input, positions: turn(input),
             {"input": Source("rotary/" + name).normal(len(positions), heads * d)},
             {"positions": positions}, headDim=d, theta=theta, scaling=scaling)

    add("1_token", [5], 1, 2, 10000.0)
    add("forest_7", [0, 1, 2, 1, 2, 3, 0], 3, 6, 10000.0)
    add("d16_5", [0, 1, 2, 3, 4], 2, 16, 100000.0)
    add("far_4", [0, 511, 4095, 32767], 1, 64, 1000000.0)
    add("linear_5", [0, 1, 7, 63, 1000], 2, 8, 10000.0, {"rope_type": "linear", "factor": 8.0})
    add("llama3_4", [0, 3, 100, 9000], 1, 64, 500000.0,
        {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
         "original_max_position_embeddings": 8192}, context=131072)


if __name__ == "__main__":
    gated_cases()
    rms_norm_cases()
    rotary_cases()
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    write_golden("llama_ops", CASES, versions("torch", "transformers", "numpy"), folder)
