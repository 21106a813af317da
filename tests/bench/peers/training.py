#!/usr/bin/env python3
"""Training of the default model's shape by weft and by plain PyTorch, in turns, as JSON.

    python tests/bench/peers/training.py --weft build/release/bin/weft [--rounds 3] [--steps 4] [--threads N]

The peer is what one writes with torch.nn and nothing else: Linear, RMSNorm, scaled_dot_product_attention with its causal
flag, cross_entropy, AdamW; the same layers, batch and dtype. weft's step has Muon's products on top. Needs the torch
that `make build` installs; nothing is asserted.
"""

import argparse
import json
import statistics
import subprocess
import time

import torch
from torch import nn
from torch.nn import functional

VOCABULARY, WIDTH, LAYERS, HEADS, KV_HEADS, HEAD, INNER = 8192, 256, 6, 4, 2, 64, 704


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.before, self.after = nn.RMSNorm(WIDTH, 1e-6), nn.RMSNorm(WIDTH, 1e-6)
        self.q_norm, self.k_norm = nn.RMSNorm(HEAD, 1e-6), nn.RMSNorm(HEAD, 1e-6)
        self.q = nn.Linear(WIDTH, HEADS * HEAD, bias=False)
        self.k = nn.Linear(WIDTH, KV_HEADS * HEAD, bias=False)
        self.v = nn.Linear(WIDTH, KV_HEADS * HEAD, bias=False)
        self.o = nn.Linear(HEADS * HEAD, WIDTH, bias=False)
        self.gate, self.up = nn.Linear(WIDTH, INNER, bias=False), nn.Linear(WIDTH, INNER, bias=False)
        self.down = nn.Linear(INNER, WIDTH, bias=False)

    def forward(self, x, cos, sin):
        rows, tokens, _ = x.shape

        def heads(y, count):
            return y.view(rows, tokens, count, HEAD).transpose(1, 2)

        def rotated(y):
            half = HEAD // 2
            return y * cos + torch.cat([-y[..., half:], y[..., :half]], -1) * sin

        normed = self.before(x)
        q, k = rotated(self.q_norm(heads(self.q(normed), HEADS))), rotated(self.k_norm(heads(self.k(normed), KV_HEADS)))
        out = functional.scaled_dot_product_attention(q, k, heads(self.v(normed), KV_HEADS), is_causal=True,
                                                      enable_gqa=True)
        x = x + self.o(out.transpose(1, 2).reshape(rows, tokens, -1))
        normed = self.after(x)
        return x + self.down(functional.silu(self.gate(normed)) * self.up(normed))


class Model(nn.Module):
    def __init__(self, tokens):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.RMSNorm(WIDTH, 1e-6)
        angles = torch.outer(torch.arange(tokens).float(), 10000 ** (-torch.arange(0, HEAD, 2) / HEAD))
        angles = torch.cat([angles, angles], -1)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, ids):
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x, self.cos.to(x.dtype), self.sin.to(x.dtype))
        return functional.linear(self.norm(x), self.embedding.weight)


class Peer:
    def __init__(self, dtype, tokens, rows, batches):
        self.dtype, self.tokens, self.rows, self.batches = dtype, tokens, rows, batches
        self.model = Model(tokens)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-4)

    def step(self):
        for _ in range(self.batches):
            ids = torch.randint(VOCABULARY, (self.rows, self.tokens))
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.dtype == "bf16"):
                logits = self.model(ids)
            functional.cross_entropy(logits[:, :-1].reshape(-1, VOCABULARY).float(), ids[:, 1:].reshape(-1)).backward()
        self.optimizer.step()
        self.optimizer.zero_grad()

    def tokens_per_second(self, steps):
        self.step()  # memory is found, kernels are made
        seconds = []
        for _ in range(steps):
            begun = time.perf_counter()
            self.step()
            seconds.append(time.perf_counter() - begun)
        return self.batches * self.rows * self.tokens / statistics.median(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weft", default="build/release/bin/weft")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--threads", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    command = [arguments.weft, "bench", "training", "--json", "--steps", str(arguments.steps), "--threads",
               str(arguments.threads)]
    peer, rounds = None, []
    for _ in range(arguments.rounds):
        own = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
        peer = peer or Peer(own["dtype"], tokens=512, rows=3, batches=2)
        other = peer.tokens_per_second(arguments.steps)
        rounds.append({"weft": own["tokens_per_second"], "torch": other, "ratio": own["tokens_per_second"] / other,
                       "share": own["share"],
                       "torch_share": other * own["operations_per_token"] / own["matrix_operations_per_second"]})
    medians = {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}
    print(json.dumps({"dtype": own["dtype"], "rounds": rounds, "median": medians}, indent=2))


if __name__ == "__main__":
    main()
