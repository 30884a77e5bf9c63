"""The annotated pictures of a run, drawn as the options say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from tracker.drawing.annotate import DrawOptions, draw, draw_pixels
from tracker.drawing.blur import Blurring
from tracker.options import Options
from tracker.parse import class_ids
from tracker.plugin_host import failure, moment
from tracker.types import Image, Mark, OptionError, Pixels, Result, Scene
from tracker.types import Painter as PainterBase

Made = TypeVar("Made")
FACE = "face"  # what --blur calls the faces that keypoints tell of
REMEMBERED = 2000  # numbers whose class is known: a trail outlives its box by some seconds


def drawing_of(options: Options, scene: Scene) -> DrawOptions:
    """Return `draw_options` for a scene; raises ``OptionError`` too where nothing tells where faces are."""
    drawing = draw_options(options, scene.names)
    if drawing.blurring is not None and drawing.blurring.faces and scene.kind != "pose":
        raise OptionError("--blur face needs -pose weights, such as yolov8n-pose.pt; --blur person does not")
    return drawing


def draw_options(options: Options, names: Mapping[int, str]) -> DrawOptions:
    """Return how the options want tracks drawn; raises ``OptionError`` for an unknown class."""
    chosen = class_ids(options.draw_classes, names)
    return DrawOptions(
        line_width=options.line_width,
        labels=options.show_labels == "on" and not options.hide_labels,
        confidences=options.show_conf == "on" and not options.hide_conf,
        ids=options.show_ids == "on",
        boxes=options.show_boxes == "on",
        blurring=blurring(options, names),
        classes=None if chosen is None else frozenset(chosen),
        by_class=options.color_by == "class",
    )


def blurring(options: Options, names: Mapping[int, str]) -> Blurring | None:
    """Return whom --blur names, None for nobody; raises ``OptionError`` for an unknown class."""
    if not options.blur:
        return None
    if "all" in options.blur:
        return Blurring(frozenset(names))
    classes = [word for word in options.blur if word != FACE or FACE in names.values()]
    chosen = class_ids(classes, names) if classes else None
    return Blurring(None if chosen is None else frozenset(chosen), len(classes) < len(options.blur))


@dataclass
class Painter(PainterBase):
    """Makes the annotated pictures of one run.

    Raises ``PluginError`` where what a plugin drew cannot be painted.
    """

    names: Mapping[int, str]
    options: DrawOptions
    live: bool = False  # the time of a frame is told as a clock shows it

    def __post_init__(self) -> None:
        """Know nobody yet."""
        self._class_of: dict[int, int] = {}

    def __call__(self, result: Result) -> Image:
        """Return the annotated picture, (H, W, 3) BGR."""
        return self._guarded(self._draw, result)

    def pixels(self, result: Result) -> Pixels:
        """Return the annotated picture in the colours in which its frame came."""
        return self._guarded(self._draw_pixels, result)

    def _guarded(self, make: Callable[[Result], Made], result: Result) -> Made:
        try:
            return make(result)
        except Exception as error:
            culprit = next((mark for mark in result.marks if not self._paintable(result, mark)), None)
            if culprit is None or not culprit.by:
                raise
            when = moment(result.frame.index, result.frame.time, self.live)
            raise failure(culprit.by, f"draw ({culprit.kind})", when, error) from error

    def _draw(self, result: Result) -> Image:
        return draw(self.wanted(result), self.names, options=self.options)

    def _draw_pixels(self, result: Result) -> Pixels:
        return draw_pixels(self.wanted(result), self.names, self.options)

    def wanted(self, result: Result) -> Result:
        """Return the result with its marks as the options want them; asked once for each, in order."""
        if self.options.plain:
            return result
        ids, classes = result.tracks.track_id.tolist(), result.tracks.class_id.tolist()
        known = {**self._class_of, **dict(zip(ids, classes, strict=True))}
        self._class_of = dict(list(known.items())[-REMEMBERED:]) if len(known) > 2 * REMEMBERED else known
        return replace(result, marks=tuple(as_wanted(result.marks, self.options, known)))

    def _paintable(self, result: Result, mark: Mark) -> bool:
        try:
            self._draw(replace(result, marks=(mark,)))
        except Exception:
            return False
        return True


def as_wanted(marks: Iterable[Mark], drawing: DrawOptions, class_of: Mapping[int, int]) -> Iterable[Mark]:
    """Yield marks in the colours of the drawing options, without those of tracks that are not drawn.

    ``class_of`` maps track numbers to classes; a bare number as colour is a track's.
    """
    for mark in marks:
        arguments = mark.arguments
        if mark.kind == "polylines":
            yield mark._replace(arguments={**arguments, **_lines(arguments, drawing, class_of)})
            continue
        color = arguments.get("color")
        if not isinstance(color, int):
            yield mark
        elif drawing.draws(class_of.get(color)):
            yield mark._replace(arguments={**arguments, "color": drawing.color(color, class_of.get(color))})


def _lines(
    arguments: Mapping[str, object], drawing: DrawOptions, class_of: Mapping[int, int]
) -> dict[str, object]:
    colors: Sequence[object] = arguments["colors"]  # type: ignore[assignment]
    lengths = np.asarray(arguments["lengths"], int)
    drawn = [not isinstance(color, int) or drawing.draws(class_of.get(color)) for color in colors]
    shown = np.repeat(drawn, lengths)
    return {
        "points": np.asarray(arguments["points"])[shown],
        "lengths": lengths[drawn].tolist(),
        "colors": [
            drawing.color(color, class_of.get(color)) if isinstance(color, int) else color
            for color, kept in zip(colors, drawn, strict=True)
            if kept
        ],
    }
