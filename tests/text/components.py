"""What the crate tokenizers does with components, for components_test.ts: one JSON document in, one out.

    python components.py FILE   {normalizers, preTokenizers, decoders, models, texts, tokens} -> the same, with results

A component is as in tokenizer.json; a result is null where the crate refuses.
"""

import json
import sys

from tokenizers import Tokenizer

given = json.load(open(sys.argv[1], encoding="utf-8"))
EMPTY = {"type": "BPE", "vocab": {}, "merges": []}


def made(**parts):
    whole = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
             "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": EMPTY, **parts}
    return Tokenizer.from_str(json.dumps(whole))


def attempt(call, value):
    try:
        return call(value)
    except Exception:  # whatever the crate refuses, it refuses
        return None


def each(components, texts, call):
    return [[attempt(lambda text: call(component, text), text) for text in texts] for component in components]


def normalizer(component, text):
    return made(normalizer=component).normalizer.normalize_str(text)


def pieces(component, text):
    return [piece for piece, _ in made(pre_tokenizer=component).pre_tokenizer.pre_tokenize_str(text)]


def joined(component, tokens):
    return made(decoder=component).decoder.decode(tokens)


models = [made(model=model, pre_tokenizer=cut) for model, cut in given["models"]]
json.dump({
    "normalizers": each(given["normalizers"], given["texts"], normalizer),
    "preTokenizers": each(given["preTokenizers"], given["texts"], pieces),
    "decoders": each(given["decoders"], given["tokens"], joined),
    "models": [[attempt(lambda text: model.encode(text).ids, text) for text in given["texts"]] for model in models],
}, sys.stdout)
