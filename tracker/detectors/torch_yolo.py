"""YOLO through ultralytics and torch: every model and every exported format that ultralytics runs."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from bytetrack import Detections
from tracker.detectors.batched import BatchedDetector
from tracker.detectors.features import TorchMap, no_map, with_features
from tracker.detectors.letterbox import Letterbox
from tracker.detectors.quiet import quiet
from tracker.detectors.settings import Settings
from tracker.detectors.shapes import KINDS, Head, read_shapes
from tracker.detectors.suppress import boxes_in_image
from tracker.detectors.windows import Layout
from tracker.parse import class_ids
from tracker.text import harmless
from tracker.threads import TORCH, plan
from tracker.types import Image, OptionError, Pixels, Stopwatch, WeightsError


@dataclass(frozen=True)
class PendingBatch:
    """A batch whose inference has begun."""

    output: Any  # tensor (N, ...)
    protos: Any  # tensor (N, C, h, w) of a network that makes masks, else None
    box: Letterbox
    layout: Layout | None = None  # of windows, where they were asked for
    feature_map: Any = None  # tensor (N, C, h, w), where features were asked for


class TorchYolo(BatchedDetector[PendingBatch]):
    """A detector; the boxes are those of ultralytics' own ``predict``.

    torchvision is neither needed nor imported: ultralytics' own suppression gives the same boxes.
    Raises ``WeightsError`` or ``OptionError`` when it is opened.
    """

    def __init__(self, weights: Path, settings: Settings, stopwatch: Stopwatch | None = None) -> None:
        """Remember what to load; nothing heavy happens before ``with``."""
        super().__init__(weights, settings, stopwatch)
        self._model: Any = None
        self._map: TorchMap | None = None

    def __enter__(self) -> TorchYolo:
        """Load the model."""
        with quiet(), ExitStack() as stack:
            import torch

            # channels-last was measured too: no faster on a CPU (97 against 97 ms of CPU per picture)
            share = min(torch.get_num_threads(), self.settings.threads or plan().inference)
            stack.enter_context(TORCH.at(share))
            device = torch_device(self.settings.device)
            half = self.settings.half
            if half and device.type == "cpu":
                raise OptionError("--half needs a GPU; the CPU computes fp16 more slowly than fp32")
            self._model = model = load(self.weights, device, half=half)
            self._threads = stack.pop_all()
        self._device = device
        self.description = f"{self.weights.stem} on torch, {device}, {'fp16' if half else 'fp32'}"
        self._dtype = _dtype(half and bool(model.fp16))
        self.names = {int(key): harmless(str(value)) for key, value in model.names.items()}
        self._classes = class_ids(self.settings.classes, self.names)
        self._head = head_of(model)
        self.kind = self._head.kind
        self._rectangular = self.weights.suffix == ".pt" or bool(getattr(model, "dynamic", False))
        self.any_shape = self._rectangular
        if self.settings.features is not None:
            self._map = self._find_map()
        self._target = (self.settings.imgsz,) * 2
        self.batch = self.settings.batch if self._rectangular else 1
        if not self._rectangular:
            height, width = getattr(model, "imgsz", self._target)  # an exported model knows one size only
            self._target = (int(height), int(width))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the model."""
        self._model = None
        self._threads.close()

    def _find_map(self) -> TorchMap:
        import torch

        network = getattr(self._model, "model", None)
        if self.weights.suffix != ".pt" or not isinstance(network, torch.nn.Module):
            raise no_map(self.weights.name)
        with torch.inference_mode():
            example = torch.zeros(1, 3, 128, 64, dtype=self._dtype, device=self._device)
            return TorchMap(network, example, self.weights.name)

    def in_flight(self) -> int:
        """Return how many batches may be in flight: a GPU computes one while the caller works on another."""
        return self.settings.in_flight or (1 if self._device.type == "cpu" else 2)

    def start(self, images: Sequence[Pixels]) -> PendingBatch:
        """Begin inference of images of one size; a GPU returns before it is done."""
        box = Letterbox.fit(images[0].shape[:2], self._target, rectangular=self._rectangular)
        pixels = box.blank(len(images))
        for image, out in zip(images, pixels, strict=True):
            box.fill(image, out)
        output, protos = self._begin(pixels)
        return PendingBatch(output, protos, box, feature_map=self._map and self._map.latest)

    def start_windows(self, picture: Image, layout: Layout) -> PendingBatch:
        """Begin inference of windows of a scaled picture."""
        box = Letterbox.of_input(layout.shape)
        pixels = box.blank(layout.rows)
        layout.fill(picture, pixels)
        output, protos = self._begin(pixels)
        return PendingBatch(output, protos, box, layout, self._map and self._map.latest)

    def _begin(self, pixels: Image) -> tuple[Any, Any]:
        """Return what the network makes of (N, H, W, 3) inputs: raw boxes, and protos or None."""
        import torch

        with torch.inference_mode():
            batch = torch.from_numpy(pixels).to(self._device)
            batch = batch.permute(0, 3, 1, 2).contiguous().flip(1).to(self._dtype).div_(255)  # RGB, 0 to 1
            started = time.perf_counter()
            output = self._model(batch)
            if self._device.type == "cpu":  # a GPU has only begun, so that its time is not known
                self._idle.add(started, time.perf_counter())
            if not isinstance(output, (list, tuple)):
                return output, None
            if self.kind != "segment":
                return output[0], None
            # A network of torch gives both first, and then what it is trained by.
            raw, protos = output[0] if isinstance(output[0], (list, tuple)) else output[:2]
            return raw, protos

    def finish(self, pending: PendingBatch) -> list[Detections]:
        """Return one ``Detections`` per image or window."""
        # One image at a time: ultralytics' suppression stops with a batch that takes too long.
        if self.kind == "detect":
            found = [self._read(one, pending.box) for one in pending.output.split(1)]
        else:
            found = self._read_shapes(pending)
        if pending.feature_map is not None and self.settings.features is not None:
            maps = pending.feature_map.float().cpu().numpy()
            found = with_features(found, maps, pending.box, self.settings.features)
        return found if pending.layout is None else pending.layout.split(found)

    def _read_shapes(self, pending: PendingBatch) -> list[Detections]:
        raw = pending.output.float().cpu().numpy()
        protos = [None] * len(raw) if pending.protos is None else pending.protos.float().cpu().numpy()
        return [
            read_shapes(one, made_of, pending.box, self.settings, self._classes, self._head)
            for one, made_of in zip(raw, protos, strict=True)
        ]

    def _read(self, prediction: Any, box: Letterbox) -> Detections:
        import torch
        from ultralytics.utils.nms import non_max_suppression

        options = self.settings
        with torch.inference_mode():
            rows = non_max_suppression(
                prediction,
                options.conf,
                options.iou,
                classes=self._classes,
                agnostic=True,
                max_det=options.max_det,
                nc=len(self.names),
                end2end=bool(getattr(self._model, "end2end", False)),
            )[0][:, :6]
        array = rows.float().cpu().numpy()
        return boxes_in_image(array[:, :4], array[:, 4], array[:, 5].astype(np.int64), box)


