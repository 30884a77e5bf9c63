"""``track export``: from a person's own frames to an int8 model."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bytetrack import Detections
from tracker.commands.export import command, sample
from tracker.detectors import Settings, open_detector
from tracker.detectors.agreement import agreement
from tracker.types import InputError, OptionError


@given(hnp.arrays(np.float64, st.tuples(st.integers(0, 8), st.just(4)), elements=st.floats(1, 50)))
def test_a_detector_agrees_with_itself(sides: np.ndarray) -> None:
    xyxy = np.concatenate([sides[:, :2], sides[:, :2] + sides[:, 2:]], axis=1)
    found = Detections(xyxy, np.full(len(xyxy), 0.5), np.zeros(len(xyxy), np.int64))
    itself = agreement([found], [found])
    assert (itself.boxes, itself.found, itself.score_difference) == (len(xyxy), 1.0, 0.0)


def test_what_counts_as_found_again() -> None:
    here = Detections([[0, 0, 10, 10], [50, 0, 60, 10], [90, 0, 99, 9]], [0.9, 0.4, 0.8], [0, 0, 1])
    moved = Detections([[0, 0, 10, 10.2], [53, 0, 63, 10], [90, 0, 99, 9]], [0.7, 0.4, 0.8], [0, 0, 2])
    assert agreement([here], [moved]).found == pytest.approx(1 / 3)  # one moved, one of another class
    assert agreement([here], [moved]).score_difference == pytest.approx(-0.2)
    assert agreement([here], [moved], conf=0.5).boxes == 2
    assert agreement([here], [Detections.empty()]).found == 0


@pytest.mark.slow
def test_an_int8_model_is_made_and_used(
    untrained: Path, make_video: Callable[..., Path], own_cache: Path, models: Path
) -> None:
    pytest.importorskip("nncf", reason="needs the extra int8")
    video = make_video(frames=16)
    options = ["--weights", str(untrained), "--int8", "--calibrate", str(video), "--imgsz", "64"]
    ran = CliRunner().invoke(command, options, catch_exceptions=False)
    assert ran.exit_code == 0
    first, second, *rest = ran.output.splitlines()
    assert rest == []  # NNCF's own talk is kept back
    assert first.startswith("untrained.pt as int8: ")
    assert "boxes again at IoU 0.9" in second
    with open_detector(untrained, Settings(imgsz=64, conf=0.001, int8=True)) as detector:
        (found,) = detector.detect([np.zeros((48, 64, 3), np.uint8)])
    assert len(found) > 0
    xml = Path(first.removeprefix("untrained.pt as int8: "))
    assert "FakeQuantize" in xml.read_text(encoding="utf-8")


@pytest.mark.slow
def test_ground_truth_tells_what_int8_costs(
    weights: Path, shared: Path, tmp_path: Path, own_cache: Path, models: Path
) -> None:
    pytest.importorskip("nncf", reason="needs the extra int8")
    pytest.importorskip("trackeval", reason="needs the extra eval")
    sequence = tmp_path / "short"  # the first frames of a recording with ground truth
    (sequence / "gt").mkdir(parents=True)
    rows = (shared / "data/pets09-s2l1/gt/gt.txt").read_text(encoding="utf-8").splitlines()
    kept = [row for row in rows if int(row.split(",")[0]) <= 24]
    (sequence / "gt" / "gt.txt").write_text("\n".join(kept), encoding="utf-8")
    clip = tmp_path / "clip"
    clip.mkdir()
    video = cv2.VideoCapture(str(shared / "data/pets09-s2l1/vtest.avi"))
    for index in range(24):
        cv2.imwrite(str(clip / f"{index:02}.png"), video.read()[1])
    options = ["--weights", str(weights), "--int8", "--calibrate", str(clip), "--truth", str(sequence)]
    ran = CliRunner().invoke(command, [*options, "--imgsz", "320"], catch_exceptions=False)
    told = ran.output.splitlines()[-1]
    figures = re.findall(r"(HOTA|MOTA|IDF1) (-?\d+\.\d) to (-?\d+\.\d)", told)
    assert [name for name, *_ in figures] == ["HOTA", "MOTA", "IDF1"], told
    assert all(float(before) > 10 and float(after) > 10 for _, before, after in figures), told


@pytest.mark.slow
def test_frames_are_spread_over_the_video(make_video: Callable[..., Path]) -> None:
    video = make_video(frames=40)
    few = sample(str(video), 10)
    assert len(few) == 10
    assert len(sample(str(video), 100)) == 40
    squares = [int(np.argmax(image[30, :, 0] > 130)) for image in few]  # the square goes from left to right
    assert squares[-1] - squares[0] > 30 * 3


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--int8"], "add --calibrate"),
        (["--calibrate", "clip.mp4"], "add --int8, or leave it out"),
        (["--truth", "folder"], "give both, with --int8"),
        (["--imgsz", "3"], "--imgsz must be"),
    ],
)
def test_options_that_do_not_go_together(untrained: Path, options: list[str], text: str) -> None:
    with pytest.raises(OptionError, match=text):
        CliRunner().invoke(command, ["--weights", str(untrained), *options], catch_exceptions=False)


def test_frames_that_are_no_frames(tmp_path: Path, make_video: Callable[..., Path]) -> None:
    with pytest.raises(InputError):
        sample(str(tmp_path / "missing.mp4"), 10)
    with pytest.raises(OptionError, match="3 frames are too few"):
        sample(str(make_video(frames=3)), 10)


def test_weights_are_converted_ahead_of_time(untrained: Path) -> None:
    ran = CliRunner().invoke(command, ["--weights", str(untrained)], catch_exceptions=False)
    assert ran.output.startswith("untrained.pt is ready: ")
