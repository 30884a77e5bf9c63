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
    from tracker.detectors import places

    folder: Path = tmp_path_factory.mktemp("cache")
    (folder / "openvino").symlink_to(models)
    monkeypatch.setattr(places, "user_cache_path", lambda *_, **__: folder)
    monkeypatch.delenv("TRACK_WEIGHTS_DIR", raising=False)
    return folder


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a YOLOv8n of three classes with random weights: it sees things everywhere."""
    path: Path = tmp_path_factory.mktemp("weights") / "untrained.pt"
    with quiet():
        import torch
        from ultralytics.nn.tasks import DetectionModel

        torch.manual_seed(7)
        model = DetectionModel("yolov8n.yaml", nc=3, verbose=False)
        model.names = {0: "person", 1: "traffic light", 2: "car"}
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):  # as if trained: activations neither die nor explode
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.05, 0.2)
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
