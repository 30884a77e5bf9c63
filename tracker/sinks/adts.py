"""Convert AAC of streams, with a header before each frame (ADTS, ISO/IEC 14496-3 1.A.2.2), for files."""

from __future__ import annotations

import av
from av.audio.codeccontext import AudioCodecContext

SYNC = 0xFFF
LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 7: "7.1"}
RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


def config(data: bytes) -> bytes | None:
    """Return the AudioSpecificConfig of a frame's header; None if there is no header.

    >>> config(bytes.fromhex("fff14c401b7ffc")).hex(), config(b"plain AAC")
    ('1188', None)
    """
    if len(data) < 7 or int.from_bytes(data[:2], "big") >> 4 != SYNC or data[1] & 6:
        return None
    kind, rate = (data[2] >> 6) + 1, data[2] >> 2 & 15
    channels = (data[2] & 1) << 2 | data[3] >> 6
    if rate >= len(RATES) or data[6] & 3:  # several frames after one header are not in use
        return None
    return (kind << 11 | rate << 7 | channels << 3).to_bytes(2, "big")


def payload(data: bytes) -> bytes:
    """Return a frame without its header."""
    if config(data) is None:
        return data
    return data[7 if data[1] & 1 else 9 :]


def encoder(told: bytes) -> AudioCodecContext:
    """Return an open encoder whose frames fit into a stream of this config."""
    bits = int.from_bytes(told[:2], "big")
    context = av.CodecContext.create("aac", "w")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate, context.format = RATES[bits >> 7 & 15], "fltp"
    context.layout = LAYOUTS.get(bits >> 3 & 15, "stereo")
    context.open()
    return context
