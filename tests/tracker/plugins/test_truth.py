"""Lines and zones on the true paths of real people: what is wrong here is not the detector's fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from walks import NO_IMAGE

from bytetrack import Tracks
from tracker.plugins.line import Line
from tracker.plugins.zone import Zone
from tracker.types import Event, Frame, Scene

SCENE = Scene("vtest", (768, 576), 10.0, False, {0: "person"}, lost_s=1.0)
JITTER_FRAMES = 3  # the annotators' boxes tremble, and the event is told when the margin is passed


@pytest.fixture(scope="module")
def people(shared: Path) -> list[tuple[Frame, Tracks]]:
    rows = np.loadtxt(shared / "data/pets09-s2l1/gt/gt.txt", delimiter=",")

    def frames() -> Iterator[tuple[Frame, Tracks]]:
        for index in range(795):
            here = rows[rows[:, 0] == index + 1]
            n = len(here)
            xyxy = np.hstack([here[:, 2:4], here[:, 2:4] + here[:, 4:6]])
            yield (
                Frame(NO_IMAGE, index, index / 10),
                Tracks(here[:, 1].astype(int), xyxy, np.ones(n), np.zeros(n, int), np.arange(n)),
            )

    return list(frames())


def truth(shared: Path, kind: str) -> list[dict[str, Any]]:
    return [t for t in json.loads((shared / "data/truth.json").read_text())[kind] if t["clip"] == "vtest.avi"]


def happen(plugin: Line | Zone, people: list[tuple[Frame, Tracks]]) -> list[Event]:
    plugin.start(SCENE)
    events = [event for frame, tracks in people for event in plugin.update(frame, tracks)]
    return events + list(plugin.finish() if isinstance(plugin, Zone) else ())


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("number", [0, 1])
def test_every_crossing_and_no_other(shared: Path, people: list[tuple[Frame, Tracks]], number: int) -> None:
    expected = truth(shared, "lines")[number]
    x, y, right, bottom = expected["line"]
    events = happen(Line([(x, y), (right, bottom)]), people)
    told = sorted((event.kind == "line.in", event.frame) for event in events)
    true = sorted((sign == "+", frame) for frame, sign in expected["event_frames"])
    assert [way for way, _ in told] == [way for way, _ in true]
    late = [frame - true_frame for (_, frame), (_, true_frame) in zip(told, true, strict=True)]
    assert max(map(abs, late)) <= 2 * JITTER_FRAMES
    assert float(np.median(np.abs(late))) <= JITTER_FRAMES


def test_every_visit_and_its_length(shared: Path, people: list[tuple[Frame, Tracks]]) -> None:
    (expected,) = truth(shared, "zones")
    x, y, right, bottom = expected["zone_xyxy"]
    zone = Zone([(x, y), (right, y), (right, bottom), (x, bottom)])
    events = happen(zone, people)
    assert (zone.entries, zone.occupancy_max) == (expected["entries"], expected["occupancy_max"])
    assert zone.visitors == expected["unique_persons"]
    assert zone.dwell.sum == pytest.approx(expected["person_seconds"], abs=1)
    assert zone.occupancy_mean() == pytest.approx(expected["occupancy_mean"], rel=0.01)
    dwell: dict[int, float] = {}
    for event in events:
        if event.kind == "zone.exit":
            assert event.track_id is not None
            dwell[event.track_id] = dwell.get(event.track_id, 0) + event.data["dwell_s"]
    for track_id, seconds in expected["dwell_seconds_by_gt_id"].items():
        assert dwell[int(track_id)] == pytest.approx(seconds, abs=0.5), track_id
