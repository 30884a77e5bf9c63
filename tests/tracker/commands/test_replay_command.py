from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from click import UsageError
from click.testing import CliRunner

from tracker.cli import main
from tracker.commands.replay import command
from tracker.drawing.figure import figure
from tracker.options import Options
from tracker.run.replay import WithSavedTracks
from tracker.run.session import Session
from tracker.types import Image, OptionError, Picture


def replay(*arguments: str | Path) -> str:
    result = CliRunner().invoke(
        command, list(map(str, arguments)), catch_exceptions=False, standalone_mode=False
    )
    if result.exception:
        raise result.exception
    return result.output


@pytest.fixture
def tracks(tmp_path: Path) -> Path:
    """A person who walks from left to right in twelve frames at 25 fps."""
    path = tmp_path / "tracks.csv"
    rows = [f"{n},{n / 25:.6f},{n * 10},20,{n * 10 + 20},60,0,person,0.9,1" for n in range(12)]
    header = "frame,time_s,x_min,y_min,x_max,y_max,class_id,class_name,confidence,tracker_id"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_it_counts_without_the_recording(tmp_path: Path, tracks: Path) -> None:
    events, counts = tmp_path / "e.jsonl", tmp_path / "c.csv"
    told = replay(
        tracks, "--size", "160x96", "--line", "door=80,0 80,96", "--zone", "till=20,40 60,40 60,90 20,90",
        "--events", events, "--counts", counts,
    )  # fmt: skip
    happened = [(row["kind"], row["name"]) for row in map(json.loads, events.read_text().splitlines())]
    assert happened == [
        ("zone.enter", "till"),
        ("line.in", "door"),
        ("zone.exit", "till"),
    ]  # an exit is sure only after a moment
    with counts.open() as file:
        assert {(r["name"], r["direction"], r["count"]) for r in csv.DictReader(file)} == {
            ("door", "in", "1"),
            ("door", "out", "0"),
            ("till", "enter", "1"),
            ("till", "exit", "1"),
        }
    assert "door in" in told and "written" in told


def test_it_reports_what_it_counted(tmp_path: Path, tracks: Path) -> None:
    page, record = tmp_path / "r.html", tmp_path / "run.json"
    told = replay(
        tracks, "--size", "160x96", "--line", "door=80,0 80,96", "--report", page, "--save-run", record
    )
    assert '<tr><th scope="row">door in</th><td class="n">1</td>' in page.read_text()
    assert f" {page}\n" in told and "track-report" not in told
    known = json.loads(record.read_text())
    assert (known["frames"], known["events"], known["objects"], known["ended"]) == (
        12,
        1,
        {"person": 1},
        True,
    )


def test_it_draws_over_the_recording(tmp_path: Path, tracks: Path, make_video: Callable[..., Path]) -> None:
    out = tmp_path / "out.mp4"
    replay(tracks, "--video", make_video(), "--line", "80,0 80,96", "-o", out, "-q")
    with av.open(str(out)) as container:
        pictures = [frame.to_ndarray(format="bgr24").astype(int) for frame in container.decode(video=0)]
    assert len(pictures) == 12
    blue, green, red = pictures[3][90, 80]  # the yellow line
    assert min(green, red) > blue + 60


def test_the_size_is_the_zone_files_where_nothing_else_tells(tmp_path: Path, tracks: Path) -> None:
    zones = tmp_path / "zones.yaml"
    zones.write_text("size: [160, 96]\nlines: [{name: a, points: [[80, 0], [80, 96]], classes: [car]}]\n")
    events = tmp_path / "e.jsonl"
    replay(tracks, "--zones", zones, "--events", events, "-q")
    assert events.read_text() == ""  # no car came by


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--line", "0,0.5 1,0.5"], "the picture size is unknown"),
        (["--size", "160x96"], "nothing to count"),
        (
            ["--size", "160", "--line", "0,0.5 1,0.5"],
            "takes WIDTHxHEIGHT, such as 1280x720, not",
        ),
        (["--size", "160x96", "--line", "0,0.5 1,0.5", "-o", "out.mp4"], "give the video with --video"),
    ],
)
def test_what_is_missing_is_said(tracks: Path, arguments: list[str], message: str) -> None:
    with pytest.raises((UsageError, OptionError), match=message):
        replay(tracks, *arguments)


@pytest.fixture
def traffic(tmp_path: Path) -> Path:
    """A person and, below, a car, who walk and drive from left to right."""
    path = tmp_path / "traffic.csv"
    rows = []
    for n in range(12):
        rows.append(f"{n},{n / 25:.6f},{n * 10},5,{n * 10 + 20},40,0,person,0.9,1")
        rows.append(f"{n},{n / 25:.6f},{n * 10},50,{n * 10 + 30},90,2,car,0.9,2")
    header = "frame,time_s,x_min,y_min,x_max,y_max,class_id,class_name,confidence,tracker_id"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    ("classes", "counted"),
    [
        ("car", ["car"]),
        ("2", ["car"]),
        ("person,car", ["person", "car"]),
        ("bicycle", []),
        ("", ["person", "car"]),
    ],
)
def test_only_some_classes_are_counted(
    tmp_path: Path, traffic: Path, classes: str, counted: list[str]
) -> None:
    events = tmp_path / "e.jsonl"
    given = ["--classes", classes] if classes else []
    told = replay(traffic, "--size", "160x96", "--line", "80,0 80,96", "--events", events, *given)
    assert sorted(json.loads(line)["class"] for line in events.read_text().splitlines()) == sorted(counted)
    assert ("car" in told) == ("car" in counted)


