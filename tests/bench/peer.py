"""The PyTorch side of the benchmarks: does one thing when asked, and answers how long it took.

    python peer.py make FOLDER SIZE SEED    # a random GPT-2 as Hugging Face writes one
    python peer.py serve                    # answers requests, one JSON document a line

Requests (and answers):
    {"do": "prepare", "case": NAME, ...its options}    -> {"ready": TEXT}, what it is
    {"do": "run"}                                      -> {"seconds": S, ...facts}
Anything wrong is answered {"error": TEXT}. The process ends with its input.
"""

import json
import os
import resource
import sys
import time

import torch

SIZES = {  # width, layers, heads
    "tiny": (64, 2, 2),
    "small": (768, 12, 12),
    "medium": (1024, 24, 16),
}


def make(folder: str, size: str, seed: int) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(seed)
    width, layers, heads = SIZES[size]
    config = GPT2Config(n_embd=width, n_layer=layers, n_head=heads,
                        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    GPT2LMHeadModel(config).save_pretrained(folder)


def load(folder: str):
    from transformers import GPT2LMHeadModel

    return GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32)


class Gemm:
    """One product of two n × n matrices."""

    def __init__(self, n: int, **_):
        torch.manual_seed(1)
        self.n, self.a, self.b = n, torch.randn(n, n), torch.randn(n, n)
        self.out = torch.empty(n, n)

    def run(self) -> dict:
        begin = time.perf_counter()
        torch.matmul(self.a, self.b, out=self.out)
        return {"seconds": time.perf_counter() - begin}


class Step:
    """A training step, each run on the next of the batches: padded tokens, targets, AdamW on all weights."""

    def __init__(self, model: str, batches: list, lr: float, weightDecay: float, **_):
        self.model = load(model).train()
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=lr, weight_decay=weightDecay)
        self.batches = [(torch.tensor(one["tokens"]), torch.tensor(one["targets"])) for one in batches]
        self.steps = 0

    def run(self) -> dict:
        tokens, targets = self.batches[self.steps % len(self.batches)]
        self.steps += 1
        begin = time.perf_counter()
        logits = self.model(tokens).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-100)
        forward = time.perf_counter()
        self.optimizer.zero_grad()
        loss.backward()
        backward = time.perf_counter()
        self.optimizer.step()
        end = time.perf_counter()
        return {"seconds": end - begin, "forward": forward - begin, "backward": backward - forward,
                "optimizer": end - backward, "loss": loss.item(), "tokens": tokens.numel()}


class Generate:
    """Greedy generation with the key-value cache; the ids are answered, so that they can be compared."""

    def __init__(self, model: str, prompt: list, newTokens: int, **_):
        self.model = load(model).eval()
        self.prompt, self.new_tokens = torch.tensor([prompt]), newTokens

    def run(self) -> dict:
        begin = time.perf_counter()
        with torch.inference_mode():
            ids = self.model.generate(
                self.prompt, attention_mask=torch.ones_like(self.prompt), do_sample=False,
                max_new_tokens=self.new_tokens, eos_token_id=None, pad_token_id=50256)
        seconds = time.perf_counter() - begin
        return {"seconds": seconds, "ids": ids[0, self.prompt.shape[1]:].tolist()}


CASES = {"gemm": Gemm, "step": Step, "generate": Generate}


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def serve() -> None:
    # Answers have this descriptor to themselves: what libraries print goes to the error output.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    case = None
    for line in sys.stdin:
        try:
            request = json.loads(line)
            if request.pop("do") == "prepare":
                case = CASES[request.pop("case")](**request)
                answer = {"ready": f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"}
            else:
                answer = {**case.run(), "peakBytes": peak_bytes()}
        except Exception as error:  # the harness shows it and stops
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        serve()
