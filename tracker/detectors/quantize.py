"""Make an int8 model, calibrated by the user's frames, and measure its agreement with the fp32 model."""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from bytetrack import Detections
from bytetrack.boxes import iou as box_iou
from tracker.detectors.letterbox import Letterbox
from tracker.detectors.openvino_model import cache_path, convert, store
from tracker.detectors.quiet import unlogged, unreported
from tracker.detectors.settings import Settings
from tracker.types import Image, OptionError


@dataclass(frozen=True)
class Agreement:
    """How many boxes of one detector another one finds."""

    boxes: int  # of the first detector
    found: float  # share of them that the second finds at the required overlap, 0 to 1
    score_difference: float  # mean of second less first, over those found


def quantize(weights: Path, images: Sequence[Image], imgsz: int = Settings.imgsz) -> Path:
    """Quantise to int8 by NNCF's post-training method and keep the model in the cache; return its file.

    ``images`` should be like those of later runs. The head's arithmetic on boxes and scores remains fp32,
    because pixels and probabilities do not fit into one scale of 255 steps. Raises ``OptionError``
    without NNCF, and ``WeightsError``.
    """
    try:
        with unreported(), unlogged(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings of its dependencies
            import nncf
    except ImportError as error:
        raise OptionError("--int8 needs a package that is not installed: pip install nncf") from error

    # NNCF writes its progress bars to stdout.
    progress: TextIO = sys.stderr if sys.stderr.isatty() else io.StringIO()
    # torch reports on CUDA when NNCF asks what it could compile: to its log or, in 2.6, to stderr.
    talk = redirect_stderr(io.StringIO())
    with unlogged(), talk, warnings.catch_warnings(), redirect_stdout(progress):
        warnings.simplefilter("ignore")
        model, names, final = convert(weights)
        quantised = nncf.quantize(
            model,
            nncf.Dataset(images, lambda image: _input(image, imgsz)),
            preset=nncf.QuantizationPreset.MIXED,  # SiLU's outputs are not symmetric
            subset_size=len(images),
            ignored_scope=nncf.IgnoredScope(names=_head(model)),
        )
        return store(cache_path(weights, int8=True), quantised, names, final=final, replace=True).xml


def agreement(
    first: Sequence[Detections], second: Sequence[Detections], *, iou: float = 0.9, conf: float = 0.0
) -> Agreement:
    """Find the boxes of ``first`` with a score of at least ``conf`` in ``second``, image by image.

    >>> one = Detections([[0, 0, 10, 10], [50, 50, 60, 60]], [0.8, 0.6], [0, 0])
    >>> other = Detections([[0, 0, 10, 10.5]], [0.7], [0])
    >>> agreement([one], [other])
    Agreement(boxes=2, found=0.5, score_difference=-0.1)
    """
    boxes, differences = 0, []
    for here, there in zip(first, second, strict=True):
        here = here[here.score >= conf]
        boxes += len(here)
        if len(here) and len(there):
            overlap = box_iou(here.xyxy, there.xyxy) * (here.class_id[:, None] == there.class_id)
            best = overlap.argmax(axis=1)
            found = overlap.max(axis=1) >= iou
            differences += (there.score[best] - here.score)[found].tolist()
    mean = float(np.mean(differences)) if differences else 0.0
    return Agreement(boxes, len(differences) / boxes if boxes else 1.0, round(mean, 4))


def _input(image: Image, imgsz: int) -> Image:
    box = Letterbox.fit(image.shape[:2], (imgsz, imgsz))
    pixels = box.blank()
    box.fill(image, pixels[0])
    return pixels


def _head(model: Any) -> list[str]:
    """Return the names of the operations that turn the head's maps into boxes and scores."""
    operations = model.get_ordered_ops()
    scores = [op.get_friendly_name() for op in operations if op.get_type_name() == "Sigmoid"]
    scope = scores[-1].split("/", 1)[0]  # __module.model.22: what the head does itself, not its convolutions
    names = [op.get_friendly_name() for op in operations]
    return [name for name in names if name in scores or name.startswith((f"{scope}/", f"{scope}.dfl"))]
