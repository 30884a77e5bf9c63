"""Every option of a run, once: defaults, ranges and help; the command line and ``track()`` both read them."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tracker.arguments import values
from tracker.arguments.aliases import answer, for_python, near, normal, tracker_answer
from tracker.errors import OptionError

TRACKER_KINDS = ("motion", "bytetrack", "sort")
REMEMBER_S = 20.0  # for so long --appearance knows who was lost, where --remember says nothing


def option(
    default: Any,
    help: str,
    group: str,
    *flags: str,
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] | None = None,
    metavar: str | None = None,
) -> Any:
    """Declare a field of ``Options``: its default, its text for people and what it may be."""
    return field(
        default=default,
        metadata={
            "help": help,
            "group": group,
            "flags": flags,
            "low": low,
            "high": high,
            "choices": choices,
            "metavar": metavar,
        },
    )


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a run may be told. A tuple field may be given several times.

    Raises ``OptionError`` naming the option, the value and the range.
    """

    # fmt: off
    start: float = option(0.0, "Begin at this second of the file.", "Input", "--start", low=0, metavar="S")
    end: float | None = option(None, "Stop at this second of the file.", "Input", "--end", low=0, metavar="S")
    vid_stride: int = option(1, "Use every N-th frame.", "Input", "--vid-stride", low=1, metavar="N")
    fps: float | None = option(None, "Frames per second, where the source does not tell it: folders of pictures, raw .h264. What a film itself tells is overruled.", "Input", "--fps", low=0.001, high=1000, metavar="FPS")
    max_frames: int | None = option(None, "Stop after N frames, those before --resume included.", "Input", "--max-frames", low=1, metavar="N")

    rtsp_transport: str = option("tcp", "How RTSP cameras send: tcp loses nothing, udp where a network demands it.", "Cameras", "--rtsp-transport", choices=("tcp", "udp"))
    camera_size: str | None = option(None, "Ask a camera of this machine for this picture, such as 1280x720.", "Cameras", "--camera-size", metavar="WxH")
    camera_fps: float | None = option(None, "Ask a camera of this machine for this rate.", "Cameras", "--camera-fps", low=0.1, high=1000, metavar="FPS")
    give_up_after: float | None = option(None, "End when a live source gave no picture for so many seconds.  [default: try for ever]", "Cameras", "--give-up-after", low=0, metavar="S")

    weights: str = option("yolov8n.pt", "Detection weights: a name or a path. Weights are programs: name only those you trust.", "Detection", "--weights", "--model", metavar="FILE")
    classes: tuple[str, ...] = option((), "Follow these classes only: names or ids, comma separated (person,car).", "Detection", "--classes", metavar="LIST")
    conf: float = option(0.3, "Track threshold: boxes scored at least this much are associated first. The detector itself keeps boxes from 0.1, which the second association needs.", "Detection", "--conf", low=0, high=1, metavar="P")
    iou: float = option(0.7, "Overlap above which the weaker of two boxes on one object is dropped, across classes.", "Detection", "--iou", low=0.01, high=1, metavar="IOU")
    imgsz: int = option(640, "Longer side of the network's input in pixels.", "Detection", "--imgsz", low=32, high=8192, metavar="PX")
    max_det: int = option(300, "Most boxes per frame.", "Detection", "--max-det", low=1, metavar="N")
    device: str = option("auto", "Where the network runs: auto, cpu, a GPU's number, mps.", "Detection", "--device", metavar="DEV")
    half: bool = option(False, "Half precision (GPU).", "Detection", "--half")
    backend: str = option("auto", "What runs the network. auto: torch on a GPU, OpenVINO on x86 CPUs, else torch.", "Detection", "--backend", choices=("auto", "torch", "openvino"))
    int8: bool = option(False, "Use the 8-bit model that `track export --int8 --calibrate VIDEO` made of these weights.", "Detection", "--int8")
    precision: str = option("auto", "Arithmetic of OpenVINO. auto: bf16 where the processor has it (twice as fast), else fp32.", "Detection", "--precision", choices=("auto", "fp32", "bf16"))
    batch: int = option(1, "Pictures per pass of the network, for files (GPUs, many cores).", "Detection", "--batch", low=1, high=256, metavar="N")
    detect_every: int = option(1, "Look at every N-th frame only; between, tracks go on as they moved. For weak machines.", "Detection", "--detect-every", low=1, high=1000, metavar="N")

    tracker: str = option("motion", "Who follows: motion (ByteTrack made steadier), bytetrack (the paper's method), sort (Kalman and IoU alone).", "Tracking", "--tracker", choices=TRACKER_KINDS)
    new_track_thresh: float | None = option(0.37, "Least score that begins a new track; never below --conf.", "Tracking", "--new-track-thresh", low=0, high=1, metavar="P")
    match_thresh: float = option(0.88, "Greatest cost (1 - IoU * score; the default tracker also weighs height) of the first association.", "Tracking", "--match-thresh", low=0, high=1, metavar="COST")
    appearance: str = option("none", "Tell objects apart by looks where boxes compete, and know again who was lost: none, color, or a ReID network MODEL.onnx.", "Tracking", "--appearance", metavar="KIND")
    remember: float | None = option(None, "With --appearance: know again for S seconds, also who left the picture.  [default: 20, not who left]", "Tracking", "--remember", low=0, high=86400, metavar="S")
    camera_motion: str = option("off", "Follow a moving camera: off, on, or auto: only while it moves.", "Tracking", "--camera-motion", choices=("off", "on", "auto"))
    refine: bool = option(False, "Files: finish the tracks first, fill short gaps and smooth the boxes, then draw (decodes twice).", "Tracking", "--refine")
    lost: float = option(2.0, "Seconds an object that is not seen keeps its number (ByteTrack's track_buffer / 30).", "Tracking", "--lost", low=0, high=3600, metavar="S")

    line: tuple[str, ...] = option((), "Count who crosses a line: 'x,y x,y ...' in pixels or in parts of the picture; 'NAME=x,y x,y' names it.", "Counting", "--line", metavar="POINTS")
    zone: tuple[str, ...] = option((), "Watch who enters a polygon and how long they stay: 'x,y x,y x,y ...'.", "Counting", "--zone", metavar="POINTS")
    zones: str | None = option(None, "Lines and zones from a YAML file (check it with `track zones check`).", "Counting", "--zones", metavar="FILE")
    plugin: tuple[str, ...] = option((), "Run a plugin by name: route, heatmap, 'speed:option=value;option=value', or one that you installed. NAME:help tells its options, help alone the names.", "Counting", "--plugin", metavar="NAME")
    units: str = option("kmh", "Of the speeds that --plugin speed measures.", "Counting", "--units", choices=("kmh", "mph"))
    on: tuple[str, ...] = option((), "Act on events: 'KIND=http://...' (webhook), 'KIND=cmd:PROGRAM' or 'KIND=mqtt://host/topic'; KIND may hold * (line.*).", "Counting", "--on", metavar="KIND=ACTION")
    follow: str | None = option(None, "Highlight one object: its number, or 'x,y@second' of a point it covers, in pixels and in seconds of the file.", "Counting", "--follow", metavar="TARGET")
    events: str | None = option(None, "Every crossing, entry, exit and alarm as JSON lines, as it happens.", "Counting", "--events", metavar="FILE")
    counts: str | None = option(None, "Counts by line or zone, direction and class as CSV.", "Counting", "--counts", metavar="FILE")
    interval: str | None = option(None, "Count anew every 30s, 15m or 1h, on the round.  [default: the whole run]", "Counting", "--interval", metavar="TIME")

    state: str | None = option(None, "Keep counts and identities in this file, and go on from it at the next start.", "Counting", "--state", metavar="FILE")
    state_every: float = option(10.0, "Seconds between two saves of --state.", "Counting", "--state-every", low=0.1, high=86400, metavar="S")
    resume: bool = option(False, "With --state: begin a file at the frame where the last run stopped.", "Counting", "--resume")

    output: str | None = option(None, "Annotated video; the extension chooses the container.  [default: SOURCE_output.mp4]", "Output", "-o", "--output", metavar="FILE")
    overwrite: bool = option(False, "Replace output files that exist.", "Output", "--overwrite")
    crf: int = option(23, "Constant quality of H.264: lower is better and larger.", "Output", "--crf", low=0, high=51, metavar="Q")
    segment: str | None = option(None, "Begin a new video every 10m, 1h, ...; the files are named by time.", "Output", "--segment", metavar="TIME")
    keep: str | None = option(None, "Delete segments older than 24h, 7d, ...", "Output", "--keep", metavar="TIME")
    keep_gb: float | None = option(None, "Delete the oldest segments beyond so many gigabytes.", "Output", "--keep-gb", low=0, metavar="GB")
    line_width: int | None = option(None, "Width of drawn lines in pixels.  [default: by size of the picture]", "Output", "--line-width", low=1, high=100, metavar="PX")
    hide_labels: bool = option(False, "Draw boxes without labels.", "Output", "--hide-labels")
    hide_conf: bool = option(False, "Draw labels without the confidence.", "Output", "--hide-conf")
    draw_classes: tuple[str, ...] = option((), "Draw these classes only; the others are followed and counted all the same.", "Output", "--draw-classes", metavar="LIST")
    color_by: str = option("id", "A colour for each number, or for each class.", "Output", "--color-by", choices=("id", "class"))
    background: str | None = option(None, "A picture of the empty scene for heatmaps and routes.  [default: made of the recording]", "Output", "--background", metavar="FILE")
    show: bool = option(False, "Show a window while running; q or Esc ends. No video is written then, unless -o names one.", "Output", "--show")
    crop: str | None = option(None, "A steadied video of the object that --follow names.", "Output", "--crop", metavar="FILE")
    profile: bool = option(False, "Tell at the end where the time went.", "Output", "--profile")
    save_mot: str | None = option(None, "Tracks as MOTChallenge text.", "Output", "--save-mot", metavar="FILE")
    save_csv: str | None = option(None, "Tracks as a table, one row per object and frame.", "Output", "--save-csv", metavar="FILE")
    save_json: str | None = option(None, "Tracks and events as JSON lines, one line per frame.", "Output", "--save-json", metavar="FILE")
    # fmt: on

    def __post_init__(self) -> None:
        """Bring lists into one form; refuse values out of range before anything is opened."""
        for name in ("plugin", "on"):
            object.__setattr__(self, name, values.words(getattr(self, name), name))
        for name in ("line", "zone"):
            object.__setattr__(self, name, values.shapes(getattr(self, name), name))
        for name in ("classes", "draw_classes"):
            object.__setattr__(self, name, values.classes(getattr(self, name)))
        for spec in dataclasses.fields(self):
            value = getattr(self, spec.name)
            if spec.metadata["metavar"] == "S" and isinstance(value, str):
                object.__setattr__(self, spec.name, values.seconds(value))
            _check(spec.metadata, getattr(self, spec.name))
            kind = str(spec.type).removesuffix(" | None")
            object.__setattr__(self, spec.name, _of_kind(spec.metadata, kind, getattr(self, spec.name)))
        if self.remember is not None and self.appearance == "none":
            raise OptionError("--remember needs looks to know again; add --appearance color")
        if self.detect_every > 1 and self.appearance != "none":
            raise OptionError("--detect-every leaves out the looks that --appearance needs; give one of them")
        if self.end is not None and self.end <= self.start:
            raise OptionError(f"--end {self.end:g} lies before --start {self.start:g}; give a later second")
        if self.resume and not self.state:
            raise OptionError("--resume goes on from what --state keeps; give --state FILE too")
        if self.state and self.refine:
            raise OptionError("--refine needs the whole file at once, --state saves halves; leave one out")
        if self.interval and not self.counts:
            raise OptionError("--interval divides what --counts writes; give --counts FILE too")
        if self.crop and not self.follow:
            raise OptionError("--crop films the object that --follow names; give --follow too")

    @classmethod
    def of(cls, chosen: Mapping[str, Any], function: str = "track") -> Options:
        """Return the options of these keywords; raises ``OptionError`` for one that there is not."""
        known = [spec.name for spec in dataclasses.fields(cls)]
        for name, value in chosen.items():
            if name in known:
                continue
            told = answer(name, None if isinstance(value, bool) else str(value))
            if told is not None:
                raise OptionError(f"{function}() knows no {name}: {for_python(told)}")
            alike = near(normal(name), [*known, "plugins", "stop"])
            raise OptionError(
                f"{function}() has no option {name!r}{alike or '; help(tracker.Options) lists them'}"
            )
        return cls(**chosen)

    @property
    def known_s(self) -> float:
        """Seconds after which nobody who was not seen gets the same number again."""
        if self.appearance == "none":
            return self.lost
        return max(self.lost, REMEMBER_S if self.remember is None else self.remember)


