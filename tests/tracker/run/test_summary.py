from __future__ import annotations

import numpy as np

from bytetrack import Detections, Tracks
from tests.tracker.fakes import frames
from tracker.run.summary import Report
from tracker.types import Frame, Result


def result(frame: Frame, ids: list[int], classes: list[int]) -> Result:
    n = len(ids)
    boxes = np.zeros((n, 4))
    tracks = Tracks(np.array(ids, int), boxes, np.ones(n), np.array(classes, int), np.arange(n))
    return Result(frame, Detections.empty(), tracks)


def test_an_object_is_counted_once_under_its_last_class() -> None:
    report = Report({0: "person", 2: "car", 7: "truck"}, forget_s=1.0)
    for frame in frames(100):
        report.add(result(frame, [1, 2], [0, 2 if frame.index < 50 else 7]))
    assert report.distinct() == {"person": 1, "truck": 1}
    assert report.frames == 100


def test_memory_is_bounded_by_what_is_alive() -> None:
    report = Report({0: "person"}, forget_s=0.2)
    for frame in frames(1000):
        report.add(result(frame, [frame.index + 1], [0]))
        assert len(report._alive) < 15
    assert report.distinct() == {"person": 1000}


def test_the_table_tells_frames_objects_and_stages() -> None:
    report = Report({0: "person"}, forget_s=1.0)
    report.add(result(frames(1)[0], [1], [0]))
    rows = dict(report.rows({"detect": 0.5, "decode": 0.1}, [[("door in", "3")]]))
    assert rows["person"] == "1 distinct"
    assert rows["detect"].startswith("0.50 s, 500.00 ms")
    assert rows["door in"] == "3"
    assert list(rows)[-2:] == ["decode", "detect"]  # in the order of the frame's way


def test_time_stands_once_it_is_closed() -> None:
    report = Report({0: "person"}, forget_s=1.0)
    report.close()
    assert report.elapsed_s() == report.elapsed_s()
