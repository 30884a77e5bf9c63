"""Which claims are one file, and what a free name is: the rules, without a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.errors import OptionError, OutputError
from tracker.run.claims import Claim, Claims


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def one(path: str, other: str) -> bool:
    return Claim.of("a", Path(path)).is_one_with(Claim.of("b", Path(other)))


def test_files_that_exist_are_compared_by_what_they_are() -> None:
    Path("a.txt").write_text("")
    Path("b.txt").write_text("")
    Path("link.txt").symlink_to("a.txt")
    Path("twin.txt").hardlink_to("a.txt")
    assert one("a.txt", "a.txt") and one("a.txt", "link.txt") and one("twin.txt", "a.txt")
    assert not one("a.txt", "b.txt") and not one("link.txt", "b.txt")


def test_files_that_do_not_exist_are_compared_by_folder_and_name() -> None:
    Path("sub").mkdir()
    Path("other").symlink_to("sub")
    Path("a.txt").write_text("")
    assert (
        one("new.txt", "new.txt") and one("sub/new.txt", "other/new.txt") and one("new.txt", "sub/../new.txt")
    )
    assert (
        not one("new.txt", "newer.txt") and not one("new.txt", "sub/new.txt") and not one("new.txt", "a.txt")
    )
    assert not one("none/new.txt", "none/new.txt"), "no folder, no file: whoever writes it says so"


def test_a_name_that_another_output_will_have_is_taken() -> None:
    with Claims() as claims:
        claims.write("-o", "out.mp4")
        assert claims.is_taken(Path("out.mp4")) and not claims.is_taken(Path("out-2.mp4"))
        Path("old.png").write_text("")
        assert claims.is_taken(Path("old.png"))
        assert claims.another(Path("new.png")) == Path("new.png")
        free = claims.another(Path("old.png"))
        assert free.name == "old-2.png"
        assert claims.is_taken(free), "and it is claimed itself"
        assert claims.another(Path("old.png")).name == "old-3.png"


def test_what_is_written_is_nobody_elses_until_the_end() -> None:
    with Claims() as first:
        first.write("-o", "out.mp4")
        first.write("--events", "free.jsonl", lock=False)
        with Claims() as second:
            second.write("--events", "free.jsonl")
            with pytest.raises(OutputError, match=r"^out\.mp4: another run is writing it"):
                second.write("-o", "out.mp4")
    with Claims() as third:
        third.write("-o", "out.mp4")


def test_what_is_read_is_not_written_whichever_comes_first() -> None:
    Path("in.mp4").write_text("")
    message = r"^-o in\.mp4: is the video itself"
    with Claims() as claims:
        claims.read("the video", "in.mp4")
        with pytest.raises(OptionError, match=message):
            claims.write("-o", "in.mp4")
    with Claims() as claims:
        claims.write("-o", "in.mp4", lock=False)
        with pytest.raises(OptionError, match=message):
            claims.read("the video", "in.mp4")
    with Claims() as claims, Claims() as others:
        claims.read("the video", "in.mp4")
        others.read("the video", "in.mp4")  # both may read
        claims.read("the video", "none.mp4")  # whoever opens it says that it is not there
        claims.write("-o", "none.mp4")


def test_no_picture_of_a_folder_that_is_read_is_written() -> None:
    Path("film").mkdir()
    Path("film/1.png").write_text("")
    message = r"^--snapshot film/1\.png: belongs to the pictures"
    with Claims() as claims:
        claims.read("the pictures", "film")
        claims.write("--snapshot", "film/2.png")  # was not among them
        with pytest.raises(OptionError, match=message):
            claims.write("--snapshot", "film/1.png")
    with Claims() as claims:
        claims.write("--snapshot", "film/1.png", lock=False)
        with pytest.raises(OptionError, match=message):
            claims.read("the pictures", "film")


def test_two_outputs_are_two_files() -> None:
    with Claims() as claims:
        claims.write("--events", "-")
        with pytest.raises(OptionError, match=r"^--counts -: only one output can be standard output"):
            claims.write("--counts", "-")
        claims.write("--events", "a.jsonl")
        with pytest.raises(OptionError, match=r"^--events and --counts would both write a\.jsonl"):
            claims.write("--counts", "a.jsonl")
        claims.write("-o", "/dev/null")
        claims.write("--crop", "/dev/null")  # a device holds nothing that could be lost
