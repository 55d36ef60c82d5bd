#!/usr/bin/env python3
"""scripts/ablate on a small text: what it measures, what it leaves out, and that it runs nothing twice.

usage: check.py ABLATE RUNE
"""

import csv
import pathlib
import random
import subprocess
import sys
import tempfile


def main():
    ablate, rune = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        random.seed(1)
        words = ["".join(random.choices("etaoin", k=4)) for _ in range(50)]
        (folder / "text.txt").write_bytes(" ".join(random.choices(words, k=4000)).encode() + b"\r\nlast line\r\n")
        (folder / "variants.txt").write_text("# comment\nlonger: --sequence-length 16 --ema-decay 0.9\nrate: !--lr\n")

        def run(*more):
            return subprocess.run(
                [ablate, folder / "text.txt", "--minutes", "0.005", "--base",
                 "--hidden-size 8 --batch-size 4 --lr 0.01 --threads 1 --sample-length 0", "--variants",
                 folder / "variants.txt", "--table", folder / "table.csv", "--runs", folder / "runs", "--rune", rune,
                 *more],
                capture_output=True, text=True, check=False)

        first = run()
        assert first.returncode == 0, first.stderr
        rows = list(csv.DictReader((folder / "table.csv").open(encoding="utf-8")))
        flags = {row["variant"]: row["flags"] for row in rows}
        assert list(flags) == ["base", "longer", "rate"], flags
        assert flags["base"] == "--hidden-size 8 --batch-size 4 --lr 0.01 --threads 1 --sample-length 0", flags
        assert flags["longer"] == flags["base"] + " --sequence-length 16 --ema-decay 0.9", flags
        assert "--lr" not in flags["rate"], flags
        for row in rows:
            assert int(row["steps"]) > 0, row
            assert 0 < float(row["stream"]) < 3, row  # the logarithm of its 9 characters is 2.2
            assert 0 < float(row["windows_256"]) < 3, row
        kept = next((folder / "runs").glob("*.txt")).read_text(encoding="utf-8")
        text = (folder / "text.txt").read_text(encoding="utf-8")
        assert text.endswith(kept) and abs(len(kept) - len(text) / 10) <= 1, len(kept)

        before = (folder / "table.csv").read_bytes()
        again = run("--markdown", folder / "table.md")
        assert again.returncode == 0 and again.stdout == "", (again.stdout, again.stderr)
        assert (folder / "table.csv").read_bytes() == before
        page = (folder / "table.md").read_text(encoding="utf-8")
        assert page.count("\n| ") == 5 and "## text.txt, 0.005 minutes" in page, page  # with the head

        (folder / "variants.txt").write_text("none: !--cell\n")
        wrong = run()
        assert wrong.returncode == 1 and "to leave it out" in wrong.stderr, wrong.stderr
    print("ablate: ok")


if __name__ == "__main__":
    main()
