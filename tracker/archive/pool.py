"""Who does the tasks: worker processes of this machine, or a cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import TYPE_CHECKING

from tracker.archive.tasks import CRASHES, Outcome, Task, perform
from tracker.threads import SHARE

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

FOLLOWERS = 4  # one camera is followed for so many cores that detect
LET_GO_S = 5.0


class Pool:
    """Does tasks, in any order, and survives the death of workers; opened by ``with``."""

    cores = 1  # how many tasks are done at the same time

    def __enter__(self) -> Pool:
        """Start; raises ``TrackError``."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End whatever is being done."""

    def submit(self, task: Task) -> None:
        """Take a task."""
        raise NotImplementedError

    def wait(self, timeout_s: float) -> list[tuple[Task, Outcome]]:
        """Return what has been done, after the time at the latest."""
        raise NotImplementedError

    @property
    def followers(self) -> int:
        """How many cameras are followed at the same time."""
        return max(2, self.cores // FOLLOWERS)


class Worker:
    """A process that does one task after the other."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, there = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_work, args=(there,), daemon=True)
        self.process.start()
        there.close()
        self.task: Task | None = None


class LocalPool(Pool):
    """Processes of this machine, one for each core, and a few more for what mostly waits."""

    def __init__(self, cores: int) -> None:
        self.cores = cores
        self._idle: dict[bool, list[Worker]] = {True: [], False: []}
        self._busy: list[Worker] = []
        self._queue: dict[bool, deque[Task]] = {True: deque(), False: deque()}
        self._crashes: Counter[Task] = Counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the workers; what they were doing leaves no part."""
        workers = [*self._busy, *self._idle[True], *self._idle[False]]
        for worker in workers:
            if worker.task is not None:
                worker.process.kill()
            worker.pipe.close()
        for worker in workers:
            worker.process.join(LET_GO_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.process.close()

    def submit(self, task: Task) -> None:
        """Take a task."""
        self._queue[task.waits].append(task)
        self._give()

    def wait(self, timeout_s: float) -> list[tuple[Task, Outcome]]:
        """Return what has been done."""
        done = []
        ready = wait([worker.pipe for worker in self._busy], timeout_s) if self._busy else []
        for worker in [worker for worker in self._busy if worker.pipe in ready]:
            self._busy.remove(worker)
            task = worker.task
            assert task is not None
            try:
                outcome: Outcome | None = worker.pipe.recv()
            except (EOFError, OSError):
                outcome = self._crashed(worker, task)
            else:
                worker.task = None
                self._idle[task.waits].append(worker)
            if outcome is not None:
                done.append((task, outcome))
        self._give()
        return done

    def _crashed(self, worker: Worker, task: Task) -> Outcome | None:
        """Put the task of a dead worker back; return its outcome where that was too often."""
        worker.pipe.close()
        worker.process.join()
        code = worker.process.exitcode
        worker.process.close()
        self._crashes[task] += 1
        if self._crashes[task] < CRASHES:
            self._queue[task.waits].appendleft(task)
            return None
        return Outcome(error=crashed(f"ended with {code}"))

    def _give(self) -> None:
        """Give waiting tasks to workers that have none; new ones are started where there may be more."""
        for waits, most in ((False, self.cores), (True, self.followers)):
            busy = sum(worker.task is not None and worker.task.waits == waits for worker in self._busy)
            while self._queue[waits] and busy < most:
                if not self._idle[waits]:
                    with _share(1):
                        self._idle[waits].append(Worker())
                worker = self._idle[waits].pop()
                worker.task = task = self._queue[waits].popleft()
                with suppress(OSError):  # it has died: its pipe tells
                    worker.pipe.send(task)
                self._busy.append(worker)
                busy += 1


def crashed(how: str) -> str:
    """Return the line for what no worker survives."""
    return f"the worker that did it {how}, {CRASHES} times (out of memory?)"


@contextmanager
def _share(cores: int) -> Iterator[None]:
    """Let processes that are started now take so many cores."""
    before = os.environ.get(SHARE)
    os.environ[SHARE] = str(cores)
    try:
        yield
    finally:
        if before is None:
            del os.environ[SHARE]
        else:
            os.environ[SHARE] = before


def _work(pipe: Connection) -> None:
    """Do tasks until the other end of the pipe is closed, or its process has died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; who started this one ends it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        outcome = perform(task)
        sys.stdout.flush()
        try:
            pipe.send(outcome)
        except OSError:
            return


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
