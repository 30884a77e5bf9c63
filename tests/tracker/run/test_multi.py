"""Several sources at once: each as if it ran alone, with one model for all."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tracker.sources.rtsp import RtspServer
from tests.tracker.squares import SquareDetector
from tracker import track, track_all
from tracker.options import Options
from tracker.run.listed import find_runs
from tracker.run.multi import Several
from tracker.types import Image, InputError, OptionError

MakeVideo = Callable[..., Path]
LINE = ("door=80,0 80,96",)
WRITE = (
    "import json, sys; e = json.load(sys.stdin); "
    'print(e["source"] + ":" + e["kind"], file=open(sys.argv[1], "a"))'
)


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> list[SquareDetector]:
    """Return the detectors that were opened."""
    made: list[SquareDetector] = []

    def make(*_: object, **__: object) -> SquareDetector:
        made.append(SquareDetector())
        return made[-1]

    monkeypatch.setattr("tracker.run.build_detector.open_detector", make)
    return made


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Any:
    before = threading.active_count()
    yield
    deadline = time.monotonic() + 3
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert threading.active_count() <= before


def square(shift: int = 0) -> Callable[[], Image]:
    """Return a picture maker: a bright square that walks to and fro."""
    began = time.monotonic()

    def picture() -> Image:
        image = np.full((96, 160, 3), 40, np.uint8)
        left = int(shift + 40 * (time.monotonic() - began)) % 240
        left = left if left < 120 else 240 - left
        image[20:40, left : left + 20] = 220
        return image

    return picture


def wait_until(what: Callable[[], object], limit_s: float = 20.0) -> None:
    end = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


class TestFiles:
    @pytest.mark.slow
    def test_each_as_if_it_ran_alone(
        self, make_video: MakeVideo, tmp_path: Path, opened: list[SquareDetector]
    ) -> None:
        clips = [make_video("a.mp4", frames=60), make_video("b.mp4", frames=90)]
        alone = {}
        for clip in clips:
            table = tmp_path / "alone.csv"
            list(track(str(clip), line=LINE, save_csv=str(table), overwrite=True))
            alone[clip.stem] = table.read_text()
        del opened[:]
        seen: dict[str, list[int]] = {"a": [], "b": []}
        for name, result in track_all(clips, line=LINE, save_csv=str(tmp_path / "t.csv")):
            seen[name].append(result.frame.index)
        assert seen == {"a": list(range(60)), "b": list(range(90))}
        assert {name: (tmp_path / f"t_{name}.csv").read_text() for name in "ab"} == alone
        assert len(opened) == 1

    def test_one_that_fails_does_not_end_the_others(self, make_video: MakeVideo, tmp_path: Path) -> None:
        clips = [make_video("a.mp4"), tmp_path / "none.mp4", make_video("c.mp4")]
        names = []
        with pytest.raises(InputError, match=r"none\.mp4"):
            names += [name for name, _ in track_all(clips)]
        with Several([str(clip) for clip in clips], Options(), save=False) as several:
            assert [run.name for run, _ in several] == ["a"] * 12 + ["c"] * 12
        assert [type(run.error).__name__ for run in several.runs] == ["NoneType", "InputError", "NoneType"]

    def test_outputs_have_names_of_their_own(self, make_video: MakeVideo, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        first, second = make_video("a.mp4"), make_video("other/a.mp4")
        options: dict[str, Any] = {"state": tmp_path / "run.json", "events": tmp_path / "e.jsonl"}
        for _ in track_all(
            [first, second], output=str(tmp_path / "out"), **{k: str(v) for k, v in options.items()}
        ):
            pass
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
            "a-2_output.mp4",
            "a_output.mp4",
        ]
        for name in ("run_a.json", "run_a-2.json", "e_a.jsonl", "e_a-2.jsonl"):
            assert (tmp_path / name).exists(), name

    def test_leaving_early_ends_everything(self, make_video: MakeVideo, tmp_path: Path) -> None:
        clips = [make_video(f"{n}.mp4", frames=200) for n in range(2)]
        for _ in track_all(clips, output=str(tmp_path / "out")):
            break
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["0_output.mp4"]

    def test_a_mistake_in_a_plugin_of_ours_is_not_hidden(
        self, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("tests.tracker.squares.SquareDetector._look", broken)
        with pytest.raises(ZeroDivisionError):
            list(track_all([make_video("a.mp4"), make_video("b.mp4")]))


class TestLive:
    @pytest.mark.slow
    def test_cameras_run_at_the_same_time_and_one_lost_ends_alone(
        self, tmp_path: Path, opened: list[SquareDetector]
    ) -> None:
        with RtspServer(square()) as one, RtspServer(square(50)) as two, RtspServer(square()) as three:
            three.kill()
            (tmp_path / "all.streams").write_text(
                f"# cameras\ndoor={one.url}\n\n  yard={two.url} zones=yard.yaml\nattic={three.url}\n"
            )
            (tmp_path / "yard.yaml").write_text(
                "size: [160, 96]\nzones:\n  - {name: lawn, points: [[0, 0], [160, 0], [160, 96], [0, 96]]}\n"
            )
            stop = threading.Event()
            options = Options(give_up_after=1.0, max_frames=60)
            order = []
            with Several([str(tmp_path / "all.streams")], options, stop, save=False) as several:
                for run, result in several:
                    order.append(run.name)
                    assert len(result.tracks) <= 1
        runs = {run.name: run for run in several.runs}
        assert order.count("door") == order.count("yard") == 60
        assert len(set(order[:40])) == 2, "one after the other"
        assert isinstance(runs["attic"].error, InputError) and runs["door"].error is None
        assert len(opened) == 1
        yard, door = runs["yard"].session, runs["door"].session
        assert yard is not None and door is not None
        assert [plugin.name for plugin in yard.plugins] == ["lawn"] and door.plugins == []  # type: ignore[attr-defined]
        assert dict(yard.account.rows())["delay"].endswith("median") and "dropped" in dict(
            yard.account.rows()
        )

    @pytest.mark.slow
    def test_one_is_dead_one_flaps_and_one_is_slow(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The others do not notice; of each it is told by its name what became of it."""
        stop, told = threading.Event(), tmp_path / "told.txt"
        silent = socket.create_server(("127.0.0.1", 0))
        came: dict[str, list[float]] = {"door": [], "flap": [], "slow": []}
        with RtspServer(square()) as door, RtspServer(square()) as flap, RtspServer(square(), fps=4) as slow:
            (tmp_path / "all.streams").write_text(
                f"door={door.url}\nflap={flap.url}\nslow={slow.url}\n"
                f"dead=rtsp://127.0.0.1:{silent.getsockname()[1]}/cam\ngone=rtsp://127.0.0.1:9/cam\n"
            )
            options = Options(on=(f"source.*=cmd:{sys.executable} -c '{WRITE}' {told}",))

            def disturb() -> None:
                for _ in range(2):
                    wait_until(lambda: len(came["flap"]) > 3 and len(came["slow"]) > 2)
                    flap.kill()
                    came["flap"].clear()
                    time.sleep(0.2)
                    flap.start()
                wait_until(lambda: len(came["flap"]) > 3)
                stop.set()

            thread = threading.Thread(target=disturb)
            with Several([str(tmp_path / "all.streams")], options, stop, save=False) as several:
                thread.start()
                for run, _ in several:
                    came[run.name].append(time.monotonic())
            thread.join()
        silent.close()
        assert max(np.diff(came["door"])) < 1.0, "nobody held it up"
        runs = {run.name: run for run in several.runs}
        for name in ("dead", "gone"):
            session = runs[name].session
            assert (
                session is not None
                and not session.account.opened
                and dict(session.account.rows())["frames"].startswith("none")
            )
            assert session.account.warnings()[0].startswith("no picture came in ")
        flapping = runs["flap"].session
        assert flapping is not None and any(
            "was lost 2 times" in note for note in flapping.account.warnings()
        )
        lines = told.read_text().split()
        assert lines.count("flap:source.lost") == lines.count("flap:source.back") == 2
        assert lines.count("gone:source.lost") == 1 and not any(
            "door:" in line or "slow:" in line for line in lines
        )
        assert {message.split(":")[0] for message in caplog.messages} == {"flap", "gone"}

    @pytest.mark.slow
    def test_stop_ends_cameras_and_those_that_never_answer(self) -> None:
        stop = threading.Event()
        with RtspServer(square()) as one, RtspServer(square()) as two:
            two.silent.set()
            with Several([one.url, two.url], Options(), stop, save=False) as several:
                for count, _ in enumerate(several):
                    if count == 5:
                        stop.set()


