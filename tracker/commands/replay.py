"""``track replay``: count anew from saved tracks, without the detector."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from tracker import parse, text
from tracker.arguments.click_types import settings_of
from tracker.arguments.option_spec import specs
from tracker.errors import OptionError
from tracker.options import Options

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
    with ExitStack() as stack:
        _run(stack, tracks, video, options, _parse_size(size), fps, quiet)
    return 0


def _run(
    stack: ExitStack,
    path: Path,
    video: Path | None,
    options: Options,
    size: tuple[int, int] | None,
    fps: float | None,
    quiet: bool,
) -> None:
    from tracker import pipeline
    from tracker.detectors.coco import COCO
    from tracker.offline.saved_tracks import SavedTracks, blank
    from tracker.run.build_plugins import check, make_plugins, use_background
    from tracker.run.build_sinks import check_outputs, leave_files, make_sinks
    from tracker.run.claims import Claims
    from tracker.run.painter import Painter, draw_options
    from tracker.run.paths import claim_inputs, claim_leaves, claim_outputs
    from tracker.run.progress import Progress, table
    from tracker.run.summary import Report
    from tracker.sources import open_source
    from tracker.types import Detector, EndRun, PluginError, Recorded, Scene, Stopwatch, Tracker

    check(options)
    claims = stack.enter_context(Claims())
    claims.read("the table of tracks", path)
    claim_inputs(claims, str(video or ""), options)
    claim_outputs(claims, options)
    check_outputs(options)
    source = stack.enter_context(open_source(video)) if video else None
    saved = SavedTracks(path, fps, video_fps=source.fps if source else None)
    size = source.size if source else size or _size_of(options, saved.extent)
    names = {**COCO, **saved.names}  # a class may be asked for that nothing belonged to
    recorded = (source.recorded if source else None) or Recorded()
    scene = Scene(
        source.name if source else path.name, size, saved.frame_rate, False, names, options.lost, *recorded
    )
    if options.classes:
        if not saved.has_classes:
            raise click.UsageError(f"{path} contains no classes; leave out --classes")
        saved.keep(parse.class_ids(options.classes, names) or ())
    plugins = make_plugins(options, size, names)
    written = (options.output, options.show, options.save_mot, options.save_csv, options.save_json)
    if not plugins and not any(written):
        raise click.UsageError("nothing to count; give --line, --zone, --zones, --follow or --plugin")
    paints = Painter(names, draw_options(options, names))
    host = pipeline.Host(plugins)
    prefix = Path(options.output).with_suffix("") if options.output else Path(f"{path.stem}_replay")
    claim_leaves(claims, host, prefix, overwrite=options.overwrite)
    use_background(options, scene)
    host.start(scene)
    sound = source.sound if source else None
    sinks = [
        stack.enter_context(sink)
        for sink in make_sinks(options, scene, plugins, audio_from=video, sound=sound)
    ]
    report = Report(saved.names, forget_s=2 * options.lost + 1)
    stopwatch = Stopwatch()
    told: Detector = saved
    shown: Tracker = saved
    if options.refine:
        from tracker.offline.two_pass import first_pass

        told = shown = first_pass(saved.frames(blank(size)), saved, saved, raw=False, stopwatch=stopwatch)
    length = source.length if source else saved.length
    results = pipeline.run(
        source or saved.frames(blank(size)),
        told,
        shown,
        host,
        sketch=bool(options.output or options.show),
        stopwatch=stopwatch,
    )
    failed: PluginError | None = None
    try:
        with suppress(EndRun), Progress(length, path.name, enabled=not quiet) as progress:
            for result in results:
                if options.output or options.show:
                    result = dataclasses.replace(result, painter=paints)
                for sink in sinks:
                    sink.write(result)
                report.add(result)
                progress.advance(len(result.tracks))
    except PluginError as error:  # what was counted until then, and by the others, is kept
        failed = error
    last = host.finish()
    for sink in sinks:
        sink.finish(last)
    stack.close()  # complete the files before they are named
    left = [str(file) for file, _ in leave_files(host, prefix, overwrite=options.overwrite)]
    summaries = host.summaries()
    for note in saved.warnings:
        click.echo(f"track: {text.told(note)}", err=True)
    if not quiet:
        files = [*(str(file) for sink in sinks for file in sink.files), *left]
        click.echo(table(report.rows(stopwatch.seconds, summaries), files))
    if failed is not None or host.errors:
        raise failed or host.errors[0]


def _parse_size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        return parse.size(text)
    except OptionError as error:
        raise click.UsageError(f"--size {error}") from None


def _size_of(options: Options, extent: tuple[float, float]) -> tuple[int, int]:
    """Return the size that the zone file names, where the boxes fit into it."""
    from tracker.zones import file as zone_file

    if options.zones:
        for shape in zone_file.load(options.zones):
            if shape.size:
                return round(shape.size[0]), round(shape.size[1])
    reach = f"{extent[0]:.0f}x{extent[1]:.0f}"
    raise click.UsageError(
        f"the picture size is unknown; give --size WxH or --video (boxes extend to {reach})"
    )
