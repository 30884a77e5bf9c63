"""The zone file: lines and zones by name, whatever the size of the picture; every mistake with its line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import yaml

from tracker.errors import system_reason
from tracker.parse import near_miss
from tracker.types import OptionError
from tracker.zones.class_map import ClassMap, read_class_map
from tracker.zones.movements import Junction, read_movements
from tracker.zones.shapes import CYCLE, PAIR, Shape, points_of_text, size_for, sound
from tracker.zones.yaml_nodes import NodeReader, TooDeepError, compose

MOST_LETTERS = 1 << 20  # of a file
MOST_DIGITS = 40  # of a number
MOST_PX = 1e6  # of a picture's side
MOST_SHAPES = 2000  # of a file
MOST_POINTS = 40_000  # of all shapes together
KINDS = ("line", "zone")
ENTRIES = ("size", "lines", "zones", "movements", "classes")
COMMON = ("name", "points", "anchor", "classes", "color")
KEYS = {"line": (*COMMON, "in", "out", "towards"), "zone": (*COMMON, "loiter")}


@dataclass(frozen=True)
class ZoneFile:
    """What a zone file holds."""

    shapes: Sequence[Shape] = ()
    junctions: Sequence[Junction] = ()
    class_map: ClassMap = field(default_factory=ClassMap)


Default = TypeVar("Default", bound="str | None")


def load(path: str | Path, size: tuple[float, float] | None = None) -> list[Shape]:
    """Return the shapes of a zone file; see `read`."""
    return list(read(path, size).shapes)


def read(path: str | Path, size: tuple[float, float] | None = None) -> ZoneFile:
    """Return what is in a zone file, or in a file with nothing but lists of points.

    ``size`` is the picture's, for files that give none and hold pixels. Raises ``OptionError`` with file,
    line, what is wrong and what was meant.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(MOST_LETTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        problem = system_reason(error) or "not text in UTF-8; save it so"
        raise OptionError(f"{path}: cannot be read: {problem}") from error
    if len(text) > MOST_LETTERS:
        raise OptionError(f"{path}: is larger than {MOST_LETTERS >> 20} MB; is this a zone file?")
    return from_yaml(text, str(path), size)


def from_yaml(
    text: str, where: str, size: tuple[float, float] | None = None, *, may_be_empty: bool = False
) -> ZoneFile:
    """Return what the text of a zone file says; ``where`` names it in errors. As `read`."""
    reader = Reader(where, text, size, may_be_empty)
    shapes = [replace(shape, classes=reader.class_map.expand(shape.classes)) for shape in reader.shapes()]
    junctions = [replace(each, classes=reader.class_map.expand(each.classes)) for each in reader.junctions]
    return ZoneFile(shapes, junctions, reader.class_map)


@dataclass
class Reader(NodeReader):
    """Reads one text."""

    text: str
    size: tuple[float, float] | None = None
    may_be_empty: bool = False
    junctions: list[Junction] = field(default_factory=list)
    class_map: ClassMap = field(default_factory=ClassMap)
    _found: list[Shape] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)
    _points_left: int = MOST_POINTS

    def shapes(self) -> list[Shape]:
        """Return what the text describes."""
        try:
            root = compose(self.text)
        except yaml.YAMLError as error:
            ours = re.search(
                r"""^[ \t{"']*(?:lines|zones|movements|size|points)["']?\s*:""", self.text, re.MULTILINE
            )
            if not ours and self._bare(self.text):  # numpy's and Python's lists are no YAML
                return self._found
            told = error if isinstance(error, yaml.MarkedYAMLError) else yaml.MarkedYAMLError()
            mark, problem = told.problem_mark, told.problem or "not YAML"
            line = min(mark.line, self.text.count("\n")) if mark else 0  # the end may be in no line
            raise self.error(line, f"{problem}; is this a zone file?") from error
        except TooDeepError as error:
            raise self.error(error.line, str(error)) from error
        if isinstance(root, yaml.MappingNode):
            self._mapping(root)
        elif root is None or not self._bare(self.text):
            raise self.error(0, "contains no lines or zones; write 'lines:' or 'zones:' with name and points")
        if not self._found and not self.may_be_empty:
            raise self.error(0, "contains no line or zone")
        return self._found

    def _mapping(self, root: yaml.MappingNode) -> None:
        entries = self.entries(root)
        if entries and not {"size", "lines", "zones", "movements"} & set(entries):
            return self._regions(entries)
        for key, (node, _) in entries.items():
            if key not in ENTRIES:
                raise self.error(
                    node, f"unknown entry {key!r}{near_miss(key, ENTRIES)}; use {', '.join(ENTRIES)}"
                )
        if "size" in entries:
            node = entries["size"][0]
            numbers = self._numbers(node)
            if len(numbers) != 2 or not all(0 < side <= MOST_PX for side in numbers):
                raise self.error(node, "size must be [width, height] in pixels")
            self.size = numbers[0], numbers[1]
        for kind in KINDS:
            if f"{kind}s" not in entries:
                continue
            node = entries[f"{kind}s"][0]
            if isinstance(node, yaml.MappingNode):  # name: {points: ...}
                for name, (value, line) in self.entries(node).items():
                    self._shape(kind, value, line, name)
            elif isinstance(node, yaml.SequenceNode):
                for value in node.value:
                    self._shape(kind, value, value.start_mark.line, None)
            else:
                raise self.error(node, f"{kind}s must be a list of entries with name and points")
        if "classes" in entries:
            self.class_map = read_class_map(self, entries["classes"][0])
        if "movements" in entries:
            self.junctions = read_movements(
                self, entries["movements"][0], [shape.name for shape in self._found]
            )
        return None

    def _shape(self, kind: str, node: yaml.Node, line: int, name: str | None) -> None:
        entries = self.known_entries(node, KEYS[kind], kind)
        if "name" in entries:
            name = self.word(entries["name"][0])
        if name is None:
            raise self.error(line, f"this {kind} has no name")
        if "points" not in entries:
            raise self.error(line, f"{kind} {name!r} has no points")

        def word(key: str, default: Default) -> str | Default:
            return self.word(entries[key][0]) if key in entries else default

        points_node = entries["points"][0]
        points = self._points(points_node, f"{kind} {name!r}")
        shape = Shape(
            kind,
            name,
            points,
            size_for(points, self.size),
            names=(word("in", "in"), word("out", "out")),
            towards=word("towards", None),
            anchor=word("anchor", "bottom_center"),
            classes=tuple(self.words(entries["classes"][0])) if "classes" in entries else (),
            color=word("color", self._next_color()),
            loiter_s=self.seconds(entries["loiter"][0], "loiter") if "loiter" in entries else None,
        )
        at = {key: at_line for key, (_, at_line) in entries.items()}
        self._add(shape, line, at)

    def _regions(self, entries: Mapping[str, tuple[yaml.Node, int]]) -> None:
        """Read ``{"region-01": [[x, y], ...]}``, as ultralytics takes it."""
        for name, (node, _) in entries.items():
            points = self._points(node, f"region {name!r}")
            self._bare_shape(name, points, node.start_mark.line)

    def _bare(self, text: str) -> bool:
        """Read lists of points without anything around them: JSON, Python, numpy; several lists at will."""
        text = re.sub(r"(?:\b\w+\s*=\s*)?(?:sv\.)?Point(?=\s*\()", "", text)  # supervision's LineZone
        for run in re.finditer(rf"(?:{PAIR}[\s,]*)+", text):
            line = text.count("\n", 0, run.start())
            points = self._counted(re.findall(PAIR, run.group()), line)
            kind = "line" if len(points) == 2 else "zone"
            number = 1 + sum(shape.kind == kind for shape in self._found)
            self._bare_shape(f"{kind}{number}", points, line)
        return bool(self._found)

    def _bare_shape(self, name: str, points: tuple[tuple[float, float], ...], line: int) -> None:
        kind = "line" if len(points) == 2 else "zone"
        color = self._next_color()
        self._add(Shape(kind, name, points, size_for(points, self.size), color=color), line, {})

    def _add(self, shape: Shape, line: int, at: Mapping[str, int]) -> None:
        if shape.name in self._names:
            raise self.error(at.get("name", line), f"the name {shape.name!r} is taken; names must differ")
        if len(self._found) == MOST_SHAPES:
            raise self.error(line, f"more than {MOST_SHAPES} lines and zones; split the file")
        self._names.add(shape.name)
        self._found.append(
            sound(shape, {key: f"{self.path}:{at[key] + 1}" for key in at}, f"{self.path}:{line + 1}")
        )

    def _next_color(self) -> str:
        used = {shape.color for shape in self._found}
        return next((color for color in CYCLE if color not in used), CYCLE[len(self._found) % len(CYCLE)])

    def _numbers(self, node: yaml.Node) -> list[float]:
        words = (
            self.words(node) if isinstance(node, yaml.SequenceNode) else re.split(r"[x,\s]+", self.word(node))
        )
        try:
            return [self._number(word, node.start_mark.line) for word in words]
        except ValueError:
            raise self.error(node, f"numbers are expected here, not {' '.join(words)!r:.80}") from None

    def _number(self, word: str, line: int) -> float:
        if len(word) > MOST_DIGITS:
            raise self.error(line, f"a number of {len(word)} digits; at most {MOST_DIGITS} are allowed")
        return float(word)

    def _counted(self, pairs: Sequence[tuple[str, str]], line: int) -> tuple[tuple[float, float], ...]:
        """Return points as numbers; there may be only so many in a file."""
        self._points_left -= len(pairs)
        if self._points_left < 0:
            raise self.error(line, f"more than {MOST_POINTS} points; use fewer")
        return tuple((self._number(x, line), self._number(y, line)) for x, y in pairs)

    def _points(self, node: yaml.Node, what: str) -> tuple[tuple[float, float], ...]:
        points: tuple[tuple[float, float], ...] | None
        if isinstance(node, yaml.SequenceNode) and not any(
            isinstance(n, yaml.ScalarNode) for n in node.value
        ):
            for child in node.value:
                if not isinstance(child, yaml.SequenceNode) or len(child.value) != 2:
                    raise self.error(child, f"{what}: a point is [x, y]")
            pairs = [(self.word(child.value[0]), self.word(child.value[1])) for child in node.value]
            try:
                points = self._counted(pairs, node.start_mark.line)
            except ValueError:
                for child in node.value:
                    self._numbers(child)  # raises at the one that is wrong
                raise
        else:  # Python's and numpy's lists, or text
            text = self.text[node.start_mark.index : node.end_mark.index]
            if run := re.search(rf"[\d.]{{{MOST_DIGITS + 1},}}", text):
                self._number(run.group(), node.start_mark.line)
            points = points_of_text(text.strip().strip("\"'"))
            self._counted([("0", "0")] * len(points or ()), node.start_mark.line)
        if not points:
            raise self.error(node, f"{what}: points are a list of [x, y]")
        return points