class TestNames:
    def test_a_list_names_sources(self, tmp_path: Path) -> None:
        (tmp_path / "clip.mp4").touch()
        (tmp_path / "x.streams").write_text(
            "\ufeff# comment\nrtsp://user:pw@host/a=b?c=d\nclip.mp4\n0\nhall=/dev/video2 zones=z/hall.yaml\n"
        )
        runs = find_runs([str(tmp_path / "x.streams"), "other.mp4"])
        assert [(run.name, run.uri, run.zones) for run in runs] == [
            ("host_a_b", "rtsp://user:pw@host/a=b?c=d", None),
            ("clip", str(tmp_path / "clip.mp4"), None),
            ("camera0", "0", None),
            ("hall", "/dev/video2", str(tmp_path / "z/hall.yaml")),
            ("other", "other.mp4", None),
        ]

    @pytest.mark.parametrize(("content", "words"), [("", "lists no source"), (None, "cannot be read")])
    def test_an_empty_list_or_none(self, tmp_path: Path, content: str | None, words: str) -> None:
        if content is not None:
            (tmp_path / "x.streams").write_text(content)
        with pytest.raises(InputError, match=words):
            find_runs([str(tmp_path / "x.streams")])

    def test_mistakes_that_concern_all(self, tmp_path: Path) -> None:
        with pytest.raises(OptionError, match="give a folder"):
            Several(["a.mp4", "b.mp4"], Options(output="out.mp4"))
        with pytest.raises(OptionError, match="one source only"):
            Several(["a.mp4", "b.mp4"], Options(save_csv="-"), save=False)
        (tmp_path / "x.streams").write_text("a.mp4 zones=b.yaml\n")
        with pytest.raises(OptionError, match="cannot be combined"):
            Several([str(tmp_path / "x.streams")], Options(zones="c.yaml"), save=False)


@pytest.mark.slow
def test_a_name_of_a_list_is_what_a_live_source_is_called(tmp_path: Path) -> None:
    """Else two entries of one address could not be told apart in messages and warnings."""
    (tmp_path / "x.streams").write_text("gate=rtsp://127.0.0.1:9/cam\nrtsp://127.0.0.1:9/cam\n")
    with Several([str(tmp_path / "x.streams")], Options(give_up_after=0.2), save=False) as several:
        assert list(several) == []
    for run, name in zip(several.runs, ("gate", "127.0.0.1_9_cam"), strict=True):
        assert run.name == name and run.session is not None and run.session.account.was_awaited
        assert dict(run.session.account.rows())["frames"].startswith("none in ")
        assert isinstance(run.error, InputError)
