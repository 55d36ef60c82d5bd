#!/usr/bin/env python3
"""Goes through the page of `rune serve` in Chromium, beside real runs, one of them live.

usage: check.py PROGRAM PICTURES
       check.py PROGRAM PICTURES --docs    makes the pictures of docs/page.md, in some two minutes
       check.py types                      whether the page's TypeScript is sound

PICTURES is the folder for screenshots of every view. Exit code 77: Node.js, Chromium or what drives it is not
installed, or the program was built without its page.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
SPARE = ["desktop-light", "phone-dark"]  # looks of the page in which a run is renamed and thrown away
KEY = "a-key-for-the-tests"
TEXT = "the rain came over hills and the sea slept. who knows what quiet waves begin?\nall is well, and so on.\n" * 100
TINY = ["--layers", "1", "--hidden-size", "24", "--batch-size", "4", "--sequence-length", "16", "--lr", "0.01"]


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def train(rune, name, *options):
    subprocess.run([rune, "train", "book.txt", "-o", f"runs/{name}", *TINY, "--steps", "300", "--eval-every", "30",
                    "--threads", "1", "--quiet", *options], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def serving(command, stream):
    """A program that names its address in the first line of one of its streams."""
    process = subprocess.Popen(command, text=True, **{stream: subprocess.PIPE})
    try:
        line = getattr(process, stream).readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, line
        yield found[0], process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(60)


def serve(rune, *arguments):
    return serving([rune, "serve", *arguments, "--port", "0", "--threads", "1"], "stdout")


def live_training(rune, *options):
    return serving([rune, "train", "book.txt", "-o", "runs/live", "--threads", "1", "--layers", "1", "--lr", "0.004",
                    *options, "--quiet", "--serve", "--port", "0"], "stderr")


def check_copied(copied, address):
    """What the page offers to copy writes the text that it shows."""
    for language, found in copied.items():
        command = found["command"] if language != "Python" else ["python3", "-c", found["command"]]
        done = subprocess.run(command, shell=language != "Python", capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{found['command']}\n{done.stderr}"
        text = json.loads(done.stdout)["choices"][0]["text"] if language == "curl" else done.stdout.rstrip("\n")
        text = text if language == "rune" else "the rain " + text
        assert text == found["written"].rstrip("\n"), (language, text, found["written"])
        assert address in found["command"] or language == "rune", found["command"]


def node(script, task):
    done = subprocess.run(["node", str(HERE / script), json.dumps(task)], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout


def take_pictures(rune, pictures):
    """Of runs that learn from what scripts/quickstart learns from."""
    fortunes = Path("/usr/share/games/fortunes")
    texts = [(fortunes / name).read_text(encoding="utf-8") for name in ("literature", "people", "science", "wisdom")]
    Path("book.txt").write_text("".join(texts), encoding="utf-8")
    shape = ["--layers", "1", "--batch-size", "8", "--sequence-length", "32", "--lr", "0.004", "--threads", "1",
             "--eval-every", "200", "--quiet"]
    for name, *options in (["lstm-128", "--hidden-size", "128", "--steps", "6000"],
                           ["gru-96", "--cell", "gru", "--hidden-size", "96", "--steps", "6000"],
                           ["dropout", "--hidden-size", "96", "--dropout", "0.3", "--steps", "6000"],
                           ["rnn-64", "--cell", "rnn", "--hidden-size", "64", "--steps", "4000"]):
        subprocess.run([rune, "train", "book.txt", "-o", f"runs/{name}", *shape, *options], check=True,
                       stdout=subprocess.DEVNULL)
    with ExitStack() as stack:
        live, training = stack.enter_context(live_training(
            rune, "--hidden-size", "64", "--batch-size", "8", "--sequence-length", "32", "--steps", "60000",
            "--eval-every", "200"))
        address, _ = stack.enter_context(serve(rune, "runs/lstm-128", "runs/gru-96"))
        time.sleep(25)
        node("pictures.mjs", {"live": live, "serve": address, "pictures": str(pictures)})
        training.terminate()


def journey(rune, pictures):
    Path("book.txt").write_text(TEXT, encoding="utf-8")
    train(rune, "book")
    train(rune, "gru", "--cell", "gru")
    train(rune, "wide", "--hidden-size", "40")
    for look in SPARE:
        shutil.copytree("runs/gru", f"runs/spare-{look}")
    Path("empty").mkdir()
    Path("key").write_text(KEY + "\n", encoding="utf-8")
    os.chmod("key", 0o600)
    with ExitStack() as stack:
        live, training = stack.enter_context(live_training(
            rune, "--hidden-size", "24", "--batch-size", "4", "--sequence-length", "16", "--steps", "100000000",
            "--eval-every", "200"))
        address, _ = stack.enter_context(serve(rune, "runs/book", "runs/gru"))
        empty, _ = stack.enter_context(serve(rune, "--runs", "empty"))
        locked, _ = stack.enter_context(serve(rune, "--api-key-file", "key"))
        try:
            urllib.request.urlopen(address)
        except urllib.error.HTTPError:
            skip("the program was built without its page; install Node.js with npm and build again")
        task = {"live": live, "serve": address, "empty": empty, "locked": locked, "key": KEY, "pictures": str(pictures)}
        report = json.loads(node("journey.mjs", task))
        assert training.wait(60) == 0, "the training did not stop as it was asked to"
        check_copied(report.pop("copied"), address)
    assert sorted(run.name for run in Path("runs/trash").iterdir()) == [f"<i>{look}" for look in SPARE]
    return report


def check_types():
    web = HERE.parents[1] / "web"
    if shutil.which("npm") is None or not (web / "node_modules").is_dir():
        skip(f"npm or {web / 'node_modules'} is missing; a build with the page installs the latter")
    sys.exit(subprocess.run(["npm", "run", "check", "--prefix", str(web)]).returncode)


def main():
    if sys.argv[1:] == ["types"]:
        check_types()
    docs = sys.argv[3:] == ["--docs"]
    if len(sys.argv) != 3 and not docs:
        sys.exit(__doc__)
    rune = str(Path(sys.argv[1]).resolve())
    pictures = Path(sys.argv[2]).resolve()
    for program in ("node", "chromium", "curl"):
        if shutil.which(program) is None:
            skip(f"{program} is missing; scripts/install-deps --test installs it")
    if not (HERE / "node_modules").is_dir():
        skip(f"{HERE / 'node_modules'} is missing; scripts/install-deps --test installs it")
    pictures.mkdir(parents=True, exist_ok=True)
    os.environ["PATH"] = f"{Path(rune).parent}:{os.environ['PATH']}"
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        report = take_pictures(rune, pictures) if docs else journey(rune, pictures)
        os.chdir("/")
    if docs:
        return
    print(f"passed in {time.monotonic() - begun:.0f} s: {report['bytes']} bytes compressed, first paint after "
          f"{report['first_paint']} ms; pictures in {pictures}")


if __name__ == "__main__":
    main()
