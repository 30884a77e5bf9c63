"""Nothing is overwritten that the run did not make: whatever is read, written, and by whatever name."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tests.tracker.run.test_crash import command, finished
from tests.tracker.squares import SquareDetector
from tracker.cli import run as track
from tracker.commands.evaluate import command as evaluate
from tracker.commands.replay import command as replay
from tracker.commands.zones import command as zones
from tracker.errors import OptionError, OutputError, TrackError
from tracker.options import Options
from tracker.run import claims
from tracker.run.listed import find_runs
from tracker.run.multi import Several
from tracker.run.naming import default_output, distinct, name_of
from tracker.run.session import Session
from tracker.sinks import output_file
from tracker.sinks.segments import Segments
from tracker.types import Event, Frame

MakeVideo = Callable[..., Path]
ZONES = "size: [160, 96]\nlines:\n  - {name: door, points: [[80, 0], [80, 96]]}\n"
TABLES = ("--events", "--counts", "--save-mot", "--save-csv", "--save-json")
FILMS = ("-o", "--crop")


@pytest.fixture(autouse=True)
def squares(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tracker.run.build_detector.open_detector", lambda *_, **__: SquareDetector())
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def folder(make_video: MakeVideo, tmp_path: Path) -> Path:
    make_video("in.mp4", frames=30)
    Path("z.yaml").write_text(ZONES)
    Path("t.csv").write_text(
        "frame,x_min,y_min,x_max,y_max,tracker_id,time_s\n0,1,1,9,9,1,0\n1,1,1,9,9,1,0.1\n"
    )
    return tmp_path


def invoke(program: Any, words: Sequence[str]) -> Any:
    """Run a command in this process; what it raises is raised."""
    return CliRunner().invoke(program, words, obj=list(words), standalone_mode=False, catch_exceptions=False)


def refused(program: Any, *words: str) -> str:
    """Return the one line with which a command refuses; every file is as it was."""

    def everything() -> dict[Path, tuple[bytes, int]]:
        found = (path for path in Path().rglob("*") if path.is_file() and ".part." not in path.name)
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in found}

    before = everything()
    with pytest.raises(TrackError) as caught:
        invoke(program, words)
    assert everything() == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def aliases(name: str) -> Iterator[str]:
    """Yield other names of a file: spelled otherwise, through links, and a second name of its own."""
    path = Path(name)
    yield name
    yield str(Path("..") / path.parent.absolute().name / path.name)
    yield str(path.absolute())
    link, hard, folder = (
        path.with_name(f"link{path.suffix}"),
        path.with_name(f"hard{path.suffix}"),
        Path("by"),
    )
    link.symlink_to(path.name)
    yield str(link)
    os.link(path, hard)
    yield str(hard)
    folder.symlink_to(".")
    yield str(folder / path)


class TestWhatIsRead:
    """The law: an output is no input, by whatever name and with --overwrite too."""

    @pytest.mark.parametrize("flag", [*TABLES, *FILMS, "--state"])
    def test_the_recording(self, folder: Path, flag: str) -> None:
        more = ["--follow", "1"] if flag == "--crop" else []
        for name in aliases("in.mp4"):
            words = ["in.mp4", flag, name, "--overwrite", "-q", *more]
            line = refused(track, *words, *([] if flag == "-o" else ["--no-save"]))
            assert line == f"{flag} {name}: is the input itself; choose another name for it"

    @pytest.mark.parametrize("flag", [*TABLES, "--state"])
    def test_the_zone_file(self, folder: Path, flag: str) -> None:
        for name in aliases("z.yaml"):
            line = refused(track, "in.mp4", "--no-save", "--zones", "z.yaml", flag, name, "--overwrite")
            assert f"{flag} {name}: is the zone file itself" in line

    def test_weights_and_networks(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("w.pt").touch()
        Path("id.onnx").touch()
        line = refused(track, "in.mp4", "--no-save", "--weights", "w.pt", "--save-csv", "w.pt", "--overwrite")
        assert "is the weights itself" in line
        words = ["in.mp4", "--no-save", "--appearance", "id.onnx", "--save-csv", "id.onnx", "--overwrite"]
        assert "is the network of --appearance itself" in refused(track, *words)
        monkeypatch.setenv("TRACK_WEIGHTS_DIR", str(folder))
        line = refused(track, "in.mp4", "--no-save", "--weights", "w.pt", "--save-csv", "w.pt", "--overwrite")
        assert "is the weights itself" in line

    def test_the_whole_disk_is_no_folder_of_weights(self, monkeypatch: pytest.MonkeyPatch) -> None:
        endless = ((f"/{number}", [], ["a", "b"]) for number in itertools.count())
        monkeypatch.setattr("tracker.run.claims.os.walk", lambda _: endless)
        with claims.Claims() as claimed:
            claimed.read("the weights", "/")

    @pytest.mark.parametrize("source", ["frames", "frames/*.png"])
    def test_pictures(self, folder: Path, source: str) -> None:
        import cv2

        Path("frames").mkdir()
        for index in range(3):
            cv2.imwrite(f"frames/{index}.png", np.zeros((96, 160, 3), np.uint8))
        line = refused(track, source, "--no-save", "--save-csv", "frames/1.png", "--overwrite")
        assert line == "--save-csv frames/1.png: belongs to the input; give another name"

    def test_the_list_of_sources_and_one_of_them(self, folder: Path, make_video: MakeVideo) -> None:
        make_video("b.mp4")
        Path("all_in.streams").write_text("in.mp4\nb.mp4\n")
        words = ["all_in.streams", "--no-save", "--save-csv", "all.streams", "--overwrite"]
        assert "is the list of sources itself" in refused(track, *words)
        Path("x_b.mp4").hardlink_to("in.mp4")
        words = ["in.mp4", "b.mp4", "--no-save", "--save-csv", "x.mp4", "--overwrite"]
        assert "--save-csv of b x_b.mp4: is the input itself" in refused(track, *words)

    def test_what_a_plugin_reads(self, folder: Path) -> None:
        Path("in_output_note.txt").write_text("street")

        @dataclass
        class Reader:
            background: str = "in_output_note.txt"

            def update(self, frame: Frame, tracks: object) -> list[Event]:
                return []

        with (
            pytest.raises(OptionError, match="is the background of reader itself"),
            Session("in.mp4", Options(save_csv="in_output_note.txt", overwrite=True), [Reader()]),
        ):
            pass
        assert Path("in_output_note.txt").read_text() == "street"

    def test_replay(self, folder: Path) -> None:
        common = ["t.csv", "--size", "160x96", "--zones", "z.yaml", "--overwrite", "-q"]
        for name in aliases("t.csv"):
            assert "is the table of tracks itself" in refused(replay, *common, "--events", name)
        assert "is the zone file itself" in refused(replay, *common, "--counts", "z.yaml")
        assert "is the input itself" in refused(replay, *common, "--video", "in.mp4", "-o", "in.mp4")

    @pytest.mark.parametrize("more", [[], ["--overwrite"]])
    def test_zones_check(self, folder: Path, more: list[str]) -> None:
        Path("x.png").symlink_to("in.mp4")
        for output in ("x.png",):
            assert "is the recording itself" in refused(
                zones, "check", "z.yaml", "in.mp4", "-o", output, *more
            )
        done = CliRunner().invoke(zones, ["check", "z.yaml", "in.mp4", "-o", "in.mp4", *more])
        assert done.exit_code == 2 and "the preview is a picture" in done.output

    def test_eval(self, folder: Path) -> None:
        for name, kind in (("gt", "gt"), ("det", "det")):
            Path("motion/s", name).mkdir(parents=True)
            Path("motion/s", name, f"{kind}.txt").write_text("1,1,10,10,20,20,1,1,1\n2,1,10,10,20,20,1,1,1\n")
        Path("motion/s.txt").write_text("mine")
        words = ["--detections", "motion", "--tracker", "motion", "--save", "."]
        assert "belongs to what is scored" in refused(evaluate, *words, "--overwrite")
        Path("out/motion").mkdir(parents=True)
        Path("out/motion/s.txt").write_text("mine")
        assert "exists; add --overwrite" in refused(evaluate, *words[:-1], "out")


class TestWhatIsWritten:
    @pytest.mark.parametrize("one", range(len(TABLES)))
    def test_no_two_outputs_are_one(self, folder: Path, one: int) -> None:
        first = TABLES[one]
        for second in TABLES[one + 1 :]:
            words = ["in.mp4", "--no-save", first, "x", second, "./x"]
            assert "would both write" in refused(track, *words)
        assert "would both write" in refused(track, "in.mp4", "-o", "x.mp4", first, "x.mp4")
        assert "would both write" in refused(track, "in.mp4", "--no-save", "--state", "x", first, "x")
        assert "only one output can be standard output" in refused(
            track, "in.mp4", "--no-save", first, "-", TABLES[one - 1], "-"
        )

    def test_through_links_to_what_is_not_there_yet(self, folder: Path) -> None:
        Path("later").symlink_to("x")
        words = ["in.mp4", "--no-save", "--events", "x", "--counts", "later", "--overwrite"]
        assert "--events and --counts would both write" in refused(track, *words)
        assert "exists; add --overwrite" in refused(track, "in.mp4", "--no-save", "--events", "later")

    def test_of_several_sources(self, folder: Path, make_video: MakeVideo) -> None:
        make_video("x.mp4")
        make_video("x_x.mp4")
        words = ["x.mp4", "x_x.mp4", "--no-save", "--events", "t_x.csv", "--counts", "t.csv"]
        line = refused(track, *words)
        assert line == "--events of x and --counts of x_x would both write t_x_x.csv; give each its own file"

    def test_what_plugins_will_leave(self, folder: Path) -> None:
        words = ["in.mp4", "-o", "a.mp4", "--plugin", "route", "--save-json", "a_routes.json"]
        assert "--save-json and --plugin route would both write a_routes.json" in refused(track, *words)
        words = ["in.mp4", "-o", "a.mp4", "--plugin", "heatmap", "--plugin", "heatmap"]
        assert "--plugin heatmap and --plugin heatmap would both write" in refused(track, *words)

    @pytest.mark.parametrize("name", ["a.part.mp4", "a.part7.mp4", "a.mp4.lock"])
    def test_names_that_are_used_meanwhile(self, folder: Path, name: str) -> None:
        Path(name).write_text("mine")
        words = ["in.mp4", "-o", "a.mp4", "--save-csv", name, "--overwrite"]
        assert "has this name while it is being written" in refused(track, *words)

    def test_devices_hold_nothing(self, folder: Path) -> None:
        words = ["in.mp4", "--no-save", "--events", "/dev/null", "--counts", "/dev/null", "-q"]
        assert invoke(track, words).return_value == 0

    def test_letters_of_either_case_where_the_file_system_takes_them_for_one(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = [
            "in.mp4",
            "--no-save",
            "--events",
            "Über.txt",
            "--counts",
            "üBER.TXT",
            "--line",
            "80,0 80,96",
        ]
        asked: list[tuple[str, str]] = []

        def ask(_: Path, one: str, two: str) -> bool:
            asked.append((one, two))
            return True

        monkeypatch.setattr(claims, "_are_one_name", ask)
        assert "would both write" in refused(track, *words)
        assert asked == [("üBER.TXT", "Über.txt")]

    def test_the_file_system_is_asked(self, tmp_path: Path) -> None:
        Path("probe").touch()
        folds = Path("PROBE").exists()
        assert claims._are_one_name(tmp_path, "a.csv", "A.csv") is folds
        assert claims._are_one_name(tmp_path, "a.csv", "a.csv") is True
        assert [path.name for path in tmp_path.iterdir()] == ["probe"]


class TestWhatExists:
    @pytest.mark.slow
    @pytest.mark.parametrize("plugin", ["heatmap", "heatmap:mode=standing", "route"])
    def test_pictures_of_plugins(self, folder: Path, plugin: str) -> None:
        words = ["in.mp4", "-o", "a.mp4", "--plugin", plugin, "-q"]
        for name in ("a_heatmap.png", "a_heatmap_standing.png", "a_routes.json"):
            Path(name).write_text("mine")
        assert "exists; add --overwrite" in refused(track, *words)
        assert invoke(track, [*words, "--overwrite"]).return_value == 0
        kept = [path.name for path in sorted(Path().glob("a_*")) if path.read_bytes() == b"mine"]
        assert len(kept) == 2

    def test_what_a_plugin_did_not_announce_takes_a_free_name(self, folder: Path) -> None:
        class Late:
            def update(self, frame: Frame, tracks: object) -> list[Event]:
                return []

            def files(self) -> dict[str, Any]:
                return {"late.json": [1]}

        Path("a_late.json").write_text("mine")
        with Session("in.mp4", Options(), [Late()], prefix=Path("a")) as session:
            list(session)
        assert Path("a_late.json").read_text() == "mine" and Path("a_late-2.json").exists()
        assert session.account.left == [Path("a_late-2.json")]

    @pytest.mark.slow
    def test_a_run_that_goes_on_replaces_its_own_picture_and_no_other(self, folder: Path) -> None:
        def go(stop_after: int | None = None, **more: Any) -> None:
            stop = threading.Event()
            options = Options(state="run.json", resume=True, plugin=("heatmap",), **more)
            with Session("in.mp4", options, prefix=Path("a"), stop=stop) as session:
                for count, _ in enumerate(session, 1):
                    if count == stop_after:
                        stop.set()

        go(10)
        first = Path("a_heatmap.png").read_bytes()
        go(10)
        assert Path("a_heatmap.png").read_bytes() != first and not Path("a_heatmap-2.png").exists()
        Path("a_heatmap.png").write_text("mine")
        with pytest.raises(OutputError, match="exists; add --overwrite"):
            go()
        assert Path("a_heatmap.png").read_text() == "mine"

    def test_previews(self, folder: Path) -> None:
        words = ["check", "z.yaml", "in.mp4"]
        Path("z_preview.png").write_text("mine")
        assert "exists; add --overwrite" in refused(zones, *words)
        done = CliRunner().invoke(zones, [*words, "--overwrite"], standalone_mode=False)
        assert done.exception is None and Path("z_preview.png").read_bytes()[1:4] == b"PNG"

    def test_all_outputs_before_anything_is_opened(self, folder: Path) -> None:
        for flag in (*TABLES, *FILMS):
            name = "old.mp4" if flag in FILMS else "old.txt"
            Path(name).write_text("mine")
            more = ["--follow", "1"] if flag == "--crop" else []
            words = ["in.mp4", flag, name, *more, *([] if flag == "-o" else ["--no-save"])]
            assert "exists; add --overwrite" in refused(track, *words)

    def test_what_appears_during_the_run_is_kept(self, folder: Path) -> None:
        with Session("in.mp4", Options(output="a.mp4")) as session:
            for result in session:
                if result.frame.index == 5:
                    Path("a.mp4").write_text("mine")
        assert Path("a.mp4").read_text() == "mine" and Path("a-2.mp4").stat().st_size > 1000
        assert session.account.outputs() == ["a-2.mp4"]
        assert "was created by another program meanwhile" in session.account.warnings()[0]


class TestTemporaryNames:
    @pytest.mark.slow
    @pytest.mark.parametrize("what", ["a link", "a link to nothing", "a pipe", "a file", "a folder"])
    def test_what_stands_there_stays(self, folder: Path, what: str) -> None:
        """Of videos, states, pictures and locks: none is written through a link, and none is deleted."""
        Path("victim").write_text("mine")
        names = [Path(name) for name in ("a.part.mp4", "run.json.part", "a_heatmap.part.png", "a.mp4.lock")]
        for path in names:
            if what == "a link":
                path.symlink_to("victim")
            elif what == "a link to nothing":
                path.symlink_to("nothing")
            elif what == "a pipe":
                os.mkfifo(path)
            elif what == "a file":
                path.write_text("mine")
            else:
                path.mkdir()
        words = ["in.mp4", "-o", "a.mp4", "--state", "run.json", "--plugin", "heatmap", "-q"]
        done = invoke(track, words)
        assert done.return_value == 0, done.output
        assert Path("victim").read_text() == "mine" and not Path("nothing").exists()
        assert all(os.path.lexists(path) for path in names)
        assert all(Path(name).stat().st_size > 100 for name in ("a.mp4", "run.json", "a_heatmap.png"))

    def test_a_whole_file_or_nothing(self, tmp_path: Path) -> None:
        output_file.write(Path("x.png"), b"one", overwrite=False)
        with pytest.raises(OutputError, match="exists; add --overwrite"):
            output_file.write(Path("x.png"), b"two", overwrite=False)
        output_file.write(Path("x.png"), b"two", overwrite=True)
        assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x.png", b"two")]


class TestTwoRunsAtOnce:
    @pytest.mark.slow_after(3)
    @pytest.mark.parametrize(
        "words",
        [
            ["-o", "a.mp4"],
            ["--no-save", "--save-csv", "a.csv"],
            ["--no-save", "--plugin", "heatmap"],
            ["--no-save", "--state", "run.json"],
            ["-o", "cam.mp4", "--segment", "1s"],
        ],
        ids=" ".join,
    )
    @pytest.mark.parametrize("overwrite", [[], ["--overwrite"]], ids=["", "overwrite"])
    def test_the_second_is_refused(self, folder: Path, words: list[str], overwrite: list[str]) -> None:
        options = ["in.mp4", *words, *overwrite, "-q"]
        with Session("in.mp4", self.options(words), prefix=Path("in_output")) as first:
            results = iter(first)
            next(results)
            assert "another run is" in refused(track, *options)
            assert len(list(results)) == 29
        assert not list(folder.glob("*.lock"))

    def options(self, words: list[str]) -> Options:
        names = {"-o": "output", "--save-csv": "save_csv", "--state": "state", "--segment": "segment"}
        chosen: dict[str, Any] = {names[w]: words[n + 1] for n, w in enumerate(words) if w in names}
        return Options(**chosen, plugin=("heatmap",) if "heatmap" in words else ())

    @pytest.mark.slow
    def test_of_two_processes_one_succeeds_and_its_result_is_whole(self, folder: Path) -> None:
        words = ["in.mp4", "-o", "a.mp4", "--overwrite", "-q"]
        both = [
            subprocess.Popen(command(*words, pace_s=0.2), cwd=folder, stderr=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        told = [each.communicate(timeout=100)[1] for each in both]
        assert sorted(each.returncode for each in both) == [0, 2]
        assert max(told).startswith("track: a.mp4: another run is") and max(told).count("\n") == 1
        assert sorted(path.name for path in folder.glob("a*")) == ["a.mp4"]

    def test_by_another_name_of_the_same_file(self, folder: Path) -> None:
        Path("a.csv").touch()
        os.link("a.csv", "hard.csv")
        Path("link.csv").symlink_to("a.csv")
        with Session("in.mp4", Options(save_csv="a.csv", overwrite=True)):
            for name in ("hard.csv", "link.csv"):
                assert "another run is" in refused(
                    track, "in.mp4", "--no-save", "--save-csv", name, "--overwrite"
                )

    def test_nobody_writes_what_another_run_reads(self, folder: Path, make_video: MakeVideo) -> None:
        make_video("other.mp4")
        with Session("in.mp4", Options()):
            words = ["other.mp4", "-o", "in.mp4", "--overwrite"]
            assert "in.mp4: another run is using it" in refused(track, *words)
            with Session("in.mp4", Options(save_csv="two.csv")):
                pass  # many may read

    def test_a_lock_that_a_killed_run_left_is_taken_over(self, folder: Path) -> None:
        Path("a.mp4.lock").touch()
        with Session("in.mp4", Options(output="a.mp4")) as session:
            list(session)
        assert Path("a.mp4").exists() and not Path("a.mp4.lock").exists()


NAMES = [
    "Title [dQw4w9WgXcQ].mp4",
    "[a].mp4",
    "*.mp4",
    "what?.mp4",
    "12:30.mp4",
    "http:x.mp4",
    "-o.mp4",
    "--help",
    "con.mp4",
    "a\nb.mp4",
    "100%d.mp4",
    "a#b.mp4",
    "{a,b}.mp4",
    "~.mp4",
    ".mp4",
    "x" * 251 + ".mp4",
    "é" * 125 + ".mp4",
    os.fsdecode(b"caf\xe9.mp4"),
    "=1+1.mp4",
    "noend",
    "sp ace .mp4",
]


class TestNames:
    @pytest.mark.slow_after(2)
    @pytest.mark.parametrize("name", NAMES, ids=ascii)
    def test_a_file_is_named_after_itself(self, make_video: MakeVideo, tmp_path: Path, name: str) -> None:
        make_video("in.mp4", frames=5).rename(tmp_path / name)
        words = ["-q", "--plugin", "heatmap", "--save-csv", "t.csv", "--", name]
        done = invoke(track, words)
        assert done.return_value == 0
        stem = Path(name).stem
        left = sorted(path.name for path in tmp_path.iterdir() if path.name not in (name, "t.csv"))
        assert len(left) == 2 and all(entry.startswith(stem[:100]) for entry in left)
        assert left[0].endswith("_output.mp4" if len(stem) < 100 else left[0][-4:])
        assert len(Path("t.csv").read_text().splitlines()) == 6

    def test_two_long_ones_that_begin_alike_stay_two(self, make_video: MakeVideo) -> None:
        names = ["x" * 250 + "1", "x" * 250 + "2"]
        outputs = {default_output(name) for name in names}
        assert len(outputs) == 2 and all(
            len(each) <= 255 and each.endswith("_output.mp4") for each in outputs
        )

    @pytest.mark.parametrize(
        ("source", "name"),
        [
            ("frames/*.png", "frames"),
            ("file:///tmp/film.mp4", "film"),
            ("2024.12.24", "2024.12.24"),
            ("2024.12.24/", "2024.12.24"),
            ("rtsp://me:secret@host/1", "host_1"),
            ("0", "camera0"),
        ],
    )
    def test_what_else_a_source_may_be(self, tmp_path: Path, source: str, name: str) -> None:
        Path("2024.12.24").mkdir()
        assert name_of(source) == name
        assert name_of(".") == tmp_path.name

    @pytest.mark.parametrize(
        "names",
        [["a-2", "a", "a"], ["a", "a", "a-2"], ["a", "A", "a-2", "a-3"], ["a"] * 5, ["ß", "SS", "ss"]],
    )
    def test_no_two_runs_have_one_name(self, names: list[str]) -> None:
        given = distinct(names)
        assert len({name.casefold() for name in given}) == len(names)
        assert given[0] == names[0]
        Path("x.streams").write_text("".join(f"{name}=rtsp://host/{n}\n" for n, name in enumerate(names)))
        runs = find_runs(["x.streams"])
        assert len({run.name.casefold() for run in runs}) == len(names)

    def test_names_that_are_too_long_are_told(self, make_video: MakeVideo) -> None:
        make_video("in.mp4")
        line = refused(track, "in.mp4", "-o", "x" * 300 + ".mp4")
        assert "the name is too long" in line and len(line) < 200
        assert "the name is too long" in refused(track, "in.mp4", "--no-save", "--save-csv", "x" * 300)
        refused(track, "y" * 300 + ".mp4", "--no-save")
        Path("x.streams").write_text(f"rtsp://host/live?token={'y' * 300}\n")
        assert [run.name for run in find_runs(["x.streams"])] == ["host_live"]

    def test_runs_with_long_names_keep_their_tables_apart(
        self, make_video: MakeVideo, tmp_path: Path
    ) -> None:
        clips = [make_video("x" * 240 + f"{n}.mp4", frames=3) for n in range(2)]
        with Several([str(clip) for clip in clips], Options(save_csv="table.csv"), save=False) as several:
            list(several)
        assert [run.error for run in several.runs] == [None, None]
        assert len(list(tmp_path.glob("table_x*.csv"))) == 2


class TestKeep:
    FOREIGN = (
        "cam_2024-12-24.mp4",
        "cam_24-12-24.mp4",
        "cam_10-20-30.mp4",
        "cam_2024-12-24_holiday.mp4",
        "cam_2024-13-45_99-99-99.mp4",
        "cam_2024-12-24_10-00-00 copy.mp4",
        "cam_2024-12-24_10-00-00.mp4.bak",
        "Cam_2024-12-24_10-00-00.mp4",
    )

    @pytest.mark.parametrize("live", [True, False])
    def test_only_segments_are_deleted(self, tmp_path: Path, live: bool) -> None:
        for name in self.FOREIGN:
            Path(name).write_bytes(bytes(1000))
        Path("cam_2024-12-24_10-00-00.mp4").mkdir()
        Path("cam_2024-12-24_10-00-01.mp4").symlink_to("cam_2024-12-24.mp4")
        segments = Segments(tmp_path / "cam.mp4", live, 60.0, keep_gb=1e-9)
        times = [time.time() + 60 * n for n in range(3)] if live else [0.0, 60.0, 120.0]
        for index, moment in enumerate(times):
            path = segments.name(moment)
            path.write_bytes(bytes(1000))
            os.utime(path, (1e9 + index, 1e9 + index))
            segments.made.append(path)
        assert segments.prune() == []
        left = {path.name for path in tmp_path.iterdir()}
        folder = {"cam_2024-12-24_10-00-00.mp4", "cam_2024-12-24_10-00-01.mp4"}
        assert left == {*self.FOREIGN, *folder, segments.name(times[-1]).name.replace("-2.mp4", ".mp4")}

    def test_of_a_camera_those_of_earlier_runs_are_too(self, tmp_path: Path) -> None:
        for n in range(3):
            Path(f"cam_2024-12-24_10-00-0{n}.mp4").write_bytes(bytes(1000))
            os.utime(f"cam_2024-12-24_10-00-0{n}.mp4", (1e9 + n, 1e9 + n))
        Segments(tmp_path / "cam.mp4", True, 60.0, keep_gb=1e-9).prune()
        assert [path.name for path in tmp_path.iterdir()] == ["cam_2024-12-24_10-00-02.mp4"]


@pytest.mark.slow
def test_the_real_command_says_it_in_one_line_and_ends_with_2(folder: Path) -> None:
    done = finished("in.mp4", "--save-csv", "in.mp4", "--overwrite", where=folder)
    assert (done.returncode, done.stderr.count("\n"), "Traceback" in done.stderr) == (2, 1, False)
    assert sys.executable and not list(folder.glob("*.lock"))