def test_one_is_followed_and_filmed(tmp_path: Path, traffic: Path, make_video: Callable[..., Path]) -> None:
    events, film = tmp_path / "e.jsonl", tmp_path / "car.mp4"
    told = replay(traffic, "--video", make_video(), "--follow", "2", "--crop", film, "--events", events)
    assert json.loads(events.read_text().splitlines()[0])["track_id"] == 2
    assert "followed" in told and "car 2, seen" in told
    with av.open(str(film)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 12
    told = replay(traffic, "--size", "160x96", "--follow", "20,20@0.1", "-q")
    assert told == ""


def test_tables_are_written_anew_without_anything_to_count(tmp_path: Path, traffic: Path) -> None:
    table = tmp_path / "cars.csv"
    replay(traffic, "--size", "160x96", "--classes", "car", "--save-csv", table, "-q")
    with table.open() as file:
        assert [row["class_name"] for row in csv.DictReader(file)] == ["car"] * 12


def test_what_needs_pictures_or_classes_says_so(tmp_path: Path, traffic: Path) -> None:
    for wrong in (["--crop", "x.mp4", "--follow", "1"], ["--show"]):
        with pytest.raises(UsageError, match=f"{wrong[0]} needs pictures: give the video"):
            replay(traffic, "--size", "160x96", *wrong)
    with pytest.raises(OptionError, match="unknown class 'carr', did you mean 'car'"):
        replay(traffic, "--size", "160x96", "--classes", "carr", "--line", "80,0 80,96")
    mot = tmp_path / "t.txt"
    mot.write_text("1,1,10,10,20,20,0.9,-1,-1,-1\n")
    with pytest.raises(OptionError, match="contains no classes"):
        replay(mot, "--fps", "25", "--size", "160x96", "--classes", "car", "--line", "80,0 80,96")


def test_plugins_leave_their_files_without_a_video_too(
    tmp_path: Path, traffic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "traffic_replay_routes.json" in replay(traffic, "--size", "160x96", "--plugin", "route")
    assert Path("traffic_replay_routes.png").exists()


def test_a_figure_names_the_recording(
    tmp_path: Path, traffic: Path, make_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    notes: list[str] = []

    def seen(picture: Picture) -> Image:
        notes.extend(picture.notes)
        return figure(picture)

    monkeypatch.setattr("tracker.run.build_sinks.figure", seen)
    video = make_video()
    replay(traffic, "--video", video, "--plugin", "route", "-q")
    assert notes[0].startswith(f"{video.name}, ")


class TestItIsARunLikeEveryOther:
    def test_what_outputs_have_to_say_is_told(
        self, tmp_path: Path, traffic: Path, make_video: Callable[..., Path]
    ) -> None:
        told = replay(traffic, "--video", make_video(), "--follow", "9", "--crop", tmp_path / "him.mp4")
        assert "track: him.mp4 was not written: " in told
        assert not (tmp_path / "him.mp4").exists()

    @pytest.mark.parametrize("refine", [False, True])
    def test_it_can_be_stopped_and_what_was_written_is_complete(
        self, tmp_path: Path, traffic: Path, refine: bool
    ) -> None:
        events, table = tmp_path / "e.jsonl", tmp_path / "t.csv"
        zone = "till=0,0 159,0 159,95 0,95"
        options = Options(zone=zone, events=str(events), save_csv=str(table), refine=refine)
        with Session(WithSavedTracks(traffic, options, size=(160, 96)), options) as session:
            for count, _ in enumerate(session, 1):
                if count == 5:
                    session.stop.set()
        with table.open() as file:
            assert sorted({row["frame"] for row in csv.DictReader(file)}) == ["0", "1", "2", "3", "4"]
        assert all(json.loads(line)["frame"] < 5 for line in events.read_text().splitlines())

    def test_it_can_be_stopped_while_it_refines(self, tmp_path: Path, traffic: Path) -> None:
        options = Options(save_csv=str(tmp_path / "t.csv"), refine=True)
        with Session(WithSavedTracks(traffic, options, size=(160, 96)), options) as session:
            seen = []
            session.advance = lambda tracks: (seen.append(tracks), session.stop.set())
            assert list(session) == []
        assert len(seen) == 1, "the rest of the table is not gone through"
        assert session.account.warnings() == [
            "interrupted before the second pass; nothing was drawn or saved"
        ]

    def test_frames_are_shown_in_colour_where_they_are_known(
        self, traffic: Path, make_video: Callable[..., Path]
    ) -> None:
        options = Options(line="80,0 80,96")
        with Session(WithSavedTracks(traffic, options, make_video()), options) as session:
            first = next(iter(session))
        assert first.plot().shape == (96, 160, 3)
        assert session.account.rows()[0][0] == "frames"

    def test_a_state_is_refused_in_one_line(self, traffic: Path, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["replay", str(traffic), "--state", "s.json", "--line", "80,0 80,96"])
        assert ended.value.code == 2
        told = "track: track replay has no --state; it is an option of track SOURCE\n"
        assert capsys.readouterr().err == told
