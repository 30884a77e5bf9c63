from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from bytetrack import Detections, Tracks
from tests.tracker.videos import loudness, number, picture, plain, result, write_video
from tracker.planes import BT601, BT709
from tracker.sinks import VideoSink
from tracker.sources import open_source
from tracker.types import Frame, Image, OptionError, OutputError, Planes, Result, Scene, Stopwatch

SCENE = Scene("clip", (64, 48), 10.0, False, {})


def copy(source_path: Path, out: Path, **options: float) -> None:
    """Send a file through source and sink, as a run does."""
    with open_source(source_path, **options) as source:  # type: ignore[arg-type]
        scene = Scene(source.name, source.size, source.fps, source.live, {})
        with VideoSink(out, scene, plain, sound=source.sound) as sink:
            for frame in source:
                sink.write(Result(frame, Detections.empty(), Tracks.empty()))


def times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(f.pts * f.time_base) for f in container.decode(video=0)]


class TestWhatComesOut:
    def test_h264_yuv420p_that_starts_at_once_and_lasts_as_long(self, tmp_path: Path) -> None:
        out = tmp_path / "out.mp4"
        copy(write_video(tmp_path / "in.mp4", 25), out)
        with av.open(str(out)) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            assert (context.name, context.pix_fmt) == ("h264", "yuv420p")
            assert (stream.frames, float(stream.duration * stream.time_base)) == (25, 2.5)
            assert stream.average_rate == 10
            assert [number(f.to_ndarray(format="bgr24")) for f in container.decode(video=0)] == [
                i % 24 for i in range(25)
            ]
        data = out.read_bytes()
        assert 0 < data.index(b"moov") < data.index(b"mdat")
        assert b"moof" not in data
        assert times(out) == [i / 10 for i in range(25)]

    @pytest.mark.slow
    @pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffprobe is not installed")
    def test_ffprobe_agrees(self, tmp_path: Path) -> None:
        out = tmp_path / "out.mp4"
        copy(write_video(tmp_path / "in.mp4", 25, audio="aac"), out)
        shown = "stream=codec_name,pix_fmt,nb_frames,r_frame_rate,start_time"
        command = ["ffprobe", "-v", "error", "-show_entries", shown, "-of", "csv=p=0", str(out)]
        text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
        video, sound = text.splitlines()
        assert video == "h264,yuv420p,10/1,0.000000,25"
        assert sound.startswith("aac,")

    @pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.mov"])
    def test_variable_frame_rate_is_kept(self, tmp_path: Path, name: str) -> None:
        stamps = [0, 40, 80, 500, 540, 2000, 2033, 2066]
        copy(write_video(tmp_path / "in.mkv", len(stamps), times_ms=stamps), tmp_path / name)
        assert [round(t * 1000) for t in times(tmp_path / name)] == stamps
        with av.open(str(tmp_path / name)) as container:
            assert 2_066_000 < (container.duration or 0) < 2_200_000, "the last is shown for a moment, too"

    @pytest.mark.parametrize("fps", [23.976, 29.97, 59.94, 12.5, 25, 7])
    def test_every_usual_rate_is_exact(self, tmp_path: Path, fps: float) -> None:
        exact = {23.976: 24000 / 1001, 29.97: 30000 / 1001, 59.94: 60000 / 1001}.get(fps, fps)
        with VideoSink(tmp_path / "o.mp4", Scene("", (64, 48), exact, False, {}), plain) as sink:
            for index in range(30):
                sink.write(result(index, index / exact))
        with av.open(str(tmp_path / "o.mp4")) as container:
            assert float(container.streams.video[0].average_rate or 0) == exact

    @pytest.mark.parametrize("size", [(65, 49), (64, 49), (65, 48), (17, 3)])
    def test_odd_sizes_grow_by_a_repeated_edge(self, tmp_path: Path, size: tuple[int, int]) -> None:
        with VideoSink(tmp_path / "o.mp4", SCENE, plain) as sink:
            for index in range(3):
                sink.write(result(index, size=size))
        with av.open(str(tmp_path / "o.mp4")) as container:
            image = next(container.decode(video=0)).to_ndarray(format="bgr24")
        assert image.shape[:2] == (size[1] + size[1] % 2, size[0] + size[0] % 2)
        assert np.abs(image[: size[1], : size[0]].astype(int) - picture(0, size)).mean() < 12

    def test_colours_come_back(self, tmp_path: Path) -> None:
        copy(write_video(tmp_path / "in.mp4", 3, size=(256, 192)), tmp_path / "o.mp4")
        with open_source(tmp_path / "o.mp4") as source:
            image = next(iter(source)).image
        assert np.allclose(image[4:40, 4:56].mean((0, 1)), (0, 0, 255), atol=6)

    @pytest.mark.parametrize("matrix", [BT601, BT709])
    def test_planes_are_written_as_they_are_and_keep_their_matrix(self, tmp_path: Path, matrix: int) -> None:
        """Whether a later picture comes as planes, as BGR, or as planes of another matrix, it looks alike."""
        image = picture(12, (96, 64))
        kinds = [Planes.of(image, matrix), image, Planes.of(image, BT601), Planes.of(image, BT709)]
        other = Planes.of(picture(12, (48, 32)), matrix)
        with VideoSink(tmp_path / "o.mp4", SCENE, lambda shown: shown.frame.pixels, crf=5) as sink:
            for index, pixels in enumerate([*kinds, other]):
                frame = Frame.of(pixels, index, index / 10)
                sink.write(Result(frame, Detections.empty(), Tracks.empty()))
        with av.open(str(tmp_path / "o.mp4")) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.colorspace, stream.codec_context.color_range) == (matrix, 1)
            frames = list(container.decode(video=0))
        assert len(frames) == 5
        luma = frames[0].to_ndarray()[:64].astype(int)
        assert np.abs(luma - kinds[0].y).max() <= 4
        for frame in frames[1:]:
            error = np.abs(frame.to_ndarray(format="bgr24").astype(int) - image)
            assert error[:, :20].mean() < 6 and error[:, 28:].mean() < 6

    def test_uneven_times_are_kept_from_fragment_to_fragment(self, tmp_path: Path) -> None:
        stamps = np.cumsum([0, *([30, 100, 170, 50] * 8)]).tolist()
        video = write_video(tmp_path / "in.mkv", len(stamps), times_ms=stamps, audio="aac")
        copy(video, tmp_path / "out.mp4")  # sound begins fragments between two pictures
        assert [round(t * 1000) for t in times(tmp_path / "out.mp4")] == stamps

    def test_times_that_stand_or_run_backwards_do_no_harm(self, tmp_path: Path) -> None:
        with VideoSink(tmp_path / "o.mp4", SCENE, plain) as sink:
            for index, time in enumerate([1.7e9, 1.7e9, 1.7e9 - 5, 1.7e9 + 0.1, 1.7e9 + 0.2]):
                sink.write(result(index, time))
        seconds = times(tmp_path / "o.mp4")
        assert len(seconds) == 5
        assert seconds[0] == 0 and seconds[-1] == pytest.approx(0.2)
        assert all(a < b for a, b in pairwise(seconds))

    def test_no_frames_leave_no_file(self, tmp_path: Path) -> None:
        with VideoSink(tmp_path / "o.mp4", SCENE, plain):
            pass
        assert list(tmp_path.iterdir()) == []

    def test_the_stages_are_timed(self, tmp_path: Path) -> None:
        watch = Stopwatch()
        with VideoSink(tmp_path / "o.mp4", SCENE, plain, stopwatch=watch) as sink:
            sink.write(result(0))
        assert watch.seconds.keys() == {"draw", "encode"}


