"""Counts against the truth of real recordings: ``python -m benchmarks.counting [--conf P ...]``.

Needs ../shared. Every recording with a truth is run once, with the defaults of ``track`` or the options
given; printed are totals, false and missed events (within the truth's tolerance, by when the line itself was
crossed) per line, and entries, visitors, occupancy and person-seconds per zone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bytetrack.types import FloatArray
from tracker.api import track
from tracker.plugins.line import Line
from tracker.plugins.zone import Zone
from tracker.types import Event

SHARED = Path(__file__).parent.parent.parent / "shared"
SIGN = {"line.in": "+", "line.out": "-"}  # "in" leads right or down, which the truth calls +
Crossing = tuple[int, str]  # frame, sign


def unmatched(
    truth: Sequence[Crossing], told: Sequence[Crossing], tolerance: int
) -> tuple[list[Crossing], list[Crossing]]:
    """Return the false and the missed events: nearest pairs of one sign within ``tolerance`` frames match."""
    pairs = sorted(
        (abs(frame - true_frame), i, j)
        for i, (true_frame, true_sign) in enumerate(truth)
        for j, (frame, sign) in enumerate(told)
        if sign == true_sign and abs(frame - true_frame) <= tolerance
    )
    found: set[int] = set()
    right: set[int] = set()
    for _, i, j in pairs:
        if i not in found and j not in right:
            found.add(i)
            right.add(j)
    false = [event for j, event in enumerate(told) if j not in right]
    return false, [event for i, event in enumerate(truth) if i not in found]


def line_row(truth: dict[str, Any], events: Iterable[Event], times: FloatArray) -> str:
    told = [(int(np.abs(times - event.data["crossed_s"]).argmin()), SIGN[event.kind]) for event in events]
    totals = {sign: sum(s == sign for _, s in told) for sign in "+-"}
    true = [(frame, sign) for frame, sign in truth["event_frames"]]
    false, missed = unmatched(true, told, truth["event_match_tolerance_frames"])
    expected = truth["expected"]
    return (
        f"{truth['clip']:40s} line {truth['axis']}   {totals['+']}/{totals['-']} of "
        f"{expected['+']}/{expected['-']}   false {false}   missed {missed}"
    )


def zone_row(truth: dict[str, Any], zone: Zone) -> str:
    return (
        f"{truth['clip']:40s} zone     entries {zone.entries} of {truth['entries']}   "
        f"visitors {zone.visitors} of "
        f"{truth['unique_persons']}   most {zone.occupancy_max} of {truth['occupancy_max']}   "
        f"person-seconds {zone.dwell.sum:.1f} of {truth['person_seconds']}"
    )


def count(clip: str, truth: dict[str, Any], options: dict[str, Any]) -> list[str]:
    """Run one recording and return its rows."""
    folder = next(
        folder for folder in ("data/videos", "data/pets09-s2l1") if (SHARED / folder / clip).exists()
    )
    lines, zones = [], []
    for t in truth["lines"]:
        if t["clip"] == clip:
            lines.append((t, Line([t["line"][:2], t["line"][2:]], name=f"line {len(lines)}")))
    for t in truth["zones"]:
        if t["clip"] == clip:
            x, y, right, bottom = t["zone_xyxy"]
            zones.append(
                (t, Zone([(x, y), (right, y), (right, bottom), (x, bottom)], name=f"zone {len(zones)}"))
            )
    plugins = [plugin for _, plugin in (*lines, *zones)]
    events, seen_s = [], []
    for result in track(SHARED / folder / clip, plugins=plugins, **options):
        seen_s.append(result.frame.time)
        events += result.events
    times = np.array(seen_s)
    rows = [line_row(t, (e for e in events if e.data.get("line") == line.name), times) for t, line in lines]
    return rows + [zone_row(t, zone) for t, zone in zones]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conf", type=float)
    parser.add_argument("--new-track-thresh", type=float)
    parser.add_argument("--match-thresh", type=float)
    parser.add_argument("--lost", type=float)
    parser.add_argument("--look", choices=("all", "changed"))
    parser.add_argument("--appearance")
    parser.add_argument("--weights", default=str(SHARED / "weights" / "yolov8n.pt"))
    given = {key: value for key, value in vars(parser.parse_args()).items() if value is not None}
    truth = json.loads((SHARED / "data" / "truth.json").read_text())
    for clip in sorted({t["clip"] for t in (*truth["lines"], *truth["zones"])}):
        for row in count(clip, truth, given):
            print(row, flush=True)


if __name__ == "__main__":
    main()
