"""``track()``: what the command line can do, in Python."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.contracts import PluginLike
from tracker.options import Options
from tracker.run.build_plugins import plugins_of
from tracker.run.notebook import NotebookProgress, in_notebook
from tracker.run.session import Session
from tracker.types import Event, Result

if TYPE_CHECKING:  # Python 3.10 has no Unpack of its own, and needs none to run
    from typing_extensions import Unpack

    from tracker.arguments.keywords import Keywords


def track(
    source: str | int | Path,
    *,
    plugins: PluginLike | str | Sequence[PluginLike | str] = (),
    stop: threading.Event | None = None,
    **options: Unpack[Keywords],
) -> Run:
    """Track all objects in ``source``: yield one `Result` per frame, in order, as soon as it is computed.

    ``options`` are the fields of `tracker.options.Options`, named like the flags of the command line:
    ``track("street.mp4", classes="person", conf=0.4, output="out.mp4")``. A file is written only if an
    option names it. ``plugins`` are objects such as ``Line(...)``, or names as for ``--plugin``. Setting
    ``stop`` ends the run after the present frame, and so does leaving the loop; files are complete then.
    In a notebook, a run of more than a second shows how far it is.

    The `Run` that is returned also has the ``totals`` so far.

    Raises a `tracker.types.TrackError` that says what is wrong and what to do: at once for options, with
    the first frame for a source or weights that cannot be opened.
    """
    chosen = Options.of(options)
    prefix = Path(chosen.output).with_suffix("") if chosen.output else None
    return Run(Session(source, chosen, plugins_of(plugins), stop, prefix=prefix))


class Run:
    """The results of one source, one by one, and their totals.

    ``totals`` counts the events so far by (line or zone, direction, class), as ``--counts`` does; zones have
    the directions enter, exit and loiter. Events that plugins add after the last frame (visits that have not
    ended) are in ``last_events``, and in ``totals``.
    """

    def __init__(self, session: Session) -> None:
        self.totals: Counter[tuple[str, str, str]] = Counter()
        self._session = session
        self._results = _results(session)
        self._frames = 0
        self._begun = False

    def __iter__(self) -> Run:
        """Return itself: a run can be iterated once."""
        return self

    def __next__(self) -> Result:
        """Return the next result; raises ``TrackError``."""
        self._begun = True
        try:
            result = next(self._results)
        except BaseException:  # the end, or an error: nothing comes after what the plugins said last
            self._count(self._session.last_events)
            raise
        self._count(result.events)
        self._frames += 1
        return result

    def __repr__(self) -> str:
        """Return one line."""
        if not self._begun:  # what a notebook shows of a call that nobody iterates over
            return f"<Run of {self._session.name}: not begun; iterate over it, such as by list(run)>"
        return f"<Run of {self._session.name}: {self._frames} frames, {sum(self.totals.values())} counted>"

    def close(self) -> None:
        """End the run here and complete its files, as leaving the loop does."""
        self._results.close()

    @property
    def plugins(self) -> list[PluginLike]:
        """The plugins of the run, first those that were given; they have ``Line.totals`` and the like."""
        return self._session.plugins

    @property
    def last_events(self) -> list[Event]:
        """The events that came after the last frame."""
        return self._session.last_events

    @property
    def notes(self) -> list[str]:
        """Warnings for the user, one line each."""
        return self._session.account.warnings()

    def table(self) -> list[tuple[str, str]]:
        """Return the rows of the final table, names and values; empty before the first frame."""
        return self._session.account.rows() if self._frames else []

    def _count(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.counted_as is not None:
                self.totals[event.counted_as] += 1


def _results(session: Session) -> Generator[Result, None, None]:
    with session:
        yield from _shown(session) if in_notebook() else session


def _shown(session: Session) -> Generator[Result, None, None]:
    passes = 2 if session.options.refine else 1
    length = session.source.length and session.source.length * passes
    with NotebookProgress(session.name, length) as progress:
        session.advance = progress.advance
        for result in session:
            progress.advance(len(result.tracks))
            yield result
