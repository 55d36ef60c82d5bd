"""check.py PROGRAM [--self-test]: computes again in PyTorch what rune_parity_dump (PROGRAM) wrote, and compares.

  models     logits, losses, states and gradients of the engine (f32) to 1e-5, of the double-precision twin to 1e-9,
             relative to the norm of each tensor, for every cell, number of layers and input; without dropout, with it,
             and with locked dropout and weight-drop
  training   100 steps of every optimiser and schedule: the distance of the parameters to PyTorch's in float64 is at
             most twice that of PyTorch's own in float32, root mean squares over the seeds; the learning rates are
             PyTorch's; gradients are clipped in some of the steps
  recipes    all epochs of the Nietzsche recipes on a small text, as tools/pytorch_systems.py trains them, on the same
             batches from the same weights: parameters as above, but for the factor; the losses of every epoch to
             1e-5; and at their own size they begin with the weights that PyTorch draws (Kolmogorov-Smirnov)

--self-test expects failures instead: each comparison is given one wrong tensor and has to notice.
Exit code 0: all agree; 1: something does not; 77: PyTorch is not installed.
"""

import json
import math
import os
import struct
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr
from functools import partial
from pathlib import Path

try:
    import numpy as np
    import torch
    from torch import nn
    from torch.optim import lr_scheduler
except ImportError as error:
    print(f"skipped: {error}; the package python3-torch has what is needed")
    sys.exit(77)

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import pytorch_systems as systems  # noqa: E402

