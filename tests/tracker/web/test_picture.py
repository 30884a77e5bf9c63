"""Pictures are made of the same frames for everybody, and not of all of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import cv2
import numpy as np
import pytest

from bytetrack import Detections, Tracks
from tracker.types import Frame, Image, Result
from tracker.web import picture
from tracker.web.picture import FILE_PERIOD_S, PERIOD_S, Pictures
from tracker.web.station import Seen

NOBODY = Detections.empty(), Tracks.empty()


@pytest.mark.parametrize("live, period_s", [(True, PERIOD_S), (False, FILE_PERIOD_S)])
@pytest.mark.parametrize("fps", [5, 30, 200])
def test_many_viewers_see_the_same_frames(
    fps: int, live: bool, period_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many ask, and whenever: at most one frame in a period, and none that is older than that."""
    now = 100.0
    monkeypatch.setattr(picture.time, "monotonic", lambda: now)
    station: Any = SimpleNamespace(latest=None, live=live)
    pictures, random = Pictures(station), np.random.default_rng(fps)
    assert pictures.newest() is None
    shown = []
    for number in range(1, 2 * fps + 1):
        station.latest = Seen(cast(Any, None), number, now)
        for pause in np.diff(np.sort(random.uniform(0, 1 / fps, 12)), prepend=0.0):
            now += pause
            seen = pictures.newest()
            assert seen is not None
            assert now - seen.at <= period_s + 1 / fps
            if not shown or shown[-1] != seen.number:
                shown.append(seen.number)
        now = 100.0 + number / fps
    assert shown == sorted(shown)
    assert min(fps, 1 / period_s) * 1.2 <= len(shown) <= 2 * min(fps, 1 / period_s) + 1


def test_the_last_frame_is_shown_though_none_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asked too early is told when to ask again."""
    now = 0.0
    monkeypatch.setattr(picture.time, "monotonic", lambda: now)
    station: Any = SimpleNamespace(latest=Seen(cast(Any, None), 1, now), live=True)
    pictures = Pictures(station)
    assert pictures.newest() is station.latest
    assert pictures.wait_s(now) is None
    now = 0.01
    station.latest = Seen(cast(Any, None), 2, now)
    assert cast(Seen, pictures.newest()).number == 1
    wait = pictures.wait_s(now)
    assert wait == pytest.approx(PERIOD_S - 0.01)
    now += wait
    assert cast(Seen, pictures.newest()).number == 2


def test_a_frame_is_painted_once_for_all_sizes() -> None:
    painted: list[object] = []

    def painter(result: Result) -> Image:
        painted.append(result)
        return np.zeros((480, 1280, 3), np.uint8)

    station: Any = SimpleNamespace(latest=None, live=True, painter=painter)
    pictures, result = Pictures(station), Result(Frame(np.zeros((1, 1, 3), np.uint8), 0, 0.0), *NOBODY)
    for number in (1, 2):
        seen = Seen(result, number, 0.0)
        wide = [
            cv2.imdecode(np.frombuffer(pictures.get(seen, width), np.uint8), cv2.IMREAD_COLOR).shape[1]
            for width in (320, 640, 1280, 320)
        ]
        assert wide == [320, 640, 1280, 320] and len(painted) == number
    pictures.get(seen, 320, bare=True)
    assert len(painted) == 3
