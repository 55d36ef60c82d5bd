"""check.py RUNE LOGITS PART: models of rune against the programs they are exchanged with.

  pytorch  what torch.save writes, in all ways, is imported; the loader of docs/exchange.md opens the result: logits of
           PyTorch's model before, of rune and of PyTorch after agree to 1e-5. Hostile files are refused, and not run.
  onnx     every exported model passes ONNX's checker; in onnxruntime-web its logits are rune's to 1e-5, given a whole
           text and character by character, and 500 characters of its most probable text are rune's
  docs     the commands and programs of docs/exchange.md run in their order, and do what the page says

RUNE is the program, LOGITS rune_exchange_logits. Exit code 0: all agree; 1: something does not; 77: a package is not
installed.
"""

import itertools
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path

try:
    import torch
    from torch import nn
except ImportError as error:
    print(f"skipped: {error}; the package python3-torch has what is needed")
    sys.exit(77)

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "exchange.md"
MODULES = HERE / "node_modules"
TOLERANCE = 1e-5
ALPHABET = "e\n tahé☂xo"  # in no order, as a set of Python gives it
TEXT = "the oath\nto hé xx ☂ hat hoax"
CELLS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class CharRNN(nn.Module):
    """A model as the notebooks write it: names of their own, batches first."""

    def __init__(self, cell, layers, hidden, embedding, bias=True, **options):
        super().__init__()
        self.encoder = nn.Embedding(len(ALPHABET), embedding) if embedding else None
        inputs = embedding or len(ALPHABET)
        self.rnn_layers = CELLS[cell](inputs, hidden, layers, batch_first=True, bias=bias, **options)
        self.decoder = nn.Linear(hidden, len(ALPHABET), bias=bias)
        # Far from linear, and led by the input, so that an error shows.
        for name, parameter in self.named_parameters():
            parameter.data *= 4 if name.endswith("ih_l0") else 2 if name.startswith("decoder") else 1

    def forward(self, tokens):
        one_hot = self.encoder is None
        x = nn.functional.one_hot(tokens, len(ALPHABET)).to(self.decoder.weight.dtype) if one_hot else self.encoder(tokens)
        return self.decoder(self.rnn_layers(x)[0])


