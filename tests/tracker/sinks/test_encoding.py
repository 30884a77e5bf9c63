from __future__ import annotations

import logging
from pathlib import Path

import av
import numpy as np
import pytest

from bytetrack import Detections, Tracks
from tests.tracker.videos import plain
from tracker.sinks import VideoSink, encoding, pace
from tracker.sinks.encoding import EFFORTS, ENCODINGS, first_step, next_step
from tracker.sinks.pace import WINDOW_S, Pace
from tracker.sinks.video_writer import VideoWriter
from tracker.sources import open_source
from tracker.types import Frame, Image, OptionError, Result, Scene

LIVE = Scene("camera", (64, 48), 10.0, True, {})


def moving(index: int, size: tuple[int, int] = (128, 96)) -> Image:
    """Noise, as cameras have, over a pattern that moves."""
    y, x = np.mgrid[: size[1], : size[0]]
    waves = 120 + 60 * np.sin((x + 3 * index) / 9) + 40 * np.cos((y + index) / 7)
    noise = np.random.default_rng(index).normal(0, 4, waves.shape)
    return np.repeat(np.clip(waves + noise, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def result(image: Image, index: int, time: float) -> Result:
    return Result(Frame(image, index, time), Detections.empty(), Tracks.empty())


@pytest.mark.parametrize("effort", EFFORTS)
def test_each_step_has_one_below_but_the_last(effort: str) -> None:
    names = [first_step(effort, (64, 48))]
    while (lower := next_step(names[-1])) is not None:
        names.append(lower)
    assert names[-1] == "least"
    assert len(set(names)) == len(names)


def test_balanced_saves_where_pictures_are_large_and_cores_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "cores", lambda: 2)
    assert [first_step("balanced", size) for size in ((768, 576), (1280, 720), (720, 1280))] == [
        *("full", "light", "light")
    ]
    monkeypatch.setattr(encoding, "cores", lambda: 16)
    assert first_step("balanced", (3840, 2160)) == "full"
    assert first_step("fast", (64, 48)) == "light"


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param("o.mp4"), pytest.param("o.webm", marks=pytest.mark.slow)])
def test_small_is_smaller_than_balanced_and_fast_is_readable(tmp_path: Path, name: str) -> None:
    sizes = {}
    for effort in EFFORTS:
        path = tmp_path / effort / name
        path.parent.mkdir()
        with VideoSink(path, LIVE, plain, encode=effort) as sink:
            for index in range(10):
                sink.write(result(moving(index), index, index / 10))
        sizes[effort] = path.stat().st_size
        with open_source(path) as source:
            error = [np.abs(f.image.astype(int) - moving(i)).mean() for i, f in enumerate(source)]
        assert len(error) == 10 and max(error) < 12
    assert sizes["small"] < sizes["balanced"]


def test_an_unknown_effort_names_the_known() -> None:
    with pytest.raises(OptionError, match="--encode 'slow' is unknown; choose from fast, balanced, small"):
        VideoSink("o.mp4", LIVE, plain, encode="slow")


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("name", ["o.mp4", "o.mkv"])
def test_a_live_file_steps_down_within_one_stream(tmp_path: Path, name: str) -> None:
    """Every step writes the same head, so that any player shows what comes after."""
    path = tmp_path / name
    writer = VideoWriter(
        path, ENCODINGS[path.suffix], 10.0, (128, 96), 23, None, 0.0, [], step="small", live=True
    )
    heads, went = [], []
    for index in range(20):
        if index % 5 == 4:
            went.append(writer.step_down() and writer.step)
        writer.add(moving(index), index / 10)
        heads.append(writer.extradata)
    writer.close()
    assert went == ["full", "light", "least", False]
    assert len(set(heads)) == 1
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert [round(10 * float(f.pts * f.time_base)) for f in frames] == list(range(20))
    assert [index for index, frame in enumerate(frames) if frame.key_frame] == [0, 4, 9, 14]
    images = [frame.to_ndarray(format="bgr24") for frame in frames]
    assert max(np.abs(image.astype(int) - moving(i)).mean() for i, image in enumerate(images)) < 15


class TestPace:
    def losing(self, came: list[int], busy: float, fps: float = 10.0) -> list[float]:
        pace = Pace()
        return [i / fps for i in came if pace.is_lost(i, i / fps, busy * (2 / fps))]

    def test_drops_while_encoding_is_busy_are_told_once_in_a_window(self) -> None:
        told = self.losing(list(range(0, 400, 2)), 0.5)
        assert not told, "every second frame all the time is --vid-stride"
        told = self.losing([i for i in range(400) if i % 3], 0.5)
        assert told == pytest.approx([WINDOW_S + 0.1, 2 * WINDOW_S + 0.3, 3 * WINDOW_S + 0.4], abs=0.3)

    def test_no_drops_or_an_idle_encoder_are_no_reason(self) -> None:
        assert not self.losing(list(range(400)), 0.5)
        assert not self.losing([i for i in range(400) if i % 3], 0.01)

    def test_a_source_that_was_away_has_dropped_nothing(self) -> None:
        pace = Pace()
        times = [i / 10 if i < 50 else 60 + i / 10 for i in range(400)]
        assert not any(pace.is_lost(i, time, 0.05) for i, time in enumerate(times))


def test_a_run_that_drops_frames_says_that_it_encodes_with_less_effort(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "WINDOW_S", 0.02)
    with caplog.at_level(logging.WARNING, "track"), VideoSink(tmp_path / "o.mp4", LIVE, plain) as sink:
        for index in range(60):
            sink.write(result(moving(index), 3 * index + index % 2, 1.7e9 + index * 1e-3))
    told = "o.mp4: encoded with less effort, because frames were dropped (--encode)"
    assert sink.warnings == caplog.messages == [told]
    with open_source(tmp_path / "o.mp4") as source:
        assert len(list(source)) == 60


def test_a_crop_does_not_take_its_own_gaps_for_dropped_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "WINDOW_S", 0.02)
    with VideoSink(tmp_path / "o.mp4", LIVE, plain, every_frame=False) as sink:
        for index in range(60):
            sink.write(result(moving(index), 3 * index + index % 2, 1.7e9 + index * 1e-3))
    assert not sink.warnings