ENGINE_TOLERANCE = 1e-5
TWIN_TOLERANCE = 1e-9
TRAINING_RATIO = 2
RECIPE_RATIO = 20  # of one seed; a single wrong target of the first batch makes it over 1,000
LOSS_TOLERANCE = 1e-5
DISTRIBUTION_TOLERANCE = 2.0  # in units of the root of the number of values: chance exceeds it once in 1,500 tensors
DTYPES = {"F32": np.float32, "F64": np.float64, "I64": np.int64}


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    case = json.loads(header.pop("__metadata__")["case"])
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(data[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(array.copy())
    return case, tensors


def with_prefix(tensors, prefix):
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


class Loop(nn.Module):
    """The cells loop and loop_concat as the notebooks write them: two linear layers for each recurrent layer."""

    def __init__(self, concat, inputs, hidden, layers):
        super().__init__()
        self.concat = concat
        self.inputs = [inputs] + [hidden] * (layers - 1)
        self.l_in = nn.ModuleList(nn.Linear(size + (hidden if concat else 0), hidden) for size in self.inputs)
        self.l_hidden = nn.ModuleList(nn.Linear(hidden, hidden) for _ in self.inputs)

    def forward(self, x, before=None, masks=None, weight_masks=None):
        if before is None:
            before = x.new_zeros(len(self.inputs), x.shape[1], self.l_hidden[0].in_features)
        after = []
        for layer, h in enumerate(before):
            outputs = []
            weight = self.l_hidden[layer].weight * (weight_masks[layer] if weight_masks else 1)
            for e in x:
                if self.concat:
                    u = nn.functional.relu(self.l_in[layer](torch.cat((h, e), 1)))
                else:
                    u = h + nn.functional.relu(self.l_in[layer](e))
                h = torch.tanh(nn.functional.linear(u, weight, self.l_hidden[layer].bias))
                outputs.append(h)
            after.append(h)
            x = torch.stack(outputs)
            if masks:
                x = x * masks[layer]
        return x, torch.stack(after)

    def checkpoint(self):
        """What a checkpoint calls the parameters: name -> parameter, its columns."""
        names = {}
        for layer, inputs in enumerate(self.inputs):
            l_in, l_hidden = self.l_in[layer], self.l_hidden[layer]
            names[f"weight_ih_l{layer}"] = l_in.weight, slice(-inputs, None)
            if self.concat:
                names[f"weight_uh_l{layer}"] = l_in.weight, slice(None, -inputs)
            names[f"weight_hh_l{layer}"] = l_hidden.weight, slice(None)
            names[f"bias_ih_l{layer}"] = l_in.bias, slice(None)
            names[f"bias_hh_l{layer}"] = l_hidden.bias, slice(None)
        return names


class MinGru(nn.Module):
    """arXiv 2410.01201, step by step, with the g of its log-space form; the two linear layers of each layer as one."""

    def __init__(self, inputs, hidden, layers):
        super().__init__()
        for layer in range(layers):
            linear = nn.Linear(inputs if layer == 0 else hidden, 2 * hidden)
            self.register_parameter(f"weight_ih_l{layer}", linear.weight)
            self.register_parameter(f"bias_ih_l{layer}", linear.bias)

    def forward(self, x, before, masks=None, weight_masks=None):
        after = []
        for layer, h in enumerate(before):
            parameters = (getattr(self, f"{kind}_l{layer}") for kind in ("weight_ih", "bias_ih"))
            z, candidates = nn.functional.linear(x, *parameters).chunk(2, -1)
            z, candidates = z.sigmoid(), torch.where(candidates >= 0, candidates + 0.5, candidates.sigmoid())
            outputs = []
            for gate, candidate in zip(z, candidates):
                h = (1 - gate) * h + gate * candidate
                outputs.append(h)
            after.append(h)
            x = torch.stack(outputs)
            if masks:
                x = x * masks[layer]
        return x, torch.stack(after)


class Model(nn.Module):
    """The model as a PyTorch user would write it."""

    def __init__(self, case):
        super().__init__()
        self.case = case
        if case["embedding"]:
            self.embedding = nn.Embedding(case["vocabulary_size"], case["embedding"])
        inputs = case["embedding"] or case["vocabulary_size"]
        recurrent = {
            "rnn": partial(nn.RNN, nonlinearity=case["nonlinearity"]),
            "gru": nn.GRU,
            "lstm": nn.LSTM,
            "loop": partial(Loop, False),
            "loop_concat": partial(Loop, True),
            "mingru": MinGru,
        }[case["cell"]]
        setattr(self, case["cell"], recurrent(inputs, case["hidden_size"], case["layers"]))
        self.fc = nn.Linear(case["hidden_size"], case["vocabulary_size"])

    def checkpoint(self):
        """What a checkpoint calls the parameters: name -> parameter, its columns. Its own names, but for a Loop."""
        names = {name: (parameter, slice(None)) for name, parameter in self.named_parameters()}
        cell = self.case["cell"]
        if isinstance(getattr(self, cell), Loop):
            names = {name: entry for name, entry in names.items() if not name.startswith(f"{cell}.")}
            names.update({f"{cell}.{name}": entry for name, entry in getattr(self, cell).checkpoint().items()})
        return names

    def load(self, tensors, dtype):
        self.to(dtype)
        with torch.no_grad():
            for name, (parameter, columns) in self.checkpoint().items():
                assert parameter[..., columns].shape == tensors[name].shape, name
                parameter[..., columns].copy_(tensors[name])
        return self

    def forward(self, inputs, state, masks=None, weight_masks=None):
        """Tokens (T,B) -> logits (T,B,V), state. The state is a tuple of (layers,B,H), or None for zero."""
        if self.case["embedding"]:
            x = self.embedding(inputs)
        else:
            x = nn.functional.one_hot(inputs, self.case["vocabulary_size"]).to(self.fc.weight.dtype)
        x, state = self.recurrent(x, state, masks, weight_masks) if masks else self.stack(x, state)
        return self.fc(x), state

    def stack(self, x, state):
        lstm = self.case["cell"] == "lstm"
        x, state = getattr(self, self.case["cell"])(x, state if state is None or lstm else state[0])
        return x, state if lstm else (state,)

    def recurrent(self, x, state, masks, weight_masks):
        """As stack, each layer's output, and its recurrent weights where there are masks for them, multiplied by its
        mask, by PyTorch's functions for one layer."""
        module = getattr(self, self.case["cell"])
        if isinstance(module, (Loop, MinGru)):
            x, after = module(x, state[0], masks, weight_masks)
            return x, (after,)
        function = {"rnn": f"rnn_{self.case['nonlinearity']}"}.get(self.case["cell"], self.case["cell"])
        states = []
        for layer, mask in enumerate(masks):
            weights = [getattr(module, f"{kind}_l{layer}") for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
            if weight_masks:
                weights[1] = weights[1] * weight_masks[layer]
            before = [part[layer : layer + 1] for part in state]
            before = before if self.case["cell"] == "lstm" else before[0]
            x, *after = getattr(torch._VF, function)(x, before, weights, True, 1, 0.0, True, False, False)
            states.append(after)
            x = x * mask
        return x, tuple(torch.cat(parts) for parts in zip(*states))


def losses_of(logits, targets):
    return nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=-1, reduction="none")


def pytorch_results(case, tensors, dtype):
    """Everything that the engine and its twin wrote down for a case, by the same names."""
    model = Model(case).load(tensors, dtype)
    inputs, targets = tensors["inputs"], tensors["targets"]
    parts = ["hidden", "cell"] if case["cell"] == "lstm" else ["hidden"]
    initial = tuple(tensors[f"initial.{part}"].to(dtype) for part in parts)

    def masks_of(kind):
        return [tensors[f"{kind}.{layer}"].to(dtype) for layer in range(case["layers"])] if case[kind] else None

    results = {}

    def run(mode, *masks):
        logits, state = model(inputs, initial, *masks)
        losses = losses_of(logits, targets)
        results[f"{mode}.losses"] = losses.detach().reshape(targets.shape)
        results.update({f"{mode}.{part}": value.detach() for part, value in zip(parts, state)})
        return logits, losses

    results["evaluation.logits"] = run("evaluation")[0].detach()
    losses = run("training", masks_of("dropout"), masks_of("weight_drop"))[1]
    (losses.sum() / (targets >= 0).sum()).backward()
    for name, (parameter, columns) in model.checkpoint().items():
        results[f"training.gradient.{name}"] = parameter.grad[..., columns]
    for mode in ("evaluation", "training"):
        results[f"{mode}.loss"] = results[f"{mode}.losses"].double().sum() / (targets >= 0).sum()
    return results


def distance(found, expected):
    """Of two tensors, relative to the norm of what is expected."""
    return ((found.double() - expected.double()).norm() / expected.double().norm()).item()


def worst_distance(found, expected):
    if found.keys() != expected.keys():
        raise SystemExit(f"the dump and check.py name different tensors: {sorted(found.keys() ^ expected.keys())}")
    return max((distance(found[name], expected[name]), name) for name in expected)


def check_model(path, break_one=False):
    """-> for the engine and the twin: (worst distance, where it is)."""
    case, tensors = read_safetensors(path)
    if break_one:
        swap_gates(case, tensors)
    worst = {}
    for who, dtypes in (("engine", (torch.float32, torch.float64)), ("twin", (torch.float64,))):
        found = with_prefix(tensors, f"{who}.")
        for mode in ("evaluation", "training"):
            found[f"{mode}.loss"] = found[f"{mode}.losses"].double().sum() / (tensors["targets"] >= 0).sum()
        worst[who] = max(worst_distance(found, pytorch_results(case, tensors, dtype)) for dtype in dtypes)
    return case, worst


def swap_gates(case, tensors):
    """Exchanges the first two gates of a layer (where it has but one: two units)."""
    weight = tensors[f"{case['cell']}.weight_{'ih' if case['cell'] == 'mingru' else 'hh'}_l0"]
    rows = 1 if len(weight) == case["hidden_size"] else case["hidden_size"]
    weight[: 2 * rows] = weight[: 2 * rows].roll(rows, 0)


def make_optimizer(case, parameters):
    options = dict(case["optimizer"])
    optim = torch.optim
    kinds = {"adam": optim.Adam, "adamw": optim.AdamW, "sgd": optim.SGD, "rmsprop": optim.RMSprop}
    return kinds[options.pop("kind")](parameters, **options)


def pytorch_rates(case, steps, epoch):
    """The learning rate of every step by PyTorch's schedulers; stages and warm-up, which it has not, by hand."""
    optimizer = make_optimizer(case, [torch.zeros(1, requires_grad=True)])
    base = case["optimizer"]["lr"]

    def rates(scheduler, count=steps):
        found = []
        for _ in range(count):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return found

    def warmed_up(count, after):
        return [after[0] * (i + 1) / (count + 1) for i in range(count)] + after

    schedules = {
        "step": lambda: rates(lr_scheduler.StepLR(optimizer, 2 * epoch, 0.5)),
        "exponential": lambda: rates(lr_scheduler.ExponentialLR(optimizer, 0.97)),
        "cosine": lambda: rates(lr_scheduler.CosineAnnealingLR(optimizer, steps, 1e-4)),
        "restarts": lambda: rates(lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 30, 1, 1e-4)),
        "restarts_twice_as_long": lambda: rates(lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 15, 2)),
        "stages": lambda: [5e-3] * 4 * epoch + [1e-3] * 30 + [2e-4] * 30,
        "warmup_constant": lambda: warmed_up(20, [base] * (steps - 20)),
        "warmup_cosine": lambda: warmed_up(
            epoch, rates(lr_scheduler.CosineAnnealingLR(optimizer, steps - epoch), steps - epoch)
        ),
    }
    return schedules.get(case["name"], lambda: [base] * steps)()


