"""How sure the numbers are: doubtful crossings, incomplete movements, a person's count beside them."""

from __future__ import annotations

from typing import Any

from tracker.report import view
from tracker.report.gather import Report
from tracker.report.pictures import Detail, jpeg
from tracker.text import harmless

MOST_CHECKS = 200  # rows of a person's count that are shown


def sure(report: Report) -> list[str]:
    """Return how many crossings are doubtful and how many movements incomplete."""
    doubtful, total = report.doubtful
    lines = []
    if total:
        lines.append(
            f"{doubtful} of {total} crossings ({100 * doubtful / total:.1f} %) are doubtful: something spoke "
            "against them. They are counted all the same."
        )
    for junction in report.junctions:
        whole = junction.whole.total() + junction.incomplete
        share = 100 * junction.incomplete / max(whole, 1)
        lines.append(
            f"{junction.incomplete} of {whole} movements at {junction.name} ({share:.1f} %) are incomplete."
        )
    if report.checks is None:
        lines.append("Nobody’s own count stands beside these numbers; --truth FILE puts one there.")
    return lines


def truth(report: Report) -> dict[str, Any] | None:
    """Return a person's count beside ours; None where nobody counted."""
    if report.checks is None:
        return None
    checks = report.checks
    person, ours = sum(c.truth for c in checks), sum(c.counted for c in checks)
    missed, false = sum(c.missed for c in checks), sum(c.false for c in checks)
    known = [c.geh for c in checks if c.geh is not None]
    good = sum(value < 5 for value in known)
    rows = [
        [
            f"{view.when(report, c.start_s, exact=True)} to {view.when(report, c.end_s, exact=True)}",
            *(c.name, c.direction, c.class_name, c.truth, c.counted, f"{c.error:+d}"),
            *(c.missed, c.false, "–" if c.geh is None else f"{c.geh:.2f}"),
        ]
        for c in checks[:MOST_CHECKS]
    ]
    lead = f"The person counted {person}, track {ours}: at least {missed} missed and {false} false."
    if known:
        lead += f" GEH, of hourly flows, is below 5 in {good} of {len(known)} rows."
    if len(known) < len(checks):
        lead += " Intervals of less than five minutes have no GEH."
    return {"lead": lead, "rows": rows}


def thumbnails(report: Report, detail: Detail) -> list[dict[str, str]]:
    """Return pictures of doubtful crossings, and what was doubtful."""
    clock = report.runs[0].clock
    found = []
    for one in report.thumbnails:
        entry = one.entry
        at = view.when(report, clock.axis(entry.time_s), exact=True)
        told = f"{at}, {entry.name} {entry.way}, {entry.class_name} {entry.track_id}: {entry.data['why']}"
        address = jpeg(one.image, detail.thumbnail, detail.quality)
        found.append(
            {"address": address, "told": harmless(told), "alt": f"{entry.class_name} at {entry.name}"}
        )
    return found
