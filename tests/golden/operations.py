"""Makes operations.safetensors and operations.json: the small operations' values and gradients, by PyTorch in float64.

    python tests/golden/operations.py [FOLDER]

Elementwise operations and reductions are read from operation_rows.json, which `deno task build` writes from their
declarations in lib/tensor; a new one needs nothing here. The others, and three losses that are written with them, are
below. README.md tells the layout.
"""

import itertools
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

from common import HERE, Source, versions, write_golden

CASES: list[dict] = []

#: Shapes of one, two and three inputs: equal, repeated in every way, without dimensions, and without elements.
SHAPES = {
    1: [((7,),), ((3, 5),), ((),), ((0,),), ((2, 0, 3),), ((33, 3),)],
    2: [
        ((7,), (7,)), ((3, 5), (5,)), ((3, 5), (3, 1)), ((3, 5), ()), ((), (3, 5)), ((3, 1), (1, 5)),
        ((5,), (3, 1)), ((2, 1, 4), (2, 3, 4)), ((2, 3, 1, 2), (3, 5, 1)), ((0, 3), (3,)), ((1,), (0,)),
        ((), ()),
    ],
    3: [
        ((7,), (7,), (7,)), ((3, 5), (5,), ()), ((3, 1), (1, 5), (3, 5)), ((2, 1, 4), (3, 1), (4,)),
        ((0, 3), (3,), ()),
    ],
}


def record(op, name, forward, inputs, constants=None, differentiable=None, **attributes):
    """Records `forward(**inputs, **constants)`, and gradients for a random upstream one."""
    full = f"{op}/{name}"
    wanted = list(inputs) if differentiable is None else differentiable
    leaves = {key: value.clone().requires_grad_(key in wanted) for key, value in inputs.items()}
    output = forward(**leaves, **(constants or {})).to(torch.float64)
    tensors = {**inputs, **(constants or {}), "output": output}
    if wanted and output.requires_grad:
        upstream = Source(full + "/upstream").normal(*output.shape)
        output.backward(upstream)
        tensors["outputGrad"] = upstream
        for key in wanted:
            gradient = leaves[key].grad
            tensors[f"{key}Grad"] = torch.zeros_like(leaves[key]) if gradient is None else gradient
    CASES.append({"op": op, "name": full, "attributes": attributes, "tensors": tensors})


def text(shape):
    return "x".join(map(str, shape)) or "scalar"


def elementwise(row):
    names = row["inputs"]
    compute = eval("lambda " + ", ".join(names) + ": " + row["torch"], {"torch": torch, "F": F})
    for shapes in SHAPES[len(names)]:
        name = "_".join(map(text, shapes))
        source = Source(f"{row['name']}/{name}")
        inputs = {}
        for key, shape in zip(names, shapes):
            low, high = row["domain"].get(key, (-3, 3))
            numbers = torch.from_numpy(source.random.uniform(low, high, shape).astype("float32"))
            inputs[key] = numbers.reshape(shape).to(torch.float64)
            if key == "condition":
                inputs[key] = (inputs[key] > 0).to(torch.float64)
        record(row["name"], name, compute, inputs, differentiable=row["gradients"])
    # Equal operands, whose gradients are a matter of convention, and numbers at the edges: values only.
    special = [float(number) for number in row["special"]] + [1.0, -1.0, 0.5]
    grid = torch.tensor(list(itertools.product(special, repeat=len(names))), dtype=torch.float64)
    inputs = {key: grid[:, i].clone() for i, key in enumerate(names)}
    record(row["name"], "special", compute, inputs, differentiable=[])


