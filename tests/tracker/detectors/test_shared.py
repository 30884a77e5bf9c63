"""One network for several sources: fair, as many pictures at a time as it computes, the newest of each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest

from bytetrack import Detections
from tests.tracker.squares import SquareDetector
from tracker.detectors.batched import Network
from tracker.detectors.look import Looking
from tracker.detectors.shared import DetectorHandle, SharedDetector
from tracker.detectors.turns import RESERVED_S, Turns
from tracker.types import Frame, Image, Stopwatch

STEP_S = 0.02


def picture(left: int) -> Image:
    image = np.zeros((40, 100, 3), np.uint8)
    image[10:20, left : left + 10] = 255
    return image


@dataclass
class Slow(Network["threading.Event"]):
    """Computes ``lanes`` pictures at a time, each for ``STEP_S``, as OpenVINO does: start returns at once."""

    lanes: int = 2
    names: dict[int, str] = field(default_factory=lambda: {0: "person"})
    most: int = 0  # pictures that were ever in flight together
    now: int = 0

    def __post_init__(self) -> None:
        self._watch = Stopwatch()
        self._pool = ThreadPoolExecutor(self.lanes)
        self._count = threading.Lock()

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown()

    def in_flight(self) -> int:
        return self.lanes + 1

    def at_a_time(self) -> int:
        return self.lanes

    def start(self, images: Sequence[Image]) -> object:
        with self._count:
            self.now += 1
            self.most = max(self.most, self.now)
        return self._pool.submit(self._compute, images)

    def _compute(self, images: Sequence[Image]) -> list[Detections]:
        time.sleep(STEP_S)
        return SquareDetector().detect(images)

    def finish(self, pending: object) -> list[Detections]:
        found: list[Detections] = pending.result()  # type: ignore[attr-defined]
        with self._count:
            self.now -= 1
        return found


@contextmanager
def handles(network: Slow, count: int) -> Iterator[list[DetectorHandle]]:
    with SharedDetector(lambda _: network) as shared, ExitStack() as stack:
        yield [stack.enter_context(shared.handle(Stopwatch())) for _ in range(count)]


def together(*work: Callable[[], None]) -> None:
    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(each) for each in work]:
            done.result()


def test_each_gets_its_own_and_no_more_are_in_flight_than_are_computed() -> None:
    network, found = Slow(lanes=2), dict[int, float]()
    with handles(network, 5) as cameras:

        def ask(detector: DetectorHandle, left: int) -> None:
            for _, detections in detector.stream([Frame(picture(left), 0, 0.0)] * 3):
                found[left] = float(detections.xyxy[0, 0])

        together(*(lambda d=d, n=n: ask(d, 10 * n) for n, d in enumerate(cameras)))  # type: ignore[misc]
    assert found == {10 * n: 10.0 * n for n in range(5)}
    assert network.most == 2


@pytest.mark.slow
def test_the_network_never_rests_while_somebody_asks() -> None:
    """Six cameras that ask again as soon as they have an answer; by lumps it would rest for a third."""
    network = Slow(lanes=2)
    with handles(network, 6) as cameras:
        began = time.monotonic()

        def ask(detector: DetectorHandle) -> None:
            for _ in range(10):
                detector.detect([picture(0)])

        together(*(lambda d=d: ask(d) for d in cameras))  # type: ignore[misc]
        spent = time.monotonic() - began
    assert spent < 1.25 * 60 / 2 * STEP_S + 0.1


@pytest.mark.slow
def test_a_quiet_one_waits_for_one_inference_however_much_the_busy_ask() -> None:
    waits = []
    over = threading.Event()
    with handles(Slow(lanes=1), 5) as (quiet, *busy):

        def ask(detector: DetectorHandle) -> None:
            while not over.is_set():
                detector.detect([picture(0)])

        def look_now_and_then() -> None:
            for _ in range(6):
                time.sleep(0.13)
                began = time.monotonic()
                quiet.detect([picture(0)])
                waits.append(time.monotonic() - began)
            over.set()

        together(look_now_and_then, *(lambda d=d: ask(d) for d in busy))  # type: ignore[misc]
    assert np.median(waits) < 2.5 * STEP_S  # its own and what is left of another; in a row it would be five


@pytest.mark.slow
def test_who_asks_for_larger_pictures_gets_no_more_of_the_network() -> None:
    """Two starts about one picture, or one: the time is shared, not the number of pictures."""
    windows = (3, 3, 3, 1, 1, 1)
    counts = [0] * len(windows)
    with handles(Slow(lanes=1), len(windows)) as cameras:
        end = time.monotonic() + 0.9

        def ask(place: int) -> None:
            while time.monotonic() < end:
                begun = [cameras[place].start([picture(0)]) for _ in range(windows[place])]
                for pending in begun:
                    cameras[place].finish(pending)
                counts[place] += windows[place]

        together(*(lambda n=n: ask(n) for n in range(len(windows))))  # type: ignore[misc]
    assert 0.6 < sum(counts[:3]) / sum(counts[3:]) < 1.7


def test_rest_is_not_saved_up() -> None:
    """Who rested does not get the network for itself until it has caught up."""
    turns = Turns(lambda: 1)
    rested, busy = turns.join(), turns.join()
    for _ in range(3):
        turns.begin(busy)
        time.sleep(0.01)
        turns.end(busy)
    turns.begin(rested)
    turns.end(rested)
    assert rested.used >= busy.used - 0.02


def test_a_turn_that_is_not_used_goes_to_the_next() -> None:
    """A camera that died between its turn and its question holds up nobody."""
    turns = Turns(lambda: 1)
    dead, other = turns.join(), turns.join()
    turns.reserve(dead)
    began = time.monotonic()
    turns.begin(other)
    assert RESERVED_S * 0.5 < time.monotonic() - began < 4 * RESERVED_S + 0.1
    turns.end(other)
    turns.begin(dead)  # too late: it waits again, and gets one
    turns.end(dead)


def test_who_sees_that_nothing_changed_gives_its_turn_back_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.detectors.turns.RESERVED_S", 20.0)
    with handles(Slow(lanes=1), 2) as (camera, other):

        def film() -> Iterator[Frame]:
            for index in range(3):
                camera.await_turn()
                yield Frame(picture(0), index, index / 10)

        told = Looking(camera, live=True).stream(film())
        assert [len(next(told)[1]) for _ in range(2)] == [1, 1]
        began = time.monotonic()
        other.detect([picture(0)])
    assert time.monotonic() - began < 5


def test_a_picture_is_chosen_when_it_is_its_turn() -> None:
    """The turn is waited for with empty hands by who is busy; who asked nothing does not wait."""
    with handles(Slow(lanes=1), 2) as (camera, other):
        camera.await_turn()  # nothing was asked before
        camera.detect([picture(0)])
        pending = other.start([picture(0)])
        began = time.monotonic()
        threading.Timer(0.05, lambda: other.finish(pending)).start()
        camera.await_turn()
        waited = time.monotonic() - began
        camera.detect([picture(0)])  # in the turn it has
    assert waited > 0.04


def test_who_leaves_gives_its_turn_back() -> None:
    turns = Turns(lambda: 1)
    gone, other = turns.join(), turns.join()
    turns.begin(gone)
    turns.leave(gone)
    turns.begin(other)


def test_an_error_reaches_everybody_who_asks_and_holds_no_turn() -> None:
    class Broken(SquareDetector):
        def detect(self, images: object) -> list[Detections]:
            raise RuntimeError("out of memory")

    with SharedDetector(lambda _: Broken()) as shared, ExitStack() as stack:
        for detector in [stack.enter_context(shared.handle(Stopwatch())) for _ in range(2)]:
            for _ in range(2):
                with pytest.raises(RuntimeError, match="out of memory"):
                    detector.detect([np.zeros((4, 4, 3), np.uint8)])
