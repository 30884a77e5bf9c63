"""Masks, keypoints and rotated boxes are those of ultralytics' own ``predict``, on either backend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bytetrack import Detections
from bytetrack.masks import Crop, Masks
from bytetrack.rotated import alike, regular
from bytetrack.types import FloatArray
from tests.quick import examples
from tracker.detectors import Settings, open_detector
from tracker.detectors.openvino_model import cache_path, converted
from tracker.detectors.quiet import quiet
from tracker.detectors.shapes import suppress_rotated
from tracker.detectors.windows import Layout, Window, together
from tracker.types import Image, WeightsError

HEADS: dict[str, list[Any]] = {
    "segment": ["Segment", ["nc", 8, 16]],
    "pose": ["Pose", ["nc", [5, 3]]],
    "obb": ["OBB", ["nc", 1]],
    "segment26": ["Segment26", ["nc", 8, 16]],
    "pose26": ["Pose26", ["nc", [5, 3]]],
    "obb26": ["OBB26", ["nc", 1]],
}
FAMILIES = {  # whole networks, a quarter as wide as the smallest that there are
    f"{kind}{family}": f"{family}n-{suffix}.yaml"
    for family in ("yolo11", "yolo26")
    for kind, suffix in (("segment", "seg"), ("pose", "pose"), ("obb", "obb"))
}
NARROW = [0.5, 0.125, 1024]  # depth, width and most channels
Make = Callable[[str], Path]


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return what makes untrained weights of a kind, which see things everywhere."""
    folder, made = tmp_path_factory.mktemp("shapes"), dict[str, Path]()

    def weights(name: str) -> Path:
        if name not in made:
            made[name] = folder / f"{name}.pt"
            _save(name, made[name])
        return made[name]

    return weights


def _save(name: str, path: Path) -> None:
    with quiet():
        import torch
        from ultralytics.nn import tasks

        torch.manual_seed(7)
        kind, final = _kind(name), name.endswith("26")
        maker = {
            "segment": tasks.SegmentationModel,
            "pose": tasks.PoseModel,
            "obb": tasks.OBBModel,
        }[kind]
        layers = [[-1, 1, "Conv", [width, 3, 2]] for width in (8, 16, 32, 32, 32)]
        config: dict[str, Any]
        if name in FAMILIES:
            config = tasks.yaml_model_load(FAMILIES[name]) | {"scales": {"n": NARROW}, "nc": 3}
        else:
            config = {"nc": 3, "backbone": layers, "head": [[[2, 3, 4], 1, *HEADS[name]]]}
            config |= {"end2end": True, "reg_max": 1} if final else {}
        if kind == "pose":
            config["kpt_shape"] = [5, 3]
        model = maker(config, verbose=False)
        model.task = kind
        model.names = {0: "ship", 1: "plane", 2: "car"}
        norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
        for norm in norms:
            norm.running_mean.normal_(0, 0.1)
            norm.running_var.uniform_(0.05, 0.2)
        if name in FAMILIES:  # so many layers need the means and variances of a picture
            for norm in norms:
                norm.momentum = 1.0
            blurred = torch.nn.functional.interpolate(torch.rand(2, 3, 12, 12), (192, 192), mode="bicubic")
            with torch.no_grad():
                model.train()(blurred)
            model.eval()
        head = model.model[-1]
        branches = [(head.cv2, head.cv3, head.cv4)]
        if final:
            branches.append((head.one2one_cv2, head.one2one_cv3, head.cv4))
        with torch.no_grad():
            for boxes_of, classes_of, extra_of in branches:
                for boxes, classes, extra in zip(boxes_of, classes_of, extra_of, strict=True):
                    boxes[-1].weight.normal_(0, 0.03 if final else 0.5)
                    boxes[-1].bias.fill_(2 if final else 0)
                    classes[-1].weight.normal_(0, 0.5)
                    classes[-1].bias.fill_(-4)
                    if name in FAMILIES:  # more of what is seen scores alike, and less of it is wanted
                        classes[-1].weight.normal_(0, classes[-1].in_channels ** -0.5)
                        classes[-1].bias.fill_(-3.7)
                    if isinstance(extra, torch.nn.Sequential) and hasattr(extra[-1], "weight"):
                        extra[-1].weight.normal_(0, 0.5)
        torch.save({"model": model}, path)