class TestSound:
    """The tone of the test videos is on in every even second."""

    @pytest.mark.slow_after(1)
    @pytest.mark.parametrize(
        ("source", "codec", "out", "expected"),
        [
            ("in.mp4", "aac", "out.mp4", "aac"),
            ("in.mkv", "flac", "out.mkv", "flac"),
            ("in.mp4", "mp3", "out.mp4", "mp3"),
            ("in.mkv", "libopus", "out.webm", "opus"),
            ("in.mp4", "aac", "out.webm", "opus"),
            ("in.avi", "pcm_s16le", "out.mp4", "aac"),
        ],
    )
    def test_is_copied_where_the_container_can_hold_it(
        self, tmp_path: Path, source: str, codec: str, out: str, expected: str
    ) -> None:
        codecs = {"in.avi": "mpeg4"}
        path = write_video(tmp_path / source, 40, audio=codec, codec=codecs.get(source, "libx264"))
        copy(path, tmp_path / out)
        with av.open(str(tmp_path / out)) as container:
            assert container.streams.audio[0].codec_context.codec.canonical_name == expected
        assert [x > 0.1 for x in loudness(tmp_path / out, 0.5)[:8]] == [True, True, False, False] * 2

    def test_a_cut_takes_its_own_part(self, tmp_path: Path) -> None:
        path = write_video(tmp_path / "in.mp4", 60, audio="aac")
        copy(path, tmp_path / "o.mp4", start_s=2.5, end_s=4.5)
        loud = loudness(tmp_path / "o.mp4", 0.25)
        assert [x > 0.1 for x in loud[:8]] == [True, True, False, False, False, False, True, True]
        with av.open(str(tmp_path / "o.mp4")) as container:
            sound = container.streams.audio[0]
            assert float(sound.duration * sound.time_base) == pytest.approx(2.0, abs=0.05)

    def test_a_source_without_sound_gives_none(self, tmp_path: Path) -> None:
        copy(write_video(tmp_path / "in.mp4", 5), tmp_path / "o.mp4")
        with av.open(str(tmp_path / "o.mp4")) as container:
            assert len(container.streams.audio) == 0


