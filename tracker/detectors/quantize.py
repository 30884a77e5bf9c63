"""Make an int8 model, calibrated by the user's frames."""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

from tracker.detectors.letterbox import Letterbox
from tracker.detectors.openvino_model import cache_path, convert, store
from tracker.detectors.quiet import unlogged, unreported
from tracker.detectors.settings import Settings
from tracker.types import Image, OptionError

NO_NNCF = "--int8 needs NNCF to make the model; install it: pip install 'track-anything-in-video[int8]'"


def quantize(
    weights: Path, images: Sequence[Image], imgsz: int = Settings.imgsz, folder: Path | None = None
) -> Path:
    """Quantise to int8 by NNCF's post-training method and keep the model; return its file.

    ``folder`` is where, by default that of `track export` in the cache.

    ``images`` should be like those of later runs. The head's arithmetic on boxes and scores remains fp32,
    because pixels and probabilities do not fit into one scale of 255 steps. Raises ``OptionError``
    without NNCF, and ``WeightsError``.
    """
    try:
        with unreported(), unlogged(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings of its dependencies
            import nncf
    except ImportError as error:
        raise OptionError(NO_NNCF) from error

    # NNCF writes its progress bars to stdout.
    progress: TextIO = sys.stderr if sys.stderr.isatty() else io.StringIO()
    # torch reports on CUDA when NNCF asks what it could compile: to its log or, in 2.6, to stderr.
    talk = redirect_stderr(io.StringIO())
    with unlogged(), talk, warnings.catch_warnings(), redirect_stdout(progress):
        warnings.simplefilter("ignore")
        model, names, head = convert(weights)
        quantised = nncf.quantize(
            model,
            nncf.Dataset(images, lambda image: _input(image, imgsz)),
            preset=nncf.QuantizationPreset.MIXED,  # SiLU's outputs are not symmetric
            subset_size=len(images),
            ignored_scope=nncf.IgnoredScope(names=_head(model)),
        )
        where = folder or cache_path(weights, int8=True)
        return store(where, quantised, names, head, replace=True).xml


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