def pytorch_training(case, tensors, rates, dtype):
    """-> the trained parameters and the share of steps that were clipped."""
    model = Model(case).load(tensors, dtype)
    optimizer = make_optimizer(case, model.parameters())
    blocks = len(tensors["inputs"])
    clipped = 0
    for step, rate in enumerate(rates):
        block = step % blocks
        if block == 0:
            state = None
        logits, state = model(tensors["inputs"][block], state)
        state = tuple(part.detach() for part in state)
        optimizer.zero_grad()
        losses_of(logits, tensors["targets"][block]).mean().backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), case["clip_norm"])
        clipped += norm.item() > case["clip_norm"]
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
    return model.state_dict(), clipped / len(rates)


def total_distance(found, expected):
    return math.sqrt(sum((found[name].double() - expected[name]).square().sum().item() for name in expected))


def check_training(path, break_one=False):
    """-> distances of the engine and of PyTorch in float32 to PyTorch in float64; how far the learning rates differ."""
    case, tensors = read_safetensors(path)
    if break_one:
        tensors["trained.fc.bias"] += 1e-4
    rates = pytorch_rates(case, len(tensors["learning_rates"]), len(tensors["inputs"]))
    exact, clipped = pytorch_training(case, tensors, rates, torch.float64)
    single, _ = pytorch_training(case, tensors, rates, torch.float32)
    expected_rates = torch.tensor(rates, dtype=torch.float64)
    return (
        case,
        total_distance(with_prefix(tensors, "trained."), exact),
        total_distance(single, exact),
        ((tensors["learning_rates"] - expected_rates).abs().max() / expected_rates.max()).item(),
        clipped,
    )


