"""Hugging Face's own tokens and templates, for tests that compare: one JSON document in, one out.

    python peer.py tokens FOLDER   FOLDER/tokenizer.json, FOLDER/texts.json -> {ordinary, special, decoded}
    python peer.py auto FOLDER     the same as AutoTokenizer sees it, with tokens before and after
    python peer.py chat FOLDER     FOLDER/chats.json, rendered and tokenized by apply_chat_template
"""

import json
import sys
from pathlib import Path

what, folder = sys.argv[1], Path(sys.argv[2])


def read(name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


if what == "tokens":
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    given = read("texts.json")
    special = [tokenizer.encode(text, add_special_tokens=False).ids for text in given["texts"]]
    tokenizer.encode_special_tokens = True
    ordinary = [tokenizer.encode(text, add_special_tokens=False).ids for text in given["texts"]]
    decoded = [tokenizer.decode(ids, skip_special_tokens=False) for ids in given["ids"]]
    answer = {"ordinary": ordinary, "special": special, "decoded": decoded}
elif what == "auto":
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    answer = {
        "ids": [tokenizer(text).input_ids for text in read("texts.json")["texts"]],
        "eos": tokenizer.eos_token_id,
        "bos": tokenizer.bos_token_id,
        "template": tokenizer.chat_template,
    }
else:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    answer = []
    for chat in read("chats.json"):
        template, messages = chat["template"], chat["messages"]
        shared = {"chat_template": template, "add_generation_prompt": chat.get("prompt", False)}
        encoded = tokenizer.apply_chat_template(
            messages, return_dict=True, return_assistant_tokens_mask=chat.get("marked", False), **shared
        )
        answer.append({
            "text": tokenizer.apply_chat_template(messages, tokenize=False, **shared),
            "ids": encoded["input_ids"],
            "mask": encoded.get("assistant_masks"),
        })
json.dump(answer, sys.stdout)
