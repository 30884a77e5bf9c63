"""What a zone file means, drawn and in words, before anybody counts with it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bytetrack.types import FloatArray
from tracker.plugins._shared.geometry import area
from tracker.plugins._shared.line_shape import OPPOSITE
from tracker.plugins.line import Line
from tracker.plugins.zone import Zone
from tracker.types import Canvas, Scene
from tracker.zones.file import ZoneFile
from tracker.zones.movements import Junction
from tracker.zones.shapes import Shape, to_bgr

INWARDS = 0.2  # an arrow begins so far from its section, in parts of the way to the middle
LANE = 0.03  # and so far to its right, in parts of the picture's longer side
LABEL_AT = 0.72  # of an arrow's way: near where it leads to
ARROW_POINTS = np.linspace(0, 1, 24)[:, None]


def preview(file: ZoneFile, scene: Scene, canvas: Canvas) -> list[str]:
    """Draw lines, zones and movements as a run would, and return in words what they are.

    Raises ``OptionError`` for what does not fit the picture or the model.
    """
    called = file.class_map.names(scene.names)
    told = [
        f"classes: {', '.join(words)} counted as {name}" for name, words in file.class_map.members.items()
    ]
    plugins: dict[str, Line | Zone] = {}
    for shape in file.shapes:
        plugin = shape.plugin(scene.size, called)
        assert isinstance(plugin, Line | Zone)
        told.append(_shape(shape, plugin, scene, canvas))
        plugins[shape.name] = plugin
    for junction in file.junctions:
        told += _junction(junction, plugins, scene, canvas)
    return told


def _shape(shape: Shape, plugin: Line | Zone, scene: Scene, canvas: Canvas) -> str:
    shape.check(scene.names)
    plugin.start(scene)
    plugin.draw(canvas)
    points = shape.pixels(scene.size)
    if isinstance(plugin, Line):
        what = f"{shape.names[0]!r} leads {plugin.heading()}, {shape.names[1]!r} the other way"
    else:
        covered = area(points)
        what = f"{covered:.0f} px² ({100 * covered / (scene.size[0] * scene.size[1]):.1f} % of the picture)"
        what += f", alarm after {shape.loiter_s:g} s" if shape.loiter_s else ""
        canvas.text(f"{covered:.0f} px2", points.mean(axis=0), plugin.color, anchor="mm")
    corners = " ".join(f"{x:.0f},{y:.0f}" for x, y in points.tolist())
    whom = ", ".join(shape.classes) or "everything"
    return f"{shape.kind} {shape.name}: {what}; {whom}, by {plugin.anchor}; {corners}"


def _junction(
    junction: Junction, plugins: Mapping[str, Line | Zone], scene: Scene, canvas: Canvas
) -> list[str]:
    junction.check(scene.names)
    color = to_bgr(junction.color)
    ends = {name: middle_of(plugins[name]) for name in junction.sections}
    middle: FloatArray = np.mean([*ends.values()], axis=0)
    for origin in junction.sections:
        for to in junction.sections:
            if called := junction.names.get(f"{origin}>{to}"):
                way = arrow(ends[origin], ends[to], middle, LANE * max(scene.size))
                canvas.polyline(way, color, width=2, arrow=True)
                canvas.text(called, way[round(LABEL_AT * len(way))], color, size=0.8, anchor="mm")
    if not junction.names:
        for end in ends.values():
            canvas.polyline(end + (middle - end) * [[INWARDS], [1 - INWARDS]], color, width=2, arrow=True)
    canvas.text(junction.name, middle, color, anchor="mm")
    named = ", ".join(f"{pair} {called}" for pair, called in junction.names.items())
    whom = ", ".join(junction.classes) or "everything"
    words = f"{', '.join(junction.sections)}; {named + '; ' if named else ''}{whom}"
    told = [f"movement {junction.name}: {words}, within {junction.max_s:g} s"]
    for name in junction.sections:
        plugin = plugins[name]
        if isinstance(plugin, Line) and leads_away(plugin, middle):
            told.append(
                f"careful: {plugin.names[0]!r} of line {name} leads away from the other sections of"
                f" {junction.name}; turn it with 'towards: {OPPOSITE[plugin.heading()]}'"
            )
    return told


def middle_of(plugin: Line | Zone) -> FloatArray:
    """Return the middle (2,) of a line, half way along it, or of a zone's points."""
    points = np.asarray(plugin.points, np.float64)
    if isinstance(plugin, Zone):
        mean: FloatArray = points.mean(axis=0)
        return mean
    along = np.concatenate([[0.0], np.hypot(*np.diff(points, axis=0).T).cumsum()])
    return np.array([np.interp(along[-1] / 2, along, axis) for axis in points.T])


def leads_away(line: Line, middle: FloatArray) -> bool:
    """Return whether "in" of a line does not lead to the side on which a junction's middle lies."""
    start, tip = line.arrow()
    return float((middle - start) @ (tip - start)) < 0


def arrow(start: FloatArray, end: FloatArray, middle: FloatArray, lane: float) -> FloatArray:
    """Return a curve (24, 2) from one section to another by the middle, to the right of its way.

    One from a section to itself turns round before the middle.
    """

    def beside(section: FloatArray, sign: float) -> FloatArray:
        way = middle - section
        right = np.array([-way[1], way[0]]) / max(float(np.hypot(*way)), 1e-9)
        place: FloatArray = section + INWARDS * way + sign * lane * right
        return place

    first, last = beside(start, 1), beside(end, -1)
    bend = middle if (start != end).any() else start + 0.8 * (middle - start)
    t = ARROW_POINTS
    curve: FloatArray = (1 - t) ** 2 * first + 2 * t * (1 - t) * bend + t**2 * last
    return curve
