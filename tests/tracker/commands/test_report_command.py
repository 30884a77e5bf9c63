"""``track report`` as somebody types it: what it writes, and one line for each mistake."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tracker.report.runs import EIGHT, crossing, scene, visit, write
from tracker.cli import main


@pytest.fixture
def run(tmp_path: Path) -> Path:
    doubt = crossing(3.0, "door", "out", sure=0.6, why="low score", x=40.0, y=30.0)
    return write(tmp_path / "run", [crossing(1.0), doubt, *visit(1, 4)], 10)


@pytest.fixture
def track(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def call(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(["report", *map(str, words)])
        told = capsys.readouterr()
        return int(end.value.code or 0), told.out, told.err

    return call


Track = Callable[..., tuple[int, str, str]]


@pytest.mark.slow
def test_a_page_and_a_spreadsheet(tmp_path: Path, run: Path, track: Track) -> None:
    pytest.importorskip("xlsxwriter")
    page, book = tmp_path / "r.html", tmp_path / "r.xlsx"
    status, out, err = track(run, "-o", page, "--xlsx", book, "--title", "Street <1>", "--interval", "5s")
    assert (status, err) == (0, "")
    assert "door in" in out
    assert "Street &lt;1&gt;" in page.read_text()
    assert book.read_bytes()[:2] == b"PK"
    assert track(run, "-o", page)[2].endswith(
        "r.html: exists; add --overwrite, or choose another name with -o\n"
    )
    assert track(run, "-o", page, "--overwrite", "-q") == (0, "", "")


@pytest.mark.slow
def test_pictures_of_the_video(
    tmp_path: Path, run: Path, track: Track, make_video: Callable[..., Path]
) -> None:
    page = tmp_path / "r.html"
    status, _, _ = track(run, "--video", make_video(frames=100), "-o", page)
    assert status == 0
    assert page.read_text().count('src="data:image/jpeg') == 1  # the doubtful crossing
    assert page.read_text().count('href="data:image/jpeg') == 1  # the scene


def test_a_recording_gets_its_time_of_day(tmp_path: Path, run: Path, track: Track) -> None:
    page = tmp_path / "r.html"
    assert track(run, "-o", page, "--began", "2026-11-27T08:00:00+01:00", "-q")[0] == 0
    assert "2026-11-27 08:00:00 to 2026-11-27 08:00:10, UTC+01:00" in page.read_text()


@pytest.mark.slow
def test_a_pdf(tmp_path: Path, run: Path, track: Track) -> None:
    if not shutil.which("chromium"):
        pytest.skip("needs Chromium")
    status, _, err = track(run, "-o", tmp_path / "r.html", "--pdf", tmp_path / "r.pdf", "-q")
    assert (status, err) == (0, "")
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")


def test_without_a_browser_nothing_is_written(
    tmp_path: Path, run: Path, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tracker.report.paper.PLACES", ())
    status, _, err = track(run, "-o", tmp_path / "r.html", "--pdf", tmp_path / "r.pdf")
    assert (status, err.count("\n")) == (2, 1)
    assert "--pdf needs Chromium or Chrome, and none is installed" in err
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["RUN", "--began", "2026-11-27T08:00"], "the time zone is missing; add it as the offset from UTC"),
        (["RUN", "--began", "noon"], "--began 'noon': is no time; write 2026-"),
        (["RUN", "RUN"], "nothing tells when events was recorded, and several runs need one clock"),
        (["RUN", "--interval", "0"], "--interval 0: give at least 1s"),
        (["RUN", "--interval", "often"], "--interval"),
        (["RUN", "--truth", "TEXT"], "hand.csv: has no column 'name'"),
        (["TEXT"], "its first line is none of a run's"),
        (["nowhere"], "nowhere: no such file or folder"),
        (["RUN", "--xlsx", "r.ods"], "--xlsx r.ods: give a name that ends in .xlsx"),
        (["RUN", "-o", "r.pdf"], "-o r.pdf: the report is a page; give a name that ends in .html"),
        (["RUN", "--video", "nowhere.mp4"], "nowhere.mp4"),
        ([], "RUN"),
    ],
)
def test_a_mistake_is_one_line(
    tmp_path: Path, run: Path, track: Track, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("xlsxwriter")
    monkeypatch.chdir(tmp_path)
    Path("hand.csv").write_text("start_s,end_s,line,direction,count\n0,9,door,in,1\n")
    meant = {"RUN": str(run), "TEXT": "hand.csv"}
    status, _, err = track(*(meant.get(word, word) for word in words))
    assert (status, err.count("\n")) == (2, 1), err
    assert said in err
    assert not Path("report.html").exists()


def test_days_are_told_apart_by_the_clock(tmp_path: Path, track: Track) -> None:
    days = [write(tmp_path / f"d{n}", [crossing(1.0)], 10, scene(EIGHT + 86400 * n)) for n in range(2)]
    status, out, _ = track(*days, "-o", tmp_path / "r.html")
    assert status == 0
    assert "door in" in out
