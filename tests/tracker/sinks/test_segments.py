from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from tests.tracker.videos import plain, result, scene
from tracker.sinks import VideoSink
from tracker.sinks.segments import Segments
from tracker.types import OptionError

NOON = time.mktime((2026, 3, 1, 12, 0, 0, 0, 0, -1))  # a Sunday


def frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("name", ["cam.mp4", "cam.mkv"])
def test_a_camera_gives_one_file_after_the_other_named_by_time(tmp_path: Path, name: str) -> None:
    with VideoSink(tmp_path / name, scene(live=True), plain, segment=10.0) as sink:
        for index in range(250):
            sink.write(result(index, NOON + 5 + index / 10))
    stem, suffix = name.split(".")
    assert {p.name: frames(p) for p in tmp_path.iterdir()} == {
        f"{stem}_2026-03-01_12-00-05.{suffix}": 50,
        f"{stem}_2026-03-01_12-00-10.{suffix}": 100,
        f"{stem}_2026-03-01_12-00-20.{suffix}": 100,
    }


def test_a_film_is_named_by_its_own_time(tmp_path: Path) -> None:
    with VideoSink(tmp_path / "out.mp4", scene(), plain, segment=1.0) as sink:
        for index in range(25):
            sink.write(result(index, index / 10))
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"out_00-00-0{i}.mp4" for i in range(3)]


def test_the_hour_that_summer_time_repeats_overwrites_nothing(tmp_path: Path) -> None:
    segments = Segments(tmp_path / "cam.mp4", True, 600.0)
    first = segments.name(NOON)
    first.touch()
    assert segments.name(NOON).name == "cam_2026-03-01_12-00-00-2.mp4"


class TestKeep:
    def fill(self, folder: Path, count: int, size: int) -> list[Path]:
        files = []
        for index in range(count):
            path = folder / f"cam_2026-03-01_12-0{index}-00.mp4"
            path.write_bytes(bytes(size))
            os.utime(path, (NOON + 60 * index, NOON + 60 * index))
            files.append(path)
        return files

    def test_the_oldest_go_when_there_is_too_much(self, tmp_path: Path) -> None:
        files = self.fill(tmp_path, 6, 1000)
        Segments(tmp_path / "cam.mp4", True, 60.0, keep_gb=3500e-9).prune()
        assert [f.exists() for f in files] == [False, False, False, True, True, True]

    def test_the_old_go(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        files = self.fill(tmp_path, 6, 1000)
        monkeypatch.setattr(time, "time", lambda: NOON + 60 * 5)
        Segments(tmp_path / "cam.mp4", True, 60.0, keep_s=150).prune()
        assert [f.exists() for f in files] == [False, False, False, True, True, True]

    def test_only_its_own_are_touched(self, tmp_path: Path) -> None:
        self.fill(tmp_path, 3, 1000)
        others = [
            "cam.mp4",
            "cam_holiday.mp4",
            "cam2_2026-03-01_12-00-00.mp4",
            "cam_2026-03-01_12-00-00.mkv",
            "xcam_2026-03-01_12-00-00.mp4",
            "cam_2026-03-01_12-00-00.mp4.txt",
        ]
        for name in others:
            (tmp_path / name).write_bytes(bytes(1000))
        Segments(tmp_path / "cam.mp4", True, 60.0, keep_gb=1e-9).prune()
        assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*others, "cam_2026-03-01_12-02-00.mp4"])

    def test_a_run_keeps_to_it(self, tmp_path: Path) -> None:
        with VideoSink(tmp_path / "cam.mp4", scene(live=True), plain, segment=1.0, keep_gb=1e-9) as sink:
            for index in range(45):
                sink.write(result(index, NOON + index / 10))
        left = sorted(p.name for p in tmp_path.iterdir())
        assert left == ["cam_2026-03-01_12-00-03.mp4", "cam_2026-03-01_12-00-04.mp4"]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_kill_costs_the_last_seconds_of_the_open_segment_only(
    child: Callable[[str], str], tmp_path: Path, suffix: str
) -> None:
    child(f"""
with VideoSink(folder / "cam.{suffix}", scene(live=True), plain, segment=10.0) as sink:
    for index in range(225):
        sink.write(result(index, {NOON} + index / 10))
    while sink.queued:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)
""")
    counts = {p.name: frames(p) for p in tmp_path.iterdir()}
    assert counts.pop(f"cam_2026-03-01_12-00-20.part.{suffix}") >= 10
    assert counts == {f"cam_2026-03-01_12-00-{begin}.{suffix}": 100 for begin in ("00", "10")}


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_of_a_slow_camera_kill_costs_no_more(
    child: Callable[[str], str], tmp_path: Path, suffix: str
) -> None:
    child(f"""
from dataclasses import replace
slow = replace(scene(live=True), fps=1.0)
with VideoSink(folder / "cam.{suffix}", slow, plain, segment=60.0) as sink:
    for index in range(20):
        sink.write(result(index, {NOON} + index))
    while sink.queued:
        time.sleep(0.01)
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)
""")
    (path,) = tmp_path.iterdir()
    assert frames(path) >= 16


@pytest.mark.slow
def test_a_full_disk_stops_the_recording_not_the_run(small_disk: Callable[[str], str]) -> None:
    text = small_disk(f"""
from tracker.sinks import video
video.RETRY_S, video.ROOM_BYTES = 0.2, 200_000
ballast = folder / "ballast"
ballast.write_bytes(bytes(300_000))
with VideoSink(folder / "cam.mp4", scene(live=True), noise(), segment=60.0) as sink:
    for index in range(60):
        sink.write(result(index, {NOON} + index))
        time.sleep(0.01)
    time.sleep(0.5)
    print(len(list(folder.glob("cam_*"))))
    ballast.unlink()
    for index in range(60, 70):
        sink.write(result(index, {NOON} + index))
        time.sleep(0.05)
for path in sorted(folder.glob("cam_*")):
    with open_source(path) as source:
        print(len(list(source)))
print(sink.warnings)
""")
    before, first, second, notes = text.splitlines()
    assert before == "1"
    assert int(first) >= 10
    assert int(second) >= 5
    assert "frames were not recorded: the disk was full" in notes


@pytest.mark.parametrize("seconds", [0.0, -5.0, math.inf, math.nan])
def test_what_is_no_duration_is_refused(seconds: float) -> None:
    with pytest.raises(OptionError, match=r"--segment .*: must be more than 0 seconds"):
        VideoSink("cam.mp4", scene(live=True), plain, segment=seconds)
    with pytest.raises(OptionError, match=r"--keep .*: must be more than 0 seconds"):
        VideoSink("cam.mp4", scene(live=True), plain, segment=10.0, keep=seconds)


def test_keeping_without_segments_is_refused() -> None:
    with pytest.raises(OptionError, match="add --segment"):
        VideoSink("cam.mp4", scene(live=True), plain, keep=86400.0)


def test_the_files_in_place_are_told(tmp_path: Path) -> None:
    with VideoSink(tmp_path / "cam.mp4", scene(live=True), plain, segment=10.0) as sink:
        for index in range(25):
            sink.write(result(index, NOON + index))
    assert [p.name for p in sink.files] == [f"cam_2026-03-01_12-00-{s}.mp4" for s in ("00", "10", "20")]
