"""Read a live stream over HTTP with a limit on the memory that one picture may take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit

import av
from av.container import InputContainer

from tracker.sources.live import LostError

MOST_BYTES = 3 << 23  # of one picture: 25 MB, a 4K picture without compression
CHUNK = 1 << 14
# Plain bytes: ffmpeg connects, logs in and follows redirections, but does not interpret the data.
BYTES = {"raw_packet_size": str(CHUNK), "probesize": "32", "analyzeduration": "0"}
PARTS = re.compile(rb"\s*--")  # multipart/x-mixed-replace, in which cameras push JPEGs
LISTS = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:#EXTM3U|<|v=0)")  # playlists of other addresses: HLS, DASH, SDP


class BoundedHttp:
    """An HTTP connection as a file for ``av.open``; a context manager.

    The caller of ``av.open`` must call `packet_done` after every packet. If more than ``MOST_BYTES`` are read
    between two packets, the file ends, because the demuxers collect a JPEG that never ends in memory. The
    constructor raises what PyAV raises. `packet_done` raises why the file ended: ``LostError``, or what PyAV
    raised.
    """

    def __init__(self, uri: str, timeout: float | tuple[float, float]) -> None:
        self.name = urlsplit(uri).path  # its suffix is a hint for the demuxer
        self._container: InputContainer = av.open(uri, format="data", options=dict(BYTES), timeout=timeout)
        self._chunks: Iterator[bytes] = self._read()
        self._ready = b""
        self._since = 0  # bytes since the last packet
        self._error: Exception | None = None  # kept here, because a demuxer drops exceptions
        try:
            self._ready = next(self._chunks, b"")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> BoundedHttp:
        """Return itself, which is open already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        self.close()

    @property
    def parts(self) -> bool:
        """Whether it is multipart: JPEG after JPEG from a camera."""
        return PARTS.match(self._ready) is not None

    @property
    def lists(self) -> bool:
        """Whether it is a playlist, which must be opened by its address; valid before the first read."""
        return LISTS.match(self._ready) is not None

    @property
    def size(self) -> int:
        """Return its total size in bytes, 0 if unknown."""
        return max(self._container.size or 0, 0)

    @property
    def format(self) -> str | None:
        """The demuxer to use; None: detect it."""
        return "mpjpeg" if self.parts else None

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes as soon as there are any; nothing at the end."""
        if self._since > MOST_BYTES:
            self._error = self._error or LostError("the picture it sends never ends")
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

    def packet_done(self) -> None:
        """Count bytes from 0 again, for the next packet. Raises the reason if the file has ended."""
        error, self._error = self._error, None
        if error is not None:
            self._chunks = iter(())
            try:
                raise error
            finally:
                del error  # its traceback would keep the packet in memory
        self._since = 0

    def close(self) -> None:
        """Disconnect."""
        with suppress(av.error.FFmpegError):
            self._container.close()

    def _read(self) -> Iterator[bytes]:
        for packet in self._container.demux():
            if packet.size:
                yield bytes(packet)
