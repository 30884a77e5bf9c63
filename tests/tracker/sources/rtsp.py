"""A small RTSP server for tests, which can be late, die, fall silent and send nonsense.

RFC 2326 (RTSP, interleaved over TCP or with UDP ports) and RFC 6184 (H.264 in RTP, FU-A fragments).
Every client gets its own encoder, so that a connection begins with a key frame.
"""

from __future__ import annotations

import random
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction

import av
import numpy as np

from tracker.types import Image

MTU = 1400
CODE = 24  # pixels per bit of the time that stands in the picture
BITS = 32


def stamped(size: tuple[int, int] = (CODE * BITS, 96), number: int | None = None) -> Image:
    """Return a picture that tells a number, the time of day in milliseconds, one block per bit."""
    image = np.full((size[1], size[0], 3), 90, np.uint8)
    now = int(time.time() * 1000) & 0xFFFFFFFF if number is None else number
    for bit in range(BITS):
        image[size[1] // 6 : size[1] * 2 // 3, bit * size[0] // BITS : (bit + 1) * size[0] // BITS] = 255 * (
            now >> bit & 1
        )
    return image


def stamp(image: Image) -> float:
    """Return the seconds (modulo 2^32 ms) that a picture of ``stamped`` tells."""
    height, width = image.shape[:2]
    row = image[int(height * 0.4), :, 1].astype(float)
    bits = [row[int((bit + 0.5) * width / BITS)] > 127 for bit in range(BITS)]
    return sum(1 << bit for bit in range(BITS) if bits[bit]) / 1000