def _kind(name: str) -> str:
    return next(kind for kind in ("segment", "pose", "obb") if name.startswith(kind))


@pytest.fixture(scope="module")
def scene() -> Image:
    """Return a picture that the networks see something in everywhere."""
    noise = np.random.default_rng(3).integers(0, 255, (12, 16, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(noise, (512, 384), interpolation=cv2.INTER_CUBIC))


@pytest.fixture
def predict(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, Image], Any]:
    """Return ultralytics' ``YOLO.predict`` with our floor, overlap and size."""
    from ultralytics.nn.autobackend import AutoBackend

    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError):  # a build that does not fit torch; predict imports it to warm up
        monkeypatch.setattr(AutoBackend, "warmup", lambda *_, **__: None)
    return _predict


def _predict(weights: Path, image: Image) -> Any:
    with quiet():
        from ultralytics import YOLO

        options: dict[str, Any] = {
            "conf": 0.1,
            "iou": 0.7,
            "imgsz": 320,
            "agnostic_nms": True,
            "device": "cpu",
            "retina_masks": True,
        }
        return YOLO(weights).predict(np.array(image), verbose=False, **options)[0]


CASES = [
    *((name, backend) for name in HEADS for backend in ("torch", "openvino")),
    *((name, "torch") for name in FAMILIES),
    *((name, "openvino") for name in ("segmentyolo11", "segmentyolo26", "poseyolo26", "obbyolo26")),
]


@pytest.mark.slow_after(1)
@pytest.mark.parametrize(("name", "backend"), CASES)
def test_what_is_found_equals_predict(
    name: str, backend: str, make: Make, scene: Image, predict: Callable[[Path, Image], Any]
) -> None:
    weights = make(name)
    settings = Settings(backend=backend, device="cpu", precision="fp32", imgsz=320)
    with open_detector(weights, settings) as detector:
        (ours,) = detector.detect([scene])
        assert detector.kind == _kind(name)
    theirs = predict(weights, scene)
    boxes = theirs.obb if name.startswith("obb") else theirs.boxes
    assert len(ours) > 5
    there = Detections.from_ultralytics(boxes)
    matched = _pairs(ours, there)
    assert len(matched) >= 0.98 * max(len(ours), len(there))
    for mine, other in matched:
        if ours.keypoints is not None:
            points = theirs.keypoints.data.cpu().numpy()[other]
            np.testing.assert_allclose(ours.keypoints[mine][:, :2], points[:, :2], atol=0.5)
            np.testing.assert_allclose(ours.keypoints[mine][:, 2], points[:, 2], atol=0.01)
        if ours.rotated is not None:
            expected = theirs.obb.xywhr.cpu().numpy()[[other]]
            np.testing.assert_allclose(ours.rotated[[mine]], regular(expected), atol=0.5)
            assert abs(ours.rotated[mine, 4] - regular(expected)[0, 4]) < 0.01
        if ours.masks is not None:
            expected = theirs.masks.data[other].cpu().numpy() > 0
            picture = ours.masks.picture(mine)
            either = np.count_nonzero(picture | expected)
            assert np.count_nonzero(picture & expected) >= 0.98 * either or either < 200


def _pairs(ours: Detections, theirs: Detections) -> list[tuple[int, int]]:
    found = []
    for row in range(len(ours)):
        near = (np.abs(theirs.xyxy - ours.xyxy[row]) <= 0.5).all(1)
        near &= (np.abs(theirs.score - ours.score[row]) <= 0.01) & (theirs.class_id == ours.class_id[row])
        apart = np.abs(theirs.score - ours.score[row]) + np.abs(theirs.xyxy - ours.xyxy[row]).max(1)
        found += [(row, int(np.where(near, apart, np.inf).argmin()))] if near.any() else []
    return found


