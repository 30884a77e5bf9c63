"""H.264 from an RTP stream, each slice as soon as it is complete.

FFmpeg's parser ends a picture when the next one begins: a camera with 10 pictures a second would be 100 ms
late. Without it the demuxer gives every RTP packet by itself: NAL units, which begin with a start code, and
the further pieces of those that were too large for a packet (RFC 6184, FU-A). Which piece is the last it does
not tell, but a sender fills all but the last, so that the last one is smaller. The decoder, given slices,
returns a picture when it has all of its macroblocks (FFmpeg's flag ``chunks``).
"""

from __future__ import annotations

from dataclasses import dataclass

START = b"\0\0\0\1"
HEAD = 5  # bytes that the first piece has more than the others: start code and type
SURELY_WHOLE = 1000  # bytes; before a piece was seen, a smaller packet is taken to be a whole unit
MOST_MISTAKES = 3  # after which a unit is complete when the next one begins, as for the parser
SLICES, KEYS = frozenset((1, 5)), frozenset((5, 7))  # types: of pictures; of what a decoder can begin with


@dataclass(frozen=True)
class Unit:
    """A slice with the parameters that came before it."""

    data: bytes
    pts: int | None
    is_key: bool


class NalUnits:
    """Joins the packets of a demuxer without parser to units for the decoder."""

    def __init__(self) -> None:
        self._open: bytearray | None = None  # the unit that may go on
        self._pts: int | None = None  # of that, or of the last
        self._before = b""  # parameters that wait for their slice
        self._last = 0  # size of the last piece of the open unit
        self._largest = 0  # piece of any unit but its first
        self._guessed: int | None = None  # pts of the last slice that was taken to be complete by its size
        self._mistakes = 0

    @property
    def prompt(self) -> bool:
        """Whether a unit is taken to be complete by the size of its last piece."""
        return self._mistakes < MOST_MISTAKES

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return len(self._open or b"") + len(self._before)

    def restart(self) -> None:
        """Begin anew, after a connection was lost, with what is known of the sender."""
        self._open, self._pts, self._before = None, None, b""

    def add(self, data: bytes, pts: int | None) -> list[Unit]:
        """Take a packet; return the slices that are complete now."""
        complete: list[Unit] = []
        if data.startswith(START):
            complete += self._close()
            self._open, self._pts, self._last = bytearray(data), pts, len(data) - HEAD
            whole = len(data) < (self._largest + HEAD if self._largest else SURELY_WHOLE)
        elif self._open is None:
            self._mistakes += pts is not None and pts == self._guessed  # it went on; else its start was lost
            return complete
        else:
            self._open += data
            whole = len(data) < self._last
            self._last, self._largest = len(data), max(self._largest, len(data))
        if whole and self.prompt and (guessed := self._close()):
            self._guessed = pts
            complete += guessed
        return complete

    def _close(self) -> list[Unit]:
        if self._open is None:
            return []
        data, self._open = self._before + bytes(self._open), None
        kinds = {unit[0] & 31 for unit in data.split(START)[1:] if unit}
        if not kinds & SLICES:
            self._before = data
            return []
        self._before = b""
        return [Unit(data, self._pts, bool(kinds & KEYS))]
