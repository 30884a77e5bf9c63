"""The steadied crop: the object stays in it, it stays in the picture, and it does not shake."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import Detections, Tracks
from tests.quick import examples
from tracker.sinks.crop import ROOM, CropSink, VirtualCamera
from tracker.types import Event, Frame, OptionError, Result, Scene

PICTURE = (640, 360)
SCENE = Scene("film", PICTURE, 25.0, False, {0: "person"})


def box(x: float, y: float, height: float = 60.0) -> np.ndarray:
    return np.array([x - height / 4, y - height / 2, x + height / 4, y + height / 2])


@examples(60)
@given(
    way=st.lists(
        st.tuples(st.floats(-50, 700), st.floats(-50, 400), st.floats(1, 500), st.booleans()),
        min_size=1,
        max_size=40,
    ),
    size=st.sampled_from([(480, 480), (320, 640), (1280, 720)]),
    passed_s=st.sampled_from([0.0, 0.02, 0.2, 5.0]),
)
def test_the_view_never_leaves_the_picture(
    way: list[tuple[float, float, float, bool]], size: tuple[int, int], passed_s: float
) -> None:
    camera = VirtualCamera()
    for i, (x, y, height, seen) in enumerate(way):
        camera.move(passed_s, box(x, y, height) if seen or i == 0 else None)
        left, top, scale = camera.view(PICTURE, size)
        assert left >= 0
        assert top >= 0
        assert scale > 0
        assert left + scale * size[0] <= PICTURE[0] + 1e-6
        assert top + scale * size[1] <= PICTURE[1] + 1e-6


@pytest.mark.slow
@given(speed=st.floats(-150, 150), fps=st.sampled_from([5.0, 25.0, 60.0]))
def test_what_moves_evenly_is_in_the_middle(speed: float, fps: float) -> None:
    camera = VirtualCamera()
    for k in range(int(6 * fps)):
        x = 1000 + speed * k / fps
        camera.move(1 / fps, box(x, 500))
    assert abs(camera.center[0] - x) < 2.0
    assert camera.height == pytest.approx(60)


def test_the_camera_shakes_less_than_the_box() -> None:
    rng = np.random.default_rng(0)
    camera, centers, boxes = VirtualCamera(), [], []
    for k in range(500):
        x = 100 + 3.0 * k + rng.normal(0, 3)
        camera.move(1 / 25, box(x, 200, 60 + rng.normal(0, 3)))
        centers.append(camera.center[0])
        boxes.append(x)
    shake = [np.abs(np.diff(path[100:], 2)).mean() for path in (centers, boxes)]
    assert shake[0] < 0.15 * shake[1]


def film(path: Path, *, size: tuple[int, int] = (160, 160), found: bool = True) -> CropSink:
    """A white square walks over a dark picture; it is found at frame 5 and lost at frame 30."""
    with CropSink(path, SCENE, size=size, crf=10) as sink:
        for k in range(40):
            image = np.full((360, 640, 3), 30, np.uint8)
            x = 60 + 10 * k
            image[160:200, x - 20 : x + 20] = 255
            xyxy = np.array([[x - 20.0, 160, x + 20, 200], [5, 5, 20, 20]])
            tracks = Tracks(np.array([3, 4]), xyxy, np.ones(2), np.zeros(2, int), np.arange(2))
            kinds = {5: "follow.found", 30: "follow.lost"} if found else {}
            events = (Event(kinds[k], k / 25, k, 3),) if k in kinds else ()
            sink.write(Result(Frame(image, k, k / 25), Detections.empty(), tracks, events))
    return sink


def test_the_film_has_its_size_its_length_and_the_object_in_its_middle(tmp_path: Path) -> None:
    sink = film(tmp_path / "him.mp4")
    assert sink.warnings == []
    with av.open(str(sink.path)) as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(pictures) == 25
    for picture in pictures[:-3]:
        assert picture.shape == (160, 160)
        rows, columns = np.nonzero(picture > 140)
        assert rows.mean() == pytest.approx(80, abs=4)
        assert columns.mean() == pytest.approx(80, abs=15)
        assert np.ptp(rows) == pytest.approx(160 / ROOM, abs=8)
    columns = [np.nonzero(picture > 140)[1].mean() for picture in pictures]
    assert columns[-1] == pytest.approx(80, abs=8), "the camera has caught up"


def test_nobody_found_leaves_no_film_but_a_note(tmp_path: Path) -> None:
    sink = film(tmp_path / "nobody.mp4", found=False)
    assert not sink.path.exists()
    assert "the object was not found" in sink.warnings[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_nobody_found_is_not_told_as_written(tmp_path: Path) -> None:
    assert film(tmp_path / "nobody.mp4", found=False).files == []
    assert film(tmp_path / "him.mp4").files == [tmp_path / "him.mp4"]


def shot(
    folder: Path, seen: Callable[[int], bool], *, lost: int | None = None, frames: int = 60
) -> list[float]:
    """Film a square that is there in some frames only; return the times of the film's pictures."""
    path = folder / "gaps.mp4"
    with CropSink(path, SCENE, size=(64, 64)) as sink:
        for k in range(60):
            there = seen(k)
            boxes = [[100.0, 100, 140, 140]] if there else []
            ids = np.arange(3, 3 + len(boxes))
            ones = np.ones(len(boxes))
            tracks = Tracks(ids, np.array(boxes).reshape(-1, 4), ones, ids * 0, ids - 3)
            kinds = {0: "follow.found"} if lost is None else {0: "follow.found", lost: "follow.lost"}
            events = (Event(kinds[k], k / 25, k, 3),) if k in kinds else ()
            image = np.full((360, 640, 3), 30, np.uint8)
            sink.write(Result(Frame(image, k, k / 25), Detections.empty(), tracks, events))
    with av.open(str(path)) as container:
        return [round(float(frame.time) * 25) for frame in container.decode(video=0)]