def test_a_classifier_is_refused_in_one_line(tmp_path: Path) -> None:
    with quiet():
        from ultralytics import YOLO

        YOLO("yolov8n-cls.yaml", verbose=False).save(tmp_path / "kinds-cls.pt")
    with (
        pytest.raises(WeightsError, match="is a classify model"),
        open_detector(tmp_path / "kinds-cls.pt", Settings(backend="torch", device="cpu")),
    ):
        pass


rotated_boxes = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0, 100), st.floats(2, 60), st.floats(2, 60), st.floats(-3, 3)),
    min_size=1,
    max_size=12,
)


@examples(50)
@given(rotated_boxes, st.integers(1, 8))
def test_suppression_does_not_depend_on_half_turns(boxes: list[tuple[float, ...]], most: int) -> None:
    rotated = np.array(boxes)
    turned = rotated + np.array([0, 0, 0, 0, np.pi])
    kept = suppress_rotated(rotated, 0.7, most)
    assert kept.tolist() == suppress_rotated(turned, 0.7, most).tolist()
    near = np.triu(alike(rotated, rotated) > 0.7, 1).any(axis=0)
    assert kept.tolist() == np.flatnonzero(~near)[:most].tolist()


def test_a_window_moves_shapes_with_their_boxes() -> None:
    """A picture of 200x100 at half scale: the window's right half of it stands at (32, 0) of the input."""
    layout = Layout((100, 200), (50, 100), (64, 96), (Window(50, 0, 50, 50, 32, 0),))
    found = Detections(
        [[42, 10, 62, 30]],
        [0.9],
        [0],
        masks=Masks.of([Crop(42, 10, np.ones((20, 20), bool))], (64, 96)),
        keypoints=np.array([[[52, 20, 0.5]]]),
        rotated=None,
    )
    (moved,) = layout.split([found])
    assert moved.xyxy.tolist() == [[120, 20, 160, 60]]
    assert moved.keypoints is not None and moved.keypoints.tolist() == [[[140, 40, 0.5]]]
    assert moved.masks is not None and moved.masks.size == (100, 200)
    assert moved.masks.xyxy.tolist() == [[120, 20, 160, 60]]
    (turned,) = layout.split([Detections(found.xyxy, [0.9], [0], rotated=np.array([[52, 20, 20, 10, 0.5]]))])
    assert turned.rotated is not None
    np.testing.assert_allclose(turned.rotated, [[140, 40, 40, 20, 0.5]])


def test_what_some_parts_lack_is_unknown_where_all_are_joined() -> None:
    box: FloatArray = np.array([[0, 0, 9, 9]])
    masks = Masks.of([Crop(2, 3, np.ones((4, 5), bool))], (20, 30))
    whole = together(
        [Detections(box, [0.5], [0]), Detections(box, [0.9], [1], masks=masks, keypoints=np.ones((1, 2, 3)))]
    )
    assert whole.masks is not None and whole.masks.area.tolist() == [0, 20]
    assert whole.keypoints is not None and np.isnan(whole.keypoints[0]).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["obb", "segment", "pose"])
def test_what_predict_hands_out_is_taken_with_its_shapes(
    name: str, make: Make, scene: Image, predict: Callable[[Path, Image], Any]
) -> None:
    theirs = predict(make(name), scene)
    found = Detections.from_ultralytics(theirs)
    assert len(found) > 5
    if name == "obb":
        np.testing.assert_array_equal(found.rotated, theirs.obb.xywhr.numpy())
    elif name == "pose":
        np.testing.assert_array_equal(found.keypoints, theirs.keypoints.data.numpy())
    else:
        assert found.masks is not None
        assert (found.masks.pictures() == theirs.masks.data.numpy().astype(bool)).all()


@pytest.mark.slow
def test_an_int8_model_of_another_kind_is_refused_in_one_line(make: Make, untrained: Path) -> None:
    """Mask weights, and a folder with a model that was made of weights for boxes."""
    for weights in (make("segment"), untrained):
        converted(weights)
    settings = Settings(int8=True, int8_model=str(cache_path(untrained, int8=False)))
    with (
        pytest.raises(WeightsError, match=r"is a detect model, and segment\.pt is a segment model"),
        open_detector(make("segment"), settings),
    ):
        pass
