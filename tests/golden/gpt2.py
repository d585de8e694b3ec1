"""Makes gpt2_tiny/ (a tiny GPT-2 as Hugging Face writes one) and gpt2_tiny.* (what it computes).

    python tests/golden/gpt2.py [FOLDER]

The weights are random float32 numbers, large enough that attention and GELU leave their linear
range. Everything that they compute is computed in float64 and rounded once. README.md tells the
layout.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from common import HERE, Source, versions, write_golden

END = 210  # <|endoftext|>: closes a sequence and pads, as 50256 does in the full vocabulary
IGNORE = -100
MASKS = ("none", "instruction", "prompt")
CONFIG = GPT2Config(
    vocab_size=211, n_positions=64, n_embd=32, n_layer=2, n_head=4, activation_function="gelu_new",
    resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=END, eos_token_id=END,
    tie_word_embeddings=True,
)
LR, BETAS, EPS, WEIGHT_DECAY = 1e-3, (0.9, 0.999), 1e-8, 0.1


def make_model() -> GPT2LMHeadModel:
    """The tiny model in float32, its weights by their names' seeds."""
    model = GPT2LMHeadModel._from_config(CONFIG, attn_implementation="eager")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            numbers = Source("gpt2_tiny/" + name).normal(*parameter.shape)
            if ".ln_" in name and name.endswith("weight"):
                numbers = 1 + 0.3 * numbers
            elif name.endswith("bias"):
                numbers = 0.3 * numbers
            elif "wte" in name:  # small, for a tied head repeats a token whose embedding prevails
                numbers = 0.3 * numbers
            elif "wpe" in name:
                numbers = 1.2 * numbers
            else:
                numbers = 2.5 / parameter.shape[0] ** 0.5 * numbers
            parameter.copy_(numbers)
    return model.eval()


def examples() -> list[tuple[list[int], int, int]]:
    """(tokens, instruction's length, prompt's length) of four that share a beginning.

    A template of 5 tokens; the first two share their instruction too, the last two are equal up to
    the fourth token of their responses, where one ends. A response marker is the tokens 7, 8.
    """
    source = Source("gpt2_tiny/examples")
    template = source.integers(20, END, 5).tolist()
    first, second = source.integers(20, END, 4).tolist(), source.integers(20, END, 7).tolist()
    long = source.integers(20, END, 6).tolist()
    responses = [source.integers(20, END, 3).tolist(), source.integers(20, END, 5).tolist(),
                 long, long[:4]]
    rows = []
    for instruction, response in zip((first, first, second, second), responses):
        start = template + instruction
        prompt = start + [7, 8]
        rows.append((prompt + response, len(start), len(prompt)))
    return rows


