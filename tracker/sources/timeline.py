"""The clock of a recording, made to go on evenly: jumps of its packets' timestamps are closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.packet import Packet

BROADCAST_S = 10.0  # transport and program streams, FLV: who sends without a break has no longer pauses
AUTHORED_S = 3600.0  # elsewhere a picture may stand for minutes: recordings of screens and of motion only
BROADCAST = frozenset(("mpegts", "mpeg", "flv", "hls", "asf", "wtv", "mpegtsraw"))
STEPS = 20  # a gap of so many usual steps is a pause only where the steps are long themselves: time lapse
REORDERED_S, REORDERED = 1.0, 16  # as far, or as many pictures, may presentation times go back and forth
NEAR_S = 10.0  # sound this near to the picture belongs to the same stretch of the clock
ON_S = 1.0  # sound that goes on by less than this in its own time is moved as before


class Timeline:
    """Rewrites packets in the order of the file, so that two readers of one file get the same times.

    A picture's packet that runs backwards, or ahead by more than a pause can be, follows its predecessor by
    one step; so does everything after it, until the clock comes back. ``jumps`` holds the time of each, from
    the first packet on, and by how much the clock jumped, in seconds.
    """

    def __init__(self, format_names: str, step_s: float) -> None:
        broadcast = not BROADCAST.isdisjoint(format_names.split(","))
        self._limit_s = BROADCAST_S if broadcast else AUTHORED_S
        self._step_s = step_s
        self._base: Any = None  # all that follows is in ticks of the pictures' clock
        self._offset = self._earlier = 0
        self._last: dict[str, int] = {}  # the last packet's dts and pts, moved
        self._first: int | None = None
        self._usual = 0  # between the last two pictures
        self._heard, self._sound_offset = 0.0, 0.0  # seconds: the last packet of sound, how it was moved
        self.jumps: list[tuple[float, float]] = []

    def adjust(self, packet: Packet[Any]) -> None:
        """Move the timestamps of a picture's packet to where they belong."""
        base = self._base = packet.time_base or self._base
        stamps = {name: s for name, s in (("dts", packet.dts), ("pts", packet.pts)) if s is not None}
        if not stamps or base is None:
            return
        step = packet.duration or self._usual or max(1, round(self._step_s / base))
        kind = next((name for name in stamps if name in self._last), None)
        if kind is not None:
            usual = max(step, self._usual)
            # Only decoding times must run forward; pictures are not stored in the order they are shown.
            back = 0 if kind == "dts" else max(round(REORDERED_S / base), REORDERED * usual)
            limit = max(round(self._limit_s / base), STEPS * usual)
            self._decide(stamps[kind], self._last[kind], step, back, limit)
            self._usual = max(0, stamps[kind] + self._offset - self._last[kind])
        elif self._first is None:
            self._first = next(iter(stamps.values()))
        self._last |= {name: stamp + self._offset for name, stamp in stamps.items()}
        packet.pts = self._last["pts"] if "pts" in stamps else None
        packet.dts = self._last["dts"] if "dts" in stamps else None

    def adjust_sound(self, packet: Packet[Any]) -> bool:
        """Move the timestamps of a packet of sound; False: its stretch of the clock has not begun yet."""
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None or packet.time_base is None:
            return True
        before, self._heard = self._heard, float(stamp * packet.time_base)
        if not self.jumps or self._base is None:
            return True
        offsets = [float(offset * self._base) for offset in (self._offset, self._earlier)]
        now, seconds = float(next(iter(self._last.values()), 0) * self._base), self._heard
        nearest = min(offsets, key=lambda offset: abs(seconds + offset - now))
        if abs(seconds + nearest - now) > NEAR_S:
            return False
        if 0 <= seconds - before < ON_S and abs(seconds + self._sound_offset - now) < ON_S:
            nearest = self._sound_offset  # it goes on; the pictures' jump was too small to tell by
        self._sound_offset = nearest
        moved = round(nearest / packet.time_base)
        packet.pts = stamp + moved
        packet.dts = packet.pts
        return True

    def warnings(self) -> Iterator[str]:
        """Tell of the jumps."""
        if self.jumps:
            at, by = self.jumps[0]
            times = "once" if len(self.jumps) == 1 else f"{len(self.jumps)} times, first"
            yield f"the recording's clock jumped {times} by {by:+.1f} s, at {at:.1f} s: the gap was closed"

    def _decide(self, stamp: int, last: int, step: int, back: int, limit: int) -> None:
        """Choose the offset of a stamp that is due ``step`` after the last."""
        assert self._base is not None and self._first is not None
        due = last + step
        here, there = stamp + self._offset, stamp + self._earlier
        if self._offset != self._earlier and abs(here - due) > step / 2 and abs(there - due) <= step / 2:
            self._offset, self._earlier = self._earlier, self._offset  # one packet was wrong: back again
        elif not -back <= here - last <= limit:
            at = float((last - self._first) * self._base)
            self.jumps.append((at, float((here - due) * self._base)))
            self._earlier, self._offset = self._offset, due - stamp
