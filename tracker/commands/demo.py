"""``track demo``: follow people in a street that the project renders itself, beside what is true."""

from __future__ import annotations

import filecmp
import json
import os
import shutil
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from tracker.errors import InputError, OutputError
from tracker.options import Options


@click.command()
@click.option(
    "-o",
    "--output",
    default="street_output.mp4",
    show_default=True,
    metavar="FILE",
    help="The annotated video.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing video.")
@click.option("--clip", metavar="FILE", help="Also save the clip itself, to try other commands on.")
@click.option(
    "--weights",
    default=Options.weights,
    show_default=True,
    metavar="FILE",
    help="Detection weights: a name or a path.",
)
@click.option("--show", is_flag=True, help="Show a window; q or Esc stops.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress and no table.")
@click.pass_context
def command(
    context: click.Context,
    output: str,
    overwrite: bool,
    clip: str | None,
    weights: str,
    show: bool,
    quiet: bool,
) -> int:
    """Render a street scene, track and count the people in it, and print the ground truth.

    The tracker is ByteTrack as published: --tracker bytetrack --conf 0.5
    --new-track-thresh 0.6 --match-thresh 0.8 --lost 1.
    The ten-second clip is rendered once and cached.
    """
    from bytetrack.byte_tracker import BYTETracker
    from bytetrack.life import NOMINAL_RATE
    from tracker.run.claims import Claims
    from tracker.run.terminal import execute
    from tracker.sinks import output_file

    if not overwrite and context.get_parameter_source("output") == ParameterSource.DEFAULT:
        output = str(output_file.next_free(output))  # nobody named it, so nobody minds
    output_file.check(Path(output), overwrite)
    street, truth = _street(quiet)
    with Claims() as claims:
        claims.read("the street itself, in the cache", street)
        claims.write("-o", output)
        if clip:
            claims.write("--clip", clip)
    if clip:
        _leave(street, Path(clip))
    lines = tuple(f"{line['name']}={_points(line['line'])}" for line in truth["lines"])
    options = Options(
        weights=weights,
        classes=("person",),
        tracker="bytetrack",  # as published, which the scene is made for: the class has those defaults
        conf=BYTETracker.track_thresh,
        new_track_thresh=BYTETracker.new_track_thresh,
        match_thresh=BYTETracker.match_thresh,
        lost=BYTETracker.track_buffer / NOMINAL_RATE,
        line=lines,
        output=output,
        overwrite=overwrite,
        show=show,
    )
    status = execute(str(street), options, quiet=quiet)
    if status == 0 and not quiet:
        click.echo(f"true: {_summary(truth)} ({street.with_suffix('.truth.json')})")
    return status


def _street(quiet: bool) -> tuple[Path, dict[str, Any]]:
    import platformdirs

    from videos import street

    folder = Path(platformdirs.user_cache_dir("track"), "street")
    if not quiet and not street.rendered(folder):
        click.echo("rendering the street (only once, takes some seconds) ...", err=True)
    try:
        clip, truth = street.render(folder)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot render the street into {folder}: {error}") from error
    return clip, json.loads(truth.read_text("utf-8"))


def _leave(street: Path, place: Path) -> None:
    try:
        if place.is_file() and filecmp.cmp(street, place, shallow=False):
            return
        if os.path.lexists(place):
            raise OutputError(f"{place} exists and is a different file; choose another name for --clip")
        with street.open("rb") as source, place.open("xb") as target:
            shutil.copyfileobj(source, target)
    except OSError as error:
        raise OutputError(f"{place}: cannot be written ({error.strerror}); choose another --clip") from error


def _points(line: list[float]) -> str:
    x1, y1, x2, y2 = line
    return f"{x1:g},{y1:g} {x2:g},{y2:g}"


def _summary(truth: dict[str, Any]) -> str:
    people = len({visit["person"] for visit in truth["visits"]})
    crossed = ", ".join(
        f"{line['name']} in {line['expected']['+']} out {line['expected']['-']}" for line in truth["lines"]
    )
    return f"{truth['expected_ids']} visits of {people} people; {crossed}"
