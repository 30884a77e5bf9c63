"""Embeddings: the laws every kind keeps, and that a network is taken or refused in one line."""

from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np
import pytest

from bytetrack import BYTETracker, Detections, MotionTracker
from bytetrack.appearance import AppearanceTracker
from bytetrack.types import FloatArray
from tests.tracker.fakes import ListDetector
from tracker import pipeline
from tracker.options import Options
from tracker.trackers.appearance import Appearance
from tracker.trackers.make import make_tracker
from tracker.trackers.reid import ColorStripes, ReidNetwork, crop, open_appearance
from tracker.trackers.settings import TrackerSettings
from tracker.trackers.visual import VisualTracker
from tracker.types import Frame, Image, OptionError, WeightsError

RED, BLUE, GREEN = (40, 40, 200), (200, 60, 40), (60, 160, 60)  # BGR


def person(image: Image, x: int, y: int, shirt: tuple[int, int, int], trousers: tuple[int, int, int]) -> None:
    image[y : y + 60, x : x + 30] = shirt
    image[y + 60 : y + 120, x : x + 30] = trousers


@pytest.fixture
def street() -> Image:
    image = np.full((240, 320, 3), 120, np.uint8)
    person(image, 20, 50, RED, BLUE)
    person(image, 100, 60, RED, BLUE)
    person(image, 200, 40, GREEN, RED)
    noise = np.random.default_rng(0).normal(0, 6, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


BOXES = np.array([[20.0, 50, 50, 170], [100, 60, 130, 180], [200, 40, 230, 160]])


network = functools.cache(ReidNetwork)  # compiled once


@pytest.fixture(params=["color", pytest.param("osnet", marks=pytest.mark.slow)])
def appearance(request: pytest.FixtureRequest) -> Appearance:
    if request.param == "color":
        return ColorStripes()
    return network(request.getfixturevalue("shared") / "weights" / "osnet_x0_25_msmt17.onnx")


class TestEveryKind:
    def test_gives_one_vector_of_length_one_per_box(self, appearance: Appearance, street: Image) -> None:
        vectors = appearance.embed(street, BOXES)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)

    def test_the_same_clothes_are_alike(self, appearance: Appearance, street: Image) -> None:
        one, same, other = appearance.embed(street, BOXES)
        assert one @ same > appearance.neutral
        assert one @ same > one @ other

    def test_does_not_depend_on_company(self, appearance: Appearance, street: Image) -> None:
        together = appearance.embed(street, BOXES)
        alone = np.concatenate([appearance.embed(street, box[None]) for box in BOXES])
        np.testing.assert_allclose(together, alone, atol=1e-5)

    def test_odd_boxes_have_an_embedding(self, appearance: Appearance, street: Image) -> None:
        odd = np.array([[-50.0, -50, 10, 10], [310, 230, 400, 300], [5, 5, 5.2, 5.1], [900, 900, 950, 990]])
        vectors = appearance.embed(street, odd)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)

    def test_no_boxes_no_vectors_and_the_picture_is_kept(self, appearance: Appearance, street: Image) -> None:
        before = street.copy()
        street.setflags(write=False)
        assert len(appearance.embed(street, np.empty((0, 4)))) == 0
        appearance.embed(street, BOXES)
        np.testing.assert_array_equal(street, before)


def test_colours_survive_a_change_of_size(street: Image) -> None:
    large = cv2.resize(street, None, fx=3, fy=3)
    one, other = (ColorStripes().embed(image, box) for image, box in ((street, BOXES), (large, 3 * BOXES)))
    assert (np.sum(one * other, axis=1) > 0.9).all()


def test_a_crop_is_never_empty(street: Image) -> None:
    assert crop(street, np.array([20.0, 50, 50, 170])).shape == (120, 30, 3)
    assert crop(street, np.array([20.0, 50, 50, 170]), margin=0.1).shape == (120, 24, 3)
    assert crop(street, np.array([500.0, 500, 501, 501])).shape == (1, 1, 3)


def test_a_crop_reaches_from_the_pixel_where_the_box_begins_to_where_it_ends() -> None:
    rows, columns = np.mgrid[:40, :60]
    image = np.stack([rows, columns, rows], 2).astype(np.uint8)
    part = crop(image, np.array([10.5, 20.4, 13.2, 22.6]))
    assert (part[0, 0, :2].tolist(), part[-1, -1, :2].tolist()) == ([20, 10], [22, 13])
    narrow = crop(image, np.array([10.0, 20.0, 30.0, 30.0]), margin=0.2)
    assert (narrow[0, 0, :2].tolist(), narrow[-1, -1, :2].tolist()) == ([20, 14], [29, 25])
    outside = crop(image, np.array([-9.0, -9.0, 4.0, 3.0]))
    assert outside.shape == (3, 4, 3)


