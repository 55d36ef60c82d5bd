#!/usr/bin/env python3
"""The seventeen reference systems, restated in PyTorch as their notebooks trained them.

Prints one JSON object: what was trained, the losses at the points where the notebook reports, and a few samples.
Progress goes to stderr. Losses are nats per character. Every point has three train figures:

  train_loss           the mean over all characters since the last point
  train_loss_smoothed  the bias-corrected moving average of batch losses (0.98), begun anew with every stage
  train_loss_last      the loss of the last batch alone

The Nietzsche notebook prints the second, the Anna Karenina and one-record notebooks the third. The Sherlock Holmes
notebook prints the first divided by the chunk length. A point's samples are drawn from random numbers of their own,
so that they do not disturb the training.

Blocks of characters have the shape (T,B): T steps in time of B sequences side by side.
"""

import argparse
import csv
import io
import itertools
import json
import math
import random
import re
import string
import sys
import time
from collections import Counter, namedtuple
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

SMOOTHING = 0.98


# ---- text and records ------------------------------------------------------------------------------------------------


class Alphabet:
    """Numbers the tokens; a character that has no number becomes <unk>, if there is one."""

    def __init__(self, tokens):
        self.tokens = list(tokens)
        self.index = {token: number for number, token in enumerate(self.tokens)}

    def __len__(self):
        return len(self.tokens)

    def encode(self, text):
        unknown = self.index.get("<unk>")
        numbers = [self.index.get(character, unknown) for character in text]
        if None in numbers:
            sys.exit(f"the character {text[numbers.index(None)]!r} is not in the alphabet")
        return torch.tensor(numbers)

    def decode(self, numbers):
        return "".join(self.tokens[number] for number in numbers)


def padded_alphabet(text):
    """N1 to N6: every character of the text, after one for padding that never occurs."""
    return Alphabet(["\0", *sorted(set(text))])


def frequent_alphabet(text):
    """N7 to N10: the characters that occur at least three times."""
    return Alphabet(["<unk>", "<pad>", *sorted(c for c, count in Counter(text).items() if count >= 3)])


def ninety_ten(numbers):
    """A: the last tenth is for validation."""
    split = int(len(numbers) * 0.9)
    return numbers[:split], numbers[split:]


def stateful_parts(text):
    """N7 to N10: lower-cased; the notebook's logs have 493,747 of the 600,893 characters in the training part."""
    text = text.lower()
    split = round(len(text) * 493_747 / 600_893)
    return text[:split], text[split:]


def read_records(file):
    """The first column of every row; quoted fields may hold commas and line ends."""
    return [row[0] for row in csv.reader(file) if row]


def is_tweet(text):
    """T2 keeps texts of at most 140 characters that are more than a bare URL."""
    return len(text) <= 140 and not re.fullmatch(r"\s*((https?://|www\.)\S+)?\s*", text)


# ---- batches: how each notebook cuts its text ------------------------------------------------------------------------


def equal_rows(numbers, rows, steps):
    """A: the longest prefix that fills whole batches, as equal rows, read in windows of so many steps.

    Targets are inputs shifted by one; the last target of a row wraps to the row's first character.
    """
    length = len(numbers) // (rows * steps) * steps
    inputs = numbers[: rows * length].view(rows, length)
    targets = inputs.roll(-1, dims=1)
    return [(x.t(), y.t()) for x, y in zip(inputs.split(steps, 1), targets.split(steps, 1)) if length]


def cut_windows(numbers, length, stride):
    """N1 to N6: all windows (count, length + 1) at a stride; the last column is the character that follows."""
    starts = torch.arange(0, len(numbers) - length, stride)
    return numbers[starts[:, None] + torch.arange(length + 1)]


