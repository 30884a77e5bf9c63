"""Look at overlapping tiles of a picture, too: far objects, which are too small in the whole one.

The idea is SAHI's (Akyon et al. 2022, arXiv:2202.06934), with another way of merging: each view of an object
is matched to one other, so that neighbours in a crowd are not merged, and what a tile's edge cuts is never a
box of its own where the whole thing is seen somewhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from bytetrack import Detections
from tracker.detectors.batched import Network
from tracker.detectors.settings import STRIDE, Settings
from tracker.detectors.tile_merge import View, merge
from tracker.detectors.tile_spec import OVERLAP, TileSpec
from tracker.detectors.windows import Layout, Window
from tracker.errors import OptionError
from tracker.types import Pixels, Stopwatch


@dataclass(frozen=True)
class Grid:
    """Where the tiles of pictures of one size are. Sizes are (height, width)."""

    picture: tuple[int, int]
    scaled: tuple[int, int]  # of the whole picture at the tiles' scale
    shape: tuple[int, int]  # of the network's input
    windows: tuple[Window, ...]  # none: tiles would show no more than the whole picture does

    @classmethod
    def of(cls, picture: tuple[int, int], spec: TileSpec, imgsz: int) -> Grid:
        """Return the tiles of a picture, for a network whose input is ``imgsz`` on its longer side.

        >>> grid = Grid.of((1080, 1920), TileSpec.read("auto"), 640)
        >>> len(grid.windows), grid.shape, grid.scaled
        (8, (640, 640), (1080, 1920))
        """
        tile = spec.tile(picture, imgsz)
        if tile is None:
            return cls(picture, picture, (STRIDE, STRIDE), ())
        gain = imgsz / max(tile)
        scaled = picture if abs(gain - 1) < 0.01 else (round(picture[0] * gain), round(picture[1] * gain))
        sides = [min(-(-round(t * gain) // STRIDE) * STRIDE, imgsz) for t in tile]
        rows, columns = (starts(whole, side) for whole, side in zip(scaled, sides, strict=True))
        height, width = (min(side, whole) // 2 * 2 for side, whole in zip(sides, scaled, strict=True))
        shape = -(-height // STRIDE) * STRIDE, -(-width // STRIDE) * STRIDE
        windows = tuple(Window(left, top, width, height) for top in rows for left in columns)
        return cls(picture, scaled, shape, windows if len(windows) > 1 else ())

    def layout(self, window: Window) -> Layout:
        """Return what the network is shown of one tile."""
        return Layout(self.picture, self.scaled, self.shape, (window,))

    def view(self, window: Window) -> View:
        """Return what of the picture a tile shows, in pixels of the picture, and which edges cut."""
        y, x = self.picture[0] / self.scaled[0], self.picture[1] / self.scaled[1]
        right, bottom = window.left + window.width, window.top + window.height
        return View(
            (window.left * x, window.top * y, right * x, bottom * y),
            # An odd last pixel is in no tile.
            (window.left > 0, window.top > 0, right < self.scaled[1] - 1, bottom < self.scaled[0] - 1),
            scale=1 / max(x, y),
        )


def starts(whole: int, side: int) -> list[int]:
    """Return the even positions of the fewest tiles that cover a side and overlap enough.

    >>> starts(1920, 640)
    [0, 426, 854, 1280]
    """
    if whole <= side:
        return [0]
    count = math.ceil((whole - OVERLAP * side) / (side - OVERLAP * side) - 1e-9)
    last = (whole - side) // 2  # in pairs of pixels, so that planes can be cut, too
    return [2 * round(last * number / (count - 1)) for number in range(count)]


@dataclass
class PendingTiles:
    """Pictures in flight: each whole, and its tiles."""

    whole: Any
    grid: Grid
    tiles: list[list[Any]] = field(default_factory=list)


class Tiled(Network[PendingTiles]):
    """Wraps a network: every picture is looked at whole and in tiles, and each object is one box."""

    def __init__(self, network: Network[Any], settings: Settings, stopwatch: Stopwatch | None = None) -> None:
        self.network, self.settings = network, settings
        self.names, self.description = network.names, network.description
        self._spec = TileSpec.read(settings.tiles)
        self._watch = stopwatch or Stopwatch()
        self._grids: dict[tuple[int, int], Grid] = {}

    def __enter__(self) -> Tiled:
        """Load the model; raises ``OptionError`` for one that knows one size only."""
        self.network.__enter__()
        if not self.network.any_shape:
            self.network.__exit__(None, None, None)
            raise OptionError(
                "--tiles needs a model that takes pictures of any size, and "
                f"{self.network.description} was exported for one; leave it out, or use the .pt file"
            )
        self.names, self.batch, self.kind = self.network.names, self.network.batch, self.network.kind
        self.description = f"{self.network.description}, tiles {self.settings.tiles}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the model."""
        self.network.__exit__(kind, error, trace)

    @property
    def idle_share(self) -> float | None:
        """Part of its time in which the network rested."""
        return self.network.idle_share

    def in_flight(self) -> int:
        """Return how many batches may be in flight: two, since the tiles of one fill the network."""
        return min(2, self.network.in_flight())

    def at_a_time(self) -> int:
        """Return how many batches are computed at the same time."""
        return 1 if any(grid.windows for grid in self._grids.values()) else self.network.at_a_time()

    def grid(self, size: tuple[int, int]) -> Grid:
        """Return where the tiles of pictures of a size are, (height, width)."""
        grid = self._grids.get(size)
        if grid is None:
            self._grids[size] = grid = Grid.of(size, self._spec, self.settings.imgsz)
        return grid

    def start(self, images: Sequence[Pixels]) -> PendingTiles:
        """Begin with the pictures and all their tiles."""
        grid = self.grid((images[0].shape[0], images[0].shape[1]))
        pending = PendingTiles(self.network.start(images), grid)
        for image in images if grid.windows else ():
            scaled = self.network.scale(image, grid.scaled)
            pending.tiles.append(
                [self.network.start_windows(scaled, grid.layout(window)) for window in grid.windows]
            )
        return pending

    def finish(self, pending: PendingTiles) -> list[Detections]:
        """Wait for all, and return one ``Detections`` per picture."""
        wholes, grid = self.network.finish(pending.whole), pending.grid
        if not grid.windows:
            return wholes
        views = [grid.view(window) for window in grid.windows]
        found = []
        for whole, tiles in zip(wholes, pending.tiles, strict=True):
            parts = [self.network.finish(tile)[0] for tile in tiles]
            found.append(merge(whole, parts, views, max_det=self.settings.max_det, iou=self.settings.iou))
        return found

    def forgo_turn(self) -> None:
        """Tell that nothing will be asked about this frame."""
        self.network.forgo_turn()

    def abandon(self, pending: PendingTiles) -> None:
        """Cancel what is in flight."""
        self.network.abandon(pending.whole)
        for tiles in pending.tiles:
            for tile in tiles:
                self.network.abandon(tile)
