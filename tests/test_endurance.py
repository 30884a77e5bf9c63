"""A long run stays as it was: memory, threads, file handles and time per frame do not grow.

By default some thousand frames. ``TRACK_SOAK_FRAMES=100000 pytest tests/test_endurance.py -s --timeout 1800``
is the long form and prints what it measured.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bytetrack import Detections, MotionTracker
from tracker import pipeline
from tracker.drawing.annotate import draw
from tracker.plugins import make
from tracker.run.summary import Report
from tracker.sinks import CountsSink, CsvSink, EventsSink, JsonSink, MotSink, VideoSink
from tracker.types import Frame, Result, Scene

FRAMES = int(os.environ.get("TRACK_SOAK_FRAMES", "2500"))
SIZE, FPS = (320, 240), 25.0
ALIVE, STAY = 6, 60  # people at a time, frames from coming to leaving
GROWTH = 1.05  # of resident memory, from a tenth of the run to its end (from a half in the short form)
YEARS = 20 * 365 * 86_400.0  # clocks and numbers of a run that began long ago

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc, which is Linux's")


class Crowd:
    """People who walk through the picture one behind the other, missed now and then; clocks that jump."""

    names = {0: "person"}  # noqa: RUF012 - the contract's attribute, never changed

    def __init__(self) -> None:
        self._image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        self._image.flags.writeable = False

    def frames(self) -> Iterator[Frame]:
        now = YEARS
        for index in range(FRAMES):
            now += 1 / FPS
            if index % 997 == 996:
                now += 30.0  # a stall
            yield Frame(self._image, index, now if index % 1009 else now - 5.0)  # and a step back

    def stream(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
        lane = np.arange(ALIVE)
        for frame in frames:
            age = (frame.index + lane * STAY // ALIVE) % STAY
            seen = (age * 7 + lane + frame.index) % 11 != 0
            x, y = -10 + age * (SIZE[0] + 20) / STAY, 60.0 + 30 * lane
            boxes = np.stack([x - 9, y - 45, x + 9, y], axis=1)[seen]
            yield frame, Detections(boxes, np.full(len(boxes), 0.8), np.zeros(len(boxes), int))


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def handles() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - no paths are needed


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_long_run_stays_as_it_was(tmp_path: Path) -> None:
    crowd = Crowd()
    scene = Scene("crowd", SIZE, FPS, True, crowd.names, 2.0)
    corners = [(40, 60), (280, 60), (280, 230), (40, 230)]
    options: dict[str, dict[str, Any]] = {
        "line": {"points": [(160, 0), (160, 240)]},
        "zone": {"points": corners, "loiter_s": 1.0},
        "route": {},
        "heatmap": {},
        "speed": {"image": corners, "metres": [(0, 0), (20, 0), (20, 30), (0, 30)]},
        "follow": {"target": "1"},
    }
    plugins: list[Any] = [make(name, **more) for name, more in options.items()]
    for plugin in plugins:
        plugin.start(scene)
    report, before = Report(crowd.names, forget_s=5.0), (threading.active_count(), handles())
    looks: dict[int, tuple[float, int, int]] = {}
    spent, most_id = [time.thread_time()], 0
    with ExitStack() as stack:
        sinks: list[Any] = [
            VideoSink(tmp_path / "o.mp4", scene, Result.plot),
            MotSink(tmp_path / "o.txt"),
            CsvSink(tmp_path / "o.csv", scene),
            JsonSink(tmp_path / "o.jsonl", scene),
            EventsSink(tmp_path / "events.jsonl", scene),
            CountsSink(tmp_path / "counts.csv", scene, interval=60.0),
        ]
        for sink in sinks:
            stack.enter_context(sink)
        marks = {FRAMES // 10, FRAMES // 2, FRAMES - 1}
        for result in pipeline.run(crowd.frames(), crowd, MotionTracker(frame_rate=FPS), plugins):  # type: ignore[arg-type]
            result = replace(result, painter=lambda one: draw(one, crowd.names))
            report.add(result)
            most_id = max(most_id, int(result.tracks.track_id.max(initial=0)))
            for sink in sinks:
                sink.write(result)
            if result.frame.index in marks:
                looks[result.frame.index] = (resident_mib(), threading.active_count(), handles())
            if result.frame.index % (FRAMES // 5) == FRAMES // 5 - 1:
                spent.append(time.thread_time())
        last = pipeline.finish(plugins)
        for sink in sinks:
            sink.finish(last)
    first, middle, end = (looks[index] for index in sorted(looks))
    per_frame = np.diff(spent) / (FRAMES // 5) * 1000
    for index, (mib, threads, files) in sorted(looks.items()):
        print(f"frame {index:6d}: {mib:.1f} MiB resident, {threads} threads, {files} file handles")
    print(f"ms of CPU per frame, by fifths of the run: {', '.join(f'{each:.2f}' for each in per_frame)}")
    start = first if FRAMES >= 100_000 else middle
    print(f"memory at the end is {100 * end[0] / start[0] - 100:+.1f} % of what it was")
    assert end[0] < GROWTH * start[0], f"resident memory grew from {start[0]:.1f} to {end[0]:.1f} MiB"
    assert first[1:] == middle[1:] == end[1:], "threads or file handles grew"
    assert (threading.active_count(), handles()) == before, "threads or file handles were left behind"
    assert per_frame[-1] < 2 * per_frame[1], f"the loop became slower: {per_frame.round(2)} ms per frame"
    people = FRAMES * ALIVE / STAY
    assert 0.9 * people < report.distinct()["person"] < 1.3 * people, "they did come and go"
    assert most_id == report.distinct()["person"], "numbers have no holes"
    assert plugins[0].totals.total() > 0.8 * people
    assert sys.getsizeof(report._alive) < 10_000