def run(*command, status=0, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, encoding="utf-8", **options)
    if done.returncode != status:
        raise AssertionError(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def rune_logits(model, text=TEXT):
    lines = run(LOGITS, model, text).stdout.splitlines()
    return torch.tensor([json.loads(line) for line in lines])


def torch_logits(model, text=TEXT):
    with torch.no_grad():
        return model.eval()(torch.tensor([[ALPHABET.index(c) for c in text]]))[0].float()


def expect_equal(found, expected, what):
    error = (found - expected).abs().max().item()
    if found.shape != expected.shape or not error <= TOLERANCE:
        raise AssertionError(f"{what}: logits differ by {error}")


def page_blocks():
    """The fenced blocks of the page: (language, file name or empty, content)."""
    return re.findall(r"^```(\w+) ?([\w.]*)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def page_loader():
    scope = {}
    source = next(content for _, name, content in page_blocks() if name == "rune_model.py")
    exec(source, scope)  # the page's own program: that it works is what is tested
    return scope["load"]


def checkpoint(model, **more):
    layers = model.rnn_layers
    return {"n_hidden": layers.hidden_size, "n_layers": layers.num_layers, "state_dict": model.state_dict(),
            "tokens": tuple(ALPHABET), **more}


def write_safetensors(path, tensors, dtypes={torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.contiguous().view(torch.int16 if tensor.element_size() == 2 else torch.int32).numpy().tobytes()
        header[name] = {"dtype": dtypes[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    encoded = json.dumps(header).encode()
    Path(path).write_bytes(struct.pack("<Q", len(encoded)) + encoded + data)


def check_pytorch():
    load = page_loader()
    Path("alphabet.txt").write_text(ALPHABET, encoding="utf-8")
    Path("alphabet.json").write_text(json.dumps(list(ALPHABET)), encoding="utf-8")
    checks = 0

    def check(model, file, *flags, expected=None):
        nonlocal checks
        run(RUNE, "import", file, "-o", "model.safetensors", *flags)
        expected = torch_logits(model) if expected is None else expected
        expect_equal(rune_logits("model.safetensors"), expected, f"{file} in rune")
        run(RUNE, "export", "model.safetensors", "-o", "small.safetensors")
        back = load("small.safetensors")
        assert "".join(back.alphabet) == ALPHABET
        with torch.no_grad():
            logits = back(torch.tensor([[ALPHABET.index(c)] for c in TEXT]))[0][:, 0]
        expect_equal(logits, expected, f"{file} in PyTorch again")
        checks += 1

    for cell, layers, embedding in itertools.product(CELLS, (1, 3), (0, 4)):
        model = CharRNN(cell, layers, 6, embedding)
        for older in (False, True):
            torch.save(checkpoint(model), "model.net", _use_new_zipfile_serialization=not older)
            check(model, "model.net")

    model = CharRNN("gru", 2, 6, 6)  # an embedding as wide as the hidden state
    torch.save(model.state_dict(), "bare.pt")
    check(model, "bare.pt", "--alphabet", "alphabet.txt")
    check(model, "bare.pt", "--alphabet", "alphabet.json")
    torch.save({"epoch": 3, "net": {"weights": model.state_dict()}, "chars": list(ALPHABET),
                "optimizer": torch.optim.Adam(model.parameters()).state_dict(), "losses": [1.5, 1.25]}, "nested.pth")
    check(model, "nested.pth")
    torch.save(OrderedDict(model.named_parameters()), "parameters.pt")
    check(model, "parameters.pt", "--alphabet", "alphabet.txt")
    for protocol, older in itertools.product((3, 4, 5), (False, True)):
        torch.save(checkpoint(model), "p.pt", pickle_protocol=protocol, _use_new_zipfile_serialization=not older)
        check(model, "p.pt")
    transposed = {name: value.t().contiguous().t() for name, value in model.state_dict().items()}
    torch.save(checkpoint(model, state_dict=transposed), "strides.pt")
    check(model, "strides.pt")
    write_safetensors("foreign.safetensors", model.state_dict())
    check(model, "foreign.safetensors", "--alphabet", "alphabet.txt")

    unbiased = CharRNN("lstm", 1, 6, 0, bias=False)
    torch.save(checkpoint(unbiased), "unbiased.pt")
    check(unbiased, "unbiased.pt")
    relu = CharRNN("rnn", 1, 6, 0, nonlinearity="relu")
    torch.save(checkpoint(relu), "relu.pt")
    check(relu, "relu.pt", "--nonlinearity", "relu")
    tied = CharRNN("gru", 1, 5, 5)
    tied.decoder.weight = tied.encoder.weight
    torch.save(checkpoint(tied), "tied.pt")
    check(tied, "tied.pt")
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        other = CharRNN("lstm", 1, 6, 4).to(dtype)
        torch.save(checkpoint(other), "dtype.pt")
        rounded = CharRNN("lstm", 1, 6, 4)
        rounded.load_state_dict(other.state_dict())
        check(rounded, "dtype.pt")
        if dtype != torch.float64:
            write_safetensors("dtype.safetensors", other.state_dict())
            check(rounded, "dtype.safetensors", "--alphabet", "alphabet.txt")
    two = {"a": CharRNN("gru", 1, 6, 0).state_dict(), "b": model.state_dict(), "tokens": list(ALPHABET)}
    torch.save(two, "two.pt")
    check(model, "two.pt", "--recurrent", "b/rnn_layers")

    class Hostile:
        def __reduce__(self):
            return os.system, ("touch executed",)

    class Layers(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.norm, self.fc = nn.LSTM(10, 6), nn.LayerNorm(6), nn.Linear(6, 10)

    def refused(file, *messages, flags=()):
        nonlocal checks
        before = Path("model.safetensors").read_bytes()
        error = run(RUNE, "import", file, "-o", "model.safetensors", *flags, status=1).stderr
        for message in (file, *messages):
            assert message in error, f"{file}: {error}"
        assert Path("model.safetensors").read_bytes() == before
        checks += 1

    for older in (False, True):
        torch.save(checkpoint(model, extra=Hostile()), "hostile.pt", _use_new_zipfile_serialization=not older)
        refused("hostile.pt", '"posix.system"')
        assert not Path("executed").exists()
        torch.save(model, "module.pt", _use_new_zipfile_serialization=not older)
        refused("module.pt", '"__main__.CharRNN"', "state_dict()")
        broken = CharRNN("gru", 1, 6, 0)
        broken.decoder.weight.data[3, 2] = float("nan")
        torch.save(checkpoint(broken), "nan.pt", _use_new_zipfile_serialization=not older)
        refused("nan.pt", "decoder.weight", "element 20", "finite")
    refused("bare.pt", "--alphabet FILE", "--alphabet-of TEXT")
    refused("two.pt", "--recurrent", '"a/rnn_layers.weight_ih_l0"', '"b/rnn_layers.weight_ih_l0"')
    torch.save({"state_dict": Layers().state_dict(), "tokens": list(ALPHABET)}, "norm.pt")
    refused("norm.pt", '"state_dict/norm.weight"')
    torch.save(checkpoint(model, n_hidden=7), "sizes.pt")
    refused("sizes.pt", "n_hidden = 7", "6")
    torch.save({"state_dict": nn.LSTM(10, 6, bidirectional=True).state_dict()}, "both.pt")
    refused("both.pt", "projection")
    torch.jit.script(nn.Linear(2, 2)).save("script.pt")
    refused("script.pt", "TorchScript")
    for file in ("model.net", "bare.pt"):  # the older format, and the newer
        whole = Path(file).read_bytes()
        for size in range(0, len(whole), 97):
            Path("cut.pt").write_bytes(whole[:size])
            refused("cut.pt", flags=("--alphabet", "alphabet.txt"))
    return checks


def check_onnx():
    try:
        import onnx
    except ImportError as error:
        print(f"skipped: {error}; the package python3-onnx has what is needed")
        sys.exit(77)
    require_node()
    cases = []
    for cell, layers, embedding, more in [("rnn", 1, 0, {}), ("rnn", 2, 3, {"nonlinearity": "relu"}), ("gru", 3, 0, {}),
                                          ("gru", 1, 4, {}), ("lstm", 1, 5, {}), ("lstm", 3, 0, {})]:
        name = f"{len(cases)}-{cell}"
        model = CharRNN(cell, layers, 16, embedding, **more)
        torch.save(checkpoint(model), f"{name}.net")
        run(RUNE, "import", f"{name}.net", "-o", f"{name}.safetensors", "--nonlinearity", more.get("nonlinearity", "tanh"))
        run(RUNE, "export", f"{name}.safetensors", "-o", f"{name}.onnx")
        file = onnx.load(f"{name}.onnx")
        onnx.checker.check_model(file, full_check=True)
        alphabet = json.loads({entry.key: entry.value for entry in file.metadata_props}["rune.vocabulary"])
        assert "".join(map(chr, alphabet)) == ALPHABET
        cases.append({"file": f"{name}.onnx", "tokens": [ALPHABET.index(c) for c in TEXT], "layers": layers,
                      "hidden": 16, "cell": cell == "lstm", "length": 500})
    Path("cases.json").write_text(json.dumps(cases))
    shutil.copy(HERE / "run_onnx.mjs", "run_onnx.mjs")
    results = json.loads(run("node", "run_onnx.mjs", "cases.json").stdout)
    varied = 0
    for case, result in zip(cases, results, strict=True):
        model = case["file"].replace(".onnx", ".safetensors")
        expected = rune_logits(model)
        for way in ("whole", "steps"):
            expect_equal(torch.tensor(result[way]).reshape(expected.shape), expected, f"{case['file']} {way}")
        both = torch.tensor(result["batch"]).reshape(len(TEXT), 2, len(ALPHABET))
        for stream in range(2):
            expect_equal(both[:, stream], expected, f"{case['file']} stream {stream}")
        sample = run(RUNE, "sample", model, "-p", TEXT, "-n", 500, "--temperature", 0).stdout
        written = TEXT + "".join(ALPHABET[token] for token in result["text"])
        assert sample == written, f"{case['file']} writes\n{written}\nrune writes\n{sample}"
        varied += len(set(sample[len(TEXT):])) > 1
    assert varied > len(cases) // 2, f"{len(cases) - varied} texts are one character again and again, and tell nothing"
    return len(cases)


def require_node():
    if shutil.which("node") is None or not MODULES.is_dir():
        print(f"skipped: node or {MODULES} is missing; scripts/install-deps --test installs both")
        sys.exit(77)
    Path("node_modules").symlink_to(MODULES)


def check_docs():
    require_node()
    words = ["the", "rain", "came", "über", "hills", "and", "naïve", "sea", "slept"]
    state, text = 1, ""
    for _ in range(3000):
        state = state * 6364136223846793005 % 2**64 + 1442695040888963407
        text += words[(state >> 33) % len(words)] + (".\n" if state >> 60 == 0 else " ")
    Path("book.txt").write_text(text, encoding="utf-8")
    os.symlink(RUNE, "rune")
    path = f"{Path.cwd()}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    printed = []  # of each block: its language and output
    blocks = page_blocks()
    for number, (language, name, content) in enumerate(blocks):
        if language == "sh":
            command = ["bash", "-euo", "pipefail", "-c", content]
        else:
            Path(name or f"block{number}.py").write_text(content, encoding="utf-8")
            command = ["node", name] if language == "js" else [sys.executable, name or f"block{number}.py"]
        printed.append((language, run(*command, env=environment).stdout))

    def output(language):
        return [text for known, text in printed if known == language]

    most_probable = run(RUNE, "sample", "back.safetensors", "-p", "the ", "-n", 200, "--temperature", 0).stdout
    assert output("js") == [most_probable + "\n"], f"{output('js')} is not {most_probable!r}"
    candidates = json.loads(run(RUNE, "next", "book.safetensors", "the ", "-k", 3, "--json").stdout)
    expected = [f"{candidate['character']!r} {round(candidate['probability'], 4)}" for candidate in candidates]
    assert output("python")[1].splitlines() == expected, f"{output('python')[1]} is not {expected}"
    return len(blocks)


def main():
    global RUNE, LOGITS
    RUNE, LOGITS = (Path(program).resolve() for program in sys.argv[1:3])
    torch.manual_seed(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        count = {"pytorch": check_pytorch, "onnx": check_onnx, "docs": check_docs}[sys.argv[3]]()
        os.chdir("/")
    print(f"{sys.argv[3]}: {count} checks passed")


if __name__ == "__main__":
    main()
