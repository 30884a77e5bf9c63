"""``track replay``: count anew from saved tracks, without the detector."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tracker import parse
from tracker.arguments.click_types import settings_of
from tracker.arguments.option_spec import specs
from tracker.errors import OptionError
from tracker.options import Options
from tracker.run.terminal import execute_session

if TYPE_CHECKING:  # it needs OpenCV, which takes its time
    from tracker.run.upstream import Upstream

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
FILE = click.Path(path_type=Path)


def _same(name: str) -> Callable[[Decorated], Decorated]:
    """Offer an option of ``track`` here too, with its own words."""
    spec = specs(Options)[name]
    return click.option(*spec.flags, name, **settings_of(spec))


@click.command()
@click.argument("tracks", type=FILE)
@_same("classes")
@_same("line")
@_same("zone")
@_same("zones")
@_same("plugin")
@_same("units")
@_same("follow")
@_same("on")
@_same("events")
@_same("counts")
@_same("movements")
@_same("interval")
@_same("report")
@_same("save_run")
@_same("lost")
@click.option("--refine", is_flag=True, help="Fill short gaps and smooth the boxes first.")
@click.option("--video", type=FILE, help="The video that the tracks belong to.")
@_same("output")
@_same("show")
@_same("crop")
@_same("line_width")
@_same("hide_labels")
@_same("hide_conf")
@_same("draw_classes")
@_same("color_by")
@_same("background")
@_same("save_mot")
@_same("save_csv")
@_same("save_json")
@_same("overwrite")
@_same("crf")
@click.option(
    "--size",
    metavar="WxH",
    help="Size of the picture, if there is no --video.  [default: from the zone file]",
)
@click.option("--fps", type=float, help="Frame rate, for tracks without times (MOTChallenge text).")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress and no table.")
def command(
    tracks: Path, video: Path | None, size: str | None, fps: float | None, quiet: bool, **given: Any
) -> int:
    """Count again from saved TRACKS, a file written by --save-csv or --save-mot.

    Lines, zones and plugins give the same numbers as in a run with the detector, at thousands of frames per
    second. With --video and -o the annotated video is written again.
    """
    for name, flag in (("output", "-o"), ("crop", "--crop"), ("show", "--show")):
        if given[name] and not video:
            raise click.UsageError(f"{flag} needs pictures: give the video with --video")
    options = Options(**given)
    counted = (options.line, options.zone, options.zones, options.plugin, options.follow)
    written = (options.output, options.show, options.save_mot, options.save_csv, options.save_json)
    if not any(counted) and not any(written):
        raise click.UsageError("nothing to count; give --line, --zone, --zones, --follow or --plugin")
    picture = _parse_size(size)

    def upstream() -> Upstream:
        from tracker.run.replay import WithSavedTracks

        return WithSavedTracks(tracks, options, video, size=picture, fps=fps)

    return execute_session(upstream, options, prefix=f"{tracks.stem}_replay.mp4", quiet=quiet)


def _parse_size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        return parse.size(text)
    except OptionError as error:
        raise click.UsageError(f"--size {error}") from None
