"""Sound never costs a picture: whatever it is like, the video is complete, and it is kept where it can be."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import av
import pytest

from bytetrack import Detections, Tracks
from tests.tracker.videos import plain
from tracker.sinks import VideoSink
from tracker.sources import open_source
from tracker.types import Result, Scene

pytestmark = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="the ffmpeg program makes the inputs")
FRAMES, FPS = 50, 25
PICTURE = f"-f lavfi -i testsrc2=s=64x48:r={FPS}:d={FRAMES / FPS}"
H264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"


def ffmpeg(*arguments: str | Path) -> None:
    words = [word for a in arguments for word in ([str(a)] if isinstance(a, Path) else a.split())]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *words], check=True, timeout=60)


def tone(rate: int = 48_000, seconds: float = 2.0) -> str:
    return f"-f lavfi -i sine=440:d={seconds}:r={rate}"


def through(path: Path, out: Path, **options: float) -> list[str]:
    """Send a film through source and sink as a run does; return the notes."""
    with open_source(path, **options) as source:  # type: ignore[arg-type]
        scene = Scene(source.name, source.size, source.fps, source.live, {})
        sink = VideoSink(out, scene, plain, sound=source.sound)
        with sink:
            for frame in source:
                sink.write(Result(frame, Detections.empty(), Tracks.empty()))
    return [*source.warnings, *sink.warnings]


def pictures(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(f.pts * f.time_base) for f in container.decode(video=0)]


def heard(path: Path) -> float:
    """Return how many seconds of sound a file plays; nothing in it may be damaged."""
    check = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "null", "-"]
    assert subprocess.run(check, capture_output=True, text=True, timeout=60).stderr == ""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return 0.0
        return sum(f.samples / f.sample_rate for f in container.decode(audio=0))


def whole(path: Path, frames: int = FRAMES) -> None:
    assert pictures(path) == pytest.approx([i / FPS for i in range(frames)], abs=0.002)


KINDS = [
    ("ts", f"{H264} -c:a aac", ".mp4", 48_000),
    ("ts", f"{H264} -c:a aac", ".mov", 44_100),
    ("ts", f"{H264} -c:a aac", ".mkv", 22_050),
    ("ts", f"{H264} -c:a aac -mpegts_flags latm", ".mp4", 48_000),
    ("ts", f"{H264} -c:a mp2", ".mp4", 48_000),
    ("ts", f"{H264} -c:a ac3", ".mp4", 48_000),
    ("mov", f"{H264} -c:a pcm_s16le", ".mp4", 96_000),
    ("mov", f"{H264} -c:a alac", ".webm", 44_100),
    ("mkv", f"{H264} -c:a flac", ".mp4", 96_000),
    ("mkv", f"{H264} -c:a pcm_s24le", ".mp4", 11_025),
    ("avi", "-c:v mpeg4 -c:a pcm_u8", ".mp4", 8_000),
    ("avi", "-c:v mpeg4 -c:a libmp3lame", ".webm", 44_100),
    ("flv", "-c:v flv -c:a libmp3lame", ".mov", 44_100),
    ("flv", "-c:v flv -c:a pcm_s16le", ".mp4", 11_025),
    ("avi", "-c:v mpeg4 -c:a eac3", ".mp4", 48_000),  # its times in AVI are 192 times too long
    ("wmv", "-c:v wmv2 -c:a wmav2", ".mov", 44_100),
    ("mpg", "-c:v mpeg2video -c:a mp2 -f vob", ".webm", 48_000),
    ("mkv", f"{H264} -c:a pcm_s16le", ".mp4", 192_000),  # no AAC goes so high
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "codecs", "out", "rate"),
    [*KINDS[:2], *(pytest.param(*kind, marks=pytest.mark.slow) for kind in KINDS[2:])],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_kind_of_sound_is_kept(
    tmp_path: Path, kind: str, codecs: str, out: str, rate: int, channels: int
) -> None:
    path, target = tmp_path / f"in.{kind}", tmp_path / f"out{out}"
    ffmpeg(PICTURE, tone(rate), codecs, f"-ac {channels}", path)
    assert through(path, target) == []
    if kind == "avi":  # which may show its first picture longer
        assert pictures(target) == pytest.approx(pictures(path), abs=0.002)
    else:
        whole(target)
    assert heard(target) == pytest.approx(2.0, abs=0.15)


@pytest.mark.slow
def test_recordings_whose_clock_jumps_by_little_keep_their_sound(tmp_path: Path) -> None:
    data = b""
    for offset in (0.0, 1.9):  # the second begins 0.1 s before the first has ended
        ffmpeg(PICTURE, tone(), H264, f"-c:a aac -output_ts_offset {offset}", tmp_path / "part.ts")
        data += (tmp_path / "part.ts").read_bytes()
    (tmp_path / "joined.ts").write_bytes(data)
    through(tmp_path / "joined.ts", tmp_path / "out.mp4")
    whole(tmp_path / "out.mp4", 2 * FRAMES)
    assert heard(tmp_path / "out.mp4") == pytest.approx(4.0, abs=0.3)


@pytest.mark.slow
def test_six_channels_and_none(tmp_path: Path) -> None:
    ffmpeg(PICTURE, tone(), H264, "-c:a flac -ac 6", tmp_path / "six.mkv")
    assert through(tmp_path / "six.mkv", tmp_path / "six.webm") == []
    assert heard(tmp_path / "six.webm") == pytest.approx(2.0, abs=0.1)
    ffmpeg(PICTURE, H264, tmp_path / "none.mkv")
    assert through(tmp_path / "none.mkv", tmp_path / "none.mp4") == []
    assert heard(tmp_path / "none.mp4") == 0.0


def joined(folder: Path, kinds: Sequence[str]) -> Path:
    data = b""
    for index, kind in enumerate(kinds):
        ffmpeg(PICTURE, tone(), H264, kind, folder / f"{index}.ts")
        data += (folder / f"{index}.ts").read_bytes()
    path = folder / "joined.ts"
    path.write_bytes(data)
    return path


OUTS = [
    "out.mp4",
    pytest.param("out.mkv", marks=pytest.mark.slow),
    pytest.param("out.webm", marks=pytest.mark.slow),
]


@pytest.mark.slow
@pytest.mark.parametrize("out", OUTS)
@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(["-c:a mp2", "-c:a mp2"], marks=pytest.mark.slow),
        pytest.param(["-c:a aac", "-c:a aac"], marks=pytest.mark.slow),
        ["-c:a mp2 -ac 2", "-c:a mp2 -ac 1"],
        ["-c:a aac -ac 1", "-c:a aac -ac 2 -ar 44100", "-c:a aac -ac 1"],
    ],
)
def test_recordings_that_were_joined_keep_pictures_and_sound(
    tmp_path: Path, kinds: list[str], out: str
) -> None:
    path = joined(tmp_path, kinds)
    notes = through(path, tmp_path / out)
    assert any("clock jumped" in note for note in notes)
    whole(tmp_path / out, FRAMES * len(kinds))
    assert heard(tmp_path / out) == pytest.approx(2.0 * len(kinds), abs=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("out", OUTS)
@pytest.mark.parametrize(
    "kind", ["ts", pytest.param("mp4", marks=pytest.mark.slow), pytest.param("mkv", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(("delay", "seconds"), [(1.4, 2.0), (-0.5, 2.0), (0, 0.7), (0, 4.0), (0.3, 2.0)])
def test_sound_that_begins_or_ends_elsewhere(
    tmp_path: Path, kind: str, out: str, delay: float, seconds: float
) -> None:
    if kind == "mp4" and delay < 0 and out != "out.mp4" and int(av.__version__.split(".")[0]) >= 19:
        pytest.xfail("PyAV 19 takes what an edit list cuts off for padding, and so do Matroska and WebM")
    path = tmp_path / f"in.{kind}"
    ffmpeg(PICTURE, f"-itsoffset {delay}", tone(seconds=seconds), H264, "-c:a aac", path)
    assert through(path, tmp_path / out) == []
    whole(tmp_path / out)
    end = min(delay + seconds, 2.0)
    with av.open(str(tmp_path / out)) as container:
        loud = [
            float(f.pts * f.time_base)
            for f in container.decode(audio=0)
            if abs(f.to_ndarray().astype(float)).max() > 0.01
        ]
    assert loud[0] == pytest.approx(max(delay, 0), abs=0.08)
    assert loud[-1] == pytest.approx(end, abs=0.12)


@pytest.mark.slow
@pytest.mark.parametrize("out", OUTS)
def test_sound_that_is_noise_in_the_middle(tmp_path: Path, out: str) -> None:
    path = tmp_path / "in.mkv"
    ffmpeg(PICTURE, tone(), H264, "-c:a ac3", path)
    with av.open(str(path)) as container:
        packets = [bytes(p) for p in container.demux(audio=0) if p.size]
    data = path.read_bytes()
    for packet in packets[20:30]:
        at = data.index(packet)
        data = data[:at] + bytes(len(packet)) + data[at + len(packet) :]
    path.write_bytes(data)
    through(path, tmp_path / out)
    whole(tmp_path / out)


@pytest.mark.slow
@pytest.mark.parametrize("out", OUTS)
def test_sound_of_an_unknown_codec_is_left_out_with_a_note(tmp_path: Path, out: str) -> None:
    path = tmp_path / "in.mkv"
    ffmpeg(PICTURE, tone(), H264, "-c:a ac3", path)
    path.write_bytes(path.read_bytes().replace(b"A_AC3", b"A_XC3"))
    (note,) = through(path, tmp_path / out)
    assert note.startswith("the sound was left out: ")
    whole(tmp_path / out)
    assert heard(tmp_path / out) == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("out", OUTS)
def test_the_first_sound_that_can_be_decoded_is_taken(tmp_path: Path, out: str) -> None:
    path = tmp_path / "in.mkv"
    ffmpeg(PICTURE, tone(), tone(44_100), "-map 0 -map 1 -map 2", H264, "-c:a:0 ac3 -c:a:1 aac", path)
    path.write_bytes(path.read_bytes().replace(b"A_AC3", b"A_XC3"))
    (note,) = through(path, tmp_path / out)
    assert "stream 2 of 2" in note
    whole(tmp_path / out)
    assert heard(tmp_path / out) == pytest.approx(2.0, abs=0.1)


def backwards(path: Path) -> None:
    """Give the sound of a Matroska file its timestamps the last first."""
    with av.open(str(path)) as container:
        packets = [bytes(p) for p in container.demux(audio=0) if p.size]
    data = bytearray(path.read_bytes())
    places = [data.index(packet) - 3 for packet in packets]  # two bytes of time and one of flags before it
    times = [data[at : at + 2] for at in places]
    for at, time in zip(places, reversed(times), strict=True):
        data[at : at + 2] = time
    path.write_bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize("out", OUTS)
def test_sound_whose_clock_runs_backwards(tmp_path: Path, out: str) -> None:
    path = tmp_path / "in.mkv"
    ffmpeg(PICTURE, tone(), H264, "-c:a aac", path)
    backwards(path)
    through(path, tmp_path / out)
    whole(tmp_path / out)
    assert heard(tmp_path / out) > 1.5


@pytest.mark.slow
def test_segments_share_the_sound(tmp_path: Path) -> None:
    ffmpeg(PICTURE, tone(), H264, "-c:a mp2", tmp_path / "in.ts")
    with open_source(tmp_path / "in.ts") as source:
        scene = Scene(source.name, source.size, source.fps, False, {})
        with VideoSink(tmp_path / "out.mp4", scene, plain, sound=source.sound, segment=0.5) as sink:
            for frame in source:
                sink.write(Result(frame, Detections.empty(), Tracks.empty()))
    assert sink.warnings == []
    files = list(tmp_path.glob("out_*"))
    assert sorted(len(pictures(path)) for path in files) == [12, 12, 13, 13]
    assert [heard(path) for path in files] == pytest.approx([0.5] * 4, abs=0.07)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ts", "mp4", pytest.param("mkv", marks=pytest.mark.slow)])
def test_a_cut_takes_its_own_sound(tmp_path: Path, kind: str) -> None:
    sound = "-f lavfi -i aevalsrc=exprs='0.5*sin(2764*t)*lt(mod(t,2),1)':d=6"
    picture = f"-f lavfi -i testsrc2=s=64x48:r={FPS}:d=6"
    ffmpeg(picture, sound, H264, "-g 25 -c:a aac", tmp_path / f"in.{kind}")
    through(tmp_path / f"in.{kind}", tmp_path / "out.mp4", start_s=2.5, end_s=4.5)
    whole(tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        loud = [
            float(f.pts * f.time_base) for f in container.decode(audio=0) if abs(f.to_ndarray()).max() > 0.05
        ]
    assert loud[0] < 0.1
    assert not [t for t in loud if 0.6 < t < 1.4]
    assert loud[-1] == pytest.approx(2.0, abs=0.1)
