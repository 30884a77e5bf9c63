"""One contract over every backend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bytetrack import Detections
from tracker.contracts import Detector
from tracker.detectors import Settings, open_detector
from tracker.types import Frame, Image, OptionError, Stopwatch, WeightsError


def pictures(count: int, size: tuple[int, int] = (96, 160), seed: int = 0) -> list[Image]:
    """Return read-only noise, each picture another."""
    random = np.random.default_rng(seed)
    images = [random.integers(0, 256, (*size, 3), dtype=np.uint8) for _ in range(count)]
    for image in images:
        image.flags.writeable = False
    return images


def frames(images: list[Image]) -> list[Frame]:
    return [Frame(image, index, index / 10) for index, image in enumerate(images)]


def same(first: Detections, second: Detections, atol: float = 0.02) -> None:
    np.testing.assert_allclose(first.xyxy, second.xyxy, atol=atol)
    np.testing.assert_allclose(first.score, second.score, atol=1e-4)
    np.testing.assert_array_equal(first.class_id, second.class_id)


class DetectorContract:
    """What every backend promises; a subclass names the backend."""

    backend: str

    def open(self, weights: Path, stopwatch: Stopwatch | None = None, **options: Any) -> Detector:
        asked = {"backend": self.backend, "imgsz": 160, "conf": 0.001, "device": "cpu"} | options
        return open_detector(weights, Settings(**asked), stopwatch=stopwatch)

    def test_it_knows_the_names(self, untrained: Path) -> None:
        with self.open(untrained) as detector:
            assert dict(detector.names) == {0: "person", 1: "traffic light", 2: "car"}

    @pytest.mark.slow
    def test_one_result_per_picture_in_order(self, untrained: Path) -> None:
        images = pictures(3) + pictures(1, (160, 96)) + pictures(2, (64, 64))
        with self.open(untrained, batch=2) as detector:
            together = detector.detect(images)
            alone = [detector.detect([image])[0] for image in images]
            assert detector.detect([]) == []
        assert len(together) == len(images)
        assert min(len(found) for found in together) > 0
        for one, other in zip(together, alone, strict=True):
            same(one, other)

    def test_what_a_detection_is(self, untrained: Path) -> None:
        with self.open(untrained, conf=0.002) as detector:
            (found,) = detector.detect(pictures(1))
        assert found.xyxy.dtype.kind == "f"
        assert found.class_id.dtype.kind == "i"
        assert (found.score >= 0.002).all()
        assert (found.score <= 1).all()
        assert (np.diff(found.score) <= 0).all()
        assert (found.xyxy >= 0).all()
        assert (found.xyxy <= [160, 96, 160, 96]).all()
        assert (found.xyxy[:, :2] < found.xyxy[:, 2:]).all()

    @pytest.mark.slow
    def test_pictures_are_not_changed(self, untrained: Path) -> None:
        images = pictures(2)
        before = [image.copy() for image in images]
        with self.open(untrained) as detector:
            list(detector.stream(frames(images)))
        assert all((now == then).all() for now, then in zip(images, before, strict=True))

    @pytest.mark.slow
    @pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2), (32, 32), (33, 31)])
    def test_any_size(self, untrained: Path, size: tuple[int, int]) -> None:
        with self.open(untrained) as detector:
            (found,) = detector.detect(pictures(1, size))
        assert (found.xyxy <= [size[1], size[0]] * 2).all()

    @pytest.mark.slow
    def test_classes_by_name_and_id(self, untrained: Path) -> None:
        with self.open(untrained) as detector:
            everything = detector.detect(pictures(1))[0]
        with self.open(untrained, classes=["car", 0]) as detector:
            chosen = detector.detect(pictures(1))[0]
        assert set(everything.class_id) == {0, 1, 2}
        assert set(chosen.class_id) == {0, 2}

    def test_an_unknown_class(self, untrained: Path) -> None:
        with pytest.raises(OptionError, match="did you mean 'car'"), self.open(untrained, classes=["carr"]):
            pass

    @pytest.mark.slow
    def test_no_two_boxes_of_one_object_whatever_their_class(self, untrained: Path) -> None:
        with self.open(untrained, iou=0.3, imgsz=320, max_det=3000) as detector:
            (found,) = detector.detect(pictures(1, (320, 320)))
        left_top = np.maximum(found.xyxy[:, None, :2], found.xyxy[None, :, :2])
        right_bottom = np.minimum(found.xyxy[:, None, 2:], found.xyxy[None, :, 2:])
        shared = (right_bottom - left_top).clip(0).prod(2)
        area = (found.xyxy[:, 2:] - found.xyxy[:, :2]).prod(1)
        whole = (found.xyxy > 1).all(1) & (found.xyxy < 319).all(1)  # not cut at an edge
        overlap = shared / (area[:, None] + area[None] - shared)
        np.fill_diagonal(overlap, 0)
        assert len(set(found.class_id[whole])) > 1
        assert overlap[np.ix_(whole, whole)].max() <= 0.3 + 1e-3

    @pytest.mark.slow
    def test_max_det_keeps_the_best(self, untrained: Path) -> None:
        with self.open(untrained) as detector:
            everything = detector.detect(pictures(1))[0]
        with self.open(untrained, max_det=3) as detector:
            same(detector.detect(pictures(1))[0], everything[:3])

    @pytest.mark.slow
    def test_the_stream_is_detect_in_order(self, untrained: Path) -> None:
        images = pictures(5) + pictures(2, (160, 96)) + pictures(3)
        given = frames(images)
        with self.open(untrained) as detector:
            expected = [detector.detect([image])[0] for image in images]
            answers = list(detector.stream(iter(given)))
            assert list(detector.stream([])) == []
        assert [frame for frame, _ in answers] == given
        for (_, found), wanted in zip(answers, expected, strict=True):
            same(found, wanted)

    @pytest.mark.slow
    def test_few_frames_are_in_flight(self, untrained: Path) -> None:
        taken = 0

        def endless() -> Iterator[Frame]:
            nonlocal taken
            (image,) = pictures(1)
            while True:
                taken += 1
                yield Frame(image, taken, taken / 10)

        with self.open(untrained) as detector:
            stream = detector.stream(endless())
            for given in range(1, 30):
                next(stream)
                assert taken <= given + 8
            stream.close()  # type: ignore[attr-defined]

    @pytest.mark.slow
    def test_an_error_of_the_source_comes_through(self, untrained: Path) -> None:
        def broken() -> Iterator[Frame]:
            yield from frames(pictures(2))
            raise RuntimeError("the disk burns")

        with self.open(untrained) as detector:
            with pytest.raises(RuntimeError, match="the disk burns"):
                list(detector.stream(broken()))
            assert len(detector.detect(pictures(1))) == 1  # and the detector still works

    @pytest.mark.slow
    def test_a_stream_may_be_left_and_another_begun(self, untrained: Path) -> None:
        images = pictures(6)
        with self.open(untrained) as detector:
            first = detector.stream(frames(images))
            next(first)
            first.close()  # type: ignore[attr-defined]
            assert len(list(detector.stream(frames(images)))) == 6

    @pytest.mark.slow
    def test_time_is_counted(self, untrained: Path) -> None:
        watch = Stopwatch()
        with self.open(untrained, stopwatch=watch) as detector:
            list(detector.stream(frames(pictures(2))))
        assert set(watch.seconds) == {"detect"}
        assert watch.seconds["detect"] > 0

    def test_any_file_name(self, untrained: Path, tmp_path: Path) -> None:
        odd = tmp_path / "Zoë's best weights.pt"
        odd.write_bytes(untrained.read_bytes())
        with self.open(odd) as detector:
            assert len(detector.names) == 3

    @pytest.mark.parametrize("content", [b"", b"no model at all", b"PK\x03\x04 torn off", b"\x80\x04K\x01."])
    def test_a_file_that_is_not_weights(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "it's not.pt"
        path.write_bytes(content)
        with pytest.raises(WeightsError) as error, self.open(path):
            pass
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)
        assert path.read_bytes() == content


class TestOpenVino(DetectorContract):
    backend = "openvino"


@pytest.mark.slow
class TestTorch(DetectorContract):
    backend = "torch"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"backend": "tensorflow"}, "no backend 'tensorflow'"),
        ({"conf": -0.1}, "score floor"),
        ({"conf": float("nan")}, "score floor"),
        ({"iou": 0}, "--iou"),
        ({"iou": 1.5}, "--iou"),
        ({"imgsz": 0}, "--imgsz"),
        ({"imgsz": 10**6}, "--imgsz"),
        ({"max_det": 0}, "--max-det"),
        ({"batch": 0}, "--batch"),
    ],
)
def test_absurd_options(untrained: Path, options: dict[str, Any], text: str) -> None:
    with pytest.raises(OptionError, match=text):
        open_detector(untrained, Settings(**options))


@pytest.mark.parametrize("device", ["99", "cuda:99", "tpu", "-1", ""])
def test_a_device_that_is_not_there(untrained: Path, device: str) -> None:
    with (
        pytest.raises(OptionError, match=r"--device .*(try --device|expected auto)") as error,
        open_detector(untrained, Settings(backend="torch", device=device)),
    ):
        pass
    assert "\n" not in str(error.value)


def test_half_needs_a_gpu(untrained: Path) -> None:
    with (
        pytest.raises(OptionError, match="--half needs a GPU"),
        open_detector(untrained, Settings(backend="torch", device="cpu", half=True)),
    ):
        pass


def test_a_model_without_boxes(tmp_path: Path) -> None:
    import torch
    from ultralytics.nn.tasks import ClassificationModel

    model = ClassificationModel("yolov8n-cls.yaml", nc=2, verbose=False)
    torch.save({"model": model, "train_args": {"task": "classify"}}, tmp_path / "cls.pt")
    with (
        pytest.raises(WeightsError, match="is a classify model"),
        open_detector(tmp_path / "cls.pt", Settings(backend="torch")),
    ):
        pass
