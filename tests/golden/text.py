"""tiktoken's tokens for hostile strings -> text.json.

    R50K=r50k_base.tiktoken python tests/golden/text.py     (see tiktoken_gpt2.py)
"""

import json
import platform
import random
import sys
from importlib.metadata import version
from pathlib import Path

import tiktoken_gpt2

encoding = tiktoken_gpt2.load()

WRITTEN = [
    "", " ", "  ", "hello world", "Hello, World!", "\n", "\n\n", "\n\n\n", "\r\n", "a\r\nb", "\t\tx",
    "   leading", "trailing   ", "in   between", " " * 50 + "x", " " * 257, "x" + " " * 1000 + "y",
    "\n" * 30 + "x", " \n \n ", "a" * 3000, "ab" * 700, "=" * 500, "1" * 400, "😀" * 60,
    "don't I'll we've they're I'd it's I'm DON'T I'LL", "'s't're've'm'll'd", "' s", "''''", "’s",
    "<|endoftext|>", "a<|endoftext|>b", "<|endoftext|><|endoftext|>", "<|endoftext", "<|END|>",
    "👩‍👩‍👧‍👦", "🏳️‍🌈 🇩🇪", "e\u0301 é", "n\u0303o", "ﬁ ﬂ", "Ａ１", "½ ² ³ Ⅷ ①",
    "\u00a0\u00a0x", "a\u0085b", "\u0085\u0085", "a\u2028b\u2029c", "\u3000全角", "x\u1680y", "\u180e",
    "\ufeffhello \ufeff x", "\ufeff", "\ufeff\ufeff!", "\u200b\u200d\u2060", "a\u0000b", "\x07\x1b[0m", "\x7f",
    "\ud83d", "x\udc00y", "\udc00\ud83d", "\ud83d\ude00", "a\ud83d b", "\ufffd\ufffe\uffff", "\U0010ffff",
    "Привет, мир", "Ελληνικά", "中文字符测试", "日本語のテキスト", "한국어", "עברית", "العربية", "हिन्दी", "ไทย",
    "{\"a\": [1, 2.5e-3]}", "for (let i = 0; i < 10; i++) {\n    x[i] += 1;\n}\n", "https://example.org/?q=1&r=2#x",
    "### Instruction:\nDo it.\n\n### Response:\n", "12345678901234567890", "3.14159", "1,000,000", "x_y-z.w",
]


def varied(seed: int) -> str:
    """A random string over alphabets that meet at awkward places."""
    rng = random.Random(seed)
    alphabet = (
        list("abcXYZ019 '.,!?-_\n\t\r") + [" ", "  ", "'s", "'ll", "\u00a0", "\u0085", "\ufeff", "\u200d", "\u3000"]
        + ["é", "e\u0301", "ß", "中", "д", "ا", "😀", "👍🏽", "½", "٣", "\u0000", "<|endoftext|>"]
    )
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 60)))


def text_of(case: str) -> str:
    """The case as tiktoken must see it: pairs of surrogates joined, lone ones U+FFFD."""
    return case.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


cases = WRITTEN + [varied(seed) for seed in range(400)]
scraps = [[random.Random(seed).randrange(50257) for _ in range(12)] for seed in range(100)]
golden = {
    "versions": {"python": platform.python_version(), "tiktoken": version("tiktoken")},
    "encode": [
        {
            "text": case,
            "ordinary": encoding.encode_ordinary(text_of(case)),
            "special": encoding.encode(text_of(case), allowed_special="all"),
        }
        for case in cases
    ],
    # random tokens: their bytes seldom make whole characters
    "decode": [{"ids": ids, "text": encoding.decode(ids)} for ids in scraps],
}
out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / "text.json"
out.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(out, out.stat().st_size)
