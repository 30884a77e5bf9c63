"""``track export``: prepare weights for this machine ahead of time, and make int8 models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tracker.types import Image

FRAMES = 200  # that NNCF learns the ranges of activations from
CHECKED = 50  # further frames, on which int8 is compared with fp32
FEWEST = 10
SURE = 0.5  # score from which ByteTrack believes a box at first sight


@click.command()
@click.option(
    "--weights", "--model", default="yolov8n.pt", show_default=True, metavar="FILE", help="A name or a path."
)
@click.option("--int8", is_flag=True, help="Quantise to 8 bits; `track ... --int8` uses the result.")
@click.option(
    "--calibrate", metavar="VIDEO_OR_FOLDER", help="Your own frames, like those that will be watched."
)
@click.option(
    "--imgsz", default=640, show_default=True, metavar="PX", help="Longer side of the network's input."
)
def command(weights: str, int8: bool, calibrate: str | None, imgsz: int) -> None:
    """Convert weights to OpenVINO now instead of at the first run.

    With --int8 --calibrate, make a model that computes in 8 bits, from your own frames, and say how well
    it agrees with the exact one.
    """
    from tracker.types import OptionError

    if int8 and not calibrate:
        raise OptionError("--int8 needs frames to learn from: add --calibrate VIDEO_OR_FOLDER")
    if calibrate and not int8:
        raise OptionError("--calibrate is for --int8 only: add --int8 or leave it out")

    from tracker.detectors.openvino_model import converted
    from tracker.detectors.settings import Settings
    from tracker.detectors.weights import find_weights

    size = Settings(imgsz=imgsz).imgsz
    path = find_weights(weights)
    if not calibrate:
        click.echo(f"{path.name} is ready: {converted(path).xml}")
        return

    from tracker.detectors import open_detector
    from tracker.detectors.quantize import agreement, quantize

    images = sample(calibrate, FRAMES + CHECKED)
    check = images[:: max(2, len(images) // CHECKED)]
    learn = [image for index, image in enumerate(images) if index % max(2, len(images) // CHECKED)]
    click.echo(f"{path.name} as int8: {quantize(path, learn, size)}")

    with open_detector(path, backend="openvino", imgsz=size, precision="fp32") as detector:
        exact = detector.detect(check)
    with open_detector(path, backend="openvino", imgsz=size, int8=True) as detector:
        rough = detector.detect(check)
    every, sure = agreement(exact, rough), agreement(exact, rough, conf=SURE)
    click.echo(
        f"On {len(check)} frames it did not learn from, int8 finds {every.found:.1%} of {every.boxes} boxes "
        f"again at IoU 0.9, and {sure.found:.1%} of the {sure.boxes} scored {SURE} or more; "
        f"scores differ by {every.score_difference:+.3f} on average."
    )


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
            f"--calibrate {uri}: {len(images)} frames are too few to learn from; give {FEWEST} or more"
        )
    return images
