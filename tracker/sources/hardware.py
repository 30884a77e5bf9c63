"""The video decoder of the machine's graphics chip, where there is one."""

from __future__ import annotations

from functools import lru_cache

import av
from av.codec.hwaccel import HWAccel, hwdevices_available

# Smaller pictures are decoded sooner than they are sent to the chip and back.
LEAST_PIXELS = 1280 * 720
# In the order in which they are tried; "drm", "opencl" and the like decode nothing that is met here.
DEVICES = ("cuda", "videotoolbox", "vaapi", "qsv", "d3d11va", "dxva2")


def accelerated(codec: str, width: int, height: int) -> HWAccel | None:
    """Return how to decode pictures of this codec and size by hardware; None where it cannot, or need not."""
    if width * height < LEAST_PIXELS:
        return None
    name = device(codec)
    return None if name is None else HWAccel(name)


@lru_cache(maxsize=16)
def device(codec: str) -> str | None:
    """Return a kind of device that can be opened for a codec; None if there is none.

    FFmpeg names those it was built for, whether the machine has one or not: opening is the only test.
    """
    for name in DEVICES:
        if name in hwdevices_available():
            try:
                HWAccel(name, allow_software_fallback=False).create(av.Codec(codec, "r"))
            except (av.error.FFmpegError, NotImplementedError, OSError, ValueError):
                continue
            return name
    return None
