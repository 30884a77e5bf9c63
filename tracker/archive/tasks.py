"""What is done anywhere: a task goes to a worker, an outcome comes back; only paths and notes travel."""

from __future__ import annotations

import gc
import logging
import socket
from dataclasses import dataclass
from typing import Any

from tracker.archive.pieces import release
from tracker.errors import TrackError

CRASHES = 3  # of the worker that does it, after which a task has failed


@dataclass(frozen=True)
class Task:
    """Something to do. ``release`` is the program's version where it was asked for."""

    release: str

    @property
    def waits(self) -> bool:
        """Whether it mostly waits for others, and needs no core of its own."""
        return False

    @property
    def detects(self) -> bool:
        """Whether it needs the network, and with it a share of a GPU where there are any."""
        return False

    @property
    def title(self) -> str:
        """What it is about, for the user."""
        raise NotImplementedError

    def run(self) -> Any:
        """Do it; raises ``TrackError``."""
        raise NotImplementedError


@dataclass(frozen=True)
class Outcome:
    """What a worker returns of a task."""

    value: Any = None
    error: str = ""  # a line for the user
    refused: bool = False  # because the worker has another version of the program


def perform(task: Task) -> Outcome:
    """Do a task in a worker; what goes wrong is told in the outcome."""
    if task.release != release():
        why = f"a worker on {_host()} has track {release()}, this is {task.release}: install the same"
        return Outcome(error=why, refused=True)
    try:
        return Outcome(task.run())
    except TrackError as error:
        return Outcome(error=str(error))
    except Exception as error:  # a mistake of ours, or of a codec; the other files go on
        logging.getLogger("track").exception("%s", task.title)
        return Outcome(error=f"{type(error).__name__}: {' '.join(str(error).split())}")
    finally:
        gc.collect()  # PyAV's objects point at one another: else decoders stay, 2 MB of each piece


def _host() -> str:
    return socket.gethostname()
