"""What a picture shows and of when, in words."""

from __future__ import annotations

from tracker.types import Scene

SAME_DAY, OTHER_DAY = "%H:%M:%S", "%Y-%m-%d %H:%M:%S"


def span(scene: Scene, first_s: float, last_s: float) -> str:
    """Return a time span of a run, by the clock where it is known, else by the recording.

    >>> span(Scene("door.mp4", (640, 480), 25.0, False, {}), 0.0, 79.4)
    '0:00 to 1:19 of the recording'
    """
    first, last = scene.wall(first_s), scene.wall(last_s)
    if first is None or last is None:
        return f"{clock(first_s)} to {clock(last_s)} of the recording"
    return f"{first:{OTHER_DAY}} to {last:{SAME_DAY if first.date() == last.date() else OTHER_DAY}}"


def clock(seconds: float) -> str:
    """Return a time of a recording as players show it.

    >>> clock(79.4), clock(7325)
    ('1:19', '2:02:05')
    """
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def duration(seconds: float) -> str:
    """Return a length of time for people.

    >>> duration(0.25), duration(50.0), duration(90), duration(7200)
    ('0.25 s', '50 s', '1.5 min', '2 h')
    """
    if seconds >= 3600:
        return f"{seconds / 3600:.3g} h"
    return f"{seconds / 60:.3g} min" if seconds >= 60 else f"{seconds:.3g} s"
