"""YAML as nodes with their lines: nothing is constructed, and nothing is deeper than it may be."""

from __future__ import annotations

import yaml

try:
    from yaml import CSafeLoader as Loader  # ten times as fast, where PyYAML was built with it
except ImportError:
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

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
