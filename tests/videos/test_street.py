"""The sample clip: what is true in it, and that only a whole ByteTrack keeps everybody's identity."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from bytetrack import BYTETracker, Detections, Tracks
from bytetrack.boxes import iou
from videos import street

PERSON = 0

pytestmark = pytest.mark.slow  # the clip takes seconds to render


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    clip, truth = street.render(tmp_path_factory.mktemp("street"))
    return clip, json.loads(truth.read_text("utf-8"))


def rows(truth: dict[str, Any], key: str) -> list[np.ndarray]:
    """Rows of ``boxes`` or ``seen``, (n, 7), per frame."""
    table = np.array(truth[key], np.float64)
    return [table[table[:, 0] == frame] for frame in range(truth["frames"])]


def test_the_clip_is_what_its_truth_says(rendered: tuple[Path, dict[str, Any]]) -> None:
    clip, truth = rendered
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (truth["width"], truth["height"])
        assert stream.average_rate == truth["fps"]
        assert sum(1 for _ in container.decode(stream)) == truth["frames"] == 250
    assert clip.stat().st_size < 2 * 2**20


def test_rendering_is_kept_until_the_scene_changes(
    rendered: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = rendered[0].parent
    before = rendered[0].stat().st_mtime_ns
    assert street.render(folder)[0].stat().st_mtime_ns == before
    assert [path.name for path in sorted(folder.iterdir())] == ["street.mp4", "street.truth.json"]

    def broken(path: Path) -> list[Any]:
        path.write_bytes(b"half a clip")
        raise KeyboardInterrupt

    monkeypatch.setattr(street, "version", lambda: "another scene")
    monkeypatch.setattr(street, "_encode", broken)
    with pytest.raises(KeyboardInterrupt):
        street.render(folder)
    assert rendered[0].stat().st_mtime_ns == before, "an interrupted rendering leaves the old one whole"
    assert [path.name for path in sorted(folder.iterdir())] == ["street.mp4", "street.truth.json"]


def test_the_pictures_are_the_same_every_time() -> None:
    first, second = street.frames(), street.frames()
    for _ in range(3):
        (picture, boxes), (again, boxes_again) = next(first), next(second)
        assert np.array_equal(picture, again) and boxes == boxes_again


def test_boxes_are_exact(rendered: tuple[Path, dict[str, Any]]) -> None:
    _, truth = rendered
    seen, full = np.array(truth["seen"]), np.array(truth["boxes"])
    assert seen[:, 2].min() >= 0 and seen[:, 3].min() >= 0
    assert seen[:, 4].max() <= truth["width"] and seen[:, 5].max() <= truth["height"]
    whole = {(int(f), int(v)): box for f, v, *box in full[:, :6]}
    for frame, visit, x1, y1, x2, y2, visibility in seen:
        left, top, right, bottom = whole[int(frame), int(visit)]
        assert left <= x1 < x2 <= right and top <= y1 < y2 <= bottom
        assert 0 <= visibility <= 1
    assert full[:, 6].min() == 0 and full[:, 6].max() == 1


def test_everybody_comes_goes_and_is_hidden_as_told(rendered: tuple[Path, dict[str, Any]]) -> None:
    _, truth = rendered
    assert truth["expected_ids"] == len(truth["visits"]) == 7
    back = [visit for visit in truth["visits"] if visit["returns"]]
    assert [visit["person"] for visit in back] == ["Dana"]
    left = next(v for v in truth["visits"] if v["person"] == "Dana" and not v["returns"])
    assert back[0]["frames"][0] - left["frames"][1] > 2 * truth["fps"], "longer than the lost buffer of 1 s"
    ada = np.array([row[6] for row in truth["boxes"] if row[1] == 1])
    assert (ada < 0.2).sum() >= 4, "hidden behind the pillar"
    cem = np.array([row[6] for row in truth["boxes"] if row[1] == 3])
    assert longest(cem < 0.4) > truth["fps"], "waits behind milky glass for longer than the lost buffer"


def longest(flags: np.ndarray) -> int:
    return max(len(run) for run in "".join("x" if flag else " " for flag in flags).split(" "))


def test_crossings_and_stays_agree_with_the_boxes(rendered: tuple[Path, dict[str, Any]]) -> None:
    _, truth = rendered
    bakery = truth["lines"][0]
    assert bakery["name"] == "bakery" and bakery["expected"] == {"+": 3, "-": 2}
    for (frame, sign), visit in zip(bakery["event_frames"], bakery["visits"], strict=True):
        x = {row[0]: (row[2] + row[4]) / 2 for row in truth["boxes"] if row[1] == visit}
        assert (x[frame - 1] - 200) * (x[frame] - 200) <= 0
        assert (x[frame] > x[frame - 1]) == (sign == "+")
    shelter = truth["zones"][0]
    assert [visit for _, visit in shelter["entry_events"]] == [3]
    (entered, _), (left, _) = shelter["entry_events"][0], shelter["exit_events"][0]
    assert shelter["dwell_seconds_by_visit"]["3"] == pytest.approx((left - entered) / truth["fps"], abs=0.01)


# --- identities -----------------------------------------------------------------------------------------


@dataclass
class Static:
    """The matcher of many tutorials: the box of the last frame, greatest IoU, nothing predicted."""

    least_iou: float = 0.3
    patience: int = 25  # frames
    score: float = 0.5

    def __post_init__(self) -> None:
        self.boxes: dict[int, tuple[np.ndarray, int]] = {}
        self.frame = self.born = 0

    def update(self, detections: Detections) -> Tracks:
        self.frame += 1
        good = detections[detections.score >= self.score]
        known = list(self.boxes)
        overlap = iou(np.array([self.boxes[i][0] for i in known]).reshape(-1, 4), good.xyxy)
        ids = np.zeros(len(good), np.int64)
        for row, column in zip(*linear_sum_assignment(-overlap), strict=True):
            if overlap[row, column] >= self.least_iou:
                ids[column] = known[row]
        for column in np.flatnonzero(ids == 0):
            self.born += 1
            ids[column] = self.born
        self.boxes |= {int(i): (box, self.frame) for i, box in zip(ids, good.xyxy, strict=True)}
        self.boxes = {
            i: (b, seen) for i, (b, seen) in self.boxes.items() if self.frame - seen <= self.patience
        }
        return Tracks(ids, good.xyxy, good.score, good.class_id, np.arange(len(good)))


def noisy(truth: dict[str, Any], seed: int) -> list[Detections]:
    """What a fair detector would find: jittered boxes of the part that is seen, scores that fall with it."""
    rng = np.random.default_rng(seed)
    found = []
    for table in rows(truth, "boxes"):
        visible = table[table[:, 6] > 0.12]
        size = np.tile(visible[:, 4:6] - visible[:, 2:4], 2)
        xyxy = visible[:, 2:6] + rng.normal(0, 0.015, (len(visible), 4)) * size
        score = np.clip(0.12 + 0.75 * visible[:, 6] + rng.normal(0, 0.03, len(visible)), 0.1, 0.95)
        xyxy[:, 0::2] = xyxy[:, 0::2].clip(0, truth["width"])
        xyxy[:, 1::2] = xyxy[:, 1::2].clip(0, truth["height"])
        found.append(Detections(xyxy, score, np.full(len(visible), PERSON)))
    return found


def identities(truth: dict[str, Any], answers: Sequence[Tracks]) -> tuple[int, dict[int, list[int]]]:
    """Number of ids, and per visit the ids it had, in order, without repetition."""
    held: dict[int, list[int]] = {}
    used: set[int] = set()
    for table, seen, tracks in zip(rows(truth, "boxes"), rows(truth, "seen"), answers, strict=True):
        used |= set(tracks.track_id.tolist())
        inside = table[:, 2:6].clip(0, [truth["width"], truth["height"]] * 2)
        overlap = iou(inside, tracks.xyxy)
        for visit_row in range(len(table)):  # a box around the visible part is right, too
            part = seen[seen[:, 1] == table[visit_row, 1], 2:6]
            if len(part) and len(tracks):
                overlap[visit_row] = np.maximum(overlap[visit_row], iou(part, tracks.xyxy)[0])
        for row, column in zip(*linear_sum_assignment(-overlap), strict=True):
            if overlap[row, column] > 0.3:
                ids = held.setdefault(int(table[row, 1]), [])
                if not ids or ids[-1] != tracks.track_id[column]:
                    ids.append(int(tracks.track_id[column]))
    return len(used), held


def kept(truth: dict[str, Any], answers: Sequence[Tracks]) -> bool:
    """One id per visit, one visit per id."""
    count, held = identities(truth, answers)
    return count == truth["expected_ids"] == len(held) and all(len(ids) == 1 for ids in held.values())


def follow(tracker: Any, found: Sequence[Detections]) -> list[Tracks]:
    return [tracker.update(detections) for detections in found]


@pytest.mark.parametrize("seed", range(5))
def test_a_whole_bytetrack_keeps_everybody(rendered: tuple[Path, dict[str, Any]], seed: int) -> None:
    _, truth = rendered
    answers = follow(BYTETracker(frame_rate=truth["fps"]), noisy(truth, seed))
    assert kept(truth, answers), identities(truth, answers)


@pytest.mark.parametrize("seed", range(5))
def test_without_the_second_association_somebody_is_lost(
    rendered: tuple[Path, dict[str, Any]], seed: int
) -> None:
    _, truth = rendered
    answers = follow(BYTETracker(frame_rate=truth["fps"], low_thresh=0.5), noisy(truth, seed))
    assert not kept(truth, answers)


@pytest.mark.parametrize("seed", range(5))
def test_without_prediction_somebody_is_lost(rendered: tuple[Path, dict[str, Any]], seed: int) -> None:
    _, truth = rendered
    found = noisy(truth, seed)
    assert not kept(truth, follow(Static(), found))
    assert not kept(truth, follow(Static(score=0.1), found)), "low scores alone do not help"


def test_a_perfect_tracker_would_pass(rendered: tuple[Path, dict[str, Any]]) -> None:
    _, truth = rendered
    perfect = [
        Tracks(t[:, 1].astype(int), t[:, 2:6], t[:, 6], t[:, 1].astype(int) * 0, np.arange(len(t)))
        for t in rows(truth, "seen")
    ]
    assert kept(truth, perfect)
    swapped = [
        *perfect[:60],
        *(Tracks(t.track_id % 7 + 1, t.xyxy, t.score, t.class_id, t.source) for t in perfect[60:]),
    ]
    assert not kept(truth, swapped)


@pytest.mark.timeout(300)
def test_yolo_finds_these_people_and_they_keep_their_ids(
    rendered: tuple[Path, dict[str, Any]], weights: Path
) -> None:
    from tracker.detectors import Settings, open_detector
    from tracker.sources import open_source

    clip, truth = rendered
    with (
        open_detector(str(weights), Settings(classes=["person"])) as detector,
        open_source(str(clip)) as source,
    ):
        found = [detections for _, detections in detector.stream(source)]
    clear = recall = 0
    for table, detections in zip(rows(truth, "boxes"), found, strict=True):
        whole = table[table[:, 6] > 0.9, 2:6]
        good = detections[detections.score >= 0.5]
        clear += len(whole)
        recall += int((iou(whole, good.xyxy).max(axis=1, initial=0) > 0.7).sum())
    assert recall / clear > 0.97, f"{recall} of {clear} people in full view found"
    answers = follow(BYTETracker(frame_rate=truth["fps"]), found)
    assert kept(truth, answers), identities(truth, answers)
    blind = follow(BYTETracker(frame_rate=truth["fps"], low_thresh=0.5), found)
    assert not kept(truth, blind), "the clip is to show what the second association is for"
