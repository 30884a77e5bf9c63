"""What a person writes by hand, read in one way wherever it may be written: durations, sizes, class names.

Imports no numpy, so that ``track --help`` may use it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from tracker.errors import OptionError

UNITS_S = {"": 1.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
CLOSE = 0.6  # likeness (0 to 1, `difflib`) from which one word may be meant by another
AS_CLOSE = 0.08  # of likeness: words farther behind the closest are not meant
SHOWN = 10  # class names listed where nothing is spelt alike


def seconds(text: str) -> float:
    """Return the seconds of ``90``, ``1:30``, ``0:01:30.5``, ``90s``, ``1.5m``, ``10min``, ``24h`` or ``7d``.

    A sign is kept: whoever asks checks the range. Raises ``OptionError``, to be put behind the option's name.

    >>> seconds("1:30"), seconds("1:02:03.5"), seconds("2m"), seconds("0.5"), seconds("7d")
    (90.0, 3723.5, 120.0, 0.5, 604800.0)
    """
    plain = text.strip().lower()
    if clock := re.fullmatch(r"(?:(\d{1,9}):)?([0-5]?\d):([0-5]?\d(?:\.\d+)?)", plain):
        return 3600 * int(clock[1] or 0) + 60 * int(clock[2]) + float(clock[3])
    number = re.fullmatch(r"([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?) *([a-z]*)", plain)
    if number is None or number[2] not in UNITS_S:
        raise OptionError(f"takes a time such as 90, 1:30, 90s, 10m, 24h or 7d, not {text!r}")
    return float(number[1]) * UNITS_S[number[2]]


def size(text: str) -> tuple[int, int]:
    """Return width and height in pixels of ``1280x720``; raises ``OptionError`` as `seconds` does.

    >>> size("1280x720"), size("640 X 480")
    ((1280, 720), (640, 480))
    """
    sides = re.fullmatch(r"(\d{1,5}) *[x×] *(\d{1,5})", text.strip().lower())
    if sides is None or not int(sides[1]) or not int(sides[2]):
        raise OptionError(f"takes WIDTHxHEIGHT, such as 1280x720, not {text!r}")
    return int(sides[1]), int(sides[2])


def near_miss(word: str, known: Iterable[str], close: float = CLOSE) -> str:
    """Return ``, did you mean 'person'?`` where something is spelt alike, else nothing.

    >>> near_miss("cart", ["cat", "car", "zebra"]), near_miss("dog", ["cat"])
    (", did you mean 'cat' or 'car'?", '')
    """
    found = difflib.get_close_matches(word, list(known), n=3, cutoff=close)
    alike = {name: difflib.SequenceMatcher(None, name, word).ratio() for name in found}
    meant = [repr(name) for name in found if alike[name] > alike[found[0]] - AS_CLOSE]
    return f", did you mean {' or '.join(meant)}?" if meant else ""


def class_ids(wanted: Iterable[str | int] | None, names: Mapping[int, str]) -> list[int] | None:
    """Return the class ids of names or ids, sorted; ``None`` (all classes) when nothing is asked for.

    Upper and lower case, and ``_`` or ``-`` for a space, make no difference; a name that two classes have
    means both; blanks part names as commas do. Raises ``OptionError`` with the near misses.

    >>> class_ids(["Car", 0, "2"], {0: "person", 1: "bicycle", 2: "car"})
    [0, 2]
    >>> class_ids(["car person"], {0: "person", 1: "traffic light", 2: "car"})
    [0, 2]
    """
    by_name: dict[str, set[int]] = {}
    for class_id, name in names.items():
        by_name.setdefault(plain(name), set()).add(class_id)
    found: set[int] = set()
    for item in wanted or ():
        text = str(item).strip()
        if plain(text) in by_name:
            found |= by_name[plain(text)]
        elif text.isdecimal() and int(text) in names:
            found.add(int(text))
        elif len(words := text.split()) > 1 and all(plain(word) in by_name for word in words):
            found |= {class_id for word in words for class_id in by_name[plain(word)]}
        else:
            raise OptionError(_unknown_class(text, names))
    return sorted(found) or None


def plain(name: str) -> str:
    """Return a class name in the form in which names are compared.

    >>> plain("Traffic_light")
    'traffic light'
    """
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


def _unknown_class(text: str, names: Mapping[int, str]) -> str:
    if text.lstrip("-").isdecimal() and names:
        first, last = min(names), max(names)
        return f"unknown class {text}; there are {first} ({names[first]}) to {last} ({names[last]})"
    originals = {plain(name): name for name in names.values()}
    if guess := near_miss(plain(text), originals):
        return f"unknown class {text!r}{guess}"
    listed = ", ".join(list(originals.values())[:SHOWN])
    more = f" and {len(originals) - SHOWN} more" if len(originals) > SHOWN else ""
    return f"unknown class {text!r}; there are {listed}{more}"
