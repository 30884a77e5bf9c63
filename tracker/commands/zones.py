"""``track zones``: see what a zone file means before counting with it, and draw one with the mouse."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracker.arguments.click_types import FILE
from tracker.text import harmless

if TYPE_CHECKING:
    from tracker.types import Canvas, Frame


@click.group()
def command() -> None:
    """Check files of lines, zones and movements, or draw them."""


@command.command()
@click.argument("zones", type=FILE)
@click.argument("video")
@click.option("-o", "--output", type=FILE, help="Preview picture.  [default: ZONES_preview.png]")
@click.option("--overwrite", is_flag=True, help="Replace an existing preview.")
@click.option(
    "--at", "at_s", type=float, default=0.0, show_default=True, help="Second of the video to draw on."
)
@click.option(
    "--weights", metavar="FILE", help="Check class names against this model.  [default: the COCO classes]"
)
def check(
    zones: Path, video: str, output: Path | None, overwrite: bool, at_s: float, weights: str | None
) -> None:
    """Draw ZONES over a frame of VIDEO and print how the file was understood.

    The preview shows names, the "in" direction of lines, the area of zones, and movements as arrows.
    """
    from tracker.run.claims import Claims
    from tracker.run.paths import claim_source
    from tracker.sinks import output_file

    if zones.is_dir():
        raise click.UsageError(f"{zones} is a folder; give a zone file")
    output = output or output_file.beside(zones, zones.stem, "_preview.png")
    if output.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"):
        raise click.UsageError(f"-o {output}: the preview is a picture; give a name ending in .png")
    with Claims() as claims:
        claims.read("the zone file", zones)
        claim_source(claims, video, "the recording")
        claims.write("-o", output)
        output_file.check(output, overwrite)
        told, data = _preview(zones, video, at_s, weights, output.suffix)
        output_file.write(output, data, overwrite=overwrite)
    for line in told:
        click.echo(harmless(line))
    click.echo(f"written {harmless(str(output))}")


@command.command()
@click.argument("video")
@click.argument("zones", type=FILE, required=False)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Port of the page."
)
@click.option("--no-open", is_flag=True, help="Do not open a browser.")
def edit(video: str, zones: Path | None, port: int, no_open: bool) -> int:
    """Draw lines and zones over VIDEO in the browser; they are saved at once into ZONES.

    Without ZONES the file is NAME_zones.yaml. Comments in the file are kept, earlier versions too. Ctrl-C
    ends.
    """
    from tracker.commands.serve import serve
    from tracker.options import Options
    from tracker.run.naming import name_of
    from tracker.sources import open_source
    from tracker.types import OptionError
    from tracker.web.server import Where

    if open_source(video).live:
        raise OptionError(f"{video} is live; draw on it by: track serve {video}")
    options = Options(zones=str(zones or f"{name_of(video)}_zones.yaml"))
    where = Where(port=port, lasting=True)
    return serve([video], options, where, Path(), browse=not no_open, count=False)


def _preview(
    zones: Path, video: str, at_s: float, weights: str | None, suffix: str
) -> tuple[list[str], bytes]:
    """Return what was understood, and the encoded picture."""
    from tracker.types import Canvas, Scene
    from tracker.zones.file import read
    from tracker.zones.preview import preview

    frame, size, fps = _picture(video, at_s)
    names = _names(weights)
    scene, canvas = Scene(Path(video).name, size, fps, False, names), Canvas()
    told = preview(read(zones, size), scene, canvas)
    return told, _paint(frame, canvas, suffix)


def _picture(video: str, at_s: float) -> tuple[Frame, tuple[int, int], float]:
    from tracker.sources import open_source
    from tracker.types import InputError, OptionError

    if not 0 <= at_s < float("inf"):
        raise OptionError(f"--at {at_s:g}: give seconds from the beginning, 0 or more")
    try:
        with open_source(video, start_s=at_s or None, max_frames=1) as source:
            for frame in source:
                return frame, source.size, source.fps
    except InputError as error:  # here the beginning is called so
        raise InputError(str(error).replace(" --start ", " --at ")) from error
    raise InputError(f"{video} has no picture at {at_s:g} s; give an earlier second with --at")


def _names(weights: str | None) -> Mapping[int, str]:
    from tracker.types import OptionError

    if weights is not None and not weights.strip():
        raise OptionError("--weights is empty; give a value, or leave it out")
    if weights is None:
        from tracker.detectors.coco import COCO

        return COCO
    from tracker.detectors import open_detector

    with open_detector(weights) as detector:
        return detector.names


def _paint(frame: Frame, canvas: Canvas, suffix: str) -> bytes:
    import cv2

    from tracker.drawing.annotate import paint

    marks = [mark for mark in canvas.marks if mark.kind != "table"]  # nothing has been counted yet
    return cv2.imencode(suffix, paint(frame.image.copy(), marks))[1].tobytes()
