"""Scores of 200 pairs of texts by sacrebleu, rouge_score, NLTK and torchmetrics -> metrics.json.

    pip install -r tests/python/requirements.txt
    WNSEARCHDIR=/usr/share/wordnet python tests/golden/metrics.py

METEOR's synonyms come from WordNet 3.0, Debian's wordnet-base; without it the script stops.
"""

import atexit
import json
import os
import platform
import random
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import nltk
import numpy as np
import torch
from nltk.corpus.reader import WordNetCorpusReader
from nltk.tokenize import NLTKWordTokenizer
from nltk.translate.meteor_score import single_meteor_score
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF
from scipy.optimize import linear_sum_assignment
from torchmetrics.functional.text.squad import squad

rng = random.Random(14)

SENTENCES = """Sign in to your account and open the page "My orders".
Choose the order that you want to send back, then click on Return.
1. Open the app.\n2. Tap "Settings".\n3. Change your password, and confirm it.
The parcel weighs 1,250.5 grams (about 2.75 lb) and costs $19.99.
Don't reset the router; it can't remember what you've saved.
We'll refund you within 5-7 working days, won't we?
A customer can cancel at any time -- no fee is charged...
Buy the large automobile, not the big car!
Children ran happily while the doctor started to shut the door.
Wanna know more? Gimme your e-mail: help@example.org, and I'll write.
Größe und Preis: 3,50 € – für „Anfänger“ gedacht.
Le café coûte 2,30 €; « merci » dit-elle.
東京は 大きい です。10:30 に 会いましょう。
naïve résumé façade £5 ½ of the cake ☕ 👍🏽
x < y && y > z || a[0] == {b: 1}
&quot;Quoted&quot; &amp; escaped &lt;tags&gt; <skipped> text-\nwrapped
The answer is 42.
It's the users' fault, the team's plan and James's idea.
Restart the computer. Then install the update. Finally check the version number.
Step 1: Fill in the form.\nStep 2: Send it to the office.""".split("\n")
SENTENCES = [sentence.replace("\\n", "\n") for sentence in SENTENCES]
WORDS = sorted({word for sentence in SENTENCES for word in sentence.split(" ")}) + (
    "car automobile begin start big large quick fast speedily buy purchase kid child shut close physician doctor "
    "happy glad error mistake fix repair show display erase delete picture image help aid begin commence end finish"
).split()


def changed(text: str) -> str:
    """The text with some words left out, put in, exchanged or in other places."""
    words = text.split(" ")
    for _ in range(rng.randrange(0, 6)):
        at = rng.randrange(len(words) + 1)
        kind = rng.random()
        if kind < 0.35:
            words.insert(at, rng.choice(WORDS))
        elif kind < 0.6 and len(words) > 1:
            words.pop(at % len(words))
        elif kind < 0.8 and words:
            words[at % len(words)] = rng.choice(WORDS)
        elif len(words) > 1:
            a, b = rng.randrange(len(words)), rng.randrange(len(words))
            words[a], words[b] = words[b], words[a]
    return rng.choice([" ", " ", " ", " ", "\n"]).join(words)


pairs = [["", ""], ["", "a word"], ["a word", ""], ["the", "a"], ["Yes.", "yes"], [" trimmed ", "trimmed"]]
pairs += [[sentence, sentence] for sentence in SENTENCES[:6]]
while len(pairs) < 200:
    reference = rng.choice(SENTENCES)
    if rng.random() < 0.4:
        reference += " " + rng.choice(SENTENCES)
    pairs.append([reference, changed(reference)])
references = [reference for reference, _ in pairs]
responses = [response for _, response in pairs]


class Reader(WordNetCorpusReader):
    """NLTK's reader without the map to other versions, which it looks up in NLTK's own copy."""

    def map_wn(self, version: str = "wordnet") -> None:
        return None


def wordnet() -> WordNetCorpusReader:
    """NLTK's reader on Debian's files, which lack the one with the names of the lexicographers' files."""
    source = Path(os.environ.get("WNSEARCHDIR", "/usr/share/wordnet"))
    folder = Path(tempfile.mkdtemp(prefix="tunebook-wordnet-"))
    atexit.register(shutil.rmtree, folder)
    for file in source.iterdir():
        shutil.copy(file, folder)
    (folder / "lexnames").write_text("".join(f"{i:02}\tfile{i}\t1\n" for i in range(45)))
    nltk.data.path.append(str(folder))  # NLTK reads from nowhere else
    return Reader(str(folder), None)


class NoSynonyms:
    """A WordNet that is not installed."""

    @staticmethod
    def synsets(_word: str) -> list:
        return []


def tidy(value: float) -> float:
    return round(float(value), 9)


metrics: dict[str, dict] = {}
for tokenizer in ["13a", "intl", "char"]:
    corpus = BLEU(tokenize=tokenizer)
    sentence = BLEU(tokenize=tokenizer, effective_order=True)
    metrics[f"bleu:{tokenizer}"] = {
        "corpus": tidy(corpus.corpus_score(responses, [references]).score),
        "each": [tidy(sentence.sentence_score(b, [a]).score) for a, b in pairs],
        "signature": str(corpus.get_signature()),
    }
for name, order in [("characters", 0), ("words", 2)]:
    chrf = CHRF(word_order=order)
    metrics[f"chrf:{name}"] = {
        "corpus": tidy(chrf.corpus_score(responses, [references]).score),
        "each": [tidy(chrf.sentence_score(b, [a]).score) for a, b in pairs],
        "signature": str(chrf.get_signature()),
    }


def mean(name: str, each: list[float]) -> None:
    metrics[name] = {"corpus": tidy(np.mean(each)), "each": [tidy(one) for one in each]}


for name, stemmed in [("stemmed", True), ("unstemmed", False)]:
    kinds = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    scorer = rouge_scorer.RougeScorer(kinds, use_stemmer=stemmed)
    scores = [scorer.score(a, b) for a, b in pairs]
    for kind in kinds:
        mean(f"{kind}:{name}", [score[kind].fmeasure for score in scores])

split = NLTKWordTokenizer().tokenize
for name, synonyms in [("stems", NoSynonyms), ("synonyms", wordnet())]:
    mean(f"meteor:{name}", [single_meteor_score(split(a), split(b), wordnet=synonyms) for a, b in pairs])

torch.set_default_dtype(torch.float64)
squads = [
    squad({"prediction_text": b, "id": "0"}, {"answers": {"answer_start": [0], "text": [a]}, "id": "0"})
    for a, b in pairs
]
mean("exactMatch:squad", [one["exact_match"] / 100 for one in squads])
mean("f1:squad", [one["f1"] / 100 for one in squads])

# Assignments of greatest weight: what one is worth, since several can be.
assignments = []
for rows, columns in [(1, 1), (1, 4), (3, 2), (4, 4), (5, 3), (6, 6), (7, 9)]:
    weights = [[round(rng.random(), 3) if rng.random() < 0.7 else 0.0 for _ in range(columns)] for _ in range(rows)]
    chosen = linear_sum_assignment(np.array(weights), maximize=True)
    assignments.append({"weights": weights, "worth": tidy(np.array(weights)[chosen].sum())})

packages = ["sacrebleu", "rouge_score", "nltk", "torchmetrics", "scipy"]
golden = {
    "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
    "pairs": pairs,
    "tokens": [split(response) for response in responses[:60]],
    "metrics": metrics,
    "assignments": assignments,
}
out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / "metrics.json"
out.write_text(json.dumps(golden, separators=(",", ":"), ensure_ascii=False) + "\n")
print(out, out.stat().st_size)
