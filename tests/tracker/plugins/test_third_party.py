"""The plugin of the manual, built, installed and run as anybody's would be."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RUN = """
from bytetrack import BYTETracker, Detections
from tests.tracker.fakes import ListDetector, frames
from tracker import pipeline, plugins
from tracker.drawing.annotate import draw

assert plugins.available()["crowd"].value == "crowd:Crowd"
crowd = plugins.make("crowd", limit=1)
boxes = [[[10 * k, 5, 10 * k + 8, 40] for k in range(1 + (index >= 4))] for index in range(12)]
found = [Detections(xyxy, [0.9] * len(xyxy), [0] * len(xyxy)) for xyxy in boxes]
results = list(pipeline.run(frames(12), ListDetector(found), BYTETracker(frame_rate=25), [crowd]))
for event in (event for result in results for event in result.events):
    print(event.kind, event.data["objects"])
assert any(mark.kind == "table" for mark in results[-1].marks)
assert (draw(results[-1], {0: "person"}) != results[-1].frame.image).any()
"""


def blocks(language: str, section: str) -> list[str]:
    manual = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    text = manual.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_plugin_of_the_manual_is_short_and_runs_when_installed(tmp_path: Path) -> None:
    for needed, first in (
        ("pip", 21),
        ("setuptools", 77),
    ):  # asked by metadata: an old setuptools minds imports
        try:
            found = int(importlib.metadata.version(needed).split(".")[0])
        except importlib.metadata.PackageNotFoundError:
            found = 0
        if found < first:
            pytest.skip(f"needs {needed} {first} or later to build and install a distribution")
    (source,), (project,) = (blocks(name, "Write your own plugin") for name in ("python", "toml"))
    assert len([line for line in source.splitlines() if line.strip()]) <= 15
    folder, target = tmp_path / "track-crowd", tmp_path / "installed"
    folder.mkdir()
    (folder / "crowd.py").write_text(source, encoding="utf-8")
    (folder / "pyproject.toml").write_text(project, encoding="utf-8")
    offline = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    run("-m", "pip", "install", "-q", *offline, "--target", target, folder, cwd=tmp_path)
    path = os.pathsep.join([str(target), str(ROOT)])
    assert run("-c", RUN, cwd=ROOT, PYTHONPATH=path).split() == ["crowd.full", "2"]
