"""What other shares of the cores would cost: ``python -m benchmarks.threads VIDEO``.

Each row gives one library another number of threads than ``tracker.threads`` does; every run is a process of
its own, in turns, round by round. Shown are medians, and the ratio to the shares as they are.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def variants() -> dict[str, dict[str, int]]:
    """Return what each row changes."""
    from tracker.threads import cores, plan

    now, most = dataclasses.asdict(plan()), cores()
    rows: dict[str, dict[str, int]] = {"as they are": {}}
    for name, number in now.items():
        for other in sorted({1, max(1, most // 2), most, 2 * most} - {number}):
            rows[f"{name} {other} instead of {number}"] = {name: other}
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(run_one(json.loads(options.one), options)))
        return
    rows = variants()
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in rows}
    for _ in range(options.rounds):
        for name, change in rows.items():
            command = [sys.executable, "-m", "benchmarks.threads", str(options.video)]
            command += ["--frames", str(options.frames), "--one", json.dumps(change)]
            ran = subprocess.run(command, capture_output=True, text=True, check=True)
            runs[name].append(json.loads(ran.stdout.splitlines()[-1]))
    print("| threads | frames/s | ratio | CPU ms per frame |\n|---|---|---|---|")
    base = statistics.median(run["fps"] for run in runs["as they are"])
    for name, answers in runs.items():
        fps, cpu = (statistics.median(run[key] for run in answers) for key in ("fps", "cpu_ms"))
        print(f"| {name} | {fps:.1f} | {fps / base:.2f} | {cpu:.0f} |")


def run_one(change: dict[str, int], options: Any) -> dict[str, float]:
    """Run with other shares."""
    from tracker import threads

    chosen = dataclasses.replace(threads.plan(), **change)
    threads.plan = lambda: chosen  # type: ignore[assignment] # before anybody takes it by name
    from tracker.options import Options
    from tracker.run.session import Session

    with TemporaryDirectory() as folder:
        run = Options(output=f"{folder}/out.mp4", max_frames=options.frames)
        first = cpu = 0.0
        count = 0
        with Session(options.video, run) as session:
            for count, _ in enumerate(session, start=1):
                if count == 1:
                    first, cpu = time.perf_counter(), time.process_time()
        wall, spent = time.perf_counter() - first, time.process_time() - cpu
    return {"fps": (count - 1) / wall, "cpu_ms": 1000 * spent / (count - 1)}


if __name__ == "__main__":
    main()
