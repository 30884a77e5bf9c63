"""Joining the drawn pieces of a recording: their packets one behind the other, with the recording's sound."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from av.packet import Packet
from av.video.stream import VideoStream

from tracker.archive.draw import ENCODING, SUFFIX, Look
from tracker.archive.files import file_system, is_object, opened
from tracker.archive.recordings import Recording
from tracker.archive.store import open_store
from tracker.archive.tasks import Task
from tracker.contracts import Sound
from tracker.errors import OutputError, system_reason
from tracker.sinks.audio import AudioWriter
from tracker.sinks.video_writer import WHOLE
from tracker.sources.video_file import VideoFile
from tracker.types import InputError


class DrawnPiece(NamedTuple):
    """A piece to be joined."""

    name: str  # of its file in the store
    first_s: float  # time of its first frame in the recording
    frames: int


@dataclass(frozen=True)
class Join(Task):
    """Make one video of the pieces of a recording, with its sound; nothing is encoded again."""

    recording: Recording
    pieces: tuple[DrawnPiece, ...]
    look: Look
    store: str
    goal: str

    @property
    def title(self) -> str:
        """The file."""
        return f"{self.recording.name}, joining"

    def run(self) -> Joined:
        """Join."""
        return join(self)


@dataclass(frozen=True)
class Joined:
    """What came of a video."""

    frames: int = 0
    fault: str = ""  # why the pieces cannot be joined
    warnings: tuple[str, ...] = ()


class SeamError(Exception):
    """Pieces do not continue each other."""


def join(task: Join) -> Joined:
    """Join the pieces; where they do not fit, nothing is left but a fault. Raises ``TrackError``."""
    store = open_store(task.store)
    warnings: list[str] = []
    with tempfile.TemporaryDirectory(prefix="track-") as folder:
        whole = Path(folder) / f"whole{SUFFIX}"
        try:
            with (
                _sound(task, Path(folder), warnings) as sound,
                closing(Joiner(whole, sound, task.look.first_s, warnings)) as joiner,
            ):
                for piece in task.pieces:
                    with store.local(piece.name) as path:
                        joiner.add(path, piece)
        except SeamError as error:
            return Joined(fault=str(error))
        except (av.error.FFmpegError, OSError, ValueError) as error:
            why = system_reason(error) or error
            raise OutputError(f"{store.shown(task.goal)}: its pieces cannot be joined ({why})") from error
        store.put(whole, task.goal)
    return Joined(joiner.frames, warnings=tuple(dict.fromkeys(warnings)))


class Joiner:
    """A video that grows by the packets of pieces; used in ``contextlib.closing``."""

    def __init__(self, path: Path, sound: Sound | None, first_s: float, warnings: list[str]) -> None:
        self._container = av.open(f"file:{path}", "w", format=ENCODING.format, options=dict(WHOLE))
        self._sound, self._first_s, self._warnings = sound, first_s, warnings
        self._stream: VideoStream | None = None
        self._head: bytes | None = None  # what a decoder must know, the same for all pieces
        self._audio: AudioWriter | None = None
        self._held = 0  # packets by which decoding is ahead of showing
        self._before: list[int] = []  # times of the last pictures, in ticks: as many as are held
        self._last = 0  # of these
        self._decoded = -(1 << 62)  # decoding time of the last packet
        self._end = self._step = 0.0  # seconds: the last picture's time, and how long it is shown
        self.frames = 0

    def add(self, path: Path, piece: DrawnPiece) -> None:
        """Add a piece; raises `SeamError`. It is read twice, so that memory holds times only."""
        with _packets(path) as (stream, packets):
            times = [(_shown(packet), packet.dts or 0) for packet in packets]
            if len(times) != piece.frames:
                raise SeamError(f"its piece at {piece.first_s:g} s has {len(times)} pictures")
            if self._stream is None:
                self._begin(stream, times)
            if stream.codec_context.extradata != self._head or stream.time_base != self._base:
                raise SeamError(f"its piece at {piece.first_s:g} s was encoded otherwise")
            assert self._stream is not None
        placed = self._placed(
            [shown for shown, _ in times], round((piece.first_s - self._first_s) / self._base)
        )
        with _packets(path) as (_, packets):
            for packet, (shown, decoded) in zip(packets, placed, strict=True):
                packet.pts, packet.dts = shown, decoded
                packet.stream = self._stream
                self._container.mux(packet)
                end = float(shown * self._base)
                if self._audio is not None and end > self._end:
                    self._audio.advance(end)
                self._end = max(self._end, end)
        self.frames += len(times)

    def close(self) -> None:
        """Write the rest of the sound, and the index; the file is closed even after an error."""
        try:
            if self._audio is not None:
                self._audio.close(self._end + self._step)
        finally:
            self._container.close()
            if self._audio is not None:
                self._warnings += self._audio.warnings

    def _begin(self, stream: VideoStream, times: list[tuple[int, int]]) -> None:
        """Begin like the first piece; ``times`` are when its packets are shown and decoded."""
        assert stream.time_base is not None
        base = stream.time_base  # of a type of its own from PyAV 19 on
        self._base = Fraction(base.numerator, base.denominator)
        self._head = stream.codec_context.extradata
        goal = self._container.add_stream_from_template(stream)
        goal.time_base = self._base
        self._stream = goal
        first = min(shown for shown, _ in times)
        self._held = sum(decoded < first for _, decoded in times)
        self._before = [decoded - first for _, decoded in times[: self._held]]
        if self._sound is None or self._sound.stream is None:
            return
        try:
            self._audio = AudioWriter(
                self._sound,
                self._container,
                self._first_s,
                ENCODING.audio,
                ENCODING.sounds,
                dict(WHOLE),
                at_once=ENCODING.fragments,
            )
        except (av.error.FFmpegError, ValueError, AssertionError) as error:
            self._warnings.append(f"the sound was left out ({system_reason(error) or error})")

    def _placed(self, shown: list[int], begin: int) -> list[tuple[int, int]]:
        """Return when the packets of a piece are shown and decoded in the whole, whose first picture is at 0.

        A picture is decoded when the one is shown that is `_held` before it in the order of showing, as
        x264 has it within a piece: so decoding goes on without a gap from piece to piece.
        """
        shift = begin - min(shown)
        times = sorted(each + shift for each in shown)
        if self.frames and times[0] <= self._last:
            raise SeamError("its pieces overlap")
        order = [*self._before, *times]
        placed = [(each + shift, decoded) for each, decoded in zip(shown, order, strict=False)]
        if any(decoded > at for at, decoded in placed) or placed[0][1] <= self._decoded:
            raise SeamError("its pictures are in another order than in its first piece")
        self._before, self._last, self._decoded = order[len(times) :], times[-1], placed[-1][1]
        if len(times) > 1:
            self._step = float((times[-1] - times[-2]) * self._base)
        return placed


@contextmanager
def _packets(path: Path) -> Iterator[tuple[VideoStream, Iterator[Packet[VideoStream]]]]:
    """Give the video of a piece, and its packets, with the very times that the encoder gave them."""
    with av.open(f"file:{path}", options={"ignore_editlist": "1"}) as source:
        stream = source.streams.video[0]
        yield stream, (packet for packet in source.demux(stream) if packet.size)


def _shown(packet: Packet[VideoStream]) -> int:
    assert packet.pts is not None
    return packet.pts


@contextmanager
def _sound(task: Join, folder: Path, warnings: list[str]) -> Iterator[Sound | None]:
    """Give the sound of the recording, open; an object that has some is copied first."""
    uri, options = task.recording.uri, task.look.options
    if is_object(uri):
        with opened(uri) as file, av.open(file) as media:
            heard = bool(media.streams.audio)
        if not heard:
            yield None
            return
        copy = folder / "recording"
        try:
            file_system(uri).get_file(uri, str(copy))
        except Exception as error:  # each store has errors of its own
            raise InputError(f"{task.recording.name}: cannot be copied ({error})") from error
        uri = str(copy)
    with VideoFile(uri, fps=options.fps, decode=options.decode) as source:
        sound = source.sound
        if sound is None:
            yield None
            return
        sound.open(task.look.first_s)
        try:
            yield sound
        finally:
            sound.close()
            warnings += sound.warnings