@pytest.mark.slow
def test_it_ends_with_its_object(tmp_path: Path) -> None:
    """Seen until frame 20 and given up 25 frames later, or never within the film."""
    assert shot(tmp_path, lambda k: k <= 20, lost=45) == list(range(21))
    (tmp_path / "gaps.mp4").unlink()
    assert shot(tmp_path, lambda k: k <= 50) == list(range(51))


@pytest.mark.slow
def test_a_short_gap_is_filmed_and_a_long_one_is_not(tmp_path: Path) -> None:
    assert shot(tmp_path, lambda k: not 10 <= k < 30) == list(range(60))
    (tmp_path / "gaps.mp4").unlink()
    assert shot(tmp_path, lambda k: not 10 <= k < 40) == [*range(10), *range(40, 60)]


@pytest.mark.slow
def test_after_a_pause_of_the_recording_every_picture_has_its_own_view(tmp_path: Path) -> None:
    """A full disk leaves pictures out; what comes then shows the object where it is then."""
    path = tmp_path / "him.mp4"
    live = Scene("cam", PICTURE, 25.0, True, {0: "person"})
    with CropSink(path, live, size=(64, 64), crf=10) as sink:
        for k in range(60):
            image = np.full((360, 640, 3), 30, np.uint8)
            x = 60 + 8 * k
            image[160:200, x - 20 : x + 20] = 255
            box = np.array([[x - 20.0, 160, x + 20, 200]])
            tracks = Tracks(np.array([3]), box, np.ones(1), np.zeros(1, int), np.arange(1))
            events = (Event("follow.found", 0.0, 0, 3),) if k == 0 else ()
            if k in (20, 40):
                while sink.queued:
                    time.sleep(0.001)
                time.sleep(0.05)
                sink._video._resume = time.monotonic() + 1e6 if k == 20 else 0.0  # the disk is full, has room
            sink.write(Result(Frame(image, k, k / 25), Detections.empty(), tracks, events))
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(pictures) == 40
    for picture in pictures[3:]:
        assert np.nonzero(picture > 140)[1].mean() == pytest.approx(32, abs=8)


@pytest.mark.parametrize("size", [(481, 480), (2, 2), (480, 10_000)])
def test_sizes_that_cannot_be_encoded_are_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(OptionError, match="even sizes"):
        CropSink(tmp_path / "x.mp4", SCENE, size=size)
