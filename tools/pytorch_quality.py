#!/usr/bin/env python3
"""Trains a peer of rune's in PyTorch on a text for some minutes and measures it on the last tenth.

usage: pytorch_quality.py nanogpt|anna TEXT --minutes M [--steps N] [--seed N]
       pytorch_quality.py --check

nanogpt  nanoGPT's published recipe for a CPU, restated: a transformer of 4 layers, 4 heads and 128 units without biases or dropout,
         blocks of 64 characters, 12 random ones in a batch; AdamW (0.9, 0.99) with weight decay 0.1 on matrices; the learning rate
         rises over 100 batches to 1e-3 and falls along a cosine to 1e-4, published over 2,000 batches, here over the minutes (or over
         --steps); gradients no longer than 1.
anna     system A: LSTM 2 x 512, dropout 0.5, 128 streams x 100, Adam at 1e-3, gradients no longer than 5; stopped after the minutes.

At ten moments the model is measured on random windows, while the clock stands still; the best one is kept, as nanoGPT does. Prints one
line of JSON with its losses on the validation part, in nats per character:

  random:64    nanoGPT's estimate: 200 batches of 12 windows of 64 characters, drawn at random
  windows:64   rune's protocol: all windows of 64 side by side, without a past, every character but the first counted
  windows:256  the same of 256; of what can read that far
  stream       one state over the whole text; of what has a state
"""

import argparse
import copy
import json
import math
import sys
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from pytorch_systems import Alphabet, anna_network, detached, equal_rows, evaluating, loss_of, ninety_ten, products_are_right, \
    read_text, update

BLOCK = 64
BATCH = 12
MOMENTS = 10


# ---- nanoGPT's model -------------------------------------------------------------------------------------------------


class Attention(nn.Module):
    """Every position looks at itself and those before it."""

    def __init__(self, units, heads):
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(units, 3 * units, bias=False)
        self.project = nn.Linear(units, units, bias=False)
        self.register_buffer("future", torch.ones(BLOCK, BLOCK, dtype=torch.bool).triu(1))

    def forward(self, x):
        batch, steps, units = x.shape
        query, key, value = (part.view(batch, steps, self.heads, -1).transpose(1, 2)
                             for part in self.query_key_value(x).chunk(3, dim=2))
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
        weights = F.softmax(scores.masked_fill(self.future[:steps, :steps], -math.inf), dim=3)
        return self.project((weights @ value).transpose(1, 2).reshape(batch, steps, units))


class Norm(nn.Module):
    """Layer normalisation without a bias."""

    def __init__(self, units):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(units))

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape, self.weight)


class Block(nn.Module):
    def __init__(self, units, heads):
        super().__init__()
        self.first_norm, self.attention = Norm(units), Attention(units, heads)
        self.second_norm = Norm(units)
        self.expand, self.project = nn.Linear(units, 4 * units, bias=False), nn.Linear(4 * units, units, bias=False)

    def forward(self, x):
        x = x + self.attention(self.first_norm(x))
        return x + self.project(F.gelu(self.expand(self.second_norm(x))))


class Transformer(nn.Module):
    """Characters (B,T), T <= 64 -> logits (B,T,V). The projection is the embedding's matrix."""

    def __init__(self, vocabulary, layers=4, heads=4, units=128):
        super().__init__()
        self.characters, self.positions = nn.Embedding(vocabulary, units), nn.Embedding(BLOCK, units)
        self.blocks = nn.Sequential(*(Block(units, heads) for _ in range(layers)))
        self.norm = Norm(units)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:  # what adds to the residual stream starts smaller
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * layers) if "project" in name else 0.02)

    def forward(self, characters):
        x = self.characters(characters) + self.positions(torch.arange(characters.shape[1]))
        return F.linear(self.norm(self.blocks(x)), self.characters.weight)


# ---- the clock, and what is measured ---------------------------------------------------------------------------------