def _of_kind(meta: Any, kind: str, value: Any) -> Any:
    """Return the value as its option needs it: ``device=0`` and ``imgsz=640.0`` are meant well.

    Refuses what only Python can give: a word for a switch, half a frame, a number for a path.
    """
    flag = next((f for f in meta["flags"] if f.startswith("--")), "?")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is None or kind.startswith("tuple") or kind == "float":
        return value
    if kind == "bool" and not isinstance(value, bool):
        raise OptionError(f"{flag} takes True or False, not {value!r}")
    if kind == "int":
        if not number or not math.isfinite(value) or value != int(value):
            raise OptionError(f"{flag} takes a whole number, not {value!r}")
        return int(value)
    if kind == "str" and not isinstance(value, str | os.PathLike):
        if not number or meta["metavar"] == "FILE":
            raise OptionError(f"{flag} takes a text, not {value!r}")
        return f"{value:g}" if isinstance(value, float) else str(value)
    return value


def _check(meta: Any, value: Any) -> None:
    flag = next((f for f in meta["flags"] if f.startswith("--")), "?")
    low, high, choices = meta["low"], meta["high"], meta["choices"]
    if value is None:
        return
    if choices and value not in choices and flag == "--tracker" and (told := tracker_answer(str(value))):
        raise OptionError(f"--tracker {value} is not here: {told}")
    if choices and value not in choices:
        raise OptionError(f"{flag} {value!r} is unknown; choose from {', '.join(choices)}")
    if low is None and high is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OptionError(f"{flag} takes a number, not {value!r}")
    # written so that nan fails too
    if not ((low is None or value >= low) and (high is None or value <= high)):
        upper = "" if high is None else f" and at most {high:g}"
        raise OptionError(f"{flag} {value:g} is out of range; give at least {low:g}{upper}")
