"""Analyses of tracks: one file each, found by name through the entry-point group ``track.plugins``."""

from __future__ import annotations

import dataclasses
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from tracker.contracts import Plugin, PluginLike
from tracker.parse import near_miss
from tracker.types import OptionError, TrackError

GROUP = "track.plugins"


def available() -> dict[str, EntryPoint]:
    """Return the installed plugins by name, ours and anybody else's; nothing is imported yet."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def load(name: str) -> type[Any]:
    """Return the dataclass of the plugin called ``name``.

    Raises ``OptionError`` when there is none, when it cannot be imported or is not a plugin.
    """
    known = available()
    if name not in known:
        installed = ", ".join(sorted(known)) or "none"
        raise OptionError(f"there is no plugin {name!r}{near_miss(name, known)}; installed: {installed}")
    entry = known[name]
    try:
        kind = entry.load()
    except (Exception, SystemExit, GeneratorExit) as error:
        raise OptionError(
            f"plugin {name!r} ({entry.value}) cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind) and _looks(kind)):
        raise OptionError(
            f"plugin {name!r} ({entry.value}) must be a dataclass with a method update(frame, tracks)"
        )
    return kind


def make(name: str, /, **options: Any) -> PluginLike:
    """Return a plugin with its options set; options that are not given keep their defaults.

    Raises ``OptionError`` naming the option that is unknown, missing or wrong.
    """
    kind = load(name)
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    for option in options:
        if option not in fields:
            raise OptionError(
                f"plugin {name!r} has no option {option!r}{near_miss(option, fields)};"
                f" it has: {', '.join(fields) or 'none'}"
            )
    missing = [
        field.name
        for field in fields.values()
        if field.default is field.default_factory is dataclasses.MISSING and field.name not in options
    ]
    if missing:
        raise OptionError(f"plugin {name!r} needs the option {missing[0]!r}")
    try:
        plugin: PluginLike = kind(**options)
    except TrackError:
        raise
    except (Exception, SystemExit, GeneratorExit) as error:
        raise OptionError(
            f"plugin {name!r} cannot take {options}: {type(error).__name__}: {error}"
        ) from error
    return plugin


def _looks(kind: type) -> bool:
    update = getattr(kind, "update", None)  # anybody's class, of which nothing is known
    return callable(update) and update is not Plugin.update