class Clock:
    """How much of a training is over: of its seconds, or of its steps where they are given. It stands while it is paused."""

    def __init__(self, minutes, steps):
        self.seconds_to_go, self.steps_to_go = minutes * 60, steps
        self.steps, self.seconds = 0, 0.0
        self.resume()

    def resume(self):
        self.since = time.perf_counter()

    def pause(self):
        self.seconds += time.perf_counter() - self.since

    def fraction(self):
        if self.steps_to_go:
            return self.steps / self.steps_to_go
        return (self.seconds + time.perf_counter() - self.since) / self.seconds_to_go


def random_blocks(data, generator):
    """Inputs and targets (B,T)."""
    starts = torch.randint(len(data) - BLOCK, (BATCH,), generator=generator)
    windows = data[starts[:, None] + torch.arange(BLOCK + 1)]
    return windows[:, :-1], windows[:, 1:]


def random_loss(logits_of, data, batches, seed=1):
    generator = torch.Generator().manual_seed(seed)
    losses = []
    for _ in range(batches):
        inputs, targets = random_blocks(data, generator)
        losses.append(loss_of(logits_of(inputs), targets).item())
    return sum(losses) / len(losses)


def windows_loss(logits_of, data, size, at_once=64):
    """All windows side by side, none with a past; the last one may be shorter. Every character but the first is counted."""
    inputs, targets = data[:-1], data[1:]
    whole = len(inputs) // size * size
    total = 0.0
    for x, y in zip(inputs[:whole].view(-1, size).split(at_once), targets[:whole].view(-1, size).split(at_once)):
        total += loss_of(logits_of(x), y, reduction="sum").item()
    if whole < len(inputs):
        total += loss_of(logits_of(inputs[None, whole:]), targets[None, whole:], reduction="sum").item()
    return total / len(inputs)


def train(model, clock, learn, logits_of, validation):
    """learn() makes one step. -> the best state, by random windows at ten moments, and its loss."""
    best, best_loss, moment = None, math.inf, 1
    while True:
        fraction = clock.fraction()
        if fraction >= moment / MOMENTS:
            clock.pause()
            with evaluating(model):
                loss = random_loss(logits_of, validation, 20)
            print(f"step {clock.steps}, {clock.seconds:.0f} s: validation loss {loss:.4f}", file=sys.stderr, flush=True)
            if loss < best_loss:
                best, best_loss = copy.deepcopy(model.state_dict()), loss
            while fraction >= moment / MOMENTS:
                moment += 1
            clock.resume()
        if fraction >= 1:
            return best
        learn(fraction)
        clock.steps += 1


# ---- the two systems -------------------------------------------------------------------------------------------------


