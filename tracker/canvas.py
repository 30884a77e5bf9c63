"""Pictures, and what plugins record to be drawn on them: numpy and the standard library, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Image: TypeAlias = NDArray[np.uint8]  # (H, W, 3) BGR
Color: TypeAlias = tuple[int, int, int] | int  # BGR, 0-255; a bare int is a track_id: that track's colour


class Mark(NamedTuple):
    """One thing a plugin drew; ``kind`` is the name of the ``Canvas`` method."""

    kind: str
    arguments: Mapping[str, Any]
    by: str = ""  # the plugin that drew it, for errors


@dataclass
class Canvas:
    """Records what plugins want a person to see, in picture pixels.

    Painting happens later, elsewhere and maybe never (`tracker.drawing.marks.paint`), so everything handed
    in must not change afterwards. ``width`` is in multiples of the picture's own line width, ``size`` of
    its text.
    """

    marks: list[Mark] = field(default_factory=list)
    by: str = ""  # who draws

    def polyline(
        self,
        points: ArrayLike,
        color: Color,
        *,
        width: float = 1.0,
        closed: bool = False,
        arrow: bool = False,
        alpha: float = 1.0,
        fade: bool = False,
    ) -> None:
        """Connect (N, 2) points; ``arrow`` puts a head at the last, ``fade`` lets the first vanish."""
        self._add(
            "polyline",
            points=np.asarray(points, np.float64).reshape(-1, 2),
            color=color,
            width=width,
            closed=closed,
            arrow=arrow,
            alpha=alpha,
            fade=fade,
        )

    def polylines(
        self,
        points: ArrayLike,
        lengths: Sequence[int],
        colors: Sequence[Color],
        *,
        width: float = 1.0,
        fade: bool = False,
    ) -> None:
        """Draw many at once: (N, 2) points end to end, how many belong to each, and the color of each."""
        self._add(
            "polylines",
            points=np.asarray(points, np.float64).reshape(-1, 2),
            lengths=lengths,
            colors=colors,
            width=width,
            fade=fade,
        )

    def polygon(self, points: ArrayLike, color: Color, *, alpha: float = 0.25) -> None:
        """Fill the polygon of (N, 2) points, translucent."""
        self._add("polygon", points=np.asarray(points, np.float64).reshape(-1, 2), color=color, alpha=alpha)

    def circle(
        self, center: ArrayLike, radius: float, color: Color, *, width: float = 1.0, filled: bool = False
    ) -> None:
        """Draw a circle; the radius is in pixels."""
        self._add(
            "circle",
            center=np.asarray(center, np.float64),
            radius=radius,
            color=color,
            width=width,
            filled=filled,
        )

    def text(self, text: str, at: ArrayLike, color: Color, *, size: float = 1.0, anchor: str = "lt") -> None:
        """Write at a point; ``anchor`` is l, m or r and t, m or b: where the point lies in the text."""
        self._add("text", text=text, at=np.asarray(at, np.float64), color=color, size=size, anchor=anchor)

    def label(self, track_id: int, text: str) -> None:
        """Append to the label of a track, e.g. ``37 km/h``."""
        self._add("label", track_id=track_id, text=text)

    def labels(self, texts: Mapping[int, str]) -> None:
        """Append to the labels of many tracks at once, by track_id."""
        self._add("labels", texts=texts)

    def table(self, title: str, rows: Sequence[tuple[str, str]], color: Color = (255, 255, 255)) -> None:
        """Add a small box of names and values; boxes are stacked in a corner of the picture."""
        self._add("table", title=title, rows=tuple(rows), color=color)

    def overlay(self, bgra: NDArray[np.uint8]) -> None:
        """Blend an (h, w, 4) picture, stretched to the frame, under everything else."""
        self._add("overlay", bgra=bgra)

    def dim(self, amount: float, keep_xyxy: ArrayLike) -> None:
        """Darken everything but the (N, 4) boxes; ``amount`` 0 to 1."""
        self._add("dim", amount=amount, keep_xyxy=np.asarray(keep_xyxy, np.float64).reshape(-1, 4))

    def _add(self, kind: str, **arguments: Any) -> None:
        self.marks.append(Mark(kind, arguments, self.by))


@dataclass(frozen=True, eq=False)
class Scale:
    """What the colours of a picture mean, from least to most."""

    title: str  # what is measured, and in which unit
    bgra: NDArray[np.uint8]  # (N, 4) the colours
    ticks: Sequence[tuple[float, str]]  # where along the colours, 0 to 1, and what is written there


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture to be left at the end of a run: marks over a background.

    With a title it becomes a figure: title and notes above it, scale and key beside it.
    """

    background: Image
    marks: tuple[Mark, ...] = ()
    title: str = ""
    notes: Sequence[str] = ()  # what, of when: a line each
    scale: Scale | None = None
    key: Sequence[tuple[str, Color]] = ()  # what a colour stands for
