from __future__ import annotations

import os
import shutil
import subprocess
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.tracker.videos import number, red_corner, write_video
from tracker.sources import open_source
from tracker.types import Frame, InputError


def read(path: Path | str, **options: float) -> tuple[list[Frame], list[str]]:
    with open_source(path, **options) as source:  # type: ignore[arg-type]
        return list(source), source.warnings


def test_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0, 40, 80, 500, 540, 2000, 2033, 2066]
    for name in ("clip.mp4", "clip.mkv"):
        frames, _ = read(write_video(tmp_path / name, len(times), times_ms=times))
        assert [round(f.time * 1000) for f in frames] == times


def test_time_starts_at_zero_wherever_the_container_starts(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mkv", 5, times_ms=[7000, 7100, 7200, 7300, 7400])
    frames, _ = read(path)
    assert [f.time for f in frames] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(
    ("degrees", "corner"), [(0, "top left"), (90, "bottom left"), (180, "bottom right"), (-90, "top right")]
)
def test_pictures_are_turned_upright(tmp_path: Path, degrees: int, corner: str) -> None:
    path = write_video(tmp_path / "phone.mp4", 3, size=(96, 48), rotate=degrees)
    with open_source(path) as source:
        image = next(iter(source)).image
        assert source.size == (image.shape[1], image.shape[0])
    assert source.size == ((48, 96) if degrees in (90, -90) else (96, 48))
    assert red_corner(image) == corner


@pytest.mark.slow_after(1)
@pytest.mark.skipif(
    not shutil.which("ffmpeg"), reason="compares with the ffmpeg program, which is not installed"
)
@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, -90])
def test_upright_is_what_ffmpeg_shows(tmp_path: Path, degrees: int, mirror: bool) -> None:
    path = write_video(tmp_path / "phone.mp4", 2, size=(96, 48), rotate=degrees, mirror=mirror)
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        str(path),
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "bgr24",
        "-",
    ]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
    ours = read(path)[0][0].image
    assert np.abs(np.frombuffer(raw, np.uint8).reshape(ours.shape).astype(int) - ours).mean() < 3


@pytest.mark.slow_after(3)
@pytest.mark.parametrize(
    ("aspect", "rotate", "size"),
    [
        (Fraction(2), 0, (192, 48)),
        (Fraction(1, 2), 0, (96, 96)),
        (Fraction(16, 11), 0, (140, 48)),  # wide PAL
        (Fraction(2), 90, (48, 192)),  # pixels are told of before they are turned
        (Fraction(201, 200), 0, (96, 48)),
        (Fraction(50), 0, (96, 48)),  # a header that lies
    ],
)
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_pixels_are_made_square(
    tmp_path: Path, name: str, aspect: Fraction, rotate: int, size: tuple[int, int]
) -> None:
    path = write_video(tmp_path / name, 3, size=(96, 48), rotate=rotate, aspect=aspect)
    with open_source(path) as source:
        frames = list(source)
        assert source.size == size
    assert [(f.image.shape[1], f.image.shape[0]) for f in frames] == [size] * 3
    assert [number(f.image) for f in frames] == [0, 1, 2]
    assert red_corner(frames[0].image) == ("bottom left" if rotate else "top left")


def test_odd_sizes_are_kept(tmp_path: Path) -> None:
    frames, _ = read(write_video(tmp_path / "odd.mp4", 3, size=(65, 49), pix_fmt="yuv444p"))
    assert [f.image.shape for f in frames] == [(49, 65, 3)] * 3


@pytest.mark.slow
def test_a_seek_lands_on_the_frame_in_any_gop(tmp_path: Path) -> None:
    path = write_video(tmp_path / "long.mp4", 60, gop=25)
    for start in (1.5, 2.4, 2.5, 5.9):
        frames, _ = read(path, start_s=start)
        assert frames[0].index == round(start * 10)
        assert number(frames[0].image) == frames[0].index % 24
        assert frames[-1].index == 59


def test_a_start_behind_the_end_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4")
    with pytest.raises(InputError, match=r"--start 99 s is after its end \(2\.0 s\)"):
        read(path, start_s=99)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clip.mp4", "clip.avi", "clip.mkv", "clip.ts"])