class Scored(nn.Module):
    """A model as tools/pytorch_systems.py calls it: only the last step's logits where that step alone is scored."""

    def __init__(self, model, last_only):
        super().__init__()
        self.model, self.last_only = model, last_only

    def forward(self, characters, state=None):
        logits, state = self.model(characters, state)
        return logits[-1:] if self.last_only else logits, state


def recipe_block(case, tensors, name):
    """Inputs and targets as the notebooks have them: a last batch is smaller, not padded."""
    inputs, targets = tensors[f"{name}.inputs"], tensors[f"{name}.targets"]
    real = targets[-1] >= 0
    inputs, targets = inputs[:, real], targets[-1:, real] if case["last_only"] else targets[:, real]
    assert (targets >= 0).all(), name
    return inputs, targets


def pytorch_recipe(case, tensors, dtype):
    """-> the trained parameters, (steps, train losses, validation losses) of the epochs."""
    options = systems.SYSTEMS[case["name"]].options
    carry = "spared" not in options
    epochs = [[recipe_block(case, tensors, f"training.{epoch}.{i}") for i in range(count)]
              for epoch, count in enumerate(case["batches"])]
    held_out = [recipe_block(case, tensors, f"validation.{i}") for i in range(case["validation_batches"])]
    model = Model(case).load(tensors, dtype)
    run = systems.Run(max_epochs=len(epochs))
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        systems.fit(run, Scored(model, case["last_only"]), options["stages"], iter(epochs).__next__, lambda: held_out,
                    list, carry, cycle=963, weight_decay=options.get("weight_decay", 0.0))
    trained = {name: parameter.detach()[..., columns] for name, (parameter, columns) in model.checkpoint().items()}
    return trained, {key: [point[key] for point in run.points] for key in ("step", "train_loss", "validation_loss")}


