"""Close jumps of the clock in the timestamps of a recording's packets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.packet import Packet

BROADCAST_S = 10.0  # longest pause in transport and program streams and FLV, which are sent continuously
AUTHORED_S = 3600.0  # in other formats, where a picture may last minutes, as in recordings of screens
BROADCAST = frozenset(("mpegts", "mpeg", "flv", "hls", "asf", "wtv", "mpegtsraw"))
STEPS = 20  # a gap of so many usual steps is always allowed, for time lapse
REORDERED_S, REORDERED = 1.0, 16  # seconds, or pictures, by which presentation times may run backwards
NEAR_S = 10.0  # sound that is nearer to the picture belongs to the same part of the clock
ON_S = 1.0  # sound that advances by less is moved by the same offset as before


class Timeline:
    """Rewrites the timestamps of packets in the order of the file, so that all readers get the same times.

    If the time of a picture's packet runs backwards, or ahead by more than the longest pause, the packet is
    put one step after the one before; so are all that follow, until the clock jumps back. ``jumps`` has for
    each jump its time from the first packet on, and its size, both in seconds.
    """

    def __init__(self, format_names: str, step_s: float) -> None:
        broadcast = not BROADCAST.isdisjoint(format_names.split(","))
        self._limit_s = BROADCAST_S if broadcast else AUTHORED_S
        self._step_s = step_s
        self._base: Any = None  # seconds per tick; the fields below are in ticks
        self._offset = self._earlier = 0
        self._last: dict[str, int] = {}  # dts and pts of the last packet, adjusted
        self._first: int | None = None
        self._usual = 0  # step between the last two pictures
        self._heard, self._sound_offset = (
            0.0,
            0.0,
        )  # seconds: time of the last packet of sound, and its offset
        self.jumps: list[tuple[float, float]] = []

    def adjust(self, packet: Packet[Any]) -> None:
        """Adjust the timestamps of a picture's packet."""
        base = self._base = packet.time_base or self._base
        stamps = {name: s for name, s in (("dts", packet.dts), ("pts", packet.pts)) if s is not None}
        if not stamps or base is None:
            return
        step = packet.duration or self._usual or max(1, round(self._step_s / base))
        kind = next((name for name in stamps if name in self._last), None)
        if kind is not None:
            usual = max(step, self._usual)
            # Only decoding times must ascend; pictures are not stored in the order in which they are shown.
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
        """Adjust the timestamps of a packet of sound; False if its part of the clock has not begun yet."""
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
            nearest = (
                self._sound_offset
            )  # the sound continues; the jump of the pictures was too small to be one of the sound
        self._sound_offset = nearest
        moved = round(nearest / packet.time_base)
        packet.pts = stamp + moved
        packet.dts = packet.pts
        return True

    def warnings(self) -> Iterator[str]:
        """Yield a warning if there were jumps."""
        if self.jumps:
            at, by = self.jumps[0]
            times = "once" if len(self.jumps) == 1 else f"{len(self.jumps)} times, first"
            yield f"the recording's clock jumped {times} by {by:+.1f} s, at {at:.1f} s: the gap was closed"

    def _decide(self, stamp: int, last: int, step: int, back: int, limit: int) -> None:
        """Choose the offset of a timestamp that is expected ``step`` after the last."""
        assert self._base is not None and self._first is not None
        due = last + step
        here, there = stamp + self._offset, stamp + self._earlier
        if self._offset != self._earlier and abs(here - due) > step / 2 and abs(there - due) <= step / 2:
            self._offset, self._earlier = self._earlier, self._offset  # the clock has jumped back
        elif not -back <= here - last <= limit:
            at = float((last - self._first) * self._base)
            self.jumps.append((at, float((here - due) * self._base)))
            self._earlier, self._offset = self._offset, due - stamp
