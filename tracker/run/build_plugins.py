"""Options become plugins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tracker.contracts import PluginLike
from tracker.options import Options
from tracker.plugins import make
from tracker.plugins._shared.background import EmptyScene
from tracker.types import OptionError, Scene


def make_plugins(options: Options, size: tuple[int, int], names: Mapping[int, str]) -> list[PluginLike]:
    """Return the plugins that the options ask for, on a picture of ``size`` (width, height).

    ``names`` are those of the detector's classes. Raises ``OptionError``.
    """
    counts = options.zones is not None or options.line or options.zone
    plugins = _counting(options, size, names) if counts else []
    if options.follow is not None:
        plugins.append(make("follow", target=options.follow))
    return plugins + [_asked_for(text, options) for text in options.plugin]


def _counting(options: Options, size: tuple[int, int], names: Mapping[int, str]) -> list[PluginLike]:
    """Return the plugins of lines, zones and movements."""
    from tracker.zones import file as zone_file  # here, as YAML below: most runs count at no line
    from tracker.zones import shapes

    file = zone_file.ZoneFile() if options.zones is None else zone_file.read(options.zones, size)
    found = [shapes.from_text("line", text, n + 1, size) for n, text in enumerate(options.line)]
    found += [shapes.from_text("zone", text, n + 1, size) for n, text in enumerate(options.zone)]
    found += file.shapes
    twice = [name for name, times in Counter(shape.name for shape in found).items() if times > 1]
    if twice:
        raise OptionError(f"two lines or zones are called {twice[0]!r}; give each a name of its own")
    class_map = file.class_map.names(names)
    for shape in found:
        shape.check(names)
    for junction in file.junctions:
        junction.check(names)
    plugins: list[PluginLike] = [shape.plugin(size, class_map) for shape in found]
    return plugins + [junction.plugin(class_map) for junction in file.junctions]


def check(options: Options) -> None:
    """Raise ``OptionError`` for what can be seen without a picture, before anything is opened or loaded."""
    if options.line or options.zone:
        from tracker.zones import shapes

        for kind, texts in (("line", options.line), ("zone", options.zone)):
            for number, text in enumerate(texts):
                shapes.from_text(kind, text, number + 1)
    if options.follow is not None:
        make("follow", target=options.follow)
    for text in options.plugin:
        _asked_for(text, options)
    if options.units != Options.units and not any(_name(text) == "speed" for text in options.plugin):
        raise OptionError(f"--units {options.units} is for speeds; add --plugin speed (speed:help shows how)")


def _name(text: str) -> str:
    return text.partition(":")[0].strip()


def _asked_for(text: str, options: Options) -> PluginLike:
    return from_text(text, {"units": options.units} if _name(text) == "speed" else {})


def plugins_of(given: PluginLike | str | Sequence[PluginLike | str]) -> list[PluginLike]:
    """Return plugins given as objects or by name, one or several; raises ``OptionError`` for others."""
    if isinstance(given, str) or not isinstance(given, Sequence):
        given = (given,)
    plugins: list[PluginLike] = []
    for each in given:
        if isinstance(each, str):
            plugins.append(from_text(each))
        elif isinstance(each, type):
            raise OptionError(f"plugins: {each.__name__} is a class; give an object: {each.__name__}(...)")
        elif not callable(getattr(each, "update", None)):  # anybody's object, of which nothing is known
            raise OptionError(f"plugins: {each!r} has no method update(frame, tracks)")
        else:
            plugins.append(each)
    return plugins


def from_text(text: str, defaults: Mapping[str, object] | None = None) -> PluginLike:
    """Return the plugin of ``NAME`` or ``NAME:option=value;option=value``; values are YAML scalars.

    ``defaults`` are for options that the text does not give.

    Raises ``OptionError``.

    >>> from_text("heatmap:mode=standing").mode
    'standing'
    """
    name, _, rest = text.partition(":")
    if rest.strip() in ("help", "?"):
        from tracker.plugins._shared.describe import describe

        raise OptionError(describe(name.strip()))
    if "," in name:
        each = " ".join(f"--plugin {one.strip()}" for one in name.split(","))
        raise OptionError(f"--plugin {text!r}: give each its own: {each}")
    import yaml

    given: dict[str, object] = dict(defaults or {})
    for part in filter(None, (part.strip() for part in rest.split(";"))):
        option, equals, value = part.partition("=")
        if not equals:
            raise OptionError(
                f"--plugin {text!r}: {part!r} is not a setting; write NAME:option=value;option=value"
            )
        try:
            given[option.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise OptionError(f"--plugin {text!r}: {value!r} cannot be read") from error
    return make(name.strip(), **given)


def use_background(options: Options, scene: Scene) -> None:
    """Give the analyses of a run the picture of the empty scene that the user has; raises ``OptionError``."""
    if options.background is None:
        return
    from tracker.sources import images, limits

    path = Path(options.background).expanduser()
    image = images.read(path)
    if image is None:
        why = limits.problem(path) or "cannot be read as a picture"
        raise OptionError(f"--background {path}: {why}; give a PNG or JPEG of the empty scene")
    EmptyScene.of(scene).use(image, str(path))
