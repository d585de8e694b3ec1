"""What transformers' generate() makes of generation_config.json: writes a tiny model and continues prompts by each of
FOLDER/cases.json, as {fields, prompt, inConfig}; prints the new tokens of each.

    python generation_config.py FOLDER
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, GenerationConfig, GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()
folder = Path(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(3)
config = GPT2Config(vocab_size=40, n_positions=64, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=1,
                    initializer_range=0.5)
GPT2LMHeadModel(config).save_pretrained(folder)
plain = json.loads((folder / "config.json").read_text())
path = folder / "generation_config.json"
shared = AutoModelForCausalLM.from_pretrained(folder).eval()
answers = []
for case in json.loads((folder / "cases.json").read_text()):
    own, prompt = case["fields"], case["prompt"]
    if case.get("inConfig", False):
        path.unlink(missing_ok=True)
        (folder / "config.json").write_text(json.dumps({**plain, **own}))
        model = AutoModelForCausalLM.from_pretrained(folder).eval()
    else:
        path.write_text(json.dumps(own))
        model = shared
        model.generation_config = GenerationConfig.from_pretrained(folder)
    result = model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), pad_token_id=0,
                            do_sample=False, max_new_tokens=24)
    answers.append(result[0, len(prompt):].tolist())
path.unlink(missing_ok=True)
(folder / "config.json").write_text(json.dumps(plain))
json.dump(answers, sys.stdout)
