"""``track export``: prepare weights for this machine ahead of time, and make int8 models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracker.arguments.click_types import same_as
from tracker.options import Options
from tracker.text import harmless

if TYPE_CHECKING:
    from tracker.offline.motchallenge import MotSequence
    from tracker.types import Image

FRAMES = 200  # that NNCF learns the ranges of activations from
CHECKED = 50  # further frames, on which int8 is compared with fp32
FEWEST = 10
SURE = 0.5  # score from which ByteTrack believes a box at first sight


@click.command()
@same_as(Options, "weights")
@click.option("--int8", is_flag=True, help="Quantise to 8 bits, for `track ... --int8`.")
@click.option(
    "--calibrate",
    metavar="VIDEO_OR_FOLDER",
    help="Your own frames, from the camera or video you will run on.",
)
@click.option(
    "--truth",
    metavar="FOLDER",
    help="Ground truth of the --calibrate video (MOTChallenge layout), to compare HOTA of int8 and fp32.",
)
@same_as(Options, "imgsz")
def command(weights: str, int8: bool, calibrate: str | None, truth: str | None, imgsz: int) -> None:
    """Convert weights to OpenVINO now instead of at the first run.

    With --int8 --calibrate, quantise the model to 8 bits, calibrated on your own frames, and report how well
    it agrees with the full-precision model.
    """
    from tracker.types import OptionError

    if int8 and not calibrate:
        raise OptionError("--int8 needs frames for calibration: add --calibrate VIDEO_OR_FOLDER")
    if calibrate and not int8:
        raise OptionError("--calibrate is used with --int8 only: add --int8, or leave it out")

    if truth and not calibrate:
        raise OptionError("--truth is the ground truth of the --calibrate video: give both, with --int8")

    from tracker.detectors import Settings, open_detector
    from tracker.detectors.openvino_model import converted
    from tracker.detectors.weights import find_weights

    size = Settings(imgsz=imgsz).imgsz
    sequence = find_truth(truth) if truth else None
    path = find_weights(weights)
    if not calibrate:
        click.echo(harmless(f"{path.name} is ready: {converted(path).xml}"))
        return

    from tracker.detectors.agreement import agreement
    from tracker.detectors.quantize import quantize

    images = sample(calibrate, FRAMES + CHECKED)
    check = images[:: max(2, len(images) // CHECKED)]
    learn = [image for index, image in enumerate(images) if index % max(2, len(images) // CHECKED)]
    click.echo(harmless(f"{path.name} as int8: {quantize(path, learn, size)}"))

    with open_detector(path, Settings(backend="openvino", imgsz=size, precision="fp32")) as detector:
        exact = detector.detect(check)
    with open_detector(path, Settings(backend="openvino", imgsz=size, int8=True)) as detector:
        rough = detector.detect(check)
    every, sure = agreement(exact, rough), agreement(exact, rough, conf=SURE)
    click.echo(
        f"On {len(check)} frames it did not learn from, int8 finds {every.found:.1%} of {every.boxes} boxes "
        f"again at IoU 0.9, and {sure.found:.1%} of the {sure.boxes} scored {SURE} or more; "
        f"scores differ by {every.score_difference:+.3f} on average."
    )
    if sequence is not None and calibrate:
        before, after = (accuracy(path, size, calibrate, sequence, int8=int8) for int8 in (False, True))
        told = (f"{name} {before[name]:.1f} to {after[name]:.1f}" for name in ("HOTA", "MOTA", "IDF1"))
        click.echo(f"Against the ground truth of {sequence.name}, fp32 to int8: {', '.join(told)}.")


def find_truth(folder: str) -> MotSequence:
    """Return the one sequence with ground truth in a folder; raises ``InputError``."""
    from tracker.offline.motchallenge import find_sequences
    from tracker.types import InputError

    found = find_sequences(Path(folder))
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise InputError(f"--truth {folder} contains several sequences ({names}); give the folder of one")
    return found[0]


def accuracy(weights: Path, imgsz: int, video: str, truth: MotSequence, *, int8: bool) -> dict[str, float]:
    """Follow people through a video with the default tracker and score the tracks."""
    from tracker.detectors import Settings, open_detector
    from tracker.offline.metrics import score
    from tracker.offline.motchallenge import rows_of
    from tracker.sources import open_source
    from tracker.trackers.make import make_tracker

    options = Options()
    with (
        open_source(video) as source,
        open_detector(
            weights,
            Settings(backend="openvino", imgsz=imgsz, classes=["person"], int8=int8, precision="fp32"),
        ) as detector,
    ):
        tracker = make_tracker(options.tracker, options.tracker_settings, source.fps)
        rows = rows_of(tracker.update(found) for _, found in detector.stream(source) if found is not None)
    return score([truth], {truth.name: rows})[truth.name]


def sample(uri: str, count: int) -> list[Image]:
    """Return up to ``count`` pictures of a video or folder, spread evenly where its length is known.

    Raises ``InputError``, and ``OptionError`` when there are too few.
    """
    from tracker.sources import open_source
    from tracker.types import OptionError

    with open_source(uri) as source:
        length = source.length or 0
    with open_source(uri, stride=max(1, length // count), max_frames=count) as source:
        images = [frame.image.copy() for frame in source]
    if len(images) < FEWEST:
        raise OptionError(
            f"--calibrate {uri}: {len(images)} frames are too few for calibration; give {FEWEST} or more"
        )
    return images
