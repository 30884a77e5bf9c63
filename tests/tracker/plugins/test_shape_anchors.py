"""Objects are counted at the point of their shape where that is asked for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bytetrack import Tracks
from bytetrack.masks import Crop, Masks
from tracker.plugins._shared.area_anchors import AreaAnchors
from tracker.plugins.line import Line
from tracker.plugins.zone import Zone
from tracker.types import Canvas, Frame, OptionError, Scene

ANCHORS = "bottom_center", "area"

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


@pytest.mark.parametrize("masked", [True, False])
def test_a_zone_by_area_holds_whom_it_covers_by_half(masked: bool) -> None:
    """A lorry whose lower edge is in the zone long before the greater part of it is."""
    scene = Scene("made", SIZE, 10.0, False, {0: "person"}, kind="segment")
    zones = {name: Zone([[0, 100], [200, 100], [200, 199], [0, 199]], name, name) for name in ANCHORS}
    entered = {}
    for zone in zones.values():
        zone.start(scene)
    one = np.array([1])
    for index, top in enumerate(range(0, 120, 4)):
        mask = Masks.of([Crop(80, top, np.ones((60, 40), bool))], SIZE) if masked else None
        box = np.array([[80.0, top, 120.0, top + 60]])
        tracks = Tracks(one, box, np.ones(1), one - 1, one, masks=mask)
        for zone in zones.values():
            for _event in zone.update(Frame(np.zeros((*SIZE, 3), np.uint8), index, index / 10), tracks):
                entered[zone.name] = top
    assert 40 <= entered["bottom_center"] <= 52
    assert 70 <= entered["area"] <= 80  # the half of it is inside at 70
    with pytest.raises(OptionError, match="area"):
        Line([[0, 100], [200, 100]], anchor="area")


def test_the_point_of_an_area_is_where_the_greater_part_is() -> None:
    """An L: its box is in the zone by half, its mask by a third; then turned boxes."""
    inside = np.zeros((40, 40), bool)
    inside[:, :10] = inside[:10] = True
    place = AreaAnchors(np.array([[100.0, 0], [200, 0], [200, 200], [100, 200]]), SIZE)
    one, box = np.array([1]), np.array([[80.0, 50, 120, 90]])
    tracks = Tracks(one, box, np.ones(1), one - 1, one, masks=Masks.of([Crop(80, 50, inside)], SIZE))
    assert place(tracks, box)[0, 0] < 100
    turned = np.array([[108.0, 70, 40, 10, np.pi / 2]])
    tracks = Tracks(one, box, np.ones(1), one - 1, one, rotated=turned)
    np.testing.assert_allclose(place(tracks, box), [[108, 70]], atol=1)


NARROW = [[90, 0], [110, 0], [110, 200], [90, 200]]
BENT = [[60, 40], [140, 40], [140, 120], [120, 120], [120, 60], [80, 60], [80, 120], [60, 120]]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("zone", "width", "within"),
    [(NARROW, 60, False), (NARROW, 30, True), (BENT, 70, True), (BENT, 50, False)],
)
def test_whoever_is_on_both_sides_of_a_zone_is_where_the_greater_part_is(
    zone: list[list[float]], width: int, within: bool, turned: bool
) -> None:
    """The middle of what is outside a narrow zone is in it, and the other way round in a bent one."""
    size = (200, 200)
    for mirrored in (False, True):
        polygon = np.array(zone, float)
        polygon = polygon * [-1, 1] + [size[0], 0] if mirrored else polygon
        box = np.array([[100 - width / 2, 45, 100 + width / 2, 115]])
        one = np.array([1])
        rotated = np.array([[100, 80, 70, width, np.pi / 2]]) if turned else None
        tracks = Tracks(one, box, np.ones(1), one - 1, one, rotated=rotated)
        point = AreaAnchors(polygon, size)(tracks, box)[0]
        there = cv2.pointPolygonTest(polygon.astype(np.float32), point.tolist(), False) >= 0
        assert there is within