def test_a_truncated_file_is_read_to_its_end_with_a_note(tmp_path: Path, name: str) -> None:
    options = {"movflags": "faststart"} if name.endswith("mp4") else {}
    path = write_video(tmp_path / name, 80, options=options, size=(320, 240))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    frames, warnings = read(path)
    assert 10 < len(frames) < 80
    assert [number(f.image) for f in frames[:10]] == list(range(10))
    if name != "clip.ts":  # a transport stream announces nothing
        assert "cut off" in " ".join(warnings)


def test_corrupt_packets_are_skipped_and_counted(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mkv", 40, codec="mpeg4", size=(320, 240), gop=1)
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    data = path.read_bytes()
    for index in (7, 8, 20):
        where = data.index(packets[index])
        data = data[:where] + bytes(len(packets[index])) + data[where + len(packets[index]) :]
    path.write_bytes(data)
    frames, warnings = read(path)
    assert warnings == ["3 corrupt packets skipped"]
    assert len(frames) == 37
    indices = [f.index for f in frames]
    assert indices[-1] == 39  # what is missing is counted
    assert [number(f.image) for f in frames if f.index > 30] == [i % 24 for i in indices if i > 30]


def test_a_stop_ends_a_long_search_for_the_start(tmp_path: Path) -> None:
    import threading

    stop = threading.Event()
    path = write_video(tmp_path / "clip.mp4", 60)
    with open_source(path, start_s=0.9, stop=stop) as source:
        stop.set()
        begin = time.monotonic()
        assert list(source) == []
    assert time.monotonic() - begin < 2


class TestBadInput:
    def refused(self, path: Path | str, message: str) -> None:
        with pytest.raises(InputError, match=message) as caught:
            read(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)

    def test_missing_file(self, tmp_path: Path) -> None:
        self.refused(tmp_path / "none.mp4", "no such file")

    def test_a_pipe_is_told_at_once(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.ts")
        self.refused(tmp_path / "pipe.ts", "is a pipe, which can be read only once; write it to a file")

    def test_a_list_of_files_elsewhere(self, tmp_path: Path) -> None:
        (tmp_path / "all.ffconcat").write_text("ffconcat version 1.0\nfile /etc/passwd\n")
        self.refused(tmp_path / "all.ffconcat", "names other files, which are not read for it")

    def test_empty_file(self, tmp_path: Path) -> None:
        (tmp_path / "empty.mp4").touch()
        self.refused(tmp_path / "empty.mp4", "empty")

    def test_text_named_mp4(self, tmp_path: Path) -> None:
        path = tmp_path / "text.mp4"
        path.write_text("this is no video\n" * 1000, encoding="utf-8")
        self.refused(path, "not a video")

    def test_sound_without_video(self, tmp_path: Path) -> None:
        path = write_video(tmp_path / "clip.mp4", 20, audio="aac")
        sound = tmp_path / "sound.m4a"
        with av.open(str(path)) as source, av.open(str(sound), "w", format="mp4") as target:
            stream = target.add_stream_from_template(source.streams.audio[0])
            for packet in source.demux(audio=0):
                if packet.size:
                    packet.stream = stream
                    target.mux(packet)
        self.refused(sound, r"no video.*\(only audio\)")

    def test_mp4_without_its_index(self, tmp_path: Path) -> None:
        path = write_video(tmp_path / "clip.mp4", 40, size=(320, 240))
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        self.refused(path, r"without its index \(moov\)")

    def test_folder_without_images(self, tmp_path: Path) -> None:
        (tmp_path / "readme.txt").write_text("x", encoding="utf-8")
        self.refused(tmp_path, "no images")

    def test_glob_that_matches_nothing(self, tmp_path: Path) -> None:
        self.refused(str(tmp_path / "*.jpg"), "no images")

    def test_a_folder_of_films_is_told_what_takes_one(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp4").touch()
        told = "no images here, but a.mp4; give videos by name, or the folder to track archive"
        self.refused(tmp_path, told)
        self.refused(str(tmp_path / "*.mp4"), told)

    def test_images_that_are_none(self, tmp_path: Path) -> None:
        for name in ("a.jpg", "b.png"):
            (tmp_path / name).write_bytes(b"no image")
        self.refused(tmp_path, "none of its 2 images")
