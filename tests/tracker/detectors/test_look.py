"""Looking only where something changed: nobody is lost, and what rests costs nothing.

The network of these tests sees what is bright in the picture that it is shown, so that a window too few, or
in the wrong place, is a box too few.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import cv2
import numpy as np
import pytest

from bytetrack import Detections
from tracker.contracts import Detector
from tracker.detectors import scenery
from tracker.detectors.batched import Network
from tracker.detectors.engines import Engines, Shape
from tracker.detectors.every_nth import EveryNth
from tracker.detectors.letterbox import Letterbox
from tracker.detectors.look import Looking
from tracker.detectors.windows import Layout
from tracker.planes import as_bgr
from tracker.types import Frame, Image, Stopwatch

SIZE = (240, 320)
Paint = Callable[[int, Image], None]


class Bright(Network[list[Detections]]):
    """Finds what is brighter than 200, all of it that it is shown; counts the pixels that it was shown."""

    wide_scores: Sequence[float] = (0.8,)  # of what is wider than 15 pixels, look by look, the last for ever

    def __init__(self, *, any_shape: bool = True, batch: int = 1, in_flight: int = 1) -> None:
        self.names, self.any_shape, self.batch = {0: "lamp"}, any_shape, batch
        self.pixels, self.asked = 0, 0
        self._watch = Stopwatch()
        self._in_flight = in_flight

    def in_flight(self) -> int:
        return self._in_flight

    def start(self, images: Sequence[object]) -> list[Detections]:
        found = []
        for image in images:
            box = Letterbox.fit(as_bgr(image).shape[:2], (320, 320))  # type: ignore[arg-type]
            shown = box.blank()
            box.fill(image, shown[0])  # type: ignore[arg-type]
            seen = self._see(shown[0])
            found.append(Detections(box.to_picture(seen.xyxy), seen.score, seen.class_id))
        return found

    def start_windows(self, picture: Image, layout: Layout) -> list[Detections]:
        shown = np.zeros((layout.rows, *layout.shape, 3), np.uint8)
        layout.fill(picture, shown)
        return layout.split([self._see(one) for one in shown])

    def finish(self, pending: list[Detections]) -> list[Detections]:
        return pending

    def _see(self, image: Image) -> Detections:
        self.asked += 1
        self.pixels += image.shape[0] * image.shape[1]
        count, _, stats, _ = cv2.connectedComponentsWithStats((image[..., 1] > 200).astype(np.uint8))
        rows = stats[1:count]
        rows = rows[rows[:, 4] >= 16].astype(float)  # noise is not seen
        xyxy = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        wide = self.wide_scores[min(self.asked, len(self.wide_scores)) - 1]
        score = np.where(xyxy[:, 2] - xyxy[:, 0] > 15, wide, 0.8)
        return Detections(xyxy, score, np.zeros(len(xyxy), int))


class Hasty(Bright):
    """Takes what is grey for a lamp, too, where it is shown no more than a part of the picture.

    So do real networks: what they see around a thing tells them what it is not.
    """

    def start_windows(self, picture: Image, layout: Layout) -> list[Detections]:
        if layout.shape != (256, 320):
            picture = np.where(picture > 130, np.uint8(250), picture)
        return super().start_windows(picture, layout)


class Compiles(Bright):
    """One whose inputs must be compiled first; it fails where somebody looks at one that is not."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.engines: Engines[Shape] = Engines(self._compile)
        self.new_shape_cost = 0.0

    def _compile(self, shape: Shape) -> Shape:
        assert shape == (1, 256, 320) or self.go.wait(10)
        return shape

    def input_for(self, shape: tuple[int, int], *, wait: bool) -> tuple[int, int]:
        if wait or self.engines.begin((1, *shape)):
            return self.engines.get((1, *shape))[1:]
        larger = self.engines.holding((1, *shape))
        return self.engines.get((1, *shape))[1:] if larger is None else larger[1:]

    def start_windows(self, picture: Image, layout: Layout) -> list[Detections]:
        assert self.engines.holding((1, *layout.shape)) == (1, *layout.shape)
        return super().start_windows(picture, layout)


def film(count: int, paint: Paint, *, fps: float = 10, size: tuple[int, int] = SIZE) -> Iterator[Frame]:
    for index in range(count):
        image = np.full((*size, 3), 90, np.uint8)
        image[:, ::16] = 60  # something to shake
        paint(index, image)
        image.flags.writeable = False
        yield Frame(image, index, index / fps)


def lamp(image: Image, x: int, y: int, width: int = 12, height: int = 24, light: int = 250) -> None:
    image[y : y + height, x : x + width] = light


