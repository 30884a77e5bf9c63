"""What the faster roads cost in accuracy: ``python -m benchmarks.accuracy``.

Needs ../shared. PETS09-S2L1 is run once on every road with the defaults of ``track`` and scored by TrackEval.
int8 makes its model of the recording itself, if there is none yet.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tracker.offline.metrics import score
from tracker.offline.motchallenge import find_sequences, read_rows
from tracker.options import Options
from tracker.run.session import Session
from tracker.types import TrackError

VTEST = Path(__file__).parent.parent.parent / "shared/data/pets09-s2l1"
ROADS: dict[str, dict[str, Any]] = {
    "torch": {"backend": "torch", "device": "cpu"},
    "OpenVINO fp32": {"backend": "openvino", "precision": "fp32", "look": "all"},
    "OpenVINO bf16": {"backend": "openvino", "precision": "bf16", "look": "all"},
    "OpenVINO int8": {"int8": True, "look": "all"},
    "fp32, `--look changed`": {"backend": "openvino", "precision": "fp32", "look": "changed"},
    "fp32, `--detect-every 2`": {
        "backend": "openvino",
        "precision": "fp32",
        "look": "all",
        "detect_every": 2,
    },
    "fp32, `--detect-every 3`": {
        "backend": "openvino",
        "precision": "fp32",
        "look": "all",
        "detect_every": 3,
    },
    "fp32, `--detect-every 5`": {
        "backend": "openvino",
        "precision": "fp32",
        "look": "all",
        "detect_every": 5,
    },
}
FIGURES = ("HOTA", "MOTA", "IDF1")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tracker", default=Options.tracker)
    options = parser.parse_args()
    (truth,) = find_sequences(VTEST)
    print(
        f"| road | {' | '.join(FIGURES)} | numbers of {people(truth.truth)} people |\n|---|---|---|---|---|"
    )
    for name, road in ROADS.items():
        try:
            with TemporaryDirectory() as folder:
                out = Path(folder, "tracks.txt")
                chosen = Options(classes=("person",), tracker=options.tracker, save_mot=str(out), **road)
                with Session(VTEST / "vtest.avi", chosen) as session:
                    for _ in session:
                        pass
                figures = score([truth], {truth.name: read_rows(out)})[truth.name]
        except TrackError as error:
            print(f"| {name} | left out: {error} | | | |")
            continue
        told = " | ".join(f"{figures[key]:.1f}" for key in FIGURES)
        print(f"| {name} | {told} | {figures['IDs']:.0f} |", flush=True)


def people(truth: Path) -> int:
    """Return the number of people in the ground truth."""
    return len(set(read_rows(truth)[:, 1].tolist()))


if __name__ == "__main__":
    main()
