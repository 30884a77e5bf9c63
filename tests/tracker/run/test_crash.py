"""Runs that end as nobody asked for: killed, files deleted, disks full. What was counted stays true."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from tests.tracker.squares import SquareDetector
from tests.tracker.videos import result, scene
from tracker.options import Options
from tracker.run.session import Session
from tracker.sinks import JsonSink
from tracker.types import OptionError, OutputError, TrackError

MakeVideo = Callable[..., Path]
ROOT = Path(__file__).parents[3]
TABLES = ("events", "save_csv", "save_json", "save_mot", "save_coco", "save_cvat", "counts")
COUNTING = ["--line", "door=80,0 80,96", "--zone", "hall=40,0 120,0 120,96 40,96", "--plugin", "route"]
# The real command, except that a bright square stands for what a network would find.
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import tracker.run.build_detector
from tests.tracker.squares import SquareDetector
from tests.tracker.videos import result, scene
tracker.run.build_detector.open_detector = lambda *_, **__: SquareDetector(seconds=float(sys.argv[2]))
from tracker.cli import main
main(sys.argv[3:])
"""


def command(*words: object, pace_s: float = 0.0) -> list[str]:
    return [sys.executable, "-c", PROGRAM, str(ROOT), str(pace_s), *map(str, words)]


def finished(*words: object, where: Path, pace_s: float = 0.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words, pace_s=pace_s), cwd=where, capture_output=True, text=True, timeout=100, check=False
    )


def outputs(folder: Path) -> list[str]:
    folder.mkdir(exist_ok=True)
    words = ["--interval", "1s", "-o", str(folder / "out.mp4")]
    for name in TABLES:
        words += [f"--{name.replace('_', '-')}", str(folder / name)]
    return [*COUNTING, *words, "-q"]


