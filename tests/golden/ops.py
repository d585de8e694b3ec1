"""Makes ops.safetensors and ops.json: every op's value and gradients, by PyTorch in float64.

    python tests/golden/ops.py [FOLDER]

Inputs are float32 numbers; the arithmetic is done in float64 and rounded once at the end, so a case
is the exact answer to which a float32 implementation may only come near. README.md tells the layout.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from common import HERE, Source, versions, write_golden

CASES: list[dict] = []


def case(op: str, name: str, forward, inputs: dict, constants: dict | None = None, **attributes):
    """Records `forward(**inputs, **constants)`, and the inputs' gradients for a random upstream one."""
    full = f"{op}/{name}"
    leaves = {key: value.clone().requires_grad_() for key, value in inputs.items()}
    output = forward(**leaves, **(constants or {}))
    upstream = Source(full + "/upstream").normal(*output.shape)
    output.backward(upstream)
    tensors = {**inputs, **(constants or {}), "output": output, "outputGrad": upstream}
    tensors |= {f"{key}Grad": leaf.grad for key, leaf in leaves.items()}
    tensors = {key: value for key, value in tensors.items() if value is not None}
    CASES.append({"op": op, "name": full, "attributes": attributes, "tensors": tensors})


# matmul: y (M, N) = op(a) @ op(b) + bias (N)

def matmul(a, b, bias=None, transpose_a=False, transpose_b=False):
    y = (a.T if transpose_a else a) @ (b.T if transpose_b else b)
    return y if bias is None else y + bias


def matmul_cases():
    def add(m, k, n, bias, transpose_a, transpose_b):
        name = f"{m}x{k}x{n}" + "_ta" * transpose_a + "_tb" * transpose_b + "_bias" * bias
        source = Source("matmul/" + name)
        inputs = {
            "a": source.normal(k, m) if transpose_a else source.normal(m, k),
            "b": source.normal(n, k) if transpose_b else source.normal(k, n),
        }
        if bias:
            inputs["bias"] = source.normal(n)
        flags = {"transpose_a": transpose_a, "transpose_b": transpose_b}
        case("matmul", name, lambda **given: matmul(**given, **flags), inputs,
             transposeA=transpose_a, transposeB=transpose_b)

    for transpose_a in (False, True):
        for transpose_b in (False, True):
            for bias in (False, True):
                add(7, 13, 5, bias, transpose_a, transpose_b)
            add(1, 9, 17, True, transpose_a, transpose_b)
            add(19, 6, 1, False, transpose_a, transpose_b)
            add(33, 70, 35, True, transpose_a, transpose_b)
    add(1, 1, 1, True, False, False)
    add(64, 48, 96, True, False, False)  # all multiples of 16
    add(67, 129, 75, True, False, True)


# embedding: y (T, C) = table (V, C)[ids]

def embedding_cases():
    for v, c, t in ((1, 1, 3), (11, 7, 1), (13, 5, 29), (50, 16, 16), (101, 33, 70)):
        name = f"{v}x{c}_{t}"
        source = Source("embedding/" + name)
        ids = source.integers(0, v, t)
        case("embedding", name, lambda table, ids: table[torch.from_numpy(ids).long()],
             {"table": source.normal(v, c)}, {"ids": ids})
    source = Source("embedding/positions")
    ids = np.concatenate([np.arange(9), np.arange(4, 7), np.arange(5, 12)]).astype(np.int32)
    case("embedding", "positions", lambda table, ids: table[torch.from_numpy(ids).long()],
         {"table": source.normal(12, 20)}, {"ids": ids})


# Elementwise ops, over any shape

SHAPES = ((1,), (1, 13), (13, 1), (7, 13), (3, 5, 6), (65, 67))


def shape_name(shape):
    return "x".join(map(str, shape))


def elementwise_cases():
    for shape in SHAPES:
        name = shape_name(shape)
        source = Source("add/" + name)
        case("add", name, torch.add, {"input": source.normal(*shape), "other": source.normal(*shape)})
        source = Source("scale/" + name)
        factor = float(np.float32(-1.7))
        case("scale", name, lambda input: input * factor, {"input": source.normal(*shape)}, factor=factor)
        source = Source("gelu/" + name)
        case("gelu", name, lambda input: F.gelu(input, approximate="tanh"),
             {"input": source.normal(*shape, scale=3)})
    # Tails, where tanh saturates, and zero: none of these may become NaN.
    extremes = torch.tensor([-1e4, -100, -30, -10, -5, -1e-6, 0, 1e-6, 5, 10, 30, 100, 1e4],
                            dtype=torch.float32).double()
    case("gelu", "extremes", lambda input: F.gelu(input, approximate="tanh"), {"input": extremes})


# layer norm over the last dimension

