"""Options become sinks, and plugins leave their files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from tracker.contracts import PluginLike, Sink, Sound
from tracker.drawing.blur import blurred
from tracker.drawing.figure import figure
from tracker.options import Options
from tracker.parse import class_ids
from tracker.plugin_host import Host
from tracker.plugins.line import Line
from tracker.plugins.movement import Movement
from tracker.plugins.zone import Zone
from tracker.run.claims import STANDARD_OUTPUT
from tracker.run.painter import blurring
from tracker.run.paths import WRITTEN, is_mine, leaf
from tracker.sinks import (
    CocoSink,
    Counted,
    CountsSink,
    CropSink,
    CsvSink,
    CvatSink,
    EventsSink,
    JsonSink,
    MotSink,
    MotsSink,
    MovementsSink,
    VideoSink,
    WindowSink,
    output_file,
)
from tracker.sinks.movements import Junction
from tracker.types import Json, OptionError, OutputError, Picture, Result, Scene, Stopwatch


def make_sinks(
    options: Options,
    scene: Scene,
    plugins: Iterable[PluginLike] = (),
    *,
    audio_from: str | Path | None = None,
    actions: Iterable[Sink] = (),
    another: Callable[[Path], Path] | None = None,
    resumed: bool = False,
    sound: Sound | None = None,
    stopwatch: Stopwatch | None = None,
) -> Iterator[Sink]:
    """Yield the sinks that the options ask for, not yet opened.

    ``actions`` are those of ``--on``, made before. ``another`` gives videos a name beside those that an
    earlier part of the run left; where a file is ``resumed``, COCO and CVAT go on. Raises ``OptionError``.
    """
    if options.output:
        yield VideoSink(
            another(Path(options.output)) if another else options.output,
            scene,
            Result.plot_pixels,
            crf=options.crf,
            encode=options.encode,
            audio_from=audio_from,
            sound=sound,
            overwrite=options.overwrite,
            segment=options.segment,
            keep=options.keep,
            keep_gb=options.keep_gb,
            stopwatch=stopwatch,
        )
    if options.crop:
        crop = another(Path(options.crop)) if another else options.crop
        blur = blurring(options, scene.names)
        painter = None if blur is None else partial(blurred, blurring=blur)
        yield CropSink(
            crop, scene, painter, crf=options.crf, encode=options.encode, overwrite=options.overwrite
        )
    if options.events:
        yield EventsSink(options.events, scene, overwrite=options.overwrite)
    if options.counts:
        yield CountsSink(
            options.counts,
            scene,
            interval=options.interval,
            counted=counted(plugins, options, scene),
            overwrite=options.overwrite,
        )
    if options.movements:
        yield movements_sink(options, scene, plugins)
    yield from actions
    if options.save_mot:
        yield MotSink(options.save_mot, overwrite=options.overwrite, live=scene.live)
    if options.save_csv:
        yield CsvSink(options.save_csv, scene, overwrite=options.overwrite)
    if options.save_mots:
        yield MotsSink(options.save_mots, scene, overwrite=options.overwrite)
    if options.save_coco:
        coco = another(Path(options.save_coco)) if another and not resumed else options.save_coco
        yield CocoSink(coco, scene, overwrite=options.overwrite)
    if options.save_cvat:
        cvat = another(Path(options.save_cvat)) if another and not resumed else options.save_cvat
        yield CvatSink(cvat, scene, overwrite=options.overwrite)
    if options.save_json:
        yield JsonSink(options.save_json, scene, overwrite=options.overwrite)
    if options.show:
        yield WindowSink(f"track: {scene.source}", Result.plot, live=scene.live)


def counted(plugins: Iterable[PluginLike], options: Options, scene: Scene) -> Iterator[Counted]:
    """Yield what the lines and zones among the plugins may count, so that nothing of it is left out."""
    for plugin in plugins:
        if isinstance(plugin, Line):
            directions: Sequence[str] = plugin.names
        elif isinstance(plugin, Zone):
            directions = ("enter", "exit") if plugin.loiter_s is None else ("enter", "exit", "loiter")
        else:
            continue
        yield Counted(plugin.name, directions, _classes(plugin, options, scene))


def movements_sink(options: Options, scene: Scene, plugins: Iterable[PluginLike]) -> MovementsSink:
    """Return the sink of ``--movements``; raises ``OptionError`` where there are none."""
    found = [plugin for plugin in plugins if isinstance(plugin, Movement)]
    if not found or options.movements is None:
        where = f"{options.zones} has no 'movements:'" if options.zones else "there is no zone file"
        raise OptionError(f"--movements: {where}; give a zone file with 'movements:', name and sections")
    return MovementsSink(
        options.movements,
        scene,
        interval=options.interval,
        junctions=junctions(found, options, scene),
        late_s=max(plugin.late_s(scene) for plugin in found),
        overwrite=options.overwrite,
    )


def junctions(plugins: Iterable[PluginLike], options: Options, scene: Scene) -> list[Junction]:
    """Return the junctions among the plugins, and the movements that each may have."""
    return [
        Junction(plugin.name, plugin.sections, _classes(plugin, options, scene))
        for plugin in plugins
        if isinstance(plugin, Movement)
    ]


def _classes(plugin: Line | Zone | Movement, options: Options, scene: Scene) -> tuple[str, ...]:
    """Return what the classes that a plugin counts are called; none: whatever comes."""
    ids = class_ids(plugin.classes or options.classes, scene.names) or ()
    names = (scene.names[class_id] for class_id in ids)
    return tuple(dict.fromkeys(plugin.class_map.get(name, name) for name in names))


def check_outputs(options: Options) -> None:
    """Tell at once what cannot or must not be written; raises ``OutputError``."""
    for field in WRITTEN:
        value = getattr(options, field)
        many = field == "output" and options.segment is not None  # names of its own
        if value is not None and str(value) != STANDARD_OUTPUT:
            output_file.check(Path(value), options.overwrite or many)


def leave_files(
    host: Host, prefix: Path, *, overwrite: bool, mine: Mapping[str, str] | None = None
) -> Iterator[tuple[Path, str]]:
    """Write what plugins leave at the end as ``PREFIX_suffix``; yield paths and the SHA-256 of the contents.

    What is there already is replaced with ``overwrite``, or where it is among ``mine``, what an earlier part
    of the run left, and has not changed; else a free name is taken. Raises ``OutputError`` when all have
    been tried.
    """
    failed: OutputError | None = None
    for member, suffix, content in host.files():
        try:
            path = leaf(prefix, suffix)
            data = _encoded(content, path.suffix)
        except Exception as error:  # what a plugin hands out, nobody can vouch for
            host.fail(member, "files", error)
            continue
        if not path.parent.is_dir():  # it was there when the run began
            failed = failed or output_file.FolderGoneError(path)
            continue
        try:
            if not overwrite and not is_mine(path, mine or {}):
                path = output_file.next_free(path)
            path = output_file.write(path, data, overwrite=overwrite or is_mine(path, mine or {}))
        except OutputError as error:
            failed = failed or error
        else:
            yield path, hashlib.sha256(data).hexdigest()
    if failed is not None:
        raise failed


def _encoded(content: Picture | Json, suffix: str) -> bytes:
    if not isinstance(content, Picture):
        return json.dumps(content, ensure_ascii=False, indent=1).encode()
    import cv2

    return bytes(cv2.imencode(suffix, figure(content))[1])
