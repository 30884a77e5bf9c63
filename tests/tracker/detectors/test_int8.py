"""int8 where no model was made beforehand: what is used, from when on, and what is said of it."""

from __future__ import annotations

import errno
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import Detections
from tests.quick import examples
from tracker.detectors.agreement import Agreement, mutual_agreement
from tracker.detectors.batched import Network
from tracker.detectors.calibration import Calibration, Task
from tracker.detectors.int8_later import Int8Later
from tracker.detectors.int8_models import FEWEST, LEAST, Int8Model, Kind, candidates, good, keep, place_for
from tracker.detectors.int8_search import Chosen, Search, Wanted
from tracker.detectors.openvino_model import cache_path, stored
from tracker.detectors.settings import Settings
from tracker.detectors.shapes import Head
from tracker.errors import WeightsError
from tracker.types import Image, Stopwatch

BOXES = st.lists(
    st.tuples(st.integers(0, 90), st.integers(0, 90), st.sampled_from([0.2, 0.4, 0.9])), max_size=6
)


def found(places: Sequence[tuple[int, int, float]]) -> Detections:
    xyxy = np.array([[x, y, x + 9, y + 9] for x, y, _ in places], np.float32).reshape(-1, 4)
    return Detections(xyxy, np.array([score for *_, score in places], np.float32), np.zeros(len(places), int))


@given(BOXES, BOXES)
@examples(60)
def test_agreement_is_mutual(one: list[tuple[int, int, float]], other: list[tuple[int, int, float]]) -> None:
    there, back = (mutual_agreement([found(a)], [found(b)]) for a, b in ((one, other), (other, one)))
    assert (there.boxes, there.found) == (back.boxes, back.found)
    assert there.score_difference == pytest.approx(-back.score_difference, abs=2e-4)
    assert mutual_agreement([found(one)], [found(one)]).found == 1.0


def test_what_only_one_sees_lowers_it_and_a_score_about_the_threshold_does_not() -> None:
    here, there = found([(0, 0, 0.9), (50, 50, 0.4)]), found([(0, 0, 0.9), (50, 50, 0.2)])
    assert mutual_agreement([here], [there]).found == 1.0
    more = found([(0, 0, 0.9), (50, 50, 0.4), (80, 0, 0.9)])
    assert mutual_agreement([here], [more]) == Agreement(5, 0.8, 0.0)
    assert mutual_agreement([Detections.empty()], [more]).found == 0


def test_int8_is_used_above_the_stated_agreement_only() -> None:
    assert good(Agreement(FEWEST, LEAST, 0.0)) is True
    assert good(Agreement(FEWEST, LEAST - 0.001, 0.0)) is False
    assert good(Agreement(FEWEST - 1, 1.0, 0.0)) is None  # nothing was seen: nobody knows


class Steady(Network[list[Image]]):
    """Says of each picture who looked at it: a box of class ``number``."""

    def __init__(self, number: int) -> None:
        self.number, self.names, self.open = number, {0: "exact", 1: "int8"}, False
        self.settings, self._watch = Settings(imgsz=64), Stopwatch()

    def __enter__(self) -> Steady:
        self.open = True
        return self

    def __exit__(self, *_: object) -> None:
        self.open = False

    def in_flight(self) -> int:
        return 2

    def start(self, images: Sequence[Image]) -> list[Image]:
        assert self.open
        return list(images)

    def finish(self, pending: list[Image]) -> list[Detections]:
        assert self.open
        return [Detections([[0, 0, float(image[0, 0, 0]) + 1, 1]], [0.9], [self.number]) for image in pending]

    def abandon(self, pending: list[Image]) -> None:
        pass


def later(search: Search, notes: list[str]) -> Int8Later:
    return Int8Later(Steady(0), search, lambda folder: Steady(1), notes)


def picture(number: int) -> Image:
    return np.full((48, 64, 3), number, np.uint8)


def test_the_second_network_takes_over_and_no_picture_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.detectors.int8_later.EVERY_S", 0.0)
    seen: list[tuple[list[Image], list[Image]]] = []

    def search() -> Search:
        pictures = yield Wanted(2, 3)
        assert pictures is not None
        seen.append(pictures)
        return Chosen(Path("model"), "int8 is good")

    def pictures() -> Any:
        for number in range(40):
            yield picture(number)
            time.sleep(0.002)

    notes: list[str] = []
    with later(search(), notes) as network:
        answers = [one for image in pictures() for one in network.detect([image])]
    assert [int(one.xyxy[0, 2]) - 1 for one in answers] == list(range(40))  # each once, in order
    who = [int(one.class_id[0]) for one in answers]
    assert who == sorted(who) and set(who) == {0, 1}  # exact first, then int8
    ((learn, check),) = seen
    assert [len(learn), len(check)] == [2, 3]
    assert {int(image[32, 32, 0]) for image in learn}.isdisjoint(int(image[32, 32, 0]) for image in check)
    assert notes == ["int8 is good"]
    assert [name for name, _ in network.summary()] == ["int8"]


