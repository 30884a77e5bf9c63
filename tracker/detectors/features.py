"""What the detector's own network sees of each box: a map of its backbone, pooled.

The map is that of stride 8 on the way down, the last before it is halved again. It tells colour and texture,
which people differ in; deeper maps tell what kind of thing it is. Pooling is RoIAlign's (He et al. 2017,
arXiv:1703.06870).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from bytetrack import Detections
from bytetrack.types import FloatArray
from tracker.detectors.letterbox import Letterbox
from tracker.errors import WeightsError

STEP = 8  # pixels of the network's input for each cell of the map
BINS = (6, 2)  # rows and columns a box is divided into: people are upright
CHANNELS = 64  # of YOLOv8n; larger networks have more, and what learns from them needs its square as memory
SAMPLES = 2  # along each side of a bin, of which the mean is taken


def with_features(
    found: Sequence[Detections], maps: FloatArray, box: Letterbox, least_score: float
) -> list[Detections]:
    """Return detections of each picture with their features, of length 1 each, from the (N, C, H, W) maps.

    Boxes of a lower score have NaN: nobody compares them.
    """
    return [_with_features(one, of, box, least_score) for one, of in zip(found, maps, strict=True)]


def _with_features(
    found: Detections, feature_map: FloatArray, box: Letterbox, least_score: float
) -> Detections:
    channels = min(len(feature_map), CHANNELS)
    features = np.full((len(found), BINS[0] * BINS[1] * channels), np.nan, np.float32)
    sure = np.flatnonzero(found.score >= least_score)
    if len(sure):
        made = pooled(feature_map, box.to_input(found.xyxy[sure]))
        if channels < len(feature_map):
            bins = made.reshape(len(sure), -1, len(feature_map))
            made = (bins @ _fewer(len(feature_map))).reshape(len(sure), -1)
        made = made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-12)
        features[sure] = made.astype(np.float16)  # as they are stored: tracked later, they give the same
    return replace(found, features=features)


@lru_cache(maxsize=4)
def _fewer(channels: int) -> FloatArray:
    """Return (channels, ``CHANNELS``) orthonormal columns, always the same.

    Random ones keep distances nearly as they are (Johnson and Lindenstrauss 1984).
    """
    random = np.random.default_rng(0).normal(size=(channels, CHANNELS))
    columns: FloatArray = np.linalg.qr(random)[0].astype(np.float32)
    return columns


def pooled(feature_map: FloatArray, xyxy: FloatArray) -> FloatArray:
    """Return (N, F) features of (N, 4) boxes, in pixels of the network's input, from its (C, H, W) map.

    F is C for each of the ``BINS``, row by row. Beyond the map its edge goes on.
    """
    n, (channels, height, width) = len(xyxy), feature_map.shape
    rows, columns = BINS[0] * SAMPLES, BINS[1] * SAMPLES
    cells = xyxy / STEP - 0.5  # the centre of cell 0 is at half a cell
    y = cells[:, 1, None] + (cells[:, 3] - cells[:, 1])[:, None] * (np.arange(rows) + 0.5) / rows
    x = cells[:, 0, None] + (cells[:, 2] - cells[:, 0])[:, None] * (np.arange(columns) + 0.5) / columns
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    top, left = np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)
    below, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, across = (y - top).astype(np.float32), (x - left).astype(np.float32)
    flat = feature_map.reshape(channels, -1)
    total = np.zeros((channels, n, rows, columns), np.float32)
    for line, by_line in ((top, 1 - down), (below, down)):
        for column, by_column in ((left, 1 - across), (right, across)):
            place = line[:, :, None] * width + column[:, None, :]
            total += flat[:, place] * (by_line[:, :, None] * by_column[:, None, :])
    bins = total.reshape(channels, n, BINS[0], SAMPLES, BINS[1], SAMPLES).mean(axis=(3, 5))
    features: FloatArray = bins.transpose(1, 2, 3, 0).reshape(n, -1)
    return features


def map_output(model: Any, shape: tuple[int, int], name: str) -> Any:
    """Return the output of an ``openvino.Model`` that is the map; raises ``WeightsError``: ``name`` has none.

    ``shape`` is the height and width that the model was reshaped to. It is found by what it is, not by its
    name: the input of the first operation that halves cells of ``STEP`` pixels.
    """
    before = [side // STEP for side in shape]
    after = [side // (2 * STEP) for side in shape]
    for operation in model.get_ordered_ops():
        if (
            operation.get_input_size()
            and operation.get_output_size()
            and _sides(operation.output(0)) == after
        ):
            source = operation.input_value(0)
            if _sides(source) == before:
                return source
    raise no_map(name)


def _sides(output: Any) -> list[int]:
    """Return height and width of an output that is a map, else nothing."""
    shape = output.get_partial_shape()
    return [int(side) for side in shape.to_shape()[2:]] if shape.is_static and len(shape) == 4 else []


class TorchMap:
    """Keeps the map of a network of torch each time it runs.

    ``network`` is a ``torch.nn.Module``. It is found as in `map_output`: what the first module gets that
    halves cells of ``STEP`` pixels. Raises ``WeightsError`` where there is none.
    """

    def __init__(self, network: Any, example: Any, name: str) -> None:
        """Let the network run once on ``example``, (1, 3, H, W)."""
        self.latest: Any = None  # tensor (N, C, H, W) of the last run
        before = [side // STEP for side in example.shape[2:]]
        after = [side // (2 * STEP) for side in example.shape[2:]]
        halving: list[Any] = []

        def look(module: Any, given: Any, made: Any) -> None:
            sides = [list(getattr(tensor, "shape", ()))[2:] for tensor in (given[0], made)]
            if not halving and sides == [before, after]:
                halving.append(module)

        leaves = [module for module in network.modules() if not any(True for _ in module.children())]
        hooks = [leaf.register_forward_hook(look) for leaf in leaves]
        try:
            network(example)
        finally:
            for hook in hooks:
                hook.remove()
        if not halving:
            raise no_map(name)
        halving[0].register_forward_pre_hook(self._keep)

    def _keep(self, module: Any, given: Any) -> None:
        self.latest = given[0]


def no_map(name: str) -> WeightsError:
    """Return the error that tells of a network in which nothing can be compared."""
    return WeightsError(
        f"--appearance self: {name} has no map of cells of {STEP} pixels on its way down, as YOLO networks "
        "have; use --appearance color"
    )
