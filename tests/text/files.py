"""What transformers and sentencepiece read of tokenizers' files, for files_test.ts: one JSON document out.

    python files.py auto FOLDER           each subfolder as transformers reads it, on FOLDER/texts.json
    python files.py sentencepiece FOLDER  trains FOLDER/NAME/tokenizer.model of each kind; its tokens of FOLDER/texts.json
"""

import json
import sys
from pathlib import Path

what, folder = sys.argv[1], Path(sys.argv[2])
texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
answer = {}
if what == "auto":
    from transformers import GPT2Tokenizer, PreTrainedTokenizerFast, Qwen2Tokenizer

    for one in sorted(path for path in folder.iterdir() if path.is_dir()):
        kind = {"gpt2": GPT2Tokenizer, "qwen2": Qwen2Tokenizer}.get(one.name.split()[0], PreTrainedTokenizerFast)
        tokenizer = kind.from_pretrained(one)
        answer[one.name] = {
            "count": len(tokenizer),
            "added": [[i, token.content, token.special, token.lstrip, token.rstrip, token.normalized]
                      for i, token in sorted(tokenizer.added_tokens_decoder.items())],
            "roles": tokenizer.special_tokens_map,
            "begins": tokenizer("").input_ids,
            "ids": [tokenizer(text, add_special_tokens=False).input_ids for text in texts],
        }
else:
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    def unigram(path):
        """The crate's, which adds scores as float64, so that of nearly equal ways it takes others than sentencepiece."""
        proto = sentencepiece_model_pb2.ModelProto()
        proto.ParseFromString(path.read_bytes())
        vocab = [(piece.piece, piece.score) for piece in proto.pieces]
        model = models.Unigram(vocab, proto.trainer_spec.unk_id, byte_fallback=proto.trainer_spec.byte_fallback)
        tokenizer = Tokenizer(model)
        rules = []
        if proto.normalizer_spec.precompiled_charsmap:
            rules.append(normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap))
        if proto.normalizer_spec.remove_extra_whitespaces:
            rules += [normalizers.Replace(Regex("^ +| +$"), ""), normalizers.Replace(Regex(" {2,}"), " ")]
        tokenizer.normalizer = normalizers.Sequence(rules)
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
        return tokenizer

    corpus = folder / "corpus.txt"
    lines = [line for text in texts for line in text.split("\n") if line.strip() and "\0" not in line]
    corpus.write_text("\n".join(lines * 3), encoding="utf-8")
    shared = dict(input=str(corpus), minloglevel=2, hard_vocab_limit=False, character_coverage=0.98)
    llama = dict(model_type="bpe", byte_fallback=True, normalization_rule_name="identity",
                 remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, split_digits=True)
    kinds = {
        "unigram": dict(model_type="unigram", vocab_size=300),
        "unigram_bytes": dict(model_type="unigram", vocab_size=600, byte_fallback=True,
                              normalization_rule_name="identity", remove_extra_whitespaces=False),
        "llama": dict(vocab_size=700, user_defined_symbols=["<|tool|>"], control_symbols=["<|turn|>"], **llama),
        "gemma": dict(vocab_size=700, add_dummy_prefix=False, pad_id=0, eos_id=1, bos_id=2, unk_id=3, **llama),
    }
    for name, options in kinds.items():
        (folder / name).mkdir()
        sentencepiece.SentencePieceTrainer.train(model_prefix=str(folder / name / "tokenizer"), **shared, **options)
        model = sentencepiece.SentencePieceProcessor(str(folder / name / "tokenizer.model"))
        if options["model_type"] == "unigram":
            crate = unigram(folder / name / "tokenizer.model")
            ids = [crate.encode(text, add_special_tokens=False).ids for text in texts]
        else:
            ids = [model.encode(text) for text in texts]
        answer[name] = {"count": model.get_piece_size(), "ids": ids,
                        "special": [model.bos_id(), model.eos_id(), model.unk_id(), model.pad_id()]}
json.dump(answer, sys.stdout)
