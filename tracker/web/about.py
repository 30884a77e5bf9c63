"""What the page shows of a source, as JSON."""

from __future__ import annotations

import time

from tracker.text import told
from tracker.types import Json
from tracker.web.station import OLD_S, Station

BUSY = ("starting", "running", "lost", "stopping")


def about(station: Station) -> dict[str, Json]:
    """Return what there is to tell of a source: state, totals, and what may be done."""
    age, (done, total) = station.age_s, station.progress
    spent = time.monotonic() - station.began
    left = spent / done * (total - done) if total and done and station.state == "running" else None
    scene = station.scene
    return {
        "id": station.number,
        "name": station.name,
        "kind": "live" if station.live else "file",
        "state": station.state,
        "message": told(station.why),
        "problem": told(station.counting.problem),
        "age_s": None if age is None else round(age, 2),
        "fresh": age is not None and age <= OLD_S,
        "fps": round(station.fps, 1),
        "size": None if scene is None else list(scene.size),
        "classes": [] if scene is None else list(scene.names.values()),
        "totals": station.counting.totals,
        "version": station.counting.version,
        "progress": {"done": done, "of": total, "left_s": None if left is None else round(left, 1)},
        "length_s": station.length_s,
        "video_from_s": station.video_from_s,
        "results": [{"id": key, "name": path.name} for key, path in station.results.items()],
        "stale": station.stale,
        "recounting": station.recounting,
        "uncounted": bool(station.results) and station.counting.at not in ("", station.counting.version),
        "changed": station.changed(),
        "runs": station.runs,
        "reports": station.report is not None,
        "may": may(station),
        "fixed_because": told(station.counting.fixed_because),
    }


def may(station: Station) -> dict[str, bool]:
    """Return which orders make sense now."""
    return {
        "start": station.start is not None and station.state not in BUSY,
        "stop": station.stop is not None and station.state in BUSY[:3],
        "zero": station.counting.running,
        "edit": station.counting.editable,
        "recount": station.recount is not None
        and station.state in ("ended", "stopped")
        and not station.changed(),
    }
