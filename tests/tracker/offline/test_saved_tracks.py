"""Replaying saved tracks gives what the run that saved them gave."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bytetrack import BYTETracker, Detections
from tracker import pipeline
from tracker.contracts import Plugin
from tracker.offline.saved_tracks import SavedTracks, blank
from tracker.plugins.line import Line
from tracker.plugins.zone import Zone
from tracker.sinks import CsvSink, MotSink
from tracker.sinks.counts import CountsSink
from tracker.sinks.events import EventsSink
from tracker.types import Frame, InputError, Result, Scene

SIZE, FPS, LENGTH = (640, 480), 24.97, 400
NAMES = {0: "person", 2: "car"}


class Walkers:
    """A detector that sees people walk to and fro over uneven stretches, with gaps and noise."""

    names = NAMES

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        noise = np.random.default_rng(7)
        for frame in frames:
            phase = frame.index / np.array([31.0, 43.0, 67.0]) + np.array([0.0, 1.0, 2.0])
            x, y = 320 + 200 * np.sin(phase), np.array([150.0, 300.0, 460.0])
            boxes = np.stack([x - 20, y - 90, x + 20, y], 1) + noise.uniform(-1, 1, (3, 4))
            seen = (frame.index + np.array([0, 40, 90])) % 150 > 25
            quiet = frame.index < 8 or frame.index > LENGTH - 60  # nobody at the beginning and at the end
            seen &= not quiet
            yield frame, Detections(boxes[seen], np.full(seen.sum(), 0.9), np.array([0, 0, 2])[seen])


def plugins() -> list[Plugin]:
    square = [(250, 80), (420, 80), (420, 470), (250, 470)]
    return [Line([(320, 0), (320, 480)]), Zone(square, loiter_s=1.0)]


def run(
    folder: Path, source: Iterable[Frame], detector: object, tracker: object, *, save: bool = False
) -> list[Path]:
    folder.mkdir()
    scene = Scene("walkers", SIZE, FPS, False, NAMES, lost_s=1.0)
    made = plugins()
    for plugin in made:
        plugin.start(scene)  # type: ignore[attr-defined]
    events, counts = (
        EventsSink(folder / "events.jsonl", scene),
        CountsSink(folder / "counts.csv", scene, interval=5),
    )
    table, mot = CsvSink(folder / "tracks.csv", scene), MotSink(folder / "tracks.txt")
    with events, counts, table, mot:
        for result in pipeline.run(source, detector, tracker, made):  # type: ignore[arg-type]
            for sink in (events, counts, table, mot):
                sink.write(result)
        last = pipeline.finish(made)
        events.finish(last)
        counts.finish(last)
    return [folder / "events.jsonl", folder / "counts.csv"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("walkers") / "live"
    frames = [Frame(blank(SIZE), index, index / FPS) for index in range(LENGTH)]
    run(folder, frames, Walkers(), BYTETracker(frame_rate=FPS))
    return folder


@pytest.fixture
def live(tmp_path: Path, made: Path) -> list[Path]:
    folder = tmp_path / "live"
    shutil.copytree(made, folder)
    return [folder / "events.jsonl", folder / "counts.csv"]


def test_replay_gives_the_same_events_and_counts(tmp_path: Path, live: list[Path]) -> None:
    saved = SavedTracks(tmp_path / "live" / "tracks.csv")
    again = run(tmp_path / "again", saved.frames(blank(SIZE)), saved, saved)
    assert len(live[0].read_text().splitlines()) > 20
    for before, after in zip(live, again, strict=True):
        assert before.read_text() == after.read_text()
    assert (saved.length, saved.names) == (LENGTH, NAMES)
    assert saved.frame_rate == pytest.approx(FPS, rel=1e-4)


@pytest.mark.slow
def test_the_table_replayed_is_the_table(tmp_path: Path, live: list[Path]) -> None:
    saved = SavedTracks(tmp_path / "live" / "tracks.csv")
    run(tmp_path / "again", saved.frames(blank(SIZE)), saved, saved)
    assert (tmp_path / "again/tracks.csv").read_text() == (tmp_path / "live/tracks.csv").read_text()


def test_motchallenge_text_gives_the_same_crossings(tmp_path: Path, live: list[Path]) -> None:
    saved = SavedTracks(tmp_path / "live" / "tracks.txt", fps=FPS)
    (events, _) = run(tmp_path / "again", saved.frames(blank(SIZE)), saved, saved)
    kinds = [
        [line.split('"kind": ')[1][:10] for line in p.read_text().splitlines()] for p in (live[0], events)
    ]
    assert [k for k in kinds[0] if k.startswith('"line')] == [k for k in kinds[1] if k.startswith('"line')]


def test_pictures_of_the_recording_meet_their_tracks(tmp_path: Path, live: list[Path]) -> None:
    """Every second frame of the recording, beginning later: each gets the tracks of its own number."""
    saved = SavedTracks(tmp_path / "live" / "tracks.csv")
    whole = {r.frame.index: r for r in _results(saved, saved.frames(blank(SIZE)))}
    chosen = [Frame(blank(SIZE), index, 0.0) for index in range(51, LENGTH + 9, 2)]
    for result in _results(saved, chosen):
        expected = whole.get(result.frame.index)
        np.testing.assert_array_equal(
            result.tracks.xyxy, expected.tracks.xyxy if expected else np.empty((0, 4))
        )


def _results(saved: SavedTracks, frames: Iterable[Frame]) -> Iterator[Result]:
    return pipeline.run(frames, saved, saved)  # type: ignore[arg-type]


def test_frames_that_a_table_leaves_out_had_nothing_in_them(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "x_min,y_min,x_max,y_max,class_id,confidence,tracker_id,frame\n1,2,3,4,0,0.5,9,0\n1,2,3,4,0,0.5,9,4\n"
    )
    results = list(_results(saved := SavedTracks(path, fps=10), saved.frames(blank(SIZE))))
    assert [(r.frame.index, r.frame.time, len(r.tracks)) for r in results] == [(0, 0.0, 1), (4, 0.4, 1)]
    path.write_text(path.read_text() + "1,2,3,4,0,0.5,9,5\n")
    results = list(_results(saved := SavedTracks(path, fps=10), saved.frames(blank(SIZE))))
    assert [(r.frame.index, len(r.tracks)) for r in results] == [
        (0, 1),
        (1, 0),
        (2, 0),
        (3, 0),
        (4, 1),
        (5, 1),
    ]
    assert results[2].frame.time == pytest.approx(0.2)


def test_rows_in_many_blocks_with_cells_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.offline.tables.BLOCK", 3)
    path = tmp_path / "t.csv"
    head = "frame,time_s,x_min,y_min,x_max,y_max,class_id,class_name,confidence,tracker_id\n"
    rows = [
        f"{n},{n / 10},1,2,3,{n}.5,,,,{n + 1}\n" if n % 4 else f"{n},{n / 10},,,,,,,,\n" for n in range(11)
    ]
    rows[5] = "5,0.5,1,2,3,5.5,2,car,0.25,6\n5,0.5,1,2,3,9,0,person,0,7,more\n\n"
    path.write_text(head + "".join(rows))
    results = list(_results(saved := SavedTracks(path), saved.frames(blank(SIZE))))
    assert [r.tracks.track_id.tolist() for r in results] == [
        [n + 1] * (n % 4 > 0) + [7] * (n == 5) for n in range(11)
    ]
    assert [r.frame.time for r in results] == [n / 10 for n in range(11)]
    five = results[5].tracks
    assert (five.class_id.tolist(), five.score.tolist(), five.source.tolist()) == (
        [2, 0],
        [0.25, 0.0],
        [0, -1],
    )
    assert five.xyxy.tolist() == [[1, 2, 3, 5.5], [1, 2, 3, 9]]
    assert results[6].tracks.score.tolist() == [1.0]
    assert (saved.names[2], saved.extent) == ("car", (3.0, 10.5))
    path.write_text(head + "".join(rows) + "12,oops,1,2,3,4,0,person,1,8\n")
    with pytest.raises(InputError, match=r":15: not a row of tracks: .*oops"):
        SavedTracks(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "contains no tracks"),
        ("frame,tracker_id\n", "column 'x_min' is missing"),
        ("frame,time_s,x_min,y_min,x_max,y_max,tracker_id\n0,0,1,2,three,4,5\n", ":2: not a row of tracks"),
        ("frame,time_s,x_min,y_min,x_max,y_max,tracker_id\n5,0,1,2,3,4,5\n4,0,1,2,3,4,5\n", "sort by frame"),
        ("1,1,2,3,4,5,1,-1,-1,-1\n", "has no times"),
        ("hello\n", "neither a table of tracks"),
    ],
)
def test_files_that_are_no_tracks(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        SavedTracks(path)
    with pytest.raises(InputError, match="cannot be read"):
        SavedTracks(tmp_path / "none.csv")
