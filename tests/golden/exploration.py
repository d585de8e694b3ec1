"""N-grams and vocabulary of scikit-learn, outliers of NumPy -> exploration.json.

    pip install scikit-learn==1.9.1 numpy==2.4.6
    python tests/golden/exploration.py [FOLDER]

The texts are instructions of data/instructions. Words are runs of letters and digits, as in lib/dataset/word_bags.ts.
"""

import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

ENTRIES = 200
MOST = 12
data = Path(__file__).parents[2] / "data" / "instructions" / "instruction-data.json"
texts = [entry["instruction"] + "\n" + entry["input"] for entry in json.loads(data.read_text())[:ENTRIES]]

ngrams = []
for n in (1, 2, 3):
    counter = CountVectorizer(ngram_range=(n, n), token_pattern=r"[^\W_]+")
    table = counter.fit_transform(texts)
    counts = table.sum(0).A1 if hasattr(table.sum(0), "A1") else np.asarray(table.sum(0)).ravel()
    holders = np.asarray((table > 0).sum(0)).ravel()
    names = counter.get_feature_names_out()
    order = sorted(range(len(names)), key=lambda i: (-counts[i], names[i]))[:MOST]
    ngrams.append([{"words": names[i], "count": int(counts[i]), "texts": int(holders[i])} for i in order])
    if n == 1:
        vocabulary = {"words": int(counts.sum()), "distinct": len(names), "once": int((counts == 1).sum())}

lengths = np.array([len(text) for text in texts] + [400, 3])
first, third = np.percentile(lengths, [25, 75])
low, high = first - 3 * (third - first), third + 3 * (third - first)
golden = {
    "versions": {"python": platform.python_version(), "scikit-learn": version("scikit-learn"), "numpy": version("numpy")},
    "entries": ENTRIES,
    "ngrams": ngrams,
    "vocabulary": vocabulary,
    "outliers": {
        "lengths": lengths.tolist(),
        "fences": [low, high],
        "indices": sorted(np.flatnonzero((lengths < low) | (lengths > high)).tolist()),
    },
}
out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / "exploration.json"
out.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(out, out.stat().st_size)
