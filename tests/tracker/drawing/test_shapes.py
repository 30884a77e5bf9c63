"""Masks, skeletons and rotated boxes are drawn where they are; who is to be blurred cannot be recognised."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from bytetrack import Detections, Tracks
from bytetrack.masks import Crop, Masks
from bytetrack.rotated import corners
from tracker.drawing.annotate import DrawOptions, draw, draw_pixels
from tracker.drawing.blur import Blurring, blurred
from tracker.drawing.shapes import JOINTS, outlines
from tracker.options import Options
from tracker.planes import to_yuv
from tracker.run.painter import blurring
from tracker.types import Frame, Image, OptionError, Planes, Result

SIZE = 200, 300  # height, width
BARE = DrawOptions(labels=False, boxes=False)
NAMES = {0: "person", 2: "car"}


def _picture() -> Image:
    image: Image = np.random.default_rng(5).integers(0, 255, (*SIZE, 3)).astype(np.uint8)
    image.flags.writeable = False
    return image


def _tracks(x: int = 100) -> Tracks:
    inside = np.ones((60, 40), bool)
    inside[20:30, 10:20] = False
    keypoints = np.tile([x + 20.0, 80.0, 0.9], (1, JOINTS, 1))
    keypoints[0, :, 1] += np.arange(JOINTS) * 2
    return Tracks(
        np.array([1]),
        np.array([[x, 50.0, x + 40, 110]]),
        np.array([0.9]),
        np.array([0]),
        np.array([0]),
        masks=Masks.of([Crop(x, 50, inside)], SIZE),
        keypoints=keypoints,
        rotated=np.array([[x + 20.0, 80, 60, 30, 0.5]]),
    )


def _result(tracks: Tracks, image: Image | None = None) -> Result:
    return Result(Frame(_picture() if image is None else image, 0, 0.0), Detections.empty(), tracks)


def _planes(image: Image) -> Planes:
    y, u, v = cv2.split(cv2.transform(image, to_yuv(1)))
    half = SIZE[1] // 2, SIZE[0] // 2
    return Planes(y, *(np.asarray(cv2.resize(p, half, interpolation=cv2.INTER_AREA)) for p in (u, v)), 1)


def test_a_mask_colours_what_is_inside_and_leaves_the_rest() -> None:
    tracks = replace(_tracks(), keypoints=None, rotated=None)
    drawn, bare = draw(_result(tracks), NAMES, options=BARE), _picture()
    changed = (drawn != bare).any(axis=2)
    assert tracks.masks is not None
    inside = tracks.masks.picture(0)
    assert changed[inside].mean() > 0.95
    near = cv2.dilate(inside.astype(np.uint8), np.ones((7, 7))) > 0
    assert not changed[~near].any()
    assert len(outlines(tracks.masks.crop(0))) == 2  # around it, and around its hole


def test_a_rotated_box_is_drawn_instead_of_the_upright_one() -> None:
    tracks = replace(_tracks(), keypoints=None, masks=None)
    drawn = draw(_result(tracks), NAMES, options=DrawOptions(labels=False))
    changed = (drawn != _picture()).any(axis=2)
    assert tracks.rotated is not None
    points = corners(tracks.rotated)[0].round().astype(int)
    around = np.zeros(SIZE, np.uint8)
    cv2.polylines(around, [points], True, 1, 7)
    assert changed.any() and not changed[around == 0].any()


def test_limbs_and_joints_are_drawn_where_they_are_sure() -> None:
    tracks = replace(_tracks(), rotated=None, masks=None)
    assert tracks.keypoints is not None
    drawn = draw(_result(tracks), NAMES, options=BARE)
    ys, xs = np.nonzero((drawn != _picture()).any(axis=2))
    assert abs(xs.mean() - 120) < 2 and ys.min() >= 75 and ys.max() <= 118
    unsure = replace(tracks, keypoints=tracks.keypoints * [1, 1, 0.1])
    assert (draw(_result(unsure), NAMES, options=BARE) == _picture()).all()


@pytest.mark.parametrize("kind", ["masks", "keypoints", "rotated"])
def test_planes_are_painted_as_pictures_are(kind: str) -> None:
    smooth: Image = np.asarray(cv2.GaussianBlur(_picture(), (0, 0), 9), np.uint8)
    none = {name: None for name in ("masks", "keypoints", "rotated") if name != kind}
    tracks = replace(_tracks(), **none)  # type: ignore[arg-type]  # fields that may be None
    options = replace(BARE, boxes=True, blurring=Blurring(frozenset([0])))
    frame = Frame.of(_planes(smooth), 0, 0.0)
    painted = draw_pixels(Result(frame, Detections.empty(), tracks), NAMES, options)
    expected = draw(_result(tracks, smooth), NAMES, options=options)
    assert isinstance(painted, Planes)
    assert np.abs(painted.bgr().astype(int) - expected).mean() < 2


def _detail(image: Image, x: int) -> float:
    return float(np.abs(np.diff(image[60:100, x + 4 : x + 36, 1].astype(int), axis=1)).mean())


@pytest.mark.parametrize("masked", [True, False])
def test_who_is_blurred_cannot_be_recognised(masked: bool) -> None:
    tracks = replace(_tracks(), keypoints=None, rotated=None)
    result = _result(tracks if masked else replace(tracks, masks=None))
    image = blurred(result, Blurring(frozenset([0])))
    assert _detail(image, 100) < 0.15 * _detail(_picture(), 100)
    assert (image[:40] == _picture()[:40]).all() and (image[:, :90] == _picture()[:, :90]).all()
    assert (blurred(result, Blurring(frozenset([2]))) == _picture()).all()
    detected = Detections(tracks.xyxy, [0.11], [0])  # too weak to be followed
    weak = Result(result.frame, detected, Tracks.empty())
    assert _detail(blurred(weak, Blurring(frozenset([0]))), 100) < 0.15 * _detail(_picture(), 100)


def test_a_face_is_blurred_and_the_body_is_not() -> None:
    image = blurred(_result(_tracks()), Blurring(faces=True))
    changed = (image != _picture()).any(axis=2)
    ys, xs = np.nonzero(changed)
    assert abs(xs.mean() - 120) < 2 and abs(ys.mean() - 84) < 2  # its five points are at y 80 to 88
    assert ys.max() < 100


def test_faces_of_another_skeleton_are_refused() -> None:
    tracks = _tracks()
    assert tracks.keypoints is not None
    others = replace(tracks, keypoints=tracks.keypoints[:, :5])
    with pytest.raises(OptionError, match="COCO's 17 keypoints, and these have 5"):
        blurred(_result(others), Blurring(faces=True))


def test_blur_takes_names_of_classes_all_and_face() -> None:
    assert blurring(Options(), NAMES) is None
    assert blurring(Options(blur=("person,face",)), NAMES) == Blurring(frozenset([0]), True)
    assert blurring(Options(blur=("face",)), NAMES) == Blurring(None, True)
    assert blurring(Options(blur=("all",)), NAMES) == Blurring(frozenset([0, 2]))
    assert blurring(Options(blur=("face",)), {0: "face"}) == Blurring(frozenset([0]))  # a network for faces
    with pytest.raises(OptionError, match="persn"):
        blurring(Options(blur=("persn",)), NAMES)


def test_labels_are_chosen_by_part() -> None:
    tracks = replace(_tracks(), keypoints=None, rotated=None, masks=None)
    pictures = {
        (ids, scores): draw(
            _result(tracks), NAMES, options=DrawOptions(ids=ids, confidences=scores)
        ).tobytes()
        for ids in (True, False)
        for scores in (True, False)
    }
    assert len(set(pictures.values())) == 4
    assert Options(show_conf=False).show_conf == "off"
