"""Makes dpo.*: what TRL's DPOTrainer computes on gpt2_tiny and on llama_family/llama with lora_llama.

    python tests/golden/dpo.py [FOLDER]

The trainer computes its reference's log-probabilities itself: those of the starting weights, or of a copy of the
adapter. README.md tells the layout.
"""

import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "TQDM_DISABLE": "1"}

import datasets
import numpy as np
import torch
from datasets import Dataset
from peft import PeftModel
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast, TrainerCallback
from trl import DPOConfig, DPOTrainer

import gpt2
import llama_family
from common import HERE, Source, versions, write_golden

BETA, LR, STEPS = 0.3, 1e-3, 3
LOSSES = {"sigmoid": 0.0, "hinge": 0.0, "ipo": 0.0, "robust": 0.2}
METRICS = ("rewards/chosen", "rewards/rejected", "rewards/accuracies", "rewards/margins", "logps/chosen", "logps/rejected")


def pairs(name: str, end: int) -> list[dict[str, list[int]]]:
    """Four pairs. The first two share a prompt, the third one's answers begin alike, the last one's rejected is empty."""
    source = Source(f"dpo/{name}/pairs")
    words = lambda count: source.integers(1, end, count).tolist()
    template, shared, begun = words(4), words(3), words(2)
    prompts = [template + shared, template + shared, template + words(5), template + words(2)]
    chosen = [words(3), words(6), begun + words(2), words(4)]
    rejected = [words(5), words(2), begun + words(3), []]
    return [{"prompt_ids": prompt, "chosen_ids": one + [end], "rejected_ids": other + [end]}
            for prompt, one, other in zip(prompts, chosen, rejected)]


def tokenizer(end: int) -> PreTrainedTokenizerFast:
    """A tokenizer that the trainer asks only for its special tokens."""
    vocabulary = {f"t{i}": i for i in range(end + 1)}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel(vocabulary, unk_token="t0")),
                                   eos_token=f"t{end}", pad_token=f"t{end}")


class TokenTrainer(DPOTrainer):
    """The trainer on pairs that are tokens already."""

    def _prepare_dataset(self, dataset, *_):
        return dataset


def make_trainer(model, rows, end: int, folder: str, **options) -> DPOTrainer:
    config = DPOConfig(
        output_dir=folder, beta=BETA, per_device_train_batch_size=len(rows), max_steps=STEPS, learning_rate=LR,
        lr_scheduler_type="constant", weight_decay=0.0, max_grad_norm=1.0, precompute_ref_log_probs=True, use_cpu=True,
        bf16=False, fp16=False, logging_steps=1, report_to=[], save_strategy="no", disable_tqdm=True, disable_dropout=True,
        gradient_checkpointing=False, **options)
    return TokenTrainer(model, args=config, train_dataset=Dataset.from_list(rows), processing_class=tokenizer(end))


class Logged(TrainerCallback):
    """Keeps what the trainer reports of its steps."""

    def __init__(self):
        self.rows = []

    def on_log(self, args, state, control, logs=None, **kwargs):
        if "loss" in logs:
            self.rows.append(dict(logs))


def trained(model, pick) -> dict[str, torch.Tensor]:
    """Tensors of what learns, by names without those of the wrappers."""
    return {name.replace(".default", "").replace("base_model.model.", ""): pick(parameter).detach().clone()
            for name, parameter in model.named_parameters() if parameter.requires_grad}


def make(name: str, make_model, end: int) -> list[dict]:
    rows = pairs(name, end)
    cases = [{"op": "pairs", "name": f"{name}/pairs/{index}", "attributes": {},
              "tensors": {key: np.array(ids, np.int32) for key, ids in row.items()}} for index, row in enumerate(rows)]
    with tempfile.TemporaryDirectory() as folder:
        # Its weights are others, so that no reward is zero.
        reference = make_trainer(make_model(0.02), rows, end, folder)
        batch = reference.data_collator(list(reference.train_dataset))
        tensors = {"chosen": batch["ref_chosen_logps"], "rejected": batch["ref_rejected_logps"]}
        cases.append({"op": "reference", "name": f"{name}/reference", "attributes": {}, "tensors": tensors})
        for loss_type, smoothing in LOSSES.items():
            trainer = make_trainer(make_model(0.0), rows, end, folder, loss_type=[loss_type], label_smoothing=smoothing)
            trainer.model.train().zero_grad()
            loss = trainer.compute_loss(trainer.model, batch)
            loss.backward()
            metrics = {key: np.float32(trainer._metrics["train"][key][-1]) for key in METRICS}
            gradients = {f"grad/{key}": value for key, value in trained(trainer.model, lambda p: p.grad).items()}
            if loss_type != "sigmoid":
                gradients = dict(list(gradients.items())[-2:])
            cases.append({"op": "loss", "name": f"{name}/{loss_type}",
                          "attributes": {"loss": loss_type, "beta": BETA, "labelSmoothing": smoothing},
                          "tensors": {"loss": loss, **metrics, **gradients}})
        trainer = make_trainer(make_model(0.0), rows, end, folder)
        logged = Logged()
        trainer.add_callback(logged)
        trainer.train()
        values = {key: np.array([row[key] for row in logged.rows], np.float32) for key in ("loss", "grad_norm", *METRICS)}
        weights = {f"weight/{key}": value for key, value in trained(trainer.model, lambda p: p).items()}
        attributes = {"beta": BETA, "lr": LR, "steps": STEPS, "maxGradientNorm": 1.0, "weightDecay": 0.0}
        cases.append({"op": "train", "name": f"{name}/train", "attributes": attributes, "tensors": {**values, **weights}})
    return cases


def move(model, name: str, scale: float):
    """The model with its trainable weights moved by seeded numbers."""
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if parameter.requires_grad:
                key = key.replace(".default", "").replace("base_model.model.", "")
                parameter.add_((scale * Source(f"dpo/{name}/{key}").normal(*parameter.shape)).to(parameter.dtype))
    return model


def gpt2_model(scale: float):
    return move(gpt2.make_model(), "gpt2_tiny", scale)


def llama_model(scale: float):
    base = llama_family.make_model("llama")
    model = PeftModel.from_pretrained(base, HERE / "lora_llama", is_trainable=True)
    return move(model, "lora_llama", scale)


def main(folder: Path) -> None:
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    datasets.disable_caching()
    cases = [*make("gpt2_tiny", gpt2_model, gpt2.END), *make("lora_llama", llama_model, llama_family.END)]
    write_golden("dpo", cases, versions("torch", "transformers", "peft", "trl", "numpy"), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
