"""The rules of the house, read from the imports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("sources", "detectors", "plugins", "sinks")
HEAVY = {"torch", "ultralytics", "openvino", "nncf", "torchvision", "onnxruntime", "onnx"}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path, *, top_level_only: bool = False) -> set[str]:
    """Absolute dotted names imported by a file; ``from a import b`` gives ``a.b`` and ``a``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else list(ast.walk(tree))
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("path", modules("bytetrack"), ids=str)
def test_bytetrack_knows_nothing_of_the_application(path: Path) -> None:
    allowed = {"numpy", "scipy", "lap", "bytetrack", "__future__"}
    import sys

    for name in imports(path):
        top = name.split(".")[0]
        assert top in allowed or top in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_contracts_import_only_bytetrack_and_numpy() -> None:
    import sys

    for name in imports(ROOT / "tracker/types.py", top_level_only=True):
        top = name.split(".")[0]
        assert (
            top in {"numpy", "bytetrack"} or within(name, "tracker.errors") or top in sys.stdlib_module_names
        ), name


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_know_the_contracts_and_themselves_only(room: str) -> None:
    for path in modules(f"tracker/{room}"):
        for name in imports(path):
            if not within(name, "tracker"):
                continue
            allowed = ["tracker.types", "tracker.threads", "tracker.text", f"tracker.{room}"] + (
                ["tracker.drawing.annotate"] if room == "sinks" else []
            )
            assert name == "tracker" or any(within(name, a) for a in allowed), (
                f"{path.relative_to(ROOT)} imports {name}; allowed: {', '.join(allowed)}"
            )


def test_the_loop_knows_only_the_contracts() -> None:
    for name in imports(ROOT / "tracker/pipeline.py"):
        assert not within(name, "tracker") or within(name, "tracker.types") or name == "tracker", name


@pytest.mark.parametrize("path", modules("tracker") + modules("bytetrack"), ids=str)
def test_heavy_imports_happen_where_they_are_used(path: Path) -> None:
    heavy = {name for name in imports(path, top_level_only=True) if name.split(".")[0] in HEAVY}
    assert not heavy, f"{path.relative_to(ROOT)} imports {heavy} at its top: --help would wait for it"


def test_nobody_imports_the_command_line() -> None:
    for path in modules("tracker"):
        if path.relative_to(ROOT).as_posix() in ("tracker/cli.py", "tracker/__main__.py"):
            continue
        assert not any(within(name, "tracker.cli") for name in imports(path)), path
