"""Zone files from strangers: read in seconds, or refused in one line."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.quick import examples
from tracker.plugins._shared.geometry import self_intersection
from tracker.plugins.zone import Zone
from tracker.types import OptionError
from tracker.zones.file import load
from tracker.zones.shapes import from_text

SQUARE = "[[0, 0], [9, 0], [9, 9], [0, 9]]"


def many(count: int) -> str:
    return "size: [99, 99]\nzones:\n" + "".join(f"  z{n}:\n    points: {SQUARE}\n" for n in range(count))


def aliases() -> str:
    """Nine lists of nine aliases each: a billion words, were they written out."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    return "\n".join([*lines, "zones: {a: {points: *a8}}"])


ring = "[" + ", ".join(f"[{n / 5e5}, {n * n / 3e11}]" for n in range(45_000)) + "]"
DEEP = 5_000


@pytest.mark.slow_after(22)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(many(10_000), ":4003: more than 2000 lines and zones", marks=pytest.mark.slow),
        (f"zones: {{a: {{points: {ring}}}}}", ": is larger than 1 MB|:1: more than 40000 points"),
        pytest.param(
            "\n".join([f"[[{n}, 0], [{n}, 1]]" for n in range(20_001)]),
            "more than 2000 lines and zones",
            marks=pytest.mark.slow,
        ),
        (
            f"zones: {{a: {{points: {ring[:40_000].rpartition(', [')[0]}]}}}}",
            ":1: zone 'a' has [0-9]+ points; at most 1000",
        ),
        ("zones: {a: {points: [[" + "9" * 50_000 + ", 1], [2, 3], [4, 5]]}}", ":1: a number of 50000 digits"),
        ("zones: {a: {points: '" + "9" * 50_000 + ",1 2,3 4,5'}}", ":1: a number of 50000 digits"),
        ("[[" + "9" * 50_000 + ", 1], [2, 3], [4, 5]]", ":1: a number of 50000 digits"),
        ("size: [" + "9" * 50_000 + ", 5]\nzones: {}", ":1: a number of 50000 digits"),
        ("size: [nan, 5]\nzones: {}", ":1: size must be"),
        ("size: [1e400, 5]\nzones: {}", ":1: size must be"),
        ("zones: {a: {points: [[.nan, 1], [2, 3], [4, 5]]}}", ":1: .*numbers are expected here"),
        ("zones: {a: {points: [[nan, 1], [2, 3], [4, 5]]}}", ":1: zone 'a' has a point that is not a number"),
        (
            "zones: {a: {points: [[1e999, 1], [2, 3], [4, 5]]}}",
            ":1: zone 'a' has a point that is not a number",
        ),
        (f"zones: {{a: {{points: {SQUARE}, loiter: .inf}}}}", ":1: "),
        (f"zones: {{a: {{points: {SQUARE}, loiter: inf}}}}", ":1: loiter takes"),
        ("[" * DEEP, ":1: (more than 30 lists in one another|exceeded maximum nesting)"),
        ("{a: " * DEEP, ":1: more than 30 lists in one another"),
        ("- " * DEEP, ":1: more than 30 lists in one another"),
        ("\n".join(" " * n + f"a{n}:" for n in range(DEEP // 10)), "more than 30 lists in one another"),
        (aliases(), ":1: unknown entry 'a0'|: no|a point is"),
        ("&a [*a]", ":1: "),
        ("&a {zones: *a}", ":1: "),
        (f"zones: {{{'n' * 500}: {{points: {SQUARE}}}}}", "has a name of more than 200 letters"),
        (f"zones:\n  a:\n\tpoints: {SQUARE}\n", ":3: .*is this a zone file"),
        ("\n" * 1_000_000 + "[", ": "),
        (" " * 1_000_000 + "x", ":1: contains no lines or zones"),
        ("a" * 1_000_000, ":1: "),
        ("1" * 1_000_000, ":1: "),
        ("(" * 1_000_000, ": "),
        ("[1" + " " * 500_000, ":1: "),
        ("[1," + " " * 500_000 + "x]", ":1: "),
        ("x" * 2_000_000, ": is larger than 1 MB"),
    ],
)
def test_a_limit_and_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "z.yaml"
    path.write_text(text)
    started = time.perf_counter()
    with pytest.raises(OptionError, match=said) as caught:
        load(path, (99, 99))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500
    assert str(caught.value).startswith(str(path))
    assert time.perf_counter() - started < 30  # seconds where it should be one: a guard against hours


@pytest.mark.parametrize(
    "text", ["9" * 60_000, "0,0 " + "1" * 60_000, "(" * 60_000, "[1" + " " * 60_000, "a" * 60_000 + "=1"]
)
def test_the_command_lines_shapes_end_soon(text: str) -> None:
    with pytest.raises(OptionError):
        from_text("zone", text, 1, (99, 99))


@pytest.mark.slow
def test_a_thousand_zones_are_read_and_made(tmp_path: Path) -> None:
    path = tmp_path / "z.yaml"
    path.write_text(many(1000))
    shapes = load(path)
    assert len(shapes) == 1000
    assert all(isinstance(shape.plugin((99, 99)), Zone) for shape in shapes)


def test_names_cannot_move_a_cursor(tmp_path: Path) -> None:
    path = tmp_path / "z.yaml"
    path.write_text('lines: [{name: "a\\e[31m", in: "i\\u202e", points: [[0, 0], [1, 1]]}]')
    (shape,) = load(path)
    assert (shape.name, shape.names) == (r"a\x1b[31m", (r"i\u202e", "out"))


@pytest.mark.parametrize(
    "text",
    [
        f"zones: {{a: {{points: {SQUARE[:-1]}, [0, 0]]}}}}",
        "zones: {a: {points: '0,0 9,0 9,9 0,9 0,0'}}",
        f"[{SQUARE[1:-1]}, [0, 0]]",
    ],
)
def test_a_closed_ring_is_a_polygon(tmp_path: Path, text: str) -> None:
    path = tmp_path / "z.yaml"
    path.write_text(text)
    (shape,) = load(path, (9, 9))
    assert shape.points == ((0, 0), (9, 0), (9, 9), (0, 9))
    assert from_text("zone", "0,0 9,0 9,9 0,9 0,0", 1, (9, 9)).points == shape.points
    assert len(Zone([*shape.points, shape.points[0]])._polygon) == 4


@examples(300)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=8), st.booleans())
def test_parts_that_meet_are_found_as_one_by_one(points: list[tuple[int, int]], closed: bool) -> None:
    assert self_intersection(points, closed=closed) == one_by_one(points, closed)


def one_by_one(points: list[tuple[int, int]], closed: bool) -> tuple[int, int] | None:
    """The definition: exact, with whole numbers, pair by pair."""

    def turn(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    def on(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> bool:
        return turn(a, b, c) == 0 and all(
            min(p, q) <= r <= max(p, q) for p, q, r in zip(a, b, c, strict=True)
        )

    ends = [*points[1:], *(points[:1] if closed else [])]
    parts = list(zip(points, ends, strict=False))
    for (i, (a, b)), (j, (c, d)) in itertools.combinations(enumerate(parts), 2):
        if j == i + 1 or (closed and i == 0 and j == len(parts) - 1):
            p, q, r, s = (a, b, c, d) if a != d else (c, d, a, b)
            u, v = np.subtract(q, p), np.subtract(s, r)
            met = u[0] * v[1] - u[1] * v[0] == 0 and int(u @ v) < 0
        else:
            proper = turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0
            met = proper or on(a, b, c) or on(a, b, d) or on(c, d, a) or on(c, d, b)
        if met:
            return i, j
    return None
