from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracker.arguments.option_spec import specs
from tracker.detectors import BACKENDS
from tracker.detectors.settings import PRECISIONS
from tracker.options import TRACKER_KINDS, Options
from tracker.trackers.make import TRACKERS
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


def test_choices_are_those_of_the_parts_that_obey_them() -> None:
    """They stand twice, so that --help need not load the parts."""
    choices = {name: spec.choices for name, spec in specs(Options).items()}
    assert (choices["backend"], choices["precision"]) == (BACKENDS, PRECISIONS)
    assert choices["tracker"] == TRACKER_KINDS == tuple(TRACKERS)


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
