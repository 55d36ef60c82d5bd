#!/usr/bin/env python3
"""The PyTorch side of benchmarks/compare: one workload of `rune bench`, in the ways that PyTorch's users have.

usage: pytorch_peer.py WORKLOAD SECONDS [WAY...]

WORKLOAD is a line of `rune bench --list --json`. Prints one line of JSON: characters a second and memory of each way, without WAY of
all of them; ways that this PyTorch or this workload does not have are left out:

  notebook    the loops of the notebooks: with one stream, a call for every character
  whole       whole sequences in one call
  lean        and what PyTorch offers to save: no one-hot vectors made, gradients set to none, lists of parameters updated at once,
              no tracking for gradients where there are none
  scripted    writing, its whole loop as TorchScript with frozen weights
  no-onednn   lean, without oneDNN, where PyTorch would use it for recurrent layers (from 2.0 on)
  compiled    lean, through torch.compile (from 2.0 on)
  bf16        lean, with the whole model in bf16, optimiser and all: less exact than rune's bf16, to whose speed it is compared
              (PyTorch's autocast leaves recurrent layers in f32)

Threads and libraries are chosen by the environment, which benchmarks/compare sets.
"""

import json
import os
import statistics
import sys
import time
import traceback
from contextlib import nullcontext
from typing import List

import torch
from torch import nn
from torch.nn import functional

VERSION = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])


class CharRnn(nn.Module):
    """(T, B) tokens -> (T*B, V) logits. Lean: a one-hot vector is looked up, not made."""

    def __init__(self, work, lean=False):
        super().__init__()
        self.vocabulary, self.hidden, self.layers = work["vocabulary_size"], work["hidden_size"], work["layers"]
        self.is_lstm = work["cell"] == "lstm"
        self.one_hot = work["embedding"] == 0 and not lean
        self.embedding = nn.Embedding(self.vocabulary, work["embedding"] or self.vocabulary)
        if work["embedding"] == 0:
            self.embedding.weight = nn.Parameter(torch.eye(self.vocabulary), requires_grad=False)
        between = work["dropout"] if self.layers > 1 else 0
        if work["cell"].upper() not in ("RNN", "GRU", "LSTM"):
            sys.exit(f"PyTorch has no cell {work['cell']}")
        self.rnn = getattr(nn, work["cell"].upper())(self.embedding.embedding_dim, self.hidden, self.layers, dropout=between)
        self.dropout = nn.Dropout(work["output_dropout"])
        self.fc = nn.Linear(self.hidden, self.vocabulary)

    def forward(self, tokens, state):
        x = functional.one_hot(tokens, self.vocabulary).float() if self.one_hot else self.embedding(tokens)
        output, state = self.rnn(x, state)
        return self.fc(self.dropout(output).reshape(-1, self.hidden)).float(), state

    def zero_state(self, batch):
        zeros = torch.zeros(self.layers, batch, self.hidden, dtype=self.fc.weight.dtype)
        return (zeros, zeros.clone()) if self.is_lstm else zeros


class WriterOfLstm(nn.Module):
    """Writes in one call of TorchScript; the twin below differs by the type of its state."""

    def __init__(self, model):
        super().__init__()
        self.embedding, self.rnn, self.fc, self.hidden = model.embedding, model.rnn, model.fc, model.hidden

    def forward(self, token, hidden, cell, steps: int):
        written: List[torch.Tensor] = []
        for _ in range(steps):
            output, (hidden, cell) = self.rnn(self.embedding(token), (hidden, cell))
            logits = self.fc(output.reshape(-1, self.hidden))
            token = torch.multinomial(torch.softmax(logits, -1), 1).t()
            written.append(token)
        return torch.cat(written)


class WriterOfGru(WriterOfLstm):
    def forward(self, token, hidden, steps: int):
        written: List[torch.Tensor] = []
        for _ in range(steps):
            output, hidden = self.rnn(self.embedding(token), hidden)
            logits = self.fc(output.reshape(-1, self.hidden))
            token = torch.multinomial(torch.softmax(logits, -1), 1).t()
            written.append(token)
        return torch.cat(written)


def detached(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def check_products():
    """Old OpenBLAS kernels can miscompute on new processors, and a wrong peer would be no peer. Sums of elementwise products, in
    double, are beyond a BLAS."""
    torch.manual_seed(1)
    for rows, depth, columns in ((130, 70, 90), (1, 512, 700), (64, 512, 200), (3, 1000, 17)):
        a, b = torch.randn(rows, depth), torch.randn(depth, columns)
        naive = torch.stack([(row[:, None].double() * b.double()).sum(0) for row in a]).float()
        for product in (a @ b, (b.t().contiguous() @ a.t().contiguous()).t(), a.t().contiguous().t() @ b,
                        functional.linear(a, b.t().contiguous())):
            error = (product - naive).abs().max().item()
            if not error < 1e-3:
                sys.exit(f"PyTorch multiplies {rows} x {depth} x {columns} wrongly here (error {error:.3g}): "
                         "choose another OPENBLAS_CORETYPE")


def resident_mb():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def measure(step, seconds):
    """Median seconds of a step: one to warm up, then at least two, three unless they take long."""
    step()
    resident, times = resident_mb(), []
    while sum(times) < seconds or len(times) < 2 or (len(times) < 3 and sum(times) < 3 * seconds):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times), resident


