"""What makes the clip and the pictures can be asked what it does, and does nothing then."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("word", ["--help", "--hlep"])
@pytest.mark.parametrize("name", ["street", "pictures", "page_picture", "shapes_picture"])
def test_a_word_with_dashes_is_no_folder(
    name: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [name, word])
    with pytest.raises(SystemExit) as left:
        importlib.import_module(f"videos.{name}").main()
    assert left.value.code == (0 if word == "--help" else 2)
    told = capsys.readouterr()
    assert f"python -m videos.{name}" in told.out + told.err
    assert not list(tmp_path.iterdir())