def load(weights: Path, device: Any, *, half: bool = False) -> Any:
    """Return ultralytics' ``AutoBackend`` of a weights file; call it inside ``quiet``.

    Raises ``WeightsError`` in one line whatever is wrong with the file.
    """
    from ultralytics.nn.autobackend import AutoBackend

    try:
        with _plain_name(weights) as path:
            model = AutoBackend(str(path), device=device, fp16=half, verbose=False)
        model.eval()
    except ModuleNotFoundError as error:
        raise WeightsError(f"{weights} needs the package {error.name}: pip install {error.name}") from error
    except Exception as error:  # whatever a file that is no model makes torch, pickle or ultralytics raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{weights} cannot be loaded as detection weights: {reason:.200}") from error
    # What was loaded is whatever ultralytics makes of the file: a network or one of its exported formats.
    task, kind = _task(model), type(getattr(model, "model", None)).__name__
    if task not in KINDS or kind.startswith("RTDETR"):
        raise WeightsError(
            f"{weights} is a {task} model ({kind}); boxes come from YOLO weights such as yolov8n.pt"
        )
    if task != "detect":
        _one_class_each(model)
    return model


def _task(model: Any) -> str:
    """Return what a loaded network is for: its last layer tells it surely, its notes may be missing."""
    layers = getattr(getattr(model, "model", None), "model", None)
    last = type(layers[-1]).__name__.lower() if layers else ""
    if not last.startswith("semantic"):
        for kind in ("segment", "pose", "obb"):
            if kind in last:
                return kind
    return str(getattr(model, "task", None) or getattr(getattr(model, "model", None), "task", "detect"))


def _one_class_each(model: Any) -> None:
    """Let a head that suppresses itself give each object once, with its surest class."""
    layers = getattr(getattr(model, "model", None), "model", None)
    if layers:
        layers[-1].agnostic_nms = True


def head_of(model: Any) -> Head:
    """Return what a loaded network gives."""
    count, numbers = getattr(model, "kpt_shape", None) or (0, 0)
    final = bool(getattr(model, "end2end", False))
    return Head(_task(model), len(model.names), (int(count), int(numbers)), final)


@contextmanager
def _plain_name(weights: Path) -> Iterator[Path]:
    """Give a file another name meanwhile where ultralytics would drop its apostrophes."""
    if "'" not in str(weights) or weights.suffix != ".pt" or not weights.is_file():
        yield weights
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copyfile(weights, Path(folder, "weights.pt")))


def torch_device(name: str) -> Any:
    """Return the ``torch.device`` of ``auto``, ``cpu``, ``mps`` or a GPU's number; raises ``OptionError``."""
    import torch

    name = str(name).strip().lower().removeprefix("cuda:")
    name = "0" if name in ("cuda", "gpu") else name
    if name == "auto":
        name = "0" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if name == "cpu":
        return torch.device("cpu")
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise OptionError(
                "--device mps: this machine has no Apple GPU that torch can use; try --device cpu"
            )
        return torch.device("mps")
    if not name.isdecimal():
        raise OptionError(f"--device {name}: expected auto, cpu, mps or the number of a GPU such as 0")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(name) >= count:
        seen = f"torch {torch.__version__} sees {count or 'no'} CUDA GPU{'s' if count > 1 else ''}"
        raise OptionError(f"--device {name}: {seen}; try --device {'0' if count else 'cpu'}")
    return torch.device("cuda", int(name))


@lru_cache(maxsize=2)
def _dtype(half: bool) -> Any:
    import torch

    return torch.float16 if half else torch.float32