def split_windows(count, spared):
    """N1 to N6: the numbers of the windows to train on, and of a random fifth to validate on.

    The notebooks number candidates by the text rather than by the windows, and so spare the last few windows.
    None: only the very last window validates. The permutation has a seed of its own, the same for every system.
    """
    if spared is None:
        return torch.arange(count - 1), torch.tensor([count - 1])
    order = torch.randperm(count - spared, generator=torch.Generator().manual_seed(42))
    validation = order[: len(order) // 5]
    training = torch.ones(count, dtype=torch.bool)
    training[validation] = False
    return training.nonzero()[:, 0], validation


def window_batches(windows, order, every_step, size=512):
    """Targets are the next character of every step, or of the last one alone."""
    for some in order.split(size):
        block = windows[some].t()
        yield block[:-1], block[1:] if every_step else block[-1:]


def parallel_streams(numbers, streams=64):
    """N7 to N10: the text as columns, each continuing where the one before it ends."""
    rows = len(numbers) // streams
    return numbers[: rows * streams].view(streams, rows).t()


def epoch_batches(data, base=8):
    """The most batches that an epoch has; random lengths usually exhaust the text a little earlier."""
    return len(data) // base - 1


def random_windows(data, generator, base=8):
    """N7 to N10: consecutive windows of random length: about 8, sometimes about 4, never less than 5."""
    position = 0
    for _ in range(epoch_batches(data, base)):
        if position >= len(data) - 1:
            return
        mean = base if generator.random() < 0.95 else base / 2
        length = min(max(5, int(generator.gauss(mean, 5))), len(data) - 1 - position)
        yield data[position : position + length], data[position + 1 : position + 1 + length]
        position += length


def record_batches(records, size, generator):
    """T2: records of similar length: sorted within pools of a hundred batches, the batches then shuffled."""
    records = generator.sample(records, len(records))
    batches = []
    for start in range(0, len(records), 100 * size):
        pool = sorted(records[start : start + 100 * size], key=len)
        batches += [pool[i : i + size] for i in range(0, len(pool), size)]
    generator.shuffle(batches)
    return batches


# ---- networks --------------------------------------------------------------------------------------------------------


class CharModel(nn.Module):
    """Characters (T,B) -> logits (T,B,V), state. Embedding or one-hot, recurrent layers, dropout, projection."""

    def __init__(self, vocabulary, cell, hidden, layers=1, embedding=0, dropout=0.0, output_dropout=0.0,
                 last_only=False):
        super().__init__()
        self.vocabulary, self.last_only = vocabulary, last_only
        self.embedding = nn.Embedding(vocabulary, embedding) if embedding else None
        self.recurrent = cell(embedding or vocabulary, hidden, num_layers=layers, dropout=dropout)
        self.dropout = nn.Dropout(output_dropout)
        self.output = nn.Linear(hidden, vocabulary)

    def forward(self, characters, state=None):
        x = self.embedding(characters) if self.embedding else F.one_hot(characters, self.vocabulary).float()
        x, state = self.recurrent(x, state)
        if self.last_only:
            x = x[-1:]
        return self.output(self.dropout(x)), state


class CharLoop(nn.Module):
    """N1 to N3: one network applied to character after character; logits (1,B,V) after the last one.

    Adds what it has read (h) to what it reads (x), or puts them side by side.
    """

    def __init__(self, vocabulary, concatenate=False, embedding=42, hidden=256):
        super().__init__()
        self.concatenate = concatenate
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.input = nn.Linear(embedding + hidden if concatenate else embedding, hidden)
        self.hidden = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, vocabulary)

    def forward(self, characters, state=None):
        h = torch.zeros(characters.shape[1], self.hidden.in_features)
        for x in self.embedding(characters):
            if self.concatenate:
                h = torch.tanh(self.hidden(torch.relu(self.input(torch.cat([h, x], 1)))))
            else:
                h = torch.tanh(self.hidden(h + torch.relu(self.input(x))))
        return self.output(h)[None], None


class LoopedRnn(nn.RNN):
    """N8: what nn.RNN computes, with its parameters, written out."""

    def forward(self, x, state=None):
        h = torch.zeros(x.shape[1], self.hidden_size) if state is None else state[0]
        outputs = []
        for step in x:
            seen = F.linear(step, self.weight_ih_l0, self.bias_ih_l0)
            known = F.linear(h, self.weight_hh_l0, self.bias_hh_l0)
            h = torch.tanh(seen + known)
            outputs.append(h)
        return torch.stack(outputs), h[None]


def nietzsche_network(cell, hidden=256, identity=False, **options):
    """-> a function that makes the network for an alphabet. Identity: where the hidden-to-hidden matrix starts."""

    def make(vocabulary):
        model = CharModel(vocabulary, cell, hidden, embedding=42, **options)
        if identity:
            nn.init.eye_(model.recurrent.weight_hh_l0)
        return model

    return make


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