def reduction(row):
    compute = eval("lambda x, dim, keepdim: " + row["torch"], {"torch": torch})
    cases = [((5, 7), None), ((5, 7), (0,)), ((5, 7), (1,)), ((2, 3, 4, 5), (1,)), ((2, 3, 4, 5), (0, 2)),
             ((2, 3, 4, 5), (1, 2)), ((70, 3), (0,)), ((3, 70), (1,)), ((1, 1), None), ((4,), (0,))]
    for (shape, axes), keep in itertools.product(cases, (False, True)):
        name = f"{text(shape)}_{'all' if axes is None else '_'.join(map(str, axes))}{'_keep' * keep}"
        dim = tuple(range(len(shape))) if axes is None else axes
        x = Source(f"{row['name']}/{name}").normal(*shape)
        record(row["name"], name, lambda x: compute(x, dim, keep), {"x": x}, axis=axes, keepDims=keep)
    # Several equal extremes share the gradient.
    ties = torch.tensor([[1, 3, 3, 0], [2, 2, 2, 2]], dtype=torch.float64)
    record(row["name"], "ties", lambda x: compute(x, (1,), False), {"x": ties}, axis=[1], keepDims=False)
    edges = torch.tensor([[1, float("nan"), 2], [float("inf"), 0, 1], [-float("inf"), 0, 1]], dtype=torch.float64)
    record(row["name"], "special", lambda x: compute(x, (1,), False), {"x": edges}, differentiable=[],
           axis=[1], keepDims=False)
    if row["empty"]:
        record(row["name"], "special_empty", lambda x: compute(x, (0,), False), {"x": torch.zeros(0, 3).double()},
               differentiable=[], axis=[0], keepDims=False)


def others():
    def unary(op, name, shape, forward, **attributes):
        record(op, name, forward, {"x": Source(f"{op}/{name}").normal(*shape, scale=2)}, **attributes)

    for shape, axis in [((3, 5), -1), ((3, 5), 0), ((2, 3, 4), 1), ((1,), 0), ((2, 300), 1)]:
        name = f"{text(shape)}_{axis}"
        unary("softmax", name, shape, lambda x: torch.softmax(x, axis), axis=axis)
        unary("log_softmax", name, shape, lambda x: torch.log_softmax(x, axis), axis=axis)
        unary("cumulative_sum", name, shape, lambda x: torch.cumsum(x, axis), axis=axis)
        unary("argmax", name, shape, lambda x: torch.argmax(x.detach(), axis), axis=axis)
        unary("variance", name, shape, lambda x: torch.var(x, axis, correction=0), axis=axis, correction=0)
    unary("variance", "sample", (3, 5), lambda x: torch.var(x, (0, 1), correction=1), axis=[0, 1], correction=1)
    big = {"x": torch.tensor([[1000.0, 0, -1000], [5, 5, 5]], dtype=torch.float64)}
    record("softmax", "large", lambda x: torch.softmax(x, -1), big, axis=-1)
    record("log_softmax", "large", lambda x: torch.log_softmax(x, -1), big, axis=-1)

    unary("reshape", "3x4", (3, 4), lambda x: x.reshape(2, 6), to=[2, -1])
    for axes in [(1, 0, 2), (2, 0, 1), (0, 1, 2), (2, 1, 0)]:
        unary("permute", "".join(map(str, axes)), (2, 3, 4), lambda x: x.permute(axes), axes=axes)
    unary("transpose", "2x3x4", (2, 3, 4), lambda x: x.mT)
    unary("broadcast_to", "3x1", (3, 1), lambda x: x.expand(2, 3, 4), to=[2, 3, 4])
    unary("slice", "rows", (5, 4), lambda x: x[1:4], ranges=[[1, 4]])
    unary("slice", "index", (5, 4), lambda x: x[-2], ranges=[-2])
    unary("slice", "columns", (5, 4), lambda x: x[:, 1:-1], ranges=[[], [1, -1]])
    unary("slice", "steps", (5, 4, 3), lambda x: x[::2, 3, 1:], ranges=[[0, 5, 2], 3, [1]])
    unary("slice", "nothing", (5, 4), lambda x: x[3:2], ranges=[[3, 2]])
    for axis in (0, 1):
        source = Source(f"concat/{axis}")
        parts = {"a": source.normal(3, 2), "b": source.normal(3, 2), "c": source.normal(3, 2)}
        record("concat", f"axis{axis}", lambda a, b, c: torch.cat([a, b, c], axis), parts, axis=axis)
        record("stack", f"axis{axis}", lambda a, b, c: torch.stack([a, b, c], axis), parts, axis=axis)
    for shape, axis, count in [((4, 5), 1, 3), ((4, 5), 0, 6), ((2, 3, 4), 1, 2)]:
        name = f"{text(shape)}_{axis}"
        source = Source("gather/" + name)
        size = [*shape]
        size[axis] = count
        total = torch.Size(size).numel()
        index = torch.from_numpy(source.integers(0, shape[axis], total)).reshape(size)
        record("gather", name, lambda x, index: torch.gather(x, axis, index.long()), {"x": source.normal(*shape)},
               {"index": index}, axis=axis)
    ids = torch.tensor([[2, 0], [1, 2]], dtype=torch.int32)
    record("one_hot", "2x2", lambda index: F.one_hot(index.long(), 4), {}, {"index": ids}, classes=4)
    for a, b in [((2, 3, 4), (2, 4, 5)), ((2, 1, 3, 4), (3, 4, 2)), ((3, 4), (2, 4, 5)), ((4,), (4, 3)), ((3, 4), (4,)),
                 ((4,), (2, 4, 3)), ((2, 3, 4), (4,)), ((2, 3, 4), (4, 5)), ((5, 20, 30), (5, 30, 10))]:
        name = f"{text(a)}_{text(b)}"
        source = Source("batched_matmul/" + name)
        record("batched_matmul", name, lambda a, b: a @ b, {"a": source.normal(*a), "b": source.normal(*b)},
               transposeA=False, transposeB=False)
    for ta, tb in [(True, False), (False, True), (True, True)]:
        name = f"ta{int(ta)}_tb{int(tb)}"
        source = Source("batched_matmul/" + name)
        a, b = source.normal(*((2, 4, 3) if ta else (2, 3, 4))), source.normal(*((5, 4) if tb else (4, 5)))
        b = torch.stack([b, b + 1])
        record("batched_matmul", name, lambda a, b: (a.mT if ta else a) @ (b.mT if tb else b), {"a": a, "b": b},
               transposeA=ta, transposeB=tb)


