from __future__ import annotations

import queue
import threading

from tracker.handover import items, put


def test_everything_arrives_in_order_and_the_reader_ends_when_told() -> None:
    box: queue.Queue[int | None] = queue.Queue(2)
    ended = threading.Event()
    writer = threading.Thread(target=lambda: [put(box, n, ended.is_set) for n in range(50)])
    writer.start()
    seen = []
    for item in items(box, ended.is_set):
        seen.append(item)
        if item == 49:
            ended.set()
    writer.join()
    assert seen == list(range(50))


def test_a_writer_does_not_wait_for_a_reader_that_is_gone() -> None:
    box: queue.Queue[int] = queue.Queue(1)
    gone = threading.Event()
    assert put(box, 1, gone.is_set)
    results = []
    writer = threading.Thread(target=lambda: results.append(put(box, 2, gone.is_set)), daemon=True)
    writer.start()
    writer.join(0.02)
    assert writer.is_alive()  # there is no room
    gone.set()
    writer.join(5)
    assert results == [False]
    assert list(box.queue) == [1]


def test_what_is_left_when_the_reader_ends_stays() -> None:
    box: queue.Queue[int] = queue.Queue()
    for n in range(3):
        box.put(n)
    seen: list[int] = []
    seen.extend(items(box, lambda: len(seen) == 2 or box.qsize() == 1))
    assert seen == [0, 1]
    assert box.get_nowait() == 2