# ---- a run: what the notebooks count and print -----------------------------------------------------------------------


class Run:
    """Owns the random numbers of a run, cuts it short where asked, and collects its points and samples."""

    def __init__(self, seed=1, max_epochs=None, max_steps=None):
        torch.manual_seed(seed)
        self.random = random.Random(seed)
        self.draws = torch.Generator().manual_seed(seed)
        self.max_epochs, self.max_steps = max_epochs or math.inf, max_steps or math.inf
        self.epoch = self.step = self.characters = 0
        self.points, self.samples, self.closing = [], [], []
        self.start = time.perf_counter()
        self.sum, self.sum_characters = 0.0, 0
        self.start_average()

    def start_average(self):
        self.average, self.average_steps = 0.0, 0

    @property
    def cut(self):
        return self.step >= self.max_steps

    def epochs(self, count):
        for _ in range(count):
            if self.cut or self.epoch >= self.max_epochs:
                return
            self.epoch += 1
            yield self.epoch

    def batches(self, batches):
        for batch in batches:
            yield batch
            if self.cut:
                return

    def stepped(self, loss, characters):
        """Counts a step whose mean loss, measured before its update, was over so many characters."""
        self.step += 1
        self.characters += characters
        self.last = loss
        self.sum += loss * characters
        self.sum_characters += characters
        self.average = SMOOTHING * self.average + (1 - SMOOTHING) * loss
        self.average_steps += 1

    def due(self, period):
        return self.step % period == 0 or self.cut

    def report(self, samples, validation=None):
        point = {
            "epoch": self.epoch,
            "step": self.step,
            "characters": self.characters,
            "train_loss": self.sum / self.sum_characters,
            "train_loss_smoothed": self.average / (1 - SMOOTHING**self.average_steps),
            "train_loss_last": self.last,
            "validation_loss": validation,
        }
        self.sum, self.sum_characters = 0.0, 0
        self.points.append(point)
        self.samples.append(samples)
        figures = "  ".join(f"{name} {value:.4f}" for name, value in point.items() if isinstance(value, float))
        print(f"epoch {self.epoch}  step {self.step}  {figures}", *samples, sep="\n  ", file=sys.stderr, flush=True)

    def result(self, model):
        """The samples: those of the first, the middle and the last point, then those that close the notebook."""
        moments = sorted({0, len(self.samples) // 2, len(self.samples) - 1}) if self.samples else []
        return {
            "parameters": parameters(model),
            "characters": self.characters,
            "seconds": round(time.perf_counter() - self.start, 1),
            "points": self.points,
            "samples": [text for moment in moments for text in self.samples[moment]] + self.closing,
        }

    def draw(self, logits, temperature=1.0, top_k=None):
        """Draws a character; top_k: among so many of the most probable ones alone."""
        if top_k:
            logits = logits.masked_fill(logits < logits.topk(top_k)[0][-1], -math.inf)
        return torch.multinomial(F.softmax(logits / temperature, 0), 1, generator=self.draws).item()


def loss_of(logits, targets, **options):
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), **options)


def update(optimizer, loss, clip_norm=None):
    optimizer.zero_grad()
    loss.backward()
    if clip_norm:
        nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], clip_norm)
    optimizer.step()


def set_rate(optimizer, rate):
    """The optimiser keeps its moments."""
    optimizer.param_groups[0]["lr"] = rate


def detached(state):
    """The state without its past: gradients end here."""
    if isinstance(state, tuple):
        return tuple(part.detach() for part in state)
    return state if state is None else state.detach()


@contextmanager
def evaluating(model):
    """No dropout, no gradients; afterwards the model is in the mode that it was in."""
    training = model.training
    model.eval()
    with torch.no_grad():
        yield
    model.train(training)


def evaluate(model, batches, state=None, carry=True):
    """-> mean loss per character, the state at the end. Without carry every batch starts from zero."""
    total = characters = 0
    with evaluating(model):
        for inputs, targets in batches:
            logits, state = model(inputs, state if carry else None)
            total += loss_of(logits, targets).item() * targets.numel()
            characters += targets.numel()
    return total / characters if characters else None, state


