from __future__ import annotations

import re
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from bytetrack import BYTETracker, Detections, Tracks


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("field", ["xyxy", "score"])
def test_what_is_not_finite_is_refused_by_row(field: str, value: float) -> None:
    xyxy, score = np.tile([0.0, 0, 9, 9], (4, 1)), np.full(4, 0.5)
    {"xyxy": xyxy, "score": score}[field][2] = value
    with pytest.raises(ValueError, match="detection 2 is not finite"):
        Detections(xyxy, score, np.zeros(4, int))


def test_huge_but_finite_numbers_are_finite() -> None:
    huge = np.finfo(np.float32).max
    assert len(Detections(np.full((9, 4), huge, np.float32), np.full(9, 0.5), np.zeros(9, int))) == 9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 0, 9]], [0.5], [0]), r"\(N, 4\), got \(1, 3\)"),
        (([0, 0, 9, 9], [0.5], [0]), r"\(N, 4\), got \(4,\)"),
        (([[0, 0, 9, 9]], [0.5, 0.4], [0]), r"must have shape \(1,\)"),
        (([[0, 0, 9, 9]], [0.5], []), r"must have shape \(1,\)"),
    ],
)
def test_shapes_that_do_not_fit(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Detections(*arguments)


def test_one_index_selects_from_every_field() -> None:
    detections = Detections(np.arange(12.0).reshape(3, 4), [0.1, 0.2, 0.3], [5, 6, 7])
    for rows in ([0, 2], np.array([True, False, True]), slice(None, None, 2)):
        chosen = detections[rows]
        assert chosen.class_id.tolist() == [5, 7] and chosen.score.tolist() == [0.1, 0.3]
        assert chosen.xyxy[:, 0].tolist() == [0, 8]
        assert chosen.features is None


def test_one_index_selects_from_what_is_optional_too() -> None:
    detections = Detections(
        np.arange(12.0).reshape(3, 4), [0.1, 0.2, 0.3], [5, 6, 7], [[1, 2], [3, np.nan], [5, 6]]
    )
    for rows in ([2, 0], np.array([2, 0]), slice(None, None, -2)):
        chosen = detections[rows].features
        assert chosen is not None and chosen.tolist() == [[5, 6], [1, 2]]
    one = detections[[1]].features
    assert one is not None and np.isnan(one[0, 1]), "what is not known of a feature is no error"


@pytest.mark.parametrize("features", [[0.5], [[0.5], [0.5]], 0.5, []])
def test_features_that_do_not_fit_the_boxes(features: object) -> None:
    with pytest.raises(ValueError, match=r"features must have shape \(1, F\)"):
        Detections([[0, 0, 9, 9]], [0.5], [0], features)


class Tensor:
    """What matters of a torch tensor on a device: numpy() works after cpu() alone."""

    def __init__(self, values: object) -> None:
        self.values = np.asarray(values, np.float32)

    def cpu(self) -> np.ndarray:
        return self.values


def test_from_ultralytics() -> None:
    boxes = SimpleNamespace(xyxy=Tensor([[0, 0, 9, 9]]), conf=Tensor([0.5]), cls=Tensor([2.0]))
    for given in (SimpleNamespace(boxes=boxes), boxes):
        detections = Detections.from_ultralytics(given)
        assert detections.class_id.tolist() == [2] and detections.class_id.dtype == np.int64
        assert detections.xyxy.tolist() == [[0, 0, 9, 9]]
    assert len(Detections.from_ultralytics(SimpleNamespace(boxes=None))) == 0


@pytest.mark.slow
def test_from_ultralytics_own_results() -> None:
    torch = pytest.importorskip("torch")
    results = pytest.importorskip("ultralytics.engine.results")
    found = results.Results(
        np.zeros((20, 20, 3), np.uint8), "x.jpg", {0: "person"}, boxes=torch.tensor([[1.0, 2, 3, 4, 0.5, 0]])
    )
    detections = Detections.from_ultralytics(found)
    assert detections.xyxy.tolist() == [[1, 2, 3, 4]] and detections.score.tolist() == [0.5]


def test_supervision_there_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    class Theirs(SimpleNamespace):
        def __len__(self) -> int:
            return len(self.xyxy)

    bare = Theirs(xyxy=np.array([[0.0, 0, 9, 9]]), confidence=None, class_id=None)
    assert Detections.from_supervision(bare).score.tolist() == [1]
    module = ModuleType("supervision")
    module.Detections = Theirs  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "supervision", module)
    tracks = Tracks(*(np.array(v) for v in ([4], [[0.0, 0, 9, 9]], [0.5], [2], [0])))
    theirs = tracks.to_supervision()
    assert theirs.tracker_id.tolist() == [4] and theirs.data["source"].tolist() == [0]
    assert Detections.from_supervision(theirs).class_id.tolist() == [2]


@pytest.mark.parametrize(
    ("module", "name", "told"),
    [
        ("ultralytics.engine.results", "Results", "from_ultralytics(results)"),
        ("ultralytics.engine.results", "Boxes", "from_ultralytics(results)"),
        ("supervision.detection.core", "Detections", "from_supervision(results)"),
    ],
)
def test_what_others_hand_out_is_told_how_to_convert(module: str, name: str, told: str) -> None:
    theirs = type(name, (), {"__module__": module})()
    with pytest.raises(ValueError, match=re.escape(f"update(Detections.{told})")):
        BYTETracker().update(theirs)
    with pytest.raises(ValueError, match=re.escape("results[0]")):
        BYTETracker().update([theirs])


def test_the_call_of_the_official_code_is_told_what_to_write() -> None:
    options = type("Namespace", (), {"track_thresh": 0.5})()
    with pytest.raises(ValueError, match="track_thresh must be a number, not Namespace; write BYTETracker"):
        BYTETracker(options, 30)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="dt must be a time"):
        BYTETracker().update(np.empty((0, 6)), [720, 1280])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not dict"):
        BYTETracker().update({})  # type: ignore[arg-type]


@pytest.mark.parametrize("score", [90.0, -0.5, 1.5])
def test_scores_of_percent_are_refused(score: float) -> None:
    with pytest.raises(ValueError, match=r"detection 1 has score -?\d+(\.5)?; scores go from 0 to 1"):
        Detections([[0, 0, 9, 9], [1, 1, 5, 5]], [0.9, score], [0, 0])
