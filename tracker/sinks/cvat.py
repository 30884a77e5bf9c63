"""CVAT for video 1.1: tracks as XML, to be corrected in CVAT (docs.cvat.ai, "XML annotation format")."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from tracker.sinks.cvat_shapes import gone, point_names, shape_of
from tracker.sinks.journal import JournalFile
from tracker.sinks.whole_file import WholeFileSink
from tracker.types import Json, Result

BATCH_BYTES = 1 << 25  # of the shapes that are put in order in memory; the journal is read once for each
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, "Char"
LABELS = {"segment": "polygon", "pose": "skeleton"}  # by `Detector.kind`; others are rectangles


@dataclass
class Track:
    """What a journal has of one track."""

    class_id: str  # its last
    shapes: int = 0
    size: int = 0  # of the shapes' text


class CvatSink(WholeFileSink):
    """One ``<track>`` per object, with one shape per frame; its ``id`` is the track's number.

    Masks are ``<polygon>``, the largest outline: CVAT has no tracks of masks and reads only the first of one.
    Rotated boxes have ``rotation`` in degrees; keypoints are a ``<skeleton>``, those that are not known
    ``outside``. A track has shapes of one sort: where mask or keypoints are not known CVAT interpolates.
    Boxes that are only supposed are ``occluded``. Frames count as in the source; where an object is gone its
    last shape is ``outside``.

    A line of the journal is ``f`` and a frame, or ``t``, a track's id, its class and, where there is one,
    its shape in that frame.
    """

    form: ClassVar[str] = "cvat"

    def about(self) -> dict[str, Json]:
        """Return what a journal says of itself beside its form."""
        return {**super().about(), "kind": self._scene.kind}

    def lines(self, result: Result) -> str:
        """Return what there is of one frame."""
        tracks, index = result.tracks, result.frame.index
        ids, classes = tracks.track_id.tolist(), tracks.class_id.tolist()
        rows = (
            f"t{track_id} {class_id} {shape_of(tracks, row, index, self._scene.kind)}\n"
            for row, (track_id, class_id) in enumerate(zip(ids, classes, strict=True))
        )
        return f"f{index}\n" + "".join(rows)

    @classmethod
    def whole(cls, kept: JournalFile) -> Iterator[str]:
        """Yield the text of the XML file."""
        about, frames, tracks = kept.about(), array("q"), dict[int, Track]()
        for line in kept.lines():
            if line.startswith("f"):
                frames.append(int(line[1:]))
            elif line.startswith("t"):
                number, class_id, shape = line[1:].split(" ", 2)
                track = tracks.setdefault(int(number), Track(class_id))
                track.class_id = class_id
                track.shapes += bool(shape)
                track.size += len(shape)
        names: dict[str, str] = about["names"]
        drawn = {track_id: track for track_id, track in sorted(tracks.items()) if track.shapes}
        labels = {number: names.get(number, number) for number in (one.class_id for one in drawn.values())}
        joints = _joints(kept) if about["kind"] == "pose" else 0
        yield _head(about, list(dict.fromkeys(labels.values())), frames[-1] if frames else -1, joints)
        for batch in _batches(drawn):
            for track_id, elements in _elements(kept, frames, batch):
                label = _attribute(labels[drawn[track_id].class_id])
                yield f'  <track id="{track_id}" label={label} source="auto">\n'
                yield from (f"    {element}\n" for element in elements)
                yield "  </track>\n"
        yield "</annotations>\n"


def _batches(tracks: dict[int, Track]) -> Iterator[set[int]]:
    """Yield sets of tracks of which each fits into memory, or is one alone."""
    batch: set[int] = set()
    size = 0
    for track_id, track in tracks.items():
        if batch and size + track.size > BATCH_BYTES:
            yield batch
            batch, size = set(), 0
        batch.add(track_id)
        size += track.size
    if batch:
        yield batch


def _elements(
    kept: JournalFile, frames: Sequence[int], batch: set[int]
) -> Iterator[tuple[int, Iterable[str]]]:
    """Yield each track of a batch with its elements in the order of frames."""
    placed = _placed(kept, frames, batch)
    if len(batch) == 1:  # it may be longer than fits into memory
        yield next(iter(batch)), (element for _, element in placed)
        return
    ordered = sorted(placed, key=lambda one: one[0])  # keeps the order of frames
    for track_id, elements in groupby(ordered, key=lambda one: one[0]):
        yield track_id, (element for _, element in elements)


def _placed(kept: JournalFile, frames: Sequence[int], batch: set[int]) -> Iterator[tuple[int, str]]:
    """Yield the elements of tracks, also those that say that one is gone, with the tracks' ids."""
    last: dict[int, tuple[int, str]] = {}  # where a track was: place of the frame, and its last shape
    place = -1
    for line in kept.lines():
        if line.startswith("f"):
            place += 1
        elif line.startswith("t"):
            number, _, shape = line[1:].split(" ", 2)
            track_id = int(number)
            if track_id not in batch:
                continue
            before, known = last.get(track_id, (place, ""))
            if known and before + 1 < place:
                yield track_id, gone(known, frames[before + 1])
            if shape:
                yield track_id, shape
            last[track_id] = place, shape or known
    for track_id, (before, known) in last.items():
        if known and before < place:
            yield track_id, gone(known, frames[before + 1])


def _joints(kept: JournalFile) -> int:
    """Return how many points the skeletons have."""
    return next((line.count("<points ") for line in kept.lines() if "<skeleton " in line), 0)


def _head(about: Json, labels: Sequence[str], last: int, joints: int) -> str:
    """Return the description of the task; it names the labels that a task in CVAT needs."""
    width, height = about["size"]
    sort = LABELS.get(about["kind"], "rectangle")
    told = "".join(_label(name, sort) for name in labels)
    if joints:
        told += "".join(_label(point, "points", name) for name in labels for point in point_names(joints))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n'
        f"    <task>\n      <name>{_text(about['source'])}</name>\n"
        f"      <size>{last + 1}</size>\n      <mode>interpolation</mode>\n"
        f"      <overlap>0</overlap>\n      <start_frame>0</start_frame>\n"
        f"      <stop_frame>{max(last, 0)}</stop_frame>\n"
        f"      <labels>\n{told}      </labels>\n"
        f"      <original_size>\n        <width>{width}</width>\n        <height>{height}</height>\n"
        "      </original_size>\n    </task>\n  </meta>\n"
    )


def _label(name: str, sort: str, parent: str | None = None) -> str:
    under = "" if parent is None else f"          <parent>{_text(parent)}</parent>\n"
    return (
        f"        <label>\n          <name>{_text(name)}</name>\n          <type>{sort}</type>\n"
        f"          <attributes></attributes>\n{under}        </label>\n"
    )


def _text(words: str) -> str:
    from xml.sax.saxutils import escape  # it imports all of HTTP and TLS, which a plain run does without

    return escape(_FORBIDDEN.sub("?", words))


def _attribute(words: str) -> str:
    from xml.sax.saxutils import quoteattr

    return quoteattr(_FORBIDDEN.sub("?", words))
