"""Changing a zone file by program: comments and order stay, earlier versions can be brought back."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker.errors import OutputError, system_reason
from tracker.types import Json, OptionError
from tracker.zones.file import KEYS, ZoneFile, from_yaml
from tracker.zones.shapes import Shape, sound

if TYPE_CHECKING:  # heavy, and only needed where something is written
    from ruamel.yaml.comments import CommentedMap

VERSIONS = 50  # earlier versions that are kept
SAME_PX = 0.05  # points that moved less are left as they are written
PLURAL = {"line": "lines", "zone": "zones"}
DEFAULTS: dict[str, Json] = {"in": "in", "out": "out", "towards": None, "anchor": "bottom_center",
                             "classes": [], "loiter": None}  # fmt: skip
STAMP = "%Y%m%dT%H%M%S"


class ShapeError(OptionError):
    """A shape that cannot be used; ``index`` tells which of those given, None: the file as a whole."""

    def __init__(self, text: str, index: int | None = None) -> None:
        super().__init__(text)
        self.index = index


@dataclass(frozen=True)
class Edited:
    """A shape as it shall be, in pixels of the picture, and what it is called in the file until now."""

    shape: Shape
    before: str | None = None  # None: it is new


def to_json(shape: Shape, size: tuple[int, int]) -> dict[str, Json]:
    """Return a shape for a page, its points in pixels of a picture of this size (width, height).

    Raises ``OptionError`` where a point lies outside.
    """
    return {
        "kind": shape.kind,
        "name": shape.name,
        "points": [[round(x, 2), round(y, 2)] for x, y in shape.pixels(size).tolist()],
        "in": shape.names[0],
        "out": shape.names[1],
        "towards": shape.towards,
        "anchor": shape.anchor,
        "classes": list(shape.classes),
        "color": shape.color,
        "loiter": shape.loiter_s,
    }


def from_json(given: Json, size: tuple[int, int], names: Mapping[int, str]) -> Shape:
    """Return the shape that `to_json` would have told; raises ``OptionError`` with the zone file's words."""
    if not isinstance(given, dict) or given.get("kind") not in KEYS:
        raise OptionError("a shape is an object with kind, name and points")
    kind, name = given["kind"], given.get("name")
    if not isinstance(name, str) or not name.strip():
        raise OptionError(f"this {kind} has no name")
    points = given.get("points")
    if not isinstance(points, list) or not all(_is_pair(point) for point in points):
        raise OptionError(f"{kind} {name!r}: points are a list of [x, y]")
    for key in ("in", "out", "anchor", "color"):
        if not isinstance(given.get(key, ""), str):
            raise OptionError(f"{kind} {name!r}: {key} is a word")
    towards, loiter, classes = given.get("towards"), given.get("loiter"), given.get("classes") or []
    if not isinstance(towards, str | None) or not all(isinstance(each, str) for each in classes):
        raise OptionError(f"{kind} {name!r}: towards is a word, classes are a list of words")
    if loiter is not None and not (isinstance(loiter, int | float) and 0 < loiter <= 366 * 86400):
        raise OptionError(f"{kind} {name!r}: loiter is a time in seconds, more than 0")
    shape = sound(
        Shape(
            kind,
            name.strip(),
            tuple((float(x), float(y)) for x, y in points),
            (float(size[0]), float(size[1])),
            names=(given.get("in") or "in", given.get("out") or "out"),
            towards=towards or None,
            anchor=given.get("anchor") or "bottom_center",
            classes=tuple(classes),
            color=given.get("color") or "yellow",
            loiter_s=None if loiter is None or kind == "line" else float(loiter),
        )
    )
    shape.plugin(size)
    shape.check(names)
    return shape


def _is_pair(point: Json) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e6 for v in point)
    )