def looked(
    count: int, paint: Paint, *, fps: float = 10, size: tuple[int, int] = SIZE, **options: int
) -> tuple[list[Detections], Bright, Looking]:
    network = Bright(**options)  # type: ignore[arg-type]
    looking = Looking(network, imgsz=320)
    found = [
        boxes for _, boxes in looking.stream(film(count, paint, fps=fps, size=size)) if boxes is not None
    ]
    assert len(found) == count
    return found, network, looking


def share(looking: Looking) -> float:
    return looking.share.area / looking.share.frames


def test_a_frame_like_the_one_before_costs_a_comparison() -> None:
    found, network, _ = looked(15, lambda i, image: lamp(image, 50, 60))
    assert network.asked == 1
    assert all(boxes.xyxy.tolist() == [[50, 60, 62, 84]] for boxes in found)


@pytest.mark.slow
def test_who_sits_for_ten_minutes_is_there_in_every_frame_and_costs_little() -> None:
    found, _, looking = looked(600, lambda i, image: lamp(image, 50, 60), fps=1)
    assert [len(boxes) for boxes in found] == [1] * 600
    assert share(looking) < 0.15  # at one frame a second: a look each eight


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("in_flight", [1, 3])
def test_who_walks_is_where_he_is_in_every_frame(in_flight: int) -> None:
    def paint(i: int, image: Image) -> None:
        lamp(image, 20 + 3 * i, 40 + i)
        lamp(image, 260, 180)  # stands

    found, _, looking = looked(60, paint, in_flight=in_flight)
    for i, boxes in enumerate(found):
        told = sorted(boxes.xyxy.tolist())
        assert told == [[20 + 3 * i, 40 + i, 32 + 3 * i, 64 + i], [260, 180, 272, 204]], i
    assert looking.share.whole < 60


def test_what_is_live_never_waits_until_something_is_compiled() -> None:
    network = Compiles()
    looking = Looking(network, imgsz=320, live=True)
    told = looking.stream(film(80, lambda i, image: lamp(image, 20 + 3 * i, 40)))
    for i in range(40):  # nothing but the whole picture is compiled all the while
        boxes = next(told)[1]
        assert boxes is not None
        assert boxes.xyxy.tolist() == [[20 + 3 * i, 40, 32 + 3 * i, 64]], i
    assert looking.share.whole == 40
    network.go.set()
    network.engines.close()
    for i, (_, boxes) in enumerate(told, 40):
        assert boxes is not None
        assert boxes.xyxy.tolist() == [[20 + 3 * i, 40, 32 + 3 * i, 64]], i
    assert looking.share.whole < 80


def test_a_file_waits_so_that_its_boxes_do_not_depend_on_the_machine() -> None:
    network = Compiles()
    network.go.set()
    looking = Looking(network, imgsz=320)
    assert len(list(looking.stream(film(20, lambda i, image: lamp(image, 20 + 3 * i, 40))))) == 20
    assert looking.share.whole == 1


