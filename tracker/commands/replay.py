"""``track replay``: count anew from saved tracks or detections, without the detector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracker import parse
from tracker.arguments.click_types import FILE, same_as
from tracker.arguments.option_spec import specs
from tracker.errors import OptionError
from tracker.options import Options
from tracker.run.terminal import execute_session

if TYPE_CHECKING:  # it needs OpenCV, which takes its time
    from tracker.run.upstream import Upstream

OF_THE_TRACKER = (
    *("conf", "detect_every", "tracker", "new_track_thresh", "match_thresh", "appearance", "remember"),
    *("match_by", "camera_motion"),
)  # of stored detections only: saved tracks are tracked already


@click.command()
@click.argument("tracks", type=FILE)
@same_as(Options, "classes")
@same_as(Options, "conf")
@same_as(Options, "detect_every")
@same_as(Options, "tracker")
@same_as(Options, "new_track_thresh")
@same_as(Options, "match_thresh")
@same_as(Options, "match_by")
@same_as(Options, "appearance")
@same_as(Options, "remember")
@same_as(Options, "camera_motion")
@same_as(Options, "line")
@same_as(Options, "zone")
@same_as(Options, "zones")
@same_as(Options, "plugin")
@same_as(Options, "units")
@same_as(Options, "follow")
@same_as(Options, "on")
@same_as(Options, "events")
@same_as(Options, "counts")
@same_as(Options, "movements")
@same_as(Options, "interval")
@same_as(Options, "report")
@same_as(Options, "save_run")
@same_as(Options, "lost")
@click.option("--refine", is_flag=True, help="Fill short gaps and smooth the boxes first.")
@click.option("--video", type=FILE, help="The video that the tracks belong to.")
@same_as(Options, "output")
@same_as(Options, "show")
@same_as(Options, "crop")
@same_as(Options, "line_width")
@same_as(Options, "hide_labels")
@same_as(Options, "hide_conf")
@same_as(Options, "show_labels")
@same_as(Options, "show_conf")
@same_as(Options, "show_ids")
@same_as(Options, "show_boxes")
@same_as(Options, "blur")
@same_as(Options, "draw_classes")
@same_as(Options, "color_by")
@same_as(Options, "background")
@same_as(Options, "save_mot")
@same_as(Options, "save_csv")
@same_as(Options, "save_mots")
@same_as(Options, "save_coco")
@same_as(Options, "save_cvat")
@same_as(Options, "save_json")
@same_as(Options, "overwrite")
@same_as(Options, "crf")
@same_as(Options, "encode")
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
    """Count again from saved TRACKS, a file written by --save-csv, --save-mot or --save-detections.

    Lines, zones and plugins give the same numbers as in a run with the detector, at thousands of frames per
    second. With --video and -o the annotated video is written again. Stored detections are tracked again, so
    that --conf, --tracker and the like work; without --video they are drawn over the empty scene.
    """
    if _is_parquet(tracks):
        return _replay_detections(tracks, video, size, fps, quiet, given)
    source_of = click.get_current_context().get_parameter_source
    for name in OF_THE_TRACKER:
        if source_of(name) is click.core.ParameterSource.COMMANDLINE:
            flag = specs(Options)[name].flag
            raise click.UsageError(f"{flag} needs detections; {tracks} has tracks (see --save-detections)")
    for name, flag in (("output", "-o"), ("crop", "--crop"), ("show", "--show")):
        if given[name] and not video:
            raise click.UsageError(f"{flag} needs pictures: give the video with --video")
    options = Options(**given)
    counted = (options.line, options.zone, options.zones, options.plugin, options.follow)
    tables = (options.save_mot, options.save_mots, options.save_coco, options.save_cvat)
    written = (options.output, options.show, options.save_csv, options.save_json, *tables)
    if not any(counted) and not any(written):
        raise click.UsageError("nothing to count; give --line, --zone, --zones, --follow or --plugin")
    picture = _parse_size(size)

    def upstream() -> Upstream:
        from tracker.run.replay import WithSavedTracks

        return WithSavedTracks(tracks, options, video, size=picture, fps=fps)

    return execute_session(upstream, options, prefix=f"{tracks.stem}_replay.mp4", quiet=quiet)


def _replay_detections(
    detections: Path,
    video: Path | None,
    size: str | None,
    fps: float | None,
    quiet: bool,
    given: dict[str, Any],
) -> int:
    """Run everything behind the detector on a file of ``--save-detections``."""
    for flag, value in (("--size", size), ("--fps", fps)):
        if value is not None:
            raise click.UsageError(f"{flag} is in {detections}; leave it out")
    if video is not None:
        given["detections"] = str(detections)
    options = Options(**given)

    def upstream() -> Upstream:
        if video is not None:
            from tracker.run.upstream import WithDetector

            return WithDetector(video, options)
        from tracker.run.replay_detections import WithSavedDetections

        return WithSavedDetections(detections, options)

    return execute_session(upstream, options, prefix=f"{detections.stem}_replay.mp4", quiet=quiet)


def _is_parquet(path: Path) -> bool:
    from tracker.offline.saved_detections import is_parquet

    return is_parquet(path)


def _parse_size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        return parse.size(text)
    except OptionError as error:
        raise click.UsageError(f"--size {error}") from None
