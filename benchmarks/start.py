"""Measure what a start costs: CPU from the command to the end of a run of one frame, and where imports go.

``python -m benchmarks.start VIDEO [--runs 7] [-- any options of track]``

Each command is run once to warm caches, then all in turn; figures are medians of user and system time
together, and of wall-clock time. "imports" are summed by package (``python -X importtime``, whose own cost is
in them), without what other packages take that they import.
"""

from __future__ import annotations

import argparse
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
SHOWN = 12


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("video")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("more", nargs="*", help="options of track, behind --")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        first = [options.video, "--max-frames", "1", "-q", "--overwrite", *options.more]
        commands = {
            "track --help": ["--help"],
            "first frame, numbers only": [*first, "--no-save"],
            "first frame, video written": [*first, "-o", str(Path(folder, "out.mp4"))],
        }
        costs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for turn in range(options.runs + 1):
            for name, arguments in commands.items():
                cost = run(arguments)
                if turn:
                    costs[name].append(cost)
        print(f"| {'':27} | CPU s | wall s |\n|---|---|---|")
        for name, each in costs.items():
            cpu, wall = (statistics.median(column) for column in zip(*each, strict=True))
            print(f"| {name:27} | {cpu:5.2f} | {wall:6.2f} |")
        print("\n| imports | ms |\n|---|---|")
        for package, spent in imports(commands["first frame, video written"]).most_common(SHOWN):
            print(f"| {package} | {spent / 1000:.0f} |")


def run(arguments: list[str]) -> tuple[float, float]:
    """Return the CPU seconds, user and system, and the wall-clock seconds of a command."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "tracker", *arguments], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.perf_counter() - began


def imports(arguments: list[str]) -> Counter[str]:
    """Return the microseconds that imports take, by package; a room of ``tracker`` is one."""
    command = [sys.executable, "-X", "importtime", "-m", "tracker", *arguments]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    spent: Counter[str] = Counter()
    for found in LINE.finditer(ran.stderr):
        parts = found[2].split(".")
        spent[".".join(parts[: 2 if parts[0] == "tracker" else 1])] += int(found[1])
    return spent


if __name__ == "__main__":
    main()
