"""Makes training.*: learning rates of transformers' schedules, and what the tiny GPT-2 learns in PyTorch.

    python tests/golden/training.py [FOLDER]

The steps accumulate gradients over two batches of two, clip them and follow a cosine; the weighted loss is
cross-entropy per token, averaged by its example's weight. Everything is computed in float64 from float32 weights
and rounded once. README.md tells the layout.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from transformers import optimization

from common import HERE, versions, write_golden
from gpt2 import BETAS, END, EPS, IGNORE, LR, WEIGHT_DECAY, collate, examples, make_model

TOTAL, WARMUP, CLIP = 5, 2, 2.0
WEIGHTS = (1.0, 0.25, 3.0, 2.5)
RATE, FLOOR = 2e-4, 3e-5


def schedule_cases() -> list[dict]:
    """The rate of every step of each schedule, over several lengths and warm-ups."""
    make = {
        "constant": lambda o, warmup, total: optimization.get_constant_schedule_with_warmup(o, warmup),
        "linear": optimization.get_linear_schedule_with_warmup,
        "cosine": optimization.get_cosine_schedule_with_warmup,
        "linearWithFloor": lambda o, warmup, total: optimization.get_polynomial_decay_schedule_with_warmup(
            o, warmup, total, lr_end=FLOOR, power=1.0),
        "cosineWithFloor": lambda o, warmup, total: optimization.get_cosine_with_min_lr_schedule_with_warmup(
            o, warmup, total, min_lr=FLOOR),
    }
    cases = []
    for name, schedule in make.items():
        for total, warmup in ((1, 0), (7, 0), (7, 3), (20, 5), (20, 20)):
            if name == "linearWithFloor" and total == warmup:
                continue  # it divides by zero
            optimizer = torch.optim.SGD([torch.zeros(1)], lr=RATE)
            scheduler = schedule(optimizer, warmup, total)
            rates = []
            for _ in range(total):
                rates.append(scheduler.get_last_lr()[0])
                optimizer.step()
                scheduler.step()
            cases.append({"op": "schedule", "name": f"schedule/{name}/{total}/{warmup}",
                          "attributes": {"schedule": name.removesuffix("WithFloor"), "total": total, "warmup": warmup,
                                         "rate": RATE, "floor": FLOOR if name.endswith("Floor") else 0},
                          "tensors": {"rates": np.array(rates)}})
    return cases


def token_losses(model, batch: np.ndarray, targets: np.ndarray) -> torch.Tensor:
    """The loss of each token, (B, T); 0 where it does not count."""
    logits = model(torch.from_numpy(batch).long()).logits
    flat = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), torch.from_numpy(targets).long().flatten(), ignore_index=IGNORE, reduction="none")
    return flat.view(targets.shape)


def accumulate_cases(rows) -> list[dict]:
    """Steps over two batches of two: summed losses divided by all counted tokens, clipping, a cosine with warm-up."""
    model = make_model().double()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, betas=BETAS, eps=EPS, weight_decay=WEIGHT_DECAY)
    scheduler = optimization.get_cosine_schedule_with_warmup(optimizer, WARMUP, TOTAL)
    batches = [collate(rows[:2]), collate(rows[2:])]
    counted = sum(int((targets["prompt"] != IGNORE).sum()) for _, targets in batches)
    losses, norms, rates = [], [], []
    for _ in range(TOTAL):
        optimizer.zero_grad()
        total = 0.0
        for batch, targets in batches:
            loss = token_losses(model, batch, targets["prompt"]).sum() / counted
            loss.backward()
            total += float(loss.detach())
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)))
        losses.append(total)
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    assert min(norms) < CLIP < max(norms) or min(norms) > CLIP, norms
    weights = {f"weight/{name}": p.detach() for name, p in model.named_parameters()}
    return [{"op": "accumulate", "name": "accumulate/prompt",
             "attributes": {"lr": LR, "beta1": BETAS[0], "beta2": BETAS[1], "eps": EPS, "weightDecay": WEIGHT_DECAY,
                            "total": TOTAL, "warmup": WARMUP, "clip": CLIP},
             "tensors": {"losses": np.array(losses), "gradNorms": np.array(norms), "rates": np.array(rates),
                         **weights}}]


def weighted_cases(rows) -> list[dict]:
    """The mean of all counted tokens' losses, weighted by their examples, and some gradients of it."""
    model = make_model().double()
    batch, targets = collate(rows)
    weights = torch.tensor(WEIGHTS, dtype=torch.float64)[:, None]
    counts = torch.from_numpy(targets["prompt"] != IGNORE) * weights
    loss = (token_losses(model, batch, targets["prompt"]) * weights).sum() / counts.sum()
    loss.backward()
    kept = ("transformer.h.0.ln_1.weight", "transformer.h.1.attn.c_proj.weight", "transformer.ln_f.bias")
    parameters = dict(model.named_parameters())
    return [{"op": "weighted", "name": "weighted/prompt", "attributes": {"weights": list(WEIGHTS)},
             "tensors": {"output": loss, **{f"grad/{name}": parameters[name].grad for name in kept}}}]


def weighted_step_cases(rows) -> list[dict]:
    """Three AdamW steps of the weighted loss, over two batches of two whose gradients are accumulated."""
    model = make_model().double()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, betas=BETAS, eps=EPS, weight_decay=WEIGHT_DECAY)
    parts = [(collate(rows[:2]), WEIGHTS[:2]), (collate(rows[2:]), WEIGHTS[2:])]
    losses, norms = [], []
    for _ in range(3):
        optimizer.zero_grad()
        sums, total = [], 0.0
        for (batch, targets), weights in parts:
            column = torch.tensor(weights, dtype=torch.float64)[:, None]
            sums.append((token_losses(model, batch, targets["prompt"]) * column).sum())
            total += float((torch.from_numpy(targets["prompt"] != IGNORE) * column).sum())
        loss = sum(sums) / total
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), 1e9)))
        losses.append(float(loss.detach()))
        optimizer.step()
    kept = ("transformer.h.0.ln_1.weight", "transformer.h.1.attn.c_proj.weight", "transformer.ln_f.bias")
    parameters = dict(model.named_parameters())
    return [{"op": "weightedSteps", "name": "weightedSteps/prompt",
             "attributes": {"weights": list(WEIGHTS), "lr": LR, "beta1": BETAS[0], "beta2": BETAS[1], "eps": EPS,
                            "weightDecay": WEIGHT_DECAY},
             "tensors": {"losses": np.array(losses), "gradNorms": np.array(norms),
                         **{f"weight/{name}": parameters[name].detach() for name in kept}}}]


def main(folder: Path) -> None:
    rows = examples()
    assert END not in [token for tokens, _, _ in rows for token in tokens]
    cases = schedule_cases() + accumulate_cases(rows) + weighted_cases(rows) + weighted_step_cases(rows)
    write_golden("training", cases, versions("torch", "transformers", "numpy"), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
