"""What ``--tiles`` asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tracker.errors import OptionError
from tracker.parse import size

OVERLAP = 0.2  # of a tile's side that neighbours share, as in SAHI: what is smaller is whole in one of them
MOST = 32  # tiles that ``auto`` makes; of larger pictures the tiles are larger
MOST_ALONG = 16  # tiles along the longer side that may be asked for
WORTH_IT = 1.25  # times the network's input that a picture must be for ``auto`` to make tiles


@dataclass(frozen=True)
class TileSpec:
    """How large tiles are to be."""

    kind: str  # "off", "auto", "along" or "size"
    along: int = 1  # tiles along the longer side
    size: tuple[int, int] = (0, 0)  # (height, width) in pixels of the picture

    @classmethod
    def read(cls, text: str) -> TileSpec:
        """Read ``off``, ``auto``, ``3`` (tiles along the longer side) or ``640x480`` (pixels of the picture).

        >>> TileSpec.read("3").along, TileSpec.read("640x480").size
        (3, (480, 640))
        """
        word = text.strip().lower()
        if word in ("off", "auto"):
            return cls(word)
        if re.fullmatch(r"\d{1,5}", word) and 1 <= int(word) <= MOST_ALONG:
            return cls("along", along=int(word))
        try:
            width, height = size(word)
        except OptionError:
            width = height = 0
        if min(width, height) < 32:
            raise OptionError(
                f"--tiles takes off, auto, the number of tiles along the longer side (1 to {MOST_ALONG}), or "
                f"their size in pixels, such as 640x640 (at least 32x32), not {text!r}"
            )
        return cls("size", size=(height, width))

    def tile(self, picture: tuple[int, int], imgsz: int) -> tuple[float, float] | None:
        """Return (height, width) of the tiles in pixels of a picture of (height, width); None: no tiles.

        >>> TileSpec.read("auto").tile((576, 768), 640), TileSpec.read("2").tile((576, 720), 640)
        (None, (400.0, 400.0))
        """
        longer = max(picture)
        if self.kind == "off" or (self.kind == "along" and self.along == 1):
            return None
        if self.kind == "size":
            return min(self.size[0], picture[0]), min(self.size[1], picture[1])
        if self.kind == "along":
            side = longer / (self.along - (self.along - 1) * OVERLAP)
        elif longer <= WORTH_IT * imgsz:
            return None
        else:
            side = float(imgsz)
            while picture[0] * picture[1] > MOST * ((1 - OVERLAP) * side) ** 2:
                side *= 1.1
        return min(side, picture[0]), min(side, picture[1])
