"""What ``track()``, ``track_all()`` and ``Options`` take by name, spelt out for editors and type checkers.

A type checker knows a misspelt ``clases=`` before anything runs, and an editor completes names. Nothing is
imported from here at run time: ``Options`` is what obeys, and a test holds the two together.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TypeAlias, TypedDict

Time: TypeAlias = float | str  # seconds, or 90s, 1:30, 10m, 24h, 7d
File: TypeAlias = str | os.PathLike[str]
Texts: TypeAlias = str | Iterable[str]  # one or several
OnOff: TypeAlias = str | bool  # on or True, off or False
Names: TypeAlias = str | int | Iterable[str | int] | None  # classes by name or id; None: all
Points: TypeAlias = str | Iterable[object]  # "0,300 768,300" or [[0, 300], [768, 300]] or an array (K, 2)
Shapes: TypeAlias = Points | Mapping[str, Points]  # one, several, or several by name


class Keywords(TypedDict, total=False):
    """The fields of `tracker.options.Options`, which has their defaults, ranges and help."""

    start: Time
    end: Time | None
    vid_stride: int
    fps: float | None
    max_frames: int | None
    decode: str

    rtsp_transport: str
    camera_size: str | None
    camera_fps: float | None
    give_up_after: Time | None

    weights: File
    classes: Names
    conf: float
    iou: float
    imgsz: int
    tiles: str
    max_det: int
    device: str | int
    half: bool
    backend: str
    int8: bool
    precision: str
    batch: int
    detections: File | None
    look: str
    detect_every: int

    tracker: str
    new_track_thresh: float | None
    match_thresh: float
    match_by: str
    appearance: File
    remember: Time | None
    camera_motion: str
    refine: bool
    lost: Time

    line: Shapes
    zone: Shapes
    zones: File | None
    plugin: Texts
    units: str
    on: Texts
    follow: str | int | None
    events: File | None
    counts: File | None
    movements: File | None
    interval: Time | None
    save_run: File | None
    report: File | None
    state: File | None
    state_every: Time
    resume: bool

    output: File | None
    overwrite: bool
    crf: int
    encode: str
    segment: Time | None
    keep: Time | None
    keep_gb: float | None
    line_width: int | None
    hide_labels: bool
    hide_conf: bool
    show_labels: OnOff
    show_conf: OnOff
    show_ids: OnOff
    show_boxes: OnOff
    blur: Names
    draw_classes: Names
    color_by: str
    background: File | None
    show: bool
    crop: File | None
    profile: bool
    save_mot: File | None
    save_csv: File | None
    save_detections: File | None
    save_mots: File | None
    save_coco: File | None
    save_cvat: File | None
    save_json: File | None
