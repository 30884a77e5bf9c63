"""The errors a user meets; apart from the other contracts so that ``track --help`` needs no numpy."""

from __future__ import annotations

from tracker.text import harmless, hide, shorten


class TrackError(Exception):
    """A mistake the user can mend; its text is one line: what, where, what to do. Exit code 2.

    Secrets in it are hidden and control characters made visible, whoever prints it.
    """

    def __init__(self, text: object = "", *more: object) -> None:
        super().__init__(harmless(hide(shorten(str(text)).replace("\n", " "))), *more)


class InputError(TrackError):
    """The source cannot be read."""


class OutputError(TrackError):
    """A result cannot be written; what was written before stays."""


class WeightsError(TrackError):
    """The weights cannot be found, verified or loaded."""


class OptionError(TrackError):
    """An option has a value that cannot be used."""


class PluginError(TrackError):
    """A plugin raised; the text names plugin, frame and time."""


class EndRun(Exception):  # noqa: N818 - a wish of the user, not an error
    """Raised by a sink when the user asked for the end (q in the window)."""


def system_reason(error: object) -> str | None:
    """Return what the operating system or FFmpeg says of an error, such as ``No space left on device``.

    >>> system_reason(OSError(28, "No space left on device")), system_reason(ValueError("x"))
    ('No space left on device', None)
    """
    reason = getattr(error, "strerror", None)  # OSError's; PyAV's errors have it too
    return str(reason) if reason else None


def system_code(error: object) -> int | None:
    """Return the number that the operating system or FFmpeg gives an error, an `errno`."""
    code = getattr(error, "errno", None)  # likewise
    return code if isinstance(code, int) else None
