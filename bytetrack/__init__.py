"""ByteTrack (Zhang et al. 2022, arXiv:2110.06864) on numpy, scipy and lap: boxes in, identities out."""

from bytetrack.byte_tracker import BYTETracker
from bytetrack.motion_tracker import SORT, MotionTracker
from bytetrack.types import Detections, Tracks

__all__ = ["SORT", "BYTETracker", "Detections", "MotionTracker", "Tracks"]
