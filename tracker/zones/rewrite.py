"""The text of a zone file with other lines and zones in it: comments, order and the rest stay as they are."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracker.types import Json
from tracker.zones.file import KEYS
from tracker.zones.shapes import Shape

if TYPE_CHECKING:  # heavy, and only needed where something is written
    from ruamel.yaml.comments import CommentedMap

SAME_PX = 0.05  # points that moved less are left as they are written
PLURAL = {"line": "lines", "zone": "zones"}
DEFAULTS: dict[str, Json] = {"in": "in", "out": "out", "towards": None, "anchor": "bottom_center",
                             "classes": [], "loiter": None}  # fmt: skip


@dataclass(frozen=True)
class Edited:
    """A shape as it shall be, in pixels of the picture, and what it is called in the file until now."""

    shape: Shape
    before: str | None = None  # None: it is new


def rewritten(text: str, shapes: Sequence[Edited], known: Mapping[str, Shape], size: tuple[int, int]) -> str:
    """Return the text of a zone file with these shapes and no others.

    ``known`` are those that are in ``text``, by name; ``size`` is that of the picture (width, height).
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    try:
        root: Any = yaml.load(text) if text.strip() else None
    except YAMLError:
        root = None  # nothing but lists of points: they are written anew, with names
    ours = isinstance(root, CommentedMap) and bool({"lines", "zones", "size"} & set(root))
    if not ours:
        root = CommentedMap()
        root["size"] = _flow(list(size))
        root.yaml_set_start_comment("Lines and zones, drawn on the live page")
    file_size = _size_of(root)
    for kind in KEYS:
        mine = [each for each in shapes if each.shape.kind == kind]
        entries = root.get(PLURAL[kind])
        by_name = isinstance(entries, CommentedMap)
        if entries is None:
            entries = CommentedSeq()
        old = dict(entries) if by_name else {str(one.get("name")): one for one in entries}
        kept = {each.before for each in mine if each.before in old}
        for name in [name for name in old if name not in kept]:
            if by_name:
                del entries[name]
            else:
                entries.remove(old[name])
        for each in mine:
            if each.before in kept and each.before is not None:
                entry = old[each.before]
                if by_name and each.before != each.shape.name:
                    place = list(entries).index(each.before)
                    del entries[each.before]
                    entries.insert(place, each.shape.name, entry)
            else:
                entry = CommentedMap()
                if by_name:
                    entries[each.shape.name] = entry
                else:
                    entry["name"] = each.shape.name
                    entries.append(entry)
            _fill(entry, each.shape, known.get(each.before or ""), file_size, by_name, size)
        if len(entries):
            root[PLURAL[kind]] = entries
        elif PLURAL[kind] in root:
            del root[PLURAL[kind]]
    if file_size is None and not any(known.get(each.before or "") for each in shapes):
        root.insert(0, "size", _flow(list(size)))
    out = io.StringIO()
    yaml.dump(root, out)
    return out.getvalue()


def _fill(
    entry: CommentedMap, shape: Shape, old: Shape | None, file_size: tuple[float, float] | None,
    by_name: bool, size: tuple[int, int],
) -> None:  # fmt: skip
    """Write into an entry what has changed, and leave the rest as it is written."""
    if not by_name and entry.get("name") != shape.name:
        entry["name"] = shape.name
    now = shape.pixels(size)
    was = None if old is None else old.pixels(size)
    if "points" not in entry or was is None or was.shape != now.shape or abs(was - now).max() > SAME_PX:
        fractions = old is not None and old.size is None
        scale = (1.0, 1.0) if fractions else file_size or size
        digits = 4 if fractions else 1
        points = [
            _flow([_short(x / size[0] * scale[0], digits), _short(y / size[1] * scale[1], digits)])
            for x, y in now.tolist()
        ]
        entry["points"] = _flow(points)
    values: dict[str, Json] = {
        "in": shape.names[0], "out": shape.names[1], "towards": shape.towards, "anchor": shape.anchor,
        "classes": list(shape.classes), "color": shape.color, "loiter": shape.loiter_s,
    }  # fmt: skip
    before = None if old is None else {
        "in": old.names[0], "out": old.names[1], "towards": old.towards, "anchor": old.anchor,
        "classes": list(old.classes), "color": old.color, "loiter": old.loiter_s,
    }  # fmt: skip
    for key in KEYS[shape.kind]:
        if key in ("name", "points") or (before is not None and before[key] == values[key]):
            continue
        if key in DEFAULTS and values[key] == DEFAULTS[key]:
            entry.pop(key, None)
        else:
            value = values[key]
            entry[key] = _flow(value) if isinstance(value, list) else _short(value, 3)


def _flow(values: Sequence[Any]) -> Any:
    """Return a list that is written on one line."""
    from ruamel.yaml.comments import CommentedSeq

    made: Any = CommentedSeq(values)
    made.fa.set_flow_style()
    return made


def _short(value: Any, digits: int) -> Any:
    """Return a number as a person would write it: 12 rather than 12.0."""
    if not isinstance(value, float):
        return value
    rounded = round(value, digits)
    return int(rounded) if rounded == int(rounded) else rounded


def _size_of(root: Any) -> tuple[float, float] | None:
    given = root.get("size")
    numbers = re.findall(r"[\d.]+", str(list(given) if isinstance(given, Sequence) else given or ""))
    return (float(numbers[0]), float(numbers[1])) if len(numbers) == 2 else None