@pytest.mark.slow
def test_where_all_changes_for_long_it_is_not_even_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    exact = scenery.luminance

    def counted(picture: Image) -> Image:
        nonlocal compared
        compared += 1
        return exact(picture)

    monkeypatch.setattr(scenery, "luminance", counted)

    def paint(i: int, image: Image) -> None:
        if i < 250:
            image[:] = 60 + 30 * (np.indices(SIZE).sum(axis=0)[..., None] // 20 % 2) * (i % 2)
        lamp(image, 20 + i // 2, 60)

    found, _, looking = looked(300, paint, fps=25)
    for i, boxes in enumerate(found):
        assert boxes.xyxy.tolist() == [[20 + i // 2, 60, 32 + i // 2, 84]], i
    assert compared < 220
    assert looking.share.whole < 285  # and once it is quiet, it is seen to be


def test_what_is_unsure_does_not_stand_as_one_look_found_it() -> None:
    network = Bright()
    network.wide_scores = (0.45, 0.35, 0.31)
    film_of_a_post = film(80, lambda i, image: lamp(image, 100, 100, 20, 60))
    told = [float(boxes.score[0]) for _, boxes in Looking(network, imgsz=320).stream(film_of_a_post) if boxes]
    assert told[:2] == [0.45, 0.35]
    assert set(told[3:]) == {0.31}
    assert 5 <= network.asked <= 10  # ever less often: after 0.1, 0.2, 0.4 s


def test_where_most_moves_all_is_looked_at_until_it_is_calm() -> None:
    def paint(i: int, image: Image) -> None:
        lamp(image, 20 + i, 40)
        for place in range(14) if i < 24 else ():  # rest in one picture of four
            lamp(image, 20 + place // 2 * 90, 440 - place % 2 * 200 - i + i // 4)

    looking = Looking(Bright(), imgsz=640)
    whole = []
    for i, (_, boxes) in enumerate(looking.stream(film(44, paint, fps=5, size=(480, 640)))):
        whole.append(looking.share.whole)
        assert boxes is not None
        assert [20 + i, 40, 32 + i, 64] in boxes.xyxy.tolist(), i
    assert whole[23] - whole[7] == 16  # and not by windows where few moved
    assert whole[43] - whole[35] <= 1  # the look of every two seconds


@pytest.mark.slow
@pytest.mark.parametrize(("in_flight", "every"), [(3, 1), (1, 1), (2, 1), (1, 3), (2, 3), (4, 3)])
def test_a_run_that_is_cut_goes_on_as_if_it_had_not_been(in_flight: int, every: int) -> None:
    random = np.random.default_rng(5)
    jumps = random.integers(0, 3, 60).cumsum()

    def paint(i: int, image: Image) -> None:
        if i not in (20, 21, 22):
            lamp(image, 20 + int(jumps[i]), 40 + i % 3)
        lamp(image, 220, 150, 20 if i < 30 else 21)
        if i > 40:
            image[::7] = 50

    def detector() -> Detector:
        network = Hasty(in_flight=in_flight)
        looking = Looking(network, imgsz=320)
        looking.network.new_shape_cost = 100.0
        network.wide_scores = (0.4,)  # which is looked at again and again
        return looking if every == 1 else EveryNth(looking, every)

    def told(found: Iterable[tuple[Frame, Detections | None]]) -> list[object]:
        return [(f.index, None if d is None else (d.xyxy.tolist(), d.score.tolist())) for f, d in found]

    frames = list(film(60, paint))
    whole = told(detector().stream(iter(frames)))
    for cut in (1, 22, 41):
        first = detector()
        before = told(islice(first.stream(iter(frames)), cut))
        state = json.loads(json.dumps(first.state(cut - 1)))
        second = detector()
        second.resume(cut)
        second.restore(state)
        assert before + told(second.stream(iter(frames[cut:]))) == whole, cut


def test_what_a_window_takes_for_something_is_nothing_where_nothing_changed() -> None:
    def paint(i: int, image: Image) -> None:
        image[40:80, 100:116] = 150  # a post, of which the whole picture says nothing
        lamp(image, 20 + 2 * i, 84)  # somebody walks by, below it

    looking = Looking(Hasty(), imgsz=320)
    for i, (_, boxes) in enumerate(looking.stream(film(60, paint))):
        assert boxes is not None
        assert boxes.xyxy.tolist() == [[20 + 2 * i, 84, 32 + 2 * i, 108]], i
    assert looking.share.whole < 30


def test_who_leaves_is_gone_and_who_comes_is_seen_at_once() -> None:
    found, _, _ = looked(40, lambda i, image: lamp(image, 100, 100) if 10 <= i < 30 else None)
    assert [len(boxes) for boxes in found] == [0] * 10 + [1] * 20 + [0] * 10


@pytest.mark.slow
def test_who_fades_in_slowly_is_seen_soon_after_he_can_be_seen() -> None:
    found, _, _ = looked(320, lambda i, image: lamp(image, 100, 100, light=min(250, 90 + i // 2)))
    first = next(i for i, boxes in enumerate(found) if len(boxes))
    assert 222 <= first <= 222 + 10 * 8


@pytest.mark.slow
def test_noise_of_a_dark_camera_is_learnt() -> None:
    random = np.random.default_rng(0)

    def paint(i: int, image: Image) -> None:
        image[:] = np.clip(30 + random.normal(0, 14, image.shape[:2]), 0, 255)[..., None].astype(np.uint8)
        lamp(image, 30 + i // 4, 60)

    found, _, looking = looked(150, paint)
    assert [len(boxes) for boxes in found] == [1] * 150
    for i, boxes in enumerate(found):
        np.testing.assert_allclose(boxes.xyxy, [[30 + i // 4, 60, 42 + i // 4, 84]], atol=3)
    assert share(looking) < 0.6


def test_flicker_of_the_light_is_no_change() -> None:
    def paint(i: int, image: Image) -> None:
        lamp(image, 50, 60, light=230)
        image += np.uint8(12 * (i % 2))

    found, network, _ = looked(19, paint)
    assert [len(boxes) for boxes in found] == [1] * 19
    assert network.asked == 1


def test_after_a_cut_and_when_the_camera_shakes_the_whole_picture_is_looked_at() -> None:
    def paint(i: int, image: Image) -> None:
        if i >= 10:
            image[image < 100] = 20
            image[::20] = 120
        lamp(image, 50 if i < 10 else 150, 60)
        if i >= 20:
            image[:] = np.roll(image, 4 * (i % 3), axis=(1))

    found, _, looking = looked(30, paint)
    for i, boxes in enumerate(found):
        x = 50 if i < 10 else 150 + (4 * (i % 3) if i >= 20 else 0)
        assert boxes.xyxy.tolist() == [[x, 60, x + 12, 84]], i
    assert looking.share.whole >= 2


def test_a_clock_in_the_corner_costs_a_window_a_second() -> None:
    def paint(i: int, image: Image) -> None:
        image[8:16, 8 : 40 + i // 10 % 3 * 10] = 150
        lamp(image, 200, 160)

    found, _, looking = looked(100, paint)
    assert [len(boxes) for boxes in found] == [1] * 100
    assert share(looking) < 0.12


@pytest.mark.slow
def test_a_screen_that_flickers_hides_nobody() -> None:
    def paint(i: int, image: Image) -> None:
        image[100:140, 200:260] = 60 + 60 * (i % 2)
        lamp(image, 20 + 3 * i, 110)

    found, _, _ = looked(80, paint)
    for i, boxes in enumerate(found):
        assert boxes.xyxy.tolist() == [[20 + 3 * i, 110, 32 + 3 * i, 134]], i


def test_a_box_that_a_window_cuts_replaces_nothing() -> None:
    """Somebody moves in front of a lorry: what is seen of it in the window is not its box."""

    def paint(i: int, image: Image) -> None:
        lamp(image, 4, 20, 250, 160)
        image[170:178, 20 + 2 * i : 26 + 2 * i] = 100  # a dark spot on it

    found, _, _ = looked(20, paint)
    for boxes in found:
        assert boxes.xyxy.tolist() == [[4, 20, 254, 180]]


@pytest.mark.slow_after(1)
@pytest.mark.parametrize("size", [(8, 8), (90, 640), (640, 90), (481, 641)])
def test_pictures_of_any_shape(size: tuple[int, int]) -> None:
    side = max(2, min(size) // 6)

    def paint(i: int, image: Image) -> None:
        lamp(image, min(i, size[1] - side), 1, side, side)

    found, _, _ = looked(30, paint, size=size)
    assert len(found) == 30


def test_another_size_of_picture_begins_anew() -> None:
    frames = [
        *film(5, lambda i, image: lamp(image, 50, 60)),
        *film(5, lambda i, image: lamp(image, 20, 30), size=(120, 160)),
    ]
    found = [boxes for _, boxes in Looking(Bright(), imgsz=320).stream(frames)]
    assert [len(boxes) for boxes in found if boxes is not None] == [1] * 10
    np.testing.assert_allclose(found[-1].xyxy, [[20, 30, 32, 54]], atol=1)  # type: ignore[union-attr]


def test_a_batch_holds_only_pictures_in_which_something_changed() -> None:
    found, network, _ = looked(60, lambda i, image: lamp(image, 50 + max(0, i - 30), 60), batch=4)
    assert network.asked < 60
    for i, boxes in enumerate(found):
        assert abs(boxes.xyxy[0, 0] - (50 + max(0, i - 30))) <= 1


def test_a_network_of_one_shape_looks_at_whole_pictures_or_not() -> None:
    found, network, looking = looked(
        40, lambda i, image: lamp(image, 50 + max(0, i - 20), 60), any_shape=False
    )
    assert looking.share.whole == network.asked < 40
    assert found[-1].xyxy.tolist() == [[69, 60, 81, 84]]


@pytest.mark.parametrize("prompt", [False, True])
def test_every_nth_frame(prompt: bool) -> None:
    network = Bright()
    detector = EveryNth(Looking(network, imgsz=320), 3, prompt=prompt)
    found = [boxes for _, boxes in detector.stream(film(15, lambda i, image: lamp(image, 50, 60)))]
    assert [boxes is not None for boxes in found] == [i % 3 == 0 for i in range(15)]
    assert network.asked == 1


@pytest.mark.parametrize(
    ("pays", "kind", "asked"), [(True, "detect", 1), (False, "detect", 15), (True, "segment", 15)]
)
def test_by_itself_a_file_is_looked_at_by_parts_where_that_is_measured(
    pays: bool, kind: str, asked: int
) -> None:
    network = Bright()
    network.windows_pay, network.kind = pays, kind
    looking = Looking(network, imgsz=320, only_if_it_pays=True)
    still = film(15, lambda i, image: lamp(image, 50, 60))
    assert [len(boxes) for _, boxes in looking.stream(still) if boxes is not None] == [1] * 15
    assert network.asked == asked
    assert bool(looking.summary()) == (asked == 1)


def test_the_table_tells_what_was_looked_at() -> None:
    _, _, looking = looked(10, lambda i, image: None)
    assert looking.summary() == [("looked at", "10.0% of the picture: 1 frames whole, 0 in part, 9 not")]
    assert Looking(Bright()).summary() == []
