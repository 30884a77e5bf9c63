"""Which options an archive takes, and what its results were made with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.archive.pieces import release
from tracker.archive.recordings import Names
from tracker.archive.store import Store
from tracker.arguments.option_spec import specs
from tracker.detectors import open_detector
from tracker.detectors.weights import find_weights, sha256
from tracker.errors import OptionError
from tracker.options import Options
from tracker.run.build_plugins import check as check_plugins
from tracker.run.record import settings as as_written
from tracker.trackers.settings import KIND_OF, MATCHED_BY, lacks_shapes
from tracker.types import Json
from tracker.zones.edit import bytes_of
from tracker.zones.file import read

RUN, ZONES = "run.json", "zones.yaml"
DETECT = (
    *("weights", "classes", "iou", "imgsz", "tiles", "max_det", "device", "half", "backend", "precision"),
    *("batch", "fps", "decode"),
)
FOLLOW = (
    *("classes", "conf", "max_det", "tracker", "new_track_thresh", "match_thresh", "match_by", "refine"),
    *("lost", "line", "zone", "zones", "plugin", "units", "interval"),
)
DRAW = (
    *("crf", "encode", "line_width", "hide_labels", "hide_conf", "show_labels", "show_conf", "show_ids"),
    *("show_boxes", "blur", "draw_classes", "color_by"),
)
TAKEN = tuple(name for name in specs(Options) if name in {*DETECT, *FOLLOW, *DRAW})
OTHER_DEFAULTS = {"precision": "fp32"}  # which is the same on every machine
ANYHOW = {"look": "all"}  # which may be said, and is what an archive does
ALWAYS: dict[str, Any] = {"counts": "counts.csv"}  # so that --interval has something to divide
PIXELS = "needs pictures, and an archive follows stored boxes"
WHOLE = "needs the whole file in order, and an archive cuts it"
TABLES = "is not needed: an archive always writes tracks, events and counts"
AGAIN = "is not needed: the same command again does only what is missing"
NOW = "is for what happens now"
ONE = "is for one run; give the file to track"
# What is refused, and why; the rest is for one run.
REFUSED = {
    **dict.fromkeys(("appearance", "remember", "camera_motion", "background"), PIXELS),
    **dict.fromkeys(("vid_stride", "detect_every", "look", "start", "end", "max_frames"), WHOLE),
    "int8": "makes a model of the pictures of one run: make it with `track export --int8` and give --weights",
    "detections": "is what an archive makes itself",
    **dict.fromkeys(("save_csv", "events", "counts", "movements", "save_detections"), TABLES),
    **dict.fromkeys(("state", "state_every", "resume"), AGAIN),
    **dict.fromkeys(("on", "show", "rtsp_transport", "give_up_after", "camera_size", "camera_fps"), NOW),
}
DRAWING_PLUGINS = ("heatmap", "route")


def check(options: Options, *, draw: bool) -> None:
    """Refuse what cannot be done from stored boxes; raises ``OptionError`` and ``WeightsError``."""
    check_plugins(options)
    if options.match_by != MATCHED_BY[0]:
        with open_detector(
            find_weights(options.weights)
        ) as detector:  # else it would be told after all is detected
            if detector.kind != KIND_OF[options.match_by]:
                raise OptionError(lacks_shapes(options.match_by))
    for text in options.plugin if not draw else ():
        if text.partition(":")[0].strip() in DRAWING_PLUGINS:
            raise OptionError(f"--plugin {text} draws: add --draw for annotated videos")


def refused(name: str) -> OptionError:
    """Return why an option is not one of an archive."""
    return OptionError(f"track archive: {specs(Options)[name].flag} {REFUSED.get(name, ONE)}")


def detecting(options: Options) -> Options:
    """Return the options that detection depends on, so that workers share one model."""
    return Options(**{name: getattr(options, name) for name in DETECT})


def told(
    options: Options, piece_s: float, names: Names, *, csv: bool = False, draw: bool = False
) -> dict[str, Json]:
    """Return what ``run.json`` says: with what detections, tables and videos were made."""
    weights = find_weights(options.weights)
    zones = _zones_of(options.zones)
    return {
        "track_archive": 1,
        "release": release(),
        "detection": {
            **{name: getattr(options, name) for name in DETECT if name != "weights"},
            "weights": weights.name,
            "weights_sha256": sha256(weights) if weights.is_file() else None,
            "piece": piece_s,
        },
        "tables": {
            **{name: getattr(options, name) for name in FOLLOW if name not in ("zones", *DETECT)},
            "zones": hashlib.sha256(zones).hexdigest()[:12] if zones else None,
            "names": names.text,
            "csv": csv or None,
        },
        "drawing": {name: getattr(options, name) for name in DRAW} if draw else None,
        "settings": as_written(options),
    }


def _zones_of(name: str | None) -> bytes:
    """Return what is in a zone file, after a look whether it is one; raises ``OptionError``."""
    if name is None:
        return b""
    content = bytes_of(Path(name))  # no pipe: it is read more than once
    read(name)
    return content


def compare(store: Store, now: Mapping[str, Any], *, overwrite: bool) -> bool:
    """Whether tables of another run here must be made anew; raises ``OptionError`` where settings differ.

    Detections that were made otherwise are always refused, tables and videos unless ``overwrite``.
    """
    data = store.read(RUN)
    if data is None:
        return False
    try:
        before = json.loads(data)
        if before["track_archive"] != 1:
            raise KeyError
        old, new = before["detection"], json.loads(json.dumps(now["detection"]))
        tables, mine = before["tables"], json.loads(json.dumps(now["tables"]))
        drawn, drawing = before.get("drawing"), json.loads(json.dumps(now.get("drawing")))
    except (ValueError, KeyError, TypeError):
        raise OptionError(f"{store.shown(RUN)}: is damaged, or of something else; give another -o") from None
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            was, is_now = _shown(old.get(name)), _shown(new.get(name))
            raise OptionError(
                f"{store.shown()}: was detected with {_flag(name)} {was}, now it is {is_now}; give another -o"
            )
    for old, new, what in (
        (
            tables,
            mine,
            "its tables were made with {}; --overwrite makes them anew from the stored detections",
        ),
        (drawn, drawing, "its videos were drawn with {}; --overwrite draws them anew"),
    ):
        for name in sorted({*old, *new}) if old and new else ():
            if old.get(name) != new.get(name):
                if overwrite:
                    return True
                made = f"{_flag(name)} {_shown(old.get(name))}, now it is {_shown(new.get(name))}"
                raise OptionError(f"{store.shown()}: {what.format(made)}, another -o keeps both")
    return False


def write(store: Store, now: Mapping[str, Any], options: Options) -> str | None:
    """Store what the run is made with; return the name of the zone file there."""
    if now.get("drawing") is None:
        now = {**now, "drawing": _drawing_before(store)}
    store.write(RUN, json.dumps(now, indent=1, ensure_ascii=False).encode())
    if options.zones is None:
        return None
    store.write(ZONES, _zones_of(options.zones))
    return ZONES


def _drawing_before(store: Store) -> Json:
    """Return how the videos were drawn that are there already."""
    data = store.read(RUN)
    return None if data is None else json.loads(data).get("drawing")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _shown(value: Json) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value)) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
