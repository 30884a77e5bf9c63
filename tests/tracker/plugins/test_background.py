"""The empty scene: without who was there, however long; in one light; bounded; each run's own."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage import standing

from bytetrack import Tracks
from tests.quick import examples
from tracker.plugins._shared.background import LONGEST_SIDE, EmptyScene
from tracker.plugins._shared.samples import KEPT, covered
from tracker.types import Frame, Image, OptionError, Scene

SIZE = (160, 96)
FEET, BOX = (80.0, 80.0), (20.0, 50.0)  # of somebody who stands in the middle


def ground(seed: int = 1, level: int = 110, depth: int = 60) -> Image:
    """A textured scene, smooth as lenses make it."""
    noise = np.random.default_rng(seed).normal(0, 1, (SIZE[1] // 4, SIZE[0] // 4, 3))
    smooth = cv2.resize(noise, SIZE, interpolation=cv2.INTER_CUBIC)
    return np.clip(level + depth * smooth / 2, 3, 250).astype(np.uint8)


def film(
    scene: Image,
    there: Callable[[float], bool],
    *,
    seconds: float = 60,
    fps: float = 10,
    light: Callable[[float], float] = lambda part: 1.0,
    seen: Callable[[int], bool] = lambda index: True,
) -> EmptyScene:
    """Show it a person in white, ``there`` at parts of the time, ``seen`` by the detector in some frames."""
    empty = EmptyScene((scene.shape[1], scene.shape[0]), fps)
    count = round(seconds * fps)
    (x, y), (width, height) = FEET, BOX
    for i in range(count):
        image = scene.copy()
        present = there(i / count)
        if present:
            image[int(y - height) : int(y), int(x - width / 2) : int(x + width / 2)] = (245, 240, 250)
        image = np.clip(image * light(i / count), 0, 255).astype(np.uint8)
        tracks = standing({1: FEET}, box=BOX) if present and seen(i) else Tracks.empty()
        empty.update(Frame(image, i, i / fps), tracks)
    return empty


def away(picture: Image, scene: Image) -> float:
    """Return the greatest difference on the source's pixels, the enlarging taken back."""
    back = cv2.resize(picture, scene.shape[1::-1], interpolation=cv2.INTER_AREA)
    return float(np.abs(back.astype(int) - scene).max())


@examples(8)
@given(
    part=st.sampled_from([0.0, 0.25, 0.5, 0.75, 0.9, 0.97]),
    start=st.floats(0, 1),
    fps=st.sampled_from([2.0, 10.0]),
)
def test_who_stood_there_for_most_of_the_time_is_gone(part: float, start: float, fps: float) -> None:
    scene = ground()
    empty = film(scene, lambda t: (t - start) % 1 < part, seconds=120 if part > 0.9 else 40, fps=fps)
    assert away(empty.picture(), scene) <= 3


def test_who_is_not_seen_by_the_detector_is_gone_where_most_of_the_time_is_free() -> None:
    scene = ground()
    assert away(film(scene, lambda t: t < 0.45, seen=lambda i: False).picture(), scene) <= 3


def test_a_detector_that_blinks_does_not_bring_a_ghost_back() -> None:
    scene = ground()
    assert away(film(scene, lambda t: t < 0.75, seen=lambda i: i % 4 == 0).picture(), scene) <= 3


@pytest.mark.slow_after(1)
@pytest.mark.parametrize(
    "light",
    [lambda t: 0.6 + 0.8 * t, lambda t: 1.0 if t < 0.5 else 0.4, lambda t: 1 + 0.3 * np.sin(20 * t)],
    ids=["dawn", "a lamp is switched off", "clouds"],
)
@pytest.mark.parametrize("there", [lambda t: t < 0.75, lambda t: t > 0.25], ids=["first", "last"])
def test_where_somebody_stood_is_shown_in_the_light_of_the_rest(
    light: Callable[[float], float], there: Callable[[float], bool]
) -> None:
    scene = ground(level=90, depth=40)
    picture = cv2.resize(film(scene, there, light=light).picture(), SIZE, interpolation=cv2.INTER_AREA)
    ratio = picture.astype(float).mean(axis=2) / scene.mean(axis=2)
    behind = ratio[30:80, 70:90]
    assert abs(np.median(behind) / np.median(ratio) - 1) < 0.06
    assert np.quantile(np.abs(ratio / np.median(ratio) - 1), 0.99) < 0.2


@pytest.mark.slow
def test_a_dark_scene_is_as_good() -> None:
    scene = ground(level=14, depth=8)
    assert away(film(scene, lambda t: t < 0.75).picture(), scene) <= 3


def test_pictures_of_nothing_do_not_count() -> None:
    scene = ground()
    faded = film(scene, lambda t: False, light=lambda t: 0.0 if t < 0.7 else 1.0)
    assert away(faded.picture(), scene) <= 3


