"""The law of sizes: what a picture's header claims is known before a decoder sees the picture."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.quick import examples
from tests.tracker.videos import write_video
from tracker.sources import limits, open_source
from tracker.types import InputError

KINDS = [
    ".jpg",
    ".png",
    ".bmp",
    ".tif",
    ".webp",
    ".ppm",
    ".pgm",
    ".pbm",
    ".pam",
    ".pfm",
    ".hdr",
    ".ras",
    ".gif",
    ".avif",
]
HUGE = 30_000


def encoded(suffix: str, width: int = 40, height: int = 24, *options: int) -> bytearray:
    shape = (height, width) if suffix in (".pgm", ".pbm") else (height, width, 3)
    kind = np.float32 if suffix in (".pfm", ".hdr") else np.uint8
    picture = np.random.default_rng(1).integers(0, 255, shape).astype(kind)
    try:
        return bytearray(cv2.imencode(suffix, picture, options)[1].tobytes())
    except (cv2.error, AttributeError):
        pytest.skip(f"this OpenCV writes no {suffix}")


def jpeg(data: bytearray) -> None:
    at = min(place for place in (data.find(b"\xff\xc0"), data.find(b"\xff\xc2")) if place > 0)
    data[at + 5 : at + 9] = struct.pack(">HH", HUGE, HUGE)


def png(data: bytearray) -> None:
    data[16:24] = struct.pack(">II", HUGE, HUGE)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))


def bmp(data: bytearray) -> None:
    data[18:26] = struct.pack("<ii", HUGE, -HUGE)


def webp(data: bytearray) -> None:
    assert data[12:16] == b"VP8L"
    data[21:25] = struct.pack("<I", 16382 | 16382 << 14)


def lossy_webp(data: bytearray) -> None:
    data[:] = encoded(".webp", 40, 24, cv2.IMWRITE_WEBP_QUALITY, 80)
    at = data.index(b"\x9d\x01\x2a")
    assert limits.claimed_size(io.BytesIO(data)) == (40, 24)
    data[at + 3 : at + 7] = struct.pack("<HH", 16383, 16383)


def gif(data: bytearray) -> None:
    data[6:10] = struct.pack("<HH", HUGE, HUGE)


def tiff(data: bytearray) -> None:
    (at,) = struct.unpack("<I", data[4:8])
    for entry in range(at + 2, at + 2 + 12 * struct.unpack("<H", data[at : at + 2])[0], 12):
        if struct.unpack("<H", data[entry : entry + 2])[0] in (256, 257):
            data[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, HUGE)


def avif(data: bytearray) -> None:
    at = data.index(b"ispe")
    data[at + 8 : at + 16] = struct.pack(">II", HUGE, HUGE)


def text(data: bytearray) -> None:
    data[: data.index(b"255")] = b"P6\n# 1 1\n 30000\t30000\n"


def sun(data: bytearray) -> None:
    data[4:12] = struct.pack(">II", HUGE, HUGE)


BOMBS: list[tuple[str, Callable[[bytearray], None]]] = [
    *((".jpg", jpeg), (".png", png), (".bmp", bmp), (".webp", webp), (".gif", gif), (".tif", tiff)),
    *((".avif", avif), (".ppm", text), (".ras", sun), (".webp", lossy_webp)),
]


@pytest.mark.parametrize("suffix", KINDS)
def test_the_size_that_is_claimed_is_the_size_that_is_decoded(suffix: str) -> None:
    data = encoded(suffix)
    assert limits.claimed_size(io.BytesIO(data)) == (40, 24)
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[:2] == (24, 40)


def test_a_progressive_jpeg_with_much_before_its_size() -> None:
    data = encoded(".jpg", 40, 24, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    padded = (
        data[:2]
        + 30 * (b"\xff\xe1\xff\xff" + b"\xff\xc0\x00\x11\x08\x00\x01\x00\x01" * 7281 + b"\0" * 4)
        + data[2:]
    )
    assert limits.claimed_size(io.BytesIO(padded)) == (40, 24)


def test_of_many_pages_the_largest_counts(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    cv2.imwritemulti(
        str(path),
        [np.zeros((9, 9, 3), np.uint8), np.zeros((70, 50, 3), np.uint8), np.zeros((5, 5, 3), np.uint8)],
    )
    with path.open("rb") as file:
        assert limits.claimed_size(file) == (50, 70)


@pytest.mark.parametrize(("suffix", "swell"), BOMBS)
def test_a_small_file_that_claims_a_huge_picture_is_never_decoded(
    tmp_path: Path, suffix: str, swell: Callable[[bytearray], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(suffix)
    swell(data)
    path = tmp_path / f"bomb{'.png' if suffix in ('.gif', '.ras') else suffix}"
    path.write_bytes(data)

    def decode(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(cv2, "imdecode", decode)
    with pytest.raises(InputError, match=r"bomb\.\w+ claims \d+x\d+ pixels; at most 134 million are read"):
        open_source(path).__enter__()


def test_among_good_pictures_it_is_left_out(tmp_path: Path) -> None:
    for name in ("a.png", "b.jpg", "c.png"):
        (tmp_path / name).write_bytes(encoded(Path(name).suffix))
    bad = encoded(".jpg")
    jpeg(bad)
    (tmp_path / "b.jpg").write_bytes(bad)
    with open_source(tmp_path) as source:
        assert [frame.index for frame in source] == [0, 2]
        assert any("1 of 3 images could not be read" in note for note in source.warnings)


@examples(300)
@given(st.sampled_from(sorted({mark for mark, _ in BOMBS})), st.data())
def test_a_damaged_header_is_a_size_or_none(suffix: str, data: st.DataObject) -> None:
    damaged = encoded(suffix, 20, 20)
    for _ in range(data.draw(st.integers(0, 6))):
        damaged[data.draw(st.integers(0, min(len(damaged), 80) - 1))] = data.draw(st.integers(0, 255))
    size = limits.claimed_size(io.BytesIO(damaged[: data.draw(st.integers(0, len(damaged)))]))
    assert size is None or min(size) > 0


def test_a_file_of_endless_directories_ends() -> None:
    loop = b"II*\0\x08\0\0\0" + b"\x01\0" + struct.pack("<HHII", 256, 4, 1, 5) + b"\x08\0\0\0"
    assert limits.claimed_size(io.BytesIO(loop)) is None
    assert limits.claimed_size(io.BytesIO(b"II*\0\x08\0\0\0\xff\xff" + b"\0" * 99)) is None
    assert limits.claimed_size(io.BytesIO(b"\xff\xd8" + b"\xff" * 100_000)) is None


def test_what_is_larger_than_any_picture_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.write(encoded(".png"))
        file.truncate(limits.MAX_BYTES + 1)
    assert limits.problem(path) == "has more than 1 GB"


@pytest.mark.parametrize("name", ["film.avi", "film.mkv", "film.mjpeg", "film.mov"])
def test_a_film_has_the_same_limit(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit made small stands in for a film of more than 134 million pixels, which would take a minute."""
    path = tmp_path / name
    write_video(path, frames=3, size=(64, 48), codec="mjpeg", pix_fmt="yuvj420p")
    with open_source(path) as source:
        assert len(list(source)) == 3
    for module in ("media_file", "limits", "video_file"):
        monkeypatch.setattr(f"tracker.sources.{module}.MAX_PIXELS", 64 * 48 - 1)
    with pytest.raises(InputError, match=r"not one frame .* larger than 0 million pixels"):
        open_source(path).__enter__()


def test_a_film_whose_pictures_grow_is_shown_up_to_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [bytes(encoded(".jpg", 64, 48)) for _ in range(3)] + [bytes(encoded(".jpg", 320, 240))]
    path = tmp_path / "grows.mjpeg"
    path.write_bytes(b"".join([*pictures, *pictures[:2]]))
    for module in ("media_file", "limits", "video_file"):
        monkeypatch.setattr(f"tracker.sources.{module}.MAX_PIXELS", 64 * 48)
    with open_source(path) as source:
        assert {frame.image.shape for frame in source} == {(48, 64, 3)}