class RtspServer:
    """Serves what ``picture`` returns at ``fps`` under any path; a context manager."""

    def __init__(
        self, picture: Callable[[], Image], fps: int = 40, port: int = 0, password: str = "", **x264: str
    ) -> None:
        self.picture, self.fps, self.password, self.x264 = picture, fps, password, x264
        self.silent = threading.Event()  # stay connected, send nothing
        self.garbage = threading.Event()
        self.still = threading.Event()  # its clock stands still; pictures go on
        self.late_s = 0.0  # by which its clock is behind since
        self.clock = 0  # number of the picture that is sent
        self.loss = 0.0  # share of RTP packets that never leave
        self.clients = 0
        self._port = port
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> RtspServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self._port}/cam"

    def start(self) -> None:
        self._alive = True
        self._server = socket.create_server(("127.0.0.1", self._port))
        self._port = self._server.getsockname()[1]
        self._spawn(self._accept)

    def kill(self) -> None:
        """Drop every connection and stop listening, without a word."""
        self._alive = False
        for each in [self._server, *self._sockets]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)
        self._sockets, self._threads = [], []

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while self._alive:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self._sockets.append(client)
            self.clients += 1
            self._spawn(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        try:
            self._talk(client)
        except OSError:
            pass
        finally:
            client.close()

    def _talk(self, client: socket.socket) -> None:
        playing, send = threading.Event(), None
        text = b""
        while self._alive:
            data = client.recv(4096)
            if not data:
                return
            text += data
            while b"\r\n\r\n" in text:
                head, text = text.split(b"\r\n\r\n", 1)
                if head[:1] == b"$":  # RTCP of the client
                    skip = 4 + struct.unpack(">H", head[2:4])[0]
                    text = (head + b"\r\n\r\n" + text)[skip:]
                    continue
                request = head.decode(errors="replace")
                verb = request.split(" ", 1)[0]
                number = re.search(r"CSeq: *(\d+)", request, re.I)
                answer = {"CSeq": number[1] if number else "0"}
                body, status = "", "200 OK"
                if self.password and verb != "OPTIONS" and "Authorization" not in request:
                    status, answer["WWW-Authenticate"] = "401 Unauthorized", 'Basic realm="cam"'
                elif verb == "OPTIONS":
                    answer["Public"] = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"
                elif verb == "DESCRIBE":
                    answer["Content-Type"] = "application/sdp"
                    body = (
                        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=test\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                        "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track1\r\n"
                        f"a=framerate:{self.fps}\r\n"
                    )
                elif verb == "SETUP":
                    answer["Session"] = "1;timeout=60"
                    udp = re.search(r"client_port=(\d+)", request)
                    if udp:
                        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                        self._sockets.append(out)
                        port = int(udp[1])
                        answer["Transport"] = (
                            f"RTP/AVP;unicast;client_port={port}-{port + 1};server_port=6970-6971"
                        )
                        send = lambda rtp, out=out, port=port: out.sendto(rtp, ("127.0.0.1", port))  # noqa: E731
                    else:
                        answer["Transport"] = "RTP/AVP/TCP;unicast;interleaved=0-1"
                        send = lambda rtp: client.sendall(b"$\0" + struct.pack(">H", len(rtp)) + rtp)  # noqa: E731
                elif verb in ("PLAY", "GET_PARAMETER"):
                    answer["Session"] = "1"
                lines = [f"RTSP/1.0 {status}", *(f"{k}: {v}" for k, v in answer.items())]
                lines.append(f"Content-Length: {len(body)}")
                client.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
                if verb == "PLAY" and send is not None and not playing.is_set():
                    playing.set()
                    self._spawn(self._play, client, send)

    def _play(self, client: socket.socket, send: Callable[[bytes], object]) -> None:
        begin, sequence, before_s = time.monotonic(), 0, 0.0
        dice = random.Random(7)
        try:
            for picture in self._encoded():
                if self.garbage.is_set():
                    client.sendall(dice.randbytes(3000))
                    continue
                nals = [n for n in re.split(b"\0\0\0?\1", picture) if n]
                told_s = time.monotonic() - begin - self.late_s
                if self.still.is_set():
                    self.late_s, told_s = self.late_s + told_s - before_s, before_s
                before_s = told_s
                clock = int(told_s * 90_000) & 0xFFFFFFFF
                if self.x264:  # what is held back, and sent in another order, bears its own time
                    clock = int(self.clock * 90_000 / self.fps) & 0xFFFFFFFF
                payloads = [p for nal in nals for p in fragments(nal)]
                for count, payload in enumerate(payloads):
                    last = 0x80 if count == len(payloads) - 1 else 0
                    header = struct.pack(">BBHII", 0x80, 96 | last, sequence & 0xFFFF, clock, 0x1234)
                    sequence += 1
                    if dice.random() >= self.loss:
                        send(header + payload)
        except OSError:
            pass

    def _encoded(self) -> Iterator[bytes]:
        """Yield pictures as H.264, each when it is due, a key frame first."""
        context = None
        begin, index = time.monotonic(), 0
        while self._alive:
            time.sleep(max(0.0, begin + index / self.fps - time.monotonic()))
            index += 1
            if self.silent.is_set():
                context = None
                continue
            image = self.picture()
            if context is None or (context.height, context.width) != image.shape[:2]:
                context = encoder((image.shape[1], image.shape[0]), self.fps, **self.x264)
            frame = av.VideoFrame.from_ndarray(image, "bgr24")
            frame.pts, frame.time_base = index, Fraction(1, self.fps)
            for packet in context.encode(frame):
                self.clock = index if packet.pts is None else packet.pts
                yield bytes(packet)


def encoder(size: tuple[int, int], fps: int, **options: str) -> av.VideoCodecContext:
    """Return an H.264 encoder that holds nothing back, with a key frame four times a second."""
    context = av.CodecContext.create("libx264", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height = size
    context.pix_fmt, context.time_base, context.framerate = "yuv420p", Fraction(1, fps), fps
    context.gop_size, context.thread_count = max(fps // 4, 1), 1
    context.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "28", **options}
    return context


def fragments(nal: bytes) -> list[bytes]:
    """Split a NAL unit for RTP."""
    if len(nal) <= MTU:
        return [nal]
    head, parts = nal[0], [nal[i : i + MTU] for i in range(1, len(nal), MTU)]
    return [
        bytes(
            (head & 0x60 | 28, head & 0x1F | (0x80 if i == 0 else 0) | (0x40 if i == len(parts) - 1 else 0))
        )
        + part
        for i, part in enumerate(parts)
    ]
