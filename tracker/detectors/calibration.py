"""Make or check an int8 model in a process of its own.

NNCF brings torch with it and needs 2 GiB and half a minute of CPU; a run goes on beside it, and what it took
is given back when it is done. ``python -m tracker.detectors.calibration FOLDER`` is that process: it reads
what it has to do from the folder and leaves its answer there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from tracker.detectors.agreement import Agreement, mutual_agreement
from tracker.detectors.letterbox import Letterbox
from tracker.detectors.settings import Settings
from tracker.errors import OptionError, TrackError, WeightsError
from tracker.types import Image, Pixels

NICE = 10  # the run that goes on comes first


@dataclass(frozen=True)
class Task:
    """What is to be done: make the model of frames, unless ``model`` is there, and compare it with fp32."""

    weights: str
    model: str  # folder of the int8 model
    imgsz: int
    iou: float
    conf: float  # from which boxes are compared
    classes: tuple[str | int, ...] | None


def shown(image: Pixels, imgsz: int) -> Image:
    """Return a copy of a picture as the network sees it, which is all that is kept of it: (H, W, 3)."""
    box = Letterbox.fit(image.shape[:2], (imgsz, imgsz))
    pixels = box.blank()
    box.fill(image, pixels[0])
    return np.asarray(pixels[0])


class Calibration:
    """The process, seen from the run that waits for it; what it leaves is in ``folder`` until `close`."""

    def __init__(self, task: Task, learn: Sequence[Image], check: Sequence[Image]) -> None:
        """Begin; raises ``WeightsError`` where nothing can be written or started."""
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._folder = tempfile.TemporaryDirectory(prefix="track-int8-", ignore_cleanup_errors=True)
            folder = Path(self._folder.name)
            if learn:
                task = replace(task, model=str(folder / Path(task.model).name))
                np.savez(folder / "learn.npz", *learn)
            np.savez(folder / "check.npz", *check)
            (folder / "task.json").write_text(json.dumps(asdict(task)), encoding="utf-8")
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tracker.detectors.calibration", str(folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the run, which then ends this
            )
        except BaseException as error:
            self.close()  # Ctrl-C ends the process without its finalizers
            if not isinstance(error, OSError):
                raise
            raise WeightsError(
                f"frames cannot be kept in {tempfile.gettempdir()} to make or compare an int8 model "
                f"({error.strerror or error}); make room, set TMPDIR, or leave out --int8"
            ) from error
        self.model = Path(task.model)

    @property
    def running(self) -> bool:
        """Whether it is not done yet."""
        return self._process is not None and self._process.poll() is None

    def wait(self) -> None:
        """Wait until it is done."""
        if self._process is not None:
            self._process.wait()

    def result(self) -> Agreement:
        """Return how well the model agrees; raises ``WeightsError`` where it could not be made or checked."""
        try:
            answer = json.loads(Path(self._folder.name, "answer.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            status = None if self._process is None else self._process.returncode
            raise WeightsError(f"the process that makes the int8 model was ended ({status})") from None
        if "error" in answer:
            raise WeightsError(answer["error"])
        return Agreement(**answer)

    def close(self) -> None:
        """End it, and delete what it has left."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        with suppress(AttributeError, OSError):  # it was not even made
            self._folder.cleanup()


def work(folder: Path) -> None:
    """Do what stands in the folder's ``task.json``, and leave ``answer.json``."""
    answer: dict[str, object]
    try:
        task = Task(**json.loads((folder / "task.json").read_text(encoding="utf-8")))
        answer = asdict(_compared(task, folder))
    except TrackError as error:
        answer = {"error": str(error)}
    except Exception as error:  # whatever NNCF or torch think of; the run goes on without int8
        answer = {"error": f"{type(error).__name__}: {error}"[:200]}
    new = folder / "answer.new"
    new.write_text(json.dumps(answer), encoding="utf-8")
    new.replace(folder / "answer.json")


def _compared(task: Task, folder: Path) -> Agreement:
    from tracker.detectors import open_detector
    from tracker.detectors.quantize import quantize

    weights, model = Path(task.weights), Path(task.model)
    if (folder / "learn.npz").exists():
        quantize(weights, _pictures(folder / "learn.npz"), task.imgsz, model)
    check = _pictures(folder / "check.npz")
    settings = Settings(
        classes=task.classes, iou=task.iou, imgsz=task.imgsz, backend="openvino", precision="fp32"
    )
    with open_detector(weights, settings) as detector:
        exact = detector.detect(check)
    with open_detector(weights, replace(settings, int8=True, int8_model=str(model))) as detector:
        rough = detector.detect(check)
    return mutual_agreement(exact, rough, conf=task.conf)


def _pictures(path: Path) -> list[Image]:
    with np.load(path) as file:
        return [np.asarray(file[name]) for name in file.files]


def check_nncf() -> None:
    """Raise ``OptionError`` where NNCF is not installed."""
    from importlib.util import find_spec

    from tracker.detectors.quantize import NO_NNCF

    if find_spec("nncf") is None:
        raise OptionError(NO_NNCF)


if __name__ == "__main__":
    with suppress(OSError, AttributeError):  # Windows has no nice
        os.nice(NICE)
    work(Path(sys.argv[1]))
