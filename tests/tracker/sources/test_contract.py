"""What every source of files promises, whatever kind it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.tracker.videos import number, picture, write_video
from tracker.sources import open_source
from tracker.types import OptionError, Stopwatch

FRAMES, FPS = 20, 10


def images(folder: Path) -> Path:
    folder.mkdir()
    for index in range(FRAMES):
        cv2.imwrite(str(folder / f"{index + 1}.png"), picture(index))
    (folder / "seqinfo.ini").write_text(f"[Sequence]\nframeRate={FPS}\n", encoding="utf-8")
    (folder / "notes.txt").write_text("no image")
    return folder


KINDS: dict[str, Callable[[Path], Path | str]] = {
    "mp4": lambda d: write_video(d / "clip.mp4", FRAMES, fps=FPS),
    "mkv": lambda d: write_video(d / "clip.mkv", FRAMES, fps=FPS),
    "mov with sound": lambda d: write_video(d / "clip.mov", FRAMES, fps=FPS, audio="aac"),
    "avi without timestamps": lambda d: write_video(d / "clip.avi", FRAMES, fps=FPS, codec="mpeg4"),
    "mpeg-ts": lambda d: write_video(d / "clip.ts", FRAMES, fps=FPS),
    "webm": lambda d: write_video(d / "clip.webm", FRAMES, fps=FPS, codec="libvpx"),
    "raw h264": lambda d: write_video(d / "clip.h264", FRAMES, fps=FPS),
    "name with spaces": lambda d: write_video(d / "päth [1] with %03d.mp4", FRAMES, fps=FPS),
    "folder of images": lambda d: images(d / "img1"),
    "glob of images": lambda d: str(images(d / "img1") / "*.png"),
}


@pytest.fixture(scope="module", params=KINDS.items(), ids=lambda kind: kind[0])
def uri(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path | str:
    made: Path | str = request.param[1](tmp_path_factory.mktemp("source"))
    return made


class TestEverySource:
    def test_yields_every_frame_once_in_order_with_its_time(self, uri: Path | str) -> None:
        with open_source(uri) as source:
            assert (source.size, source.live) == ((64, 48), False)
            frames = list(source)
        assert [f.index for f in frames] == list(range(FRAMES))
        assert [number(f.image) for f in frames] == list(range(FRAMES))
        assert source.warnings == []
        assert source.fps == FPS
        assert [f.time for f in frames] == pytest.approx([i / FPS for i in range(FRAMES)], abs=0.0011)

    def test_pictures_are_bgr_bytes_that_nobody_can_change(self, uri: Path | str) -> None:
        with open_source(uri) as source:
            image = next(iter(source)).image
        assert (image.shape, image.dtype) == ((48, 64, 3), np.uint8)
        assert np.allclose(image[2:8, 2:10].mean((0, 1)), (0, 0, 255), atol=12)
        with pytest.raises(ValueError, match="read-only"):
            image[0, 0] = 0

    def test_start_end_and_stride_choose_by_media_time(self, uri: Path | str) -> None:
        with open_source(uri) as source:
            everything = [(f.index, f.time) for f in source]
        chosen = [(i, t) for i, t in everything if 0.5 - 1e-3 <= t < 1.6 - 1e-3][::3]
        with open_source(uri, start_s=0.5, end_s=1.6, stride=3) as source:
            frames = list(source)
        assert [(f.index, f.time) for f in frames] == chosen
        assert [number(f.image) for f in frames] == [i for i, _ in chosen]
        assert source.length in (None, len(chosen))

    def test_answers_with_nothing_what_is_asked_of_live_sources(self, uri: Path | str) -> None:
        with open_source(uri) as source:
            source.when_idle(lambda _: pytest.fail("a file never waits"))
            assert len(list(source)) == FRAMES
        assert (source.dropped, source.delay_s, source.drain_events(), source.queued) == (0, 0.0, [], 0)

    def test_max_frames_ends(self, uri: Path | str) -> None:
        with open_source(uri, max_frames=3) as source:
            assert len(list(source)) == 3
            assert source.length in (None, 3)

    def test_stop_ends_soon(self, uri: Path | str) -> None:
        stop = threading.Event()
        with open_source(uri, stop=stop) as source:
            frames = iter(source)
            next(frames)
            stop.set()
            assert list(frames) == []

    @pytest.mark.parametrize("how", ["exhausted", "broken off", "raised", "never begun"])
    def test_leaves_no_thread(self, uri: Path | str, how: str) -> None:
        before = threading.active_count()
        try:
            with open_source(uri) as source:
                for _ in source if how != "never begun" else ():
                    if how == "broken off":
                        break
                    if how == "raised":
                        raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
        assert threading.active_count() <= before

    @pytest.mark.slow
    def test_reads_only_a_bounded_number_ahead(self, uri: Path | str) -> None:
        with open_source(uri) as source:
            frames = iter(source)
            next(frames)
            time.sleep(0.2)
            assert source._queue.qsize() <= 4  # type: ignore[attr-defined]

    def test_times_itself(self, uri: Path | str) -> None:
        watch = Stopwatch()
        with open_source(uri, stopwatch=watch) as source:
            list(source)
        assert watch.seconds["decode"] > 0

    def test_is_iterated_once(self, uri: Path | str) -> None:
        with open_source(uri) as source:
            list(source)
            with pytest.raises(RuntimeError, match="once"):
                list(source)

    def test_an_error_while_reading_reaches_the_consumer_as_it_was(
        self, uri: Path | str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with open_source(uri) as source:

            def fail(*_: object) -> None:
                raise ZeroDivisionError("in the reading thread")

            monkeypatch.setattr(source, "_next", fail)
            with pytest.raises(ZeroDivisionError, match="in the reading thread"):
                list(source)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"start_s": -1}, "--start"),
        ({"start_s": float("nan")}, "--start"),
        ({"start_s": 3, "end_s": 3}, "--end"),
        ({"stride": 0}, "--vid-stride"),
        ({"max_frames": 0}, "--max-frames"),
    ],
)
def test_absurd_options_are_refused(options: dict[str, float], word: str) -> None:
    with pytest.raises(OptionError, match=word):
        open_source("any.mp4", **options)  # type: ignore[arg-type]