def test_a_moving_camera_gives_one_sharp_moment() -> None:
    noise = np.random.default_rng(2).integers(0, 255, (24, 500, 3), dtype=np.uint8)
    wide = cv2.resize(noise, (2000, 96), interpolation=cv2.INTER_CUBIC)
    empty = EmptyScene(SIZE, 10)
    shown = [wide[:, 5 * i : 5 * i + 160] for i in range(300)]
    for i, image in enumerate(shown):
        empty.update(Frame(image, i, i / 10), standing({1: FEET}, box=BOX) if i < 150 else Tracks.empty())
    back = cv2.resize(empty.picture(), SIZE, interpolation=cv2.INTER_AREA).astype(int)
    nearest = int(np.argmin([np.abs(back - image).mean() for image in shown]))
    assert nearest >= 150, "of the emptiest moments"
    assert np.abs(back - shown[nearest]).mean() < 8, "as it was, but for the enlarging"


@pytest.mark.slow
@pytest.mark.parametrize("size", [(3840, 2160), (1080, 1920), (768, 576), (64, 48), (17, 300), (1, 1)])
def test_every_size_becomes_a_picture_for_a_slide(size: tuple[int, int]) -> None:
    empty = EmptyScene(size, 10)
    image = np.full((size[1], size[0], 3), 50, np.uint8)
    for i in range(12):
        empty.update(Frame(image, i, i / 10), Tracks.empty())
    picture = empty.picture()
    assert picture.shape[1::-1] == empty.size
    assert max(empty.size) == LONGEST_SIDE
    assert (picture == 50).all()
    np.testing.assert_allclose(empty.scale, LONGEST_SIDE / max(size), rtol=0.51 / min(empty.size))


@pytest.mark.slow
def test_a_place_that_is_free_late_in_a_long_run_is_still_looked_at() -> None:
    empty = EmptyScene((32, 32), 1.0)
    scene, hidden = np.full((32, 32, 3), 80, np.uint8), np.full((32, 32, 3), 200, np.uint8)
    scene[::2] += 20
    hidden[::2] += 20
    whole = standing({1: (16, 32)}, box=(32, 32))
    for i in range(7200):
        free = 7000 <= i < 7060
        empty.update(Frame(scene if free else hidden, i, float(i)), Tracks.empty() if free else whole)
    assert empty.picture().mean() == pytest.approx(90, abs=2)


def test_memory_is_that_of_the_first_samples() -> None:
    empty = film(ground(), lambda t: t < 0.5, seconds=20)
    assert empty._samples is not None
    image = ground()
    for i in range(2000):
        empty.update(Frame(image, 1000 + i, 100 + i / 10), standing({1: FEET}, box=BOX))
    assert sum(each.nbytes for each in empty._samples._samples) == KEPT * 3 * SIZE[0] * SIZE[1]
    assert int((empty._samples._clear + empty._samples._hidden).max()) <= KEPT


def test_no_frame_gives_grey() -> None:
    assert (EmptyScene((4, 3), 25).picture() == 127).all()


def test_a_picture_that_is_given_is_taken_and_one_of_another_view_refused() -> None:
    empty = EmptyScene(SIZE, 10)
    empty.use(np.full((48, 80, 3), 33, np.uint8), "empty.png")
    empty.update(Frame(ground(), 0, 0.0), Tracks.empty())
    assert (empty.picture() == 33).all()
    with pytest.raises(OptionError, match=r"empty.png is 80x80, the source 160x96"):
        empty.use(np.zeros((80, 80, 3), np.uint8), "empty.png")


@given(
    st.lists(st.tuples(*[st.floats(-100, 300)] * 4), max_size=8),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_every_pixel_of_a_box_lies_in_a_covered_place(boxes: list[tuple[float, ...]], places: tuple) -> None:
    xyxy = np.array([(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in boxes]).reshape(-1, 4)
    got = covered(xyxy, places)
    assert got.shape == places
    for x1, y1, x2, y2 in xyxy:
        for row, column in np.ndindex(places):
            if x1 < 16 * (column + 1) and x2 > 16 * column and y1 < 16 * (row + 1) and y2 > 16 * row:
                assert got[row, column]
    assert boxes or not got.any()


def test_the_plugins_of_a_run_share_one_and_two_runs_do_not() -> None:
    run, other = (Scene("clip", SIZE, 2.0, False, {}) for _ in range(2))
    first, second = EmptyScene.of(run), EmptyScene.of(run)
    assert first is second is not EmptyScene.of(other)
    first.update(Frame(ground(), 0, 0.0), Tracks.empty())
    second.update(Frame(ground(), 0, 0.0), Tracks.empty())
    assert first._passed == 1
    assert (EmptyScene.of(other).picture() == 127).all()


def test_nothing_outlives_the_run() -> None:
    run = Scene("clip", (8, 6), 2.0, False, {})
    empty = EmptyScene.of(run)
    empty.update(Frame(np.zeros((6, 8, 3), np.uint8), 0, 0.0), Tracks.empty())
    gone = weakref.ref(empty)
    del empty, run
    assert gone() is None
