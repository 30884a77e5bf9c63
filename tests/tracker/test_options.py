from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import click
import pytest

from bytetrack import SORT, BoTSORT, BYTETracker, DeepSORT, MotionTracker, StrongSORT
from tracker.arguments.option_spec import specs
from tracker.commands import evaluate, export, replay
from tracker.detectors.settings import Settings
from tracker.options import Options
from tracker.sinks import CropSink, VideoSink
from tracker.sources import open_source
from tracker.trackers.make import TRACKERS, make_tracker
from tracker.trackers.settings import TrackerSettings
from tracker.types import OptionError


def test_defaults_are_within_their_own_ranges() -> None:
    Options()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"conf": -0.1}, "--conf -0.1"),
        ({"conf": 1.5}, "at most 1"),
        ({"conf": float("nan")}, "--conf nan"),
        ({"conf": "high"}, "takes a number"),
        ({"imgsz": 0}, "--imgsz 0"),
        ({"vid_stride": 0}, "--vid-stride 0"),
        ({"max_frames": -3}, "--max-frames -3"),
        ({"crf": 99}, "--crf 99"),
        ({"lost": float("inf")}, "--lost inf"),
        ({"start": 5.0, "end": 4.0}, "is not after --start"),
        ({"detect_every": 0}, "--detect-every 0"),
        ({"detect_every": 2, "appearance": "color"}, "--detect-every and --appearance cannot be combined"),
    ],
)
def test_absurd_values_are_refused_in_one_line(given: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError) as caught:
        Options(**given)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "name", "words"),
    [
        ("counts", "door.xlsx", "writes CSV; name it door.csv, or make a spreadsheet of --save-run"),
        ("save_csv", "t.json", "writes CSV; name it t.csv"),
        ("events", "wait.XLSX", "writes JSON lines; name it wait.jsonl, or make a spreadsheet"),
        ("report", "day.pdf", "writes an HTML page; name it day.html, or make a PDF of --save-run"),
        ("save_detections", "boxes.csv", "writes Parquet; name it boxes.parquet"),
    ],
)
def test_a_file_is_not_named_like_another_format(option: str, name: str, words: str) -> None:
    with pytest.raises(OptionError, match=re.escape(words)):
        Options(**{option: name})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("option", "name"),
    [("events", "e.json"), ("save_mot", "t.csv"), ("counts", "c"), ("counts", "c.dat"), ("events", "-")],
)
def test_a_file_may_be_named_in_any_other_way(option: str, name: str) -> None:
    assert getattr(Options(**{option: name}), option) == name  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["state", "save_coco", "output", "weights", "blur"])
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_variable_of_a_script_does_not_mean_none(name: str, value: str) -> None:
    with pytest.raises(OptionError, match=r"is empty; give .*, or leave it out"):
        Options(**{name: value})  # type: ignore[arg-type]


def test_whom_to_blur_is_one_name_or_several() -> None:
    for given in ("person,face", ["person", "face"], ("person", "face"), "person; face"):
        assert Options(blur=given).blur == ("person", "face")  # type: ignore[arg-type]
    assert Options().blur == Options(blur=()).blur == ()


def test_a_tracker_of_every_kind_can_be_made() -> None:
    """The kinds stand apart from the classes, so that --help need not load those."""
    assert specs(Options)["tracker"].choices == tuple(TRACKERS)


def test_defaults_are_those_of_the_parts_that_obey_them() -> None:
    options = Options()
    same = {field.name for field in dataclasses.fields(Settings)} & {*specs(Options)} - {"conf", "classes"}
    assert same >= {"iou", "imgsz", "max_det", "device", "half", "batch", "int8", "precision", "backend"}
    assert all(getattr(options, name) == getattr(Settings(), name) for name in same)
    assert options.tracker_settings == TrackerSettings()
    for part, name in (
        *((VideoSink, "crf"), (CropSink, "crf"), (open_source, "rtsp_transport")),
        *((VideoSink, "encode"), (CropSink, "encode"), (open_source, "decode")),
    ):
        assert inspect.signature(part).parameters[name].default == getattr(options, name)


