from __future__ import annotations

import pytest

from tests.tracker.fakes import frames
from tracker.profile import THREADS, Profile, narrowest, peak_bytes
from tracker.sinks.behind import Behind


def test_rows_tell_threads_queues_and_the_narrowest_part() -> None:
    profile = Profile()
    for _ in frames(10):
        profile.look(read=4, written=1)
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
    behind: Behind[int] = Behind("count", lambda _: go.wait(5) and None)
    for item in range(3):
        behind.put(item)
    assert behind.waiting() >= 2
    go.set()
    behind.finish()
    assert behind.waiting() == 0
