"""Network cameras and streams through PyAV: RTSP, RTMP, HLS, MJPEG and whatever else ffmpeg speaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from tracker.errors import system_reason
from tracker.sources.address import is_http, redact, scheme
from tracker.sources.bounded_http import MOST_BYTES, BoundedHttp
from tracker.sources.clock import StreamClock
from tracker.sources.fitting import Fitting
from tracker.sources.limits import MAX_PIXELS, limit_decoder
from tracker.sources.live import LEAST_PATIENCE_S, LostError
from tracker.sources.media_file import frame_rate, unlog
from tracker.sources.timeline import BROADCAST_S
from tracker.types import InputError, OptionError, Pixels

OPEN_S = 10.0  # a camera that has not answered by then is connected again
SILENT_S = 5.0  # without a packet, after which the connection is taken to be lost
PLAYLIST_FACTOR = 4  # times as long for playlists, whose segments of 10 s come one after another
READ_S = 0.5  # one wait for a packet; short, so that the thread sees when it should end
LATE_S = 3.0  # with a greater delay everything up to the next key frame is skipped
PAUSE_S = 0.3  # longer than between two packets that the server has already
TRANSPORTS = ("tcp", "udp")
FINAL_ERRORS = (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError, av.error.ProtocolNotFoundError)


class StreamCapture:
    """A connection through PyAV, set for little delay: no reordering queue, no frame threads."""

    def __init__(
        self,
        uri: str,
        transport: str = "tcp",
        silent_s: float = SILENT_S,
        most_s: float | None = None,  # one attempt and one silence, which may have limits of their own
    ) -> None:
        if transport not in TRANSPORTS:
            raise OptionError(f"--rtsp-transport {transport}: choose tcp or udp")
        self._uri = uri
        self._silent_s = silent_s * (PLAYLIST_FACTOR if self._bursts else 1)
        self._open_s = OPEN_S
        if most_s is not None:
            most_s = max(most_s, LEAST_PATIENCE_S)
            self._silent_s, self._open_s = min(self._silent_s, most_s), min(OPEN_S, most_s)
        self._shown = redact(uri)
        self._scheme = scheme(uri)
        self._transport = transport
        self.fps: float | None = None
        self._container: InputContainer | None = None
        self._bounded: BoundedHttp | None = None  # what the container reads from, for HTTP
        self._given_s: float | None = None  # stream time of the last picture of a playlist
        self._paced_s: float | None = None  # stream time of the last picture that was yielded
        self._fitting: Fitting | None = None  # to the size of the first picture
        self.notes: list[str] = []

    @property
    def _patient(self) -> bool:
        """Whether a read may be repeated after a time-out, as only RTSP allows."""
        return self._scheme.startswith("rtsp")

    @property
    def _bursts(self) -> bool:
        """Whether pictures come in segments of some seconds, to be yielded at their own pace."""
        return PurePosixPath(urlsplit(self._uri).path).suffix.lower() in (".m3u8", ".mpd")

    def open(self, ended: threading.Event) -> None:
        """Connect; raises ``LostError``, or ``InputError`` where trying again is useless."""
        options = {
            "fflags": "nobuffer",
            "max_pixels": str(MAX_PIXELS),
            "fpsprobesize": "2",
            "analyzeduration": "2000000",
        }
        if self._scheme.startswith("rtsp"):
            options |= {"rtsp_transport": self._transport, "max_delay": "200000"}
            if self._transport == "tcp":
                options["reorder_queue_size"] = "0"
        unlog()
        self._ended = ended
        read_s = READ_S if self._patient else self._silent_s
        began = time.monotonic()
        try:
            self._container = self._connect(options, (self._open_s, read_s))
        except FINAL_ERRORS as error:
            raise InputError(f"{self._shown}: {_reason(error)}; check user, password and address") from None
        except (av.error.FFmpegError, OSError, ValueError) as error:
            if time.monotonic() - began >= 0.95 * self._open_s:  # FFmpeg takes half an answer for a wrong one
                raise LostError(f"no answer within {self._open_s:g} s") from None
            raise LostError(_reason(error)) from None
        if not self._container.streams.video:
            raise LostError("no video in it")
        stream: VideoStream = self._container.streams.video[0]
        if stream.codec_context is None:
            raise InputError(f"{self._shown}: its video codec cannot be decoded here")
        limit_decoder(stream)
        stream.thread_type = "SLICE"  # frame threads would hold back one picture each
        self._stream = stream
        self.fps = self.fps or frame_rate(stream)

    def _connect(self, options: dict[str, str], timeout: tuple[float, float]) -> InputContainer:
        if is_http(self._uri) and not self._bursts:
            self._bounded = BoundedHttp(self._uri, timeout)
            if not self._bounded.lists:
                try:
                    return av.open(self._bounded, "r", format=self._bounded.format, options=options)
                finally:
                    self._bounded.packet_done()  # its error tells more than that no format was recognised
            self._bounded.close()
            self._bounded = None
        return av.open(self._uri, options=options, timeout=timeout)

    def read(self, clock: StreamClock) -> Iterator[tuple[float, Pixels | None]]:
        """Yield pictures with the wall-clock time at which they were taken; None for a skipped one."""
        behind = False
        anchor: float | None = None
        # After a new connection a playlist sends its last segments again, all at once; then there is a pause.
        again = self._given_s is not None
        heard = time.monotonic()
        for packet in self._packets():
            again = again and time.monotonic() - heard < PAUSE_S
            heard = time.monotonic()
            base = packet.time_base
            stamp = packet.pts if packet.pts is not None else packet.dts
            seconds = float(stamp * base) if stamp is not None and base is not None else None
            taken = clock.capture_time(seconds)
            if clock.now() - taken > LATE_S and not self._bursts:
                behind = True
            if behind and not packet.is_keyframe:
                yield taken, None
                continue
            behind = False
            try:
                frames = packet.decode()
            except (av.error.FFmpegError, ValueError):
                yield taken, None
                continue
            for frame in frames:
                if frame.is_corrupt:
                    yield taken, None
                    continue
                if self._fitting is None:
                    self._fitting = Fitting(frame, self._stream.sample_aspect_ratio)
                pts_s = (
                    float(frame.pts * frame.time_base) if frame.pts is not None and frame.time_base else None
                )
                if pts_s is not None:
                    taken = clock.wall_time(pts_s)
                    if self._bursts:
                        if again and self._given_s is not None and pts_s <= self._given_s:
                            continue
                        again, self._given_s = False, pts_s
                        anchor, taken = self._pace(clock, anchor, pts_s)
                image = self._fitting.pixels(frame, self._stream.codec_context.sample_aspect_ratio)
                if (note := self._fitting.take_note()) is not None:
                    self.notes.append(note)
                yield taken, image

    def _pace(self, clock: StreamClock, anchor: float | None, pts_s: float) -> tuple[float, float]:
        """Wait until a picture is due; after the first one, a jump or a delay the pace begins anew."""
        now = clock.now()
        jumped = self._paced_s is not None and not 0 <= pts_s - self._paced_s < BROADCAST_S
        self._paced_s = pts_s
        if anchor is None or jumped or not -0.5 < pts_s + anchor - now < 30.0:
            anchor = now - pts_s
        while (left := pts_s + anchor - clock.now()) > 0 and not self._ended.is_set():
            time.sleep(min(left, 0.05))
        return anchor, pts_s + anchor

    def _packets(self) -> Iterator[av.packet.Packet[VideoStream]]:
        assert self._container is not None
        heard = time.monotonic()
        while not self._ended.is_set():
            try:
                for packet in self._container.demux(self._stream):
                    if self._ended.is_set():
                        return
                    heard = time.monotonic()
                    self._packet_done()
                    if packet.size > MOST_BYTES:
                        raise LostError("the picture it sends never ends")
                    if packet.size:
                        yield packet
                self._packet_done()
                raise LostError("the stream ended")
            except av.error.ExitError:  # the read timed out
                if not self._patient or time.monotonic() - heard >= self._silent_s:
                    raise LostError(f"connected, but sent nothing for {self._silent_s:g} s") from None
            except av.error.FFmpegError as error:
                self._packet_done()
                raise LostError(_reason(error)) from None

    def _packet_done(self) -> None:
        """Raise the reason if the HTTP connection has ended."""
        if self._bounded is not None:
            self._bounded.packet_done()

    def close(self) -> None:
        """Disconnect."""
        unlog()
        container, self._container = self._container, None
        if container is not None:
            with suppress(av.error.FFmpegError):
                container.close()
        bounded, self._bounded = self._bounded, None
        if bounded is not None:
            bounded.close()


def _reason(error: BaseException) -> str:
    """Return what went wrong; not the text of the error, which may contain the address."""
    return (system_reason(error) or type(error).__name__).lower()
