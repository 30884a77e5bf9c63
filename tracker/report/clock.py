"""The axis that a report counts along: the clock of the place, or the time of the recording."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from tracker.types import InputError

LIVE_S = 1e9  # frame times beyond are Unix times, those of a live source: nothing to add but the offset
EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Clock:
    """Turns frame times into seconds on the axis: since 1970 by the clock of the place, or of the file."""

    shift_s: float = 0.0  # what to add to a frame's time
    utc_offset_s: float | None = None  # of the place; None: no wall clock is known

    @property
    def is_wall(self) -> bool:
        """Whether the time of day is known."""
        return self.utc_offset_s is not None

    def axis(self, time_s: float) -> float:
        """Return where a frame's time is on the axis."""
        return time_s + self.shift_s

    @classmethod
    def of(cls, wall: datetime, time_s: float) -> Clock:
        """Return the clock that shows ``wall``, with its offset from UTC, at a frame's time."""
        offset = wall.utcoffset()
        assert offset is not None
        start = 0.0 if time_s > LIVE_S else round(wall.timestamp() - time_s, 3)
        return cls(start + offset.total_seconds(), offset.total_seconds())

    def zone(self) -> str:
        """Return the offset as people write it.

        >>> Clock(0.0, 7200.0).zone(), Clock().zone()
        ('UTC+02:00', '')
        """
        if self.utc_offset_s is None:
            return ""
        return str(timezone(timedelta(seconds=self.utc_offset_s)))


def wall_of(text: str, what: str) -> datetime:
    """Return a time of day with its offset from UTC; raises ``InputError`` where either is missing.

    >>> wall_of("2026-11-28T08:00:00+01:00", "--began").isoformat()
    '2026-11-28T08:00:00+01:00'
    """
    try:
        wall = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise InputError(f"{what} {text!r}: is no time; write 2026-11-28T08:00:00+01:00") from None
    if wall.utcoffset() is None:
        raise InputError(
            f"{what} {text!r}: the time zone is missing; add it as the offset from UTC, such as +01:00"
        )
    return wall


def shown(axis_s: float, wall: bool, *, day: bool = True, exact: bool = False) -> str:
    """Return a time on the axis for people; ``exact`` to the second.

    >>> shown(3665.0, False), shown(1764316800.0, True), shown(1764316800.0, True, day=False, exact=True)
    ('1:01:05', '2025-11-28 08:00', '08:00:00')
    """
    if wall:
        moment = EPOCH + timedelta(seconds=round(axis_s))
        return f"{moment:{'%Y-%m-%d ' if day else ''}%H:%M{':%S' if exact else ''}}"
    minutes, seconds = divmod(round(axis_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def length(seconds: float) -> str:
    """Return a length of time for people.

    >>> length(79.4), length(900), length(590), length(4500), length(2.25), length(86400)
    ('79.4 s', '15 min', '9 min 50 s', '1 h 15 min', '2.25 s', '24 h')
    """
    if seconds < 120:
        return f"{seconds:.3g} s"
    size, units = (60, ("min", "s")) if seconds < 3600 else (3600, ("h", "min"))
    whole, rest = divmod(round(seconds if size == 60 else seconds / 60), 60)
    return f"{whole} {units[0]}" + (f" {rest} {units[1]}" if rest else "")