def collate(rows, end=END) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Tokens (B, T) padded to the longest and its closing token, and each mask's targets (B, T).

    Targets are the tokens shifted by one; of a row's padding only the first, its end, may count.
    """
    width = max(len(tokens) for tokens, _, _ in rows)
    batch = np.full((len(rows), width), end, np.int32)
    targets = {mask: np.full((len(rows), width), IGNORE, np.int32) for mask in MASKS}
    for b, (tokens, instruction, prompt) in enumerate(rows):
        batch[b, : len(tokens)] = tokens
        shifted = np.array(tokens[1:] + [end], np.int32)
        for mask, skipped in zip(MASKS, (0, instruction - 1, prompt - 1)):
            targets[mask][b, skipped : len(tokens)] = shifted[skipped:]
    return batch, targets


def forest(rows, targets: dict[str, np.ndarray]) -> tuple[dict, dict[str, dict]]:
    """The same batch with shared beginnings computed once, and each mask's loss edges.

    Tokens are in depth-first order, children in order of appearance. An edge (row, target) counts
    as often as sequences share it.
    """
    children: list[dict[int, int]] = [{}]  # a trie; node 0 is above the roots
    token_of, paths = [-1], []
    for tokens, _, _ in rows:
        node, path = 0, []
        for token in tokens:
            if token not in children[node]:
                children[node][token] = len(children)
                children.append({})
                token_of.append(token)
            node = children[node][token]
            path.append(node)
        paths.append(path)

    order, position, end = [], {}, {}

    def visit(node: int, depth: int) -> None:
        order.append(node)
        position[node] = depth
        for child in children[node].values():
            visit(child, depth + 1)
        end[node] = len(order)

    for root in children[0].values():
        visit(root, 0)
    place = {node: i for i, node in enumerate(order)}
    shape = {
        "tokens": np.array([token_of[node] for node in order], np.int32),
        "positions": np.array([position[node] for node in order], np.int32),
        "end": np.array([end[node] for node in order], np.int32),
    }
    edges = {}
    for mask in MASKS:
        counts: dict[tuple[int, int], int] = {}
        for b, path in enumerate(paths):
            for t, node in enumerate(path):
                if targets[mask][b, t] != IGNORE:
                    edge = (place[node], int(targets[mask][b, t]))
                    counts[edge] = counts.get(edge, 0) + 1
        found = sorted(counts)
        edges[mask] = {
            "rows": np.array([row for row, _ in found], np.int32),
            "targets": np.array([target for _, target in found], np.int32),
            "counts": np.array([counts[edge] for edge in found], np.float32),
        }
    return shape, edges


def loss_of(logits: torch.Tensor, targets: np.ndarray) -> torch.Tensor:
    flat = torch.from_numpy(targets).long().flatten()
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), flat, ignore_index=IGNORE)


def loss_cases(model, batch, targets, edges) -> list[dict]:
    cases = []
    for mask in MASKS:
        model.zero_grad()
        loss = loss_of(model(batch).logits, targets[mask])
        loss.backward()
        gradients = {f"grad/{name}": p.grad.clone() for name, p in model.named_parameters()}
        forest_edges = {f"forest/{key}": value for key, value in edges[mask].items()}
        cases.append({"op": "loss", "name": f"loss/{mask}",
                      "attributes": {"ignoreIndex": IGNORE, "counted": int((targets[mask] != IGNORE).sum())},
                      "tensors": {"targets": targets[mask], **forest_edges, "output": loss, **gradients}})
    return cases


def adamw_cases(model, batch, targets) -> list[dict]:
    """Three steps on the batch with the prompt masked; the model is changed."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, betas=BETAS, eps=EPS,
                                  weight_decay=WEIGHT_DECAY)
    attributes = {"mask": "prompt", "lr": LR, "beta1": BETAS[0], "beta2": BETAS[1], "eps": EPS,
                  "weightDecay": WEIGHT_DECAY}
    cases = []
    for step in range(1, 4):
        optimizer.zero_grad()
        loss = loss_of(model(batch).logits, targets["prompt"])
        loss.backward()
        norm = torch.nn.utils.get_total_norm([p.grad for p in model.parameters()])
        optimizer.step()
        weights = {f"weight/{name}": p.detach().clone() for name, p in model.named_parameters()}
        cases.append({"op": "adamw", "name": f"adamw/step{step}", "attributes": {**attributes, "step": step},
                      "tensors": {"loss": loss, "gradNorm": norm, **weights}})
    return cases


def generate_cases(model, rows) -> list[dict]:
    """Greedy, 20 new tokens. The prompts share a beginning and differ in length."""
    cases = []
    for name, prompt in (("short", rows[0][0][: rows[0][2]]), ("long", rows[2][0][: rows[2][2]])):
        with torch.no_grad():
            result = model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)),
                                    do_sample=False, max_new_tokens=20, eos_token_id=None,
                                    pad_token_id=END, return_dict_in_generate=True, output_scores=True)
        best = torch.stack(result.scores).squeeze(1).topk(2).values
        margin = float((best[:, 0] - best[:, 1]).min())
        tokens = result.sequences[0, len(prompt):].numpy()
        # A narrow choice would test rounding, and a stuck one would test little.
        assert margin > 1e-2 and len(set(tokens.tolist())) > 5, (name, margin, tokens)
        cases.append({"op": "generate", "name": f"generate/{name}",
                      "attributes": {"maxNewTokens": 20, "smallestMargin": round(margin, 4)},
                      "tensors": {"prompt": np.array(prompt, np.int32), "output": tokens}})
    return cases


def main(folder: Path) -> None:
    model = make_model()
    target = folder / "gpt2_tiny"
    shutil.rmtree(target, ignore_errors=True)
    model.save_pretrained(target)
    (target / "generation_config.json").unlink(missing_ok=True)
    (target / "model.safetensors").chmod(0o644)

    model = model.double()
    rows = examples()
    batch, targets = collate(rows)
    shape, edges = forest(rows, targets)
    ids = torch.from_numpy(batch).long()
    logits = model(ids).logits
    cases = [{"op": "forward", "name": "forward/batch",
              "attributes": {"lengths": [len(tokens) for tokens, _, _ in rows],
                             "instructionLengths": [length for _, length, _ in rows],
                             "promptLengths": [length for _, _, length in rows], "end": END},
              "tensors": {"tokens": batch, "logits": logits,
                          **{f"forest/{key}": value for key, value in shape.items()}}}]
    cases += loss_cases(model, ids, targets, edges)
    cases += generate_cases(model, rows)
    cases += adamw_cases(model, ids, targets)
    write_golden("gpt2_tiny", cases, versions("torch", "transformers", "numpy"), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
