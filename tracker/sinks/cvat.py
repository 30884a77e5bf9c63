"""CVAT for video 1.1: tracks as XML, to be corrected in CVAT (docs.cvat.ai, "XML annotation format")."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from bytetrack import Tracks
from bytetrack.types import FloatArray
from tracker.drawing.shapes import JOINTS, SURE, outlines
from tracker.sinks.coco import KEYPOINTS
from tracker.sinks.whole_file import WholeFileSink
from tracker.types import Result, Scene


@dataclass
class Track:
    """What is to be written of one track."""

    label: str
    last: int = -1  # the frame that was written last
    shape: str = ""  # and what, to be put outside
    lines: list[str] = field(default_factory=list)


class CvatSink(WholeFileSink):
    """One ``<track>`` per object, with a ``<box>`` per frame; its ``id`` is the track's number.

    Masks are ``<polygon>``, the largest outline; rotated boxes have ``rotation`` in degrees; keypoints are a
    ``<skeleton>``. Frames count as in the source. Where an object is gone its last shape is ``outside``.
    Tracks are held in memory until they are lost for good.
    """

    def __init__(self, path: str | Path, scene: Scene, *, overwrite: bool = False) -> None:
        super().__init__(path, overwrite=overwrite)
        self._scene = scene
        self._tracks: dict[int, Track] = {}
        self._before = -1  # the frame before
        self._first = -1
        self._seen: dict[int, float] = {}
        self._met: dict[str, None] = {}

    def write(self, result: Result) -> None:
        """Take one frame."""
        tracks, index, time = result.tracks, result.frame.index, result.frame.time
        self._first = index if self._first < 0 else self._first
        here = set(tracks.track_id.tolist())
        for row, track_id in enumerate(tracks.track_id.tolist()):
            label = self._scene.names.get(int(tracks.class_id[row]), str(tracks.class_id[row]))
            track = self._tracks.setdefault(track_id, Track(label))
            self._met.setdefault(label)
            track.label = label
            track.shape = _shape(tracks, row)
            track.lines.append(_element(track.shape, index, outside=False))
            track.last = index
            self._seen[track_id] = time
        for track_id, track in self._tracks.items():
            if track_id not in here and track.last == self._before and track.shape:
                track.lines.append(_element(track.shape, index, outside=True))
        self._before = index
        gone = [key for key, seen in self._seen.items() if time - seen > 2 * self._scene.lost_s + 1]
        for track_id in gone:
            self._finish(track_id)

    def _finish(self, track_id: int) -> None:
        track = self._tracks.pop(track_id)
        del self._seen[track_id]
        lines = "".join(track.lines)
        self.put(
            f'  <track id="{track_id}" label={_attribute(track.label)} source="auto">\n{lines}  </track>\n'
        )

    def head(self) -> str:
        """Return the description of the task."""
        width, height = self._scene.size
        labels = "".join(_label(name, self._scene.kind) for name in self._met)
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n'
            f"    <task>\n      <name>{_text(self._scene.source)}</name>\n"
            f"      <size>{self._before + 1}</size>\n      <mode>interpolation</mode>\n"
            f"      <overlap>0</overlap>\n      <start_frame>0</start_frame>\n"
            f"      <stop_frame>{max(self._before, 0)}</stop_frame>\n"
            f"      <labels>\n{labels}      </labels>\n"
            f"      <original_size>\n        <width>{width}</width>\n        <height>{height}</height>\n"
            "      </original_size>\n    </task>\n  </meta>\n"
        )

    def tail(self) -> str:
        """Write the tracks that are left, and return the end."""
        for track_id in sorted(self._tracks):
            self._finish(track_id)
        return "</annotations>\n"


def _label(name: str, kind: str) -> str:
    sort = {"segment": "polygon", "pose": "skeleton"}.get(kind, "rectangle")
    return (
        f"        <label>\n          <name>{_text(name)}</name>\n          <type>{sort}</type>\n"
        "          <attributes></attributes>\n        </label>\n"
    )


def _shape(tracks: Tracks, row: int) -> str:
    """Return the element of one track with ``{}`` in place of its frame and state."""
    seen = tracks.source[row] >= 0
    if seen and tracks.masks is not None:
        parts = outlines(tracks.masks.crop(row))
        if parts:
            largest = max(parts, key=lambda points: float(cv2.contourArea(points)))
            points = ";".join(f"{x}.5,{y}.5" for x, y in largest.tolist())
            return f'    <polygon {{}} points="{points}" z_order="0"></polygon>\n'
    if seen and tracks.keypoints is not None and not np.isnan(tracks.keypoints[row]).all():
        return _skeleton(tracks.keypoints[row])
    turn = ""
    x1, y1, x2, y2 = tracks.xyxy[row].astype(float).tolist()
    if tracks.rotated is not None and np.isfinite(tracks.rotated[row]).all():
        x, y, w, h, angle = tracks.rotated[row].astype(float).tolist()
        x1, y1, x2, y2 = x - w / 2, y - h / 2, x + w / 2, y + h / 2
        turn = f' rotation="{np.degrees(angle) % 360:.2f}"'
    box = f'xtl="{x1:.2f}" ytl="{y1:.2f}" xbr="{x2:.2f}" ybr="{y2:.2f}"{turn} z_order="0"'
    return f"    <box {{}} {box}></box>\n"


def _skeleton(keypoints: FloatArray) -> str:
    names = KEYPOINTS if len(keypoints) == JOINTS else [str(n) for n in range(1, len(keypoints) + 1)]
    points = "".join(
        f'      <points label="{name}" keyframe="1" outside="{int(not sure > 0)}" '
        f'occluded="{int(sure < SURE)}" points="{x:.2f},{y:.2f}"></points>\n'
        for name, (x, y, sure) in zip(names, np.nan_to_num(keypoints).tolist(), strict=True)
    )
    return f'    <skeleton {{}} z_order="0">\n{points}    </skeleton>\n'


def _element(shape: str, frame: int, *, outside: bool) -> str:
    return shape.format(f'frame="{frame}" outside="{int(outside)}" occluded="0" keyframe="1"')


def _text(words: str) -> str:
    from xml.sax.saxutils import escape  # it imports all of HTTP and TLS, which a plain run does without

    return escape(words)


def _attribute(words: str) -> str:
    from xml.sax.saxutils import quoteattr

    return quoteattr(words)
