"""The PyTorch side of the benchmarks: does one thing when asked, and answers how long it took.

    python peer.py make FOLDER SIZE SEED    # a random GPT-2, or TinyLlama, as Hugging Face writes one
    python peer.py intel                    # whether MKL asks the preloaded library of weights.ts
    python peer.py serve                    # answers requests, one JSON document a line

Requests (and answers):
    {"do": "prepare", "case": NAME, ...its options}    -> {"ready": TEXT}, what it is
    {"do": "run"}                                      -> {"seconds": S, ...facts}
Anything wrong is answered {"error": TEXT}. The process ends with its input.
"""

import ctypes
import json
import os
import re
import resource
import sys
import time
from importlib import metadata

import torch

SIZES = {  # width, layers, heads
    "tiny": (64, 2, 2),
    "small": (768, 12, 12),
    "medium": (1024, 24, 16),
}


def make(folder: str, size: str, seed: int) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    if size == "tinyllama":
        config = LlamaConfig(hidden_size=2048, intermediate_size=5632, num_hidden_layers=22,
                             num_attention_heads=32, num_key_value_heads=4)
        LlamaForCausalLM(config).bfloat16().save_pretrained(folder)
        return
    width, layers, heads = SIZES[size]
    config = GPT2Config(n_embd=width, n_layer=layers, n_head=heads,
                        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    GPT2LMHeadModel(config).save_pretrained(folder)


def asks_for_intel() -> bool:
    torch.ones(64, 64) @ torch.ones(64, 64)
    asked = getattr(ctypes.CDLL(None), "tunebook_asked", None)
    return asked is not None and asked() > 0


def place(device: str) -> str:
    """Where to compute where our side uses `device`: a GPU of any kind for "webgpu"."""
    if device == "webgpu" and torch.cuda.is_available():
        return "cuda"
    if device == "webgpu" and torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def finish(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def load(folder: str, device: str, rank: int | None = None, quantize: str | None = None, compute: str = "float32"):
    """A model in float32, with PEFT's LoRA of a rank, on weights that bitsandbytes packs and widens to a type."""
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    packing = {}
    if quantize:
        packing["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=quantize == "nf4_double",
            bnb_4bit_compute_dtype=getattr(torch, compute))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **packing)
    model = model if quantize else model.to(device)
    if rank is None:
        return model
    from peft import LoraConfig, get_peft_model

    return get_peft_model(model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear"))


class Matmul:
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
    """A training step, each run on the next of the batches: padded tokens, targets, AdamW on all weights that learn."""

    def __init__(self, model: str, batches: list, lr: float, weightDecay: float, device: str, rank: int | None = None,
                 quantize: str | None = None, autocast: bool = False, compiled: bool = False, **_):
        self.device = place(device)
        self.model = load(model, self.device, rank, quantize, "bfloat16" if autocast else "float32").train()
        self.autocast = autocast
        learning = [weight for weight in self.model.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.AdamW(learning, lr=lr, weight_decay=weightDecay)
        self.forward = torch.compile(self.model, dynamic=True) if compiled else self.model
        self.batches = [tuple(torch.tensor(one[name], device=self.device) for name in ("tokens", "targets"))
                        for one in batches]
        self.steps = 0

    def run(self) -> dict:
        tokens, targets = self.batches[self.steps % len(self.batches)]
        self.steps += 1
        begin = time.perf_counter()
        with torch.autocast(self.device, torch.bfloat16, enabled=self.autocast):
            logits = self.forward(tokens).logits
        loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), ignore_index=-100)
        forward = time.perf_counter()
        self.optimizer.zero_grad()
        loss.backward()
        backward = time.perf_counter()
        self.optimizer.step()
        finish(self.device)
        end = time.perf_counter()
        return {"seconds": end - begin, "forward": forward - begin, "backward": backward - forward,
                "optimizer": end - backward, "loss": loss.item(), "tokens": tokens.numel()}


class Answers:
    """Greedy answers with the key-value cache: all prompts together, padded on the left, or one by one."""

    def __init__(self, model: str, prompts: list, newTokens: int, eosId: int, device: str, together: bool = False, **_):
        self.device = place(device)
        self.model = load(model, self.device).eval()
        self.eos, self.new_tokens = eosId, newTokens
        self.batches = [prompts] if together else [[prompt] for prompt in prompts]
        self.answer(prompts[:1], 2)

    def answer(self, prompts: list, new_tokens: int) -> list:
        longest = max(map(len, prompts))
        missing = [longest - len(prompt) for prompt in prompts]
        tokens = torch.tensor([[self.eos] * n + prompt for n, prompt in zip(missing, prompts)], device=self.device)
        mask = torch.tensor([[0] * n + [1] * (longest - n) for n in missing], device=self.device)
        with torch.inference_mode():
            ids = self.model.generate(
                tokens, attention_mask=mask, do_sample=False, max_new_tokens=new_tokens,
                eos_token_id=self.eos, pad_token_id=self.eos)
        answers = ids[:, longest:].tolist()
        return [answer[:answer.index(self.eos)] if self.eos in answer else answer for answer in answers]

    def run(self) -> dict:
        begin = time.perf_counter()
        ids = [answer for prompts in self.batches for answer in self.answer(prompts, self.new_tokens)]
        return {"seconds": time.perf_counter() - begin, "ids": ids}


class Encode:
    """Encoding texts, on as many threads as TOKENIZERS_PARALLELISM lets it."""

    def __init__(self, tokenizerFile: str, texts: str, **_):
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(tokenizerFile)
        with open(texts, encoding="utf-8") as file:
            self.texts = json.load(file)

    def run(self) -> dict:
        begin = time.perf_counter()
        tokens = sum(len(one.ids) for one in self.tokenizer.encode_batch(self.texts))
        return {"seconds": time.perf_counter() - begin, "tokens": tokens}


CASES = {"matmul": Matmul, "step": Step, "answers": Answers, "encode": Encode}


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def describe_cpu() -> str:
    """What decides PyTorch's speed on the processor."""
    blas = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    kernels = torch.backends.cpu.get_cpu_capability()
    return f"{torch.get_num_threads()} threads ({blas[1] if blas else 'no BLAS'}, {kernels})"


def describe(case) -> str:
    if isinstance(case, Encode):
        return f"tokenizers {metadata.version('tokenizers')}"
    where = getattr(case, "device", "cpu")
    return f"PyTorch {torch.__version__}, {describe_cpu() if where == 'cpu' else where}"


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
                answer = {"ready": describe(case)}
            else:
                answer = {**case.run(), "peakBytes": peak_bytes()}
        except Exception as error:  # the harness shows it and stops
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    elif sys.argv[1] == "intel":
        print(asks_for_intel())
    else:
        serve()
