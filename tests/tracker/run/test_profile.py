from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tracker.fakes import frames
from tests.tracker.squares import SquareDetector
from tracker.options import Options
from tracker.run.profile import THREADS, Profile, narrowest, peak_bytes
from tracker.run.session import Session
from tracker.sinks.worker import BackgroundWorker


def test_rows_tell_threads_queues_and_the_narrowest_part() -> None:
    profile = Profile()
    for _ in frames(10):
        profile.sample(read=4, written=1)
    profile.started -= 2.0  # as if they had taken two seconds
    rows = dict(profile.rows({"decode": 0.5, "detect": 1.5, "track": 0.1, "encode": 0.4}))
    assert rows["reading"] == "25% of the time, ms: decode 50.0"
    assert rows["the loop"].endswith("detect 150.0 + track 10.0")
    assert rows["waiting"] == "4.0 frames to be detected, 1.0 to be written"
    assert rows["narrowest"].startswith("detection")
    assert set(THREADS) <= set(rows)


def test_rows_tell_how_long_the_network_rested_where_it_is_known() -> None:
    assert dict(Profile().rows({}, 0.123))["network"] == "resting 12.3% of the time"
    assert "network" not in dict(Profile().rows({}))


def test_stages_that_did_not_run_are_not_told() -> None:
    assert "writing" not in dict(Profile().rows({"decode": 0.5, "detect": 1.0}))


def test_a_full_queue_behind_the_loop_means_drawing_whatever_waits_before_it() -> None:
    assert narrowest(4.0, 3.5).startswith("drawing and encoding")
    assert narrowest(0.0, 0.0) == "reading the source"


@pytest.mark.slow
def test_memory_grows_with_what_is_held() -> None:
    before = peak_bytes()
    held = bytearray(before + 50_000_000)  # more than anything that has been freed meanwhile
    held[::4096] = b"x" * len(held[::4096])
    assert peak_bytes() > before + 40_000_000


def test_what_waits_is_counted() -> None:
    import threading

    go = threading.Event()
    worker: BackgroundWorker[int] = BackgroundWorker("count", lambda _: go.wait(5) and None)
    for item in range(3):
        worker.put(item)
    assert worker.queued() >= 2
    go.set()
    worker.finish()
    assert worker.queued() == 0


@pytest.mark.slow
@pytest.mark.parametrize("how", ["plain", "resumed", "refined"])
def test_a_slow_detector_is_the_narrowest_however_the_run_began(
    how: str, make_video: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tracker.run.build_detector.open_detector", lambda *_, **__: SquareDetector(seconds=0.02)
    )
    clip, state = str(make_video(frames=80)), str(tmp_path / "s.json")
    if how == "resumed":
        with Session(clip, Options(state=state, max_frames=20)) as first:
            assert sum(1 for _ in first) == 20
    more: dict[str, Any] = {"resumed": {"state": state, "resume": True}, "refined": {"refine": True}}.get(
        how, {}
    )
    with Session(clip, Options(profile=True, **more)) as session:
        seen = sum(1 for _ in session)
    rows = dict(session.profile)
    assert seen == (60 if how == "resumed" else 80)
    assert rows["narrowest"].startswith("detection"), rows
    assert float(rows["profile"].split()[0]) >= 20, "per frame of the film, not per frame read"
