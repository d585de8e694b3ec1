"""Logits and probabilities after penalties and cuts -> sampling.json.

transformers' RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper and
MinPLogitsWarper, in the order of its generate(). Presence and frequency penalties are those of OpenAI's interface, as vLLM
applies them: once or for each time that the answer, not the prompt, contains the token.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import (
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from common import Source, versions

VOCABULARY = 24
CASES = {
    "repetition": {"repetitionPenalty": 1.3},
    "repetition below one": {"repetitionPenalty": 0.8},
    "presence": {"presencePenalty": 0.7},
    "frequency": {"frequencyPenalty": 0.4},
    "presence, encouraging": {"presencePenalty": -1.5},
    "min-p": {"minP": 0.2},
    "min-p, cold": {"minP": 0.1, "temperature": 0.6},
    "min-p after top-p and top-k": {"minP": 0.05, "topP": 0.9, "topK": 12, "temperature": 1.4},
    "all": {
        "repetitionPenalty": 1.2,
        "presencePenalty": 0.5,
        "frequencyPenalty": 0.25,
        "temperature": 0.8,
        "topK": 15,
        "topP": 0.95,
        "minP": 0.02,
    },
}


def process(logits, prompt, answer, options):
    """The logits after penalties, and the probabilities from which a token is drawn."""
    ids = torch.tensor([prompt + answer])
    scores = logits[None].clone()
    if "repetitionPenalty" in options:
        scores = RepetitionPenaltyLogitsProcessor(options["repetitionPenalty"])(ids, scores)
    counts = torch.bincount(torch.tensor(answer, dtype=torch.long), minlength=VOCABULARY)
    scores = scores - options.get("frequencyPenalty", 0.0) * counts
    scores = scores - options.get("presencePenalty", 0.0) * (counts > 0)
    penalised = scores
    warpers = [
        TemperatureLogitsWarper(float(options.get("temperature", 1.0))),
        *([TopKLogitsWarper(options["topK"])] if "topK" in options else []),
        *([TopPLogitsWarper(options["topP"])] if "topP" in options else []),
        *([MinPLogitsWarper(options["minP"])] if "minP" in options else []),
    ]
    for warper in warpers:
        scores = warper(ids, scores)
    return rounded(penalised[0]), rounded(torch.softmax(scores[0], -1))


def rounded(numbers):
    """Six digits, which all machines agree on."""
    return [float(f"{number:.6g}") for number in numbers.tolist()]


golden = {"versions": versions("torch", "transformers"), "cases": []}
for name, options in CASES.items():
    source = Source(f"sampling/{name}")
    logits = source.normal(VOCABULARY, scale=2.0).to(torch.float32)
    prompt = source.random.integers(0, VOCABULARY, 7).tolist()
    answer = source.random.integers(0, VOCABULARY, 9).tolist()
    penalised, probabilities = process(logits, prompt, answer, options)
    golden["cases"].append(
        {
            "name": name,
            "options": options,
            "logits": logits.tolist(),
            "prompt": prompt,
            "answer": answer,
            "penalised": penalised,
            "probabilities": probabilities,
        }
    )
out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / "sampling.json"
out.write_text(json.dumps(golden) + "\n")
