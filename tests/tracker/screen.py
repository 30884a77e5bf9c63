"""Typing into a virtual screen, and looking at it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import numpy as np

TOOLS = ("Xvfb", "xdotool", "import")


def xdotool(*words: str) -> None:
    subprocess.run(["xdotool", *words], check=True, timeout=10, capture_output=True)


def shot(path: Path) -> np.ndarray:
    subprocess.run(["import", "-window", "root", str(path)], check=True, timeout=20, capture_output=True)
    image = cv2.imread(str(path))
    assert image is not None
    return image
