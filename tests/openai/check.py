#!/usr/bin/env python3
"""Drives `rune serve` with OpenAI's own client in Node.js, and runs the programs of docs/server.md.

usage: check.py PROGRAM client|docs

Exit code 77: Node.js, the client or curl is not installed.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"
KEY = "a-key-for-the-tests"


class Server:
    """A server of a tiny model called book."""

    def __init__(self, rune, *options):
        text = "the rain came over hills and the sea slept.\n" * 200
        Path("book.txt").write_text(text, encoding="utf-8")
        subprocess.run([rune, "train", "book.txt", "-o", "runs/book", "--layers", "1", "--hidden-size", "24",
                        "--batch-size", "4", "--sequence-length", "16", "--steps", "30", "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
        self.process = subprocess.Popen([rune, "serve", "runs/book", "--port", "0", *options], stdout=subprocess.PIPE,
                                        text=True)
        self.address = self.process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", self.address), self.address

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        assert self.process.wait(60) == 0


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def check_docs(rune):
    page = (HERE.parents[1] / "docs/server.md").read_text(encoding="utf-8")
    Path("node_modules").symlink_to(MODULES)
    texts = []
    with Server(rune) as server:
        for language, content in re.findall(r"^```(sh|js|python)\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
            content = content.replace("http://127.0.0.1:8080/", server.address)
            if language == "sh":
                answers = run("bash", "-euo", "pipefail", "-c", content)
                assert '"error"' not in answers and answers.startswith("{"), f"{content}\n{answers}"
                continue
            Path("program.mjs").write_text(content, encoding="utf-8")
            texts.append(run("node" if language == "js" else sys.executable, "program.mjs").rstrip("\n"))
    sample = run(rune, "sample", "runs/book", "-p", "the ", "-n", "60", "--seed", "7")
    assert ["the " + text for text in texts] == [sample.rstrip("\n")] * 2, (texts, sample)


def check_client(rune):
    Path("key").write_text(KEY + "\n", encoding="utf-8")
    os.chmod("key", 0o600)
    with Server(rune, "--api-key-file", "key") as server:
        client = run("node", str(HERE / "client.mjs"), server.address + "v1", KEY)
    found = json.loads(client)

    def sample(*more):
        return run(rune, "sample", "runs/book", "-p", "the ", "-n", "80", "--seed", "7", "--temperature", "0.8", "--top-p",
                   "0.95", *more)

    assert found["models"] == ["book"], found["models"]
    first = sample()
    choices = found["whole"]["choices"]
    assert choices[0]["text"] == first, (choices[0]["text"], first)
    assert choices[1]["text"] in sample("--num-samples", "2")
    assert len(choices[0]["logprobs"]["tokens"]) == 84
    assert len(choices[0]["logprobs"]["top_logprobs"][1]) == 2
    assert found["whole"]["usage"] == {"prompt_tokens": 4, "completion_tokens": 160, "total_tokens": 164}
    assert ["the " + text for text in found["streamed"]] == [choice["text"] for choice in choices], found["streamed"]
    assert found["reasons"] == ["length", "length"]
    assert found["usage"] == found["whole"]["usage"]
    assert found["unknown"] == {"name": "NotFoundError", "status": 404, "param": "model", "code": "model_not_found"}
    assert found["wrong"] == {"name": "BadRequestError", "status": 400, "param": "temperature", "code": "invalid_value"}
    assert found["begun"] == "text_completion"
    assert found["stranger"] == "AuthenticationError"


def main():
    rune = Path(sys.argv[1]).resolve()
    if shutil.which("node") is None or shutil.which("curl") is None or not MODULES.is_dir():
        print(f"skipped: node, curl or {MODULES} is missing; scripts/install-deps --test installs them")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        {"client": check_client, "docs": check_docs}[sys.argv[2]](str(rune))
        os.chdir("/")
    print(f"{sys.argv[2]}: passed")


if __name__ == "__main__":
    main()
