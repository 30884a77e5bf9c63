"""ByteTrack (Zhang et al. 2022, arXiv:2110.06864) on numpy, scipy and lap: boxes in, identities out.

Beside it the trackers that it came from and that came from it, made of the same parts, a file each.
"""

from bytetrack.botsort import BoTSORT
from bytetrack.byte_tracker import BYTETracker
from bytetrack.deepsort import DeepSORT
from bytetrack.motion_tracker import MotionTracker
from bytetrack.rotated_tracker import RotatedTracker
from bytetrack.sort import SORT
from bytetrack.strongsort import StrongSORT
from bytetrack.types import Detections, Tracks

__all__ = [
    "SORT",
    "BYTETracker",
    "BoTSORT",
    "DeepSORT",
    "Detections",
    "MotionTracker",
    "RotatedTracker",
    "StrongSORT",
    "Tracks",
]
