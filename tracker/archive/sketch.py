"""What is drawn on each frame of a recording, stored while it is followed: boxes and the plugins' marks.

A frame's sketch is JSON, whose arrays stand behind it as they are in memory: they come back bit by bit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections, Tracks
from bytetrack.masks import Masks
from tracker.errors import PluginError
from tracker.types import Json, Mark, Result

KINDS = "biuf"  # of arrays that are stored: numbers
NOTHING = Detections.empty()


class Sketch(NamedTuple):
    """What is drawn on a frame."""

    time_s: float  # in its file
    data: bytes

    def parts(self) -> tuple[Detections, Tracks, tuple[Mark, ...]]:
        """Return the parts of a ``Result``."""
        return unpacked(self.data)


def packed(result: Result, *, detections: bool = False) -> bytes:
    """Return what is drawn of a result; with its ``detections`` where these are drawn, too (as blurs are).

    Raises ``PluginError`` where a plugin drew what cannot be stored.
    """
    arrays: list[NDArray[Any]] = []
    told = {
        "detections": _plain(_fields(result.detections), arrays) if detections else None,
        "tracks": _plain(_fields(result.tracks), arrays),
    }
    marks = []
    for mark in result.marks:
        try:
            marks.append([mark.kind, _plain(mark.arguments, arrays), mark.by])
        except TypeError as error:
            raise PluginError(
                f"plugin {mark.by}.draw ({mark.kind}): {error}, which is not kept; leave out --draw"
            ) from error
    told["marks"] = marks
    head = json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
    return b"".join([len(head).to_bytes(4, "little"), head, *(array.tobytes() for array in arrays)])


def unpacked(data: bytes) -> tuple[Detections, Tracks, tuple[Mark, ...]]:
    """Return what `packed` has made of a result."""
    end = 4 + int.from_bytes(data[:4], "little")
    told, rest = json.loads(data[4:end]), _Rest(data, end)
    found = NOTHING if told["detections"] is None else Detections(**_real(told["detections"], rest))
    tracks = Tracks(**_real(told["tracks"], rest))
    return found, tracks, tuple(Mark(kind, _real(given, rest), by) for kind, given, by in told["marks"])


def _fields(struct: Detections | Tracks) -> dict[str, object]:
    """Return what there is of a struct, but for features, which are not drawn."""
    all_of = {each.name: getattr(struct, each.name) for each in fields(struct)}
    return {name: value for name, value in all_of.items() if value is not None and name != "features"}


@dataclass
class _Rest:
    """The arrays of a sketch that have not been read yet."""

    data: bytes
    at: int

    def take(self, kind: str, shape: Sequence[int]) -> NDArray[Any]:
        count = int(np.prod(shape, dtype=np.int64))
        array = np.frombuffer(self.data, np.dtype(kind), count, self.at).reshape(tuple(shape)).copy()
        self.at += array.nbytes
        return array


def _plain(value: object, arrays: list[NDArray[Any]]) -> Json:
    """Return a value for JSON, and put its arrays behind the others; raises ``TypeError``."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in KINDS:
            raise TypeError(f"an array of {value.dtype}")
        arrays.append(value)
        return {"array": [value.dtype.str, value.shape]}
    if isinstance(value, Masks):
        return {"masks": [_plain(each, arrays) for each in (value.counts, value.start, value.size)]}
    if isinstance(value, Mapping):
        return {"map": [[_plain(key, arrays), _plain(each, arrays)] for key, each in value.items()]}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(each, arrays) for each in value]
    raise TypeError(f"a {type(value).__name__}")


def _real(value: Json, rest: _Rest) -> Any:
    """Return what `_plain` was given; a list is a tuple now."""
    if isinstance(value, list):
        return tuple(_real(each, rest) for each in value)
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "array":
        return rest.take(*content)
    if kind == "masks":
        return Masks(*(_real(each, rest) for each in content))
    return {_real(key, rest): _real(each, rest) for key, each in content}
