"""``track()``: what the command line can do, in Python."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tracker.options import Options
from tracker.session import Session
from tracker.types import Plugin, Result


def track(
    source: str | int | Path,
    *,
    plugins: Sequence[Plugin] = (),
    stop: threading.Event | None = None,
    **options: Any,
) -> Iterator[Result]:
    """Follow everything in ``source``: yield one ``Result`` per frame, in order, as it is computed.

    ``options`` are the fields of `tracker.options.Options`, named like the flags of the command line:
    ``track("street.mp4", classes=("person",), conf=0.4, output="out.mp4")``. Files are written only where
    an option names one. Leaving the loop early closes everything and completes the files.

    Raises a `tracker.types.TrackError` whose text says what is wrong and what to do.
    """
    chosen = Options(**options)
    prefix = Path(chosen.output).with_suffix("") if chosen.output else None
    with Session(source, chosen, plugins, stop, prefix=prefix) as session:
        yield from session
