"""Options become plugins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from tracker import shapes, zonefile
from tracker.options import Options
from tracker.plugins import make
from tracker.types import OptionError, Plugin


def make_plugins(options: Options, size: tuple[int, int], names: Mapping[int, str]) -> list[Plugin]:
    """Return the plugins that the options ask for, on a picture of ``size`` (width, height).

    ``names`` are those of the detector's classes. Raises ``OptionError``.
    """
    found = [shapes.from_text("line", text, n + 1, size) for n, text in enumerate(options.line)]
    found += [shapes.from_text("zone", text, n + 1, size) for n, text in enumerate(options.zone)]
    if options.zones is not None:
        found += zonefile.load(options.zones, size)
    twice = [name for name, times in Counter(shape.name for shape in found).items() if times > 1]
    if twice:
        raise OptionError(f"two lines or zones are called {twice[0]!r}; give each a name of its own")
    for shape in found:
        shape.check(names)
    plugins = [shape.plugin(size) for shape in found]
    if options.follow is not None:
        plugins.append(make("follow", target=options.follow))
    return plugins + [from_text(text) for text in options.plugin]


def plugins_of(given: Plugin | str | Sequence[Plugin | str]) -> list[Plugin]:
    """Return plugins given as objects or by name, one or several; raises ``OptionError`` for others."""
    if isinstance(given, str) or not isinstance(given, Sequence):
        given = (given,)
    plugins: list[Plugin] = []
    for each in given:
        if isinstance(each, str):
            plugins.append(from_text(each))
        elif isinstance(each, type):
            raise OptionError(f"plugins: {each.__name__} is a class; give an object: {each.__name__}(...)")
        elif not callable(getattr(each, "update", None)):
            raise OptionError(f"plugins: {each!r} has no method update(frame, tracks)")
        else:
            plugins.append(each)
    return plugins


def from_text(text: str) -> Plugin:
    """Return the plugin of ``NAME`` or ``NAME:option=value;option=value``; values are YAML scalars.

    Raises ``OptionError``.

    >>> from_text("heatmap:mode=standing").mode
    'standing'
    """
    name, _, rest = text.partition(":")
    if rest.strip() in ("help", "?"):
        from tracker.plugins.describe import describe

        raise OptionError(describe(name.strip()))
    given: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in rest.split(";"))):
        option, equals, value = part.partition("=")
        if not equals:
            raise OptionError(
                f"--plugin {text!r}: {part!r} is no setting; write NAME:option=value;option=value"
            )
        try:
            given[option.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise OptionError(f"--plugin {text!r}: {value!r} cannot be read") from error
    return make(name.strip(), **given)
