"""``track report``: what runs counted, as a page, a spreadsheet, a PDF."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tracker.arguments.click_types import FILE
from tracker.errors import OptionError
from tracker.parse import seconds
from tracker.text import harmless, told

if TYPE_CHECKING:
    from tracker.report.gather import Report


def _interval(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    if value is None:
        return None
    try:
        found = seconds(value)
    except OptionError as error:
        raise click.UsageError(f"--interval {error}") from None
    if not 1 <= found <= 366 * 86400:
        raise click.UsageError(f"--interval {value}: give at least 1s and at most a year")
    return found


@click.command()
@click.argument("runs", type=FILE, nargs=-1, required=True, metavar="RUN...")
@click.option("-o", "--output", type=FILE, help="The page.  [default: report.html]")
@click.option("--title", help="Title of the report.  [default: name of the recording]")
@click.option(
    "--interval",
    callback=_interval,
    metavar="TIME",
    help="Count per 30s, 15m, 1h, ..., aligned to the clock.  [default: as the run did, else 15m]",
)
@click.option(
    "--began",
    metavar="TIME",
    help="When the recording began, if its file does not say: 2026-11-28T08:00:00+01:00.",
)
@click.option(
    "--truth",
    type=FILE,
    help="A count made by a person, as CSV (start_s,end_s,name,direction,count), to compare with.",
)
@click.option(
    "--video", type=FILE, help="The recording, for a picture of the scene and of doubtful crossings."
)
@click.option("--xlsx", type=FILE, help="Write a spreadsheet with charts, too.")
@click.option("--pdf", type=FILE, help="Write the page as PDF, too (needs Chromium or Chrome).")
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
@click.option("-q", "--quiet", is_flag=True, help="Show no table.")
def command(
    runs: tuple[Path, ...],
    output: Path | None,
    title: str | None,
    interval: float | None,
    began: str | None,
    truth: Path | None,
    video: Path | None,
    xlsx: Path | None,
    pdf: Path | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Make one HTML page of what RUNs counted: charts, peak hours, occupancy, doubts, gaps, settings.

    A RUN is a folder with the files of a run, or the files: what --events, --counts, --save-csv, --save-json
    and --save-run wrote, and the pictures that route and heatmap left. Several runs, such as the days of a
    month, become one report. `track VIDEO --report FILE` writes the report at the end of a run.
    """
    output = output or Path("report.html")
    if output.suffix.lower() not in (".html", ".htm"):
        raise click.UsageError(f"-o {output}: the report is a page; give a name that ends in .html")
    from tracker.run.claims import Claims
    from tracker.sinks import output_file

    with ExitStack() as stack:
        claims = stack.enter_context(Claims())
        for path in (*runs, *filter(None, (truth, video))):
            claims.read("what is reported", path)
        for flag, goal in (("-o", output), ("--xlsx", xlsx), ("--pdf", pdf)):
            if goal is not None:
                claims.write(flag, goal)
                output_file.check(goal, overwrite)
        make = _makers(output, xlsx, pdf)
        report = _gather(runs, title, interval, began, truth, video)
        written = [output_file.write(path, data(report), overwrite=overwrite) for path, data in make]
    if not quiet:
        from tracker.run.progress import table

        click.echo(table(summary(report), [str(path) for path in written]))
    for note in {note for run in report.runs for note in run.notes}:
        click.echo(f"track: {told(note)}", err=True)


def summary(report: Report) -> list[tuple[str, str]]:
    """Return the table on the terminal: the numbers of the page."""
    from tracker.report.view import lines_view, zones_view

    rows = []
    for name, total, by_class, doubtful in lines_view(report):
        several = f"  ({by_class})" if ", " in str(by_class) else ""
        doubt = f", {doubtful} of them doubtful" if doubtful else ""
        rows.append((str(name), f"{total}{several}{doubt}"))
    for name, entries, exits, mean, most, _ in zones_view(report):
        told_occupancy = f"{mean} on average, {most} at most"
        rows += [(f"{name} entries", f"{entries}, {exits} exits"), (f"{name} occupancy", told_occupancy)]
    rows += [
        (f"{one.name} movements", f"{one.whole.total()}, {one.incomplete} incomplete")
        for one in report.junctions
    ]
    return [(harmless(name), value) for name, value in rows] or [("counted", "nothing")]


def _makers(
    output: Path, xlsx: Path | None, pdf: Path | None
) -> list[tuple[Path, Callable[[Report], bytes]]]:
    """Return what writes each file; raises ``OptionError`` for what is not installed, before any work."""
    from tracker.run.reporting import needed

    needed()
    from tracker.report.page import page

    make: list[tuple[Path, Callable[[Report], bytes]]] = [(output, lambda report: page(report).encode())]
    if xlsx is not None:
        if xlsx.suffix.lower() != ".xlsx":
            raise click.UsageError(f"--xlsx {xlsx}: give a name that ends in .xlsx")
        from tracker.report import sheets

        sheets.needed()
        make.append((xlsx, sheets.workbook))
    if pdf is not None:
        from tracker.report import paper

        browser = paper.browser()
        make.append((pdf, lambda report: paper.printed(page(report), browser)))
    return make


def _gather(
    runs: tuple[Path, ...],
    title: str | None,
    interval: float | None,
    began: str | None,
    truth: Path | None,
    video: Path | None,
) -> Report:
    from tracker.report.clock import wall_of
    from tracker.report.gather import gather
    from tracker.run.reporting import frames_of
    from tracker.sources import open_source

    more: dict[str, Any] = {}
    if video is not None:
        with open_source(video):  # tells at once what is wrong with it
            more["frame_at"] = frames_of(str(video))
    if began is not None:
        more["began"] = wall_of(began, "--began")
    return gather(runs, title=title, interval_s=interval, truth=truth, **more)