def nanogpt(vocabulary, training, clock, seed):
    model = Transformer(vocabulary)
    matrices = [parameter for parameter in model.parameters() if parameter.dim() == 2]
    others = [parameter for parameter in model.parameters() if parameter.dim() != 2]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
                                  lr=1e-3, betas=(0.9, 0.99))
    generator = torch.Generator().manual_seed(seed)

    def learn(fraction):
        warmed = min(1, (clock.steps + 1) / 100)
        rate = warmed * (1e-4 + 0.5 * (1 + math.cos(math.pi * min(1, fraction))) * (1e-3 - 1e-4))
        for group in optimizer.param_groups:
            group["lr"] = rate
        inputs, targets = random_blocks(training, generator)
        loss = loss_of(model(inputs), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return model, learn, model


def anna(vocabulary, training, clock, _):
    model = anna_network(vocabulary)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    blocks = equal_rows(training, 128, 100)
    if not blocks:
        sys.exit(f"system A needs 12,800 characters to train on, found {len(training):,}")
    state = None

    def learn(_):
        nonlocal state
        place = clock.steps % len(blocks)
        x, y = blocks[place]
        logits, state = model(x, detached(state) if place else None)
        update(optimizer, loss_of(logits, y), clip_norm=5)

    return model, learn, lambda inputs: model(inputs.t())[0].transpose(0, 1)


def stream_loss(model, data, steps=1000):
    total, state = 0.0, None
    for x, y in zip(data[:-1].split(steps), data[1:].split(steps)):
        logits, state = model(x[:, None], state)
        total += loss_of(logits, y[:, None], reduction="sum").item()
    return total / (len(data) - 1)


SYSTEMS = {"nanogpt": nanogpt, "anna": anna}


# ---- the check -------------------------------------------------------------------------------------------------------


def facts():
    torch.manual_seed(1)
    model = Transformer(65)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    yield "4 x 12 x 128 x 128 weights, 65 characters, 64 places, 9 norms", parameters == 786_432 + (65 + 64 + 9) * 128
    characters = torch.randint(65, (2, BLOCK))
    changed = characters.clone()
    changed[:, 40:] = (changed[:, 40:] + 1) % 65
    before, after = model(characters), model(changed)
    yield "no place sees a later one", torch.allclose(before[:, :40], after[:, :40], atol=1e-6)
    yield "a place sees itself", not torch.allclose(before[:, 40], after[:, 40], atol=1e-6)

    probabilities = torch.tensor([0.5, 0.25, 0.25]).log()
    data = torch.tensor([0, 1, 2, 0, 0, 1, 0, 2])
    expected = -probabilities[data[1:]].mean().item()
    for size in (2, 3, 7, 100):
        loss = windows_loss(lambda inputs: probabilities.expand(*inputs.shape, 3), data, size)
        yield f"windows of {size} count every character but the first", abs(loss - expected) < 1e-6

    data = torch.arange(3000) % 7
    clock = Clock(1, 30)
    model, learn, logits_of = nanogpt(7, data, clock, 1)
    with evaluating(model):
        first = random_loss(logits_of, data, 2)
    model.load_state_dict(train(model, clock, learn, logits_of, data))
    with evaluating(model):
        last = random_loss(logits_of, data, 2)
    yield f"nanogpt learns: {first:.3f} becomes {last:.3f} in {clock.steps} steps", last < first - 0.02
    model, _, logits_of = anna(7, torch.arange(12_800) % 7, clock, 1)
    with evaluating(model):
        yield "logits of system A are (B,T,V)", logits_of(data[:6].view(2, 3)).shape == (2, 3, 7)
        whole = loss_of(model(data[:50, None])[0][:-1], data[1:50, None]).item()
        yield "a stream in pieces is a stream", abs(stream_loss(model, data[:50], 8) - whole) < 1e-5


def check():
    outcomes = []
    for what, holds in facts():
        print(f"{'ok  ' if holds else 'FAIL'} {what}")
        outcomes.append(holds)
    return 0 if all(outcomes) else 1


def main(arguments):
    if arguments == ["--check"]:
        return check()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("text", type=Path, metavar="TEXT")
    parser.add_argument("--minutes", type=float, default=3, help="of training, without the measurements")
    parser.add_argument("--steps", type=int, help="instead: so many batches (nanoGPT's recipe as published: 2000)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    if not products_are_right():
        sys.exit("PyTorch multiplies wrongly on this processor: choose another OPENBLAS_CORETYPE, such as Haswell")
    torch.manual_seed(options.seed)
    text = read_text(options.text)
    alphabet = Alphabet(sorted(set(text)))
    training, validation = ninety_ten(alphabet.encode(text))
    if len(validation) <= BLOCK + 1:
        sys.exit(f"the last tenth of {options.text} is too short to measure on: {len(validation)} characters")
    clock = Clock(options.minutes, options.steps)
    model, learn, logits_of = SYSTEMS[options.system](len(alphabet), training, clock, options.seed)
    clock.resume()
    model.load_state_dict(train(model, clock, learn, logits_of, validation))
    with evaluating(model):
        losses = {"random:64": random_loss(logits_of, validation, 200), "windows:64": windows_loss(logits_of, validation, BLOCK)}
        if options.system == "anna":
            losses |= {"windows:256": windows_loss(logits_of, validation, 256), "stream": stream_loss(model, validation)}
    print(json.dumps({"system": options.system, "torch": str(torch.__version__), "threads": torch.get_num_threads(),
                      "parameters": sum(parameter.numel() for parameter in model.parameters()), "seed": options.seed,
                      "steps": clock.steps, "seconds": round(clock.seconds, 1), "losses": losses}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
