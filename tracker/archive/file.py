"""A recording at work: how it is cut, which of its parts are there, and what has come of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tracker.archive import manifest
from tracker.archive.manifest import Row
from tracker.archive.pieces import Piece, Probed
from tracker.archive.recordings import Camera, Recording
from tracker.sources import address
from tracker.types import Json


@dataclass
class File:
    """A recording at work."""

    camera: Camera
    recording: Recording
    probed: Probed = field(default_factory=Probed)
    folder: str = ""
    cut: list[Piece] = field(default_factory=list)
    there: set[str] = field(default_factory=set)  # names of parts
    why_whole: str = ""
    error: str = ""

    @property
    def whole(self) -> bool:
        """Whether it is decoded whole."""
        return self.cut[0].number is None if self.cut else True

    @property
    def progress(self) -> tuple[int, int]:
        """How many of its pieces are there, and how many there are."""
        return len(self.there & {piece.part for piece in self.cut}), len(self.cut)

    def row(self, told: Mapping[str, Json] | None = None, error: str = "") -> Row:
        """Return what has come of it."""
        told = told or {}
        error = error or self.error or str(told.get("error", ""))
        notes = list(told.get("notes", ()))
        return Row(
            self.camera.name,
            address.redact(self.recording.uri),
            manifest.state_of(error, notes),
            "" if not self.cut else "whole" if self.whole else "pieces",
            self.why_whole,
            int(told.get("parts", 0)),
            int(told.get("frames", 0)),
            told.get("first_s"),
            told.get("last_s"),
            self.probed.duration_s,
            error,
            "; ".join(notes),
            self.probed.known,
            json.dumps(self.probed.stamp),
        )