def bars(*colours: tuple[int, int, int], sides: tuple[int, int, int] | None = None) -> FloatArray:
    """Return the embedding of bars one above the other, with ``sides`` over a seventh left and right."""
    image = np.repeat(np.array(colours, np.uint8)[:, None], 70, 1).repeat(120 // len(colours), 0)
    if sides is not None:
        image[:, :10] = image[:, -10:] = sides
    embedding: FloatArray = ColorStripes().embed(image, np.array([[0.0, 0, 70, 120]]))[0]
    return embedding


def test_each_third_of_a_box_has_its_own_colours() -> None:
    """The cosine is the part of the pixels whose colour is the same in the same third."""
    same = bars(RED, BLUE, GREEN) @ bars(RED, BLUE, GREEN)
    assert same == pytest.approx(1, abs=1e-5)
    assert bars(RED, BLUE, GREEN) @ bars(RED, BLUE, RED) == pytest.approx(2 / 3, abs=0.03)
    assert bars(RED, BLUE, GREEN) @ bars(GREEN, BLUE, RED) == pytest.approx(1 / 3, abs=0.03)
    assert bars(RED, BLUE, GREEN) @ bars(BLUE, GREEN, RED) == pytest.approx(0, abs=0.03)


def test_a_box_half_in_other_colours_is_alike_by_the_root_of_the_half() -> None:
    half = bars(RED, RED, BLUE, BLUE, RED, RED)
    mixed = bars(RED, GREEN, BLUE, BLUE, RED, RED)
    assert half @ mixed == pytest.approx(2 / 3 + 0.5**0.5 / 3, abs=0.03)


def test_what_lies_beside_an_object_does_not_count() -> None:
    assert bars(RED, BLUE, GREEN, sides=(250, 250, 250)) @ bars(RED, BLUE, GREEN) > 0.99


def test_colours_of_one_bin_are_one_colour_and_strong_ones_are_not_lost() -> None:
    """Lightness is told in four steps, what lies farther from grey than 64 counts as if it lay there."""
    assert bars((70, 70, 70)) @ bars((90, 90, 90)) == pytest.approx(1, abs=1e-5)
    assert bars((30, 30, 30)) @ bars((90, 90, 90)) == pytest.approx(0, abs=1e-5)
    near, far = (
        tuple(cv2.cvtColor(np.array([[lab]], np.uint8), cv2.COLOR_LAB2BGR)[0, 0].tolist())
        for lab in ((128, 128 + 36, 128), (128, 128 + 60, 128))
    )
    assert bars(near) @ bars(far) == pytest.approx(0, abs=1e-5)
    assert bars((0, 0, 255)) @ bars((0, 0, 255)) == pytest.approx(1, abs=1e-5)
    assert bars((255, 0, 0)) @ bars((0, 0, 255)) == pytest.approx(0, abs=1e-5)


def test_a_network_sees_rgb_as_imagenet_normalises_it(tmp_path: Path) -> None:
    import openvino
    from openvino import opset13 as ops

    picture = ops.parameter([-1, 3, 8, 4], np.float32, name="x")
    means = ops.reduce_mean(picture, ops.constant([2, 3]), keep_dims=False)
    openvino.save_model(openvino.Model([means], [picture]), tmp_path / "means.xml", compress_to_fp16=False)
    image = np.full((20, 20, 3), (30, 90, 200), np.uint8)  # BGR
    network = ReidNetwork(tmp_path / "means.xml")
    assert (network.size, network.length) == ((4, 8), 3), "width and height"
    (embedding,) = network.embed(image, np.array([[0.0, 0, 20, 20]]))
    rgb = [(200 / 255 - 0.485) / 0.229, (90 / 255 - 0.456) / 0.224, (30 / 255 - 0.406) / 0.225]
    np.testing.assert_allclose(embedding, rgb / np.linalg.norm(rgb), atol=1e-4)


def test_names_are_understood_or_refused(tmp_path: Path) -> None:
    assert open_appearance("none") is None
    assert isinstance(open_appearance("color"), ColorStripes)
    with pytest.raises(OptionError, match="none, color, self or"):
        open_appearance("colour")
    with pytest.raises(WeightsError, match="no such file"):
        open_appearance(str(tmp_path / "x.onnx"))
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    with pytest.raises(WeightsError, match=r"bad\.onnx") as caught:
        open_appearance(str(tmp_path / "bad.onnx"))
    assert "\n" not in str(caught.value)


def somebody_behind_a_van(picture: int, clothes: tuple[int, int, int]) -> tuple[Image, Detections]:
    """Return a frame: in red first, unseen for two seconds, then farther on in ``clothes``."""
    image = np.full((200, 400, 3), 120, np.uint8)
    if 20 <= picture < 80:
        return image, Detections.empty()
    left = 100 if picture < 20 else 200
    person(image, left, 40, RED if picture < 20 else clothes, BLUE)
    return image, Detections([[left, 40, left + 30, 160]], [0.9], [0])


@pytest.mark.parametrize(("clothes", "expected"), [(RED, 1), (GREEN, 2)])
def test_in_a_run_the_pictures_reach_the_tracker(clothes: tuple[int, int, int], expected: int) -> None:
    shown = [somebody_behind_a_van(i, clothes) for i in range(90)]
    film = [Frame(image, i, i / 30) for i, (image, _) in enumerate(shown)]
    within = AppearanceTracker(BYTETracker(), size=(400, 200), neutral=ColorStripes.neutral)
    results = pipeline.run(
        film, ListDetector([found for _, found in shown]), VisualTracker(within, ColorStripes())
    )
    assert [one.tracks.track_id.tolist() for one in results][-1] == [expected]


def test_without_a_picture_only_boxes_count() -> None:
    tracker = VisualTracker(AppearanceTracker(BYTETracker()), ColorStripes())
    assert tracker.frame_rate == 30
    assert tracker.update(Detections([[0, 0, 10, 20]], [0.9], [0])).track_id.tolist() == [1]


def test_options_become_a_visual_tracker() -> None:
    assert isinstance(make_tracker("bytetrack", TrackerSettings(), 25.0, (64, 48)), BYTETracker)
    tracker = make_tracker("bytetrack", TrackerSettings(appearance="color", remember_s=90.0), 25.0, (64, 48))
    assert isinstance(tracker, VisualTracker)
    assert (tracker.tracker.remember_s, tracker.tracker.returning, tracker.frame_rate) == (90, True, 25)
    with pytest.raises(OptionError, match="--appearance color"):
        Options(remember=5.0)


def _network(path: Path, sign: float) -> Path:
    """A network that gives the root of the picture's mean, which is no number where that is below 0."""
    import openvino
    from openvino import opset13 as ops

    picture = ops.parameter([-1, 3, 8, 4], np.float32, name="x")
    mean = ops.reduce_mean(picture, ops.constant([1, 2, 3]), keep_dims=False)
    embeddings = ops.unsqueeze(ops.sqrt(ops.multiply(mean, ops.constant(np.float32(sign)))), ops.constant(1))
    model = openvino.Model([ops.concat([embeddings, embeddings], 1)], [picture])
    openvino.save_model(model, path, compress_to_fp16=False)
    return path


def test_a_network_that_gives_no_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nan\.xml is not a re-identification network: .*nan"):
        ReidNetwork(_network(tmp_path / "nan.xml", 1.0))


def test_what_is_not_a_number_identifies_nobody(tmp_path: Path) -> None:
    network = ReidNetwork(_network(tmp_path / "some.xml", -1.0))
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, 30:] = 255
    embeddings = network.embed(picture, np.array([[0, 0, 20, 40], [35, 0, 55, 40]], float))
    assert np.isfinite(embeddings[0]).all() and np.isnan(embeddings[1]).all()
    tracker = AppearanceTracker(
        MotionTracker(frame_rate=10), neutral=network.neutral, size=(60, 40), remember_s=5.0
    )
    ids = set()
    for step in range(30):
        boxes = np.array([[step * 0.5, 0, 20 + step * 0.5, 40], [35, 0, 55, 40]], float)
        found = Detections(boxes, np.array([0.9, 0.9]), np.zeros(2, int))
        tracks = tracker.update(found, 1.0, lambda rows, boxes=boxes: network.embed(picture, boxes[rows]))
        assert np.isfinite(tracks.xyxy).all()
        ids |= set(tracks.track_id.tolist())
    assert ids == {1, 2}
