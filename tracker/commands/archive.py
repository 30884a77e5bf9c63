"""``track archive``: many recordings, on all cores of a machine or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from tracker.archive.settings import ALWAYS, ANYHOW, DRAW, OTHER_DEFAULTS, TAKEN, refused
from tracker.arguments.click_types import settings_of
from tracker.arguments.option_spec import specs
from tracker.errors import OptionError
from tracker.options import Options
from tracker.text import told

Decorated = TypeVar("Decorated", bound=Callable[..., object])


def _options(function: Decorated) -> Decorated:
    """Offer the options of a run that an archive takes; those that it does not are refused with a reason."""
    for name, spec in reversed([*specs(Options).items()]):
        if name in ("output", "overwrite"):
            continue
        how = settings_of(spec)
        if name in TAKEN:
            how["default"] = OTHER_DEFAULTS.get(name, how["default"])
        else:
            how |= {"hidden": True, "show_default": False}
        function = click.option(*spec.flags, name, **how)(function)
    return function


@click.command()
@click.argument("sources", nargs=-1, required=True)
@click.option("-o", "--output", "out", required=True, metavar="DIR", help="Folder or address of the results.")
@click.option(
    "--address",
    default="local",
    show_default=True,
    metavar="local|HOST:PORT|ray://HOST:PORT",
    help="Who works: processes of this machine, or the Ray cluster at this address.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 4096),
    metavar="N",
    help="Processes of this machine.  [default: all cores]",
)
@click.option(
    "--piece",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="S",
    help="Seconds of video in one piece.",
)
@click.option(
    "--names",
    metavar="PATTERN",
    help="How files are named whose camera has many.  [default: {camera}_%Y-%m-%d_%H-%M-%S]",
)
@click.option(
    "--csv", is_flag=True, help="Keep tables also as `track` writes them: CSV, and JSON lines of events."
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Make tables anew from stored detections where only lines, zones or the tracker changed.",
)
@click.option("--draw", is_flag=True, help="Also write an annotated video of each file.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress and no table.")
@_options
def command(
    sources: tuple[str, ...],
    out: str,
    address: str,
    workers: int | None,
    piece: float,
    names: str | None,
    csv: bool,
    overwrite: bool,
    draw: bool,
    quiet: bool,
    **given: Any,
) -> int:
    """Track everything in SOURCES, with the very tables of one run over each file.

    \b
    track archive recordings -o results
    track archive recordings -o results --zones gate.yaml --classes car
    track archive recordings -o results --draw
    track archive s3://bucket/march -o s3://bucket/results --address ray://head:10001

    SOURCES are folders, video files, addresses (s3://...) or lists of them (NAME.txt). Files named
    CAMERA_DATE_TIME, as --segment names them, are one camera: ids and counts go on from one to the next.
    The same command again does only what is missing. Pictures are looked at whole, as with --look all.
    """  # fmt: skip
    source_of = click.get_current_context().get_parameter_source
    for name in [name for name in given if name not in TAKEN]:
        told_so = source_of(name) is click.core.ParameterSource.COMMANDLINE
        if told_so and given[name] != ANYHOW.get(name, ()):
            raise refused(name)
        del given[name]
    for name in () if draw else DRAW:
        if source_of(name) is click.core.ParameterSource.COMMANDLINE:
            raise OptionError(
                f"track archive: {specs(Options)[name].flag} draws: add --draw for annotated videos"
            )
    if address != "local" and workers is not None:
        raise OptionError("--workers is for this machine; a cluster has as many as it has cores")
    options = Options(**given, **ALWAYS)

    from tracker.archive.run import run_archive

    report = run_archive(
        sources,
        out,
        options,
        address=address,
        workers=workers,
        piece_s=piece,
        names=names,
        csv=csv,
        overwrite=overwrite,
        quiet=quiet,
        draw=draw,
    )
    for note in report.notes:
        click.echo(f"track: {told(note)}", err=True)
    if not quiet:
        click.echo(report.table)
    return report.status
