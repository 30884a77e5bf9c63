from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest

from tracker.archive.recordings import Names, find
from tracker.types import InputError, OptionError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def test_files_of_a_camera_are_put_in_order_by_the_times_in_their_names(tmp_path: Path) -> None:
    folder = touch(
        tmp_path, "gate_2026-03-01_10-10-00.mp4", "gate_2026-03-01_10-00-00.mp4", "yard.mkv", "notes.doc"
    )
    gate, yard = find([str(folder)], Names())
    assert (gate.name, gate.dated, yard.name) == ("gate", True, "yard")
    first, second = gate.recordings
    assert first.start_s == datetime(2026, 3, 1, 10).timestamp()
    assert second.start_s is not None and second.start_s - first.start_s == 600
    assert [one.start_s for one in yard.recordings] == [None]


def test_a_pattern_tells_other_names(tmp_path: Path) -> None:
    folder = touch(tmp_path, "20260301/gate/10-00-00.mp4", "20260302/gate/10-00-00.mp4")
    (gate,) = find([str(folder)], Names("%Y%m%d/{camera}/%H-%M-%S"))
    starts = [one.start_s for one in gate.recordings]
    assert starts == [datetime(2026, 3, day, 10).timestamp() for day in (1, 2)]
    assert Names("{camera}-%H%M").read("10-1030") == ("10", 37800.0)
    assert Names().read("gate_2026-13-01_10-00-00") is None


def test_a_list_names_files_beside_it(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "b.mp4")
    (tmp_path / "all.txt").write_text("# both\na.mp4\n\nb.mp4\n")
    assert [camera.name for camera in find([str(tmp_path / "all.txt")], Names())] == ["a", "b"]


@pytest.mark.parametrize("pattern", ["%H-%M", "{camera}", "{camera}_%Q_%H", "{camera}{camera}%H"])
def test_a_pattern_that_tells_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(OptionError, match="--names"):
        Names(pattern)


def test_what_cannot_be_meant_is_told(tmp_path: Path) -> None:
    folder = touch(tmp_path, "a/x.mp4", "b/x.mp4")
    with pytest.raises(OptionError, match="both called x"):
        find([str(folder / "a/x.mp4"), str(folder / "b/x.mp4")], Names())
    assert [camera.name for camera in find([str(folder)], Names())] == ["a/x", "b/x"]
    with pytest.raises(InputError, match="no such file or folder"):
        find([str(folder / "no.mp4")], Names())
    with pytest.raises(InputError, match="no such file or folder"):
        find(["x" * 300], Names())
    with pytest.raises(InputError, match="source is empty"):
        find([""], Names())
    with pytest.raises(InputError, match="is live"):
        find(["rtsp://10.0.0.5/stream"], Names())
    (tmp_path / "empty").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "empty/pipe.mp4")
        with pytest.raises(InputError, match="device or a pipe"):
            find([str(tmp_path / "empty/pipe.mp4")], Names())
    with pytest.raises(InputError, match="contains no video"):
        find([str(tmp_path / "empty")], Names())
