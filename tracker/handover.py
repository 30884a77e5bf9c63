"""Handing things over between threads, either of which may end while the other waits."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
POLL_S = 0.1  # between two looks of who waits at whether the other is still there


def put(into: queue.Queue[Item], item: Item, gone: Callable[[], bool]) -> bool:
    """Put an item into a queue, waiting for room until the reader is ``gone``; return whether it is in."""
    while not gone():
        try:
            into.put(item, timeout=POLL_S)
            return True
        except queue.Full:
            continue
    return False


def items(of: queue.Queue[Item], ended: Callable[[], bool]) -> Iterator[Item]:
    """Yield what comes into a queue until it has ``ended``; what is left in it then stays."""
    while not ended():
        try:
            item = of.get(timeout=POLL_S)
        except queue.Empty:
            continue
        yield item
