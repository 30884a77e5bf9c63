"""YOLO through OpenVINO: the fastest backend on x86 CPUs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from bytetrack import Detections
from bytetrack.types import FloatArray
from tracker.detectors.arithmetic import faster
from tracker.detectors.batched import BatchedDetector
from tracker.detectors.engines import Engines, Shape
from tracker.detectors.features import map_output, with_features
from tracker.detectors.letterbox import GREY, Letterbox
from tracker.detectors.openvino_model import Converted, cache_path, converted, stored
from tracker.detectors.quiet import quiet_openvino
from tracker.detectors.settings import Settings
from tracker.detectors.shapes import read_shapes
from tracker.detectors.suppress import read_boxes, read_final_boxes
from tracker.detectors.windows import Layout
from tracker.parse import class_ids
from tracker.threads import plan
from tracker.types import Image, OptionError, Pixels, Stopwatch, WeightsError

MOST_IN_FLIGHT = 8  # each holds its frames in memory, and more are not faster


@dataclass
class Engine:
    """A model compiled for one input shape, and its requests that are not in use."""

    compiled: Any
    streams: int  # batches that are computed at the same time
    free: list[InferRequest] = field(default_factory=list)


@dataclass
class InferRequest:
    """An OpenVINO request with its own input memory, into which images are scaled directly."""

    engine: Engine
    request: Any
    pixels: Image  # (N, H, W, 3)
    box: Letterbox | None = None  # where images are in the memory; around them it is grey
    layout: Layout | None = None  # of windows, where they were asked for
    count: int = 0  # images of the batch
    started: float = 0.0  # seconds


class OpenVinoYolo(BatchedDetector[InferRequest]):
    """A detector; finds the boxes of ``TorchYolo``, at more images per second.

    Raises ``WeightsError`` or ``OptionError`` when it is opened.
    """

    any_shape = windows_pay = True
    new_shape_cost = 3500.0  # measured: compiling takes 0.55 s, a cell 0.16 ms

    def __init__(self, weights: Path, settings: Settings, stopwatch: Stopwatch | None = None) -> None:
        """Remember what to load; nothing heavy happens before ``with``."""
        super().__init__(weights, settings, stopwatch)
        self._engines: Engines[Engine] = Engines(self._compile)
        self._streams = 1

    def __enter__(self) -> OpenVinoYolo:
        """Load the model, converting it first if need be."""
        if self.settings.half:
            raise OptionError("--half needs a GPU, and --backend torch")
        if self.settings.device not in ("auto", "cpu"):
            raise OptionError(
                f"--device {self.settings.device} needs --backend torch; OpenVINO runs on the CPU"
            )
        self._model = self._read_model()
        self.names = self._model.names
        self.kind = self._model.head.kind
        self._classes = class_ids(self.settings.classes, self.names)
        self._core = quiet_openvino().Core()
        native = multiplies_bf16(self._core)
        if self.settings.precision == "bf16" and not native:
            raise OptionError("--precision bf16 is not supported by this processor; use fp32")
        self._precision = {"bf16": "bf16", "fp32": "f32"}.get(self.settings.precision) or (
            faster(self._core, self._model.xml) if native else "f32"
        )
        exact = {"bf16": "bf16", "f32": "fp32"}[self._precision]
        self.description = f"{self.weights.stem} on OpenVINO, {'int8' if self.settings.int8 else exact}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the model."""
        self._engines.close()

    def _read_model(self) -> Converted:
        folder = self.settings.int8_model
        if not self.settings.int8 or folder is None:
            return converted(self.weights, int8=self.settings.int8)
        model = stored(Path(folder))
        if model is None:
            raise WeightsError(f"{folder}: there is no complete int8 model")
        exact = stored(cache_path(self.weights, int8=False))
        if exact is not None and exact.head.kind != model.head.kind:
            raise WeightsError(
                f"{folder}: is a {model.head.kind} model, and {self.weights.name} is a {exact.head.kind} "
                "model; let `track export --int8` make one of these weights"
            )
        return model

    def in_flight(self) -> int:
        """Return how many batches may be in flight: as many as are computed at a time, and one more."""
        return self.settings.in_flight or self._streams + 1

    def at_a_time(self) -> int:
        """Return how many batches are computed at the same time."""
        return self._streams

    def start(self, images: Sequence[Pixels]) -> InferRequest:
        """Scale images of one size into the memory of a free request, and start it."""
        box = self._box(images)
        pending = self._free_request((self.batch, *box.shape))
        if pending.box != box:
            pending.pixels[:] = GREY
            pending.box = box
        pending.layout, pending.count = None, len(images)
        for image, pixels in zip(images, pending.pixels, strict=False):  # a last batch may be short
            box.fill(image, pixels)
        return _begun(pending)

    def prepare(self, images: Sequence[Pixels]) -> None:
        """Compile what ``start`` needs."""
        self._engines.get((self.batch, *self._box(images).shape))

    def input_for(self, shape: tuple[int, int], *, wait: bool) -> tuple[int, int]:
        """Return ``shape`` once it is compiled, until then the smallest compiled one that holds it."""
        wanted = (1, *shape)
        if not wait and not self._engines.begin(wanted):
            larger = self._engines.holding(wanted)
            if larger is not None:
                return larger[1:]
        self._engines.get(wanted)
        return shape

    def start_windows(self, picture: Image, layout: Layout) -> InferRequest:
        """Copy windows of a scaled picture into the memory of a free request, and start it."""
        pending = self._free_request((layout.rows, *layout.shape))
        pending.layout, pending.count = layout, layout.rows
        pending.box = Letterbox.of_input(layout.shape)
        layout.fill(picture, pending.pixels)
        return _begun(pending)

    def finish(self, pending: InferRequest) -> list[Detections]:
        """Wait for a batch, and return one ``Detections`` per image or window."""
        assert pending.box is not None
        pending.request.wait()
        self._idle.add(pending.started, pending.started + pending.request.latency / 1000)
        outputs = pending.request.get_output_tensor(0).data[: pending.count]
        if self.kind != "detect":
            found = self._read_shapes(outputs, pending)
        elif self._model.head.final:
            found = [read_final_boxes(one, pending.box, self.settings, self._classes) for one in outputs]
        else:
            count = len(self.names)
            found = [read_boxes(one, pending.box, self.settings, self._classes, count) for one in outputs]
        if self.settings.features is not None:  # its map is the last output
            maps = pending.request.get_output_tensor(len(pending.request.model_outputs) - 1).data
            found = with_features(found, maps[: pending.count], pending.box, self.settings.features)
        layout = pending.layout
        pending.engine.free.append(pending)
        return found if layout is None else layout.split(found)

    def _read_shapes(self, outputs: FloatArray, pending: InferRequest) -> list[Detections]:
        assert pending.box is not None
        protos = [None] * len(outputs)
        if self.kind == "segment":
            protos = pending.request.get_output_tensor(1).data[: pending.count]
        return [
            read_shapes(one, made_of, pending.box, self.settings, self._classes, self._model.head)
            for one, made_of in zip(outputs, protos, strict=True)
        ]

    def abandon(self, pending: InferRequest) -> None:
        """Cancel a request, and wait until its memory is not used any more."""
        with suppress(RuntimeError):  # "infer request was cancelled"
            pending.request.cancel()
            pending.request.wait()
        pending.engine.free.append(pending)

    def _box(self, images: Sequence[Pixels]) -> Letterbox:
        return Letterbox.fit(images[0].shape[:2], (self.settings.imgsz,) * 2)

    def _free_request(self, shape: Shape) -> InferRequest:
        engine = self._engines.get(shape)
        self._streams = engine.streams
        if engine.free:
            return engine.free.pop()
        request = engine.compiled.create_infer_request()
        return InferRequest(engine, request, request.get_input_tensor(0).data)

    def _compile(self, shape: Shape) -> Engine:
        options: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY" if self.settings.in_flight == 1 else "THROUGHPUT",
            "PERFORMANCE_HINT_NUM_REQUESTS": min(self.settings.in_flight or MOST_IN_FLIGHT, MOST_IN_FLIGHT)
            - 1
            or 1,
            "INFERENCE_PRECISION_HINT": self._precision,
            "ENABLE_CPU_PINNING": False,  # decoder and encoder want these cores too
            "INFERENCE_NUM_THREADS": self.settings.threads or plan().inference,
        }
        model = self._core.read_model(self._model.xml)
        model.reshape([*shape, 3])
        if self.settings.features is not None:
            model.add_outputs([map_output(model, shape[1:], self.weights.name)])
        compiled = self._core.compile_model(model, "CPU", options)
        return Engine(compiled, int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")))


def _begun(pending: InferRequest) -> InferRequest:
    pending.started = time.perf_counter()
    pending.request.start_async()
    return pending


def multiplies_bf16(core: Any) -> bool:
    """Say whether OpenVINO would choose bf16 by itself: where the processor has instructions for it."""
    return bool(core.get_property("CPU", "INFERENCE_PRECISION_HINT") == quiet_openvino().Type.bf16)
