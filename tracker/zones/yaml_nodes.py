"""YAML as nodes with their lines: nothing is constructed, and nothing is deeper than it may be."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from tracker import parse
from tracker.errors import OptionError

try:
    from yaml import CSafeLoader as Loader  # ten times as fast, where PyYAML was built with it
except ImportError:
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

MOST_S = 1e8  # of a time, three years
MOST_DEEP = 30  # lists in lists; composing calls itself for each


class TooDeepError(ValueError):
    """Lists in lists without end; ``line`` counts from 0."""

    def __init__(self, line: int) -> None:
        super().__init__(f"more than {MOST_DEEP} lists in one another")
        self.line = line


def compose(text: str) -> yaml.Node | None:
    """Return the root node of a text, None where there is nothing; raises ``YAMLError``, `TooDeepError`."""
    deep = 0
    for event in yaml.parse(text, Loader=Loader):
        deep += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if deep > MOST_DEEP:
            raise TooDeepError(event.start_mark.line if event.start_mark else 0)
    loader = Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


@dataclass
class NodeReader:
    """Reads nodes of one file; every mistake is told with its line. ``path`` is for errors."""

    path: str

    def entries(self, node: yaml.MappingNode) -> dict[str, tuple[yaml.Node, int]]:
        """Return the values of a mapping and the lines of their keys; no key may stand there twice."""
        entries: dict[str, tuple[yaml.Node, int]] = {}
        for key, value in node.value:
            word = self.word(key)
            if word in entries:
                raise self.error(key, f"{word!r} is given twice; first in line {entries[word][1] + 1}")
            entries[word] = value, key.start_mark.line
        return entries

    def known_entries(
        self, node: yaml.Node, known: tuple[str, ...], what: str
    ) -> dict[str, tuple[yaml.Node, int]]:
        """Return `entries` of what is a mapping of ``known`` keys."""
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"a {what} needs entries: {', '.join(known)}")
        entries = self.entries(node)
        for key, (value, _) in entries.items():
            if key not in known:
                raise self.error(
                    value,
                    f"unknown entry {key!r}{parse.near_miss(key, known)}; a {what} has {', '.join(known)}",
                )
        return entries

    def word(self, node: yaml.Node) -> str:
        """Return a text that is not empty."""
        if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
            raise self.error(node, "a word is expected here")
        return str(node.value).strip()

    def words(self, node: yaml.Node) -> list[str]:
        """Return the texts of a list, or of one text with commas."""
        if isinstance(node, yaml.SequenceNode):
            return [self.word(value) for value in node.value]
        return [word.strip() for word in self.word(node).split(",")]

    def seconds(self, node: yaml.Node, what: str) -> float:
        """Return a time above 0; ``what`` is the entry it belongs to."""
        try:
            seconds = parse.seconds(self.word(node))
        except OptionError as error:
            raise self.error(node, f"{what} {error}") from None
        if not 0 < seconds <= MOST_S:
            raise self.error(node, f"{what} takes more than 0 seconds and at most {MOST_S:g}")
        return seconds

    def error(self, at: yaml.Node | int, text: str) -> OptionError:
        """Return an error at a node or a line, which counts from 0."""
        line = at if isinstance(at, int) else at.start_mark.line
        return OptionError(f"{self.path}:{line + 1}: {text}")
