"""The colour of a track: always the same for an id, and far from the colours of its neighbours."""

from __future__ import annotations

from tracker.types import Color

# Chosen by farthest-point search in OKLab (Ottosson 2020) over normal sight, deuteranopia and protanopia
# (Machado et al. 2009), between the lightness of road and sky; the first n are the most distinct n.
PALETTE_RGB = (
    0x00A5F0, 0xC3FF00, 0xFF0000, 0x6900FF, 0xB40096, 0xFFA596, 0x78FFFF, 0xFF4BB4, 0x0F9669, 0xB4B400,
    0xA5C3FF, 0x5A5AC3, 0xE1F0A5, 0xB41E3C, 0xA55AFF, 0x69D2C3, 0xFFC35A, 0x877800, 0xE15A69, 0xF069FF,
)  # fmt: skip


def color_of(track_id: int) -> tuple[int, int, int]:
    """Return the BGR colour of a track; ids 20 apart share one.

    >>> color_of(1), color_of(21) == color_of(1)
    ((240, 165, 0), True)
    """
    rgb = PALETTE_RGB[(int(track_id) - 1) % len(PALETTE_RGB)]
    return rgb & 255, rgb >> 8 & 255, rgb >> 16


def bgr(color: Color) -> tuple[int, int, int]:
    """Return a mark's colour as BGR: a bare int is a track id."""
    if isinstance(color, int):
        return color_of(color)
    blue, green, red = (min(max(int(part), 0), 255) for part in color)
    return blue, green, red


def text_color_on(color: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return black or white, whichever is more legible on ``color`` (luma of ITU-R BT.601).

    >>> text_color_on((255, 255, 255)), text_color_on((120, 0, 0))
    ((0, 0, 0), (255, 255, 255))
    """
    blue, green, red = color
    luma = 0.114 * blue + 0.587 * green + 0.299 * red
    return (0, 0, 0) if luma > 140 else (255, 255, 255)
