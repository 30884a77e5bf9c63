"""Options become sinks, and plugins leave their files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from tracker.draw import draw, paint
from tracker.options import Options
from tracker.pipeline import Host, failure, moment
from tracker.sinks import (
    CountsSink,
    CropSink,
    CsvSink,
    EventsSink,
    JsonSink,
    MotSink,
    VideoSink,
    WindowSink,
)
from tracker.sinks.actions import parse_action
from tracker.sinks.place import another
from tracker.types import Image, Json, Mark, OutputError, Picture, Result, Scene, Sink, Stopwatch


def make_sinks(
    options: Options,
    scene: Scene,
    *,
    audio_from: str | Path | None = None,
    going_on: bool = False,
    stopwatch: Stopwatch | None = None,
) -> Iterator[Sink]:
    """Yield the sinks that the options ask for, not yet opened.

    ``going_on``: an earlier run left its videos, and new ones stand beside them. Raises ``OptionError``.
    """
    if options.output:
        yield VideoSink(
            another(options.output) if going_on else options.output,
            scene,
            Result.plot,
            crf=options.crf,
            audio_from=audio_from,
            overwrite=options.overwrite,
            segment=options.segment,
            keep=options.keep,
            keep_gb=options.keep_gb,
            stopwatch=stopwatch,
        )
    if options.crop:
        crop = another(options.crop) if going_on else options.crop
        yield CropSink(crop, scene, crf=options.crf, overwrite=options.overwrite)
    if options.events:
        yield EventsSink(options.events, scene, overwrite=options.overwrite)
    if options.counts:
        yield CountsSink(options.counts, scene, interval=options.interval, overwrite=options.overwrite)
    yield from (parse_action(text, scene) for text in options.on)
    if options.save_mot:
        yield MotSink(options.save_mot, overwrite=options.overwrite)
    if options.save_csv:
        yield CsvSink(options.save_csv, scene, overwrite=options.overwrite)
    if options.save_json:
        yield JsonSink(options.save_json, scene, overwrite=options.overwrite)
    if options.show:
        yield WindowSink(f"track: {scene.source}", Result.plot, live=scene.live)


def paths(sink: Sink) -> list[Path]:
    """Return what a sink has written: videos may be none or, in segments, many, of which the last count."""
    files: list[Path] | None = getattr(sink, "files", None)
    return files if files is not None else [sink.path] if hasattr(sink, "path") else []


def leave_files(host: Host, prefix: Path) -> Iterator[Path]:
    """Write what plugins leave at the end as ``PREFIX_suffix``; yield the paths. Raises ``OutputError``."""
    for plugin, suffix, content in host.files():
        path = prefix.with_name(f"{prefix.name}_{suffix}")
        try:
            data = _encoded(content, path.suffix)
        except Exception as error:  # what a plugin hands out, nobody can vouch for
            host.fail(plugin, "files", error)
            continue
        try:
            path.write_bytes(data)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise OutputError(f"cannot write {path}: {reason}; choose another place with -o") from error
        yield path


def painter(names: Mapping[int, str], line_width: float | None = None) -> Callable[[Result], Image]:
    """Return what makes the annotated picture of a result.

    It raises ``PluginError`` where what a plugin drew cannot be painted.
    """

    def paint_result(result: Result) -> Image:
        try:
            return draw(result, names, line_width=line_width)
        except Exception as error:
            culprit = next((mark for mark in result.marks if not _paintable(result, mark, names)), None)
            if culprit is None or not culprit.by:
                raise
            when = moment(result.frame.index, result.frame.time)
            raise failure(culprit.by, f"draw ({culprit.kind})", when, error) from error

    return paint_result


def _paintable(result: Result, mark: Mark, names: Mapping[int, str]) -> bool:
    try:
        draw(replace(result, marks=(mark,)), names)
    except Exception:
        return False
    return True


def _encoded(content: Picture | Json, suffix: str) -> bytes:
    if not isinstance(content, Picture):
        return json.dumps(content, ensure_ascii=False, indent=1).encode()
    import cv2

    picture = paint(content.background.copy(), content.marks)
    return bytes(cv2.imencode(suffix, picture)[1])
