"""The settings of a detector, with the defaults that ``Options`` reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.detectors.tile_spec import TileSpec
from tracker.errors import OptionError

DEFAULT_WEIGHTS = "yolov8n.pt"
BACKENDS = ("auto", "torch", "openvino")
PRECISIONS = ("auto", "fp32", "bf16")
LOOKS = ("auto", "changed", "all")  # auto: cameras like changed; files, too, where the network gains by it
STRIDE = 32  # pixels; the coarsest feature map of every YOLOv8


@dataclass(frozen=True)
class Settings:
    """Options of every detector; raises ``OptionError`` for values that cannot be used.

    Two defaults are not those of ``track``: ``conf`` is the floor of the detector, below --conf, and
    ``in_flight`` follows from the source.

    >>> Settings(imgsz=600).imgsz
    608
    """

    classes: Sequence[str | int] | None = None  # names or ids; None or none: all
    conf: float = 0.1  # score floor; low, so that ByteTrack's second association has something to match
    iou: float = 0.7  # boxes that overlap more are one object, whatever their class
    imgsz: int = 640  # longer side of the network's input in pixels, rounded up to the stride
    max_det: int = 300  # boxes kept per picture, best first
    device: str = "auto"  # auto, cpu, mps, or the number of a CUDA GPU
    half: bool = False  # fp16 arithmetic, GPUs only
    batch: int = 1  # images per inference
    int8: bool = False  # use an int8 model; OpenVINO only
    int8_model: str | None = None  # its folder; None: the one that `track export --int8` made
    precision: str = (
        "auto"  # of OpenVINO: fp32, bf16, or auto: bf16 where the processor computes faster in it
    )
    in_flight: int | None = None  # batches in flight; 1: no delay (live); None: the fastest number
    threads: int | None = None  # of the CPU for inference; None: all
    backend: str = "auto"  # torch, openvino, or auto: torch on a GPU, else OpenVINO on an x86 CPU, else torch
    tiles: str = "off"  # look at tiles too: auto, how many along the longer side, or their size (`tiles`)
    features: float | None = None  # score from which boxes get features of the network; None: none do
    every: int = 1  # run on every N-th frame only (see ``EveryNth``)

    def __post_init__(self) -> None:
        """Check the values, and round ``imgsz`` up."""
        object.__setattr__(self, "device", str(self.device).strip().lower())
        if self.backend not in BACKENDS:
            raise OptionError(f"no backend {self.backend!r}; there are {', '.join(BACKENDS)}")
        TileSpec.read(self.tiles)
        if self.every < 1:
            raise OptionError(f"--detect-every must be at least 1, got {self.every}")
        if not 0.0 <= self.conf < 1.0:
            raise OptionError(f"the detector's score floor must be at least 0 and below 1, got {self.conf:g}")
        if not 0.0 < self.iou <= 1.0:
            raise OptionError(f"--iou must be above 0 and at most 1, got {self.iou:g}")
        if not STRIDE <= self.imgsz <= 8192:
            raise OptionError(f"--imgsz must be {STRIDE} to 8192 pixels, got {self.imgsz}")
        if self.max_det < 1:
            raise OptionError(f"--max-det must be at least 1, got {self.max_det}")
        if self.batch < 1:
            raise OptionError(f"--batch must be at least 1, got {self.batch}")
        if self.precision not in PRECISIONS:
            raise OptionError(f"no precision {self.precision!r}; there are {', '.join(PRECISIONS)}")
        for name in ("in_flight", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise OptionError(f"{name} must be at least 1, got {value}")
        object.__setattr__(self, "imgsz", -(-self.imgsz // STRIDE) * STRIDE)
