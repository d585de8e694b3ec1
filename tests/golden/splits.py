"""Stratified splits and balanced class weights of scikit-learn -> splits.json.

    pip install scikit-learn==1.9.1
    python tests/golden/splits.py [FOLDER]

A split's members depend on its generator of random numbers, but how many entries of each class a part gets does not,
except where classes have an equal claim to one more entry. So the least and the greatest number over 200 seeds are kept.
"""

import json
import platform
import random
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.utils.class_weight import compute_class_weight

# classes by their sizes; numbers of entries for train and test, the rest validates
CASES = [
    ([40, 30, 20, 10], (0.8, 0.1)),
    ([37, 11, 23, 5, 2], (0.85, 0.1)),
    ([500, 250, 125, 63, 31, 16, 8, 4, 3], (0.7, 0.2)),
    ([10, 10, 10, 10, 10], (0.75, 0.15)),
    ([100, 2, 2, 2, 2], (0.5, 0.25)),
    ([7, 13, 19, 29], (0.6, 0.3)),
]
SEEDS = 200

rng = random.Random(0)
splits, weights = [], []
for sizes, (train_share, test_share) in CASES:
    labels = [f"class {i}" for i, size in enumerate(sizes) for _ in range(size)]
    rng.shuffle(labels)
    train, test = (int(len(labels) * share + 1e-9) for share in (train_share, test_share))
    splitter = StratifiedShuffleSplit(n_splits=SEEDS, train_size=train, test_size=test, random_state=1)
    classes = sorted(set(labels))
    counts = {"train": [], "test": []}
    for parts in splitter.split(np.zeros(len(labels)), labels):
        for name, part in zip(counts, parts):
            members = [labels[i] for i in part]
            counts[name].append([members.count(one) for one in classes])
    splits.append({
        "labels": labels, "fractions": [train_share, test_share, 1 - train_share - test_share],
        **{name: {"least": np.min(rows, 0).tolist(), "most": np.max(rows, 0).tolist()} for name, rows in counts.items()},
    })
    weights.append(dict(zip(classes, compute_class_weight("balanced", classes=np.array(classes), y=labels).tolist())))

golden = {
    "versions": {"python": platform.python_version(), "scikit-learn": version("scikit-learn")},
    "splits": splits,
    "balancedWeights": weights,
}
out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / "splits.json"
out.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(out, out.stat().st_size)
