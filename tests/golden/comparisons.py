"""Tests of significance and agreement by sacrebleu, scipy, scikit-learn and statsmodels -> comparisons.json.

    pip install -r tests/python/requirements.txt
    python tests/golden/comparisons.py
"""

import json
import os
import platform
import random
import sys
from importlib.metadata import version
from pathlib import Path

os.environ["SACREBLEU_SEED"] = "12345"

import numpy as np
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest
from scipy.stats import norm, permutation_test, spearmanr
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

rng = random.Random(15)
WORDS = "the a parcel order customer returns sends opens shop page form account then and to of by green late".split()


def sentence() -> list[str]:
    return [rng.choice(WORDS) for _ in range(rng.randrange(4, 12))]


def worse(words: list[str], share: float) -> str:
    return " ".join(rng.choice(WORDS) if rng.random() < share else word for word in words)


systems = []
for share_a, share_b in [(0.4, 0.4), (0.45, 0.36), (0.4, 0.32), (0.6, 0.3)]:
    references = [sentence() for _ in range(40)]
    rows = [[" ".join(words), worse(words, share_a), worse(words, share_b)] for words in references]
    texts, a, b = map(list, zip(*rows, strict=True))
    p = {}
    for name, kind, samples in [("randomization", "ar", 10_000), ("bootstrap", "bs", 2000)]:
        test = PairedTest([("a", a), ("b", b)], {"bleu": BLEU(), "chrf": CHRF()}, [texts], kind, samples)
        p[name] = {key.lower().rstrip("2"): scores[1].p_value for key, scores in test()[1].items() if key != "System"}
    systems.append({"rows": rows, "p": p})

exact = []
for shift in [0.0, 0.4, 1.2]:
    gains = [round(rng.gauss(shift, 1), 3) for _ in range(10)]
    test = permutation_test(
        (np.zeros(10), np.array(gains)), lambda x, y, axis: np.mean(y - x, axis=axis), permutation_type="samples",
        n_resamples=np.inf, vectorized=True,
    )
    exact.append({"gains": gains, "p": float(test.pvalue)})

raters = []
for noise in [0.1, 0.5, 3.0]:
    a = [rng.randrange(1, 6) for _ in range(30)]
    b = [min(5, max(1, round(one + rng.gauss(0, noise)))) for one in a]
    raters.append({"a": a, "b": b, "kappa": float(cohen_kappa_score(a, b)), "spearman": float(spearmanr(a, b)[0])})

tables = [(0, 0), (1, 9), (5, 5), (12, 3), (40, 62), (900, 1000), (0, 7)]
lists = [[0.01, 0.04, 0.03], [0.5], [0.2, 0.2, 0.001, 0.9, 0.04], []]
probabilities = [1e-20, 1e-6, 0.025, 0.2, 0.5, 0.8, 0.9, 0.975, 0.9995]
packages = ["sacrebleu", "scipy", "scikit-learn", "statsmodels", "numpy"]
golden = {
    "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
    "systems": systems,
    "exact": exact,
    "raters": raters,
    "mcnemar": [[a, b, float(mcnemar([[0, a], [b, 0]], exact=True).pvalue)] for a, b in tables],
    "holm": [[ps, [float(p) for p in multipletests(ps, method="holm")[1]] if ps else []] for ps in lists],
    "quantiles": [[p, float(norm.ppf(p))] for p in probabilities],
}
out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / "comparisons.json"
out.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(out, out.stat().st_size)
