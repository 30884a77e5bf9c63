"""Find an int8 model that is good enough for a source: one that there is, or one made of its pictures."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tracker.detectors.agreement import Agreement
from tracker.detectors.calibration import Calibration, Task, check_nncf
from tracker.detectors.int8_models import FEWEST, LEAST, Int8Model, Kind, candidates, good, keep, place_for
from tracker.detectors.settings import Settings
from tracker.types import Image

LEARN = 60  # pictures that NNCF learns the ranges of activations from
CHECK = 60  # further pictures, on which int8 is compared with fp32
GLANCE = 20  # pictures on which a model is compared that was made, or compared, elsewhere
TOO_FEW = 10  # pictures from which nothing is made


@dataclass(frozen=True)
class Wanted:
    """How many pictures are needed next."""

    learn: int
    check: int


@dataclass(frozen=True)
class Chosen:
    """What has come of it."""

    model: Path | None  # folder of the model to use; None: none is good enough
    note: str  # one line for the user
    holder: Calibration | None = None  # what must be closed when the model is not used any more


Pictures: TypeAlias = tuple[list[Image], list[Image]]  # to learn from, to compare on
Search: TypeAlias = "Generator[Wanted | Calibration, Pictures | None, Chosen]"


@dataclass(frozen=True)
class Subject:
    """For whom a model is looked for."""

    weights: Path
    settings: Settings
    kind: Kind
    recording: str | None  # what it will be known again by; None: it changes, as a camera's picture does
    conf: float  # score from which boxes are compared
    rounds: int = 1  # how often to wait for more pictures where there is too little to compare

    def task(self, model: Path) -> Task:
        """Return what there is to do with a model."""
        classes = None if self.settings.classes is None else tuple(self.settings.classes)
        imgsz, iou = self.settings.imgsz, self.settings.iou
        return Task(str(self.weights), str(model), imgsz, iou, self.conf, classes)

    @property
    def own(self) -> Kind:
        """The kind of this very recording, for which there is a model where that of its folder is none."""
        return self.kind if self.recording is None else Kind(self.recording, self.kind.name)

    def models(self) -> list[Int8Model]:
        """Return the models worth a try, the likeliest first."""
        found = [*candidates(self.weights, self.own)[:1], *candidates(self.weights, self.kind)]
        return [*{model.folder: model for model in found}.values()]


def search(subject: Subject) -> Search:
    """Yield how many pictures are needed, or what must be waited for; return what has come of it.

    The pictures are sent. Raises ``OptionError`` where a model must be made and NNCF is not installed, and
    ``WeightsError`` where one could not be.
    """
    imgsz = subject.settings.imgsz
    for model in subject.models():
        known = None if subject.recording is None else model.checked(subject.recording, imgsz)
        how = "found before"
        if known is None:
            how = "compared now"
            pictures = yield Wanted(0, GLANCE)
            assert pictures is not None
            result = Calibration(subject.task(model.folder), [], pictures[1])
            try:
                yield result
                known = result.result()
            finally:
                result.close()
            if subject.recording is not None:
                model.remember(subject.recording, imgsz, known)
        elif not good(known) and model.is_of(subject.recording):
            return Chosen(None, refused(known))  # there is no better one
        if good(known):
            return Chosen(model.folder, told(known, f"{how}; the model is that of {model.name}"))
    check_nncf()
    return (yield from _make(subject))


def _make(subject: Subject) -> Search:
    pictures = yield Wanted(LEARN, CHECK)
    assert pictures is not None
    learn, check = pictures
    if min(len(learn), len(check)) < TOO_FEW:
        count = len(learn) + len(check)
        return Chosen(None, f"int8 is not used: {count} pictures are too few to make and compare a model")
    place = place_for(subject.weights, subject.kind)
    made = Calibration(subject.task(place.folder), learn, check)
    chosen = None
    try:
        yield made
        result, seen = made.result(), len(check)
        for _ in range(subject.rounds - 1):
            if good(result) is not None:
                break
            pictures = yield Wanted(0, CHECK)
            assert pictures is not None
            again = Calibration(subject.task(made.model), [], pictures[1])
            try:
                yield again
                result, seen = _sum(result, again.result()), seen + len(pictures[1])
            finally:
                again.close()
        taken = subject.models() and subject.recording is not None  # by another recording of the folder
        kept = keep(subject.weights, made.model, subject.own if taken else subject.kind, subject.recording)
        if kept is not None and subject.recording is not None:
            kept.remember(subject.recording, subject.settings.imgsz, result)
        if not good(result):
            chosen = Chosen(None, refused(result))
        elif kept is not None:
            chosen = Chosen(
                kept.folder, told(result, f"in {seen} pictures it did not learn from; kept for {kept.name}")
            )
        else:
            chosen = Chosen(made.model, told(result, "not kept, as the cache cannot be written"), made)
    finally:
        if chosen is None or chosen.holder is None:
            made.close()
    return chosen


def told(result: Agreement, how: str) -> str:
    """Return the line that says that int8 is used."""
    return (
        f"int8 agrees with fp32 on {100 * result.found:.1f} % of {result.boxes} boxes ({100 * LEAST:.0f} % "
        f"are needed), scores differ by {result.score_difference:+.3f}; {how}"
    )


def refused(result: Agreement) -> str:
    """Return the line that says that it is not."""
    if good(result) is None:
        return (
            f"int8 is not used: {result.boxes} boxes are too few to compare it with fp32 ({FEWEST} are "
            "needed); `track export --int8 --calibrate VIDEO` makes a model from another video"
        )
    return (
        f"int8 is not used: it agrees with fp32 on {100 * result.found:.1f} % of {result.boxes} boxes, and "
        f"{100 * LEAST:.0f} % are needed"
    )


def _sum(one: Agreement, other: Agreement) -> Agreement:
    boxes = one.boxes + other.boxes
    if not boxes:
        return one
    found = (one.found * one.boxes + other.found * other.boxes) / boxes
    scores = (one.score_difference * one.boxes + other.score_difference * other.boxes) / boxes
    return Agreement(boxes, found, scores)
