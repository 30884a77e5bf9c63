"""Trackers by name, as a run makes them: with looks and camera motion, cut in two, told what they lack."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bytetrack import BoTSORT, DeepSORT, StrongSORT, Tracks
from tracker import track
from tracker.options import Options
from tracker.trackers.make import TRACKERS, make_tracker
from tracker.trackers.reid import ColorStripes
from tracker.trackers.settings import NEED_LOOKS, WITH_GALLERY, TrackerSettings
from tracker.trackers.visual import VisualTracker
from tracker.types import OptionError

FRAMES = 30


@pytest.fixture
def walk(make_video: Callable[..., Path], tmp_path: Path) -> dict[str, Any]:
    """Return a clip with its boxes; in four frames there is none."""
    rows = [
        f"{n},-1,{1 + 3 * n},20,20,20,0.9,-1,-1,-1\n" for n in range(1, FRAMES + 1) if n not in range(12, 16)
    ]
    boxes = tmp_path / "det.txt"
    boxes.write_text("".join(rows))
    return {"source": str(make_video(frames=FRAMES)), "detections": str(boxes)}


def follow(source: str, stop: int | None = None, **options: Any) -> list[tuple[int, Tracks]]:
    found, results = [], track(source, **options)
    for result in results:
        found.append((result.frame.index, result.tracks))
        if result.frame.index == stop:
            results.close()
    return found


def plain(found: list[tuple[int, Tracks]]) -> list[Any]:
    return [(index, tracks.track_id.tolist(), tracks.xyxy.tolist()) for index, tracks in found]


@pytest.mark.slow
@pytest.mark.parametrize("kind", TRACKERS)
def test_a_run_cut_in_two_goes_on_as_if_it_had_not_been(
    walk: dict[str, Any], tmp_path: Path, kind: str
) -> None:
    told = {**walk, "tracker": kind, "appearance": "color", "camera_motion": "on"}
    state = str(tmp_path / "s.json")
    first = plain(follow(**told, stop=13, state=state))
    assert first + plain(follow(**told, state=state, resume=True)) == plain(follow(**told))


@pytest.mark.slow_after(2)
@pytest.mark.parametrize("kind", TRACKERS)
def test_who_was_hidden_keeps_the_number(walk: dict[str, Any], kind: str) -> None:
    found = follow(**walk, tracker=kind, appearance="color" if kind in WITH_GALLERY else "none")
    assert {number for _, tracks in found for number in tracks.track_id.tolist()} == {1}
    assert [len(tracks) for _, tracks in found[-8:]] == [1] * 8


@pytest.mark.parametrize("kind", WITH_GALLERY)
def test_those_with_a_gallery_go_on_where_the_detector_rests(walk: dict[str, Any], kind: str) -> None:
    found = follow(**walk, tracker=kind, appearance="color", detect_every=2)
    assert [tracks.track_id.tolist() for _, tracks in found[-6:]] == [[1]] * 6
    with pytest.raises(OptionError, match="cannot be combined"):
        Options(tracker="motion", appearance="color", detect_every=2)


@pytest.mark.parametrize("kind", NEED_LOOKS)
def test_what_is_lacking_is_told_before_anything_is_opened(kind: str) -> None:
    with pytest.raises(OptionError, match=f"--tracker {kind} compares what objects look like; add --appear"):
        Options(tracker=kind)


@pytest.mark.parametrize("kind", WITH_GALLERY)
def test_remember_is_refused_by_who_remembers_no_longer_than_lost(kind: str) -> None:
    with pytest.raises(OptionError, match="give --lost instead"):
        Options(tracker=kind, appearance="color", remember=5)
    assert Options(tracker=kind, appearance="color", lost=3).known_s == 3
    assert Options(appearance="color", lost=3).known_s == 20


def test_limits_follow_what_the_looks_can_tell_apart() -> None:
    unlike = 1 - ColorStripes.neutral
    limits = {}
    for kind in WITH_GALLERY:
        made = make_tracker(kind, TrackerSettings(appearance="color"), 25.0)
        assert isinstance(made, VisualTracker)
        assert made.kind == f"{TRACKERS[kind].__name__}, ColorStripes"  # type: ignore[attr-defined]
        limits[kind] = made.tracker
    assert isinstance(limits["strongsort"], StrongSORT) and isinstance(limits["botsort"], BoTSORT)
    assert isinstance(limits["deepsort"], DeepSORT)
    assert limits["deepsort"].max_cosine_distance == pytest.approx(unlike)
    assert limits["strongsort"].max_cosine_distance == pytest.approx(unlike + 0.05)
    assert limits["botsort"].max_looks_distance == pytest.approx(unlike / 2)
    osnet = 1 - 0.6  # with which the published limits come out
    assert StrongSORT.max_cosine_distance == pytest.approx(osnet + 0.05)


def test_a_frame_without_looks_is_one_for_boxes() -> None:
    tracker = BoTSORT()
    box = np.array([[10, 10, 50, 90, 0.9]])
    for shift in (0, 3, 6):
        nothing = tracker.update(
            box + np.array([shift, 0, shift, 0, 0]), embed=lambda rows: np.full((len(rows), 8), np.nan)
        )
        assert nothing.track_id.tolist() == [1]
