"""Embeddings of what objects look like: a colour histogram, which needs no model, or any ReID network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bytetrack.types import FloatArray
from tracker.trackers.appearance import Appearance, PictureAppearance
from tracker.types import Image, OptionError, WeightsError

KINDS = "none, color, self or MODEL.onnx"
# Of ImageNet: what such networks expect.
MEAN_RGB = (0.485, 0.456, 0.406)
DEVIATION_RGB = (0.229, 0.224, 0.225)


def open_appearance(kind: str) -> Appearance | None:
    """Return what ``--appearance`` names; None for ``none``.

    Raises ``OptionError`` for an unknown kind, ``WeightsError`` for a model that cannot be used.
    """
    if kind == "none":
        return None
    if kind == "color":
        return ColorStripes()
    if kind == "self":
        from tracker.trackers.detector_looks import DetectorLooks

        return DetectorLooks()
    if kind.lower().endswith(".onnx"):
        return ReidNetwork(Path(kind))
    raise OptionError(f"--appearance {kind!r} is unknown; give {KINDS}")


def crop(image: Image, xyxy: FloatArray, *, margin: float = 0.0) -> Image:
    """Return the part of the picture in a box, one pixel at least; ``margin`` narrows it at both sides."""
    height, width = image.shape[:2]
    inset = margin * (xyxy[2] - xyxy[0])
    left, right = np.clip((np.floor(xyxy[0] + inset), np.ceil(xyxy[2] - inset)), 0, width).astype(int)
    top, bottom = np.clip((np.floor(xyxy[1]), np.ceil(xyxy[3])), 0, height).astype(int)
    left, top = min(left, width - 1), min(top, height - 1)
    return image[top : max(bottom, top + 1), left : max(right, left + 1)]


class ColorStripes(PictureAppearance):
    """Lab colour histograms of the upper, middle and lower third of a box.

    Values are square roots of shares, so that the cosine is the Bhattacharyya coefficient of the histograms.
    """

    neutral = 0.65  # measured: other people 0.42 to 0.73, the same person 0.66 to 0.94 (PETS 2009, 5 to 95 %)
    bins = (4, 8, 8)  # L is coarse: light changes more than colour
    reach = 64  # greatest distance of a and b from grey; farther values are clipped
    margin = 0.15  # of the width at both sides is mostly background
    length = 3 * 4 * 8 * 8  # of an embedding
    size = (24, 72)  # pixels the crop is shrunk to, so that near and far cost and count the same

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """Return (N, 768) embeddings."""
        found = [self._histogram(crop(image, box, margin=self.margin)) for box in xyxy]
        return np.array(found, np.float32) if found else np.empty((0, self.length), np.float32)

    def _histogram(self, picture: Image) -> FloatArray:
        small = cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA)
        lab = cv2.cvtColor(small, cv2.COLOR_BGR2LAB)
        low, high = 128 - self.reach, 128 + self.reach
        np.clip(lab[..., 1:], low, high - 1, out=lab[..., 1:])
        ranges = [0, 256, low, high, low, high]
        thirds = np.split(lab, 3)
        parts = [cv2.calcHist([third], [0, 1, 2], None, self.bins, ranges).ravel() for third in thirds]
        vector: FloatArray = np.sqrt(np.concatenate(parts, dtype=np.float32) / (self.size[0] * self.size[1]))
        return vector


class ReidNetwork(PictureAppearance):
    """Any re-identification network as ONNX: N x 3 x H x W, RGB, ImageNet's normalisation -> N x F."""

    neutral = 0.6  # OSNet x0_25: other people 0.32 to 0.63, the same person 0.64 to 0.91 (PETS 2009)

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise WeightsError(f"--appearance {path}: no such file; give {KINDS}")
        try:
            import openvino
        except ModuleNotFoundError as error:
            raise WeightsError(f"--appearance {path.name} needs OpenVINO; pip install openvino") from error
        try:
            core = openvino.Core()
            model = core.read_model(path)
            shape = model.input(0).partial_shape
            if len(shape) != 4 or shape[1].get_length() != 3 or shape[2].is_dynamic or shape[3].is_dynamic:
                raise ValueError(f"its input is {shape}, expected N x 3 x H x W")
            self.size = shape[3].get_length(), shape[2].get_length()
            model.reshape([1, 3, self.size[1], self.size[0]])
            self._network: Any = core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY"})
            example = self._vector(np.zeros((2, 2, 3), np.uint8))
            if np.isnan(example).any():
                raise ValueError("its output is not a number (nan)")
            self.length = len(example)
        except (RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()[-1]
            raise WeightsError(f"--appearance {path} is not a re-identification network: {reason}") from error

    def embed(self, image: Image, xyxy: FloatArray) -> FloatArray:
        """Return (N, F) embeddings, computed one at a time: seldom more are wanted.

        Where the network gives no finite numbers the row is NaN, and compares with nothing.
        """
        found = [self._vector(crop(image, box)) for box in xyxy]
        return np.array(found, np.float32) if found else np.empty((0, self.length), np.float32)

    def _vector(self, picture: Image) -> FloatArray:
        rgb = cv2.resize(picture, self.size)[:, :, ::-1].astype(np.float32) / 255
        rgb -= np.array(MEAN_RGB, np.float32)
        rgb /= np.array(DEVIATION_RGB, np.float32)
        vector = np.asarray(self._network(rgb.transpose(2, 0, 1)[None])[0], np.float32).ravel()
        length = float(np.linalg.norm(vector))
        return vector / max(length, 1e-12) if np.isfinite(length) else np.full_like(vector, np.nan)
