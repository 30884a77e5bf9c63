"""The time at which a file was recorded, from its metadata."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone

from tracker.types import Recorded

# The most reliable first: Apple's has the local time zone, creation_time is UTC, others vary.
TAGS = ("com.apple.quicktime.creationdate", "creation_time", "creationdate", "wm/encodingtime", "date")
FORMS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y:%m:%d %H:%M:%S", "%a %b %d %H:%M:%S %Y")
OLDEST = date(
    1995, 1, 1
)  # no video file is older; clocks that were never set begin in 1904, 1970 and 1980 ...
NEVER_SET = (date(2000, 1, 1), date(2001, 1, 1))  # ... or on these days
SLACK_S = 86_400.0  # by which a camera's clock may be ahead of this machine's
MOST_OFFSET_S = 18 * 3600.0


def recorded(*metadata: Mapping[str, str], now: float | None = None) -> Recorded | None:
    """Return when a recording began, by the metadata of its container and streams; None if they do not tell.

    Impossible dates, such as the days from which clocks count, are ignored.

    >>> recorded({"creation_time": "2018-04-19T22:46:00.000000Z"})
    Recorded(start_wall=1524177960.0, utc_offset_s=None)
    >>> recorded({"creation_time": "1904-01-01T00:00:00.000000Z"}) is None
    True
    """
    now = time.time() if now is None else now
    for tag in TAGS:
        for tags in metadata:
            for name, text in tags.items():
                found = parsed(text) if name.lower() == tag else None
                if found is not None and _can_be(found, now):
                    zone = found.utcoffset() if tag != "creation_time" else None
                    return Recorded(found.timestamp(), None if zone is None else zone.total_seconds())
    return None


def parsed(text: str) -> datetime | None:
    """Return a date with a time of day, by default in this machine's time zone; None for other text.

    >>> parsed("2023-08-12T14:33:05+0200").isoformat()
    '2023-08-12T14:33:05+02:00'
    >>> parsed("2023") is parsed("2023-08-12") is None
    True
    """
    found = re.fullmatch(r"\s*(.*?\d\d:\d\d:\d\d(?: \d{4})?)(\.\d+)?\s*(Z|UTC|[-+]\d\d:?\d\d)?\s*", text)
    if not found:
        return None
    for form in FORMS:
        try:
            moment = datetime.strptime(found[1], form)
        except ValueError:
            continue
        moment += timedelta(seconds=float(found[2] or 0))
        if found[3] is None:
            return _local(moment)
        return moment.replace(tzinfo=_zone(found[3]))
    return None


def _zone(text: str) -> timezone:
    if text in ("Z", "UTC"):
        return timezone.utc
    digits = text.replace(":", "")
    seconds = 3600.0 * int(digits[1:3]) + 60.0 * int(digits[3:5])
    return timezone(timedelta(seconds=min(seconds, MOST_OFFSET_S) * (-1 if text[0] == "-" else 1)))


def _local(moment: datetime) -> datetime | None:
    try:
        return moment.astimezone()
    except (OverflowError, OSError, ValueError):  # the system has no such year
        return None


def _can_be(moment: datetime, now: float) -> bool:
    day = moment.date()
    return day > OLDEST and day not in NEVER_SET and moment.timestamp() < now + SLACK_S
