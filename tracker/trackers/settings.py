"""What a tracker is told: one frozen struct; here live the defaults that ``Options`` reads."""

from __future__ import annotations

from dataclasses import dataclass

TRACKER_KINDS = ("motion", "bytetrack", "botsort", "strongsort", "deepsort", "sort")
WITH_GALLERY = ("botsort", "strongsort", "deepsort")  # compare looks in a way of their own
NEED_LOOKS = ("strongsort", "deepsort")  # do nothing useful without
MATCHED_BY = ("boxes", "keypoints", "masks")
KIND_OF = {"keypoints": "pose", "masks": "segment"}  # what finds them, as `Detector.kind`
REMEMBER_S = 20.0  # how long --appearance recognises a lost object, unless --remember says otherwise


def lacks_looks(kind: str) -> str:
    """Return what to tell a person who asked for a tracker of ``NEED_LOOKS`` without ``--appearance``."""
    return f"--tracker {kind} compares what objects look like; add --appearance color or self"


def lacks_shapes(match_by: str) -> str:
    """Return what to tell a person who asked to match by what the weights do not find."""
    suffix = {"keypoints": "-pose", "masks": "-seg"}[match_by]
    return f"--match-by {match_by} needs {suffix} weights, such as yolov8n{suffix}.pt"


@dataclass(frozen=True, kw_only=True)
class TrackerSettings:
    """What ``track`` tells every kind of tracker.

    The classes of `bytetrack` used alone have other defaults, those of the published code: 0.5, 0.6, 0.8 (0.9
    of ``MotionTracker``) and one second. They were chosen for the scores of a YOLOX trained on MOT17; those
    here for YOLOv8 (``benchmarks.defaults``).
    """

    track_thresh: float = 0.3  # score from which a box takes part in the first association
    new_track_thresh: float | None = 0.37  # score from which a box begins a track; None: track_thresh + 0.1
    match_thresh: float = 0.88  # greatest cost of the first association
    match_by: str = MATCHED_BY[0]  # what decides where boxes compete
    lost_s: float = 2.0  # how long a lost track is kept, in seconds: track_buffer / 30
    appearance: str = "none"  # none, color, self or MODEL.onnx
    remember_s: float | None = None  # with appearance; None: REMEMBER_S, and not who left the picture
    camera_motion: str = "off"  # off, on or auto
