"""What comes over HTTP without an end, read so that no picture in it takes more memory than one may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit

import av
from av.container import InputContainer

from tracker.sources.live import LostError

MOST_BYTES = 3 << 23  # that are read for one picture: 25 MB, as of 4K without compression
CHUNK = 1 << 14
# The bytes alone: ffmpeg connects, logs in and follows redirections, and interprets nothing.
BYTES = {"raw_packet_size": str(CHUNK), "probesize": "32", "analyzeduration": "0"}
PARTS = re.compile(rb"\s*--")  # multipart/x-mixed-replace, as cameras push JPEG after JPEG
LISTS = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:#EXTM3U|<|v=0)")  # names other addresses: HLS, DASH, SDP


class Bounded:
    """A file for ``av.open`` over an HTTP connection; a context manager.

    Whoever opens it calls `passed` after every packet, and it ends when more than ``MOST_BYTES`` were read
    since: the demuxers themselves would collect a part of whatever length, or a JPEG that never ends, in
    memory. Raises what PyAV raises when it is opened; why it ended later, `passed` raises: ``LostError``
    or, again, what PyAV raised.
    """

    def __init__(self, uri: str, timeout: float | tuple[float, float]) -> None:
        self.name = urlsplit(uri).path  # its suffix is a hint for the demuxer
        self._container: InputContainer = av.open(uri, format="data", options=dict(BYTES), timeout=timeout)
        self._chunks: Iterator[bytes] = self._read()
        self._ready = b""
        self._since = 0  # bytes since the last packet
        self._error: Exception | None = None  # kept: what is raised in a demuxer's hands gets lost there
        try:
            self._ready = next(self._chunks, b"")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Bounded:
        """Return itself, which is open already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        self.close()

    @property
    def parts(self) -> bool:
        """Whether it is JPEG after JPEG from a camera."""
        return PARTS.match(self._ready) is not None

    @property
    def lists(self) -> bool:
        """Whether it names other addresses, which must be opened by its own; ask before reading."""
        return LISTS.match(self._ready) is not None

    @property
    def size(self) -> int:
        """Return the bytes it will have in all, 0 where nobody knows."""
        return max(self._container.size or 0, 0)

    @property
    def format(self) -> str | None:
        """The demuxer to take; None: it shall find out."""
        return "mpjpeg" if self.parts else None

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes as soon as there are any, none at the end."""
        if self._since > MOST_BYTES:
            self._error = self._error or LostError("it sends a picture without end")
        if self._error is None and not self._ready:
            try:
                self._ready = next(self._chunks, b"")
            except av.error.FFmpegError as error:
                self._error = error
        if self._error is not None:
            return b""
        given, self._ready = self._ready[:size], self._ready[size:]
        self._since += len(given)
        return given

    def passed(self) -> None:
        """Begin to count anew: what was read so far was a packet. Raises why there is no more."""
        error, self._error = self._error, None
        if error is not None:
            self._chunks = iter(())
            try:
                raise error
            finally:
                del error  # else it holds, by its traceback, itself and the packet for which it is raised
        self._since = 0

    def close(self) -> None:
        """Disconnect."""
        with suppress(av.error.FFmpegError):
            self._container.close()

    def _read(self) -> Iterator[bytes]:
        for packet in self._container.demux():
            if packet.size:
                yield bytes(packet)
