"""Detections that are stored: what a run keeps of them, and what a later one takes them from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.contracts import Detector, Source
from tracker.detectors.stored import StoredDetections
from tracker.detectors.weights import find_weights, sha256
from tracker.options import OF_THE_NETWORK, Options
from tracker.parse import class_ids
from tracker.plugins._shared.background import EmptyScene
from tracker.run.fingerprint import fingerprint, is_same
from tracker.run.record import versions
from tracker.sinks.detections import DetectionsSink
from tracker.types import InputError, Json, OptionError, Scene

if TYPE_CHECKING:  # reading tables takes a while to import, and most runs detect
    from tracker.offline.saved_detections import SavedDetections

FPS_SLIP = 0.01  # two frame rates of one video may differ by so much: containers round
LENGTH_SLIP = 0.02  # and two lengths, which are worked out from what the header says
PERSON = {0: "person"}  # what is in a det.txt
LOOKLESS = (
    "has no features, which --appearance self compares; use --appearance color, or detect and save again "
    "with --appearance self"
)


def detections_sink(
    options: Options, scene: Scene, detector: Detector, source: Source, recording: str | None
) -> Iterator[DetectionsSink]:
    """Yield the sink of ``--save-detections`` if asked for; ``recording`` is the source's address."""
    if options.save_detections is not None:
        known_by = None if source.live or recording is None else fingerprint(recording)
        told = {**about(options, scene, detector, source), "fingerprint": known_by}
        yield DetectionsSink(
            options.save_detections,
            scene,
            told,
            EmptyScene.of(scene),
            overwrite=options.overwrite,
            features_from=options.features_from,
        )


def stored_detector(options: Options, source: Source, recording: str) -> StoredDetections:
    """Return what ``--detections`` names as the detector of a source that is open, at address ``recording``.

    A recording that is not the same file, but may be the same video, is told among the source's warnings.

    Raises ``InputError`` for a file that cannot be read, or is of another video.
    """
    from tracker.offline.saved_detections import SavedDetections, is_parquet, mot_frames

    assert options.detections is not None
    path = Path(options.detections)
    if source.live:
        raise OptionError(f"--detections needs the video they were found in, and {source.name} is live")
    if not is_parquet(path):
        if options.appearance == "self":
            raise OptionError(f"{path}: {LOOKLESS}")
        classes = class_ids(options.classes, PERSON)
        return StoredDetections(
            str(path), PERSON, lambda: mot_frames(path), fps=source.fps, classes=classes, sparse=True
        )
    saved = SavedDetections(path)
    if saved.size != source.size:
        raise InputError(
            f"{path}: is of a video of {saved.size[0]}x{saved.size[1]}, and {source.name} is "
            f"{source.size[0]}x{source.size[1]}"
        )
    if abs(saved.fps / source.fps - 1) > FPS_SLIP:
        raise InputError(
            f"{path}: is of a video of {saved.fps:g} frames per second, and {source.name} has {source.fps:g}"
        )
    of_all = not options.resume and saved.selection == _selection(options)
    if of_all and saved.length and source.length:
        apart = abs(saved.length - source.length)
        if apart > max(LENGTH_SLIP * saved.length, 2):
            raise InputError(
                f"{path}: is of a video of about {saved.length} frames, and {source.name} has about "
                f"{source.length}"
            )
    if is_same(saved.fingerprint, recording) is False:
        source.warnings.append(
            f"{path}: {source.name} is not the file the boxes were found in ({saved.source}), although size, "
            "frame rate and times are the same: look whether boxes and picture fit"
        )
    return detector_of(saved, options)


def detector_of(saved: SavedDetections, options: Options) -> StoredDetections:
    """Return the detector that a file is, with the classes that the options choose."""
    classes = class_ids(options.classes, saved.names)
    absent = [] if saved.classes is None else sorted({*(classes or saved.names)} - {*saved.classes})
    if classes and absent:
        kept = ",".join(saved.names.get(number, str(number)) for number in saved.classes or ())
        raise OptionError(
            f"{saved.path}: was saved with --classes {kept}; it has no {saved.names[absent[0]]}"
        )
    compared = options.appearance == "self"
    if compared and saved.features_from is None:
        raise OptionError(f"{saved.path}: {LOOKLESS}")
    if compared and saved.features_from is not None and options.conf < saved.features_from:
        raise OptionError(
            f"{saved.path}: was saved with --conf {saved.features_from:g}, and has no features of weaker "
            f"boxes; give --conf {saved.features_from:g} or more, or --appearance color"
        )
    return StoredDetections(
        str(saved.path),
        saved.names,
        lambda: saved.stored(features=compared),
        fps=saved.fps,
        classes=classes,
        description=f"{saved.network}, stored" if saved.network else "stored",
        kind=saved.kind,
    )


def about(options: Options, scene: Scene, detector: Detector, source: Source) -> dict[str, Json]:
    """Return what a file of detections says of the run."""
    weights = find_weights(options.weights)
    return {
        "source": scene.source,
        "live": scene.live,
        "size": list(scene.size),
        "fps": scene.fps,
        "start_wall": scene.start_wall,
        "utc_offset_s": scene.utc_offset_s,
        "length": source.length,
        "selection": _selection(options),
        "names": {str(key): name for key, name in scene.names.items()},
        "classes": class_ids(options.classes, scene.names),
        "network": detector.description,
        "weights": weights.name,
        "weights_sha256": sha256(weights) if weights.is_file() else None,
        "settings": {name: getattr(options, name) for name in OF_THE_NETWORK if name != "weights"},
        "versions": versions(),
    }


def _selection(options: Options) -> Mapping[str, Json]:
    """Return which frames of the video a run sees."""
    return {name: getattr(options, name) for name in ("start", "end", "vid_stride", "fps", "max_frames")}
