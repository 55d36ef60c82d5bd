#!/usr/bin/env python3
"""The PyTorch side of benchmarks/compare: system A as its notebook trains, evaluates and writes, measured once.

usage: pytorch_peer.py train|evaluate|write STEPS

Prints one line of JSON. How PyTorch is tuned is decided by the environment that benchmarks/compare gives it.
"""

import json
import statistics
import sys
import time

import torch
from torch import nn

VOCABULARY, HIDDEN, LAYERS, BATCH, STEPS = 83, 512, 2, 128, 100


class CharRnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(VOCABULARY, HIDDEN, LAYERS, dropout=0.5, batch_first=True)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(HIDDEN, VOCABULARY)

    def forward(self, tokens, state):
        one_hot = nn.functional.one_hot(tokens, VOCABULARY).float()
        output, state = self.lstm(one_hot, state)
        return self.fc(self.dropout(output).reshape(-1, HIDDEN)), state


def zero_state(batch):
    return torch.zeros(LAYERS, batch, HIDDEN), torch.zeros(LAYERS, batch, HIDDEN)


def check_products():
    """Old OpenBLAS kernels can miscompute on new processors: a wrong peer would be no peer."""
    a, b = torch.randn(130, 70), torch.randn(70, 90)
    error = (a @ b - (a.double() @ b.double()).float()).abs().max().item()
    if error > 1e-3:
        sys.exit(f"PyTorch multiplies wrongly here (error {error:.3g}): choose another OPENBLAS_CORETYPE")


def train(steps):
    model, loss = CharRnn(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    inputs, targets = torch.randint(VOCABULARY, (BATCH, STEPS)), torch.randint(VOCABULARY, (BATCH, STEPS))
    state, seconds = zero_state(BATCH), []
    for _ in range(steps + 1):  # the first one warms up
        start = time.perf_counter()
        state = tuple(part.detach() for part in state)
        optimizer.zero_grad()
        logits, state = model(inputs, state)
        loss(logits, targets.view(-1)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return BATCH * STEPS / statistics.median(seconds[1:])


@torch.no_grad()
def evaluate(steps):
    model = CharRnn().eval()
    inputs, state, seconds = torch.randint(VOCABULARY, (BATCH, STEPS)), zero_state(BATCH), []
    for _ in range(steps + 1):
        start = time.perf_counter()
        _, state = model(inputs, state)
        seconds.append(time.perf_counter() - start)
    return BATCH * STEPS / statistics.median(seconds[1:])


@torch.no_grad()
def write(steps):
    model, characters = CharRnn().eval(), 100
    token, state, seconds = torch.zeros(1, 1, dtype=torch.long), zero_state(1), []
    for _ in range(steps + 1):
        start = time.perf_counter()
        for _ in range(characters):
            logits, state = model(token, state)
            token = logits.argmax(-1, keepdim=True)
        seconds.append(time.perf_counter() - start)
    return characters / statistics.median(seconds[1:])


if __name__ == "__main__":
    torch.manual_seed(1)
    check_products()
    workload = {"train": train, "evaluate": evaluate, "write": write}[sys.argv[1]]
    print(json.dumps({"characters_per_second": round(workload(int(sys.argv[2])), 1), "torch": torch.__version__}))