@pytest.mark.parametrize("reason", ["refused", "failed", "early"])
def test_the_exact_network_goes_on_where_int8_is_no_good_or_not_ready(reason: str) -> None:
    def search() -> Search:
        yield Wanted(0, 1 if reason != "early" else 100)
        if reason == "failed":
            raise WeightsError("no room")
        return Chosen(None, "int8 is not used: bad")

    notes: list[str] = []
    with later(search(), notes) as network:
        answers = network.detect([picture(number) for number in range(10)])
    assert [int(one.class_id[0]) for one in answers] == [0] * 10
    told = {"refused": "not used: bad", "failed": "not used: no room", "early": "not ready before the end"}
    assert len(notes) == 1 and told[reason] in notes[0]


def model_in(folder: Path) -> Path:
    """Write the smallest model there is."""
    import openvino as ov

    from tracker.detectors.openvino_model import store

    number = ov.opset13.parameter([1], np.float32)
    return store(folder, ov.Model([number], [number]), {0: "thing"}, Head()).xml.parent


@pytest.mark.slow
def test_a_model_is_found_again_by_its_weights_and_the_place(untrained: Path, tmp_path: Path) -> None:
    door, yard = Kind("/videos/door", "videos in door"), Kind("/videos/yard", "videos in yard")
    assert candidates(untrained, door) == []
    made = model_in(tmp_path / place_for(untrained, door).folder.name)
    kept = keep(untrained, made, door, "film")
    assert kept is not None and stored(kept.folder) is not None and not made.exists()
    assert candidates(untrained, door) == [kept] and kept.is_of("film") and not kept.is_of("other")
    assert candidates(untrained, yard) == [kept]  # of another place: worth a comparison
    assert candidates(untrained, yard)[0].name == "videos in door"
    model_in(cache_path(untrained, int8=True))
    assert [one.name for one in candidates(untrained, door)] == ["videos in door", "`track export`"]
    assert "door" not in kept.folder.name  # where somebody keeps videos is nobody's business


def test_what_was_compared_is_remembered(untrained: Path, tmp_path: Path) -> None:
    model = Int8Model(tmp_path, "videos in door")
    assert model.checked("film", 640) is None
    model.remember("film", 640, Agreement(70, 0.95, 0.01))
    assert model.checked("film", 640) == Agreement(70, 0.95, 0.01)
    assert model.checked("film", 320) is None and model.checked("other", 640) is None
    (tmp_path / "checked.json").write_text("[1]", encoding="utf-8")
    assert model.checked("film", 640) is None
    Int8Model(tmp_path / "nowhere", "x").remember("film", 640, Agreement(1, 1.0, 0.0))  # says nothing


def test_what_a_full_disk_left_of_a_model_is_removed(
    untrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, kind = tmp_path / "made", Kind("rtsp://10.0.0.1/door", "door")
    made.mkdir()

    def half(source: Path, place: Path) -> None:
        place.mkdir()
        (place / "model.bin").write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "move", half)
    assert keep(untrained, made, kind, None) is None
    assert made.is_dir() and not place_for(untrained, kind).folder.exists()


def test_where_frames_cannot_be_kept_one_line_says_what_to_do(
    untrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nothing here"))
    task = Task(str(untrained), str(tmp_path / "model"), 64, 0.7, 0.25, None)
    with pytest.raises(
        WeightsError, match=r"frames cannot be kept in .*nothing here .*; make room, set TMPDIR"
    ):
        Calibration(task, [], [np.zeros((64, 64, 3), np.uint8)])


def test_ctrl_c_while_frames_are_kept_leaves_nothing(
    untrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(np, "savez", interrupted)
    kept = []
    cleanup = tempfile.TemporaryDirectory.cleanup
    monkeypatch.setattr(tempfile.TemporaryDirectory, "cleanup", lambda self: (kept.append(1), cleanup(self)))
    task = Task(str(untrained), str(tmp_path / "model"), 64, 0.7, 0.25, None)
    with pytest.raises(KeyboardInterrupt):
        Calibration(task, [], [np.zeros((64, 64, 3), np.uint8)])
    assert kept and not [*tmp_path.iterdir()]