def check_recipe(path, break_one=False):
    """-> distances of the engine and of PyTorch in float32 to PyTorch in float64; the engine's worst loss, its steps."""
    case, tensors = read_safetensors(path)
    if break_one:
        target = tensors["training.0.0.targets"][-1]
        target[0] = (target[0] + 1) % case["vocabulary_size"]
    exact, points = pytorch_recipe(case, tensors, torch.float64)
    single, _ = pytorch_recipe(case, tensors, torch.float32)
    found = {key: tensors[f"report.{key}"].tolist() for key in points}
    losses = max(abs(ours / theirs - 1) for key in ("train_loss", "validation_loss")
                 for ours, theirs in zip(found[key], points[key]))
    same_steps = found["step"] == points["step"]
    return (case, total_distance(with_prefix(tensors, "trained."), exact), total_distance(single, exact),
            losses if same_steps else math.inf, points["step"][-1])


def initial_parameters(case):
    """What PyTorch begins with, by a checkpoint's names."""
    torch.manual_seed(0)
    network = systems.SYSTEMS[case["name"]].options["network"](case["vocabulary_size"])
    cell, hidden = case["cell"], case["hidden_size"]
    tensors = {"embedding.weight": network.embedding.weight, "fc.weight": network.output.weight,
               "fc.bias": network.output.bias}
    if isinstance(network, systems.CharLoop):
        tensors.update({f"{cell}.weight_ih_l0": network.input.weight[:, -case["embedding"]:],
                        f"{cell}.bias_ih_l0": network.input.bias, f"{cell}.weight_hh_l0": network.hidden.weight,
                        f"{cell}.bias_hh_l0": network.hidden.bias})
        if network.concatenate:
            tensors[f"{cell}.weight_uh_l0"] = network.input.weight[:, :hidden]
    else:
        tensors.update({f"{cell}.{name}": value for name, value in network.recurrent.named_parameters()})
    return {name: value.detach() for name, value in tensors.items()}


def distribution_distance(one, other):
    """Of two tensors' values, which need not be as many: Kolmogorov and Smirnov's, times the root of their number."""
    one, other = (np.sort(tensor.numpy().ravel()) for tensor in (one, other))
    both = np.concatenate((one, other))
    shares = [np.searchsorted(values, both, side="right") / len(values) for values in (one, other)]
    return np.abs(shares[0] - shares[1]).max() * math.sqrt(len(one) * len(other) / (len(one) + len(other)))


def check_initial(path):
    case, tensors = read_safetensors(path)
    expected = initial_parameters(case)
    if tensors.keys() != expected.keys() or any(tensors[name].shape != expected[name].shape for name in expected):
        raise SystemExit(f"{case['name']}: other parameters: {sorted(tensors)} instead of {sorted(expected)}")
    return case, max((distribution_distance(tensors[name], expected[name]), name) for name in expected)


def root_mean_square(values):
    return math.sqrt(sum(value * value for value in values) / len(values))


def report(agrees, group, text):
    print(f"{'ok  ' if agrees else 'FAIL'} {group:<39} {text}", flush=True)
    return agrees


def check_models(pool, paths):
    groups = defaultdict(list)
    for case, worst in pool.map(check_model, paths):
        cell = f"{case['cell']} {case['nonlinearity']}" if case["cell"] == "rnn" else case["cell"]
        name = f"{cell}, {case['layers']} layers, {'embedding' if case['embedding'] else 'one-hot'}"
        groups[name].append(worst)
    agree = []
    for group, cases in groups.items():
        engine, twin = (max(worst[who] for worst in cases) for who in ("engine", "twin"))
        agree.append(
            report(
                engine[0] <= ENGINE_TOLERANCE and twin[0] <= TWIN_TOLERANCE,
                group,
                f"engine {engine[0]:.1e} ({engine[1]}), twin {twin[0]:.1e} ({twin[1]})",
            )
        )
    return agree


