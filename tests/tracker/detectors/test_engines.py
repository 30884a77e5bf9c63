"""Engines: compiled once each, in the background where nobody may wait, and never too many."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tracker.detectors import Settings
from tracker.detectors.engines import RESTED_S, Engines, Shape
from tracker.detectors.openvino_yolo import OpenVinoYolo
from tracker.detectors.windows import Layout, Window

A, B, C, D = (1, 32, 32), (1, 64, 64), (1, 64, 96), (2, 96, 96)


class Compiler:
    """Compiles at once, or when it is let."""

    def __init__(self, *, slow: bool = False) -> None:
        self.made: list[Shape] = []
        self.go = threading.Event()
        if not slow:
            self.go.set()

    def __call__(self, shape: Shape) -> Shape:
        assert self.go.wait(10)
        self.made.append(shape)
        return shape


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_each_shape_is_compiled_once_also_by_many_who_ask_at_once() -> None:
    compiler = Compiler(slow=True)
    engines: Engines[Shape] = Engines(compiler)
    got: list[Shape] = []
    threads = [threading.Thread(target=lambda: got.append(engines.get(A))) for _ in range(8)]
    for thread in threads:
        thread.start()
    compiler.go.set()
    for thread in threads:
        thread.join(10)
    assert got == [A] * 8
    assert compiler.made == [A]


def test_in_the_background_nobody_waits_and_a_larger_one_is_there_meanwhile() -> None:
    compiler = Compiler()
    engines: Engines[Shape] = Engines(compiler)
    engines.get(C)
    engines.get(D)
    compiler.go.clear()
    assert not engines.begin(A)
    assert not engines.begin(A)  # still at it
    assert not engines.begin(B)  # one at a time
    assert engines.holding(A) == C  # with as many images
    assert engines.holding((1, 96, 96)) is None
    compiler.go.set()
    until(lambda: engines.begin(A))
    until(lambda: engines.begin(B))
    assert engines.holding(A) == A
    assert sorted(compiler.made) == sorted([A, B, C, D])
    engines.close()


def test_the_least_recently_used_goes() -> None:
    compiler = Compiler()
    engines: Engines[Shape] = Engines(compiler, most=2)
    for shape in (A, B, A, C, A):
        engines.get(shape)
    assert compiler.made == [A, B, C]
    assert len(engines) == 2
    engines.get(B)
    assert compiler.made == [A, B, C, B]


def test_what_is_compiled_in_the_background_drives_out_nothing_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiler = Compiler()
    engines: Engines[Shape] = Engines(compiler, most=2)
    engines.get(A)
    engines.get(B)
    assert not engines.begin(C)
    assert compiler.made == [A, B]
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + RESTED_S + 1)
    engines.get(A)  # B has rested
    engines.begin(C)
    engines.close()
    assert compiler.made == [A, B, C]


def test_a_failure_is_told_to_who_waits_and_is_no_engine() -> None:
    def fail(shape: Shape) -> Shape:
        raise RuntimeError("no memory")

    engines: Engines[Shape] = Engines(fail)
    with pytest.raises(RuntimeError, match="no memory"):
        engines.get(A)
    assert not engines.begin(A)
    assert engines.holding(A) is None
    assert not engines.begin(B)  # in the background
    engines.close()


@pytest.mark.slow
def test_a_network_looks_at_windows_in_a_larger_input_until_theirs_is_compiled(untrained: Path) -> None:
    random = np.random.default_rng(0)
    picture = random.integers(0, 256, (64, 96, 3), np.uint8)
    settings = Settings(backend="openvino", imgsz=96, conf=0.001, device="cpu", precision="fp32")
    small = Layout((64, 96), (64, 96), (64, 64), (Window(32, 0, 64, 64),))
    with OpenVinoYolo(untrained, settings) as detector:
        assert detector.input_for((64, 96), wait=True) == (64, 96)
        first = detector.input_for((64, 64), wait=False)
        assert first in ((64, 96), (64, 64))
        large = Layout((64, 96), (64, 96), first, small.windows)
        assert len(detector.finish(detector.start_windows(picture, large))) == 1
        until(lambda: detector.input_for((64, 64), wait=False) == (64, 64))
        assert len(detector.finish(detector.start_windows(picture, small))) == 1
