"""The rules of the house, read from the imports of every file."""

from __future__ import annotations

import ast
import functools
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {
    "ray",
    "fsspec",
    "starlette",
    "uvicorn",
    "ruamel",
    "torch",
    "ultralytics",
    "openvino",
    "nncf",
    "torchvision",
    "onnxruntime",
    "onnx",
}
PARTS = ("body", "orelse", "finalbody", "handlers", "cases")  # of a statement, in which others stand

# Who may import whom inside `tracker`, by file at its root or room; everybody may import from the own room.
CONTRACTS = ("contracts", "types", "canvas", "planes", "errors", "text", "parse", "threads", "handover")
ROLES = ("sources", "detectors", "trackers", "plugins", "drawing", "sinks")
BELOW_THE_RUN = (
    *CONTRACTS,
    *ROLES,
    "arguments",
    "options",
    "zones",
    "offline",
    "pipeline",
    "plugin_host",
    "report",
)
RULES: dict[str, tuple[str, ...]] = {
    # the root, from the ground up
    "text": (),
    "threads": (),
    "handover": (),
    "canvas": (),
    "planes": ("canvas",),
    "errors": ("text",),
    "parse": ("errors",),
    "types": ("canvas", "errors", "planes"),
    "contracts": ("canvas", "planes", "types"),
    "plugin_host": ("contracts", "types"),
    "pipeline": ("contracts", "plugin_host", "types"),
    "options": ("arguments", "errors", "parse", "detectors", "trackers"),
    # one room per role
    "sources": CONTRACTS,
    "detectors": CONTRACTS,
    "trackers": CONTRACTS,
    "plugins": CONTRACTS,
    "drawing": CONTRACTS,
    "sinks": (*CONTRACTS, "drawing"),
    # what is made of them
    "arguments": ("errors", "text", "parse"),
    "zones": (*CONTRACTS, "plugins"),
    "offline": (*CONTRACTS, "detectors", "pipeline", "sinks"),
    "report": (*CONTRACTS, "offline", "drawing", "plugins"),
    "run": BELOW_THE_RUN,
    "web": (*BELOW_THE_RUN, "run"),
    "archive": (*BELOW_THE_RUN, "run"),
    "commands": (*BELOW_THE_RUN, "run", "web", "archive"),
    "api": ("run", "options", "arguments", "contracts", "types"),
    "cli": ("run", "web", "commands", "detectors", "options", "arguments", "errors", "text", "plugins"),
    "__init__": ("api", "run", "options", "contracts", "types", "errors", "plugins"),
    "__main__": ("cli",),
}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def statements(tree: ast.Module) -> list[ast.stmt]:
    """Return all statements; the nodes of expressions, which are most of a tree, are passed over."""
    found: list[ast.stmt] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        inner = [each for part in PARTS for each in getattr(node, part, ())]
        found += [each for each in inner if isinstance(each, ast.stmt)]
        waiting += inner
    return found


def imports(path: Path, *, top_level_only: bool = False) -> set[str]:
    """Absolute dotted names imported by a file; ``from a import b`` gives ``a.b`` and ``a``."""
    tree = parsed(path)
    nodes = tree.body if top_level_only else statements(tree)
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


def room(path: Path) -> str:
    """Return the rule a file of ``tracker`` stands under: its room, or its own name at the root."""
    return path.relative_to(ROOT / "tracker").parts[0].removesuffix(".py")


def test_every_part_has_a_rule() -> None:
    assert {room(path) for path in modules("tracker")} == set(RULES)


def test_everybody_imports_only_who_stands_below() -> None:
    wrong = []
    for path in modules("tracker"):
        allowed = {room(path), *RULES[room(path)]}
        for name in imports(path):
            first, _, rest = name.partition(".")
            above = first == "tracker" and rest and rest.split(".")[0] not in allowed
            if above or first in {"tests", "benchmarks"}:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}: {sorted(allowed)}")
    assert not wrong


def test_no_two_parts_need_each_other() -> None:
    done: set[str] = set()
    while left := [part for part in RULES if part not in done]:
        ready = [part for part in left if set(RULES[part]) <= done]
        assert ready, f"a circle among {left}"
        done |= set(ready)


def test_no_two_files_need_each_other() -> None:
    """Not even by imports within functions, or for types: who reads one would have to know the other."""
    files = {module(path): path for folder in ("bytetrack", "tracker", "videos") for path in modules(folder)}
    needs = {}
    for name, path in files.items():
        named = {other for other in imports(path) if other in files and other != name}
        parents = {other.rpartition(".")[0] for other in named}  # `from tracker.sinks import csv` names both
        needs[name] = named - parents
    tuple(TopologicalSorter(needs).static_order())  # raises CycleError, which names them


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_bytetrack_knows_nothing_of_the_application() -> None:
    allowed = {"numpy", "scipy", "lap", "bytetrack"} | set(sys.stdlib_module_names)
    every = {(path.name, name) for path in modules("bytetrack") for name in imports(path)}
    assert len(every) > 50
    assert not {(path, name) for path, name in every if name.split(".")[0] not in allowed}


@pytest.mark.parametrize("name", ["types", "canvas", "errors", "text", "parse"])
def test_contracts_need_nothing_but_numpy(name: str) -> None:
    for other in imports(ROOT / f"tracker/{name}.py", top_level_only=True):
        top = other.split(".")[0]
        assert top in {"numpy", "bytetrack", "tracker"} or top in sys.stdlib_module_names, other


def test_heavy_imports_happen_where_they_are_used() -> None:
    """A heavy package at the top of a file would let ``--help`` wait for it."""
    wrong = []
    for path in (*modules("tracker"), *modules("bytetrack")):
        own = {"starlette", "uvicorn"} if path.is_relative_to(ROOT / "tracker/web") else set()
        packages = {name.split(".")[0] for name in imports(path, top_level_only=True)}
        wrong += [f"{path.relative_to(ROOT)} imports {name}" for name in packages & HEAVY - own]
    assert not wrong


def test_plugins_have_no_helper_beside_them() -> None:
    """In ``plugins`` stands what `track --plugin` finds; what they share stands in ``plugins/_shared``."""
    found = {path.stem for path in (ROOT / "tracker/plugins").glob("*.py")} - {"__init__"}
    assert found == {"line", "zone", "movement", "route", "heatmap", "speed", "follow"}
