from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tracker import threads

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("limit, expected", [
    ("150000 100000", 2), ("50000 100000", 1), ("max 100000", 16), ("6400000 100000", 16), ("?", 16),
])  # fmt: skip
def test_a_containers_quota_counts_as_cores(
    limit: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(limit + "\n", encoding="ascii")
    monkeypatch.setattr(threads, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    assert threads.cores() == expected


def test_without_control_groups_affinity_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    assert threads.cores() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as whoever imports ultralytics has it
    assert threads.cores() == 3
    for told, expected in ("2", 2), ("64", 3), ("0", 3), ("many", 3), ("", 3):
        monkeypatch.setenv(threads.SHARE, told)
        assert threads.cores() == expected


@pytest.mark.parametrize("count", [1, 2, 3, 64])
def test_shares_fit_any_number_of_cores(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: count)
    shares = threads.plan.__wrapped__()
    assert shares.inference == count
    assert 1 <= shares.opencv <= count and 1 <= shares.decoder <= 4 and 1 <= shares.encoder <= 8


class Dial:
    """A number as the libraries keep it."""

    def __init__(self, value: int) -> None:
        self.value = value

    def read(self) -> int:
        return self.value

    def write(self, value: int) -> None:
        self.value = value


class TestAProcessSetting:
    def test_is_put_back_also_after_an_error(self) -> None:
        dial = Dial(7)
        setting = threads.ProcessSetting(dial.read, dial.write)
        with pytest.raises(KeyboardInterrupt), setting.at(2):
            assert dial.value == 2
            raise KeyboardInterrupt
        assert dial.value == 7

    def test_is_put_back_by_the_last_of_runs_that_overlap(self) -> None:
        dial = Dial(7)
        setting = threads.ProcessSetting(dial.read, dial.write)
        first, second = setting.at(2), setting.at(2)
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert dial.value == 2, "the second still runs"
        second.__exit__(None, None, None)
        assert dial.value == 7

    def test_is_read_anew_by_the_next_run(self) -> None:
        dial = Dial(7)
        setting = threads.ProcessSetting(dial.read, dial.write)
        with setting.at(2):
            pass
        dial.value = 5
        with setting.at(2):
            pass
        assert dial.value == 5


@pytest.mark.slow
@pytest.mark.parametrize("end", ["by itself", "left early", "failed", "never opened"])
def test_a_run_leaves_the_process_as_it_found_it(make_video: Callable[..., Path], end: str) -> None:
    """In a process of its own, as a library: what is set belongs to the host."""
    script = f"""
import gc, os, sys, cv2
sys.path.insert(0, {str(ROOT)!r})
from tests.tracker.squares import SquareDetector
from tracker import TrackError, threads, track
from tracker.run import build_detector

cv2.setNumThreads(3)
environment, end = dict(os.environ), {end!r}

build_detector.open_detector = lambda *_, **__: SquareDetector()
inside = set()
class Nosy:
    def update(self, frame, tracks):
        inside.add(cv2.getNumThreads())
        if end == "failed" and frame.index == 3:
            raise ValueError
        return ()
try:
    for result in track({str(make_video(frames=6))!r} if end != "never opened" else "none", plugins=Nosy()):
        if end == "left early":
            break
    result = None
except TrackError as error:
    assert end in ("failed", "never opened"), error
    error = None
gc.collect()
assert inside == ({{threads.plan().opencv}} if end != "never opened" else set()), inside
print(cv2.getNumThreads(), dict(os.environ) == environment)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.stdout == "3 True\n", ran.stdout + ran.stderr
