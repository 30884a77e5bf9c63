"""Use ultralytics and OpenVINO without what they do on the side."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import cv2
import numpy as np

from tracker.detectors.places import cache_folder

# Read by ultralytics while it is imported: no package installs, network checks, usage reports or banner.
ENVIRONMENT = {"YOLO_AUTOINSTALL": "False", "YOLO_OFFLINE": "True", "YOLO_VERBOSE": "False"}


@contextmanager
def quiet() -> Iterator[None]:
    """Import ultralytics if need be, and silence it inside the ``with``.

    Without this it writes a settings file into the user's configuration, asks the network whether it is
    there, reports usage, may install packages that weights ask for, turns OpenCV's threads off and changes
    how numpy prints. A process that imported it before keeps its own settings.
    """
    if "ultralytics" not in sys.modules:
        _import()
    from ultralytics.utils import LOGGER, checks

    level, autoinstall = LOGGER.level, getattr(checks, "AUTOINSTALL", None)
    LOGGER.setLevel(logging.CRITICAL)
    if autoinstall is not None:
        checks.AUTOINSTALL = False
    try:
        yield
    finally:
        LOGGER.setLevel(level)
        if autoinstall is not None:
            checks.AUTOINSTALL = autoinstall


def quiet_openvino() -> Any:
    """Import OpenVINO without the package that reports its use; raises ``ImportError`` where it is not."""
    with unreported():
        import openvino
    return openvino


@contextmanager
def unreported() -> Iterator[None]:
    """Let imports of OpenVINO and NNCF fail to find what reports their use; they foresee that."""
    if "openvino_telemetry" in sys.modules:
        yield  # somebody else's choice
        return
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment] # how Python says: not to be imported
    try:
        yield
    finally:
        del sys.modules["openvino_telemetry"]


@contextmanager
def unlogged() -> Iterator[None]:
    """Keep back what libraries log below an error, whatever their loggers are called.

    torch, for one, logs a line about CUDA when NNCF asks what it could compile.
    """
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        yield
    finally:
        logging.disable(before)


def _import() -> None:
    before = dict(os.environ)  # it sets variables of its own, such as OMP_NUM_THREADS, which children inherit
    printing, threads = np.get_printoptions(), cv2.getNumThreads()
    os.environ.update(ENVIRONMENT)
    with suppress(OSError):  # a cache that cannot be written: ultralytics then finds a folder for itself
        folder = cache_folder() / "ultralytics"
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("YOLO_CONFIG_DIR", str(folder))
    try:
        import ultralytics.utils  # noqa: F401 - for what it does while it is imported
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
        np.set_printoptions(**printing)
        cv2.setNumThreads(threads)
