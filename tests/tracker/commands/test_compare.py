"""``track compare``: each column is what a run with that tracker finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

from bytetrack import Detections
from tests.tracker.squares import SquareDetector
from tracker import track
from tracker.commands.compare import command
from tracker.detectors.settings import Settings
from tracker.errors import InputError, OptionError
from tracker.plugins.line import Line
from tracker.trackers.settings import NEED_LOOKS, TRACKER_KINDS
from tracker.types import Image

LINE = "door=80,0 80,96"
SEEN = range(1, 41)
LOST = range(18, 22)  # frames in which the square is not found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """Put a detector of squares in the network's place; return a list that grows by one a frame."""
    looks: list[int] = []

    class Counting(SquareDetector):
        def _look(self, image: Image) -> Detections:
            looks.append(1)
            found = super()._look(image)
            return replace(found, features=np.full((len(found), 4), 0.5, np.float32)) if featured else found

    featured = False

    def opened(_: object, settings: Settings, **__: object) -> Counting:
        nonlocal featured
        featured = settings.features is not None
        return Counting()

    monkeypatch.setattr("tracker.run.build_detector.open_detector", opened)
    (tmp_path / "w.pt").write_bytes(b"weights")
    return looks


@pytest.fixture
def clip(make_video: Callable[..., Path]) -> Path:
    return make_video(frames=40)


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """Return stored boxes of the square, with a gap."""
    path = tmp_path / "walk" / "det" / "det.txt"
    path.parent.mkdir(parents=True)
    rows = [f"{n},-1,{1 + 3 * n},20,20,20,0.9,-1,-1,-1\n" for n in SEEN if n not in LOST]
    path.write_text("".join(rows))
    return path


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(command, [str(a) for a in arguments], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.output


@pytest.mark.slow
def test_each_column_is_what_a_run_with_that_tracker_finds(clip: Path, boxes: Path) -> None:
    compared = json.loads(run(clip, "--detections", boxes, "--line", LINE, "--json", "-q"))
    assert [name.removesuffix(" (color)") for name in compared] == [*TRACKER_KINDS]
    for name, column in compared.items():
        kind = name.removesuffix(" (color)")
        line = Line(((80, 0), (80, 96)), name="door")
        looks = "color" if kind in NEED_LOOKS else "none"
        ids = {
            number
            for result in track(
                str(clip), detections=str(boxes), tracker=kind, appearance=looks, plugins=[line]
            )
            for number in result.tracks.track_id.tolist()
        }
        assert column.pop("identities") == str(len(ids)) == "1", name
        assert float(column.pop("ms per frame")) >= 0
        assert column == dict(line.summary())
        assert int(column["door in"][0]) + int(column["door out"][0]) == 1


def test_what_was_asked_for_is_compared_and_nothing_else(clip: Path, boxes: Path) -> None:
    out = run(clip, "--detections", boxes, "--tracker", "sort", "--tracker", "motion", "-q").splitlines()
    assert out[0].split() == ["sort", "motion"]
    assert out[1].split() == ["identities", "1", "1"]


@pytest.mark.slow
def test_the_network_looks_once_at_each_frame(clip: Path, tmp_path: Path, asked: list[int]) -> None:
    found = json.loads(run(clip, "--json", "-q", "--weights", tmp_path / "w.pt"))
    assert len(asked) == 40 and {column["identities"] for column in found.values()} == {"1"}


@pytest.mark.slow
def test_with_a_truth_switches_and_scores_are_told(clip: Path, boxes: Path) -> None:
    pytest.importorskip("trackeval", reason="needs the extra eval")
    truth = boxes.parent.parent / "gt" / "gt.txt"
    truth.parent.mkdir()
    truth.write_text("".join(f"{n},1,{1 + 3 * n},20,20,20,1,1,1\n" for n in SEEN))
    asked = (clip, "--detections", boxes, "--json", "-q", "--lost", "2")
    found = json.loads(run(*asked, "--truth", truth.parent.parent))
    for column in found.values():
        assert (column["switches"], column["identities in truth"]) == ("0", "1")
        assert 80 < float(column["IDF1"]) < 100  # the gap
    short = json.loads(run(*asked, "--truth", truth, "--max-frames", "10", "--tracker", "bytetrack"))
    assert short["bytetrack"]["IDF1"] == "100.0"
    with pytest.raises(click.UsageError, match="leave out --start"):
        run(*asked, "--truth", truth, "--start", "1")
    (boxes.parent.parent.parent / "more" / "a" / "gt").mkdir(parents=True)
    with pytest.raises(InputError, match="no sequence in"):
        run(*asked, "--truth", boxes.parent.parent.parent / "more")


@pytest.mark.slow
@pytest.mark.usefixtures("asked")
def test_stored_boxes_alone_leave_out_who_needs_pictures(clip: Path, tmp_path: Path) -> None:
    stored = tmp_path / "boxes.parquet"
    for _ in track(str(clip), weights=str(tmp_path / "w.pt"), save_detections=str(stored)):
        pass
    out = run(stored, "-q")
    assert "strongsort and deepsort need pictures" in out
    assert [*json.loads(run(stored, "-q", "--json", "--tracker", "sort"))] == ["sort"]
    with pytest.raises(click.UsageError, match="nothing is left"):
        run(stored, "--tracker", "deepsort")


@pytest.mark.slow
@pytest.mark.usefixtures("asked")
def test_boxes_stored_with_their_features_are_enough_for_all(clip: Path, tmp_path: Path) -> None:
    stored, options = tmp_path / "boxes.parquet", {"weights": str(tmp_path / "w.pt"), "appearance": "self"}
    for _ in track(str(clip), save_detections=str(stored), **options):
        pass
    kinds = ("--tracker", "sort", "--tracker", "deepsort")
    assert [*json.loads(run(stored, "-q", "--json", *kinds))] == ["sort", "deepsort (self)"]
    with_video = run(clip, "-q", "--json", *kinds, "--detections", stored, "--appearance", "self")
    assert [*json.loads(with_video)] == ["sort (self)", "deepsort (self)"]


def test_mistakes_are_told_before_anything_is_opened(clip: Path, boxes: Path) -> None:
    for wrong, told in (
        (("--line", "1,2"), "line"),
        (("--conf", "7"), "--conf"),
        (("--appearance", "taste"), "--appearance"),
    ):
        with pytest.raises(OptionError, match=told):
            run(clip, "--detections", boxes, *wrong)