def test_the_trackers_alone_are_as_published_and_not_what_a_run_takes() -> None:
    """docs/trackers.md tells both; who changes one of them changes what it says."""
    paper = BYTETracker
    published = (paper.track_thresh, paper.new_track_thresh, paper.match_thresh, paper.track_buffer)
    assert published == (0.5, None, 0.8, 30)
    assert MotionTracker.match_thresh == 0.9
    assert (SORT.match_thresh, SORT.track_buffer, SORT.min_hits) == (0.7, 1, 3)
    assert (BoTSORT.track_thresh, BoTSORT.match_thresh, BoTSORT.track_buffer) == (0.6, 0.8, 30)
    for cls in (DeepSORT, StrongSORT):
        assert (cls.match_thresh, cls.track_buffer, cls.min_hits, cls.gallery_size) == (0.7, 30, 3, 100)
    assert (DeepSORT.max_cosine_distance, StrongSORT.max_cosine_distance) == (0.2, 0.45)
    told = MotionTracker(track_thresh=0.3, new_track_thresh=0.37, match_thresh=0.88, track_buffer=60)
    assert make_tracker("motion", TrackerSettings(), fps=30.0).state() == told.state()


def test_what_is_the_trackers_reaches_it() -> None:
    options = Options(conf=0.4, new_track_thresh=0.6, match_thresh=0.7, lost="3s")
    tracker = make_tracker("motion", options.tracker_settings, fps=25.0)
    assert isinstance(tracker, MotionTracker)
    assert (tracker.track_thresh, tracker.new_track_thresh, tracker.match_thresh) == (0.4, 0.6, 0.7)
    assert (tracker.track_buffer, tracker.frame_rate) == (90, 25.0)
    more = Options(appearance="color", remember="1m", camera_motion="auto").tracker_settings
    assert (more.appearance, more.remember_s, more.camera_motion) == ("color", 60.0, "auto")


def test_every_option_has_a_help_text_a_group_and_a_long_flag() -> None:
    for name, spec in specs(Options).items():
        assert spec.help.endswith((".", "]")), name
        assert spec.group, name
        assert spec.flag == f"--{name.replace('_', '-')}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"imgsz": 640.5}, "--imgsz takes a whole number, not 640.5"),
        ({"vid_stride": float("inf")}, "--vid-stride takes a whole number, not inf"),
        ({"output": 5}, "--output takes a text, not 5"),
        ({"overwrite": "no"}, "--overwrite takes True or False, not 'no'"),
        ({"start": object()}, "--start takes a number"),
        ({"conf": "0.4"}, "--conf takes a number, not '0.4'"),
    ],
)
def test_what_only_python_can_give_is_refused_by_name(given: dict[str, object], said: str) -> None:
    with pytest.raises(OptionError, match=re.escape(said)):
        Options.of(given)
    kept = Options.of({"device": 0, "follow": 3, "counts": Path("c"), "interval": 900, "imgsz": 640.0})
    assert (kept.device, kept.follow, kept.interval, kept.imgsz) == ("0", "3", 900, 640)
    assert kept.counts == "c"
    assert isinstance(kept.imgsz, int)
    assert Options(output=Path("x.mp4"), imgsz=640.0, overwrite=True).imgsz == 640


def test_an_option_that_two_commands_have_is_one() -> None:
    """A command may have more; what is a run's has the run's flags, default and words."""
    for command, names in (
        (replay.command, ["classes", "line", "lost", "crf"]),
        (evaluate.command, ["conf", "new_track_thresh", "match_thresh", "lost"]),
        (export.command, ["weights", "imgsz"]),
    ):
        own = {parameter.name: parameter for parameter in command.params}
        for name in names:
            option, spec = own[name], specs(Options)[name]
            assert isinstance(option, click.Option)
            assert (option.opts, option.default, option.help) == ([*spec.flags], spec.default, spec.help)
