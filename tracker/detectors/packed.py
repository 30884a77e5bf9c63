"""Arrays and boxes as JSON, exactly, for states of runs that go on later."""

from __future__ import annotations

import base64
import zlib
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytetrack import Detections
from bytetrack.masks import Masks
from tracker.types import Json


def pack(array: NDArray[Any]) -> Json:
    """Return an array as JSON.

    >>> unpack(pack(np.array([[1.5, np.inf]]))).tolist()
    [[1.5, inf]]
    """
    content = np.ascontiguousarray(array)
    data = base64.b64encode(zlib.compress(content.tobytes(), 1)).decode("ascii")
    return {"dtype": content.dtype.str, "shape": list(array.shape), "data": data}


def unpack(packed: Any) -> NDArray[Any]:
    """Return what `pack` was given; raises ``ValueError``, ``KeyError`` or ``TypeError`` for others."""
    try:
        data = zlib.decompress(base64.b64decode(packed["data"]))
    except zlib.error as error:
        raise ValueError(str(error)) from error
    return np.frombuffer(data, np.dtype(packed["dtype"])).reshape(packed["shape"]).copy()


def pack_boxes(boxes: Detections) -> Json:
    """Return boxes as JSON, with whatever fields there are."""
    return {
        field.name: _packed(value)
        for field in fields(Detections)
        if (value := getattr(boxes, field.name)) is not None
    }


def unpack_boxes(packed: Any) -> Detections:
    """Return what `pack_boxes` was given; raises what `unpack` does."""
    return Detections(**{name: _unpacked(value) for name, value in packed.items()})


def _packed(value: Any) -> Json:
    if isinstance(value, Masks):
        return {"counts": pack(value.counts), "start": pack(value.start), "size": list(value.size)}
    return pack(value)


def _unpacked(packed: Any) -> Any:
    if "counts" in packed:
        height, width = packed["size"]
        return Masks(unpack(packed["counts"]), unpack(packed["start"]), (height, width))
    return unpack(packed)
