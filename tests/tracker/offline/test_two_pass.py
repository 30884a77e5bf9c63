"""A file seen twice: the same frames, with tracks that know how they end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bytetrack import BYTETracker, Detections, Tracks
from tests.tracker.fakes import CountingPlugin, ListDetector, frames, walker
from tracker import api, pipeline
from tracker.contracts import PictureTracker
from tracker.offline.saved_tracks import SavedTracks, blank
from tracker.offline.two_pass import first_pass
from tracker.options import Options
from tracker.run import build_detector as detecting
from tracker.run import session, upstream
from tracker.sinks import CsvSink
from tracker.types import Frame, OptionError, Scene

FPS = 25.0
HOLES = {7, 8, 12}


class Patient(ListDetector):
    """Does not mind a source that ends early."""

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        yield from zip(frames, self.found, strict=False)


@pytest.fixture
def interrupted_walk() -> list[Detections]:
    return [Detections.empty() if i in HOLES else boxes for i, boxes in enumerate(walker(20))]


def test_gaps_are_shown_but_no_plugin_sees_them(interrupted_walk: list[Detections]) -> None:
    film, plugin = frames(20, fps=FPS), CountingPlugin()
    precomputed = first_pass(film, ListDetector(interrupted_walk), BYTETracker(frame_rate=FPS))
    results = list(pipeline.run(film, precomputed, precomputed, [plugin]))
    assert [len(one.tracks) for one in results] == [1] * 20
    assert {i for i, one in enumerate(results) if one.tracks.source[0] < 0} == HOLES
    assert {i for i, seen in enumerate(plugin.seen) if not seen} == HOLES
    assert [one.frame.index for one in results] == list(range(20))
    assert [len(one.detections) for one in results] == [0 if i in HOLES else 1 for i in range(20)]
    left = np.array([one.tracks.xyxy[0, 0] for one in results])
    np.testing.assert_allclose(left, 2.0 * np.arange(20), atol=1e-6)  # nothing of the filter's delay


def test_the_first_pass_reports_every_frame(interrupted_walk: list[Detections]) -> None:
    told: list[int] = []
    first_pass(frames(20), ListDetector(interrupted_walk), BYTETracker(), advance=told.append)
    assert len(told) == 20
    assert sum(told) == 20 - len(HOLES)


def test_a_second_decoding_that_ends_early_ends_the_run() -> None:
    precomputed = first_pass(frames(9), ListDetector(walker(9)), BYTETracker())
    assert len(list(pipeline.run(frames(9)[:4], precomputed, precomputed))) == 4


def test_an_interrupted_first_pass_draws_nothing_and_says_so(
    make_video: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detecting, "open_detector", lambda *_, **__: Patient(walker(12)))
    options = Options(refine=True, save_csv=str(tmp_path / "t.csv"))
    with session.Session(str(make_video()), options) as run:
        run.advance = lambda _: run.stop.set()
        assert len(list(run)) == 0
    assert any("interrupted" in note for note in run.account.warnings())


def test_a_run_of_a_file(
    make_video: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interrupted_walk: list[Detections],
) -> None:
    monkeypatch.setattr(detecting, "open_detector", lambda *_, **__: ListDetector(interrupted_walk))
    path = tmp_path / "t.csv"
    results = list(api.track(make_video(frames=20), refine=True, save_csv=str(path)))
    assert [len(one.tracks) for one in results] == [1] * 20
    assert len(path.read_text().splitlines()) == 21
    assert sum(",0.0000," in line for line in path.read_text().splitlines()) == len(HOLES)  # confidence 0


def test_a_live_source_is_refused_in_one_line(
    make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def live(*given: object, **options: object) -> object:
        source = api_open(*given, **options)  # type: ignore[arg-type]
        source.live = True
        return source

    api_open = upstream.open_source
    monkeypatch.setattr(upstream, "open_source", live)
    with pytest.raises(OptionError, match="--refine needs a file"):
        list(api.track(make_video(), refine=True))


def test_saved_tracks_are_refined_wherever_they_begin(tmp_path: Path) -> None:
    """The tracks begin at frame 40 of a recording that is shown from frame 0."""
    path = tmp_path / "t.txt"
    path.write_text(
        "".join(f"{41 + i},1,{2 * i},10,10,30,0.9,-1,-1,-1\n" for i in range(20) if i not in HOLES)
    )
    saved = SavedTracks(path, fps=FPS)
    precomputed = first_pass(saved.frames(blank((64, 48))), saved, saved, raw=False)
    shown = [one.tracks for one in pipeline.run(frames(64, fps=FPS), precomputed, precomputed)]
    assert [i for i, tracks in enumerate(shown) if len(tracks)] == list(range(40, 60))
    assert [i for i in range(40, 60) if shown[i].source[0] < 0] == [40 + i for i in sorted(HOLES)]


def test_what_was_filled_in_stays_so_when_it_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    scene = Scene("film", (64, 48), FPS, False, {0: "person"})
    film = frames(20, fps=FPS)
    boxes = [Detections.empty() if i in HOLES else one for i, one in enumerate(walker(20))]
    precomputed = first_pass(film, ListDetector(boxes), BYTETracker(frame_rate=FPS))
    with CsvSink(path, scene) as sink:
        for result in pipeline.run(film, precomputed, precomputed):
            sink.write(result)
    saved, plugin = SavedTracks(path), CountingPlugin()
    again = list(pipeline.run(saved.frames(blank((64, 48))), saved, saved, [plugin]))
    assert {i for i, one in enumerate(again) if one.tracks.source[0] < 0} == HOLES
    assert {i for i, seen in enumerate(plugin.seen) if not seen} == HOLES


class Clothed(PictureTracker):
    """ByteTrack, and everybody's clothes differ by where in the picture they walk."""

    frame_rate = FPS

    def __init__(self) -> None:
        self.tracker = BYTETracker(frame_rate=FPS, track_buffer=5)

    def observe(self, frame: Frame) -> None:
        pass

    def update(self, detections: Detections, dt: float = 1.0) -> Tracks:
        return self.tracker.update(detections, dt)

    def looks(self, frame: Frame, detections: Detections, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.eye(8)[(detections.xyxy[rows, 1] // 50).astype(int)]


def test_a_tracker_that_compares_looks_finds_who_was_hidden_for_long() -> None:
    """Of six people the last one is hidden from frame 30 to frame 60, longer than the tracker waits."""
    people = [[100, 50 * k + 5, 115, 50 * k + 45] for k in range(6)]
    shown = [people if not 30 <= index < 60 else people[:5] for index in range(90)]
    found = [Detections(xyxy, [0.9] * len(xyxy), [0] * len(xyxy)) for xyxy in shown]
    film = frames(90, fps=FPS, size=(300, 400))
    precomputed = first_pass(film, ListDetector(found), Clothed())
    results = list(pipeline.run(film, precomputed, precomputed))
    assert results[10].tracks.track_id.tolist() == results[80].tracks.track_id.tolist() == [1, 2, 3, 4, 5, 6]
    alone = first_pass(film, ListDetector(found), Clothed().tracker)
    assert list(pipeline.run(film, alone, alone))[80].tracks.track_id.tolist() == [1, 2, 3, 4, 5, 7]
