"""Lines and zones that were renamed while they counted: what was told under old names, under the newest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tracker.report.recording import Entry
from tracker.text import harmless
from tracker.types import Json

CHANGED = "shape.changed"


@dataclass(frozen=True)
class Told:
    """A line or zone as an event tells it; ``ways`` are the names of a line's directions."""

    kind: str
    name: str
    ways: tuple[str, ...] = ()


@dataclass(frozen=True)
class Now:
    """What an earlier name is called in the end."""

    name: str
    ways: Mapping[str, str] = field(default_factory=dict)


def told_shapes(entry: Entry) -> tuple[Told | None, Told | None]:
    """Return what a shape was and is now, None for what was not, or is no more; odd values are nothing."""
    return _told(entry.data.get("old")), _told(entry.data.get("new"))


def followed(entries: Sequence[Entry]) -> tuple[list[Entry], set[str]]:
    """Return the events under the newest names, and the names that are used no more.

    Changes between the same two frames belong together: two lines may have exchanged their names.
    """
    if not any(entry.kind == CHANGED for entry in entries):
        return list(entries), set()
    found: list[Entry] = []
    now: dict[str, Now] = {}  # of names at this time; a name that is not there is the newest
    gone: set[str] = set()
    end = len(entries)
    while end > 0:
        start = _begin_of_changes(entries, end)
        if start == end:
            found.append(_renamed(entries[end - 1], now))
            end -= 1
            continue
        now = _before([entry for entry in entries[start:end] if entry.kind == CHANGED], now)
        gone |= {name for name, later in now.items() if later.name != name}
        found += [_renamed(entry, now) for entry in reversed(entries[start:end])]
        end = start
    found.reverse()
    return found, gone - {entry.name for entry in found if _counts(entry)}


def _begin_of_changes(entries: Sequence[Entry], end: int) -> int:
    """Return where the changes begin that end here, ``end`` itself where there are none."""
    last = entries[end - 1]
    if last.kind != CHANGED:
        return end
    start = at = end - 1
    while at > 0 and (entries[at - 1].frame, entries[at - 1].time_s) == (last.frame, last.time_s):
        at -= 1
        if entries[at].kind == CHANGED:
            start = at
    return start


def _before(changes: Sequence[Entry], now: Mapping[str, Now]) -> dict[str, Now]:
    """Return what names were called before some changes, where ``now`` is what they are called after them."""
    ends: dict[str, tuple[Told | None, Told | None]] = {}
    for number, entry in enumerate(changes):
        known = entry.data.get("id")
        key = known if isinstance(known, str) else f"\n{number}"
        old, new = told_shapes(entry)
        ends[key] = ends[key][0] if key in ends else old, new
    before = dict(now)
    for _, new in ends.values():
        if new is not None:
            before.pop(new.name, None)
    for old, new in ends.values():
        if old is None:
            continue
        if new is None or old.kind != new.kind:
            before.pop(old.name, None)
            continue
        later = now.get(new.name, Now(new.name))
        ways = {a: later.ways.get(b, b) for a, b in zip(old.ways, new.ways, strict=False)}
        before[old.name] = Now(later.name, ways)
    return before


def _renamed(entry: Entry, now: Mapping[str, Now]) -> Entry:
    later = now.get(entry.name or "") if _counts(entry) else None
    if later is None:
        return entry
    direction = entry.direction and later.ways.get(harmless(str(entry.direction)), entry.direction)
    return replace(entry, name=later.name, direction=direction)


def _counts(entry: Entry) -> bool:
    return entry.kind.partition(".")[0] in ("line", "zone")


def _told(given: Json) -> Told | None:
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        return None
    ways = (given.get("in"), given.get("out")) if given.get("kind") == "line" else ()
    called = tuple(harmless(each) for each in ways if isinstance(each, str))
    return Told(str(given.get("kind")), harmless(given["name"]), called if len(called) == len(ways) else ())
