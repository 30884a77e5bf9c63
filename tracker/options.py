"""Every option of a run, once: defaults, ranges and help; the command line and ``track()`` both read them.

Defaults of detector and tracker stand with their settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from tracker.arguments import endings, values
from tracker.arguments.aliases import answer, for_python, normal
from tracker.arguments.option_spec import ON_OFF, Seconds, option, specs
from tracker.detectors.settings import BACKENDS, DEFAULT_WEIGHTS, LOOKS, PRECISIONS, Settings
from tracker.detectors.tile_spec import TileSpec
from tracker.errors import OptionError
from tracker.parse import near_miss
from tracker.trackers.settings import (
    MATCHED_BY,
    NEED_LOOKS,
    REMEMBER_S,
    TRACKER_KINDS,
    WITH_GALLERY,
    TrackerSettings,
    lacks_looks,
)

if TYPE_CHECKING:  # Python 3.10 has no Unpack of its own, and needs none to run
    from typing_extensions import Unpack

    from tracker.arguments.keywords import Keywords

OF_THE_NETWORK = (
    *(
        "weights",
        "iou",
        "imgsz",
        "tiles",
        "max_det",
        "device",
        "half",
        "backend",
        "int8",
        "precision",
        "batch",
        "look",
    ),
)
TEN_YEARS_S = 10 * 365 * 86400.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a run. A tuple field may be given several times.

    Raises ``OptionError`` naming the option, the value and the range.
    """

    # fmt: off
    start: Seconds = option(0.0, "Start at this time of the file, in seconds (also 1:30 or 90s).", "Input", "--start", low=0, metavar="S")
    end: Seconds | None = option(None, "Stop at this time of the file, in seconds.", "Input", "--end", low=0, metavar="S")
    vid_stride: int = option(1, "Process every N-th frame only; the others are skipped.", "Input", "--vid-stride", low=1, metavar="N")
    fps: float | None = option(None, "Frame rate, for sources without one (image folders, raw .h264). Overrides the rate in the file.", "Input", "--fps", low=0.001, high=1000, metavar="FPS")
    max_frames: int | None = option(None, "Stop after N frames, including those before --resume.", "Input", "--max-frames", low=1, metavar="N")
    decode: str = option("auto", "Video files of large pictures: auto decodes by hardware where there is any, cpu never does.", "Input", "--decode", choices=("auto", "cpu"))

    rtsp_transport: str = option("tcp", "RTSP transport: tcp loses no packets; use udp where the network requires it.", "Cameras", "--rtsp-transport", choices=("tcp", "udp"))
    camera_size: str | None = option(None, "Resolution to request from a local camera, such as 1280x720.", "Cameras", "--camera-size", metavar="WxH")
    camera_fps: float | None = option(None, "Frame rate to request from a local camera.", "Cameras", "--camera-fps", low=0.1, high=1000, metavar="FPS")
    give_up_after: Seconds | None = option(None, "Stop when a live source has sent no picture for S seconds.  [default: reconnect for ever]", "Cameras", "--give-up-after", low=0, metavar="S")

    weights: str = option(DEFAULT_WEIGHTS, "Detection weights: a name or a path. A .pt file can run code when loaded: use only files you trust.", "Detection", "--weights", "--model", metavar="FILE")
    classes: tuple[str, ...] = option((), "Track these classes only: names or ids, comma separated (person,car).", "Detection", "--classes", metavar="LIST")
    conf: float = option(TrackerSettings.track_thresh, "Track threshold: boxes with at least this score are matched first. Weaker boxes, down to 0.1, are kept for the second match.", "Detection", "--conf", low=0, high=1, metavar="P")
    iou: float = option(Settings.iou, "IoU above which two boxes are duplicates and the weaker is removed, across classes.", "Detection", "--iou", low=0.01, high=1, metavar="IOU")
    imgsz: int = option(Settings.imgsz, "Longer side of the network's input, in pixels.", "Detection", "--imgsz", low=32, high=8192, metavar="PX")
    tiles: str = option(Settings.tiles, "Look at overlapping tiles of the picture too, for small far objects: auto (at the picture's own scale), how many along the longer side, or their size in pixels (640x640). Each costs as much as a picture.", "Detection", "--tiles", metavar="off|auto|N|WxH")
    max_det: int = option(Settings.max_det, "Maximum number of boxes per frame.", "Detection", "--max-det", low=1, metavar="N")
    device: str = option(Settings.device, "Device that runs the network: auto, cpu, a GPU number, mps.", "Detection", "--device", metavar="DEV")
    half: bool = option(Settings.half, "Use half precision (GPU only).", "Detection", "--half")
    backend: str = option(Settings.backend, "Library that runs the network. auto: torch on a GPU, OpenVINO on x86 CPUs, otherwise torch.", "Detection", "--backend", choices=BACKENDS)
    int8: bool = option(Settings.int8, "Compute with 8 bits, the fastest on CPUs. Without a model yet, one is made of your own pictures (half a minute of CPU, once), and used only if it agrees with fp32.", "Detection", "--int8")
    precision: str = option(Settings.precision, "Arithmetic of OpenVINO. auto: bf16 if the CPU computes faster in it, otherwise fp32.", "Detection", "--precision", choices=PRECISIONS)
    batch: int = option(Settings.batch, "Pictures per forward pass, for files (GPUs, many cores).", "Detection", "--batch", low=1, high=256, metavar="N")
    detections: str | None = option(None, "Take the boxes from a file of --save-detections, or MOTChallenge's det.txt, instead of the detector.", "Detection", "--detections", metavar="FILE")
    look: str = option(LOOKS[0], "Where the detector looks: changed: only where the picture changed, and everywhere every few seconds; all: at every whole picture; auto: changed for cameras and streams, and for files on CPUs.", "Detection", "--look", choices=LOOKS)
    detect_every: int = option(Settings.every, "Run the detector on every N-th frame; predict in between. For slow machines.", "Detection", "--detect-every", low=1, high=1000, metavar="N")

    tracker: str = option(TRACKER_KINDS[0], "Tracker: motion (improved ByteTrack) or, as published, bytetrack, botsort, strongsort, deepsort (both with --appearance), sort. `track compare` runs them all.", "Tracking", "--tracker", choices=TRACKER_KINDS)
    new_track_thresh: float | None = option(TrackerSettings.new_track_thresh, "Minimum score to start a new track; never below --conf.", "Tracking", "--new-track-thresh", low=0, high=1, metavar="P")
    match_thresh: float = option(TrackerSettings.match_thresh, "Maximum cost of the first match, 1 - IoU * score (the default tracker also compares heights).", "Tracking", "--match-thresh", low=0, high=1, metavar="COST")
    match_by: str = option(TrackerSettings.match_by, "What decides who is who where boxes compete: boxes alone, or also keypoints (of -pose weights) or masks (of -seg weights).", "Tracking", "--match-by", choices=MATCHED_BY)
    appearance: str = option(TrackerSettings.appearance, "Compare appearance when boxes compete, and to recognise lost objects: none, color, self (by the detector's own network, learning from the recording), or a ReID model MODEL.onnx.", "Tracking", "--appearance", metavar="KIND")
    remember: Seconds | None = option(TrackerSettings.remember_s, "With --appearance: recognise objects for S seconds, even after they left the picture.  [default: 20, and not after leaving]", "Tracking", "--remember", low=0, high=86400, metavar="S")
    camera_motion: str = option(TrackerSettings.camera_motion, "Compensate for camera motion: off, on, or auto (only while the camera moves).", "Tracking", "--camera-motion", choices=("off", "on", "auto"))
    refine: bool = option(False, "Files only: finish all tracks first, fill short gaps, smooth the boxes, then draw (decodes twice).", "Tracking", "--refine")
    lost: Seconds = option(TrackerSettings.lost_s, "Seconds an unseen object keeps its id (ByteTrack's track_buffer / 30).", "Tracking", "--lost", low=0, high=3600, metavar="S")

    line: tuple[str, ...] = option((), "Count objects that cross a line: 'x,y x,y ...', in pixels or as fractions of the picture; 'NAME=x,y x,y' names it.", "Counting", "--line", metavar="POINTS")
    zone: tuple[str, ...] = option((), "Report who enters a polygon and how long they stay: 'x,y x,y x,y ...'; may be named like a line.", "Counting", "--zone", metavar="POINTS")
    zones: str | None = option(None, "Read lines, zones and movements from a YAML file (check it with `track zones check`).", "Counting", "--zones", metavar="FILE")
    plugin: tuple[str, ...] = option((), "Run a plugin: route, heatmap, 'speed:option=value;option=value', or one you installed. NAME:help shows its options; help lists all plugins.", "Counting", "--plugin", metavar="NAME")
    units: str = option("kmh", "Unit of the speeds measured by --plugin speed.", "Counting", "--units", choices=("kmh", "mph"))
    on: tuple[str, ...] = option((), "Action on events: 'KIND=http://...' (webhook), 'KIND=cmd:PROGRAM' or 'KIND=mqtt://host/topic'; KIND may contain * (line.*).", "Counting", "--on", metavar="KIND=ACTION")
    follow: str | None = option(None, "Highlight one object: its id, or 'x,y@second' for the object at that pixel and second of the file.", "Counting", "--follow", metavar="TARGET")
    events: str | None = option(None, "Write every crossing, entry, exit and alarm as JSON lines, as it happens.", "Counting", "--events", metavar="FILE")
    counts: str | None = option(None, "Write counts per line or zone, direction and class as CSV.", "Counting", "--counts", metavar="FILE")
    movements: str | None = option(None, "Write movements per junction of the zone file, from where to where, and class as CSV.", "Counting", "--movements", metavar="FILE")
    interval: Seconds | None = option(None, "With --counts, --movements and --report: one row per interval of 30s, 15m, 1h, ..., aligned to the clock.  [default: whole run]", "Counting", "--interval", low=0.001, high=TEN_YEARS_S, metavar="TIME")

    save_run: str | None = option(None, "Write what `track report` needs to know of the run, as JSON: settings, versions, lines and zones, gaps.", "Counting", "--save-run", metavar="FILE")
    report: str | None = option(None, "Write a report of what was counted, one HTML page (`track report` makes one of many runs).", "Counting", "--report", metavar="FILE")

    state: str | None = option(None, "Save counts and ids to this file, and continue from it at the next start.", "Counting", "--state", metavar="FILE")
    state_every: Seconds = option(10.0, "Seconds between saves of --state.", "Counting", "--state-every", low=0.1, high=86400, metavar="S")
    resume: bool = option(False, "With --state: continue a file at the frame where the last run stopped.", "Counting", "--resume")

    output: str | None = option(None, "Annotated video; the extension selects the container.  [default: SOURCE_output.mp4]", "Output", "-o", "--output", metavar="FILE")
    overwrite: bool = option(False, "Replace existing output files.", "Output", "--overwrite")
    crf: int = option(23, "H.264 quality: lower is better and larger.", "Output", "--crf", low=0, high=51, metavar="Q")
    encode: str = option("balanced", "Effort of the encoder: fast (least CPU), small (smallest files, three times the CPU), or balanced, which is fast for pictures from 1280x720 on where there are fewer than 8 cores.", "Output", "--encode", choices=("fast", "balanced", "small"))
    segment: Seconds | None = option(None, "Start a new video file every 10m, 1h, ...; file names contain the time.", "Output", "--segment", low=0.001, high=TEN_YEARS_S, metavar="TIME")
    keep: Seconds | None = option(None, "Delete segments older than 24h, 7d, ...", "Output", "--keep", low=0.001, high=TEN_YEARS_S, metavar="TIME")
    keep_gb: float | None = option(None, "Delete the oldest segments when all together exceed GB gigabytes.", "Output", "--keep-gb", low=0, metavar="GB")
    line_width: int | None = option(None, "Width of drawn lines, in pixels.  [default: depends on the picture size]", "Output", "--line-width", low=1, high=100, metavar="PX")
    hide_labels: bool = option(False, "Draw boxes without labels.", "Output", "--hide-labels")
    hide_conf: bool = option(False, "Draw labels without the score.", "Output", "--hide-conf")
    show_labels: str = option("on", "Draw a label at each box.", "Output", "--show-labels", choices=ON_OFF)
    show_conf: str = option("on", "Write the score into the labels.", "Output", "--show-conf", choices=ON_OFF)
    show_ids: str = option("on", "Write the id into the labels.", "Output", "--show-ids", choices=ON_OFF)
    show_boxes: str = option("on", "Draw boxes; off leaves masks, skeletons and labels.", "Output", "--show-boxes", choices=ON_OFF)
    blur: tuple[str, ...] = option((), "Blur these classes in all pictures, by mask or box: person, all, ...; face blurs faces, with -pose weights.", "Output", "--blur", metavar="LIST")
    draw_classes: tuple[str, ...] = option((), "Draw these classes only; the others are still tracked and counted.", "Output", "--draw-classes", metavar="LIST")
    color_by: str = option("id", "Colour boxes by track id or by class.", "Output", "--color-by", choices=("id", "class"))
    background: str | None = option(None, "Picture of the empty scene, for heatmaps and routes.  [default: computed from the video]", "Output", "--background", metavar="FILE")
    show: bool = option(False, "Show a window; q or Esc stops. No video is written unless -o is given.", "Output", "--show")
    crop: str | None = option(None, "Write a stabilised video of the object that --follow names.", "Output", "--crop", metavar="FILE")
    profile: bool = option(False, "Print at the end where the time went.", "Output", "--profile")
    save_mot: str | None = option(None, "Write tracks as MOTChallenge text.", "Output", "--save-mot", metavar="FILE")
    save_csv: str | None = option(None, "Write tracks as CSV, one row per object and frame.", "Output", "--save-csv", metavar="FILE")
    save_detections: str | None = option(None, "Write every detected box as Parquet, for runs without the detector: --detections, `track replay`.", "Output", "--save-detections", metavar="FILE")
    save_mots: str | None = option(None, "Write masks with identities as MOTS text (-seg weights).", "Output", "--save-mots", metavar="FILE")
    save_coco: str | None = option(None, "Write tracks as COCO JSON with track_id, to train on them.", "Output", "--save-coco", metavar="FILE")
    save_cvat: str | None = option(None, "Write tracks as CVAT for video 1.1 XML, to correct them.", "Output", "--save-cvat", metavar="FILE")
    save_json: str | None = option(None, "Write tracks and events as JSON lines, one line per frame.", "Output", "--save-json", metavar="FILE")
    # fmt: on

    if TYPE_CHECKING:  # what may be given; the fields are what has become of it

        def __init__(self, **options: Unpack[Keywords]) -> None: ...

    def __post_init__(self) -> None:
        """Bring lists into one form; refuse values out of range before anything is opened."""
        for name in ("plugin", "on"):
            object.__setattr__(self, name, values.words(getattr(self, name), name))
        for name in ("line", "zone"):
            object.__setattr__(self, name, values.shapes(getattr(self, name), name))
        for name in ("classes", "draw_classes"):
            object.__setattr__(self, name, values.classes(getattr(self, name)))
        object.__setattr__(self, "blur", values.classes(self.blur, "--blur"))
        for name, spec in specs(Options).items():
            object.__setattr__(self, name, value := spec.read(getattr(self, name)))
            if isinstance(value, str):
                endings.check(spec.flag, value)
        if self.remember is not None and self.appearance == "none":
            raise OptionError("--remember needs --appearance; add --appearance color")
        own = self.tracker in WITH_GALLERY
        if self.remember is not None and own:
            raise OptionError(
                f"--tracker {self.tracker} remembers who is lost for --lost seconds, and no longer; give --lost instead of --remember"
            )
        if self.tracker in NEED_LOOKS and self.appearance == "none":
            raise OptionError(lacks_looks(self.tracker))
        if self.detect_every > 1 and self.appearance != "none" and not own:
            raise OptionError(
                "--detect-every and --appearance cannot be combined, because appearance needs every frame; give one of them"
            )
        if self.end is not None and self.end <= self.start:
            raise OptionError(f"--end {self.end:g} is not after --start {self.start:g}; give a later time")
        if self.resume and not self.state:
            raise OptionError("--resume needs a saved state; give --state FILE too")
        if self.state and self.refine:
            raise OptionError(
                "--refine needs the whole file at once, so it cannot be combined with --state; leave one out"
            )
        if "-" in (self.report, self.save_run):
            raise OptionError("--report and --save-run take a file, not standard output; give a name")
        if self.report and self.state and not (self.events and self.save_run):
            raise OptionError(
                "--report with --state needs --events and --save-run, so that it shows every part of the run"
            )
        if self.interval and not (self.counts or self.movements or self.report or self.save_run):
            raise OptionError("--interval needs --counts or --movements; give --counts FILE too")
        TileSpec.read(self.tiles)
        self._check_detections()
        if self.crop and not self.follow:
            raise OptionError("--crop needs --follow; give --follow TARGET too")

    def _check_detections(self) -> None:
        if self.save_detections == "-":
            raise OptionError("--save-detections takes a file, not standard output; give a name")
        if self.save_detections and self.state:
            raise OptionError("--save-detections cannot be combined with --state; leave one out")
        if self.save_detections and self.refine and self.detect_every > 1:
            raise OptionError("--save-detections with --refine needs every frame; leave out --detect-every")
        if self.detections is None:
            return
        if self.save_detections:
            raise OptionError("--save-detections would only copy what --detections reads; leave one out")
        for name in OF_THE_NETWORK:
            spec = specs(Options)[name]
            if getattr(self, name) != spec.default:
                raise OptionError(
                    f"{spec.flag} is for the detector, which --detections replaces; leave one out"
                )

    @classmethod
    def of(cls, chosen: Mapping[str, object], function: str = "track") -> Options:
        """Return the options of these keywords; raises ``OptionError`` for one that there is not."""
        known = [*specs(cls)]
        for name, value in chosen.items():
            if name in known:
                continue
            told = answer(name, None if isinstance(value, bool) else str(value))
            if told is not None:
                raise OptionError(f"{function}() has no option {name}: {for_python(told)}")
            alike = near_miss(normal(name), [*known, "plugins", "stop"])
            raise OptionError(
                f"{function}() has no option {name!r}{alike or '; help(tracker.Options) lists them'}"
            )
        return cls(**cast("Keywords", chosen))

    @property
    def tracker_settings(self) -> TrackerSettings:
        """What of them is the tracker's."""
        return TrackerSettings(
            track_thresh=self.conf,
            new_track_thresh=self.new_track_thresh,
            match_thresh=self.match_thresh,
            match_by=self.match_by,
            lost_s=self.lost,
            appearance=self.appearance,
            remember_s=self.remember,
            camera_motion=self.camera_motion,
        )

    @property
    def features_from(self) -> float | None:
        """The score from which boxes get features of the detector's network; None: they get none."""
        return self.conf if self.appearance == "self" else None

    @property
    def known_s(self) -> float:
        """Seconds after which nobody who was not seen gets the same number again."""
        if self.appearance == "none" or self.tracker in WITH_GALLERY:
            return self.lost
        return max(self.lost, REMEMBER_S if self.remember is None else self.remember)