class ZoneDocument:
    """A zone file while it is edited, for a picture of ``size`` (width, height); it need not exist yet."""

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self.path, self.size = path, size

    @property
    def version(self) -> str:
        """What tells this content from another; empty where there is no file."""
        text = self._text()
        return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""

    def read(self) -> ZoneFile:
        """Return what is in the file; raises ``OptionError``."""
        text = self._text()
        if not text.strip():
            return ZoneFile()
        return from_yaml(text, str(self.path), self.size, may_be_empty=True)

    def changed(self, shapes: Sequence[Edited]) -> str:
        """Return the text with these shapes and no others; raises ``ShapeError``."""
        seen: set[str] = set()
        for index, each in enumerate(shapes):
            if each.shape.name in seen:
                raise ShapeError(f"the name {each.shape.name!r} is taken; names must differ", index)
            seen.add(each.shape.name)
        text = self._edited(shapes)
        if shapes:
            try:
                from_yaml(text, str(self.path), self.size)
            except OptionError as error:
                raise ShapeError(str(error)) from error
        return text

    def save(self, text: str) -> None:
        """Write in one step, keeping what was there as an earlier version; raises ``OutputError``."""
        before = self._text()
        if before == text:
            return
        path = Path(os.path.realpath(self.path))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if before:
                self._keep(before)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                if path.exists():
                    os.chmod(temporary, path.stat().st_mode & 0o777)  # noqa: PTH101 - a name of tempfile's
                else:
                    os.chmod(temporary, 0o644)  # noqa: PTH101
                os.replace(temporary, path)  # noqa: PTH105
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written ({system_reason(error)})") from error

    def versions(self) -> list[str]:
        """Return the names of earlier versions, the newest first."""
        folder = self._folder()
        return sorted((path.stem for path in folder.glob("*.yaml")), reverse=True) if folder.is_dir() else []

    def earlier(self, name: str) -> str:
        """Return the text of an earlier version; raises ``OptionError``."""
        if name not in self.versions():
            raise OptionError(f"there is no version {name!r:.40}")
        return (self._folder() / f"{name}.yaml").read_text(encoding="utf-8")

    def _text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            problem = system_reason(error) or "not text in UTF-8; save it so"
            raise OptionError(f"{self.path}: cannot be read: {problem}") from error

    def _folder(self) -> Path:
        return self.path.with_name(f".{self.path.name}.versions")

    def _keep(self, text: str) -> None:
        folder = self._folder()
        folder.mkdir(exist_ok=True)
        stamp, number = datetime.now().astimezone().strftime(STAMP), 0
        while (path := folder / f"{stamp}-{number:02}.yaml").exists():
            number += 1
        path.write_text(text, encoding="utf-8")
        for old in self.versions()[VERSIONS:]:
            (folder / f"{old}.yaml").unlink(missing_ok=True)

    def _edited(self, shapes: Sequence[Edited]) -> str:
        from ruamel.yaml import YAML
        from ruamel.yaml.comments import CommentedMap, CommentedSeq
        from ruamel.yaml.error import YAMLError

        yaml = YAML()
        yaml.preserve_quotes = True
        yaml.width = 100
        yaml.indent(mapping=2, sequence=4, offset=2)
        text = self._text()
        try:
            root: Any = yaml.load(text) if text.strip() else None
        except YAMLError:
            root = None  # nothing but lists of points: they are written anew, with names
        known = {shape.name: shape for shape in self.read().shapes}
        ours = isinstance(root, CommentedMap) and bool({"lines", "zones", "size"} & set(root))
        if not ours:
            root = CommentedMap()
            root["size"] = _flow(list(self.size))
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
                self._fill(entry, each.shape, known.get(each.before or ""), file_size, by_name)
            if len(entries):
                root[PLURAL[kind]] = entries
            elif PLURAL[kind] in root:
                del root[PLURAL[kind]]
        if file_size is None and not any(known.get(each.before or "") for each in shapes):
            root.insert(0, "size", _flow(list(self.size)))
        out = io.StringIO()
        yaml.dump(root, out)
        return out.getvalue()

    def _fill(
        self, entry: CommentedMap, shape: Shape, old: Shape | None, file_size: tuple[float, float] | None,
        by_name: bool,
    ) -> None:  # fmt: skip
        """Write into an entry what has changed, and leave the rest as it is written."""
        if not by_name and entry.get("name") != shape.name:
            entry["name"] = shape.name
        now = shape.pixels(self.size)
        was = None if old is None else old.pixels(self.size)
        if "points" not in entry or was is None or was.shape != now.shape or abs(was - now).max() > SAME_PX:
            fractions = old is not None and old.size is None
            scale = (1.0, 1.0) if fractions else file_size or self.size
            digits = 4 if fractions else 1
            points = [
                _flow(
                    [_short(x / self.size[0] * scale[0], digits), _short(y / self.size[1] * scale[1], digits)]
                )
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


def moved_to(shape: Shape, size: tuple[int, int]) -> Shape:
    """Return the shape with its points in pixels of a picture of this size."""
    points = tuple((float(x), float(y)) for x, y in shape.pixels(size).tolist())
    return replace(shape, points=points, size=(float(size[0]), float(size[1])))
