"""Lines and zones on the sample clip, against what is true in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from walks import NO_IMAGE

from bytetrack import BYTETracker, Tracks
from tracker import pipeline
from tracker.contracts import Plugin
from tracker.plugins.line import Line
from tracker.plugins.zone import Zone
from tracker.types import Event, Frame, Scene
from videos import street

OFF_FRAMES = 5  # the truth's own tolerance: boxes of a detector are not those of the scene
DWELL_S = 0.3  # a dwell is off by the frames of both its ends, which rarely add up


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    video, truth = street.render(tmp_path_factory.mktemp("street"))
    return video, json.loads(truth.read_text("utf-8"))


def plugins(truth: dict[str, Any]) -> list[Plugin]:
    made: list[Plugin] = []
    for line in truth["lines"]:
        x, y, right, bottom = line["line"]
        made.append(Line([(x, y), (right, bottom)], name=line["name"]))
    for zone in truth["zones"]:
        x, y, right, bottom = zone["zone_xyxy"]
        made.append(Zone([(x, y), (right, y), (right, bottom), (x, bottom)], name=zone["name"]))
    scene = Scene("street", (truth["width"], truth["height"]), truth["fps"], False, {0: "person"})
    for plugin in made:
        plugin.start(scene)  # type: ignore[attr-defined]
    return made


def agrees(truth: dict[str, Any], events: list[Event]) -> None:
    """Every crossing and visit, and no other, at its time."""
    for line in truth["lines"]:
        told = [e for e in events if e.kind.startswith("line") and e.data["line"] == line["name"]]
        assert [("+" if e.kind == "line.in" else "-") for e in told] == [s for _, s in line["event_frames"]]
        for event, (frame, _) in zip(told, line["event_frames"], strict=True):
            assert abs(event.data["crossed_s"] * truth["fps"] - frame) <= OFF_FRAMES, line["name"]
    for zone in truth["zones"]:
        here = [e for e in events if e.kind.startswith("zone") and e.data["zone"] == zone["name"]]
        entered = [e.data["since_s"] * truth["fps"] for e in here if e.kind == "zone.enter"]
        np.testing.assert_allclose(entered, [f for f, _ in zone["entry_events"]], atol=OFF_FRAMES)
        stays = sorted(e.data["dwell_s"] for e in here if e.kind == "zone.exit")
        np.testing.assert_allclose(stays, sorted(zone["dwell_seconds_by_visit"].values()), atol=DWELL_S)


@pytest.mark.slow
def test_true_boxes_give_the_true_counts(clip: tuple[Path, dict[str, Any]]) -> None:
    _, truth = clip
    made = plugins(truth)
    table = np.array(truth["boxes"], np.float64)
    events: list[Event] = []
    for index in range(truth["frames"]):
        rows = table[table[:, 0] == index]
        n = len(rows)
        tracks = Tracks(rows[:, 1].astype(int), rows[:, 2:6], np.ones(n), np.zeros(n, int), np.arange(n))
        for plugin in made:
            events += plugin.update(Frame(NO_IMAGE, index, index / truth["fps"]), tracks)
    agrees(truth, events + pipeline.finish(made))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_detector_gives_the_true_counts(clip: tuple[Path, dict[str, Any]], weights: Path) -> None:
    from tracker.detectors import Settings, open_detector
    from tracker.sources import open_source

    video, truth = clip
    made = plugins(truth)
    with (
        open_detector(str(weights), Settings(classes=["person"])) as detector,
        open_source(str(video)) as source,
    ):
        results = pipeline.run(source, detector, BYTETracker(frame_rate=source.fps), made, sketch=False)
        events = [event for result in results for event in result.events]
    agrees(truth, events + pipeline.finish(made))
