"""Lines and zones that change while a run goes on: what was counted and who is inside is kept.

A plugin is made anew from the state of the one that it replaces, between two frames: nothing but its options
differ then. What cannot go on is said: a visit to a zone that is taken away ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tracker.plugin_host import Host
from tracker.plugins.line import Line
from tracker.plugins.movement import Movement
from tracker.plugins.zone import Zone
from tracker.types import Event, Json, OptionError, Scene
from tracker.zones.shape_json import moved_to, to_json
from tracker.zones.shapes import Shape

KEPT = ("points", "anchor", "classes")  # of a shape; where another differs, what is known of tracks changes


@dataclass
class LiveShape:
    """A line or zone of the run: what it is called here for good, how it is drawn, what counts at it."""

    id: str
    shape: Shape
    plugin: Line | Zone


class LiveShapes:
    """The lines and zones of one run; used by the thread that runs the loop, between two frames.

    ``class_map`` tells what to call classes, as for `Shape.plugin`.
    """

    def __init__(self, host: Host, scene: Scene, class_map: Mapping[str, str] | None = None) -> None:
        self._host, self._scene, self._class_map = host, scene, class_map or {}
        self._now, self._frame = 0.0, 0
        self.counters: list[LiveShape] = []

    def adopt(self, shapes: Sequence[tuple[str, Shape]]) -> None:
        """Find the plugins of the shapes that the run began with, by name."""
        by_name = {
            member.given.name: member.given
            for member in self._host.members
            if isinstance(member.given, Line | Zone)
        }
        self.counters = [
            LiveShape(known, moved_to(shape, self._scene.size), by_name[shape.name])
            for known, shape in shapes
            if shape.name in by_name
        ]

    def at(self, time_s: float, frame: int) -> None:
        """Note the frame that everybody has seen."""
        self._now, self._frame = time_s, frame

    def check(self, shapes: Sequence[tuple[str, Shape]]) -> None:
        """Raise ``OptionError`` where a movement of this run would lose one of its lines and zones."""
        lost = {counter.shape.name for counter in self.counters} - {shape.name for _, shape in shapes}
        for member in self._host.members:
            if isinstance(member.given, Movement):
                for name in sorted(lost.intersection(member.given.sections)):
                    raise OptionError(
                        f"movement {member.given.name!r} counts at {name!r}: its name must stay while it runs"
                    )

    def tell(self, changes: Iterable[tuple[str, Shape | None, Shape | None]]) -> None:
        """Say what was changed while nothing ran: id, old and new shape, None for what is new or gone."""
        said = []
        for known, old, new in changes:
            told = [None if one is None else to_json(one, self._scene.size) for one in (old, new)]
            said.append(self._changed(known, new or old, *told))
        if said:
            self._host.exchange([member.given for member in self._host.members], said)

    def put(self, shapes: Sequence[tuple[str, Shape]]) -> list[Event]:
        """Count at these shapes from the next frame, and return what this changed.

        A shape with an ``id`` that is known goes on counting, whatever its new name. Raises ``OptionError``
        for one that cannot be used; then nothing has changed.
        """
        before = {counter.id: counter for counter in self.counters}
        wanted = [(known, moved_to(shape, self._scene.size)) for known, shape in shapes]
        made: list[LiveShape] = []
        said: list[Event] = []
        fresh = {
            known: shape.plugin(self._scene.size, self._class_map)
            for known, shape in wanted
            if known not in before or replace(before[known].shape, where="") != replace(shape, where="")
        }
        for known, shape in wanted:
            old, plugin = before.get(known), fresh.get(known)
            if plugin is None and old is not None:
                made.append(old)
                continue
            assert isinstance(plugin, Line | Zone)
            plugin.start(self._scene)
            if old is not None and type(old.plugin) is type(plugin):
                said += self._now_said(_go_on(old, shape, plugin))
                old_json: Json = to_json(old.shape, self._scene.size)
            else:
                said += [] if old is None else self._now_said(old.plugin.finish())
                old_json = None if old is None else to_json(old.shape, self._scene.size)
            said.append(self._changed(known, shape, old_json, to_json(shape, self._scene.size)))
            plugin.go_on_at(self._now, self._frame)
            made.append(LiveShape(known, shape, plugin))
        gone = [counter for counter in self.counters if counter.id not in {known for known, _ in wanted}]
        for counter in gone:
            said += self._now_said(counter.plugin.finish())
            told = to_json(counter.shape, self._scene.size)
            said.append(self._changed(counter.id, counter.shape, told, None))
        if not said:
            return []
        replaced = {id(counter.plugin) for counter in self.counters}
        others = [m.given for m in self._host.members if id(m.given) not in replaced]
        old_plugins = [counter.plugin for counter in self.counters if counter not in gone]
        self._host.exchange([*(counter.plugin for counter in made), *others], said)
        for plugin_before in old_plugins:
            self._host.retire(plugin_before)
        self.counters = made
        return said

    def zero(self) -> list[Event]:
        """Count from zero: an event tells what was counted until now; who is inside stays inside."""
        totals: dict[str, Json] = {}
        said: list[Event] = []
        made = []
        for counter in self.counters:
            totals[counter.shape.name] = totals_of(counter.plugin)
            fresh = counter.shape.plugin(self._scene.size, self._class_map)
            assert isinstance(fresh, Line | Zone)
            fresh.start(self._scene)
            state = {**counter.plugin.state(), **_nothing(counter.plugin)}
            fresh.restore(state, tracks=True)
            fresh.go_on_at(self._now, self._frame)
            made.append(LiveShape(counter.id, counter.shape, fresh))
        said.append(Event("counts.zero", self._now, self._frame, data={"totals": totals}))
        replaced = {id(counter.plugin) for counter in self.counters}
        others = [m.given for m in self._host.members if id(m.given) not in replaced]
        old_plugins = [counter.plugin for counter in self.counters]
        self._host.exchange([*(counter.plugin for counter in made), *others], said)
        for plugin_before in old_plugins:
            self._host.retire(plugin_before)
        self.counters = made
        return said

    def _now_said(self, events: Iterable[Event]) -> list[Event]:
        """Return events of plugins that may not have seen a frame yet, at the last frame of the run."""
        return [replace(event, time=self._now, frame=self._frame) for event in events]

    def _changed(self, known: str, shape: Shape | None, old: Json, new: Json) -> Event:
        assert shape is not None
        data = {shape.kind: shape.name, "id": known, "old": old, "new": new}
        return Event("shape.changed", self._now, self._frame, data=data)


def totals_of(plugin: Line | Zone) -> dict[str, Json]:
    """Return what was counted, by direction; of a zone also how many are inside."""
    if isinstance(plugin, Line):
        return {name: plugin.total(name) for name in plugin.names}
    return {
        "enter": plugin.entries, "exit": plugin.dwell.count, "visitors": plugin.visitors,
        "loiter": plugin.loiterers, "now": plugin.occupancy, "most": plugin.occupancy_max,
    }  # fmt: skip


def renamed(state: Mapping[str, Json], old: Shape, new: Shape) -> dict[str, Json]:
    """Return the state of a counter, with the ways of a line called as they are now."""
    if old.kind != "line":
        return dict(state)
    called = dict(zip(old.names, new.names, strict=True))
    return {
        **state,
        "totals": [[called.get(way, way), name, count] for way, name, count in state["totals"]],
        "doubtful": {called.get(way, way): count for way, count in state["doubtful"].items()},
    }


def key_of(shape: Shape) -> str:
    """Return what the state of the shape's counter is called, as `tracker.plugin_host` does."""
    return f"{shape.kind} {shape.name}"


def _nothing(plugin: Line | Zone) -> dict[str, Json]:
    """Return the part of a plugin's state that is counted, at zero."""
    if isinstance(plugin, Line):
        return {"totals": [], "doubtful": {}}
    fresh = Zone([[0, 0], [1, 0], [1, 1]])
    zero = dict.fromkeys(("entries", "visitors", "loiterers", "occupancy_max"), 0)
    return {**zero, "dwell": fresh.dwell.state(), "watched_s": 0.0}


def _go_on(old: LiveShape, shape: Shape, plugin: Line | Zone) -> list[Event]:
    """Hand what one counter knows to the one that replaces it; return what ends thereby."""
    said: list[Event] = []
    moved = [name for name in KEPT if getattr(old.shape, name) != getattr(shape, name)]
    tracks = "anchor" not in moved and "classes" not in moved
    if not tracks:
        said += old.plugin.finish()
    plugin.restore(renamed(old.plugin.state(), old.shape, shape), tracks=tracks)
    if isinstance(plugin, Line) and ("points" in moved or old.shape.towards != shape.towards):
        plugin.forget_pending()
    return said
