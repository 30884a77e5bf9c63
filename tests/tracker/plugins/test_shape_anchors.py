"""Objects are counted at the point of their shape where that is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from bytetrack import Tracks
from bytetrack.masks import Crop, Masks
from tracker.plugins.line import Line
from tracker.plugins.zone import Zone
from tracker.types import Canvas, Frame, Scene

SIZE = 200, 200
BOX = np.array([[80.0, 20.0, 120.0, 60.0]])  # a box whose feet are not at its lower edge


def _tracks(kind: str, y: float) -> Tracks:
    """Return a box that stands still, with a shape whose point is at (100, y)."""
    one = np.array([1])
    if kind == "obb":
        return Tracks(one, BOX, np.ones(1), one - 1, one, rotated=np.array([[100, y, 40, 20, 0.5]]))
    if kind == "pose":
        keypoints = np.zeros((1, 17, 3))
        keypoints[0, 15], keypoints[0, 16] = (95, y - 2, 0.9), (105, y + 2, 0.9)
        return Tracks(one, BOX, np.ones(1), one - 1, one, keypoints=keypoints)
    inside = np.ones((round(y) - 20, 20), bool)
    masks = Masks.of([Crop(90, 20, inside)], SIZE)
    return Tracks(one, BOX, np.ones(1), one - 1, one, masks=masks)


@pytest.mark.parametrize("kind", ["segment", "pose", "obb"])
@pytest.mark.parametrize(("anchor", "count"), [("shape", 1), ("bottom_center", 0)])
def test_lines_and_zones_take_the_point_of_the_shape(kind: str, anchor: str, count: int) -> None:
    scene = Scene("made", SIZE, 10.0, False, {0: "person"}, kind=kind)
    line = Line([[0, 100], [200, 100]], anchor=anchor)
    zone = Zone([[0, 100], [200, 100], [200, 199], [0, 199]], anchor=anchor)
    events = []
    for plugin in (line, zone):
        plugin.start(scene)
        for index, y in enumerate(range(50, 150, 5)):
            frame = Frame(np.zeros((*SIZE, 3), np.uint8), index, index / 10)
            events += plugin.update(frame, _tracks(kind, y))
            plugin.draw(Canvas())
    assert len([event for event in events if event.kind.startswith("line.")]) == count
    assert len([event for event in events if event.kind == "zone.enter"]) == count