def losses():
    """Losses that readers write from the small operations."""
    source = Source("losses")
    logits = source.normal(6, 11, scale=3)
    targets = torch.from_numpy(source.integers(0, 11, 6))
    record("label_smoothing", "6x11", lambda logits, targets: F.cross_entropy(
        logits, targets.long(), label_smoothing=0.1), {"logits": logits}, {"targets": targets}, smoothing=0.1)

    student, teacher, temperature = source.normal(6, 11, scale=3), source.normal(6, 11, scale=3), 2.0
    record("distillation", "6x11", lambda student, teacher: temperature**2 * F.kl_div(
        F.log_softmax(student / temperature, -1), F.softmax(teacher / temperature, -1), reduction="batchmean"),
        {"student": student}, {"teacher": teacher}, temperature=temperature)

    # DPO (Rafailov et al., 2023): two answers to each of four prompts, seven tokens each, some of them masked.
    shape, beta = (4, 7, 11), 0.1
    chosen, rejected = source.normal(*shape), source.normal(*shape)
    reference = {"chosenReference": source.normal(4), "rejectedReference": source.normal(4)}
    tokens = {key: torch.from_numpy(source.integers(0, 11, 28)).reshape(4, 7)
              for key in ("chosenTokens", "rejectedTokens")}
    mask = torch.from_numpy(source.integers(0, 2, 28)).reshape(4, 7)

    def dpo(chosen, rejected, chosenReference, rejectedReference, chosenTokens, rejectedTokens, mask):
        def score(logits, ids):
            picked = F.log_softmax(logits, -1).gather(-1, ids.long().unsqueeze(-1)).squeeze(-1)
            return (picked * mask).sum(-1)

        margin = score(chosen, chosenTokens) - chosenReference - (score(rejected, rejectedTokens) - rejectedReference)
        return -F.logsigmoid(beta * margin).mean()

    record("dpo", "4x7x11", dpo, {"chosen": chosen, "rejected": rejected}, {**reference, **tokens, "mask": mask},
           beta=beta)


def main():
    rows = json.loads((HERE / "operation_rows.json").read_text())
    for row in rows["elementwise"]:
        elementwise(row)
    for row in rows["reductions"]:
        reduction(row)
    others()
    losses()
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    write_golden("operations", CASES, versions("torch", "numpy"), folder)


if __name__ == "__main__":
    main()
