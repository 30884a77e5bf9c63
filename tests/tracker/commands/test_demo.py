"""``track demo``: renders, follows, and tells what is true."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tracker.commands.demo import command
from videos import street


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, and a scene of two frames in which everybody walks: rendering takes no time."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_: str(tmp_path / "cache"))
    together = [replace(visit, path="0,300,400 1,310,400") for visit in street.VISITS]
    monkeypatch.setattr(street, "VISITS", tuple(together))
    monkeypatch.setattr(street, "FRAMES", 2)
    return tmp_path / "cache" / "street"


def test_the_demo_runs_over_the_clip_and_tells_what_is_true(
    cache: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    asked: list[tuple[str, Any, bool]] = []

    def execute(source: str, options: Any, *, quiet: bool) -> int:
        asked.append((source, options, quiet))
        return 0

    monkeypatch.setattr("tracker.run.terminal.execute", execute)
    out = str(tmp_path / "out.mp4")
    done = CliRunner().invoke(command, ["-o", out], standalone_mode=False)
    assert done.exception is None and done.return_value == 0
    [(source, options, quiet)] = asked
    assert Path(source) == cache / "street.mp4" and Path(source).is_file()
    assert options.output == out and options.classes == ("person",) and not quiet
    assert options.tracker == "bytetrack"
    assert options.line[0] == "bakery=200,300 200,540"
    assert "true: 7 visits of 6 people; bakery in" in done.output
    before = Path(source).stat().st_mtime_ns
    again = CliRunner().invoke(command, ["-q"], standalone_mode=False)
    assert Path(source).stat().st_mtime_ns == before, "rendered once"
    assert again.output == ""


def invoke(*words: str) -> None:
    CliRunner().invoke(command, words, standalone_mode=False, catch_exceptions=False)


@pytest.mark.slow
def test_the_clip_is_left_where_it_is_asked_for_and_replaces_nothing(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracker.errors import OutputError

    monkeypatch.setattr("tracker.run.terminal.execute", lambda *_, **__: 0)
    place = tmp_path / "street.mp4"
    for _ in range(2):
        invoke("-q", "--clip", str(place))
        assert place.read_bytes() == (cache / "street.mp4").read_bytes()
    place.write_bytes(b"mine")
    with pytest.raises(OutputError, match="is a different file"):
        invoke("-q", "--clip", str(place))
    assert place.read_bytes() == b"mine"


def test_a_cache_that_cannot_be_written_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracker.errors import InputError

    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_: str(tmp_path / "file"))
    with pytest.raises(InputError, match="cannot render the street into"):
        CliRunner().invoke(command, [], standalone_mode=False, catch_exceptions=False)


@pytest.mark.slow
def test_nothing_is_overwritten_that_the_demo_did_not_make(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracker.errors import OptionError, OutputError

    asked: list[str] = []
    monkeypatch.setattr(
        "tracker.run.terminal.execute", lambda _, options, **__: asked.append(options.output) or 0
    )
    monkeypatch.chdir(tmp_path)
    Path("street_output.mp4").write_text("mine")
    invoke("-q")
    invoke("-q", "-o", "new.mp4")
    assert asked == ["street_output-2.mp4", "new.mp4"]
    with pytest.raises(OutputError, match="exists; add --overwrite"):
        invoke("-q", "-o", "street_output.mp4")
    with pytest.raises(OptionError, match="-o and --clip would both write"):
        invoke("-q", "-o", "x.mp4", "--clip", "x.mp4")
    with pytest.raises(OptionError, match="is the street itself"):
        invoke("-q", "-o", str(cache / "street.mp4"), "--overwrite")
    Path("link.mp4").symlink_to("nothing.mp4")
    with pytest.raises(OutputError, match="is a different file"):
        invoke("-q", "--clip", "link.mp4")
    assert not Path("nothing.mp4").exists() and Path("street_output.mp4").read_text() == "mine"
