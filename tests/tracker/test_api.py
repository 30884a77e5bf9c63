"""``track()`` and ``Session``: the whole run, with a real detector where weights are at hand."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.tracker.squares import SquareDetector
from tracker import Line, track
from tracker.types import Canvas, Event, Frame, OptionError, PluginError

MakeVideo = Callable[..., Path]


class Teller:
    """Tells of every second frame."""

    def update(self, frame: Frame, tracks: object) -> list[Event]:
        return [Event("test.even", frame.time, frame.index)] if frame.index % 2 == 0 else []

    def draw(self, canvas: Canvas) -> None:
        canvas.text("hello", (5, 5), (255, 255, 255))


def test_it_streams_and_a_result_shows_itself(make_video: MakeVideo, weights: Path) -> None:
    before = threading.active_count()
    results = track(make_video(frames=6), weights=str(weights), imgsz=64)
    first = next(results)
    assert first.frame.index == 0 and len(first.tracks.track_id) == 0
    picture = cv2.imdecode(np.frombuffer(first._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and picture.shape == first.frame.image.shape
    assert [r.frame.index for r in results] == [1, 2, 3, 4, 5]
    assert threading.active_count() <= before


@pytest.mark.slow
def test_leaving_early_completes_the_files(make_video: MakeVideo, weights: Path, tmp_path: Path) -> None:
    before = threading.active_count()
    for result in track(
        make_video(frames=30), weights=str(weights), imgsz=64, output=str(tmp_path / "o.mp4")
    ):
        if result.frame.index == 9:
            break
    del result
    import gc

    gc.collect()  # closes the abandoned generator where reference counting has not
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 10
    assert threading.active_count() <= before


@pytest.mark.slow
def test_actions_get_the_events_of_a_run(make_video: MakeVideo, weights: Path, tmp_path: Path) -> None:
    said = tmp_path / "said.jsonl"
    script = tmp_path / "say.sh"
    script.write_text(f"#!/bin/sh\ncat >> '{said}'\n")
    script.chmod(0o755)
    for _ in track(
        make_video(frames=6), weights=str(weights), imgsz=64, plugins=[Teller()], on=(f"test.*=cmd:{script}",)
    ):
        pass
    told = [json.loads(line) for line in said.read_text().splitlines()]
    assert sorted(row["frame"] for row in told) == [0, 2, 4]


@pytest.mark.slow
def test_a_plugin_that_fails_ends_the_run_and_keeps_the_video(
    make_video: MakeVideo, weights: Path, tmp_path: Path
) -> None:
    class Broken(Teller):
        def update(self, frame: Frame, tracks: object) -> list[Event]:
            if frame.index == 3:
                raise KeyError("ouch")
            return []

    with pytest.raises(PluginError, match=r"Broken\.update failed at frame 3"):
        list(
            track(
                make_video(),
                weights=str(weights),
                imgsz=64,
                plugins=[Broken()],
                output=str(tmp_path / "o.mp4"),
            )
        )
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 3


def test_an_unknown_option_is_refused_by_name() -> None:
    with pytest.raises((OptionError, TypeError), match="treshold"):
        list(track("x.mp4", treshold=0.5))


def test_everything_a_user_looks_for_is_there() -> None:
    import tracker

    for name in tracker.__all__:
        assert getattr(tracker, name) is not None
        assert name in dir(tracker)
    with pytest.raises(AttributeError, match="Lime"):
        _ = tracker.Lime


def test_a_result_is_one_line(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.run.build_detector.open_detector", lambda *_, **__: SquareDetector())
    run = track(make_video())
    result = next(run)
    assert repr(result) == "Result(Frame(index=0, time=0.000, 160x96), 1 detection, 1 track, 0 events)"
    assert repr(run) == "<Run of clip.mp4: 1 frames, 0 counted>"
    unasked = repr(track("rtsp://me:secret@host/1"))
    assert "secret" not in unasked and "not begun; iterate over it" in unasked
    run.close()


def test_totals_are_those_of_the_log(
    make_video: MakeVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracker.run.build_detector.open_detector", lambda *_, **__: SquareDetector())
    door = Line([[30, 0], [30, 96]], name="door")
    hall = [(60, 20), (160, 20), (160, 96), (60, 96)]
    run = track(
        make_video(frames=40), plugins=[door, "route"], zone={"hall": hall},
        events=str(tmp_path / "e.jsonl"), counts=str(tmp_path / "c.csv"),
    )  # fmt: skip
    assert run.table() == []
    assert sum(1 for _ in run) == 40
    rows = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["name"]]
    assert (
        sum(run.totals.values())
        == len(rows)
        == sum(int(line.split(",")[-2]) for line in (tmp_path / "c.csv").read_text().splitlines()[1:])
    )
    assert run.totals["door", "in", "person"] == door.total("in") == 1
    assert run.totals["hall", "enter", "person"] == 1
    assert run.totals["hall", "exit", "person"] == 1, "also what was said after the last frame"
    assert ("door in", "1") in run.table() and run.plugins[0] is door


@pytest.mark.parametrize(
    ("plugins", "told"),
    [
        (Line, "Line is a class; give an object"),
        ([object()], "has no method update"),
        ("rout", "did you mean 'route'"),
        (["speed:help"], "Measures speed"),
    ],
)
def test_plugins_that_are_none_are_told_at_once(plugins: object, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        track("street.mp4", plugins=plugins)  # type: ignore[arg-type]


def test_words_of_others_are_answered() -> None:
    for given, told in (
        ({"persist": True}, "state=FILE"),
        ({"tracker": "bytetrack.yaml"}, "--tracker bytetrack"),
        ({"track_buffer": 60}, "lost=2"),
        ({"save_txt": True}, "save_mot=FILE"),
    ):
        with pytest.raises(OptionError, match=told):
            track("street.mp4", **given)  # type: ignore[arg-type]


def test_as_many_boxes_as_are_let_through_are_told(make_video: MakeVideo) -> None:
    from tracker.options import Options
    from tracker.run.session import Session
    from tracker.run.upstream import WithDetector

    for most, notes in (
        (1, ["4 frames had 1 boxes, the maximum of --max-det: raise it to get more"]),
        (2, []),
    ):
        options = Options(max_det=most)
        upstream = WithDetector(make_video(frames=4), options, lambda *_: SquareDetector())
        with Session(upstream, options) as session:
            list(session)
        assert session.account.warnings() == notes
