"""Convert weights to OpenVINO once, and keep the model in the user's cache."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tracker.detectors.quiet import quiet, quiet_openvino
from tracker.detectors.seal import seal, sealed
from tracker.detectors.shapes import Head
from tracker.detectors.user_folders import cache_folder
from tracker.detectors.weights import sha256
from tracker.text import harmless
from tracker.types import WeightsError

LOG = logging.getLogger("track")
FORMAT = 3  # version of the models in the cache; raise it when the conversion changes
ABOUT = "about.json"


@dataclass(frozen=True)
class Converted:
    """A model in the cache: input (N, H, W, 3) uint8 BGR of any size, output raw boxes."""

    xml: Path
    names: dict[int, str]
    head: Head  # what it gives


def converted(weights: Path, *, int8: bool = False) -> Converted:
    """Return the converted model of a ``.pt`` file; the first time this takes some seconds.

    The key in the cache is the content of the weights, the precision and the versions of the libraries; one
    model serves every input shape. A model that is incomplete, damaged or changed by others is converted
    again. Where the cache cannot be written, it is kept for this process only. Raises ``WeightsError``; int8
    models are made by ``track export`` only.
    """
    folder = cache_path(weights, int8=int8)
    if (model := stored(folder)) is not None:
        return model
    if int8:
        raise WeightsError(
            f"there is no int8 model of {weights.name} yet: make one from your own frames by "
            f"`track export --weights {weights} --int8 --calibrate VIDEO`"
        )
    with showing_status(f"Converting {weights.name} to OpenVINO, once"):
        model, names, head = convert(weights)
        try:
            return store(folder, model, names, head)
        except WeightsError as error:
            here = Path(_of_this_process().name, folder.name)
            try:
                kept = store(here, model, names, head)
            except WeightsError:
                raise error from None
            LOG.warning("%s; it is kept for this run only, and made again in the next", error)
            return kept


@lru_cache(maxsize=1)
def _of_this_process() -> tempfile.TemporaryDirectory[str]:
    """Return a folder for models where the cache cannot be written; it goes with the process."""
    return tempfile.TemporaryDirectory(prefix="track-models-", ignore_cleanup_errors=True)


def cache_path(weights: Path, *, int8: bool) -> Path:
    """Return the folder in the cache for a converted model."""
    try:
        content = sha256(weights)
    except OSError as error:
        raise WeightsError(f"{weights} cannot be read: {error.strerror or error}") from error
    versions = [f"{name} {version(name)}" for name in ("openvino", "ultralytics")]
    key = hashlib.sha256(" ".join([content, str(FORMAT), *versions]).encode()).hexdigest()[:16]
    return cache_folder() / "openvino" / f"{key}-{'int8' if int8 else 'fp32'}"


def stored(folder: Path) -> Converted | None:
    """Return the model in a folder of the cache, ``None`` if there is no complete one."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        mark = about.pop("seal")
        whole = sealed([folder.name, about], mark) and all(
            sha256(folder / name) == digest for name, digest in about["files"].items()
        )
        names = {int(key): harmless(str(name)) for key, name in about["names"].items()}
        kind, count, keypoints, final = about["head"]
        head = Head(str(kind), int(count), (int(keypoints[0]), int(keypoints[1])), bool(final))
        model = Converted(folder / "model.xml", names, head)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None
    return model if whole else None


def convert(weights: Path) -> tuple[Any, dict[int, str], Head]:
    """Return an ``openvino.Model`` of a ``.pt`` file, its class names, and what it gives.

    Reversing the channels and dividing by 255 become part of the graph. Raises ``WeightsError``.
    """
    ov = quiet_openvino()
    with quiet():
        import torch

        from tracker.detectors.torch_yolo import head_of, load

        loaded = load(weights, torch.device("cpu"))
        network = loaded.model.to(memory_format=torch.contiguous_format)
        for module in network.modules():
            # The head, whichever class of ultralytics it is: put the anchors into the graph.
            if hasattr(module, "export") and hasattr(module, "dynamic"):
                module.export, module.dynamic, module.format = True, True, "openvino"
        try:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # tracing warns of cases that the head's export mode handles
                example = torch.zeros(1, 3, 96, 64)
                trace: Any = torch.jit.trace  # untyped
                traced = trace(network, example, strict=False, check_trace=False)
                model = ov.convert_model(traced, example_input=example, input=[-1, 3, -1, -1])
        except Exception as error:  # any error of tracing or the frontend
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise WeightsError(
                f"{weights} cannot be converted to OpenVINO ({reason:.120}); use --backend torch"
            ) from error
    steps = ov.preprocess.PrePostProcessor(model)
    picture = steps.input()
    picture.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    picture.tensor().set_color_format(ov.preprocess.ColorFormat.BGR)
    picture.model().set_layout(ov.Layout("NCHW"))
    picture.preprocess().convert_element_type(ov.Type.f32)
    picture.preprocess().convert_color(ov.preprocess.ColorFormat.RGB).scale(255.0)
    names = {int(key): harmless(str(name)) for key, name in loaded.names.items()}
    return steps.build(), names, head_of(loaded)


def store(folder: Path, model: Any, names: dict[int, str], head: Head, *, replace: bool = False) -> Converted:
    """Write a model into the cache in one step; an existing one is kept unless ``replace``.

    Raises ``WeightsError`` when it cannot be written.
    """
    ov = quiet_openvino()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as new:
            ov.save_model(model, Path(new, "model.xml"), compress_to_fp16=False)
            files = {name: sha256(Path(new, name)) for name in ("model.xml", "model.bin")}
            about: dict[str, Any] = {"names": names, "head": astuple(head), "files": files}
            about["seal"] = seal([folder.name, about])
            Path(new, ABOUT).write_text(json.dumps(about), encoding="utf-8")
            _move(Path(new), folder, replace=replace)
    except OSError as error:
        reason = error.strerror or error
        raise WeightsError(f"cannot write the converted model into {folder.parent} ({reason})") from error
    except RuntimeError as error:  # as OpenVINO reports a full disk
        raise WeightsError(
            f"cannot write the converted model into {folder.parent}; is the disk full?"
        ) from error
    if (kept := stored(folder)) is None:
        raise WeightsError(f"the converted model in {folder} was damaged while writing; is the disk full?")
    return kept


def _move(new: Path, folder: Path, *, replace: bool) -> None:
    """Move ``new`` to ``folder``; if another process was faster, its complete model is kept."""
    if not replace and stored(folder) is not None:
        return
    shutil.rmtree(folder, ignore_errors=True)
    try:
        os.rename(new, folder)  # noqa: PTH104 - the context manager must still find its folder's name
    except OSError:
        if stored(folder) is None:
            raise
        return
    new.mkdir()  # for the context manager to remove


@contextmanager
def showing_status(text: str) -> Iterator[None]:
    """Show a status on a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{text} …"):
        yield