def make_optimizer(work, parameters, lean):
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop}
    options = {"lr": work["learning_rate"], "weight_decay": work["weight_decay"]}
    parameters = [parameter for parameter in parameters if parameter.requires_grad]
    if lean:
        try:
            return kind[work["optimizer"]](parameters, foreach=True, **options)
        except TypeError:
            pass
    return kind[work["optimizer"]](parameters, **options)


def train(work, model, lean, one_by_one, settings):
    batch, steps = work["batch_size"], work["sequence_length"]
    loss_of = nn.CrossEntropyLoss(reduction=work["reduction"])
    optimizer = make_optimizer(work, model.parameters(), lean)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    inputs, targets = (torch.randint(model.vocabulary, (steps, batch)) for _ in range(2))
    state = model.zero_state(batch)

    def step():
        nonlocal state
        state = detached(state) if work["carries_state"] else model.zero_state(batch)
        optimizer.zero_grad(set_to_none=lean)
        with settings():
            if one_by_one:
                total = 0
                for t in range(steps):
                    logits, state = model(inputs[t : t + 1], state)
                    total = total + loss_of(logits, targets[t])
            else:
                logits, state = model(inputs, state)
                total = loss_of(logits, targets.view(-1))
        total.backward()
        if work["clip_norm"]:
            nn.utils.clip_grad_norm_(parameters, work["clip_norm"])
        optimizer.step()

    return step


def no_gradients(lean):
    return torch.inference_mode() if lean and hasattr(torch, "inference_mode") else torch.no_grad()


def evaluate(work, model, lean, settings):
    batch, steps = work["batch_size"], work["sequence_length"]
    model.eval()
    loss_of = nn.CrossEntropyLoss()
    inputs, targets = (torch.randint(work["vocabulary_size"], (steps, batch)) for _ in range(2))
    state = model.zero_state(batch)

    def step():
        nonlocal state
        with no_gradients(lean), settings():
            logits, state = model(inputs, state)
            loss_of(logits, targets.view(-1)).item()

    return step


def write(work, model, lean, settings):
    batch, steps = work["batch_size"], work["sequence_length"]
    model.eval()

    def step():
        with no_gradients(lean), settings():
            token, state = torch.zeros(1, batch, dtype=torch.long), model.zero_state(batch)
            for _ in range(steps):
                logits, state = model(token, state)
                token = torch.multinomial(torch.softmax(logits, -1), 1).view(1, batch)

    return step


def scripted(work, model):
    """A step in TorchScript, with the weights as constants."""
    batch, steps = work["batch_size"], work["sequence_length"]
    model.eval()
    state = model.zero_state(batch)
    state = state if isinstance(state, tuple) else (state,)
    writer = (WriterOfLstm if model.is_lstm else WriterOfGru)(model).eval()
    frozen = torch.jit.freeze(torch.jit.script(writer))
    token = torch.zeros(1, batch, dtype=torch.long)

    def step():
        with torch.no_grad():
            frozen(token, *state, steps)

    return step


def make_step(work, way):
    """The step of a way; None where this PyTorch, or this work, has none."""
    torch.manual_seed(1)
    task = work["task"]
    if way in ("no-onednn", "compiled") and VERSION < (2, 0):
        return None
    if way == "scripted" and task != "write":
        return None
    lean = way not in ("notebook", "whole")
    model = CharRnn(work, lean)
    if way == "scripted":
        return scripted(work, model)
    if way == "compiled":
        model.forward = torch.compile(model.forward)
    if way == "bf16":
        model.bfloat16()
    settings = (lambda: torch.backends.mkldnn.flags(enabled=False)) if way == "no-onednn" else nullcontext
    if task == "train":
        return train(work, model, lean, way == "notebook" and work["batch_size"] == 1, settings)
    return {"evaluate": evaluate, "write": write}[task](work, model, lean, settings)


WAYS = ("notebook", "whole", "lean", "scripted", "no-onednn", "compiled", "bf16")


def main():
    work, seconds, ways = json.loads(sys.argv[1]), float(sys.argv[2]), sys.argv[3:] or WAYS
    check_products()
    torch.set_flush_denormal(True)
    characters = work["batch_size"] * work["sequence_length"]
    found = {}
    for way in ways:
        try:
            step = make_step(work, way)
            if step is not None:
                taken, resident = measure(step, seconds)
                found[way] = {"characters_per_second": round(characters / taken, 1), "resident_mb": round(resident, 1)}
        except Exception:  # a compiler that fails here is no tuning
            if len(ways) == 1:
                raise
            print(f"{way}: {traceback.format_exc(limit=1)}", file=sys.stderr)
    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads(), "ways": found}))


if __name__ == "__main__":
    main()
