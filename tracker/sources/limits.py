"""The largest images that are decoded; their size is read from the header before decoding."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from av.video.stream import VideoStream

MAX_PIXELS = 1 << 27  # of any image or video, 16k x 8k; a header that claims more would take all memory
MAX_BYTES = 8 * MAX_PIXELS  # of a picture's file: 16 bits and four channels
HEAD = 1 << 20  # bytes that hold the size, except in JPEG and TIFF, which tell where it is
STEPS = 10_000  # markers of a JPEG, pages of a TIFF

Size = tuple[int, int]  # width, height


def too_large(size: Size) -> bool:
    """Whether pictures of this size are not decoded."""
    return size[0] * size[1] > MAX_PIXELS


def claim(size: Size) -> str:
    """Return what is wrong with an image or video of this size."""
    return f"claims {size[0]}x{size[1]} pixels; at most {MAX_PIXELS / 1e6:.0f} million are read"


def problem(path: Path) -> str | None:
    """Return why the image in a file is not decoded, None if it may be."""
    try:
        with path.open("rb") as file:
            if path.stat().st_size > MAX_BYTES:
                return f"has more than {MAX_BYTES >> 30} GB"
            size = claimed_size(file)
    except OSError as error:
        return error.strerror or type(error).__name__
    if size is None:
        return "begins like no picture"
    return claim(size) if too_large(size) else None


def limit_decoder(stream: VideoStream) -> None:
    """Let the decoder of a stream refuse pictures that claim more, whenever they come."""
    codec = stream.codec_context
    if codec is not None:
        codec.options = {**codec.options, "max_pixels": str(MAX_PIXELS)}


def claimed_size(file: BinaryIO) -> Size | None:
    """Return the width and height in the header of a picture, the largest of several; None if it is none.

    Reads every format that OpenCV decodes; what is in none of them must not be given to a decoder.
    """
    head = file.read(HEAD)
    for mark, read in READERS:
        if re.match(mark, head, re.DOTALL):
            try:
                sizes = [size for size in read(file, head) if min(size) > 0]
            except (struct.error, ValueError, IndexError):
                return None
            return max(sizes, key=lambda size: size[0] * size[1], default=None)
    return None


def _png(_: BinaryIO, head: bytes) -> Iterator[Size]:
    yield struct.unpack(">II", head[16:24])


def _gif(_: BinaryIO, head: bytes) -> Iterator[Size]:
    yield struct.unpack("<HH", head[6:10])


def _bmp(_: BinaryIO, head: bytes) -> Iterator[Size]:
    if head[14:18] == b"\x0c\0\0\0":
        yield struct.unpack("<HH", head[18:22])
    else:
        width, height = struct.unpack("<ii", head[18:26])
        yield abs(width), abs(height)  # upside down where negative


def _jpeg(file: BinaryIO, _: bytes) -> Iterator[Size]:
    at = 2
    for _step in range(STEPS):
        file.seek(at)
        mark = file.read(9)
        if len(mark) < 4:
            return
        if mark[0] != 0xFF:
            at += 1  # decoders look for the next marker, too
        elif 0xC0 <= mark[1] <= 0xCF and mark[1] not in (0xC4, 0xC8, 0xCC):  # a frame, of whatever coding
            height, width = struct.unpack(">HH", mark[5:9])
            yield width, height or 0xFFFF  # 0: the height follows after the pixels
            return
        elif mark[1] in (0xFF, 0x00, 0x01) or 0xD0 <= mark[1] <= 0xD8:
            at += 1 if mark[1] == 0xFF else 2
        elif mark[1] in (0xD9, 0xDA):  # the end, or pixels without a frame
            return
        else:
            at += 2 + struct.unpack(">H", mark[2:4])[0]


def _tiff(file: BinaryIO, head: bytes) -> Iterator[Size]:
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack(order + "H", head[2:4])[0] == 43
    pointer, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    file.seek(8 if big else 4)
    (at,) = struct.unpack(order + pointer, file.read(struct.calcsize(pointer)))
    seen: set[int] = set()
    read_entries = 0
    while at and at not in seen and read_entries < STEPS:
        seen.add(at)
        file.seek(at)
        (entries,) = struct.unpack(order + count, file.read(struct.calcsize(count)))
        read_entries += entries + 1
        if entries > STEPS:
            raise ValueError("no directory has so many entries")
        directory = file.read(entries * entry)
        found = {}
        for start in range(0, len(directory), entry):
            tag, kind = struct.unpack(order + "HH", directory[start : start + 4])
            letter = {3: "H", 16: "Q"}.get(kind, "I")
            value = directory[start + entry - struct.calcsize(pointer) :]
            if tag in (256, 257):
                (found[tag],) = struct.unpack(order + letter, value[: struct.calcsize(letter)])
        yield found.get(256, 0), found.get(257, 0)
        (at,) = struct.unpack(order + pointer, file.read(struct.calcsize(pointer)))


def _webp(_: BinaryIO, head: bytes) -> Iterator[Size]:
    kind, data = head[12:16], head[20:]
    if kind == b"VP8X":
        yield 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little")
    elif kind == b"VP8L":
        bits = int.from_bytes(data[1:5], "little")
        yield 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 ":
        width, height = struct.unpack("<HH", data[6:10])
        yield width & 0x3FFF, height & 0x3FFF


def _anymap(_: BinaryIO, head: bytes) -> Iterator[Size]:
    words = re.sub(rb"#[^\n\r]*", b"", head[2:4096]).split()
    yield int(words[0]), int(words[1])


def _arbitrary_map(_: BinaryIO, head: bytes) -> Iterator[Size]:
    told = dict(re.findall(rb"(?m)^(WIDTH|HEIGHT)\s+(\d{1,18})\s*$", head[:4096]))
    yield int(told.get(b"WIDTH", 0)), int(told.get(b"HEIGHT", 0))


def _radiance(_: BinaryIO, head: bytes) -> Iterator[Size]:
    for found in re.findall(rb"(?m)^[-+]([XY]) (\d{1,18}) [-+][XY] (\d{1,18})\s*$", head):
        yield (int(found[2]), int(found[1])) if found[0] == b"Y" else (int(found[1]), int(found[2]))


def _exr(_: BinaryIO, head: bytes) -> Iterator[Size]:
    for found in re.finditer(rb"(?:dataWindow|displayWindow)\0box2i\0\x10\0\0\0", head):
        left, top, right, bottom = struct.unpack("<4i", head[found.end() : found.end() + 16])
        yield right - left + 1, bottom - top + 1


def _avif(_: BinaryIO, head: bytes) -> Iterator[Size]:
    for found in re.finditer(rb"ispe\0{4}", head):
        yield struct.unpack(">II", head[found.end() : found.end() + 8])


def _jpeg2000(_: BinaryIO, head: bytes) -> Iterator[Size]:
    for found in re.finditer(rb"\xff\x4f\xff\x51", head):
        right, bottom, left, top = struct.unpack(">4I", head[found.end() + 4 : found.end() + 20])
        yield right - left, bottom - top


def _sun(_: BinaryIO, head: bytes) -> Iterator[Size]:
    yield struct.unpack(">II", head[4:12])


READERS: tuple[tuple[bytes, Callable[[BinaryIO, bytes], Iterator[Size]]], ...] = (
    (rb"\xff\xd8", _jpeg),
    (rb"\x89PNG\r\n\x1a\n", _png),
    (rb"GIF8[79]a", _gif),
    (rb"BM", _bmp),
    (rb"II[*+]\0|MM\0[*+]", _tiff),
    (rb"RIFF....WEBP", _webp),
    (rb"P[1-6][\s#]|P[Ff]\s", _anymap),
    (rb"P7\s", _arbitrary_map),
    (rb"#\?(?:RADIANCE|RGBE)", _radiance),
    (rb"v/1\x01", _exr),
    (rb"....ftyp(?:avi[fs]|mif1|msf1|mia[fn])", _avif),
    (rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51", _jpeg2000),
    (rb"\x59\xa6\x6a\x95", _sun),
)