# ---- writing ---------------------------------------------------------------------------------------------------------


def most_probable(logits):
    return logits.argmax().item()


def write(model, prime, count, draw, stop=None):
    """Feeds the prime (T,), then draws count characters and feeds each back, up to a stop."""
    written = []
    with evaluating(model):
        logits, state = model(prime[:, None])
        while len(written) < count:
            character = draw(logits[-1, 0])
            if character == stop:
                break
            written.append(character)
            logits, state = model(torch.tensor([[character]]), state)
    return written


def slide(model, window, count, draw, carry=False):
    """Reads the whole window anew for every character that it draws, then moves the window on by that character.

    With carry the state is kept between windows, as N10's notebook does: it reads most characters eight times.
    """
    written, state = window.tolist(), None
    with evaluating(model):
        for _ in range(count):
            logits, state = model(window[:, None], state if carry else None)
            written.append(draw(logits[-1, 0]))
            window = torch.tensor(written[-len(window):])
    return written


# ---- H: Sherlock Holmes ----------------------------------------------------------------------------------------------


def holmes(run, text, layers, chunk, epochs, characters=10_000, optimizer=torch.optim.Adam, rate=0.005, decay=1.0):
    """One stream, cut into chunks that each start from a zero state; one step a chunk, on the sum of its losses.

    The rate is multiplied by decay every ten epochs. (The last chunk is what remains: 9,999 targets are not a multiple
    of 25.)
    """
    alphabet = Alphabet(string.printable)
    numbers = alphabet.encode(text[:characters])
    inputs, targets = numbers[:-1, None].split(chunk), numbers[1:, None].split(chunk)
    model = CharModel(len(alphabet), nn.GRU, hidden=100, layers=layers, embedding=100)
    optimizer = optimizer(model.parameters(), lr=rate)
    for epoch in run.epochs(epochs):
        set_rate(optimizer, rate * decay ** ((epoch - 1) // 10))
        for x, y in run.batches(zip(inputs, targets)):
            logits, _ = model(x)
            loss = loss_of(logits, y, reduction="sum")
            update(optimizer, loss)
            run.stepped(loss.item() / len(y), len(y))
        prime = alphabet.encode("II")  # the notebook feeds the first character twice
        run.report(["I" + alphabet.decode(write(model, prime, 100, run.draw))])
    return model


# ---- A: Anna Karenina ------------------------------------------------------------------------------------------------


def anna_network(vocabulary):
    return CharModel(vocabulary, nn.LSTM, hidden=512, layers=2, dropout=0.5, output_dropout=0.5)


def anna(run, text):
    """Truncated back-propagation: the state of 128 rows is carried from window to window, its gradient is not."""
    alphabet = Alphabet(sorted(set(text)))
    training, validation = (equal_rows(part, 128, 100) for part in ninety_ten(alphabet.encode(text)))
    model = anna_network(len(alphabet))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    print(model, file=sys.stderr)

    def sample(prime, size, draw):
        return prime + alphabet.decode(write(model, alphabet.encode(prime), size + 1, draw))

    for _ in run.epochs(20):
        state = None
        for x, y in run.batches(training):
            logits, state = model(x, detached(state))
            loss = loss_of(logits, y)
            update(optimizer, loss, clip_norm=5)
            run.stepped(loss.item(), y.numel())
            if run.due(10):
                run.report([sample("The", 100, run.draw)], evaluate(model, validation)[0])
    draw_of_five = partial(run.draw, top_k=5)
    run.closing = [sample("Anna", 1000, draw_of_five), sample("And Levin said", 2000, draw_of_five)]
    return model


# ---- N: Nietzsche ----------------------------------------------------------------------------------------------------

Stage = namedtuple("Stage", "rate epochs restarts", defaults=[False])


def restarts(peak, cycle):
    """The rate of every batch: cosines from the peak to zero, each cycle twice as long as the one before.

    The first twentieth of the first cycle uses a hundredth of the peak; the cosine goes on beneath it.
    """
    for number in itertools.count():
        length = cycle * 2**number
        for i in range(length):
            opening = number == 0 and i < cycle / 20
            yield peak / 100 if opening else peak * (1 + math.cos(math.pi * i / length)) / 2


def fit(run, model, stages, training, validation, sample, carry=False, cycle=None, weight_decay=0.0):
    """training and validation make the batches of an epoch, sample the texts of a report.

    With carry the state starts from zero once and is never reset: neither between epochs nor for the validation.
    """
    optimizer = torch.optim.Adam(model.parameters(), weight_decay=weight_decay)
    state = None
    for stage in stages:
        run.start_average()
        rates = restarts(stage.rate, cycle) if stage.restarts else itertools.repeat(stage.rate)
        for _ in run.epochs(stage.epochs):
            for (inputs, targets), rate in zip(run.batches(training()), rates):
                set_rate(optimizer, rate)
                logits, state = model(inputs, detached(state) if carry else None)
                loss = loss_of(logits, targets)
                update(optimizer, loss)
                run.stepped(loss.item(), targets.numel())
            figure, state = evaluate(model, validation(), detached(state), carry)
            run.report(sample(), figure)
    return model


def nietzsche_windows(run, text, network, length, stride, spared, stages, contexts, every_step=False, count=1):
    """N1 to N6: shuffled windows, each from a zero state."""
    alphabet = padded_alphabet(text)
    windows = cut_windows(alphabet.encode(text), length, stride)
    training, validation = split_windows(len(windows), spared)
    model = network(len(alphabet))

    def shuffled():
        return window_batches(windows, training[torch.randperm(len(training))], every_step)

    def held_out():
        return window_batches(windows, validation, every_step)

    def sample():
        return [alphabet.decode(slide(model, alphabet.encode(context), count, most_probable)) for context in contexts]

    return fit(run, model, stages, shuffled, held_out, sample)


def nietzsche_streams(run, text, network, stages, weight_decay=0.0):
    """N7 to N10: the text in order, as 64 parallel streams whose state is carried along."""
    training, validation = stateful_parts(text)
    alphabet = frequent_alphabet(training)
    training, validation = (parallel_streams(alphabet.encode(part)) for part in (training, validation))
    model = network(len(alphabet))
    windows, held_out = partial(random_windows, training, run.random), partial(random_windows, validation, run.random)

    def sample():
        return [alphabet.decode(slide(model, alphabet.encode("for thos"), 400, run.draw, carry=True))]

    return fit(run, model, stages, windows, held_out, sample, True, epoch_batches(training), weight_decay)


# ---- T: tweets -------------------------------------------------------------------------------------------------------


def tweet_network(vocabulary):
    return CharModel(vocabulary, nn.GRU, hidden=128, embedding=128)


def write_record(model, alphabet, draw, length=100):
    prime = torch.tensor([alphabet.index["<BOS>"]])
    return alphabet.decode(write(model, prime, length, draw, stop=alphabet.index["<EOS>"]))


def try_temperatures(run, model, alphabet):
    """Low temperatures repeat themselves, high ones make mistakes; the most probable character never varies."""
    for temperature in (0.8, 1, 1.5, 2, 5):
        run.closing += [write_record(model, alphabet, partial(run.draw, temperature=temperature)) for _ in range(3)]
    run.closing.append(write_record(model, alphabet, most_probable))


def tweet_one(run, records):
    """First make a model overfit one record: it must recite the text and then stop.

    A step reads the record once; a hundred steps count as an epoch here.
    """
    if len(records) <= 200:
        sys.exit(f"one record: row 200, counted from zero, is wanted, but there are only {len(records)} rows")
    record = records[200]
    alphabet = Alphabet([*sorted(set(record)), "<BOS>", "<EOS>"])
    numbers = alphabet.encode(["<BOS>", *record, "<EOS>"])[:, None]
    model = tweet_network(len(alphabet))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in run.epochs(10):
        for _ in run.batches(range(100)):
            logits, _ = model(numbers[:-1])
            loss = loss_of(logits, numbers[1:])
            update(optimizer, loss)
            run.stepped(loss.item(), len(numbers) - 1)
        longest = max(100, len(record) + 1)  # the usual 100 might not be enough to recite it
        run.report([write_record(model, alphabet, partial(run.draw, temperature=0.8), longest)])
    try_temperatures(run, model, alphabet)
    return model


def tweets(run, records, batch_size=32):
    records = [record for record in records if is_tweet(record)]
    alphabet = Alphabet(["<unk>", "<pad>", "<BOS>", "<EOS>", *sorted(set("".join(records)))])
    padding = alphabet.index["<pad>"]
    records = [alphabet.encode(["<BOS>", *record, "<EOS>"]) for record in records]
    model = tweet_network(len(alphabet))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.004)
    for _ in run.epochs(1):
        batches = record_batches(records, batch_size, run.random)
        for batch in run.batches(batches):
            block = nn.utils.rnn.pad_sequence(batch, padding_value=padding)
            targets = block[1:]
            logits, _ = model(block[:-1])
            loss = loss_of(logits, targets, ignore_index=padding)
            update(optimizer, loss)
            run.stepped(loss.item(), (targets != padding).sum().item())
            if run.due(100) or run.step == len(batches):  # a small file has fewer than 100 batches
                run.report([write_record(model, alphabet, partial(run.draw, temperature=0.8), 140)])
    try_temperatures(run, model, alphabet)
    return model


# ---- the table -------------------------------------------------------------------------------------------------------

System = namedtuple("System", "corpus train options")
CSV = "the file given with --csv"

TRIPLES = dict(length=3, stride=3, spared=None, contexts=["y. ", "ppl", " th", "and"])
EVERY_WINDOW = dict(length=8, stride=1, spared=1)  # each followed by one character to predict
NEXT_WINDOW = dict(length=8, stride=8, spared=9, every_step=True)
THREE = dict(contexts=["for thos", "part of ", "queens a"])
FORTY = dict(contexts=["for thos"], count=40)
RNN, GRU = nietzsche_network(nn.RNN), nietzsche_network(nn.GRU)
LSTM = nietzsche_network(nn.LSTM, hidden=512, layers=2, dropout=0.5)


def sherlock(**options):
    return System("holmes.txt", holmes, options)


def windows_of(network, stages, **options):
    return System("nietzsche.txt", nietzsche_windows, dict(network=network, stages=stages, **options))


def streams_of(network, stages, **options):
    return System("nietzsche.txt", nietzsche_streams, dict(network=network, stages=stages, **options))


SYSTEMS = {
    "holmes-1": sherlock(layers=1, chunk=25, epochs=40),
    "holmes-2-100": sherlock(layers=2, chunk=100, epochs=100, rate=0.05, characters=50_000),
    "holmes-2-200": sherlock(layers=2, chunk=200, epochs=100, rate=0.05, characters=50_000),
    "holmes-3-100": sherlock(layers=2, chunk=100, epochs=100),
    "holmes-3-200": sherlock(layers=2, chunk=200, epochs=50),
    "holmes-4": sherlock(layers=2, chunk=200, epochs=100, optimizer=torch.optim.SGD, rate=0.05, decay=0.2),
    "anna": System("anna.txt", anna, {}),
    "nietzsche-1": windows_of(CharLoop, [Stage(1e-2, 1), Stage(1e-3, 1)], **TRIPLES),
    "nietzsche-2": windows_of(CharLoop, [Stage(1e-2, 1), Stage(1e-3, 1)], **EVERY_WINDOW, **THREE),
    "nietzsche-3": windows_of(
        partial(CharLoop, concatenate=True), [Stage(1e-3, 1), Stage(1e-4, 1)], **EVERY_WINDOW, **THREE
    ),
    "nietzsche-4": windows_of(
        nietzsche_network(nn.RNN, last_only=True), [Stage(1e-3, 4), Stage(1e-4, 2)], **EVERY_WINDOW, **FORTY
    ),
    "nietzsche-5": windows_of(RNN, [Stage(1e-3, 4), Stage(1e-4, 1)], **NEXT_WINDOW, **FORTY),
    "nietzsche-6": windows_of(
        nietzsche_network(nn.RNN, identity=True), [Stage(1e-2, 4), Stage(1e-3, 4)], **NEXT_WINDOW, **FORTY
    ),
    "nietzsche-7": streams_of(RNN, [Stage(1e-3, 4), Stage(1e-4, 4)]),
    "nietzsche-8": streams_of(nietzsche_network(LoopedRnn), [Stage(1e-3, 4)]),
    "nietzsche-9": streams_of(GRU, [Stage(1e-3, 6), Stage(1e-4, 3)]),
    "nietzsche-10": streams_of(
        LSTM, [Stage(1e-2, 2), Stage(1e-2, 15, restarts=True), Stage(1e-2, 63, restarts=True)], weight_decay=1e-5
    ),
    "tweet-one": System(CSV, tweet_one, {}),
    "tweets": System(CSV, tweets, {}),
}


# ---- the check -------------------------------------------------------------------------------------------------------


def expect(what, found, expected):
    print(f"{'ok  ' if found == expected else 'FAIL'} {what}: {found}", end="")
    print("" if found == expected else f", expected {expected}")
    return found == expected


def network_facts():
    yield expect("parameters of anna", parameters(anna_network(83)), 3_366_483)
    yield expect("parameters of nietzsche-10", parameters(LSTM(56)), 3_271_016)
    loop, built_in = (make(56) for make in (nietzsche_network(LoopedRnn), RNN))
    loop.load_state_dict(built_in.state_dict())
    x = torch.randint(56, (8, 4))
    same = torch.allclose(loop(x)[0], built_in(x)[0], atol=1e-5)
    yield expect("nietzsche-8 computes what nietzsche-7 computes", same, True)
    rates = list(itertools.islice(restarts(1.0, 963), 13_815))
    yield expect("batches at a hundredth of the peak", sum(rate == 0.01 for rate in rates), 49)
    yield expect("rate after 15 epochs of 921 batches, in % of the peak", round(100 * rates[-1]), 2)
    [(x, y)] = equal_rows(torch.arange(6), 2, 3)
    yield expect("targets wrap at the end of a row", y.t().tolist(), [[1, 2, 0], [4, 5, 3]])
    file = io.StringIO('"one, ""two""\nthree",4\nfive\n', newline="")
    yield expect("records of a CSV", read_records(file), ['one, "two"\nthree', "five"])
    kept = [is_tweet(text) for text in ("@you look: http://a.b/c", " http://a.b/c ", "", "a" * 140, "a" * 141)]
    yield expect("records kept as tweets", kept, [True, False, False, True, False])


def holmes_facts(text):
    yield expect("characters of holmes", len(text), 3_539_463)
    yield expect("alphabet of holmes", len(Alphabet(string.printable)), 100)
    yield expect("characters outside it", len(set(text) - set(string.printable)), 0)


def anna_facts(text):
    alphabet = Alphabet(sorted(set(text)))
    parts = ninety_ten(alphabet.encode(text))
    yield expect("alphabet of anna", len(alphabet), 83)
    yield expect("parts", [len(part) for part in parts], [1_786_700, 198_523])
    yield expect("batches", [len(equal_rows(part, 128, 100)) for part in parts], [139, 15])


def nietzsche_facts(text):
    alphabet = padded_alphabet(text)
    numbers = alphabet.encode(text)
    yield expect("characters of nietzsche", len(text), 600_893)
    yield expect("alphabet", len(alphabet), 85)
    for name, windows, validation in (("1", 200_297, 1), ("2", 600_885, 120_176), ("5", 75_111, 15_020)):
        options = SYSTEMS[f"nietzsche-{name}"].options
        count = len(cut_windows(numbers, options["length"], options["stride"]))
        yield expect(f"windows of nietzsche-{name}", count, windows)
        yield expect("for validation", len(split_windows(count, options["spared"])[1]), validation)
    training, validation = stateful_parts(text)
    yield expect("parts of nietzsche-7", [len(training), len(validation)], [493_747, 107_146])
    yield expect("alphabet, counted over the training part", len(frequent_alphabet(training)), 56)
    yield expect("alphabet, counted over the whole text", len(frequent_alphabet(text.lower())), 56)
    data = parallel_streams(torch.zeros(len(training)))
    yield expect("most batches of an epoch", epoch_batches(data), 963)
    counts = [sum(1 for _ in random_windows(data, random.Random(seed))) for seed in range(20)]
    yield expect("about 921 batches in the mean of 20 epochs", abs(sum(counts) / 20 - 921) < 12, True)


def invented_text(length):
    """Words of random letters: enough to train on, and nobody's."""
    generator = random.Random(0)
    words = (
        "".join(generator.choices(string.ascii_letters, k=generator.randint(1, 8))) + generator.choice("  ,.\n")
        for _ in range(length)
    )
    return (" for thos part of queens and " + "".join(words))[:length]


def two_steps(name):
    """Runs a system for two steps on invented text, with validation and samples."""
    system = SYSTEMS[name]
    if system.corpus == CSV:
        corpus = invented_text(60_000).split(".")
    else:
        corpus = invented_text(130_000 if name == "anna" else 8_000)
    result = train(name, corpus, Run(max_steps=2))
    losses = [point["train_loss"] for point in result["points"]]
    sane = len(losses) >= 1 and all(1 < loss < 6 for loss in losses) and all(map(len, result["samples"][:1]))
    return expect(f"{name}: two steps, {result['parameters']:,} parameters, loss {losses[-1]:.3f}", sane, True)


def check(data):
    """-> the exit code. Facts of the corpora are checked where there are any."""
    outcomes = list(network_facts())
    for facts in (holmes_facts, anna_facts, nietzsche_facts):
        path = data and data / f"{facts.__name__.split('_')[0]}.txt"
        if path and path.exists():
            outcomes += facts(read_text(path))
        else:
            print(f"skipped {facts.__name__.replace('_', ' ')}: no such text")
    outcomes += [two_steps(name) for name in SYSTEMS]
    print(f"{sum(outcomes)} of {len(outcomes)} as they should be")
    return 0 if all(outcomes) else 1


# ---- the command -----------------------------------------------------------------------------------------------------


def products_are_right():
    """Old OpenBLAS kernels can miscompute on new processors: then no training would mean anything."""
    a, b = torch.randn(130, 70), torch.randn(70, 90)
    return (a @ b - (a.double() @ b.double()).float()).abs().max().item() < 1e-3


def read_text(path):
    return path.read_bytes().decode("utf-8")


def train(name, corpus, run, **options):
    system = SYSTEMS[name]
    return run.result(system.train(run, corpus, **system.options, **options))


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", metavar="SYSTEM", nargs="?", choices=SYSTEMS, help="see --list")
    parser.add_argument("--list", action="store_true", help="list the systems and the text that each reads")
    parser.add_argument("--check", action="store_true",
                        help="check facts of the networks, of the texts in DIR if there are any, and two steps of each")
    parser.add_argument("--data", metavar="DIR", type=Path, help="where anna.txt, holmes.txt and nietzsche.txt are")
    parser.add_argument("--csv", metavar="FILE", type=Path, help="the tweets: one a row, in the first column")
    parser.add_argument("-o", metavar="OUTPUT", type=Path, dest="output", help="write the JSON here, not to stdout")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, metavar="N", help="cut the run short after N epochs")
    parser.add_argument("--steps", type=int, metavar="N", help="cut the run short after N steps")
    parser.add_argument("--threads", type=int, metavar="N", help="threads for PyTorch")
    parser.add_argument("--batch-size", type=int, metavar="N", help="tweets: records in a batch (32; also tried: 1)")
    options = parser.parse_args(arguments)
    if not (options.system or options.list or options.check):
        parser.error("name a system, or give --list or --check")
    if options.batch_size and options.system != "tweets":
        parser.error("--batch-size is for tweets alone")
    if options.system:
        wanted = "csv" if SYSTEMS[options.system].corpus == CSV else "data"
        if getattr(options, wanted) is None:
            parser.error(f"{options.system} needs --{wanted}")
    return options


def main(arguments):
    options = parse(arguments)
    if options.list:
        for name, system in SYSTEMS.items():
            print(f"{name:<14}{system.corpus}")
        return 0
    if options.threads:
        torch.set_num_threads(options.threads)
    if not products_are_right():
        sys.exit("PyTorch multiplies wrongly on this processor: choose another OPENBLAS_CORETYPE, such as Haswell")
    if options.check:
        return check(options.data)
    system = SYSTEMS[options.system]
    if system.corpus == CSV:
        with open(options.csv, encoding="utf-8", errors="replace", newline="") as file:
            corpus = read_records(file)
    else:
        corpus = read_text(options.data / system.corpus)
    extra = {"batch_size": options.batch_size} if options.batch_size else {}
    run = Run(options.seed, options.epochs, options.steps)
    result = train(options.system, corpus, run, **extra)
    result = {"system": options.system, "torch": str(torch.__version__), "seed": options.seed, **result}
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
