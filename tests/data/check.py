#!/usr/bin/env python3
"""Runs the examples of docs/data.md as they stand there, but for a few steps of a tiny model.

usage: check.py PROGRAM
"""

import os
import random
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/data.md"
SIZES = {"--hidden-size", "--layers", "--embedding", "--epochs", "--minutes"}  # and how long it trains


def zstd(content):
    """A frame that says how long it is, in one block that is not compressed."""
    assert len(content) < 1 << 17
    block = len(content) << 3 | 1
    return b"\x28\xb5\x2f\xfd\xa0" + len(content).to_bytes(4, "little") + block.to_bytes(3, "little") + content


def write_texts():
    """What the examples read: a small one of each."""
    draw = random.Random(1)
    words = "the sea of night and rain comes over hills where nobody sleeps".split()
    chinese = ["悟空", "八戒", "師父", "妖怪", "看見", "道", "笑", "那", "行者", "，", "。\n"]

    def sentence():
        return " ".join(draw.choices(words, k=8)).capitalize()

    def lines(count, end=".\n"):
        return "".join(sentence() + end for _ in range(count))

    texts = {f"poems/{name}.txt": lines(40) for name in ("autumn", "river", "winter")}
    texts["poems/cover.png"] = b"\x89PNG\xff\xff\xff"
    texts["xiyouji.txt"] = "".join(draw.choices(chinese, k=3000))
    texts["messages.csv"] = "sender,message\n" + "".join(f'{i},"{sentence()}, {sentence()}"\n' for i in range(200))
    texts["names.txt"] = "".join(draw.choice(["mar", "an", "jo"]) + draw.choice(["y", "ia", "na", "k", "lo"]) + "\n"
                                 for _ in range(300))
    texts["src/main.cpp"] = "int main() {\r\n\treturn 0;\r\n}\r\n" * 50
    texts["src/notes.md"] = "no source"
    texts["dump.txt"] = lines(400)
    texts["dump.jsonl.zst"] = zstd("".join(f'{{"id": {i}, "text": "{sentence()}"}}\n' for i in range(300)).encode())
    for name, content in texts.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())


def made_small(command):
    """A training in fewer steps of a smaller model."""
    if command[1] != "train":
        return command
    small = command[:3]
    rest = iter(command[3:])
    for word in rest:
        if word not in SIZES:
            small.append(word)
            continue
        next(rest)
    sizes = ["--hidden-size", "16", "--layers", "1", "--steps", "3"]
    return small + sizes + (["--embedding", "8"] if "--embedding" in command else [])


def run(rune, command):
    done = subprocess.run([rune, *command[1:]], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"
    return done


def check(command, done):
    """What a reader of the page expects of it."""
    said = done.stdout + done.stderr
    if "runs/words" in command and command[1] == "sample":
        assert done.stdout.startswith("悟空"), done.stdout
    if "--novel" in command:
        names = done.stdout.splitlines()
        known = set(Path("names.txt").read_text().split())
        assert len(names) == 20 and all(name.startswith("mar") and name not in known for name in names), names
    if "--raw" in command:
        newest = max(Path("runs").iterdir(), key=lambda run: run.stat().st_mtime)
        config = (newest / "config.toml").read_text(encoding="utf-8")
        assert re.search(r"^raw = true", config, re.MULTILINE), config
    if "--coverage" in command or "--min-frequency" in command:
        assert "lphabet" in said or "Unknown" in said, said


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    rune = str(Path(sys.argv[1]).resolve())
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    commands = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    commands = [command for command in commands if command and command[0] == "rune"]
    assert len(commands) >= 10, commands
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["XDG_CACHE_HOME"] = folder
        write_texts()
        for command in commands:
            check(command, run(rune, made_small(command)))
        os.chdir("/")
    print(f"passed: {len(commands)} commands")


if __name__ == "__main__":
    main()
