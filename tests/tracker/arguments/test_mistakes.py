"""What people type on their first day: each gets the one line that says what to type instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tracker.arguments import values
from tracker.arguments.aliases import (
    ANSWERS,
    FLAGS,
    TRACKERS,
    answer,
    for_python,
    normal,
    tracker_answer,
)
from tracker.arguments.command_line import sources_of
from tracker.cli import COMMANDS, _grammar, main, run
from tracker.options import Options
from tracker.parse import seconds

Track = Callable[[str], str]


@pytest.fixture
def track(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Return a function that types a line in a folder with ``video.mp4`` and returns the line that comes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("video.mp4", "b.mp4", *(f"f{n}.png" for n in range(5))):
        Path(name).touch()

    def call(*words: str) -> str:
        typed = words[0].split() if len(words) == 1 else words
        with pytest.raises(SystemExit) as caught:
            main(list(typed))
        assert caught.value.code == 2
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1 and lines[0].startswith("track: "), lines
        return lines[0]

    return call


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("video.mp4 --classes 2 5 7", "--classes 2,5,7"),
        ("--classes 2 5 7 video.mp4", "--classes 2,5,7"),
        ("video.mp4 --classes=2 5 7", "--classes 2,5,7"),
        ("video.mp4 --classes 2, 5, 7", "--classes 2,5,7"),
        ("video.mp4 --classes [0, 2]", "--classes 0,2"),
        ("video.mp4 --classes person car", "--classes person,car"),
        ("--classes person car video.mp4 b.mp4", "--classes person,car"),
        ("video.mp4 b.mp4 --conf 0.4 --classes 1 3", "--classes 1,3"),
        ("video.mp4 --conf 0.4 0.5", "--conf takes one value: 0.4"),
        ("video.mp4 --imgsz 640 384", "--imgsz takes one value: 640"),
        ("video.mp4 --line 0,300 768,300", "--line '0,300 768,300'"),
        ("video.mp4 --line door=0,300 768,300", "--line 'door=0,300 768,300'"),
        ("video.mp4 --zone 0,0 9,0 9,9", "--zone '0,0 9,0 9,9'"),
        ("video.mp4 --plugin speed:image=1,1 2,1 2,2 1,2", "--plugin 'speed:image=1,1 2,1 2,2 1,2'"),
        ("video.mp4 --show True", "--show takes no value, but got True"),
        ("video.mp4 --half false", "leave it out"),
        ("video.mp4 5", "no camera /dev/video5"),
        ("5", "no camera /dev/video5"),
        ("/dev/video93", "no camera /dev/video93"),
        ("video.mp4 classes=0", "--classes 0"),
        ("video.mp4 classes=[0,2]", "--classes 0,2"),
        ("classes=0 video.mp4", "--classes 0"),
        ("video.mp4 show=True", "two dashes: --show"),
        ("video.mp4 half=False", "leave out --half"),
        ("source=video.mp4", "track video.mp4"),
        ("source=video.mp4 conf=0.4 show=True", "track video.mp4 --conf 0.4 --show"),
        ("model=yolov8n.pt source=video.mp4", "--weights yolov8n.pt"),
        ("video.mp4 persist=True", "--state FILE"),
        ("video.mp4 save_txt=True", "--save-mot FILE"),
        ("video.mp4 tracker=bytetrack.yaml", "--tracker bytetrack.yaml"),
        ("video.mp4 clases=0", "did you mean 'classes'?"),
        ("track video.mp4", "leave the word out: track video.mp4"),
        ("yolo track video.mp4", "leave the word out: track video.mp4"),
        ("predict video.mp4", "leave the word out: track video.mp4"),
        ("help", "track --help"),
        ("zone check z.yaml", "did you mean 'zones'?"),
        ("rplay t.csv", "did you mean 'replay'?"),
        ("-q demo", "a command comes first: track demo"),
        ("video.mp4 none.mp4 b.mp4", "none.mp4: no such file"),
        ("vidoe.mp4", "did you mean 'video.mp4'?"),
        ("video", "did you mean 'video.mp4'?"),
        ("nowhere/film.mp4", "there is no folder nowhere"),
        ("video.mp4 out.mp4", "-o out.mp4"),
        ("nothing/*.png", "nothing/*.png: no file matches"),
        ("f0.png f1.png f2.png f3.png f4.png", "track '*.png'"),
        ("--source video.mp4", "track video.mp4"),
        ("-source video.mp4", "track video.mp4"),
        ("-conf 0.4 video.mp4", "-conf needs two dashes: --conf"),
        ("video.mp4 --save-txt", "--save-mot FILE"),
        ("video.mp4 --save_txt", "--save-mot FILE"),
        ("video.mp4 --persist", "--state FILE"),
        ("video.mp4 --project runs --name a", "-o FILE"),
        ("video.mp4 --track-buffer 60", "--lost 2: "),
        ("video.mp4 --track_buffer=45", "--lost 1.5: "),
        ("video.mp4 --lost_track_buffer 30", "--lost 1: "),
        ("video.mp4 --conf-thres 0.4", "--conf 0.4: "),
        ("video.mp4 --track_thresh 0.6", "--conf 0.6: "),
        ("video.mp4 --minimum_matching_threshold 0.8", "--match-thresh"),
        ("video.mp4 --tracker bytetrack.yaml", "--tracker bytetrack; "),
        ("video.mp4 --tracker botsort.yaml", "--tracker botsort"),
        ("video.mp4 --tracker FairMOT", "in no package index"),
        ("video.mp4 --tracker strongsort++", "--tracker strongsort --appearance"),
        ("video.mp4 --tracker foo", "choose from motion, bytetrack, botsort"),
        ("video.mp4 --clases person", "--classes"),
        ("replay t.csv --imgsz 320", "it is an option of track SOURCE"),
        ("replay t.csv --classes 2 5", "write --classes 2,5"),
        ("replay t.csv --line 0,300 768,300", "--line '0,300 768,300'"),
        ("video.mp4 --start 1:3x", "takes a time such as 90, 1:30, 90s"),
        ("video.mp4 --conf 0,5", "--conf takes a number, not '0,5'; write 0.5"),
        ("video.mp4 --imgsz 384x640", "--imgsz takes a whole number, not '384x640'"),
        ("video.mp4 --save-csv", "Write --save-csv FILE"),
        ("zones z.yaml", "Write track zones check"),
        ("zones check z.yaml", "track zones check [OPTIONS] ZONES VIDEO"),
        ("replay", "track replay [OPTIONS] TRACKS"),
        ("frames/%03d.png", "of numbered pictures give the folder, or a pattern with *"),
        ("-", "standard input is not read; write it to a file"),
        ("https://www.youtube.com/watch?v=abc", "yt-dlp"),
        ("video.mp4 --plugin heatmap,route", "--plugin heatmap --plugin route"),
        ("video.mp4 --units mph", "--units mph is for speeds"),
        ("video.mp4 --plugin rout:help", "did you mean 'route'"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_meant_is_told_what_can(track: Track, line: str, told: str) -> None:
    assert told in track(line)


def test_an_empty_word_is_told_as_such(track: Track) -> None:
    assert "the input is an empty word: give a file" in track("", "--no-save")


@pytest.mark.parametrize("name", ["-door.mp4", "--door.mp4"])
def test_a_file_whose_name_begins_as_an_option_is_told_how_it_is_given(track: Track, name: str) -> None:
    Path(name).touch()
    assert f"{name} looks like an option; write the file as ./{name}" in track(name)


def test_a_link_that_leads_nowhere_is_called_so(track: Track) -> None:
    Path("loop.mp4").symlink_to("loop.mp4")
    assert "loop.mp4: no such file; it is a broken link" in track("loop.mp4 b.mp4")


def test_a_list_of_sources_is_looked_at_too(track: Track) -> None:
    Path("all.streams").write_text("a=video.mp4\nc=/dev/video7\n5\nb=none.mp4\n")
    assert "none.mp4: no such file" in track("all.streams")


@pytest.mark.parametrize(
    ("line", "sources"),
    [
        ("video.mp4 --classes 2,5", ["video.mp4"]),
        ("--classes 0 video.mp4", ["video.mp4"]),
        ("--show video.mp4 -o out.mp4", ["video.mp4"]),
        ("--conf=0.4 a.mp4 b.mp4 -q", ["a.mp4", "b.mp4"]),
        ("-o x.mp4 -- -odd.mp4", ["-odd.mp4"]),
        ("0 --camera-fps 30", ["0"]),
    ],
)
def test_sources_are_told_from_values(line: str, sources: list[str]) -> None:
    assert [typed.word for typed in sources_of(line.split(), _grammar(run))] == sources


def test_underscores_are_as_good_as_dashes(track: Track) -> None:
    assert "--vid-stride 0 is out of range" in track("video.mp4 --vid_stride 0")
    assert "--max-det 0 is out of range" in track("video.mp4 --max_det=0")
    assert "--save_all" in track("video.mp4 --save_all"), "what is none is named as it was written"


def test_a_file_is_a_source_whatever_it_is_called(track: Track) -> None:
    for name in ("classes=0", "True", "5", "0,300", "help", "predict", "a,b.mp4"):
        Path(name).write_text("no video")
        assert f"{name}: not a video that can be read" in track("--no-save", name)


def flags_of(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", text))


def test_every_flag_that_an_answer_names_exists() -> None:
    known = {*_grammar(run).names, "--help"}
    elsewhere = {"--calibrate", "--gt", "--xlsx", "--pdf", "-i"}  # of track export, eval, report, and ffmpeg
    for word, text in {**ANSWERS, **TRACKERS}.items():
        assert flags_of(text) <= known | elsewhere, word
    ours = {normal(flag) for flag in _grammar(run).names}
    assert not ours & set(ANSWERS), "an option of ours needs no translation"
    assert {normal(flag) for flag in known} >= FLAGS
    for name in COMMANDS:
        assert name not in ANSWERS or name in ("export",)


def test_everything_that_ultralytics_knows_has_an_answer() -> None:
    from importlib.util import find_spec

    spec = find_spec("ultralytics")
    assert spec is not None and spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0], "cfg")
    ours = {normal(flag) for flag in _grammar(run).names}
    keys = set(yaml.safe_load((folder / "default.yaml").read_text("utf-8")))
    keys |= set(yaml.safe_load((folder / "trackers" / "bytetrack.yaml").read_text("utf-8")))
    assert [key for key in sorted(keys - ours) if answer(key) is None] == []
    for path in (folder / "trackers").glob("*.yaml"):
        assert tracker_answer(path.name) is not None, path.name


def test_answers_are_for_python_too() -> None:
    for text in ANSWERS.values():
        told = for_python(text.format(value="N", seconds="2"))
        assert flags_of(told) & set(_grammar(run).names) <= {"-q"}, told  # nothing is printed there anyway
    with pytest.raises(Exception, match="persist: ids always last"):
        Options.of({"persist": True})
    with pytest.raises(Exception, match="track_buffer: lost=2: seconds"):
        Options.of({"track_buffer": 60})
    with pytest.raises(Exception, match="no option 'clases', did you mean 'classes'"):
        Options.of({"clases": 0})


def test_lists_are_taken_in_every_form() -> None:
    import numpy as np

    points = [[0, 300], [768, 300]]
    for form in (points, tuple(map(tuple, points)), np.array(points), [points], "0,300 768,300"):
        assert Options(line=form).line == ("0,300 768,300",), form
    two = Options(zone=[[[0, 0], [1, 0], [1, 1]], "door=0,0 1,0 0,1"]).zone
    assert two == ("0,0 1,0 1,1", "door=0,0 1,0 0,1")
    assert Options(line={"door": points}).line == ("door=0,300 768,300",)
    assert Options(classes="person").classes == ("person",)
    assert Options(classes=[0, 2]).classes == ("0", "2")
    assert Options(plugin="heatmap").plugin == ("heatmap",)
    for wrong in ([1, 2, 3], 5, [[1, 2, 3]], ["0,0 1,1", 7]):
        with pytest.raises(Exception, match="not a list of points"):
            values.shapes(wrong, "line")
    with pytest.raises(Exception, match="plugins="):
        Options(plugin=[object()])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("90", 90), ("1:30", 90), ("0:01:30", 90), ("90s", 90), ("1.5m", 90), ("1:00:01", 3601)],
)
def test_times_are_written_as_people_write_them(text: str, wanted: float) -> None:
    assert run.make_context("track", ["x.mp4", "--start", text]).params["start"] == wanted
    assert Options(start=text).start == seconds(text) == wanted