def check_trainings(pool, paths):
    groups = defaultdict(list)
    for case, *numbers in pool.map(check_training, paths):
        groups[case["name"]].append(numbers)
    agree = []
    for group, cases in groups.items():
        engine, single, rates, clipped = zip(*cases)
        engine, single = root_mean_square(engine), root_mean_square(single)
        clipped = sum(clipped) / len(clipped)
        agree.append(
            report(
                engine <= TRAINING_RATIO * single and max(rates) < 1e-12 and 0 < clipped < 1,
                group,
                f"engine {engine:.2e}, float32 PyTorch {single:.2e}, ratio {engine / single:.2f}; "
                f"learning rates {max(rates):.0e}; clipped {100 * clipped:.0f}% of the steps",
            )
        )
    return agree


def check_recipes(pool, recipes, initial):
    starts = {case["name"]: worst for case, worst in pool.map(check_initial, initial)}
    agree = []
    for case, engine, single, losses, steps in pool.map(check_recipe, recipes):
        start, where = starts[case["name"]]
        agree.append(
            report(
                engine <= RECIPE_RATIO * single and losses < LOSS_TOLERANCE and start < DISTRIBUTION_TOLERANCE,
                case["name"],
                f"engine {engine:.2e}, float32 PyTorch {single:.2e}, ratio {engine / single:.2f}; {steps} steps, "
                f"losses {losses:.0e}; first weights {start:.1f} ({where})",
            )
        )
    return agree


def self_test(model_paths, training_paths, recipe_path):
    """Every comparison has to notice a wrong tensor."""
    noticed = []
    for path in model_paths:
        case, worst = check_model(path, break_one=True)
        seen = worst["engine"][0] > ENGINE_TOLERANCE and worst["twin"][0] > TWIN_TOLERANCE
        noticed.append(report(seen, path.stem, f"two gates swapped: engine {worst['engine'][0]:.1e}"))
    case, engine, single, *_ = check_training(training_paths[0], break_one=True)
    seen = engine > TRAINING_RATIO * single
    noticed.append(report(seen, case["name"], f"bias moved by 1e-4: ratio {engine / single:.1f}"))
    case, engine, single, *_ = check_recipe(recipe_path, break_one=True)
    seen = engine > RECIPE_RATIO * single
    noticed.append(report(seen, case["name"], f"one target moved: ratio {engine / single:.1f}"))
    return noticed


def product_is_right():
    """Old OpenBLAS kernels miscompute on some new processors: then no comparison would mean anything."""
    torch.manual_seed(1)
    a, b = torch.randn(67, 131), torch.randn(131, 259)
    expected = np.einsum("ik,kj->ij", a.double().numpy(), b.double().numpy())  # without BLAS
    return distance(a @ b, torch.from_numpy(expected)) < 1e-5


def use_one_thread():
    torch.set_num_threads(1)


def main(arguments):
    program = next((argument for argument in arguments if not argument.startswith("--")), None)
    if program is None:
        print(__doc__)
        return 2
    use_one_thread()
    if not product_is_right():
        print("FAIL PyTorch's own float32 matrix product is wrong on this processor (its BLAS library is at fault); "
              "try another one, or OPENBLAS_CORETYPE=Haswell")
        return 1
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(2, initializer=use_one_thread) as pool:
        subprocess.run([program, folder], check=True)
        models = sorted(Path(folder).glob("model_*.safetensors"))
        trainings = sorted(Path(folder).glob("training_*.safetensors"))
        recipes = sorted(Path(folder).glob("recipe_*.safetensors"))
        if "--self-test" in arguments:
            agree = self_test([path for path in models if "_2_layers_one_hot" in path.stem], trainings, recipes[0])
        else:
            agree = check_models(pool, models) + check_trainings(pool, trainings)
            agree += check_recipes(pool, recipes, sorted(Path(folder).glob("initial_*.safetensors")))
    print(f"{sum(agree)} of {len(agree)} comparisons as they should be")
    return 0 if agree and all(agree) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
