"""Which stream, which time, what end: recordings whose containers say odd things of them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import av
import pytest
from av import library_versions

from tracker.sources import open_source
from tracker.types import Frame, OptionError

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="the ffmpeg program makes the inputs")
CRASHES = pytest.mark.skipif(
    library_versions["libavformat"][0] < 62,
    reason="FFmpeg 7 crashes on program streams that jump",
)
PICTURE = "-f lavfi -i testsrc2=s=128x96:r=10:d=2"
H264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"


def ffmpeg(*arguments: str | Path) -> None:
    words = [word for a in arguments for word in ([str(a)] if isinstance(a, Path) else a.split())]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *words], check=True, timeout=60)


def read(path: Path | str, **options: float) -> tuple[list[Frame], list[str]]:
    with open_source(path, **options) as source:  # type: ignore[arg-type]
        return list(source), source.warnings


def even(frames: list[Frame], count: int, step: float = 0.1) -> None:
    assert [f.time for f in frames] == pytest.approx([i * step for i in range(count)], abs=0.0021)
    assert [f.index for f in frames] == list(range(count))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    ffmpeg(PICTURE, H264, tmp_path / "film.mkv")
    return tmp_path / "film.mkv"


@pytest.fixture
def cover(tmp_path: Path) -> Path:
    ffmpeg("-f lavfi -i testsrc=s=640x480:r=1 -frames:v 1", tmp_path / "cover.png")
    return tmp_path / "cover.png"


class TestWhichStream:
    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["out.mp4", pytest.param("out.mov", marks=pytest.mark.slow), "out.mkv"])
    @pytest.mark.parametrize("flag", ["-disposition:v:1 attached_pic", ""])
    @pytest.mark.parametrize("codec", ["mjpeg", "png"])
    def test_cover_art_is_no_film(
        self, tmp_path: Path, film: Path, cover: Path, name: str, flag: str, codec: str
    ) -> None:
        out = tmp_path / name
        ffmpeg("-i", film, "-i", cover, "-map 0 -map 1 -c:v:0 copy -c:v:1", codec, flag, out)
        with open_source(out) as source:
            assert source.size == (128, 96)
            even(list(source), 20)

    @pytest.mark.slow
    def test_cover_art_that_comes_first_is_none_either(self, tmp_path: Path, film: Path, cover: Path) -> None:
        out = tmp_path / "out.mp4"
        ffmpeg("-i", cover, "-i", film, "-map 0 -map 1 -c copy -disposition:v:0 attached_pic", out)
        even(read(out)[0], 20)

    @pytest.mark.slow
    def test_a_picture_attached_to_a_matroska_file(self, tmp_path: Path, film: Path, cover: Path) -> None:
        out = tmp_path / "out.mkv"
        ffmpeg("-i", film, "-c copy -attach", cover, "-metadata:s:t mimetype=image/png", out)
        even(read(out)[0], 20)

    @pytest.mark.slow
    def test_of_two_films_the_larger(self, tmp_path: Path) -> None:
        small = "-f lavfi -i testsrc2=s=64x48:r=10:d=2"
        ffmpeg(small, PICTURE, "-map 0 -map 1", H264, tmp_path / "two.mp4")
        with open_source(tmp_path / "two.mp4") as source:
            assert source.size == (128, 96)
            even(list(source), 20)


class TestWhichRate:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("codec", "name"), [("libx264", "a.h264"), ("libx265", "a.h265"), ("mpeg4", "a.m4v")]
    )
    def test_raw_streams_play_at_the_rate_of_their_header(
        self, tmp_path: Path, codec: str, name: str
    ) -> None:
        quiet = "-x265-params log-level=error" if codec == "libx265" else ""
        ffmpeg(PICTURE, "-c:v", codec, quiet, "-pix_fmt yuv420p", tmp_path / name)
        frames, warnings = read(tmp_path / name)
        even(frames, 20)
        assert warnings == []

    @pytest.mark.slow
    def test_a_guess_is_told_and_fps_spares_it(self, tmp_path: Path) -> None:
        ffmpeg(PICTURE, "-c:v mjpeg -f mjpeg", tmp_path / "a.mjpeg")
        frames, warnings = read(tmp_path / "a.mjpeg")
        even(frames, 20, 1 / 25)
        assert "assumed" in warnings[0] and "--fps" in warnings[0]
        frames, warnings = read(tmp_path / "a.mjpeg", fps=10)
        even(frames, 20)
        assert warnings == []

    @pytest.mark.slow
    def test_fps_overrules_a_film_and_leaves_its_sound_out(self, tmp_path: Path, film: Path) -> None:
        ffmpeg("-i", film, "-f lavfi -i sine=d=2 -c:v copy", tmp_path / "loud.mkv")
        frames, warnings = read(tmp_path / "loud.mkv", fps=5, start_s=2.0)
        assert [(f.index, f.time) for f in frames] == [(i, i / 5) for i in range(10, 20)]
        assert warnings == ["the sound was left out: with --fps it would not match the picture"]

    def test_what_is_live_has_its_own(self) -> None:
        with pytest.raises(OptionError, match="--fps 5: rtsp://host/cam is live"):
            open_source("rtsp://host/cam", fps=5)


def joined(folder: Path, kind: str, offsets: tuple[float, ...], fps: int = 10) -> Path:
    picture = f"-f lavfi -i testsrc2=s=128x96:r={fps}:d={20 / fps}"
    codec = H264 if kind == "ts" else "-c:v mpeg2video -f vob"
    data = b""
    for offset in offsets:
        ffmpeg(picture, codec, f"-output_ts_offset {offset}", folder / f"part.{kind}")
        data += (folder / f"part.{kind}").read_bytes()
    (folder / f"all.{kind}").write_bytes(data)
    return folder / f"all.{kind}"


class TestWhichTime:
    @pytest.mark.slow_after(1)
    @pytest.mark.parametrize(
        "codec", ["-c:v libx264 -bf 3 -pix_fmt yuv420p", "-c:v mpeg4 -bf 2", "-c:v mjpeg"]
    )
    def test_avi_knows_no_order_of_presentation(self, tmp_path: Path, codec: str) -> None:
        ffmpeg(PICTURE, codec, tmp_path / "a.avi")
        frames, warnings = read(tmp_path / "a.avi")
        even(frames, 20)
        assert warnings == []

    @pytest.mark.slow
    def test_an_avi_whose_clock_ticks_by_fields_is_no_shorter(self, tmp_path: Path) -> None:
        ffmpeg(PICTURE, H264, "-preset medium -bf 3", tmp_path / "film.mp4")
        sound = "-f lavfi -i sine=440:d=2 -map 0:v -map 1:a -c:v copy -c:a libmp3lame"
        ffmpeg("-i", tmp_path / "film.mp4", sound, tmp_path / "fields.avi")
        with av.open(str(tmp_path / "fields.avi")) as container:
            assert container.streams.video[0].average_rate == 20
        with open_source(tmp_path / "fields.avi") as source:
            even(list(source), 20)
            assert (source.fps, source.length, source.warnings) == (10, 20, [])

    @pytest.mark.slow
    @pytest.mark.parametrize("codec", ["-c:v libx264 -bf 2 -pix_fmt yuv420p", "-c:v mpeg4", "-c:v mjpeg"])
    def test_pictures_that_an_avi_left_out_took_their_time(self, tmp_path: Path, codec: str) -> None:
        kept = "-vf select='lt(n,6)+gt(n,13)' -fps_mode passthrough"
        ffmpeg(PICTURE, kept, codec, tmp_path / "gap.avi")
        frames, warnings = read(tmp_path / "gap.avi")
        expected = [i / 10 for i in (*range(6), *range(14, 20))]
        assert [f.time for f in frames] == pytest.approx(expected, abs=0.0021)
        assert warnings == []

    @pytest.mark.slow
    @pytest.mark.parametrize(("kind", "fps"), [("ts", 10), pytest.param("mpg", 25, marks=CRASHES)])
    @pytest.mark.parametrize(
        "offsets",
        [
            (0, 50_000),
            *(pytest.param(o, marks=pytest.mark.slow) for o in [(50_000, 0), (0, 30, 0), (7, 0), (0, 0)]),
        ],
    )
    def test_a_clock_that_jumps_is_closed_with_a_note(
        self, tmp_path: Path, kind: str, fps: int, offsets: tuple[int, ...]
    ) -> None:
        path, count = joined(tmp_path, kind, offsets, fps), 20 * len(offsets)
        frames, warnings = read(path)
        even(frames, count, 1 / fps)
        (note,) = warnings
        assert "clock jumped" in note
        begin = (count - 8) / fps
        frames, _ = read(path, start_s=begin)
        assert [f.index for f in frames] == list(range(count - 8, count))
        assert frames[0].time == pytest.approx(begin, abs=0.002)

    @pytest.mark.slow
    @pytest.mark.parametrize("kind", ["mkv", "mp4", "flv"])
    def test_a_jump_of_hours_is_closed_in_any_container(self, tmp_path: Path, kind: str) -> None:
        path = joined(tmp_path, "ts", (0, 20_000))
        ffmpeg("-copyts -i", path, "-c copy", path.with_suffix(f".{kind}"))
        frames, warnings = read(path.with_suffix(f".{kind}"))
        even(frames, 40)
        assert "clock jumped" in warnings[0]

    @pytest.mark.slow
    def test_the_wrap_of_a_clock_of_33_bits_is_no_jump(self, tmp_path: Path) -> None:
        frames, warnings = read(joined(tmp_path, "ts", (95_441,)))
        even(frames, 20)
        assert warnings == []

    @pytest.mark.slow
    def test_a_pause_of_a_film_with_a_clock_of_its_own_is_kept(self, tmp_path: Path) -> None:
        pause = "-vf setpts=PTS+if(gte(N\\,15)\\,20/TB\\,0) -fps_mode passthrough"
        ffmpeg(PICTURE, pause, H264, tmp_path / "pause.mkv")
        frames, warnings = read(tmp_path / "pause.mkv")
        assert (len(frames), warnings) == (20, [])
        assert frames[-1].time == pytest.approx(21.9, abs=0.002)

    @pytest.mark.slow
    @pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
    @pytest.mark.parametrize(
        "how",
        ["-movflags frag_keyframe+empty_moov", "-bf 3 -g 10", "-timecode 01:00:00:00", "-flags +ildct+ilme"],
    )
    def test_containers_of_every_make(self, tmp_path: Path, name: str, how: str) -> None:
        ffmpeg(PICTURE, "-c:v libx264 -pix_fmt yuv420p", how, tmp_path / name)
        frames, warnings = read(tmp_path / name)
        even(frames, 20)
        assert warnings == []
