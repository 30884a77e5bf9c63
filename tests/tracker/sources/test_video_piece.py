from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.tracker.archive.clips import KINDS, make_clip
from tests.tracker.videos import write_video
from tracker.sources.video_file import VideoFile
from tracker.sources.video_piece import Seams, Seen, VideoPiece, digest, fits

Frames = list[tuple[int, float, str]]
MAY_BE_WHOLE = {"broken times", "intra refresh"}  # what cannot be cut, says so


def whole(path: Path) -> Frames:
    with VideoFile(path) as source:
        return [(frame.index, frame.time, digest(frame.pixels)) for frame in source]


def joined(path: Path, cuts: list[float | None]) -> tuple[Frames, list[VideoPiece]]:
    """Return the frames of all pieces, numbered as they follow each other, and the pieces."""
    frames: Frames = []
    pieces = []
    for start, end in pairwise(cuts):
        assert start is not None
        with VideoPiece.of(VideoFile(path), start, end) as piece:
            assert isinstance(piece, VideoPiece)
            before = len(frames)
            frames += [(before + frame.index, frame.time, digest(frame.pixels)) for frame in piece]
            pieces.append(piece)
    return frames, pieces


def sound(pieces: list[VideoPiece]) -> bool:
    return not any(piece.fault for piece in pieces) and all(fits(a, b) for a, b in pairwise(pieces))


def test_pieces_are_the_file(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", 40)
    for cuts in ([0.0, 1.5, None], [0.0, 0.75, 1.25, 3.05, None]):
        frames, pieces = joined(path, [*cuts])
        assert sound(pieces)
        assert frames == whole(path)


def test_a_pause_makes_a_piece_without_frames(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", 12, times_ms=[*range(0, 600, 100), *range(5000, 5600, 100)])
    frames, pieces = joined(path, [0.0, 2.0, 4.0, None])
    assert sound(pieces)
    assert frames == whole(path)
    assert pieces[1].first == []


def test_raw_frames_without_times_are_not_cut(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.h264", 12)
    with VideoPiece.of(VideoFile(path), 0.5, 1.0) as piece:
        assert not list(piece)
        assert piece.fault == "its frames have no times"


def test_a_damaged_file_is_not_cut(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", 40)
    bad = bytearray(path.read_bytes())
    middle = bad.index(b"mdat") + 1000
    bad[middle : middle + 300] = b"U" * 300
    path.write_bytes(bad)
    _, pieces = joined(path, [0.0, 1.0, 2.0, 3.0, None])
    assert not sound(pieces)


def test_pieces_fit_by_the_frames_behind_the_seam() -> None:
    def frames(*digests: str) -> list[Seen]:
        return [Seen(10.0 + n, text) for n, text in enumerate(digests)]

    eight = frames(*"abcdefgh")
    assert fits(Seams(10.0, [], eight), Seams(None, eight, []))
    assert not fits(Seams(10.0, [], eight), Seams(None, frames(*"abcdefgX"), []))
    assert not fits(Seams(10.0, [], eight), Seams(None, [], []))
    assert not fits(Seams(10.0, [], frames("a")), Seams(None, frames("a", "b"), []))  # the file ended there
    assert fits(Seams(10.0, [], eight), Seams(12.0, frames("a", "b"), eight[2:]))
    assert not fits(Seams(10.0, [], eight), Seams(12.0, frames("a"), eight[2:]))  # one is missing


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_clip_is_exact_or_says_that_it_is_not(kind: str, tmp_path: Path) -> None:
    path = make_clip(kind, tmp_path)
    frames, pieces = joined(path, [0.0, 0.31, 1.9, 2.6, 4.04, 5.48, 7.3, None])
    if kind not in MAY_BE_WHOLE:
        assert sound(pieces)
    if sound(pieces):
        assert frames == whole(path)
    if kind == "broken times":
        assert "its times do not increase" in [piece.fault for piece in pieces]
