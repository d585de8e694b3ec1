"""Similarities of prompts to a domain by scikit-learn -> domain.json.

    pip install scikit-learn==1.9.1
    python tests/golden/domain.py [FOLDER]

The vocabulary has the n-grams of the prompts too, so that those that no text of the domain has count in a prompt's length.
Weights are fitted on the texts of the domain alone; for a text of the domain, on the others alone.
"""

import json
import platform
import re
import sys
import unicodedata
from importlib.metadata import version
from pathlib import Path

from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

HERE = Path(__file__).parent
SHOP = HERE.parent.parent / "data" / "shop"

prompts = [json.loads(line)["prompt"] for line in (SHOP / "shop.jsonl").read_text().splitlines()]
texts = prompts[::4]
asked = [one["prompt"] for one in json.loads((SHOP / "test-prompts.json").read_text())]
asked += ["Crème brûlée?", "Wo ist mein Paket?", "a", "where's my ORDER!!"]


def plain(text: str) -> str:
    text = unicodedata.normalize("NFKD", text).lower()
    text = "".join(one for one in text if unicodedata.category(one)[0] != "M" and one not in "'’")
    return re.sub(r"[\W_]+", " ", text).strip()


counter = CountVectorizer(analyzer="char_wb", ngram_range=(3, 5), lowercase=False)
counts = counter.fit_transform([plain(text) for text in texts + asked])
domain, others = counts[: len(texts)], counts[len(texts) :]


def similarities(weights_from, rows, to):
    tfidf = TfidfTransformer(sublinear_tf=True).fit(weights_from)
    return (tfidf.transform(rows) @ tfidf.transform(to).T).max(axis=1).toarray().ravel().tolist()


# A text that is left out is compared with vectors of weights that were fitted with it: only its own change.
def left_out(i):
    keep = [j for j in range(len(texts)) if j != i]
    own = TfidfTransformer(sublinear_tf=True).fit(domain[keep]).transform(domain[[i]])
    rest = TfidfTransformer(sublinear_tf=True).fit(domain).transform(domain[keep])
    return float((own @ rest.T).max())


golden = {
    "versions": {"python": platform.python_version(), "scikit-learn": version("scikit-learn")},
    "texts": texts,
    "prompts": asked,
    "similarities": similarities(domain, others, domain),
    "leftOut": [left_out(i) for i in range(len(texts))],
}
out = Path(sys.argv[1] if len(sys.argv) > 1 else HERE) / "domain.json"
out.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")
print(out, out.stat().st_size)
