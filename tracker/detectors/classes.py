"""From the class names and numbers a person writes to the numbers the network uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher, get_close_matches

from tracker.types import OptionError

SHOWN = 10  # names listed when nothing resembles what was asked for
AS_NEAR = 0.08  # of likeness: near misses farther behind the nearest are not meant


def class_ids(wanted: Sequence[str | int] | None, names: Mapping[int, str]) -> list[int] | None:
    """Return the class ids of names or ids, sorted; ``None`` (all classes) when nothing is asked for.

    Upper and lower case, and ``_`` or ``-`` for a space, make no difference; a name that two classes have
    means both; blanks part names as commas do. Raises ``OptionError`` with the near misses.

    >>> class_ids(["Car", 0, "2"], {0: "person", 1: "bicycle", 2: "car"})
    [0, 2]
    >>> class_ids(["car person"], {0: "person", 1: "traffic light", 2: "car"})
    [0, 2]
    """
    if not wanted:
        return None
    by_name: dict[str, set[int]] = {}
    for class_id, name in names.items():
        by_name.setdefault(_plain(name), set()).add(class_id)
    found: set[int] = set()
    for item in wanted:
        text = str(item).strip()
        if _plain(text) in by_name:
            found |= by_name[_plain(text)]
        elif text.isdecimal() and int(text) in names:
            found.add(int(text))
        elif len(words := text.split()) > 1 and all(_plain(word) in by_name for word in words):
            found |= {class_id for word in words for class_id in by_name[_plain(word)]}
        else:
            raise OptionError(_unknown(text, names))
    return sorted(found)


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


def _unknown(text: str, names: Mapping[int, str]) -> str:
    if text.lstrip("-").isdecimal():
        first, last = min(names), max(names)
        return f"no class {text}: these weights know {first} ({names[first]}) to {last} ({names[last]})"
    originals = {_plain(name): name for name in names.values()}
    near = get_close_matches(_plain(text), list(originals), n=5, cutoff=0.5)
    alike = {name: SequenceMatcher(None, name, _plain(text)).ratio() for name in near}
    near = [originals[name] for name in near if alike[name] > alike[near[0]] - AS_NEAR]
    if near:
        return f"no class {text!r}; did you mean {' or '.join(near)}?"
    listed = ", ".join(list(originals.values())[:SHOWN])
    more = f" and {len(originals) - SHOWN} more" if len(originals) > SHOWN else ""
    return f"no class {text!r}; these weights know {listed}{more}"