class TestTrouble:
    def test_the_input_is_never_overwritten(self, tmp_path: Path) -> None:
        path = write_video(tmp_path / "in.mp4", 5)
        before = path.read_bytes()
        link = tmp_path / "link.mp4"
        link.symlink_to(path)
        for out in (path, link):
            sink = VideoSink(out, SCENE, plain, audio_from=path, overwrite=True)
            with pytest.raises(OutputError, match="is the input itself"), sink:
                pass
        assert path.read_bytes() == before

    @pytest.mark.parametrize("name", ["out.xyz", "out", "out.avi"])
    def test_an_unknown_extension_names_the_known(self, name: str) -> None:
        with pytest.raises(OptionError, match=r"must end in \.mp4, "):
            VideoSink(name, SCENE, plain)

    def test_an_error_while_drawing_surfaces_as_it_was(self, tmp_path: Path) -> None:
        def fail(result: Result) -> Image:
            if result.frame.index == 3:
                raise ZeroDivisionError("while drawing")
            return result.frame.image

        threads = threading.active_count()
        sink = VideoSink(tmp_path / "o.mp4", SCENE, fail)
        with pytest.raises(ZeroDivisionError, match="while drawing"), sink:
            for index in range(100):
                sink.write(result(index))
        assert len(times(tmp_path / "o.mp4")) == 3
        assert threading.active_count() <= threads

    def test_an_error_in_the_last_frame_surfaces_too(self, tmp_path: Path) -> None:
        def fail(result: Result) -> Image:
            raise ZeroDivisionError("while drawing")

        with pytest.raises(ZeroDivisionError), VideoSink(tmp_path / "o.mp4", SCENE, fail) as sink:
            sink.write(result(0))
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.slow
    def test_a_full_disk_keeps_what_was_written(
        self, small_disk: Callable[[str], str], tmp_path: Path
    ) -> None:
        code = """
for name in ("o.mp4", "o.mkv"):
    try:
        with VideoSink(folder / name, scene(), noise()) as sink:
            for index in range(400):
                sink.write(result(index))
    except OutputError as error:
        print(error)
    print([path.name for path in folder.iterdir()])
    with open_source(folder / name) as source:
        print(len(list(source)))
    (folder / name).unlink()
"""
        lines = small_disk(code).splitlines()
        for name, (message, files, frames) in zip(("o.mp4", "o.mkv"), (lines[:3], lines[3:]), strict=True):
            assert f"{name}: the disk is full; it keeps about the first" in message
            assert files == f"['{name}']"
            assert int(frames) >= 15

    @pytest.mark.slow
    def test_a_killed_run_leaves_a_file_that_plays(self, child: Callable[[str], str], tmp_path: Path) -> None:
        child("""
with VideoSink(folder / "o.mp4", scene(), plain) as sink:
    for index in range(200):
        sink.write(result(index, size=(320, 240)))
    os.kill(os.getpid(), signal.SIGKILL)
""")
        (left,) = tmp_path.iterdir()
        assert left.name == "o.part.mp4"
        assert len(times(left)) > 100

    def test_a_leftover_of_a_killed_run_is_not_touched(self, tmp_path: Path) -> None:
        (tmp_path / "o.part.mp4").write_bytes(b"left")
        with VideoSink(tmp_path / "o.mp4", SCENE, plain) as sink:
            sink.write(result(0))
        assert (tmp_path / "o.part.mp4").read_bytes() == b"left"
        assert sorted(p.name for p in tmp_path.iterdir()) == ["o.mp4", "o.part.mp4"]

    @pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
    def test_the_file_has_the_users_own_mode(self, tmp_path: Path) -> None:
        (tmp_path / "touched").touch()
        with VideoSink(tmp_path / "o.mp4", SCENE, plain) as sink:
            sink.write(result(0))
        assert (tmp_path / "o.mp4").stat().st_mode == (tmp_path / "touched").stat().st_mode
