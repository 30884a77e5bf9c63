"""A run as a person starts it: signals, progress on the terminal, the table at the end, an exit code."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from tracker.arguments.mistakes import look_at
from tracker.errors import EndRun, OutputError, PluginError
from tracker.options import Options
from tracker.run.naming import default_output
from tracker.text import told

if TYPE_CHECKING:  # they need OpenCV, which takes its time
    from tracker.run.session import Companion
    from tracker.run.upstream import Upstream


def execute(source: str, options: Options, *, quiet: bool = False, companion: Companion | None = None) -> int:
    """Run over a file, a folder, a camera or a stream; return the exit status."""

    def upstream() -> Upstream:
        from tracker.run.upstream import WithDetector

        return WithDetector(source, options)

    prefix = default_output(source)
    return execute_session(upstream, options, prefix=prefix, quiet=quiet, companion=companion)


def execute_session(
    upstream: Callable[[], Upstream],
    options: Options,
    *,
    prefix: str,
    quiet: bool = False,
    companion: Companion | None = None,
) -> int:
    """Run with progress, signals and the table; return the exit status.

    What plugins leave begins with the name of the video, without one with ``prefix``.
    """
    stop, received = threading.Event(), Received()
    with suppress(EndRun, Interrupted), _signals(stop, received):
        from tracker.run.progress import Progress, table
        from tracker.run.session import Session
        from tracker.sinks import WindowSink

        session = Session(
            upstream(),
            options,
            stop=stop,
            sketch=bool(options.output or options.show or companion),
            prefix=Path(options.output or prefix).with_suffix(""),
            companion=companion,
        )
        failed: PluginError | OutputError | None = None
        try:
            with session:
                received.opening = False
                passes = 2 if options.refine else 1
                length = session.source.length and session.source.length * passes
                with Progress(length, session.source.name, enabled=not quiet) as progress:
                    session.advance = progress.advance
                    for result in session:
                        progress.advance(len(result.tracks), source=session.source)
        except (PluginError, OutputError) as error:
            if received.opening:
                raise  # nothing has been found yet
            failed = error
        except (EndRun, Interrupted):
            if not session.account.was_awaited:
                raise
        for note in session.account.warnings():
            click.echo(f"track: {told(note)}", err=True)
        blind = session.account.opened and any(
            isinstance(sink, WindowSink) and sink.blind for sink in session.sinks
        )
        if blind and not options.output:
            click.echo("track: nothing was shown and no video written; add -o FILE", err=True)
        if not quiet:
            click.echo(table(session.account.rows(), session.account.outputs()))
        if session.profile:
            click.echo(f"\n{table(session.profile)}")
        if failed is not None:
            raise failed
    return received.status


def execute_several(
    sources: Sequence[str],
    options: Options,
    *,
    save: bool = True,
    quiet: bool = False,
    companion: Callable[[str], Companion] | None = None,
    zones: Mapping[str, str] | None = None,
) -> int:
    """Run over several sources; 2 where one of them failed, with a line for each that did."""
    stop, received = threading.Event(), Received()
    failed = 0
    with suppress(Interrupted), _signals(stop, received):
        from tracker.run.multi import Several
        from tracker.run.progress import Progress, table

        sketch = save or options.show or companion is not None
        several = Several(
            sources, options, stop, save=save, sketch=sketch, leave=True, companion=companion, zones=zones
        )
        look_at([run.uri for run in several.runs if run.uri not in sources])  # those that a list names
        received.opening = False
        with several, Progress(enabled=not quiet) as progress:
            for run, result in several:
                source = run.session.source if run.session else None
                progress.advance(len(result.tracks), run.name, source=source)
        for note in several.notes:
            click.echo(f"track: {told(note)}", err=True)
        for run in several.runs:
            if run.error is not None:
                failed += 1
                click.echo(f"track: {run.name}: {told(str(run.error))}", err=True)
            if run.session is not None and (run.session.account.opened or run.error is None):
                for note in run.session.account.warnings():
                    click.echo(f"track: {run.name}: {told(note)}", err=True)
        for run in several.runs:
            if (
                run.session is not None
                and (run.session.account.opened or run.session.account.was_awaited)
                and not quiet
            ):
                click.echo(
                    f"\n{run.name}\n{table(run.session.account.rows(), run.session.account.outputs())}"
                )
            if run.session is not None and run.session.profile:
                click.echo(f"\n{table(run.session.profile)}")
    return received.status or (2 if failed else 0)


class Interrupted(BaseException):
    """A signal came before anything was written; nobody on the way may take it for an error of theirs."""


@dataclass
class Received:
    """What a signal has asked for."""

    opening: bool = True  # nothing is written yet, and loading a model listens to no event
    status: int = 0  # of the exit; 130 or 143 once a signal has come


@contextmanager
def _signals(stop: threading.Event, received: Received) -> Iterator[None]:
    """Let the first SIGINT, SIGTERM or SIGHUP end the run in order, and a second one at once."""

    def handle(number: int, _: FrameType | None) -> None:
        again = received.status
        received.status = 128 + number
        if again:
            os._exit(received.status)
        stop.set()
        if received.opening:
            raise Interrupted

    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):  # Windows has no SIGHUP
                number = getattr(signal, name)
                before[number] = signal.signal(number, handle)
    try:
        yield
    except Exception as error:
        if received.opening and received.status:  # what a library makes of being interrupted while it loads
            raise Interrupted from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
