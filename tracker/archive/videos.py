"""The annotated videos that are complete, and with what each was made."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass

from tracker.archive import sketches
from tracker.archive.draw import SUFFIX
from tracker.archive.manifest import Row
from tracker.archive.recordings import Camera
from tracker.archive.sketches import FileSketch
from tracker.archive.store import Store
from tracker.sources import address

FOLDER, RECORD = "videos", "made.json"


@dataclass(frozen=True)
class Made:
    """What a video was made of."""

    made_with: str  # a mark of the settings
    known: str  # a mark of what is in the recording
    content: str  # a mark of all that is to be seen


def folder_of(camera: Camera) -> str:
    """Return the folder of a camera's videos."""
    return f"{FOLDER}/camera={camera.key}"


def names_of(camera: Camera) -> dict[str, str]:
    """Return what the videos of a camera are called, by the names of its recordings.

    >>> from tracker.archive.recordings import Recording
    >>> camera = Camera("a", (Recording("x/a_1.mkv", "a_1.mkv"), Recording("x/a_2.avi", "a_2.avi")))
    >>> names_of(camera)
    {'a_1.mkv': 'a_1.mp4', 'a_2.avi': 'a_2.mp4'}
    """
    stems = [recording.name.rpartition(".")[0] or recording.name for recording in camera.recordings]
    return {
        recording.name: f"{stem if stems.count(stem) == 1 else recording.name}{SUFFIX}"
        for recording, stem in zip(camera.recordings, stems, strict=True)
    }


def made(store: Store, camera: Camera) -> dict[str, Made]:
    """Return what is known of those videos of a camera that are there, by name."""
    there = store.names(folder_of(camera))
    return {name: each for name, each in _record(store, camera).items() if name in there}


def keep(store: Store, camera: Camera, name: str, what: Made) -> None:
    """Note that a video is complete."""
    record = {**_record(store, camera), name: what}
    told = {each: dataclasses.asdict(of) for each, of in sorted(record.items())}
    data = json.dumps(told, indent=1, ensure_ascii=False).encode()
    store.write(f"{folder_of(camera)}/{RECORD}", data)


def are_ready(store: Store, camera: Camera, rows: Sequence[Row], made_with: str) -> bool:
    """Whether each video of a camera is there, or all that it is drawn from; ``rows`` tell of its files."""
    there, names = made(store, camera), names_of(camera)
    known = sketches.load(store, camera.key)
    sketched = {} if known is None or known.made_with != made_with else known.files
    marks = {row.file: row.known for row in rows if row.frames}
    for recording in camera.recordings:
        mark, video = marks.get(address.redact(recording.uri)), there.get(names[recording.name])
        if mark is None or (video is not None and (video.made_with, video.known) == (made_with, mark)):
            continue
        file = sketched.get(recording.name)
        if file is None or not can_be_drawn(store, file):
            return False
    return True


def can_be_drawn(store: Store, file: FileSketch) -> bool:
    """Whether all sketches of a recording are there."""
    folder = sketches.folder_beside(file.folder)
    there = {f"{folder}/{name}" for name in store.names(folder)}
    return all(name in there for piece in file.pieces for name in piece.names)


def _record(store: Store, camera: Camera) -> dict[str, Made]:
    data = store.read(f"{folder_of(camera)}/{RECORD}")
    try:
        return {} if data is None else {name: Made(**each) for name, each in json.loads(data).items()}
    except (ValueError, TypeError, AttributeError):
        return {}  # they are made anew