def pictures(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def frame_of(state: Path) -> int | None:
    return json.loads(state.read_text())["run"]["frame"] if state.exists() else None  # type: ignore[no-any-return]


@pytest.mark.slow
class TestKilled:
    @pytest.mark.parametrize("kills", [20])
    @pytest.mark.timeout(600)
    def test_killed_again_and_again_it_counts_as_if_it_had_not_been(
        self, make_video: MakeVideo, tmp_path: Path, kills: int
    ) -> None:
        """At any moment: before there is a state, while tables are made, at work, while it is saved."""
        clip, chance = make_video(frames=300), random.Random(kills)
        whole, cut, state = tmp_path / "whole", tmp_path / "cut", tmp_path / "run.json"
        assert finished(clip, *outputs(whole), where=tmp_path).returncode == 0
        going_on = [clip, *outputs(cut), "--state", state, "--state-every", 0.2, "--resume"]
        reached = []
        for number in range(kills):
            # the beginnings first: half of the time from the start of Python to the first frames
            wait_s = chance.uniform(0.1, 4) if number % 2 else chance.uniform(1, 12)
            run = subprocess.Popen(command(*going_on, pace_s=0.05), cwd=tmp_path)
            try:
                run.wait(wait_s)
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait()
            reached.append(frame_of(state))
        last = finished(*going_on, where=tmp_path)
        assert last.returncode == 0, (last.stderr, reached)
        assert frame_of(state) == 299
        for name in TABLES:
            assert (cut / name).read_bytes() == (whole / name).read_bytes(), (name, reached)
        films = sorted(cut.glob("out*.mp4"))
        assert films and all(pictures(film) > 0 for film in films)
        assert not [path.name for path in cut.iterdir() if ".part" in path.name or path.suffix == ".lock"]

    def test_killed_before_the_first_save_it_begins_anew(self, make_video: MakeVideo, tmp_path: Path) -> None:
        """Also where --state alone is given, as by a supervisor that starts the same command for ever."""
        clip, cut = make_video(frames=60), tmp_path / "cut"
        words = [clip, *outputs(cut), "--state", tmp_path / "run.json"]
        run = subprocess.Popen(command(*words, pace_s=0.2), cwd=tmp_path)
        while not (cut / "save_csv").exists():
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        run.wait()
        assert (cut / "save_csv").exists() and frame_of(tmp_path / "run.json") is None
        again = finished(*words, where=tmp_path)
        assert again.returncode == 0, again.stderr
        assert finished(clip, *outputs(tmp_path / "whole"), where=tmp_path).returncode == 0
        for name in TABLES:
            assert (cut / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


@pytest.fixture
def squares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.run.build_detector.open_detector", lambda *_, **__: SquareDetector())


def run(
    clip: Path, *, stop_after: int | None = None, meanwhile: Callable[[int], None] = id, **options: Any
) -> Session:
    stop = threading.Event()
    with Session(
        str(clip),
        Options(**{name: str(o) if isinstance(o, Path) else o for name, o in options.items()}),
        stop=stop,
    ) as session:
        for count, _ in enumerate(session, 1):
            meanwhile(count)
            if count == stop_after:
                stop.set()
    return session


@pytest.mark.usefixtures("squares")
class TestAnotherRecording:
    """A recording is known by what is in it: its name and its size say nothing."""

    def start(self, clip: Path, tmp_path: Path) -> dict[str, Any]:
        options: dict[str, Any] = {"state": tmp_path / "run.json", "save_csv": tmp_path / "t.csv"}
        run(clip, stop_after=20, **options)
        return {**options, "resume": True}

    def test_of_the_same_name_and_size_is_refused(self, make_video: MakeVideo, tmp_path: Path) -> None:
        options = self.start(make_video(frames=60), tmp_path)
        before = (tmp_path / "t.csv").read_bytes()
        clip = make_video(frames=61)
        with pytest.raises(OptionError, match=r"belongs to another recording that was called clip\.mp4 too"):
            run(clip, **options)
        assert (tmp_path / "t.csv").read_bytes() == before

    def test_that_differs_somewhere_in_the_middle_is_refused(self, tmp_path: Path) -> None:
        from tracker.run.fingerprint import fingerprint, is_same

        film = tmp_path / "raw.y4m"
        film.write_bytes(bytes(3_000_000))
        known = fingerprint(str(film))
        film.write_bytes(bytes(1_500_000) + b"x" * 200_000 + bytes(1_300_000))
        assert is_same(known, str(film)) is False

    def test_that_was_moved_goes_on(self, make_video: MakeVideo, tmp_path: Path) -> None:
        clip = make_video(frames=60)
        options = self.start(clip, tmp_path)
        (tmp_path / "archive").mkdir()
        clip = clip.rename(tmp_path / "archive" / "monday.mp4")
        run(clip, **options)
        assert len((tmp_path / "t.csv").read_text().splitlines()) == 61

    def test_that_has_grown_goes_on_and_one_cut_short_does_not(
        self, make_video: MakeVideo, tmp_path: Path
    ) -> None:
        whole = make_video("clip.ts", frames=100).read_bytes()
        clip = tmp_path / "clip.ts"
        packets = len(whole) // 188 * 2 // 3 * 188
        clip.write_bytes(whole[:packets])
        options = self.start(clip, tmp_path)
        clip.write_bytes(whole)
        run(clip, stop_after=5, **options)
        clip.write_bytes(whole[:packets])
        with pytest.raises(OptionError, match="another recording"):
            run(clip, **options)

    def test_pictures_are_known_by_what_is_in_them(self, tmp_path: Path) -> None:
        import cv2
        import numpy as np

        folder = tmp_path / "frames"
        folder.mkdir()

        def fill(count: int, ground: int) -> None:
            for index in range(count):
                picture = np.full((96, 160, 3), ground, np.uint8)
                picture[20:40, 4 + 3 * index : 24 + 3 * index] = 220
                cv2.imwrite(str(folder / f"{index}.png"), picture)

        fill(20, 40)
        options: dict[str, Any] = {"state": tmp_path / "run.json", "save_csv": tmp_path / "t.csv"}
        run(folder, stop_after=5, **options)
        fill(30, 40)
        assert run(folder, **options, resume=True, stop_after=20).report.frames == 20
        fill(30, 50)
        with pytest.raises(OptionError, match="another recording"):
            run(folder, **options, resume=True)


@pytest.mark.usefixtures("squares")
class TestTables:
    def test_a_table_of_somebody_else_is_not_cut(self, make_video: MakeVideo, tmp_path: Path) -> None:
        clip, table = make_video(frames=60), tmp_path / "t.csv"
        options: dict[str, Any] = {"state": tmp_path / "run.json", "save_csv": table, "resume": True}
        run(clip, stop_after=20, **options)
        table.write_text("mine\n" * 10_000)
        for _ in range(2):
            with pytest.raises(OptionError, match=r"t\.csv: is not the table that --state continues"):
                run(clip, **options)
        assert table.read_text() == "mine\n" * 10_000

    def test_a_table_that_is_gone_begins_anew_with_a_note(
        self, make_video: MakeVideo, tmp_path: Path
    ) -> None:
        clip, table = make_video(frames=60), tmp_path / "t.csv"
        options: dict[str, Any] = {"state": tmp_path / "run.json", "save_csv": table, "resume": True}
        run(clip, stop_after=20, **options)
        table.unlink()
        session = run(clip, **options)
        assert [note for note in session.account.warnings() if "is gone; a new one starts" in note]
        lines = table.read_text().splitlines()
        assert lines[0].startswith("frame,time_s") and len(lines) == 41

    def test_a_table_cut_short_goes_on_after_its_last_whole_line(
        self, make_video: MakeVideo, tmp_path: Path
    ) -> None:
        clip, table = make_video(frames=60), tmp_path / "t.csv"
        options: dict[str, Any] = {"state": tmp_path / "run.json", "save_csv": table, "resume": True}
        run(clip, stop_after=20, **options)
        os.truncate(table, table.stat().st_size - 10)
        session = run(clip, **options)
        assert [note for note in session.account.warnings() if "its end is missing" in note]
        assert len({len(line.split(",")) for line in table.read_text().splitlines()}) == 1

    def test_they_reach_the_disk_before_the_state_does(
        self, make_video: MakeVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done: list[str] = []
        sync, fsync = "tracker.sinks.output_file.sync", os.fsync
        monkeypatch.setattr(sync, lambda path: done.append(path.name))
        monkeypatch.setattr(
            "tracker.run.state_file.os.fsync", lambda file: done.append("state") or fsync(file)
        )
        run(make_video(frames=30), state=tmp_path / "run.json", save_csv=tmp_path / "t.csv")
        assert done[-3:] == ["t.csv", "state", tmp_path.name]

    @pytest.mark.slow
    def test_so_many_frames_are_those_of_the_whole_run(self, make_video: MakeVideo, tmp_path: Path) -> None:
        clip, table = make_video(frames=90), tmp_path / "t.csv"
        options: dict[str, Any] = {"max_frames": 60, "vid_stride": 1}
        run(clip, save_csv=tmp_path / "whole.csv", **options)
        for stop_after in (20, 15, None, None):
            run(
                clip,
                stop_after=stop_after,
                save_csv=table,
                state=tmp_path / "run.json",
                resume=True,
                **options,
            )
        assert table.read_text() == (tmp_path / "whole.csv").read_text()

    def test_standard_output_has_no_state(self, make_video: MakeVideo, tmp_path: Path) -> None:
        for _ in range(2):
            run(make_video(frames=30), state=tmp_path / "run.json", counts="-", line=("0,0 80,96",))


@pytest.mark.usefixtures("squares")
class TestDeletedMeanwhile:
    """One line for what is lost, and nothing else is."""

    def clip(self, make_video: MakeVideo) -> Path:
        return make_video(frames=60)

    def at_20(self, step: Callable[[], object]) -> Callable[[int], None]:
        def meanwhile(count: int) -> None:
            if count == 20:
                step()

        return meanwhile

    @pytest.fixture(autouse=True)
    def promptly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tracker.sinks.text_file.FLUSH_S", 0.0)

    def test_a_table(self, make_video: MakeVideo, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        one, two = tmp_path / "t.csv", tmp_path / "t.jsonl"
        run(make_video(frames=60), save_csv=one, save_json=two, meanwhile=self.at_20(one.unlink))
        assert [record.getMessage() for record in caplog.records] == [
            f"{one}: was deleted or moved away; what follows is in a new file"
        ]
        assert one.read_text().splitlines()[1].startswith("20,") and len(one.read_text().splitlines()) == 41
        assert len(two.read_text().splitlines()) == 60

    def test_a_table_somebody_put_his_own_in_place_of(self, make_video: MakeVideo, tmp_path: Path) -> None:
        table = tmp_path / "t.csv"

        def replace() -> None:
            table.unlink()
            table.write_text("mine")

        run(make_video(frames=60), save_csv=table, meanwhile=self.at_20(replace))
        assert table.read_text() == "mine"
        assert len((tmp_path / "t-2.csv").read_text().splitlines()) == 41

    def test_a_folder(self, make_video: MakeVideo, tmp_path: Path) -> None:
        gone = tmp_path / "gone"
        gone.mkdir()
        kept, state = tmp_path / "t.jsonl", tmp_path / "run.json"
        with pytest.raises(
            OutputError, match=r"t\.csv: its folder was deleted while the run wrote it"
        ) as caught:
            run(
                make_video(frames=60),
                save_csv=gone / "t.csv",
                save_json=kept,
                state=state,
                meanwhile=self.at_20(lambda: shutil.rmtree(gone)),
            )
        assert "\n" not in str(caught.value)
        assert len(kept.read_text().splitlines()) == 60 and frame_of(state) == 59

    @pytest.mark.slow
    def test_the_folder_of_the_video(self, make_video: MakeVideo, tmp_path: Path) -> None:
        gone, kept = tmp_path / "gone", tmp_path / "t.jsonl"
        gone.mkdir()

        def delete() -> None:
            time.sleep(0.3)  # until something is recorded
            shutil.rmtree(gone)

        with pytest.raises(OutputError, match=r"out\.mp4: its folder was deleted while"):
            run(make_video(frames=60), output=gone / "out.mp4", save_json=kept, meanwhile=self.at_20(delete))
        assert len(kept.read_text().splitlines()) == 60

    @pytest.mark.slow
    @pytest.mark.parametrize("segment", [None, "1s"])
    @pytest.mark.parametrize("after", [0, 30])
    def test_everything_elsewhere_is_complete(
        self, make_video: MakeVideo, tmp_path: Path, after: int, segment: str | None
    ) -> None:
        clip = make_video(frames=60)
        outputs: dict[str, dict[str, bytes]] = {}
        for deleted in (False, True):
            gone, kept = tmp_path / "gone", tmp_path / f"kept{deleted}"
            gone.mkdir()
            kept.mkdir()
            tables: dict[str, Any] = {name: kept / name for name in TABLES}
            options = Options(
                output=gone / "out.mp4", line=["door=80,0 80,96"], plugin=["route"], segment=segment, **tables
            )
            session = Session(clip, options, prefix=gone / "out")
            try:
                with session:
                    for count in range(60):
                        while deleted and count == after and gone.exists():
                            shutil.rmtree(gone, ignore_errors=True)  # files are made in it meanwhile
                        if not count:
                            results = iter(session)
                        next(results)
                    list(results)
            except OutputError as error:
                assert deleted
                assert re.fullmatch(r"\S+: its folder was deleted while the run wrote it", str(error))
                assert not session.account.warnings()
            else:
                assert not deleted
                shutil.rmtree(gone)
            outputs[str(deleted)] = {path.name: path.read_bytes() for path in kept.iterdir()}
        assert outputs["True"] == outputs["False"]

    def test_the_folder_of_the_state(
        self, make_video: MakeVideo, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        gone, kept = tmp_path / "gone", tmp_path / "t.jsonl"
        gone.mkdir()
        run(
            make_video(frames=60),
            state=gone / "run.json",
            state_every=0.1,
            save_json=kept,
            meanwhile=self.at_20(lambda: shutil.rmtree(gone)),
        )
        assert len(kept.read_text().splitlines()) == 60
        assert len(caplog.records) == 1 and "the state cannot be saved" in caplog.text


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    if (
        os.name == "nt"
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16k", "none", str(place)], capture_output=True
        ).returncode
    ):
        pytest.skip("mounting a small disk is not allowed here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.usefixtures("squares")
class TestFullDisk:
    @pytest.mark.slow
    def test_a_table_of_a_file_ends_the_run_in_one_line_and_it_can_go_on(
        self, make_video: MakeVideo, tmp_path: Path, small_disk: Path
    ) -> None:
        clip, table, state = make_video(frames=400), small_disk / "t.csv", tmp_path / "run.json"
        options: dict[str, Any] = {"save_csv": table, "state": state, "state_every": 0.1, "resume": True}
        (small_disk / "ballast").write_bytes(bytes(8192))
        with pytest.raises(OutputError, match="No space left on device; what was written before is kept"):
            run(clip, meanwhile=lambda _: time.sleep(0.002), **options)
        (small_disk / "ballast").unlink()
        subprocess.run(["mount", "-o", "remount,size=1m", str(small_disk)], check=True)
        run(clip, **options)
        run(clip, save_csv=tmp_path / "whole.csv")
        assert table.read_text() == (tmp_path / "whole.csv").read_text()

    def test_of_a_camera_lines_wait_for_room(self, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tracker.sinks.text_file.FLUSH_S", 0.0)
        ballast, table = small_disk / "ballast", small_disk / "t.txt"
        ballast.write_bytes(bytes(12288))
        with JsonSink(table, scene(live=True)) as sink:
            for index in range(300):
                sink.write(result(index))
                if index == 200:
                    assert table.stat().st_size == 4096
                    ballast.unlink()
        lines = table.read_text().splitlines()
        assert [json.loads(line)["frame"] for line in lines] == list(range(300))
        assert sink.warnings == []

    def test_of_a_camera_no_more_waits_than_memory_is_worth(
        self, small_disk: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tracker.sinks.text_file.FLUSH_S", 0.0)
        monkeypatch.setattr("tracker.sinks.text_file.WAITING_BYTES", 1000)
        (small_disk / "ballast").write_bytes(bytes(12288))
        with JsonSink(small_disk / "t.txt", scene(live=True)) as sink:
            for index in range(300):
                sink.write(result(index))
        assert "lines are missing: the disk was full" in sink.warnings[0]


@pytest.mark.parametrize("words", [["--save-csv", "x/t.csv"], ["--state", "x/s.json"], ["-o", "x/o.mp4"]])
@pytest.mark.usefixtures("squares")
def test_a_folder_that_is_read_only_is_told_before_anything_is_opened(
    make_video: MakeVideo, tmp_path: Path, words: list[str]
) -> None:
    if not Path("/proc/self").is_dir():
        pytest.skip("needs /proc, a folder in which nobody can create files")
    field = {"--save-csv": "save_csv", "--state": "state", "-o": "output"}[words[0]]
    place = words[1].replace("x/", "/proc/self/")
    with pytest.raises(TrackError, match="cannot be written"):
        run(make_video(), **{field: place})
