"""Loads a state dict into each of two classes of PyTorch, and each into TorchScript as docs/exports.md does, and prints the
logits of some tokens; state_dict_test.ts calls it.

GPTModel has the modules and names of chapter 7 of "Build a Large Language Model (From Scratch)"; the code is ours.
"""

import json
import sys

import torch
from torch import nn
from transformers import AutoConfig, GPT2LMHeadModel


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return nn.functional.layer_norm(x, x.shape[-1:], self.scale, self.shift, 1e-5)


class Attention(nn.Module):
    def __init__(self, width, context, heads):
        super().__init__()
        self.heads = heads
        self.W_query, self.W_key, self.W_value = (nn.Linear(width, width) for _ in range(3))
        self.out_proj = nn.Linear(width, width)
        self.register_buffer("mask", torch.triu(torch.ones(context, context), diagonal=1))

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (
            layer(x).view(batch, length, self.heads, -1).transpose(1, 2)
            for layer in (self.W_query, self.W_key, self.W_value)
        )
        scores = q @ k.transpose(2, 3)
        scores = scores.masked_fill(self.mask.bool()[:length, :length], -torch.inf)
        weights = torch.softmax(scores / k.shape[-1] ** 0.5, dim=-1)
        return self.out_proj((weights @ v).transpose(1, 2).reshape(batch, length, width))


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        return self.layers(x)


class Block(nn.Module):
    def __init__(self, width, context, heads):
        super().__init__()
        self.att = Attention(width, context, heads)
        self.ff = FeedForward(width)
        self.norm1, self.norm2 = Norm(width), Norm(width)

    def forward(self, x):
        x = x + self.att(self.norm1(x))
        return x + self.ff(self.norm2(x))


class GPTModel(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, context = config.n_embd, config.n_positions
        self.tok_emb = nn.Embedding(config.vocab_size, width)
        self.pos_emb = nn.Embedding(context, width)
        self.trf_blocks = nn.Sequential(*(Block(width, context, config.n_head) for _ in range(config.n_layer)))
        self.final_norm = Norm(width)
        self.out_head = nn.Linear(width, config.vocab_size, bias=False)

    def forward(self, tokens):
        x = self.tok_emb(tokens) + self.pos_emb(torch.arange(tokens.shape[1]))
        return self.out_head(self.final_norm(self.trf_blocks(x)))


class Logits(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, tokens):
        return self.model(tokens, use_cache=False).logits


folder, tokens, *files = sys.argv[1:]
tokens = torch.tensor([json.loads(tokens)])
config = AutoConfig.from_pretrained(folder, attn_implementation="eager")
results = []
for path, model in zip(files, [GPT2LMHeadModel(config), GPTModel(config)]):
    model.load_state_dict(torch.load(path, weights_only=True), strict=True)
    model.eval()
    whole = Logits(model) if isinstance(model, GPT2LMHeadModel) else model
    with torch.no_grad():
        logits = whole(tokens)
        torch.jit.save(torch.jit.trace(whole, tokens[:, :2]), path + ".pt")
        scripted = torch.jit.load(path + ".pt")(tokens)
    torch.save(model.state_dict(), path + ".again")
    results.append(
        {
            "logits": logits.flatten().tolist(),
            "scripted": scripted.flatten().tolist(),
            "again": path + ".again",
        }
    )
print(json.dumps(results))