def layer_norm_cases():
    def add(name, input, c):
        source = Source("layer_norm/parameters/" + name)
        inputs = {"input": input, "weight": 1 + source.normal(c, scale=0.5), "bias": source.normal(c)}
        inputs["weight"] = inputs["weight"].float().double()
        case("layer_norm", name,
             lambda input, weight, bias: F.layer_norm(input, (c,), weight, bias, eps=1e-5),
             inputs, eps=1e-5)

    for rows, c in ((1, 13), (7, 1), (7, 13), (5, 16), (3, 67), (65, 48), (2, 300)):
        name = f"{rows}x{c}"
        add(name, Source("layer_norm/" + name).normal(rows, c, scale=2), c)
    # A large mean against a small spread: a one-pass variance fails here.
    shifted = (100 + Source("layer_norm/shifted").normal(6, 40)).float().double()
    add("shifted_6x40", shifted, 40)
    add("leading_2x3x20", Source("layer_norm/leading").normal(2, 3, 20), 20)


# attention over a forest: i attends to j iff j <= i < end[j], and their positions differ by < window

def attention(q, k, v, end, positions, heads, kv_heads, window=None):
    t = q.shape[0]
    d = q.shape[1] // heads
    i, j = torch.arange(t)[:, None], torch.arange(t)[None, :]
    end, positions = torch.from_numpy(end).long(), torch.from_numpy(positions).long()
    allowed = (j <= i) & (i < end[None, :])
    if window is not None:
        allowed &= positions[:, None] - positions[None, :] < window
    q = q.view(t, heads, d).transpose(0, 1)  # (H, T, D)
    k = k.view(t, kv_heads, d).transpose(0, 1).repeat_interleave(heads // kv_heads, 0)
    v = v.view(t, kv_heads, d).transpose(0, 1).repeat_interleave(heads // kv_heads, 0)
    scores = (q @ k.transpose(1, 2)) / d**0.5
    scores = scores.masked_fill(~allowed, float("-inf"))
    return (scores.softmax(-1) @ v).transpose(0, 1).reshape(t, heads * d)


def forest(parents: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """`end` and `positions` of tokens in depth-first order, given each one's parent (-1: a root)."""
    t = len(parents)
    end = np.arange(1, t + 1)
    positions = np.zeros(t, int)
    for i, parent in enumerate(parents):
        positions[i] = positions[parent] + 1 if parent >= 0 else 0
    for i in reversed(range(t)):
        if parents[i] >= 0:
            end[parents[i]] = max(end[parents[i]], end[i])
    return end.astype(np.int32), positions.astype(np.int32)


def random_forest(name: str, t: int, roots: float, branches: float) -> list[int]:
    """Mostly chains; with the chances given a token starts a tree, or hangs from an earlier ancestor."""
    random = Source(name).random
    parents, path = [], []
    for i in range(t):
        chance = random.random()
        if not path or chance < roots:
            path = []
        elif chance < roots + branches:
            path = path[: random.integers(1, len(path) + 1)]
        parents.append(path[-1] if path else -1)
        path.append(i)
    return parents


def attention_cases():
    def add(name, parents, heads, kv_heads, d, window=None, scale=1.0):
        source = Source("attention/" + name)
        t = len(parents)
        end, positions = forest(parents)
        inputs = {
            "q": source.normal(t, heads * d, scale=scale),
            "k": source.normal(t, kv_heads * d, scale=scale),
            "v": source.normal(t, kv_heads * d),
        }
        attributes = {"heads": heads, "kvHeads": kv_heads, "headDim": d, "window": window}
        case("attention", name,
             lambda **given: attention(**given, heads=heads, kv_heads=kv_heads, window=window),
             inputs, {"end": end, "positions": positions}, **attributes)

    def chain(t):
        return [i - 1 for i in range(t)]

    add("causal_1", chain(1), 2, 2, 8)
    add("causal_5", chain(5), 2, 2, 7)
    add("causal_17", chain(17), 3, 3, 8)
    add("causal_64", chain(64), 2, 2, 16)
    add("causal_130", chain(130), 1, 1, 5)  # more than one block of rows in any tiling
    add("causal_33_d64", chain(33), 1, 1, 64)
    # The last eleven are trees of their own, ten of them at position 1.
    add("packed_5_1_11", chain(5) + [-1] + [-1] + [6 + i for i in range(1, 11)], 2, 2, 8)
    add("roots_only_9", [-1] * 9, 2, 2, 4)
    add("branches_12", [-1, 0, 1, 2, 3, 2, 5, 6, 0, 8, 9, 8], 2, 2, 8)
    add("forest_70", random_forest("forest_70", 70, 0.05, 0.15), 2, 2, 8)
    add("grouped_17", chain(17), 6, 2, 8)
    add("multi_query_20", chain(20), 4, 1, 5)
    add("grouped_forest_41", random_forest("grouped_forest_41", 41, 0.08, 0.2), 4, 2, 8)
    add("window_1_6", chain(6), 2, 2, 4, window=1)
    add("window_5_37", chain(37), 2, 2, 8, window=5)
    add("window_4_forest_50", random_forest("window_4_forest_50", 50, 0.06, 0.15), 4, 2, 8, window=4)
    add("sharp_16", chain(16), 2, 2, 8, scale=8.0)  # scores of some hundreds: exp needs the maximum


# linear + cross-entropy over loss edges (row, target, count), sorted by row

def linear_cross_entropy_cases():
    def loss(hidden, weight, rows, targets, counts):
        rows, targets = torch.from_numpy(rows).long(), torch.from_numpy(targets).long()
        counts = torch.from_numpy(counts).double()
        logits = hidden[rows] @ weight.T  # (E, V)
        losses = logits.logsumexp(-1) - logits.gather(1, targets[:, None])[:, 0]
        return (counts * losses).sum() / counts.sum()

    def add(name, t, c, v, rows, scale=1.0):
        source = Source("linear_cross_entropy/" + name)
        rows = np.array(rows, np.int32)
        targets = source.integers(0, v, len(rows))
        for i in range(1, len(rows)):  # targets of one row differ: equal ones would be one edge
            while targets[i] in targets[:i][rows[:i] == rows[i]]:
                targets[i] = source.integers(0, v, 1)[0]
        counts = source.random.choice([1, 1, 1, 2, 3], len(rows)).astype(np.float32)
        inputs = {"hidden": source.normal(t, c, scale=scale), "weight": source.normal(v, c, scale=0.5)}
        # The loss is a number; its upstream gradient is random too, so that a forgotten one shows.
        case("linear_cross_entropy", name, loss, inputs,
             {"rows": rows, "targets": targets, "counts": counts})

    add("1x3_v2", 1, 3, 2, [0])
    add("5x7_v13", 5, 7, 13, [0, 1, 1, 4])
    add("all_rows_9x8_v257", 9, 8, 257, range(9))
    add("13x17_v257", 13, 17, 257, [1, 2, 2, 2, 5, 7, 7, 12])
    add("20x24_v1003", 20, 24, 1003, [0, 3, 4, 4, 5, 8, 9, 10, 11, 15, 16, 17, 17, 17, 19])
    add("sharp_6x16_v300", 6, 16, 300, [0, 2, 3, 5], scale=40.0)


# AdamW, three steps; global norm

def adamw_cases():
    def add(name, n, lr, scale=1.0, weight_decay=0.1):
        source = Source("adamw/" + name)
        weight = torch.nn.Parameter(source.normal(n))
        optimizer = torch.optim.AdamW([weight], lr=lr, betas=(0.9, 0.999), eps=1e-8,
                                      weight_decay=weight_decay)
        tensors = {"weight": weight.detach().clone()}
        for step in range(1, 4):
            weight.grad = source.normal(n, scale=scale)
            tensors[f"grad{step}"] = weight.grad.clone()
            optimizer.step()
            state = optimizer.state[weight]
            tensors |= {f"weight{step}": weight.detach().clone(), f"m{step}": state["exp_avg"].clone(),
                        f"v{step}": state["exp_avg_sq"].clone()}
        CASES.append({"op": "adamw", "name": "adamw/" + name, "tensors": tensors, "attributes": {
            "lr": lr, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weightDecay": weight_decay}})

    add("1", 1, 1e-3)
    add("13", 13, 1e-2)
    add("1031", 1031, 1e-3)
    add("small_gradients_67", 67, 1e-3, scale=1e-7)  # near eps: shows where eps is added
    add("no_decay_20", 20, 5e-5, weight_decay=0.0)


def global_norm_cases():
    for name, shapes in (("one", [(1,)]), ("three", [(7, 13), (1,), (65, 31)]), ("vector", [(1003,)])):
        source = Source("global_norm/" + name)
        tensors = {f"tensor{i}": source.normal(*shape) for i, shape in enumerate(shapes)}
        norm = torch.sqrt(sum((tensor**2).sum() for tensor in tensors.values()))
        CASES.append({"op": "global_norm", "name": "global_norm/" + name,
                      "attributes": {"count": len(shapes)}, "tensors": {**tensors, "output": norm}})


if __name__ == "__main__":
    matmul_cases()
    embedding_cases()
    elementwise_cases()
    layer_norm_cases()
    attention_cases()
    linear_cross_entropy_cases()
    adamw_cases()
    global_norm_cases()
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    write_golden("ops", CASES, versions("torch", "numpy"), folder)
