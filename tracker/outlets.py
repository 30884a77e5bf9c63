"""Options become sinks, and plugins leave their files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tracker.draw import paint
from tracker.options import Options
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
from tracker.types import OutputError, Picture, Plugin, Result, Scene, Sink, Stopwatch


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


def leave_files(plugin: Plugin, prefix: Path) -> Iterator[Path]:
    """Write what a plugin leaves at the end as ``PREFIX_suffix``; yield the paths."""
    import cv2

    for suffix, content in plugin.files().items() if hasattr(plugin, "files") else ():
        path = prefix.with_name(f"{prefix.name}_{suffix}")
        if isinstance(content, Picture):
            data = cv2.imencode(path.suffix, paint(content.background.copy(), content.marks))[1].tobytes()
        else:
            data = json.dumps(content, ensure_ascii=False, indent=1).encode()
        try:
            path.write_bytes(data)
        except OSError as error:
            raise OutputError(
                f"cannot write {path}: {error.strerror}; choose another place with -o"
            ) from error
        yield path
