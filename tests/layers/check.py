#!/usr/bin/env python3
"""Checks that every #include points downwards in the table of layers.

usage: check.py ROOT          report every include against the direction, exit 1 if there is one
       check.py --self-check  exit 1 unless made-up includes are judged as they should be
"""

import pathlib
import re
import sys
import tempfile

# Folder: the folders it may use; what those use, it may use as well.
TABLE = {
    "src/base": [],
    "src/kernels": ["src/base"],
    "src/text": ["src/base"],
    "src/format": ["src/base"],
    "src/model": ["src/kernels", "src/text", "src/format"],
    "src/generate": ["src/model"],
    "src/train": ["src/generate"],
    "src/tools": ["src/train"],
    "src/api": ["src/train", "include/rune"],
    "include/rune": [],
    "apps/server": ["src/api", "src/tools"],
    "apps/rune": ["src/api", "src/tools", "apps/server"],
}

# The shared vocabulary of all layers, made of the standard library alone.
SHARED = {"rune/error.h", "rune/options.h", "rune/vocabulary.h"}

# The first word of an #include, and the row it means. The program's files are included by each other alone, by name.
WORD = {row.rsplit("/", 1)[1]: row for row in TABLE if row != "apps/rune"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
STANDARD = re.compile(r"^[a-z_]+$")  # <vector>, but neither <unistd.h> nor <fmt/format.h>


def reachable(folder):
    found = {folder}
    for used in TABLE[folder]:
        found |= reachable(used)
    return found


def folder_of(path):
    """The row of the table that a source file belongs to, or None."""
    return next((folder for folder in TABLE if path.is_relative_to(folder)), None)


def fault(path, folder, quote, name):
    """What is wrong with one include of a file in `folder`, or None."""
    if ".." in name.split("/"):
        return "goes up a folder; write it relative to src"
    if folder == "include/rune":
        if name.startswith("rune/") or quote == "<" and STANDARD.match(name):
            return None
        return "a public header may use only the standard library and <rune/...>"
    if name in SHARED:
        return None
    if "/" not in name:
        if quote == "<" or folder == "apps/rune" and (path.parent / name).exists():
            return None
        return "names no folder; write it relative to src"
    target = WORD.get(name.split("/")[0])
    if target is None or target in reachable(folder):
        return None
    return f"{folder} may not use {target}"


def faults(root):
    found = []
    for top in ("src", "include", "apps"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".h", ".cpp", ".inl"):
                continue
            relative = path.relative_to(root)
            folder = folder_of(relative)
            if folder is None:
                found.append(f"{relative}: its folder is not in the table of tests/layers/check.py")
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                problem = match and fault(path, folder, *match.groups())
                if problem:
                    found.append(f'{relative}:{number}: "{match.group(2)}": {problem}')
    return found


# File that the self-check writes, its one include, whether it is a fault.
EXAMPLES = [
    ("src/base/injected.cpp", '"text/utf8.h"', True),
    ("src/text/injected.h", '"kernels/kernels.h"', True),
    ("src/kernels/injected.cpp", "<model/model.h>", True),
    ("src/train/injected.cpp", '  "api/model.h"', True),
    ("src/model/injected.cpp", "<rune/rune.h>", True),
    ("src/generate/injected.cpp", '"../model/model.h"', True),
    ("src/generate/injected.cpp", '"sampler.h"', True),
    ("src/elsewhere/injected.cpp", "<vector>", True),
    ("include/rune/injected.h", '"base/matrix.h"', True),
    ("include/rune/injected.h", "<fmt/format.h>", True),
    ("include/rune/injected.h", "<rune/options.h>", False),
    ("src/base/injected.cpp", "<rune/error.h>", False),
    ("src/base/injected.cpp", "<sys/mman.h>", False),
    ("src/train/injected.cpp", '"base/matrix.h"', False),
    ("src/api/injected.cpp", "<rune/rune.h>", False),
    ("apps/rune/injected.cpp", '"train/trainer.h"', False),
]


def self_check():
    """How many of the examples are judged wrongly."""
    wrong = 0
    for name, include, expected in EXAMPLES:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / name
            file.parent.mkdir(parents=True)
            file.write_text(f"#pragma once\n#include {include}\n", encoding="utf-8")
            if bool(faults(pathlib.Path(folder))) != expected:
                print(f"#include {include} in {name} is {'not reported' if expected else 'reported'}")
                wrong += 1
    return wrong


def main():
    if sys.argv[1:] == ["--self-check"]:
        return 1 if self_check() else 0
    found = faults(pathlib.Path(sys.argv[1]))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
