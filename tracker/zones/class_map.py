"""What classes are called in counts: ``car+truck: vehicle`` where a model cannot tell them apart for sure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from tracker import parse
from tracker.text import harmless
from tracker.types import OptionError
from tracker.zones.yaml_nodes import NodeReader

HOW = "write for example 'car+truck: vehicle'"
MOST_NAME = 200  # letters


@dataclass(frozen=True)
class ClassMap:
    """Classes by the name under which they are counted together; empty: each under its own."""

    members: Mapping[str, Sequence[str]] = field(default_factory=dict)  # "vehicle": ["car", "truck"]
    where: Mapping[str, str] = field(default_factory=dict)  # "car": "zones.yaml:3", for errors

    def expand(self, classes: Iterable[str]) -> tuple[str, ...]:
        """Return classes to choose, those of a common name one by one.

        >>> ClassMap({"vehicle": ["car", "truck"]}).expand(["vehicle", "person"])
        ('car', 'truck', 'person')
        """
        known = {parse.plain(name): each for name, each in self.members.items()}
        chosen = (word for name in classes for word in known.get(parse.plain(name), [name]))
        return tuple(dict.fromkeys(chosen))

    def names(self, names: Mapping[int, str]) -> dict[str, str]:
        """Return what each class of a model is called that has another name here.

        Raises ``OptionError`` at the line of a class that is none of ``names``, or stands under two names.
        """
        found: dict[str, str] = {}
        for name, words in self.members.items():
            for word in words:
                try:
                    ids = parse.class_ids([word], names) or ()
                except OptionError as error:
                    raise OptionError(f"{self.where[word]}: {error}") from error
                for called in (names[class_id] for class_id in ids):
                    if found.setdefault(called, name) != name:
                        raise OptionError(
                            f"{self.where[word]}: {called!r} is counted as {found[called]!r} already"
                        )
        return found


def read_class_map(reader: NodeReader, node: yaml.Node) -> ClassMap:
    """Return the class map of a zone file; raises ``OptionError``."""
    if not isinstance(node, yaml.MappingNode):
        raise reader.error(node, f"classes of a file say what to call them: {HOW}")
    members: dict[str, list[str]] = {}
    where: dict[str, str] = {}
    for key, (value, line) in reader.entries(node).items():
        if not isinstance(value, yaml.ScalarNode):
            raise reader.error(value, f"{key!r} takes one name; {HOW}")
        name = harmless(reader.word(value))
        if len(name) > MOST_NAME:
            raise reader.error(value, f"a name of more than {MOST_NAME} letters")
        for word in (word.strip() for word in key.split("+")):
            if not word:
                raise reader.error(line, f"{key!r} names a class that is empty; {HOW}")
            if word in where:
                raise reader.error(line, f"class {word!r} is given twice; first in {where[word]}")
            where[word] = f"{reader.path}:{line + 1}"
            members.setdefault(name, []).append(word)
    return ClassMap(members, where)
