"""Addresses: their parts that may be shown, and the kind of source that they mean."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from tracker.text import BARE_USER, USER, hide

FILES = frozenset((".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".wmv", ".3gp"))


def scheme(uri: str) -> str:
    """Return the scheme of an address in lower case, "" for other text; any scheme is accepted.

    >>> scheme("RTSP://camera/1"), scheme("C:/video.mp4"), scheme("clip.mp4")
    ('rtsp', '', '')
    """
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", uri)
    return found[1].lower() if found and found[1].lower() != "file" else ""


def is_http(uri: str) -> bool:
    """Whether an address is HTTP, which may be a file or a live stream."""
    return scheme(uri) in ("http", "https")


def names_a_file(uri: str) -> bool:
    """Whether an HTTP address has the name of a video file; used if the server does not answer.

    >>> names_a_file("http://host/clip.mp4?token=1"), names_a_file("http://host/live.m3u8")
    (True, False)
    """
    path = urlsplit(uri).path.lower()
    return is_http(uri) and any(path.endswith(suffix) for suffix in FILES)


def redact(uri: str) -> str:
    """Return an address without user, password and query, which may contain secrets.

    >>> redact("rtsp://admin:s3c/r:e@t@10.0.0.5:554/cam?token=abc#x")
    'rtsp://10.0.0.5:554/cam'
    >>> redact("clip.mp4")
    'clip.mp4'
    """
    kind = scheme(uri)
    if not kind:
        return USER.sub(r"\1", BARE_USER.sub("", uri))
    rest = uri.split("://", 1)[1]
    rest = rest.rsplit("@", 1)[-1]  # a password may contain / and @
    return hide(f"{kind}://{re.split('[?#]', rest, maxsplit=1)[0]}")  # a path may contain settings as well


def name(uri: str) -> str:
    """Return a short name that can be part of a file name.

    >>> name("rtsp://admin:pw@10.0.0.5:554/Streaming/Channels/101?x=1")
    '10.0.0.5_554_Streaming_Channels_101'
    """
    plain = redact(uri).split("://", 1)[-1]
    return re.sub(r"[^A-Za-z0-9.-]+", "_", plain).strip("_.") or "stream"
