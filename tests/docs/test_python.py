"""Every Python block of a page runs as it stands, in a folder with nothing but videos."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, blocks, name
from tests.tracker.squares import SquareDetector

WITH_PYTHON = [page for page in PAGES if blocks(page, "python")]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=name)
def test_the_blocks_of_a_page_run(
    page: Path, make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: object
) -> None:
    """The detector finds a bright square instead of people; everything else is real."""
    monkeypatch.setattr("tracker.run.build_detector.open_detector", lambda *_, **__: SquareDetector())
    clip = make_video(size=(960, 540), frames=4)
    for video in ("street.mp4", "gate.mp4", "yard.mp4"):
        shutil.copy(clip, clip.with_name(video))
    monkeypatch.chdir(clip.parent)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page, "python"):
        exec(compile(block, name(page), "exec", dont_inherit=True), names)


def test_there_are_blocks() -> None:
    found = {name(page) for page in WITH_PYTHON}
    wanted = {"README.md", "README.es.md", "CONTRIBUTING.md"}
    assert wanted | {f"docs/{page}.md" for page in ("python", "trackers", "plugins")} <= found
