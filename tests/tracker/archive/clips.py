"""Clips of every kind that cutting by time must survive, made with the ffmpeg program."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

X264 = "-c:v libx264 -preset veryfast"
REPEATED = r"setpts=if(between(N\,90\,94)\,90\,N)/25/TB"  # five frames have one time
# name -> suffix and what makes it; -g is the distance of key frames, in frames
KINDS = {
    "closed gop": ("mp4", f"{X264} -g 50 -bf 0 -x264-params open-gop=0"),
    "open gop": ("mp4", f"{X264} -g 40 -bf 3 -x264-params open-gop=1:b-adapt=0"),
    "b frames": ("mkv", f"{X264} -g 60 -bf 4 -x264-params b-pyramid=normal:b-adapt=0:ref=4"),
    "intra refresh": ("mp4", f"{X264} -g 50 -x264-params intra-refresh=1"),
    "variable rate": ("mp4", f"-vf setpts=PTS+0.3*floor(N/37)/TB -fps_mode passthrough {X264} -g 40"),
    "hevc": ("mp4", "-c:v libx265 -preset ultrafast -x265-params keyint=45:log-level=none"),
    "vp9": ("webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 50"),
    "av1": ("mkv", "-c:v libsvtav1 -preset 12 -g 50 -svtav1-params rc=0"),
    "mpeg-2 ts": ("ts", "-c:v mpeg2video -q:v 4 -g 15 -bf 2"),
    "mpeg-2 ps": ("mpg", "-c:v mpeg2video -q:v 4 -g 15 -bf 2"),
    "mjpeg": ("avi", "-c:v mjpeg -q:v 4"),
    "broken times": ("mkv", f"-vf {REPEATED} -fps_mode passthrough {X264} -g 40"),
    "cut off": ("ts", f"{X264} -g 40"),
    "h264 ts": ("ts", f"{X264} -g 40 -bf 2"),
}  # fmt: skip


def make_clip(kind: str, folder: Path, seconds: float = 8, size: str = "160x96") -> Path:
    """Write a clip of a kind; skip where ffmpeg is missing."""
    if not shutil.which("ffmpeg"):
        pytest.skip("needs the ffmpeg program, which is not installed")
    suffix, how = KINDS[kind]
    path = folder / f"{kind.replace(' ', '_')}.{suffix}"
    picture = f"testsrc2=size={size}:rate=25:duration={seconds}"
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", picture, *how.split(), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    if kind == "cut off":
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * 7 // 10])
    return path
