"""The words of a command line: which are options, which their values, and which stand alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Typed:
    """A word that is no option, and what stands before it."""

    word: str
    option: str | None = None  # the option whose value, and more such words, stand right before
    before: tuple[str, ...] = ()  # that value and those words


@dataclass(frozen=True)
class Grammar:
    """What a command's options are called: flag -> name, and which flags take a value."""

    names: Mapping[str, str]
    with_value: Collection[str]

    def takes(self, name: str) -> bool:
        """Whether the option of this name takes a value."""
        return any(self.names[flag] == name for flag in self.with_value)

    def flag(self, name: str) -> str:
        """Return how the option of this name is written, the long way."""
        return max((flag for flag, own in self.names.items() if own == name), key=len)


def sources_of(arguments: Sequence[str], grammar: Grammar) -> Iterator[Typed]:
    """Yield the words that are neither options nor values of options."""
    option: str | None = None
    before: tuple[str, ...] = ()
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            yield from (Typed(word) for word in rest)
        elif word.startswith("-") and word != "-":
            flag, equals, value = word.partition("=")
            if flag in grammar.with_value:
                option, before = flag, (value if equals else next(rest, ""),)
            else:
                option, before = flag, ()
        else:
            yield Typed(word, option, before)
            before = (*before, word)


def with_dashes(word: str, grammar: Grammar) -> str:
    """Return ``--vid_stride=2`` as ``--vid-stride=2`` where that is an option; any other word as it is."""
    flag, equals, value = word.partition("=")
    dashed = flag.replace("_", "-")
    known = flag.startswith("--") and flag not in grammar.names and dashed in grammar.names
    return f"{dashed}{equals}{value}" if known else word
