"""The movements of a zone file: which lines and zones make a junction, and what its ways are called."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import yaml

from tracker.parse import class_ids, near_miss
from tracker.plugins._shared.journeys import MAX_S
from tracker.plugins.movement import Movement, pair_of, pair_problem, section_problem
from tracker.text import harmless
from tracker.types import OptionError
from tracker.zones.shapes import MOST_NAME, to_bgr
from tracker.zones.yaml_nodes import NodeReader

KEYS = ("name", "sections", "names", "classes", "color", "max_s")
MOST_MOVEMENTS = 100  # of a file
MOST_SECTIONS = 30  # of a junction: 900 movements


@dataclass(frozen=True)
class Junction:
    """One entry of ``movements:`` as written down."""

    name: str
    sections: tuple[str, ...]
    names: Mapping[str, str] = field(default_factory=dict)  # "north>east": "left"
    classes: tuple[str, ...] = ()
    color: str = "white"
    max_s: float = MAX_S
    where: str = ""  # of its classes, "zones.yaml:12", for errors

    def plugin(self, class_map: Mapping[str, str] | None = None) -> Movement:
        """Return the plugin that counts them; ``class_map`` is that of its sections."""
        color = to_bgr(self.color)
        known = class_map or {}
        return Movement(self.sections, self.name, self.names, self.classes, self.max_s, color, known)

    def check(self, names: Mapping[int, str]) -> None:
        """Raise ``OptionError`` where a class is none of ``names``."""
        try:
            class_ids(self.classes, names)
        except OptionError as error:
            raise OptionError(f"{self.where}: movement {self.name!r}: {error}") from error


def read_movements(reader: NodeReader, node: yaml.Node, shapes: Collection[str]) -> list[Junction]:
    """Return the movements of a zone file, whose lines and zones are called ``shapes``.

    Raises ``OptionError`` with the line of what is wrong.
    """
    if isinstance(node, yaml.MappingNode):  # name: {sections: ...}
        named = [(value, line, name) for name, (value, line) in reader.entries(node).items()]
    elif isinstance(node, yaml.SequenceNode):
        named = [(value, value.start_mark.line, "") for value in node.value]
    else:
        raise reader.error(node, "movements must be a list of entries with name and sections")
    if not named:
        raise reader.error(node, "no movement in it; give name and sections, or leave the entry out")
    found: dict[str, Junction] = {}
    for value, line, name in named:
        junction = _junction(reader, value, line, name, shapes)
        if junction.name in found:
            raise reader.error(line, f"two movements are called {junction.name!r}; names must differ")
        if len(found) == MOST_MOVEMENTS:
            raise reader.error(line, f"more than {MOST_MOVEMENTS} movements; divide the file")
        found[junction.name] = junction
    return list(found.values())


def _junction(reader: NodeReader, node: yaml.Node, line: int, name: str, shapes: Collection[str]) -> Junction:
    entries = reader.known_entries(node, KEYS, "movement")
    if "name" in entries:
        name = reader.word(entries["name"][0])
    if not name:
        raise reader.error(line, "this movement has no name")
    if len(name) > MOST_NAME:
        raise reader.error(line, f"movement {name[:20]!r}… has a name of more than {MOST_NAME} letters")
    name = harmless(name)
    if "sections" not in entries:
        raise reader.error(line, f"movement {name!r} has no sections; name lines or zones of this file")
    sections = _sections(reader, entries["sections"][0], name, shapes)
    given = {key: value for key, (value, _) in entries.items()}
    color = reader.word(given["color"]) if "color" in given else Junction.color
    try:
        to_bgr(color)
    except OptionError as error:
        raise reader.error(given["color"], str(error)) from error
    at = given["classes"].start_mark.line if "classes" in given else line
    return Junction(
        name,
        sections,
        _names(reader, given["names"], name, sections) if "names" in given else {},
        tuple(reader.words(given["classes"])) if "classes" in given else (),
        color,
        reader.seconds(given["max_s"], "max_s") if "max_s" in given else MAX_S,
        f"{reader.path}:{at + 1}",
    )


def _sections(reader: NodeReader, node: yaml.Node, name: str, shapes: Collection[str]) -> tuple[str, ...]:
    words = [harmless(word) for word in reader.words(node)]
    at = [value.start_mark.line for value in node.value] if isinstance(node, yaml.SequenceNode) else []
    for word, line in zip(words, at or [node.start_mark.line] * len(words), strict=True):
        if word not in shapes:
            known = near_miss(word, shapes) or f"; there are {', '.join(list(shapes)[:10]) or 'none'}"
            raise reader.error(line, f"movement {name!r}: no line or zone is called {word!r}{known}")
        if words.count(word) > 1:
            raise reader.error(line, f"movement {name!r} {section_problem(words)}")
    problem = section_problem(words)
    if problem:
        raise reader.error(node, f"movement {name!r} {problem}")
    if len(words) > MOST_SECTIONS:
        raise reader.error(node, f"movement {name!r} has more than {MOST_SECTIONS} sections; divide it")
    return tuple(words)


def _names(reader: NodeReader, node: yaml.Node, name: str, sections: tuple[str, ...]) -> dict[str, str]:
    if not isinstance(node, yaml.MappingNode):
        example = f"{{{sections[0]}>{sections[1]}: left}}"
        raise reader.error(node, f"movement {name!r}: names take pairs of sections: {example}")
    names: dict[str, str] = {}
    for key, (value, line) in reader.entries(node).items():
        pair = pair_of(harmless(key), sections)
        if pair is None:
            raise reader.error(line, f"movement {name!r}: {pair_problem(harmless(key), sections)}")
        called = harmless(reader.word(value))
        if len(called) > MOST_NAME:
            raise reader.error(value, f"a name of more than {MOST_NAME} letters")
        if ">".join(pair) in names:
            raise reader.error(line, f"movement {name!r}: {'>'.join(pair)} is given twice")
        names[">".join(pair)] = called
    return names
