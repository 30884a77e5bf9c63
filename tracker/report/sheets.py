"""The report as a spreadsheet: what an engineer expects to find, with charts of its own."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from tracker.report import view
from tracker.report.clock import EPOCH
from tracker.report.gather import Report
from tracker.types import OptionError

MOST_ROWS = 1_048_000  # of a sheet
MOST_EVENTS = 200_000
CHART_ROWS, CHART_GAP = 15, 2
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#666666")  # Okabe and Ito
Cell = str | int | float | datetime | None


def needed() -> None:
    """Raise ``OptionError`` where what writes spreadsheets is not installed."""
    try:
        import xlsxwriter  # noqa: F401 - only to see that it is there
    except ImportError:
        raise OptionError(
            "--xlsx needs XlsxWriter; install it: pip install 'track-anything-in-video[report]'"
        ) from None


def workbook(report: Report) -> bytes:
    """Return an .xlsx file; whatever a name looks like, it is a text there and no formula."""
    import xlsxwriter

    data = io.BytesIO()
    book = xlsxwriter.Workbook(
        data,
        {
            "constant_memory": True,  # rows go to a file at once: each sheet is written from top to bottom
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": True,
        },
    )
    sheets = Sheets(book, report)
    sheets.summary()
    sheets.intervals()
    if report.junctions:
        sheets.movements()
    sheets.charts()
    if report.stays:
        sheets.visits()
    if report.checks is not None:
        sheets.truth()
    sheets.events()
    book.close()
    return data.getvalue()


class Sheets:
    """Writes one sheet after the other into a workbook of XlsxWriter."""

    def __init__(self, book: Any, report: Report) -> None:
        self._book, self._report = book, report
        self._bold = book.add_format({"bold": True})
        self._title = book.add_format({"bold": True, "font_size": 14})
        pattern = "yyyy-mm-dd hh:mm:ss" if report.wall else "[h]:mm:ss"
        self._time = book.add_format({"num_format": pattern, "align": "left"})

    def summary(self) -> None:
        """Totals, peak hours, and how it was recorded."""
        report, sheet = self._report, self._sheet("Summary", (34, 16, 16, 20, 20, 22))
        sheet.write_string(0, 0, report.title, self._title)
        first, last = report.span
        rows: list[Sequence[Cell]] = [
            ("from", self._when(first)),
            ("to", self._when(last)),
            ("time zone", report.runs[0].clock.zone() or "not known: times are those of the recording"),
            ("recorded, seconds", round(report.watched_s, 3)),
            ("interval, seconds", report.tally.interval_s),
        ]
        at = self._rows(sheet, 2, rows)
        at = self._table(
            sheet, at + 1, ("line and direction", "count", "by class", "doubtful"), view.lines_view(report)
        )
        names = ("zone", "entries", "exits", "inside on average", "inside at most", "half stayed at most")
        if report.zones:
            at = self._table(sheet, at + 1, names, view.zones_view(report))
        peaks: list[Sequence[Cell]] = []
        for name in report.lines:
            for direction in (None, *report.tally.names[name]):
                peak = report.peak(name, None if direction is None else (direction,))
                if peak is not None:
                    told = f"{name} {direction or 'all directions'}"
                    start = self._when(peak.start_s)
                    peaks.append((told, start, peak.volume, peak.quarter, round(peak.factor, 3)))
        for one in report.junctions:
            ways = [f"{a} > {b}" for a in one.sections for b in one.sections]
            peak = report.peak(one.name, ways, movements=True)
            if peak is not None:
                start, factor = self._when(peak.start_s), round(peak.factor, 3)
                peaks.append((f"{one.name} all movements", start, peak.volume, peak.quarter, factor))
        if peaks:
            columns = ("peak hour of", "begins", "in the hour", "in its busiest quarter", "peak-hour factor")
            at = self._table(sheet, at + 1, columns, peaks)
        for run in report.runs:
            about: list[Sequence[Cell]] = [("recording", run.name)]
            about += [("setting", each) for each in run.record.get("settings", ())]
            about += [("version", f"{n} {v}") for n, v in run.record.get("versions", {}).items()]
            about += [("gap, seconds", round(b - a, 3)) for a, b in run.gaps]
            about += [("note", str(note)) for note in (*run.notes, *run.record.get("notes", ()))]
            if run.record.get("dropped") is not None:
                about.append(("frames dropped", int(run.record["dropped"])))
            at = self._rows(sheet, at + 1, about)

    def intervals(self) -> None:
        """A row per interval, line or zone, direction and class; zero is a row, too."""
        sheet = self._sheet("Intervals", (20, 20, 24, 14, 14, 10, 10, 14))
        tally = self._report.tally
        rows = (
            (
                self._when(row.start_s),
                self._when(row.end_s),
                *(row.name, row.direction, row.class_name, row.count, row.doubtful),
                round(tally.watched_s[row.start_s], 3),
            )
            for row in tally.rows[:MOST_ROWS]
        )
        columns = ("start", "end", "name", "direction", "class", "count", "doubtful", "recorded, s")
        last = self._table(sheet, 0, columns, rows)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(last - 1, 0), len(columns) - 1)

    def movements(self) -> None:
        """A row per interval, movement and class; "?" is where nobody saw it come in or leave."""
        called = {
            (one.name, *ways): name for one in self._report.junctions for ways, name in one.called.items()
        }
        rows = []
        for row in self._report.movements.rows[:MOST_ROWS]:
            start, _, end = row.direction.partition(" > ")
            name = called.get((row.name, start, end), "")
            times = self._when(row.start_s), self._when(row.end_s)
            rows.append((*times, row.name, name, start, end, row.class_name, row.count, row.doubtful))
        columns = ("start", "end", "movement", "name", "from", "to", "class", "count", "doubtful")
        sheet = self._sheet("Movements", (20, 20, 20, 14, 18, 18, 14, 10, 10))
        last = self._table(sheet, 0, columns, rows)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(last - 1, 0), len(columns) - 1)

    def charts(self) -> None:
        """A block of numbers per line or zone, and a chart of it beside."""
        report, tally = self._report, self._report.tally
        sheet, at = self._sheet("Charts", (20, 12, 12, 12, 12)), 0
        blocks = [
            (name, list(tally.names[name]), [tally.series(name, way) for way in tally.names[name]])
            for name in (*report.lines, *report.zones)
        ]
        for one in report.junctions:
            ways = [f"{a} > {b}" for a in one.sections for b in one.sections]
            ways = [way for way in ways if way in report.movements.names[one.name]]
            blocks.append((one.name, ways, [report.movements.series(one.name, way) for way in ways]))
        for name, ways, series in blocks:
            rows = [(self._when(start), *(each[start] for each in series)) for start in tally.starts]
            if at + len(rows) + CHART_ROWS > MOST_ROWS:
                break
            sheet.write_string(at, 0, name, self._bold)
            top, last = at + 1, self._table(sheet, at + 1, ("interval", *ways), rows)
            chart = self._book.add_chart({"type": "column", "subtype": "stacked"})
            for column, _ in enumerate(ways, 1):
                chart.add_series(
                    {
                        "name": ["Charts", top, column],  # a place: a name that begins with = is a formula
                        "categories": ["Charts", top + 1, 0, last - 1, 0],
                        "values": ["Charts", top + 1, column, last - 1, column],
                        "fill": {"color": PALETTE[(column - 1) % len(PALETTE)]},
                    }
                )
            chart.set_title({"name": ["Charts", at, 0], "overlay": False})
            chart.set_legend({"position": "bottom"})
            chart.set_x_axis({"num_format": "hh:mm" if report.wall else "[h]:mm:ss", "text_axis": True})
            sheet.insert_chart(at, len(ways) + 2, chart, {"description": f"Bar chart of {name} by interval"})
            at = max(last, at + CHART_ROWS) + CHART_GAP

    def visits(self) -> None:
        """Every visit to a zone, from when to when."""
        rows = (
            (
                *(name, stay.class_name, self._when(stay.since_s), self._when(stay.left_s)),
                round(stay.left_s - stay.since_s, 3),
                "" if stay.ended else "cut off by the end of the recording",
            )
            for name, stays in self._report.stays.items()
            for stay in stays[:MOST_EVENTS]
        )
        columns = ("zone", "class", "since", "until", "seconds", "note")
        self._table(self._sheet("Visits", (24, 14, 20, 20, 12, 34)), 0, columns, rows)

    def truth(self) -> None:
        """A person's count beside this one."""
        rows = (
            (
                *(self._when(c.start_s), self._when(c.end_s), c.name, c.direction, c.class_name),
                *(c.truth, c.counted, c.error, c.missed, c.false, None if c.geh is None else round(c.geh, 2)),
            )
            for c in self._report.checks or ()
        )
        columns = (
            *("start", "end", "name", "direction", "class", "person", "track"),
            *("error", "missed", "false", "GEH of hourly flows"),
        )
        self._table(self._sheet("Truth", (20, 20, 24, 14, 14, 10, 10, 10, 10, 10, 20)), 0, columns, rows)

    def events(self) -> None:
        """Every event, as many as a sheet takes."""
        rows: list[Sequence[Cell]] = []
        for run in self._report.runs:
            for one in run.entries[: MOST_EVENTS - len(rows)]:
                when, why = self._when(run.clock.axis(one.time_s)), str(one.data.get("why", ""))
                sure = one.data.get("sure")
                rows.append(
                    (
                        *(when, one.frame, one.kind, one.name or "", str(one.direction or "")),
                        *(one.track_id, one.class_name),
                        float(sure) if isinstance(sure, int | float) else None,
                        why,
                    )
                )
        columns = ("time", "frame", "kind", "name", "direction", "track", "class", "sure", "why doubtful")
        sheet = self._sheet("Events", (20, 10, 16, 24, 14, 10, 14, 8, 40))
        self._table(sheet, 0, columns, rows)
        sheet.freeze_panes(1, 0)

    def _sheet(self, name: str, widths: Sequence[int]) -> Any:
        sheet = self._book.add_worksheet(name)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        return sheet

    def _table(self, sheet: Any, at: int, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
        """Write a head and rows from row ``at`` on; return the row after them."""
        for column, text in enumerate(columns):
            sheet.write_string(at, column, text, self._bold)
        return self._rows(sheet, at + 1, rows)

    def _rows(self, sheet: Any, at: int, rows: Iterable[Sequence[Any]]) -> int:
        for row in rows:
            for column, value in enumerate(row):
                if isinstance(value, datetime | timedelta):
                    sheet.write_datetime(at, column, value, self._time)
                elif isinstance(value, int | float):
                    sheet.write_number(at, column, value)
                elif value is not None:
                    sheet.write_string(at, column, str(value))
            at += 1
        return at

    def _when(self, axis_s: float) -> Any:
        """Return a time as the program's own: of day, or since the recording began."""
        moment = timedelta(seconds=round(axis_s, 3))
        return EPOCH + moment if self._report.wall else moment
