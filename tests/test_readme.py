"""Every Python block of the README runs as it stands, in a folder with nothing but a street."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tracker.squares import SquareDetector

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def sections() -> dict[str, list[str]]:
    parts = re.split(r"^## (.+)$", README, flags=re.MULTILINE)
    found = {
        title: re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        for title, text in zip(parts[1::2], parts[2::2], strict=True)
    }
    return {title: blocks for title, blocks in found.items() if blocks}


@pytest.mark.parametrize("title", sections())
def test_the_blocks_of_a_section_run_one_after_the_other(
    title: str, make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: object
) -> None:
    monkeypatch.setattr("tracker.run.build_detector.open_detector", lambda *_, **__: SquareDetector())
    clip = make_video(size=(960, 540), frames=8)
    shutil.move(clip, clip.with_name("street.mp4"))
    monkeypatch.chdir(clip.parent)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in sections()[title]:
        exec(compile(block, f"README.md, {title}", "exec"), names)


def test_there_are_blocks() -> None:
    assert {"Python", "bytetrack alone", "Write your own plugin"} <= set(sections())
