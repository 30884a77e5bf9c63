"""Drawing by pieces and joining, in this process, on sketches of made tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bytetrack import Detections, Tracks
from tests.tracker.videos import write_video
from tracker.archive import manifest, pieces
from tracker.archive.arrivals import Part, Stored
from tracker.archive.films import Films
from tracker.archive.pieces import Probed
from tracker.archive.pool import Pool
from tracker.archive.progress import Progress
from tracker.archive.recordings import Camera, Recording
from tracker.archive.sketches import Sketcher
from tracker.archive.store import Folder
from tracker.archive.tasks import Outcome, Task, perform
from tracker.drawing.annotate import DrawOptions
from tracker.options import Options
from tracker.run.painter import Painter
from tracker.sinks import VideoSink
from tracker.sources.video_file import VideoFile
from tracker.types import Canvas, Frame, Result, Scene

NAMES = {0: "person"}
OPTIONS = Options(crf=12)
TABLES = {"line": []}


class Here(Pool):
    """Does tasks at once, and dies after so many."""

    def __init__(self, most: int = 1000) -> None:
        self.done: list[str] = []
        self._most = most
        self._outcomes: list[tuple[Task, Outcome]] = []

    def submit(self, task: Task) -> None:
        if len(self.done) == self._most:
            raise KeyboardInterrupt
        self.done.append(task.title)
        self._outcomes.append((task, perform(task)))

    def wait(self, timeout_s: float) -> list[tuple[Task, Outcome]]:
        outcomes, self._outcomes = self._outcomes, []
        return outcomes


def drawn(frame: Frame) -> Result:
    """Return a frame with a box that moves, its trail and a count."""
    at = 10.0 * frame.time
    canvas = Canvas(by="Test")
    canvas.table("door", [("in", f"{frame.index // 7}")])
    canvas.polyline([(n, 20) for n in range(3, 4 + int(at))] + [(at, 30)], 1)
    track = Tracks(
        np.array([1]), np.array([[at, 5, at + 20, 35]]), np.array([0.8]), np.array([0]), np.array([0])
    )
    return Result(frame, Detections.empty(), track, (), tuple(canvas.marks))


class World:
    """A file, its sketches by pieces of a second, and what a run draws of it."""

    def __init__(self, folder: Path, times_ms: Sequence[int] | None = None, *, whole: bool = False) -> None:
        self.video = write_video(folder / "clip.mp4", 36, size=(96, 64), times_ms=times_ms, audio="aac")
        self.store = Folder(str(folder / "out"))
        recording = Recording(str(self.video), "clip.mp4")
        self.camera = Camera("clip", (recording,))
        self.part = Part(recording, Probed("k"), pieces.folder_of("clip", "clip.mp4", "k"), 0 if whole else 4)
        self.expected = folder / "expected.mp4"
        with VideoFile(self.video) as source:
            self.scene = Scene("clip", source.size, source.fps, False, NAMES)
            painter = Painter(NAMES, DrawOptions())
            sink = VideoSink(self.expected, self.scene, painter.pixels, crf=12, sound=source.sound)
            self.results = []
            with sink:
                for frame in source:
                    self.results.append(drawn(frame))
                    sink.write(self.results[-1])

    def films(self, pool: Pool, options: Options = OPTIONS) -> Films:
        return Films(self.store, [self.camera], options, TABLES, pool, 1.0, Progress(enabled=False))

    def follow(self, made_with: str, late_s: float = 0.0) -> None:
        """Store the sketches as following does."""
        sketcher = Sketcher(self.store, "clip", made_with, self.scene, DrawOptions())
        for result in self.results:
            time = result.frame.time
            piece = min(int(time), 3) if self.part.pieces else None
            stored = Stored(result.frame.index, time, None, False, self.part, piece, time + late_s)
            sketcher.add(result, stored)
        sketcher.finish()

    def draw(
        self, most: int = 1000, late_s: float = 0.0, options: Options = OPTIONS
    ) -> tuple[Films, list[str]]:
        """Do what a run does: follow where that is needed, then draw."""
        pool = Here(most)
        work = self.films(pool, options)
        work.prepare()
        if not manifest.load(self.store, self.camera, TABLES):
            self.follow(work.made_with, late_s)
            row = manifest.Row("clip", str(self.video), manifest.COMPLETE, frames=36, known="k")
            manifest.save(self.store, self.camera, TABLES, [row])
            pool.done.append("followed")
        work.run()
        return work, pool.done

    @property
    def made(self) -> Path:
        return Path(self.store.root, "videos/camera=clip/clip.mp4")


def pictures(path: Path) -> list[tuple[Fraction, np.ndarray]]:
    """Return times and pictures of a video."""
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.options = {"err_detect": "explode"}
        return [
            (frame.pts * frame.time_base, frame.to_ndarray(format="gray"))
            for frame in container.decode(video=0)
        ]


def packets(path: Path, kind: str) -> list[tuple[int, int, bytes]]:
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [(p.dts, p.pts, bytes(p)) for p in container.demux(stream) if p.size]


def alike(one: Path, other: Path, least_db: float = 40) -> None:
    """Check that two videos show the same at the same times, but for the encoder's own freedom."""
    mine, theirs = pictures(one), pictures(other)
    assert [time for time, _ in mine] == [time for time, _ in theirs]
    for (_, a), (_, b) in zip(mine, theirs, strict=True):
        error = float(np.square(a.astype(float) - b).mean())
        assert 10 * np.log10(255**2 / max(error, 1e-9)) > least_db


