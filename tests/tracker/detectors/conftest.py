"""Weights that need no download: the network as it is before any training."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tracker.detectors.quiet import quiet
from tracker.types import Image


@pytest.fixture(scope="session", autouse=True)
def quiet_import() -> None:
    """Import ultralytics the way we do, so that a test that imports it changes nothing of the user's."""
    with quiet():
        pass


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where converted models are kept during the tests: converting takes seconds."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(autouse=True)
def own_cache(
    tmp_path_factory: pytest.TempPathFactory, models: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Keep every test out of the user's cache and away from the user's weights."""
    from tracker.detectors import user_folders

    folder: Path = tmp_path_factory.mktemp("cache")
    (folder / "openvino").symlink_to(models)
    monkeypatch.setattr(user_folders, "user_cache_path", lambda *_, **__: folder)
    monkeypatch.setattr(user_folders, "user_data_path", lambda *_, **__: models / "key")
    monkeypatch.delenv("TRACK_WEIGHTS_DIR", raising=False)
    return folder


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a YOLO of three classes with random weights and few layers: it sees things everywhere."""
    path: Path = tmp_path_factory.mktemp("weights") / "untrained.pt"
    with quiet():
        import torch
        from ultralytics.nn.tasks import DetectionModel

        torch.manual_seed(7)
        layers = [[-1, 1, "Conv", [width, 3, 2]] for width in (8, 16, 32, 32, 32)]
        head = [[[2, 3, 4], 1, "Detect", ["nc"]]]  # as in every YOLOv8: maps of strides 8, 16 and 32
        model = DetectionModel({"nc": 3, "backbone": layers, "head": head}, verbose=False)
        model.names = {0: "person", 1: "traffic light", 2: "car"}
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):  # as if trained: activations neither die nor explode
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.05, 0.2)
        with torch.no_grad():
            for boxes, classes in zip(model.model[-1].cv2, model.model[-1].cv3, strict=True):
                boxes[-1].weight.normal_(0, 0.5)  # boxes of many sizes
                classes[-1].weight.normal_(0, 0.5)
                classes[-1].bias.fill_(-4)  # of all classes, most of them unlikely
        torch.save({"model": model}, path)
    return path


@pytest.fixture(scope="session")
def bus() -> Image:
    """Return the photograph that ultralytics ships: a bus and four people, (1080, 810, 3)."""
    from ultralytics.utils import ASSETS

    image = cv2.imread(str(ASSETS / "bus.jpg"))
    assert image is not None
    image.flags.writeable = False
    return np.asarray(image)
