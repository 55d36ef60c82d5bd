#!/usr/bin/env python3
"""Checks that the kernels of one instruction set cannot become code of the whole program.

usage: check_symbols.py NM OBJECT...

Of an inline function that several objects hold as a weak symbol, the linker keeps any one copy. Were that the copy of
isa_avx512.cpp, the program would end with an illegal instruction on a smaller processor. So the objects of isa_*.cpp
may define no weak symbols: what they use is inlined or stands in an unnamed namespace.
"""

import pathlib
import subprocess
import sys


def main():
    nm, objects = sys.argv[1], [path for path in sys.argv[2:] if pathlib.Path(path).name.startswith("isa_")]
    if not objects:
        print("no isa_* objects among", *sys.argv[2:])
        return 1
    shared = 0
    for path in objects:
        listing = subprocess.run([nm, "--demangle", "--defined-only", path], check=True, capture_output=True, text=True)
        for line in listing.stdout.splitlines():
            kind, name = line.split(maxsplit=2)[1:]
            if kind in "WwVvu":
                print(f"{pathlib.Path(path).name}: weak symbol {name}")
                shared += 1
    return 1 if shared else 0


if __name__ == "__main__":
    sys.exit(main())