UNEVEN = [int(1000 * time) for time in np.cumsum(np.tile([0.03, 0.1, 0.17, 0.05], 9))]


@pytest.mark.slow
@pytest.mark.parametrize("times_ms", [None, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("whole", [False, True])
def test_a_joined_video_is_that_of_one_run(whole: bool, times_ms: list[int] | None, tmp_path: Path) -> None:
    world = World(tmp_path, times_ms, whole=whole)
    work, done = world.draw()
    assert (work.failed, work.joined, work.frames, work.notes) == (0, 1, 36, [])
    assert len(done) == 1 + (1 if whole else 4) + 1
    alike(world.made, world.expected)
    first = world.results[0].frame.time
    times = [float(time) for time, _ in pictures(world.made)]
    assert times == pytest.approx([result.frame.time - first for result in world.results], abs=1e-5)
    decoded = [dts for dts, *_ in packets(world.made, "video")]
    assert decoded == sorted(set(decoded)) and len(decoded) == 36
    assert packets(world.made, "audio") == packets(world.expected, "audio")
    left = [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not (tmp_path / "out/drawn").exists()
    assert sorted(left) == ["clip.json", "clip.mp4", "index.json", "made.json"]


@pytest.mark.slow
def test_a_rerun_draws_only_what_is_missing(tmp_path: Path) -> None:
    world = World(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        world.draw(3)
    _, done = world.draw()
    assert done == ["clip.mp4, drawing 2", "clip.mp4, drawing 3", "clip.mp4, joining"]
    assert world.draw()[1] == []
    world.follow(world.films(Here()).made_with)  # again, as where another file of the camera had failed
    assert world.draw()[1] == [] and not [*(tmp_path / "out/sketches").rglob("*.parquet")]
    world.made.unlink()
    assert len(world.draw()[1]) == 1 + 5
    before = world.made.read_bytes()
    assert len(world.draw(options=replace(OPTIONS, crf=5))[1]) == 1 + 5
    assert world.made.stat().st_size > len(before)


@pytest.mark.slow
def test_what_was_cut_elsewhere_is_drawn_whole(tmp_path: Path) -> None:
    world = World(tmp_path)
    pool = Here()
    work = replace(world.films(pool), piece_s=0.7)
    world.follow(work.made_with)
    work.run()
    assert (work.failed, work.joined) == (0, 1) and "clip.mp4: drawn whole, since" in work.notes[0]
    alike(world.made, world.expected)


@pytest.mark.slow
def test_another_file_than_was_followed_is_not_drawn(tmp_path: Path) -> None:
    world = World(tmp_path)
    work, _ = world.draw(late_s=0.01)
    assert (work.failed, work.joined) == (1, 0) and not world.made.exists()
    assert work.notes[-1].startswith("videos/camera=clip/clip.mp4: is not drawn: its frame at 0 s is not one")
    ((file, why),) = work.missing().items()
    assert file == str(world.video) and why in work.notes[-1]
