"""Stems and ROUGE-L scores -> rouge.json.

    pip install rouge_score==0.1.2 nltk==3.10.4
    python tests/golden/rouge.py

Words are put together from syllables and from the suffixes that Porter's rules know, so that every rule and
its exceptions are met; texts from such words, written ones and awkward characters.
"""

import json
import platform
import random
import sys
from importlib.metadata import version
from pathlib import Path

from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer

rng = random.Random(0)
SUFFIXES = (
    "s es ies sses ss eed eedly ed ing y ly ied ying ational tional enci anci izer bli abli alli entli eli ousli ization "
    "ation ator alism iveness fulness ousness aliti iviti biliti fulli logi logies icate ative alize iciti ical ful ness al "
    "ance ence er ic able ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e ll lled ingly edly fully ally ably"
).split()
WORDS = (
    "sky skies dying lying tying news innings inning outings outing cannings canning howe proceed exceed succeed "
    "caresses ponies ties caress cats feed agreed plastered bled motoring sing conflated troubled sized hopping tanned "
    "falling hissing fizzed failing filing happy sky enjoy enjoyed spy flies dies died spied tried try used us using "
    "relational conditional rational valenci digitizer conformabli radicalli differentli vileli vietnamization operator "
    "geology theology archaeology technology analogy apologies yield yyyy syzygy toy boy cry say saying yes year "
    "controll roll rolling probate rate cease generalizations oscillators fully beautifully usually basically abyss "
    "2nd 3rds x86ing 1980s a1ing ied ies eed ing sses aed oing"
).split()


def word() -> str:
    onsets = ["", "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "w", "y", "z", "st", "tr", "bl", "ph"]
    nuclei = ["a", "e", "i", "o", "u", "y", "ea", "io", "oy"]
    codas = ["", "n", "t", "l", "ll", "ss", "zz", "tt", "r", "w", "x", "y", "at", "bl", "iz"]
    stem = "".join(rng.choice(onsets) + rng.choice(nuclei) + rng.choice(codas) for _ in range(rng.randrange(1, 4)))
    return stem + "".join(rng.choice(SUFFIXES) for _ in range(rng.randrange(0, 3)))


words = sorted(set(WORDS) | {word() for _ in range(6000)})
stemmer = PorterStemmer()
stems = [[w, stemmer.stem(w)] for w in words]

PAIRS = [
    ["The cat sat on the mat.", "The cat sat on the mat."],
    ["The cat sat on the mat.", "On the mat the cats were sitting!"],
    ["", "something"],
    ["something", ""],
    ["...", "!?"],
    ["Jane Austen.", "The author of 'Pride and Prejudice' is Jane Austen."],
    ["45 kilometers is 45000 meters.", "45 kilometres are 45,000 metres"],
    ["na\u00efve caf\u00e9 \u212Aelvin", "naive cafe kelvin"],
    ["\u0130stanbul \u03a3\u03a3", "istanbul"],
    ["don't can't", "dont cant"],
    ["under_score and_more", "under score and more"],
    ["Good morning \U0001F31E\n\ttabs", "good morning tabs"],
    ["a b c d e f g", "g f e d c b a"],
]
vocabulary = rng.sample(words, 40) + "the a of is it to and in that".split()
for _ in range(300):
    pair = [" ".join(rng.choice(vocabulary) for _ in range(rng.randrange(0, 25))) for _ in range(2)]
    PAIRS.append([pair[0].capitalize(), pair[1] + rng.choice(["", ".", "!"])])

scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=True)
scores = []
for reference, response in PAIRS:
    score = scorer.score(reference, response)["rougeL"]
    scores.append([reference, response, score.precision, score.recall, score.fmeasure])

golden = {
    "versions": {"python": platform.python_version(), "rouge_score": version("rouge_score"), "nltk": version("nltk")},
    "stems": stems,
    "scores": scores,
}
out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / "rouge.json"
out.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(out, out.stat().st_size, len(stems))
