#!/usr/bin/env python3
"""The PyTorch side of benchmarks/compare: the workloads of `rune bench` as PyTorch's users run them, measured once.

usage: pytorch_peer.py WORKLOAD notebook|tuned SECONDS

notebook: the loops of the notebooks. tuned: the same mathematics in as few calls as PyTorch has for it, compiled where this PyTorch
can; benchmarks/compare adds an environment. Prints one line of JSON.
"""

import contextlib
import io
import json
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional

# name: task, cell, vocabulary, embedding (0: one-hot), hidden size, layers, dropout between layers and before the projection,
# batch size, sequence length, optimiser and learning rate, longest gradient (0: any), one character a call in the notebook,
# loss as a sum, zero state at each step
WORKLOADS = {
    "anna": ("train", "LSTM", 83, 0, 512, 2, 0.5, 0.5, 128, 100, "Adam", 1e-3, 5, False, False, False),
    "holmes-1": ("train", "GRU", 100, 100, 100, 1, 0, 0, 1, 25, "Adam", 5e-3, 0, True, True, True),
    "holmes-2": ("train", "GRU", 100, 100, 100, 2, 0, 0, 1, 200, "Adam", 5e-2, 0, True, True, True),
    "nietzsche-9": ("train", "GRU", 56, 42, 256, 1, 0, 0, 64, 8, "Adam", 1e-3, 0, False, False, False),
    "nietzsche-9-512": ("train", "GRU", 56, 42, 256, 1, 0, 0, 512, 8, "Adam", 1e-3, 0, False, False, False),
    "nietzsche-10": ("train", "LSTM", 56, 42, 512, 2, 0.5, 0, 64, 8, "Adam", 1e-2, 0, False, False, False),
    "tweets": ("train", "GRU", 120, 128, 128, 1, 0, 0, 32, 80, "Adam", 4e-3, 0, False, False, True),
    "evaluate": ("evaluate", "LSTM", 83, 0, 512, 2, 0.5, 0.5, 128, 100, None, 0, 0, False, False, False),
    "write": ("write", "LSTM", 83, 0, 512, 2, 0.5, 0.5, 1, 100, None, 0, 0, True, False, False),
    "write-gru": ("write", "GRU", 100, 100, 100, 1, 0, 0, 1, 100, None, 0, 0, True, False, False),
    "write-64": ("write", "LSTM", 83, 0, 512, 2, 0.5, 0.5, 64, 25, None, 0, 0, True, False, False),
}


class CharRnn(nn.Module):
    """(T, B) tokens -> (T*B, V) logits."""

    def __init__(self, cell, vocabulary, embedding, hidden, layers, between, before):
        super().__init__()
        self.vocabulary, self.hidden, self.layers, self.is_lstm = vocabulary, hidden, layers, cell == "LSTM"
        self.embedding = nn.Embedding(vocabulary, embedding) if embedding else None
        self.rnn = getattr(nn, cell)(embedding or vocabulary, hidden, layers, dropout=between)
        self.dropout = nn.Dropout(before)
        self.fc = nn.Linear(hidden, vocabulary)

    def forward(self, tokens, state):
        x = self.embedding(tokens) if self.embedding is not None else functional.one_hot(tokens, self.vocabulary).float()
        output, state = self.rnn(x, state)
        return self.fc(self.dropout(output).reshape(-1, self.hidden)), state

    def zero_state(self, batch):
        zeros = torch.zeros(self.layers, batch, self.hidden)
        return (zeros, zeros.clone()) if self.is_lstm else zeros


def detached(state):
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


def check_products():
    """Old OpenBLAS kernels can miscompute on new processors: a wrong peer would be no peer."""
    a, b = torch.randn(130, 70), torch.randn(70, 90)
    error = (a @ b - (a.double() @ b.double()).float()).abs().max().item()
    if error > 1e-3:
        sys.exit(f"PyTorch multiplies wrongly here (error {error:.3g}): choose another OPENBLAS_CORETYPE")


def compiled(function):
    """torch.compile where this PyTorch has it and it works for the function; what it prints is of no use here."""
    if not hasattr(torch, "compile"):
        return function, False
    return torch.compile(function), True


def measure(step, seconds):
    """Median seconds of a step: one to warm up, then at least three."""
    step()
    times = []
    while sum(times) < seconds or len(times) < 3:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def train(model, loss, vocabulary, batch, steps, optimizer, rate, longest, one_by_one, zero):
    optimizer = getattr(torch.optim, optimizer)(model.parameters(), lr=rate)
    inputs, targets = torch.randint(vocabulary, (steps, batch)), torch.randint(vocabulary, (steps, batch))
    state = model.zero_state(batch)

    def step():
        nonlocal state
        state = model.zero_state(batch) if zero else detached(state)
        optimizer.zero_grad()
        if one_by_one:
            total = 0
            for t in range(steps):
                logits, state = model(inputs[t : t + 1], state)
                total = total + loss(logits, targets[t])
        else:
            logits, state = model(inputs, state)
            total = loss(logits, targets.view(-1))
        total.backward()
        if longest:
            nn.utils.clip_grad_norm_(model.parameters(), longest)
        optimizer.step()

    return step


def evaluate(model, vocabulary, batch, steps):
    model.eval()
    inputs, state = torch.randint(vocabulary, (steps, batch)), model.zero_state(batch)

    def step():
        nonlocal state
        with torch.no_grad():
            _, state = model(inputs, state)

    return step


def write(model, batch, steps):
    model.eval()

    def step():
        with torch.no_grad():
            token, state = torch.zeros(1, batch, dtype=torch.long), model.zero_state(batch)
            for _ in range(steps):
                logits, state = model(token, state)
                token = torch.multinomial(torch.softmax(logits, -1), 1).view(1, batch)

    return step


def main():
    name, mode, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    (task, cell, vocabulary, embedding, hidden, layers, between, before, batch, steps, optimizer, rate, longest, one_by_one, as_sum,
     zero) = WORKLOADS[name]
    torch.manual_seed(1)
    check_products()
    model = CharRnn(cell, vocabulary, embedding, hidden, layers, between, before)
    loss = nn.CrossEntropyLoss(reduction="sum" if as_sum else "mean")
    make = {"train": lambda: train(model, loss, vocabulary, batch, steps, optimizer, rate, longest, one_by_one and mode == "notebook", zero),
            "evaluate": lambda: evaluate(model, vocabulary, batch, steps), "write": lambda: write(model, batch, steps)}[task]
    best = measure(make(), seconds)
    used = "plain"
    if mode == "tuned":
        plain = model.forward
        model.forward, there = compiled(plain)
        if there:
            # A compiler that fails here, or is slower, is no tuning.
            with contextlib.suppress(Exception), contextlib.redirect_stderr(io.StringIO()):
                faster = measure(make(), seconds)
                if faster < best:
                    best, used = faster, "compiled"
    print(json.dumps({"characters_per_second": round(batch * steps / best, 1), "torch": torch.__version__, "used": used}))


if __name__ == "__main__":
    main()
