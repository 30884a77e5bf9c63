"""Network cameras and streams through PyAV: RTSP, RTMP, HLS, MJPEG and whatever else ffmpeg speaks."""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath
from typing import cast
from urllib.parse import urlsplit

import av
from av.codec.context import Flags2
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.errors import system_reason
from tracker.sources.address import is_http, redact, scheme
from tracker.sources.bounded_http import MOST_BYTES, BoundedHttp
from tracker.sources.clock import StreamClock
from tracker.sources.fitting import Fitting
from tracker.sources.limits import MAX_PIXELS, limit_decoder
from tracker.sources.live import LEAST_PATIENCE_S, LostError
from tracker.sources.media_file import frame_rate, unlog
from tracker.sources.nal_units import NalUnits
from tracker.sources.timeline import BROADCAST_S
from tracker.types import InputError, OptionError, Pixels

OPEN_S = 10.0  # a camera that has not answered by then is connected again
SILENT_S = 5.0  # without a packet, after which the connection is taken to be lost
PLAYLIST_FACTOR = 4  # times as long for playlists, whose segments of 10 s come one after another
READ_S = 0.5  # one wait for a packet; short, so that the thread sees when it should end
LATE_S = 3.0  # with a greater delay everything up to the next key frame is skipped
OVERDUE_S = 0.05  # a picture that comes later than this is not caught up with by dropping the next
WAITED_S = 0.005  # longer than it takes to read a packet that is there already
PAUSE_S = 0.3  # longer than between two packets that the server has already
TRANSPORTS = ("tcp", "udp")
# Pictures that FFmpeg holds back until the next one begins: in the demuxer, the parser or both. Measured: of
# H.264 by RTSP without NalUnits 1, of MPEG-TS 2 (202 ms at 10 a second, 83 at 25); FLV, NUT and MJPEG 0.
HELD = {"rtsp": 1, "mpegts": 2}
PARSED = frozenset(("h264", "hevc", "vvc", "mpeg4", "mpeg2video", "mpeg1video", "h263"))
STEPS = 15  # between pictures, of which the median tells how long that is
B_PICTURES, B_LEAST_S = 30, 0.08  # after so many it is told what B-frames cost, if it is that much
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
        # Of RTSP, until it is no H.264; not where packets get lost, of which FFmpeg's parser knows more.
        self._nal_units: NalUnits | None = NalUnits() if self._patient and transport == "tcp" else None
        self.notes: list[str] = []
        self._ages: list[float] | None = []  # of the first pictures when they came; None: looked at

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
        if self._nal_units is not None:
            # What is read to recognise the stream is kept: without its first key frame all up to the next one
            # would be useless, for seconds. It is decoded at once, and costs no delay.
            options["fflags"] = "noparse+nofillin"
            options["analyzeduration"] = "500000"  # without a parser it never finds what it looks for
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
        if self._nal_units is not None:
            if stream.codec_context.name != "h264":
                self._nal_units = None
                self.close()
                return self.open(ended)
            self._nal_units.restart()
            stream.codec_context.flags2 |= Flags2.chunks
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
        heard = emptied = time.monotonic()
        held, steps, before = self._held(), deque[float](maxlen=STEPS), None
        for packet in self._packets():
            waited_s = time.monotonic() - heard
            again = again and waited_s < PAUSE_S
            heard = time.monotonic()
            if waited_s > WAITED_S:
                emptied = heard
            base = packet.time_base
            stamp = packet.pts if packet.pts is not None else packet.dts
            seconds = float(stamp * base) if stamp is not None and base is not None else None
            taken = clock.capture_time(seconds)
            # Who has just waited for a packet has none to catch up with: the clock of the sender has jumped.
            if clock.now() - taken > LATE_S and heard - emptied > PAUSE_S and not self._bursts:
                behind = True
            frames: list[VideoFrame | None] = []
            for whole, is_key in self._whole(packet):
                behind = behind and not is_key
                try:
                    frames += [None] if behind else self._stream.codec_context.decode(whole)
                except (av.error.FFmpegError, ValueError):
                    frames.append(None)
            for frame in frames:
                if frame is None or frame.is_corrupt:
                    yield taken, None
                    continue
                if self._fitting is None:
                    self._fitting = Fitting(frame, self._stream.sample_aspect_ratio)
                pts_s = (
                    float(frame.pts * frame.time_base) if frame.pts is not None and frame.time_base else None
                )
                if pts_s is not None:
                    if held and before is not None and 0 < pts_s - before < BROADCAST_S:
                        steps.append(pts_s - before)
                        clock.held_s = held * statistics.median(steps)
                    before = pts_s
                    taken = clock.wall_time(pts_s)
                    if self._bursts:
                        if again and self._given_s is not None and pts_s <= self._given_s:
                            continue
                        again, self._given_s = False, pts_s
                        anchor, taken = self._pace(clock, anchor, pts_s)
                image = self._fitting.pixels(frame, self._stream.codec_context.sample_aspect_ratio)
                if (note := self._fitting.take_note()) is not None:
                    self.notes.append(note)
                self._look_for_b_frames(clock.now() - taken)
                yield taken, image

    def _look_for_b_frames(self, age_s: float) -> None:
        """Tell once what they cost: a picture that is sent before earlier ones waits for those."""
        if self._ages is None:
            return
        self._ages.append(age_s)
        if len(self._ages) < B_PICTURES:
            return
        late_s, self._ages = statistics.median(self._ages[B_PICTURES // 2 :]), None
        if self._stream.codec_context.has_b_frames and late_s > B_LEAST_S and not self._bursts:
            self.notes.append(
                f"its B-frames hold every picture back for {1000 * late_s:.0f} ms or more; "
                f"without them (a setting of the camera) the delay is smaller"
            )

    def _held(self) -> int:
        """Return how many pictures are held back before they can be decoded."""
        assert self._container is not None
        if self._nal_units is not None or self._stream.codec_context.name not in PARSED:
            return 0
        return HELD.get(self._container.format.name, 0)

    def _whole(
        self, packet: av.packet.Packet[VideoStream]
    ) -> Iterator[tuple[av.packet.Packet[VideoStream], bool]]:
        """Yield what the decoder can use of what the demuxer gave, and whether it can begin with it."""
        if self._nal_units is None:
            yield packet, packet.is_keyframe
            return
        for unit in self._nal_units.add(bytes(packet), packet.pts):
            whole = cast("av.packet.Packet[VideoStream]", av.packet.Packet(unit.data))
            whole.pts, whole.time_base = unit.pts, packet.time_base
            yield whole, unit.is_key
        if self._nal_units.size > MOST_BYTES:
            raise LostError("the picture it sends never ends")

    def _pace(self, clock: StreamClock, anchor: float | None, pts_s: float) -> tuple[float, float]:
        """Wait until a picture is due; after the first one, a jump or a delay the pace begins anew.

        What comes too late makes all that follows later, so that the next piece is in time, a few times only;
        else pictures are dropped at the end of every piece.
        """
        now = clock.now()
        jumped = self._paced_s is not None and not 0 <= pts_s - self._paced_s < BROADCAST_S
        self._paced_s = pts_s
        if anchor is None or jumped or not -OVERDUE_S < pts_s + anchor - now < 30.0:
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
