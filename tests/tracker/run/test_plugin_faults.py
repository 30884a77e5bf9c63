"""Plugins that fail, in whichever method: one line says who, in what and when, and the rest is kept."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.tracker.squares import SquareDetector
from tracker import track
from tracker.options import Options
from tracker.run.session import Session
from tracker.run.terminal import execute
from tracker.types import Event, Frame, PluginError

MakeVideo = Callable[..., Path]
LINE = ("door=30,0 30,96",)
FRAMES = 30
OUCH = ZeroDivisionError("ouch")


@pytest.fixture(autouse=True)
def squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.run.build_detector.open_detector", lambda *_, **__: SquareDetector())


@dataclass
class Shaky:
    """Fails in one method, from the fourth frame on, or hands out something that nobody can use."""

    method: str
    answer: Any = OUCH

    def _turn(self, method: str, good: Any) -> Any:
        if method != self.method:
            return good
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def start(self, scene: object) -> None:
        self._turn("start", None)

    def update(self, frame: Frame, tracks: object) -> Any:
        return [] if frame.index < 3 else self._turn("update", [])

    def draw(self, canvas: Any) -> None:
        canvas.text(*self._turn("draw", ("fine", (5, 5), (255, 255, 255))))

    def leaves(self) -> Any:
        return self._turn("leaves", ["shaky.json"])

    def finish(self) -> Any:
        return self._turn("finish", [Event("shaky.end", 1.16, 29)])

    def files(self) -> Any:
        return self._turn("files", {"shaky.json": {"fine": True}})

    def summary(self) -> Any:
        return self._turn("summary", [("shaky", "fine")])

    def state(self) -> Any:
        return self._turn("state", {"fine": True})

    def restore(self, state: object, tracks: bool) -> None:
        self._turn("restore", None)


def outputs(folder: Path) -> dict[str, str]:
    return {
        "output": str(folder / "out.mp4"),
        "events": str(folder / "e.jsonl"),
        "counts": str(folder / "c.csv"),
        "save_csv": str(folder / "t.csv"),
    }


def counted(state: Path) -> dict[str, Any]:
    """Return what a state holds, without the videos that are being written."""
    run: dict[str, Any] = json.loads(state.read_text())["run"]
    return {**run, "sinks": {name: sink for name, sink in run["sinks"].items() if "part" not in sink}}


def crossings(folder: Path) -> list[str]:
    rows = [json.loads(line) for line in (folder / "e.jsonl").read_text().splitlines()]
    return [row["kind"] for row in rows if row["kind"].startswith("line.")]


AT_THE_END = ["finish", "files", "summary"]


@pytest.mark.slow
@pytest.mark.parametrize("method", AT_THE_END)
def test_at_the_end_everything_else_is_written_first(
    make_video: MakeVideo, tmp_path: Path, method: str
) -> None:
    clip, options = make_video(frames=FRAMES), Options(line=LINE, plugin=("route",), **outputs(tmp_path))
    session = Session(clip, options, [Shaky(method)], prefix=tmp_path / "out")
    told = rf"Shaky\.{method} failed at frame 29 \(1\.16 s\): ZeroDivisionError: ouch"
    with pytest.raises(PluginError, match=told), session:
        assert len(list(session)) == FRAMES
    assert crossings(tmp_path) == ["line.in"]
    with (tmp_path / "c.csv").open() as file:
        assert [row["count"] for row in csv.DictReader(file) if row["direction"] == "in"] == ["1"]
    assert len((tmp_path / "t.csv").read_text().splitlines()) == FRAMES + 1
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == FRAMES
    assert (tmp_path / "out_routes.png").exists(), "what others leave is left"
    assert ("door in", "1") in session.account.rows(), "the table of the others is whole"


@pytest.mark.parametrize("method", ["update", "draw"])
def test_on_the_way_what_the_others_counted_is_kept(
    make_video: MakeVideo, tmp_path: Path, method: str
) -> None:
    """The line's crossing is counted in the very frame in which the other plugin fails."""
    clip = make_video(frames=FRAMES)
    list(track(clip, line=LINE, events=str(tmp_path / "e.jsonl")))
    (row,) = map(json.loads, (tmp_path / "e.jsonl").read_text().splitlines())
    crossed = int(row["frame"])

    class Late(Shaky):
        seen = -1

        def update(self, frame: Frame, tracks: object) -> Any:
            self.seen = frame.index
            return super().update(frame, tracks) if self.seen >= crossed else []

        def draw(self, canvas: Any) -> None:
            if self.seen >= crossed:
                super().draw(canvas)

    (folder := tmp_path / "late").mkdir()
    session = Session(clip, Options(line=LINE, **outputs(folder)), [Late(method)])
    with pytest.raises(PluginError, match=rf"Late\.{method} failed at frame {crossed} \("), session:
        list(session)
    assert crossings(folder) == ["line.in"], "log, table and counts agree"
    assert ("door in", "1") in session.account.rows()
    with (folder / "c.csv").open() as file:
        assert [row["count"] for row in csv.DictReader(file) if row["direction"] == "in"] == ["1"]
    with av.open(str(folder / "out.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == crossed


def test_before_the_first_frame_nothing_is_begun(make_video: MakeVideo, tmp_path: Path) -> None:
    clip = make_video()
    with pytest.raises(PluginError, match=r"Shaky\.start failed before the first frame: ZeroDivisionError"):
        list(track(clip, plugins=[Shaky("start")], **outputs(tmp_path)))
    assert list(tmp_path.iterdir()) == [clip]


@pytest.mark.parametrize(("answer", "told"), [(OUCH, "ZeroDivisionError: ouch"), (5, "TypeError")])
def test_what_it_will_leave_is_asked_before_too(
    make_video: MakeVideo, tmp_path: Path, answer: Any, told: str
) -> None:
    session = Session(make_video(), Options(), [Shaky("leaves", answer)], prefix=tmp_path / "x")
    with pytest.raises(PluginError, match=rf"Shaky\.leaves failed before the first frame: {told}"):
        session.__enter__()


@pytest.mark.slow
def test_a_state_that_cannot_be_taken_ends_the_run_and_leaves_the_last_good_one(
    make_video: MakeVideo, tmp_path: Path
) -> None:
    clip, state = make_video(frames=FRAMES), tmp_path / "run.json"
    given: dict[str, Any] = {"line": LINE, "state": str(state), **outputs(tmp_path)}
    list(track(clip, plugins=[Shaky("")], **given))
    before = counted(state)
    told = r"Shaky\.state failed at frame \d+ \(\d\.\d\d s\): ZeroDivisionError: ouch"
    with pytest.raises(PluginError, match=told):
        list(track(clip, plugins=[Shaky("state")], state_every=0.1, **given))
    assert counted(state) == before
    for answer in ({"x": {1, 2}}, {"x": object()}):
        with pytest.raises(PluginError, match=r"Shaky\.state failed at frame 29 \(1\.16 s\): TypeError"):
            list(track(clip, plugins=[Shaky("state", answer)], **given))
    with pytest.raises(Exception, match=r"Shaky\.restore.*at frame 29 \(1\.16 s\).*ZeroDivisionError"):
        list(track(clip, plugins=[Shaky("restore")], **given))
    with pytest.raises(Exception, match=r"at frame 29 \(1\.16 s\).*Shaky\.restore: KeyError"):
        list(track(clip, plugins=[Shaky("restore", KeyError("x"))], **given))
    assert counted(state) == before


@pytest.mark.slow_after(4)
@pytest.mark.parametrize(
    ("method", "answer", "told"),
    [
        ("update", ["a crossing"], "TypeError: 'a crossing' is no tracker.types.Event"),
        ("update", 5, "TypeError: 'int' object is not iterable"),
        ("update", [Event("x", "now", 1)], "TypeError: event 'x' holds what JSON cannot"),  # type: ignore[arg-type]
        ("update", [Event("x", 0.1, 1, data={"who": object()})], "holds what JSON cannot: object"),
        ("finish", ["the end"], "TypeError: 'the end' is no tracker.types.Event"),
        ("summary", "fine", "ValueError"),
        ("summary", [("one", "two", "three")], "ValueError"),
        ("files", ["shaky.json"], "AttributeError"),
        ("files", {"shaky.json": object()}, "TypeError: Object of type object is not JSON serializable"),
        ("draw", ("text", "here", (0, 0, 0)), "ValueError"),
        (
            "draw",
            (7, (5, 5), (0, 0, 0)),
            "Shaky.draw (text) failed at frame 0 (0.00 s): ",
        ),  # found when painted
        ("draw", ("text", (5, 5), "red"), "Shaky.draw (text) failed at frame 0 (0.00 s): "),
        ("update", SystemExit(0), "SystemExit: 0"),
        ("update", GeneratorExit(), "GeneratorExit"),
        ("finish", SystemExit(), "Shaky.finish failed at frame 29 (1.16 s): SystemExit"),
    ],
)
def test_what_nobody_can_use_is_told_of_the_plugin(
    make_video: MakeVideo, tmp_path: Path, method: str, answer: Any, told: str
) -> None:
    session = Session(
        make_video(frames=FRAMES),
        Options(**outputs(tmp_path)),
        [Shaky(method, answer)],
        prefix=tmp_path / "x",
    )
    with pytest.raises(PluginError) as caught, session:
        list(session)
    assert f"plugin Shaky.{method}" in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize("method", ["update", "finish", "summary", "files"])
def test_nothing_is_as_good_as_an_empty_list(make_video: MakeVideo, tmp_path: Path, method: str) -> None:
    session = Session(make_video(), Options(), [Shaky(method, None)], prefix=tmp_path / "x")
    with session:
        assert len(list(session)) == 12


def test_numbers_of_numpy_are_numbers(make_video: MakeVideo, tmp_path: Path) -> None:
    event = Event("x", np.float32(0.5), np.int64(3), np.int64(1), data={"at": np.arange(2)})  # type: ignore[arg-type]
    list(track(make_video(), plugins=[Shaky("update", [event])], **outputs(tmp_path)))
    assert '"at": [0, 1]' in (tmp_path / "e.jsonl").read_text()


def test_who_leaves_the_loop_early_learns_of_it_too(make_video: MakeVideo, tmp_path: Path) -> None:
    run = track(make_video(frames=FRAMES), plugins=[Shaky("finish")], **outputs(tmp_path))
    for _ in range(5):
        next(run)
    with pytest.raises(PluginError, match=r"Shaky\.finish failed at frame 4 "):
        run.close()
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 6


def test_two_that_fail_are_both_told(make_video: MakeVideo) -> None:
    session = Session(make_video(), Options(), [Shaky("finish"), Shaky("summary")])
    with pytest.raises(PluginError, match=r"Shaky\.finish"), session:
        list(session)
    assert [
        note for note in session.account.warnings() if "Shaky.summary failed at frame 11 (0.44 s)" in note
    ]


@pytest.mark.parametrize("method", ["update", *AT_THE_END])
def test_the_command_prints_the_table_and_fails(
    make_video: MakeVideo, tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr("tracker.run.session.make_plugins", lambda *_: [Shaky(method)])
    with pytest.raises(PluginError, match=rf"Shaky\.{method}"):
        execute(str(make_video()), Options(output=str(tmp_path / "o.mp4")))
    told = capsys.readouterr()
    assert "frames   " in told.out and "o.mp4" in told.out
    assert (tmp_path / "o.mp4").exists()
