"""A junction's movements in words: a matrix of where from and where to, and what is incomplete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

Totals = Counter[tuple[str, str, str]]  # (from, to, class); "" where it came in, or left, unseen
MOST_WIDE = 100  # letters of a matrix; a wider one is told pair by pair
MOST_ROWS = 8  # of the table on the picture


def matrix_rows(
    name: str, sections: Sequence[str], names: Mapping[tuple[str, str], str], totals: Totals, doubtful: int
) -> list[tuple[str, str]]:
    """Return the rows for the terminal.

    >>> totals = Counter({("north", "east", "car"): 12, ("east", "", "car"): 1})
    >>> for row in matrix_rows("gate", ["north", "east"], {}, totals, 1):
    ...     print(f"{row[0]:<20}", row[1])
    gate                 12 movements, 1 of them doubtful; incomplete: 1 (7.7 %)
    gate                 to north  to east  never left
    gate from north             0       12           0
    gate from east              0        0           1
    gate never came in          0        0
    """
    pairs = by_pair(totals)
    complete = sum(count for (origin, to), count in pairs.items() if origin and to)
    incomplete = sum(pairs.values()) - complete
    hint = '; see with `track zones check` whether each "in" leads into it' if not complete else ""
    share = f" ({100 * incomplete / (complete + incomplete):.1f} %){hint}" if incomplete else ""
    sure = f", {doubtful} of them doubtful" if doubtful else ""
    rows = [(name, f"{complete} movements{sure}; incomplete: {incomplete}{share}")]
    heads = [*(f"to {section}" for section in sections), "never left"]
    widths = [max(len(head), 6) for head in heads]
    if sum(widths) + 2 * len(widths) <= MOST_WIDE:
        rows.append((f"{name} ", _cells(heads, widths)))
        for origin in sections:
            counts = [str(pairs[origin, to]) for to in (*sections, "")]
            rows.append((f"{name} from {origin}", _cells(counts, widths)))
        rows.append((f"{name} never came in", _cells([str(pairs["", to]) for to in sections], widths)))
    else:
        rows += [(f"{name} {pair_in_words(*pair)}", str(count)) for pair, count in pairs.most_common()]
    return rows + [(f"{name} {called}", by_class(each)) for called, each in by_name(names, totals).items()]


def table_rows(names: Mapping[tuple[str, str], str], totals: Totals) -> list[tuple[str, str]]:
    """Return the rows for the picture: by name where pairs have one, else the most frequent pairs."""
    pairs = by_pair(totals)
    rows = {called: sum(each.values()) for called, each in by_name(names, totals).items()}
    others = [(pair, n) for pair, n in pairs.most_common() if all(pair) and pair not in names and n]
    rows |= {pair_in_words(*pair): n for pair, n in others[: max(MOST_ROWS - len(rows), 0)]}
    incomplete = sum(count for pair, count in pairs.items() if not all(pair))
    return [*((called, str(n)) for called, n in rows.items()), ("incomplete", str(incomplete))]


def by_pair(totals: Totals) -> Counter[tuple[str, str]]:
    """Add up the classes."""
    pairs: Counter[tuple[str, str]] = Counter()
    for (origin, to, _), count in totals.items():
        pairs[origin, to] += count
    return pairs


def by_name(names: Mapping[tuple[str, str], str], totals: Totals) -> dict[str, Counter[str]]:
    """Return the counts by class of each name that pairs have: several may have the same."""
    named: dict[str, Counter[str]] = {called: Counter() for called in names.values()}
    for (origin, to, class_name), count in totals.items():
        if (origin, to) in names:
            named[names[origin, to]][class_name] += count
    return named


def by_class(counts: Counter[str]) -> str:
    """Return a total, by class where there is more than one.

    >>> by_class(Counter(car=3, bus=1))
    '4  (car 3, bus 1)'
    """
    parts = [(name, n) for name, n in counts.most_common() if n]
    inner = f"  ({', '.join(f'{name} {n}' for name, n in parts)})" if len(parts) > 1 else ""
    return f"{sum(counts.values())}{inner}"


def pair_in_words(origin: str, to: str) -> str:
    """Return a pair as the zone file names it.

    >>> pair_in_words("north", "east"), pair_in_words("north", ""), pair_in_words("", "east")
    ('north>east', 'north>?', '?>east')
    """
    return f"{origin or '?'}>{to or '?'}"


def _cells(texts: Iterable[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{text:>{width}}" for text, width in zip(texts, widths, strict=False))
