"""``track compare``: all trackers on a recording of your own, in one table."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from tracker.arguments.click_types import FILE, same_as
from tracker.options import Options
from tracker.trackers.settings import NEED_LOOKS, TRACKER_KINDS


@click.command()
@click.argument("video", type=str)
@click.option(
    "--tracker",
    "kinds",
    type=click.Choice(TRACKER_KINDS),
    multiple=True,
    default=TRACKER_KINDS,
    show_default="all",
    help="Compare these only.",
)
@same_as(Options, "match_by")
@same_as(Options, "appearance")
@same_as(Options, "remember")
@same_as(Options, "camera_motion")
@click.option(
    "--truth", type=FILE, help="Ground truth of the people in it: a folder with gt/gt.txt (MOTChallenge)."
)
@same_as(Options, "detections")
@same_as(Options, "line")
@same_as(Options, "zone")
@same_as(Options, "zones")
@same_as(Options, "classes")
@same_as(Options, "conf")
@same_as(Options, "new_track_thresh")
@same_as(Options, "match_thresh")
@same_as(Options, "lost")
@same_as(Options, "start")
@same_as(Options, "end")
@same_as(Options, "max_frames")
@same_as(Options, "fps")
@same_as(Options, "weights")
@same_as(Options, "imgsz")
@same_as(Options, "device")
@same_as(Options, "backend")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
def command(
    video: str, kinds: tuple[str, ...], truth: Path | None, as_json: bool, quiet: bool, **given: Any
) -> None:
    """Run all trackers over VIDEO and print side by side what each of them finds.

    The video is decoded once and detected once. VIDEO may be a file of --save-detections: then nothing is
    detected, and the trackers that compare looks take part if it was saved with --appearance self. Of a video
    deepsort and strongsort take --appearance color unless another is given.
    """
    from tracker.offline.saved_detections import SavedDetections, is_parquet
    from tracker.run.claims import Claims
    from tracker.run.comparison import LOOKS, Comparison, as_table, figures, find_truth
    from tracker.run.paths import claim_inputs
    from tracker.run.progress import Progress
    from tracker.run.replay_detections import WithSavedDetections
    from tracker.run.upstream import Upstream, WithDetector

    if truth is not None and given["start"]:
        raise click.UsageError("--truth counts frames from the beginning; leave out --start")
    options = Options(**given)
    looks = LOOKS
    upstream: Upstream
    if Path(video).is_file() and is_parquet(Path(video)):
        left_out = [kind for kind in kinds if kind in NEED_LOOKS]
        if left_out and SavedDetections(Path(video)).features_from is not None:
            upstream, looks = WithSavedDetections(Path(video), replace(options, appearance="self")), "self"
            left_out = []
        else:
            upstream = WithSavedDetections(Path(video), options)
            kinds = tuple(kind for kind in kinds if kind not in NEED_LOOKS)
        if left_out:
            named = " and ".join(left_out)
            click.echo(
                f"track: {named} need pictures, or boxes saved with --appearance self: give the video, "
                "and this by --detections",
                err=True,
            )
        if not kinds:
            raise click.UsageError("nothing is left to compare")
    else:
        upstream = WithDetector(video, options)
    sequence = find_truth(truth)
    with Claims() as claims:
        upstream.claim(claims)
        claim_inputs(claims, options)
        with Comparison(upstream, options, tuple(dict.fromkeys(kinds)), sequence, looks) as comparison:
            with Progress(comparison.source.length, comparison.source.name, enabled=not quiet) as progress:
                found = comparison.run(progress.advance)
            compared = figures(found, comparison.scores())
    click.echo(json.dumps(compared, indent=1) if as_json else as_table(compared))
