from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tracker import plugins
from tracker.plugins.line import Line
from tracker.types import OptionError


def test_ours_come_through_the_same_door() -> None:
    assert plugins.load("line") is Line
    assert isinstance(plugins.make("line", points=[(0, 0), (9, 0)], name="door"), Line)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("lime", {}, "no plugin 'lime', did you mean 'line'"),
        ("line", {}, "needs the option 'points'"),
        ("line", {"point": 3}, "no option 'point', did you mean 'points'"),
        ("line", {"points": 3}, "has no list of points .*; give two or more"),
    ],
)
def test_mistakes_name_what_was_meant(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        plugins.make(name, **options)


def install(folder: Path, target: str, source: str) -> None:
    """Lay down what pip leaves behind of a small distribution."""
    sys.modules.pop("lamp", None)  # another test's
    (folder / "lamp.py").write_text(source)
    info = folder / "lamp-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lamp\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[track.plugins]\nlamp = {target}\n")


def test_a_broken_plugin_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    install(tmp_path, "lamp:Lamp", "import nowhere_to_be_found\n")
    with pytest.raises(OptionError, match=r"lamp:Lamp.*nowhere_to_be_found"):
        plugins.load("lamp")


def test_what_is_no_dataclass_is_no_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    install(tmp_path, "lamp2:Lamp", "")
    (tmp_path / "lamp2.py").write_text("class Lamp: ...\n")
    with pytest.raises(OptionError, match="must be a dataclass"):
        plugins.load("lamp")


def test_a_plugin_that_never_looks_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    body = (
        "from dataclasses import dataclass\nfrom tracker import Plugin\n@dataclass\nclass Lamp(Plugin): ...\n"
    )
    install(tmp_path, "lamp3:Lamp", "")
    (tmp_path / "lamp3.py").write_text(body)
    with pytest.raises(OptionError, match="with a method update"):
        plugins.load("lamp")


@pytest.mark.parametrize("fault", ["KeyError('x')", "SystemExit(3)", "AttributeError('y')"])
def test_one_that_fails_while_it_is_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    source = f"""
from dataclasses import dataclass
@dataclass
class Lamp:
    watts: int = 1
    def __post_init__(self): raise {fault}
    def update(self, frame, tracks): return []
"""
    module = f"lamp_{fault.partition('(')[0]}"  # of its own: what is imported once stays
    install(tmp_path, f"{module}:Lamp", "")
    (tmp_path / f"{module}.py").write_text(source)
    with pytest.raises(OptionError, match=rf"'lamp' cannot take .*'watts': 3.*: {fault.partition('(')[0]}"):
        plugins.make("lamp", watts=3)
