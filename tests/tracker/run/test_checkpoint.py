"""A run cut in two: what the first part knew the second goes on with."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from bytetrack import BYTETracker, Detections
from tests.tracker.squares import SquareDetector
from tracker.detectors import Settings
from tracker.detectors.every_nth import EveryNth
from tracker.options import Options
from tracker.plugin_host import Host
from tracker.plugins.route import Route
from tracker.run.checkpoint import Checkpoint, Parts, Saved
from tracker.run.lock import Lock
from tracker.run.session import Session
from tracker.run.state_file import StateFile
from tracker.run.summary import Report
from tracker.types import Event, Frame, InputError, OptionError, OutputError, Scene

FRAMES = 120
TABLES = ("events", "save_csv", "save_json", "save_mot", "counts")
COUNTING: dict[str, Any] = {
    "line": ("door=80,0 80,96",),
    "zone": ("hall=40,0 120,0 120,96 40,96",),
    "plugin": ("route", "heatmap", "heatmap:mode=standing", "speed:image=0,0 160,0 160,96 0,96;metres=16x9"),
    "follow": "1",
    "interval": "1s",
}


@pytest.fixture(autouse=True)
def squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.run.build_detector.open_detector", lambda *_, **__: SquareDetector())


@pytest.fixture
def clip(make_video: Callable[..., Path]) -> Path:
    return make_video(frames=FRAMES)


def run(clip: Path, folder: Path, *, stop_after: int | None = None, **more: Any) -> Session:
    """Run until the end, or until told to stop."""
    folder.mkdir(exist_ok=True)
    tables = {name: str(folder / name) for name in TABLES}
    options = Options(**{**COUNTING, **tables, **more})
    stop = threading.Event()
    with Session(str(clip), options, stop=stop) as session:
        for count, _ in enumerate(session, 1):
            if count == stop_after:
                stop.set()
    return session


def same(one: Path, two: Path) -> None:
    for name in TABLES:
        assert (two / name).read_text() == (one / name).read_text(), name


class TestCut:
    @pytest.mark.slow
    @pytest.mark.parametrize("cut", [1, 61])
    def test_a_stopped_run_goes_on_as_if_it_had_not_been(self, clip: Path, tmp_path: Path, cut: int) -> None:
        whole = run(clip, tmp_path / "whole")
        state = str(tmp_path / "run.json")
        first = run(clip, tmp_path / "cut", stop_after=cut, state=state)
        assert first.last_events == []
        second = run(clip, tmp_path / "cut", state=state, resume=True)
        same(tmp_path / "whole", tmp_path / "cut")
        assert second.account.summaries()[:-2] == whole.account.summaries()[:-2]
        left = [
            next(p for p in each.plugins if isinstance(p, Route)).files()["routes.json"]
            for each in (whole, second)
        ]
        assert left[0] == left[1] and left[0]["routes"] > 0
        assert second.report.distinct() == whole.report.distinct()
        assert second.report.earlier + second.report.frames == FRAMES
        assert len((tmp_path / "cut" / "events").read_text().splitlines()) > 10

    @pytest.mark.slow
    @pytest.mark.parametrize("cuts", [(1, 40), (61, 20), (3, 7), (50, 51)])
    @pytest.mark.parametrize("prompt", [False, True])
    def test_it_looks_at_the_same_frames_as_a_whole_run(
        self, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuts: tuple[int, int], prompt: bool
    ) -> None:
        def every_third(*_: object, **__: object) -> EveryNth:
            return EveryNth(SquareDetector(), 3, prompt=prompt)

        monkeypatch.setattr("tracker.run.build_detector.open_detector", every_third)
        run(clip, tmp_path / "whole")
        state = str(tmp_path / "run.json")
        for cut in (*cuts, None):
            run(clip, tmp_path / "cut", stop_after=cut, state=state, resume=True)
        same(tmp_path / "whole", tmp_path / "cut")

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "seeing",
        [
            {"appearance": "color", "remember": 90.0},
            {"camera_motion": "on"},
            {"camera_motion": "auto", "detect_every": 2},
            {"appearance": "color", "camera_motion": "auto"},
        ],
        ids=str,
    )
    def test_what_was_seen_is_kept_too(
        self, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeing: dict[str, Any]
    ) -> None:
        def detector(_: object, settings: Settings, **__: object) -> SquareDetector | EveryNth:
            every = settings.every
            return SquareDetector() if every == 1 else EveryNth(SquareDetector(), every)

        monkeypatch.setattr("tracker.run.build_detector.open_detector", detector)
        whole, cut = str(tmp_path / "whole.json"), str(tmp_path / "cut.json")
        run(clip, tmp_path / "whole", state=whole, **seeing)
        for stop_after in (1, 36, 7, None):
            run(clip, tmp_path / "cut", stop_after=stop_after, state=cut, resume=True, **seeing)
        same(tmp_path / "whole", tmp_path / "cut")
        known = [json.loads(Path(each).read_text())["run"]["tracker"] for each in (whole, cut)]
        assert known[0] == known[1]

    @pytest.mark.slow
    def test_looks_of_one_kind_say_nothing_to_another(self, clip: Path, tmp_path: Path) -> None:
        state = str(tmp_path / "run.json")
        run(clip, tmp_path / "t", stop_after=10, state=state, appearance="color")
        with pytest.raises(OptionError, match=r"another tracker \(MotionTracker, ColorStripes\)"):
            run(clip, tmp_path / "t", state=state, resume=True)

    @pytest.mark.slow
    def test_a_killed_run_goes_on_from_what_was_saved(self, clip: Path, tmp_path: Path) -> None:
        run(clip, tmp_path / "whole")
        state = tmp_path / "run.json"
        run(clip, tmp_path / "cut", stop_after=40, state=str(state))
        kept = state.read_bytes()
        run(clip, tmp_path / "cut", stop_after=30, state=str(state), resume=True)
        state.write_bytes(kept)  # frames 40 to 70 are in the tables but not in the state
        run(clip, tmp_path / "cut", state=str(state), resume=True)
        same(tmp_path / "whole", tmp_path / "cut")

    @pytest.mark.slow
    def test_it_is_saved_again_and_again(self, clip: Path, tmp_path: Path) -> None:
        state = tmp_path / "run.json"
        seen = set()
        options = Options(state=str(state), state_every=0.1)
        with Session(str(clip), options) as session:
            for _ in session:
                time.sleep(0.01)
                if state.exists():
                    seen.add(json.loads(state.read_text())["run"]["frame"])
        assert len(seen) > 3
        assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []

    @pytest.mark.slow
    def test_video_goes_on_in_another_file(self, clip: Path, tmp_path: Path) -> None:
        state, out = str(tmp_path / "run.json"), tmp_path / "out.mp4"
        run(clip, tmp_path / "t", stop_after=50, state=state, output=str(out))
        run(clip, tmp_path / "t", state=state, resume=True, output=str(out), overwrite=True)
        counts = []
        for path in (out, tmp_path / "out-2.mp4"):
            with av.open(str(path)) as container:
                counts.append(sum(1 for _ in container.decode(video=0)))
        assert counts == [50, FRAMES - 50]

    @pytest.mark.slow
    def test_after_the_end_nothing_is_left(self, clip: Path, tmp_path: Path) -> None:
        state = str(tmp_path / "run.json")
        whole = run(clip, tmp_path / "t", state=state)
        before = (tmp_path / "t" / "events").read_text()
        again = run(clip, tmp_path / "t", state=state, resume=True)
        assert again.report.frames == 0 and again.account.summaries()[0] == whole.account.summaries()[0]
        assert (tmp_path / "t" / "events").read_text() == before

    @pytest.mark.slow
    def test_nothing_new_replaces_no_picture(self, clip: Path, tmp_path: Path) -> None:
        options = Options(state=str(tmp_path / "run.json"), resume=True, plugin=("heatmap",))
        for _ in range(2):
            with Session(str(clip), options, prefix=tmp_path / "clip") as session:
                frames = sum(1 for _ in session)
            if frames:
                picture = (tmp_path / "clip_heatmap.png").read_bytes()
        assert frames == 0
        assert (tmp_path / "clip_heatmap.png").read_bytes() == picture

    @pytest.mark.slow
    def test_an_interrupted_run_does_not_copy_a_large_video(
        self, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tracker.sinks.recording.QUICK_BYTES", 0)
        monkeypatch.setattr("tracker.sinks.recording.remux", lambda *_: pytest.fail("copied"))
        run(clip, tmp_path / "t", stop_after=60, output=str(tmp_path / "out.mp4"))
        with av.open(str(tmp_path / "out.mp4")) as container:
            assert sum(1 for _ in container.decode(video=0)) == 60

    @pytest.mark.slow
    def test_without_resume_counts_add_up_and_numbers_go_on(self, clip: Path, tmp_path: Path) -> None:
        state = str(tmp_path / "run.json")
        one = run(clip, tmp_path / "t", state=state)
        two = run(clip, tmp_path / "t", state=state)
        ids = [json.loads(line)["track_id"] for line in (tmp_path / "t" / "events").read_text().splitlines()]
        crossings = one.plugins[0].totals.total()  # type: ignore[attr-defined]
        assert two.plugins[0].totals.total() == 2 * crossings > 0  # type: ignore[attr-defined]
        assert two.report.distinct().total() == 2 * one.report.distinct().total()
        assert max(ids) == two.report.distinct().total()

    @pytest.mark.slow
    def test_stride_and_time_limits_go_together_with_resume(self, clip: Path, tmp_path: Path) -> None:
        state = str(tmp_path / "run.json")
        run(clip, tmp_path / "whole", vid_stride=3, end=4.0)
        run(clip, tmp_path / "cut", vid_stride=3, end=4.0, state=state, stop_after=11)
        run(clip, tmp_path / "cut", vid_stride=3, end=4.0, state=state, resume=True)
        same(tmp_path / "whole", tmp_path / "cut")

    @pytest.mark.slow
    @pytest.mark.parametrize("limits", [[{"max_frames": 61}], [{"end": 2.0}, {"end": 3.0}]])
    def test_behind_a_limit_it_goes_on_as_if_there_had_been_none(
        self, clip: Path, tmp_path: Path, limits: list[dict[str, Any]]
    ) -> None:
        state, files = str(tmp_path / "run.json"), [tmp_path / f"{name}.json" for name in ("w", "u", "c")]
        run(clip, tmp_path / "whole", save_coco=str(files[0]))
        for limit in limits:
            until = run(clip, tmp_path / "until", save_coco=str(files[1]), **limit, overwrite=True)
            first = run(clip, tmp_path / "cut", save_coco=str(files[2]), state=state, resume=True, **limit)
            same(tmp_path / "until", tmp_path / "cut")  # visits are closed, as without --state
            assert first.last_events == until.last_events != []
            assert files[2].read_bytes() == files[1].read_bytes()
        last = run(clip, tmp_path / "cut", save_coco=str(files[2]), state=state, resume=True)
        same(tmp_path / "whole", tmp_path / "cut")
        assert files[2].read_bytes() == files[0].read_bytes() and last.account.warnings() == []
        assert not [path for path in tmp_path.iterdir() if ".part" in path.name]

    @pytest.mark.slow
    def test_a_limit_behind_the_end_changes_nothing(self, clip: Path, tmp_path: Path) -> None:
        state = str(tmp_path / "run.json")
        whole = run(clip, tmp_path / "whole")
        for _ in range(3):
            again = run(clip, tmp_path / "cut", state=state, resume=True, end=60.0)
            same(tmp_path / "whole", tmp_path / "cut")
            assert again.account.summaries() == whole.account.summaries()

    @pytest.mark.slow
    def test_behind_a_limit_one_may_begin_anew(self, clip: Path, tmp_path: Path) -> None:
        state = str(tmp_path / "run.json")
        run(clip, tmp_path / "cut", state=state, max_frames=61)
        before = (tmp_path / "cut" / "events").read_text()
        run(clip, tmp_path / "cut", state=state)
        assert (tmp_path / "cut" / "events").read_text().startswith(before), "visits stay closed"


class Tally:
    """A plugin of somebody who knows nothing of states."""

    def __init__(self) -> None:
        self.frames = 0

    def update(self, frame: Frame, tracks: object) -> list[Event]:
        self.frames += 1
        return []


class TestForeign:
    def state(self, clip: Path, tmp_path: Path) -> Path:
        state = tmp_path / "run.json"
        run(clip, tmp_path / "first", stop_after=20, state=str(state))
        return state

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"not json",
            b"[]",
            b"{}",
            b'{"format": "track state"}',
            b'{"format": "track state", "version": 1, "sha256": "", "run": {}}',
            b"\xff\xfe\x00",
        ],
    )
    def test_what_is_no_state_is_refused_and_kept(self, clip: Path, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "mine.json"
        path.write_bytes(content)
        with pytest.raises(OptionError, match=r"mine\.json.*the file was not changed"):
            run(clip, tmp_path / "t", state=str(path))
        assert path.read_bytes() == content

    def test_a_flipped_digit_is_noticed(self, clip: Path, tmp_path: Path) -> None:
        state = self.state(clip, tmp_path)
        damaged = state.read_text().replace('"frame":19', '"frame":18')
        assert damaged != state.read_text()
        state.write_text(damaged)
        with pytest.raises(OptionError, match="damaged"):
            run(clip, tmp_path / "second", state=str(state))
        assert state.read_text() == damaged

    @pytest.mark.slow
    def test_another_version(self, clip: Path, tmp_path: Path) -> None:
        state = self.state(clip, tmp_path)
        state.write_text(state.read_text().replace('"version": 1', '"version": 99'))
        with pytest.raises(OptionError, match=r"another version.*99"):
            run(clip, tmp_path / "second", state=str(state))

    @pytest.mark.slow
    def test_another_picture_size_and_another_file(
        self, clip: Path, tmp_path: Path, make_video: Callable[..., Path]
    ) -> None:
        state = str(self.state(clip, tmp_path))
        with pytest.raises(OptionError, match=r"belongs to clip\.mp4 \(a file, 160 x 96\)"):
            run(make_video("big.mp4", size=(320, 192)), tmp_path / "second", state=state, zone=())
        with pytest.raises(OptionError, match=r"belongs to clip\.mp4, not to other\.mp4"):
            run(make_video("other.mp4"), tmp_path / "second", state=state, resume=True)

    @pytest.mark.slow
    def test_counts_of_a_line_that_is_gone(self, clip: Path, tmp_path: Path) -> None:
        with pytest.raises(OptionError, match="line door, which this run does not have"):
            run(clip, tmp_path / "second", state=str(self.state(clip, tmp_path)), line=())

    def test_a_folder_that_is_not_there(self, clip: Path, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="does not exist"):
            run(clip, tmp_path / "t", state=str(tmp_path / "no" / "run.json"))
        for folder in (tmp_path, Path("/")):
            with pytest.raises(OutputError, match="is a folder; give a file name"):
                run(clip, tmp_path / "t", state=str(folder))

    @pytest.mark.slow
    def test_a_plugin_without_state_begins_anew(self, clip: Path, tmp_path: Path) -> None:
        state = str(tmp_path / "run.json")
        for _ in range(2):
            tally = Tally()
            with Session(str(clip), Options(state=state), [tally]) as session:  # type: ignore[list-item]
                assert sum(1 for _ in session) == tally.frames == FRAMES

    @pytest.mark.slow
    def test_a_disk_that_refuses_does_not_end_the_run(
        self, clip: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        state = self.state(clip, tmp_path)
        before = state.read_bytes()

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("tracker.run.state_file.os.fsync", full)
        run(clip, tmp_path / "first", state=str(state), resume=True)
        assert "No space left" in caplog.text
        assert state.read_bytes() == before
        assert not list(tmp_path.glob("*.part"))


class TestLock:
    @pytest.mark.slow
    def test_a_second_run_on_the_same_file_is_refused(self, clip: Path, tmp_path: Path) -> None:
        state = tmp_path / "run.json"
        options = Options(state=str(state))
        with Session(str(clip), options) as first:
            results = iter(first)
            next(results)
            with pytest.raises(OptionError, match=r"run\.json: another run is using it"):
                Session(str(clip), options).__enter__()
            assert len([*results]) == FRAMES - 1
        with Session(str(clip), Options(state=str(state), resume=True)) as third:
            assert sum(1 for _ in third) == 0
        assert [path.name for path in tmp_path.glob("run.json*")] == ["run.json"]

    def test_a_run_that_could_not_begin_leaves_it_free(self, clip: Path, tmp_path: Path) -> None:
        state = tmp_path / "run.json"
        for _ in range(2):
            with pytest.raises(InputError):
                Session(str(tmp_path / "none.mp4"), Options(state=str(state))).__enter__()
        assert list(tmp_path.glob("run.json*")) == []

    def test_what_a_killed_process_left_is_taken_over(self, tmp_path: Path) -> None:
        path = tmp_path / "x.lock"
        program = (
            "import sys; from pathlib import Path; from tracker.run.lock import Lock\n"
            "lock = Lock(Path(sys.argv[1])); print(lock.acquire(), flush=True); sys.stdin.read()"
        )
        command = [sys.executable, "-c", program, str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "True\n"
            lock = Lock(path)
            assert not lock.acquire()
            other.kill()
            other.wait()
            assert path.exists()
            assert lock.acquire()
            lock.release()
            assert not path.exists()

    @pytest.mark.slow
    def test_where_there_are_no_locks_the_run_goes_on(
        self, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def none(_: object) -> bool:
            raise OSError(95, "Operation not supported")

        monkeypatch.setattr("tracker.run.lock._try", none)
        run(clip, tmp_path / "t", state=str(tmp_path / "run.json"))
        assert (tmp_path / "run.json").exists()


PERSON = Detections([[10, 10, 30, 60]], [0.9], [0])


@pytest.mark.parametrize(
    ("live", "ended", "resumed", "away_s", "number"),
    [
        (False, False, True, 0.0, 1),
        (False, False, False, 0.0, 2),  # read again from its beginning
        (False, True, True, 0.0, 2),
        (True, False, False, 0.2, 1),  # a camera goes on by itself
        (True, False, False, 1.8, 1),
        (True, False, False, 3.0, 2),  # lost by now
        (True, True, False, 0.2, 2),
        (True, False, False, -100.0, 2),  # the clock was set back
    ],
)
def test_who_was_there_has_the_same_number_where_time_goes_on(
    tmp_path: Path, live: bool, ended: bool, resumed: bool, away_s: float, number: int
) -> None:
    before, scene = BYTETracker(), Scene("cam", (64, 96), 30.0, live, {}, lost_s=2.0)
    for _ in range(3):
        before.update(PERSON)
    then = (time.time() if live else 5.0) - away_s
    known = {"kind": type(before).__name__, "state": before.state()}
    state, tracker = Checkpoint(tmp_path / "run.json", 60), BYTETracker()
    state.saved = Saved("cam", [64, 96], live, ended, 2, then, known, {}, {}, {})
    state.begin(scene, tracker, resumed=resumed)
    shown = [tracker.update(PERSON).track_id.tolist() for _ in range(3)]
    assert shown[-1] == [number]


def test_resume_needs_a_state() -> None:
    with pytest.raises(OptionError, match="--state"):
        Options(resume=True)


def test_nothing_is_due_before_its_time(tmp_path: Path) -> None:
    assert not StateFile(tmp_path / "x", 3600).due()
    assert StateFile(tmp_path / "x", 0.0).due()


def test_after_a_save_nothing_is_due_for_a_while_and_files_of_plugins_add_up(tmp_path: Path) -> None:
    scene, tracker = Scene("clip.mp4", (64, 96), 30.0, False, {}), BYTETracker()
    state = Checkpoint(tmp_path / "run.json", 3600)
    assert state.load() is None and state.file.is_new
    state.file._due = 0.0  # as after an hour
    assert state.file.due()
    state.add_left({"early.png": "0"})
    assert not state.file.path.exists(), "nothing has been seen yet"
    state.save(Parts(scene, tracker, Host(), [], Report({}, forget_s=5.0)), (4, 0.2), wait=True)
    assert not state.file.due() and not state.file.is_new
    state.add_left({"a.png": "1"})
    state.add_left({"b.png": "2"})
    state.add_left({})
    state.file.release()
    again = Checkpoint(state.file.path, 3600)
    saved = again.load()
    again.file.release()
    assert saved is not None and (saved.frame, saved.time, saved.ended) == (4, 0.2, False)
    assert again.left == {"early.png": "0", "a.png": "1", "b.png": "2"}


def test_in_the_file_outputs_have_names_that_the_next_run_knows(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Session(
        str(clip), Options(state="run.json", events="e.jsonl", save_csv="t.csv", max_frames=3)
    ) as one:
        assert sum(1 for _ in one) == 3
    saved = json.loads(Path("run.json").read_text())["run"]
    assert set(saved["sinks"]) == {"eventssink e.jsonl", "csvsink t.csv"}
