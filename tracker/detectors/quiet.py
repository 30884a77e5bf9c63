"""Use ultralytics and OpenVINO without their side effects: logs, network, usage reports, settings."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import cv2
import numpy as np

from tracker.detectors.user_folders import cache_folder

# Read by ultralytics while it is imported: no package installs, network checks, usage reports or banner.
ENVIRONMENT = {"YOLO_AUTOINSTALL": "False", "YOLO_OFFLINE": "True", "YOLO_VERBOSE": "False"}


@contextmanager
def quiet() -> Iterator[None]:
    """Import ultralytics if it is not yet, and silence it inside the ``with``.

    Otherwise it writes a settings file into the user's configuration, checks the network, reports usage, may
    install packages that weights ask for, turns OpenCV's threads off and changes how numpy prints. If the
    process imported it before, its settings are kept.
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
    """Import OpenVINO without its telemetry; raises ``ImportError`` if it is not installed."""
    with unreported():
        import openvino
    return openvino


@contextmanager
def unreported() -> Iterator[None]:
    """Hide the telemetry package from OpenVINO and NNCF, which work without it."""
    if "openvino_telemetry" in sys.modules:
        yield  # the process imported it on purpose
        return
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment] # Python's way to forbid an import
    try:
        yield
    finally:
        del sys.modules["openvino_telemetry"]


@contextmanager
def unlogged() -> Iterator[None]:
    """Silence logs below errors of all libraries.

    For example, torch logs a line about CUDA when NNCF asks what it could compile.
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
