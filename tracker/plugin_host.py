"""The plugins of one run: asked in turn, completed where they lack a method, named where they fail."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from bytetrack import Tracks
from tracker.contracts import Plugin, PluginLike
from tracker.types import (
    Canvas,
    Event,
    Frame,
    Json,
    Mark,
    Picture,
    PluginError,
    Scene,
    TrackError,
    to_json,
)

Answer = TypeVar("Answer")


class Guest(Plugin):
    """A plugin that does not inherit from `Plugin`, with bodies that do nothing for what it lacks."""

    def __init__(self, given: PluginLike) -> None:
        self.given = given
        for hook in HOOKS:
            if hasattr(given, hook):  # the one place that asks: anything with `update` is a plugin
                setattr(self, hook, getattr(given, hook))

    def update(self, frame: Frame, tracks: Tracks) -> Iterable[Event]:
        """Let the plugin look."""
        return self.given.update(frame, tracks)


HOOKS = [name for name in vars(Plugin) if not name.startswith("_")]
FAULTS = (Exception, SystemExit, GeneratorExit)  # what a plugin may raise; Ctrl-C is nobody's mistake


@dataclass(eq=False)
class Member:
    """A plugin of a run."""

    given: PluginLike  # as it was made
    plugin: Plugin  # the same with every method
    key: str  # what it is called in this run and in the next: "line door"
    failed: bool = False  # it is not asked again

    @property
    def listens(self) -> bool:
        """Whether it has a ``hear`` of its own."""
        return getattr(self.plugin.hear, "__func__", None) is not Plugin.hear

    @property
    def name(self) -> str:
        """What it is called in errors."""
        return type(self.given).__name__


class Host:
    """The plugins of one run: asks each in turn, and knows which failed, in what and when.

    Whoever has raised is not asked again. The others are, so that what they found is kept: `look` raises
    when all have seen the frame, and what happened in it comes with `finish`. From `finish` on nothing is
    raised; ``errors`` has what is to be told when everything has been written.
    """

    def __init__(self, plugins: Iterable[PluginLike] = ()) -> None:
        whole = [plugin if isinstance(plugin, Plugin) else Guest(plugin) for plugin in plugins]
        given = [plugin.given if isinstance(plugin, Guest) else plugin for plugin in whole]
        self.members = [
            Member(plugin, complete, key)
            for plugin, complete, key in zip(given, whole, _keys(given), strict=True)
        ]
        self.errors: list[PluginError] = []
        self._retired: list[Member] = []  # taken out while the run went on; their rows stay in the table
        self._said: list[Event] = []  # between two frames
        self._when = "before the first frame"
        self._live = False
        self._left_over: list[Event] = []  # of a frame that has no result

    def start(self, scene: Scene) -> None:
        """Begin; raises ``PluginError``, or what a plugin says about its options."""
        self._live = scene.live
        for member in self.members:
            try:
                member.plugin.start(scene)
            except TrackError:
                raise
            except FAULTS as error:
                raise failure(member.name, "start", self._when, error) from error

    def exchange(self, plugins: Sequence[PluginLike], said: Iterable[Event] = ()) -> None:
        """Go on with these plugins from the next frame; new ones have been started, by whoever made them.

        ``said`` are events that belong before that frame. Who is not among them any more, and has said its
        last there, keeps its rows in the table.
        """
        self._said += said
        known = {id(member.given): member for member in self.members}
        fresh = Host(plugins).members
        members = [known.get(id(member.given), member) for member in fresh]
        for member, named in zip(members, fresh, strict=True):
            member.key = named.key
        kept = {id(member) for member in members}
        self._retired += [member for member in self.members if id(member) not in kept]
        self.members = members

    def retire(self, plugin: PluginLike) -> None:
        """Forget the rows of one that was taken out, since another goes on counting for it."""
        self._retired = [member for member in self._retired if member.given is not plugin]

    @property
    def all_given(self) -> list[PluginLike]:
        """The plugins that count, and those that were taken out."""
        return [member.given for member in (*self.members, *self._retired)]

    def leaves(self, member: Member) -> list[str]:
        """Return the suffixes of what a plugin will leave; raises ``PluginError``."""
        try:
            return [str(suffix) for suffix in member.plugin.leaves()]
        except FAULTS as error:
            raise failure(member.name, "leaves", self._when, error) from error

    def look(
        self, frame: Frame, tracks: Tracks, happened: Iterable[Event] = (), *, sketch: bool = True
    ) -> tuple[tuple[Event, ...], tuple[Mark, ...]]:
        """Return what happened in a frame, after what ``happened`` to its source, and what was drawn."""
        self._when = moment(frame.index, frame.time, self._live)
        events, canvas = [*self._said, *happened], Canvas()
        self._said = []
        for member in self.members:
            events += self._ask(member, "update", lambda plugin: _events(plugin.update(frame, tracks))) or ()
        for member in self.members if events else ():
            self._tell(member, events)
        for member in self.members if sketch else ():
            canvas.by = member.name
            self._ask(member, "draw", lambda plugin: plugin.draw(canvas))
        if self.errors:
            self._left_over = events
            raise self.errors[0]
        return tuple(events), tuple(canvas.marks)

    def finish(self) -> list[Event]:
        """Return what is left to say after the last frame."""
        events, self._left_over, self._said = [*self._left_over, *self._said], [], []
        last: list[Event] = []
        for member in sorted(self.members, key=lambda member: member.listens):
            self._tell(member, last)
            last += self._ask(member, "finish", lambda plugin: _events(plugin.finish())) or ()
        return events + last

    def files(self) -> Iterator[tuple[Member, str, Picture | Json]]:
        """Yield what plugins leave at the end, each with its suffix and whose it is."""
        for member in self.members:
            for suffix, content in self._ask(member, "files", lambda plugin: _items(plugin.files())) or ():
                yield member, suffix, content

    def summaries(self) -> list[list[tuple[str, str]]]:
        """Return the rows of each for the table."""
        asked = (
            self._ask(member, "summary", lambda plugin: _rows(plugin.summary()))
            for member in (*self.members, *self._retired)
        )
        return [rows for rows in asked if rows]

    def states(self, check: Callable[[Json], object] | None = None) -> dict[str, Json]:
        """Return the state of each that has one; raises ``PluginError``, also for what ``check`` raises."""
        states: dict[str, Json] = {}
        for member in self.members:
            try:
                state = member.plugin.state()
                if check is not None:
                    check(state)
            except FAULTS as error:
                raise failure(member.name, "state", self._when, error) from error
            if state is not None:
                states[member.key] = state
        return states

    def fail(self, member: Member, method: str, error: BaseException) -> None:
        """Note that a plugin failed; it is not asked again."""
        member.failed = True
        self.errors.append(failure(member.name, method, self._when, error))

    def _tell(self, member: Member, events: Sequence[Event]) -> None:
        """Let a plugin hear what happened, if anything did."""
        if events:
            self._ask(member, "hear", lambda plugin: plugin.hear(tuple(events)))

    def _ask(self, member: Member, method: str, call: Callable[[Plugin], Answer]) -> Answer | None:
        """Return the answer of a plugin; None where that raises, and once it has failed."""
        if member.failed:
            return None
        try:
            return call(member.plugin)
        except FAULTS as error:
            self.fail(member, method, error)
            return None


def failure(plugin: str, method: str, when: str, error: BaseException) -> PluginError:
    """Return the error that says which plugin failed, in what and when."""
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    failed = PluginError(f"plugin {plugin}.{method} failed {when}: {told}")
    failed.__cause__ = error
    return failed


def moment(index: int, time_s: float, live: bool = False) -> str:
    """Return a frame's place in words; the time of what is live is told as a clock shows it.

    >>> moment(12, 0.48)
    'at frame 12 (0.48 s)'
    """
    clock = f"{datetime.fromtimestamp(time_s):%Y-%m-%d %H:%M:%S}" if live else f"{time_s:.2f} s"
    return f"at frame {index} ({clock})"


def _events(given: Iterable[Event] | None) -> list[Event]:
    """Return the events that a plugin gave, None meaning none; raises ``TypeError`` for what is no event."""
    events = [] if given is None else list(given)
    for event in events:
        if not isinstance(event, Event):
            raise TypeError(f"{event!r} is no tracker.types.Event")
        try:
            json.dumps([float(event.time), int(event.frame), dict(event.data)], default=to_json)
        except (TypeError, ValueError) as error:
            raise TypeError(f"event {event.kind!r} holds what JSON cannot: {error}") from error
    return events


def _keys(plugins: Iterable[PluginLike]) -> list[str]:
    """Return the class of each, with the name that it may have among its options, and a number if need be."""
    names = []
    for plugin in plugins:
        own = getattr(plugin, "name", getattr(plugin, "path", ""))  # options, which a plugin is free to have
        names.append(f"{type(plugin).__name__.lower()} {own}".strip())
    return numbered(names)


def numbered(names: Sequence[str]) -> list[str]:
    """Tell those apart that are called the same.

    >>> numbered(["route", "line door", "route"])
    ['route', 'line door', 'route (2)']
    """
    seen: Counter[str] = Counter()
    keys = []
    for name in names:
        seen[name] += 1
        keys.append(f"{name} ({seen[name]})" if seen[name] > 1 else name)
    return keys


def _items(given: Mapping[str, Picture | Json] | None) -> list[tuple[str, Picture | Json]]:
    return [(str(suffix), content) for suffix, content in (given or {}).items()]


def _rows(given: Iterable[tuple[object, object]] | None) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in given or ()]
