"""Identities by looks, but only where boxes compete and where somebody comes back.

No picture is known here: whoever calls ``update`` hands in a function that returns features of the rows it
is asked for. Most frames ask for few: a pair of a track and a box is looked at when its boxes overlap and
the track or the box has another such partner, or when the track was lost. The gallery of a few looks per
track and their mean is DeepSORT's (Wojke et al. 2017, arXiv:1703.07402).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from bytetrack.assignment import best_matching
from bytetrack.association import LOST, AssociationContext
from bytetrack.boxes import Pairs, columns, overlapping
from bytetrack.byte_tracker import NOMINAL_RATE, BYTETracker
from bytetrack.types import Detections, FloatArray, IntArray, Tracks
from bytetrack.warp import warp_xyxy

Features: TypeAlias = Callable[[IntArray], FloatArray]  # rows of detections (K,) -> (K, D), each of length 1


@dataclass
class Known:
    """What is remembered of one identity."""

    xyxy: FloatArray  # (4,) last seen
    seen_s: float
    vectors: list[FloatArray] = field(default_factory=list)  # the last few, each (D,)
    taken: float = -np.inf  # nominal frames, time of the last

    def mean(self) -> FloatArray:
        """Return the direction of the mean, (D,)."""
        total = np.sum(self.vectors, axis=0)
        mean: FloatArray = total / np.linalg.norm(total)
        return mean

    def likeness(self, vector: FloatArray) -> float:
        """Return the mean of the three best cosines to a look."""
        cosines = np.sort([vector @ one for one in self.vectors])
        return float(cosines[-3:].mean())


@dataclass(eq=False)
class Recognizer:
    """A tracker that also knows its objects by their looks.

    Wraps a `BYTETracker`: its first association is told where looks decide, and an identity that is new
    to it may turn out to be one it lost, which it then continues. Ids stay without holes.
    """

    tracker: BYTETracker
    size: tuple[float, float] | None = None  # width, height of the picture; None: nobody leaves it
    neutral: float = 0.6  # cosine of two looks that speaks neither for nor against the same object
    contact_iou: float = 0.1  # from which a pair competes
    clean_iou: float = 0.3  # greatest overlap with another box of a look worth remembering
    clean_score: float = 0.4  # its least score
    gallery: int = 8  # looks per identity
    refresh: tuple[float, float] = (10, 20)  # nominal frames between two looks: taken if at hand; taken
    budget: int = 8  # most looks per frame
    remember_s: float = 20.0  # how long after it was lost an identity can be taken up again
    near: float = 0.5  # how far from there, in heights of the box,
    speed: float = 1.4  # plus this many for every second: a person in a hurry
    growth: float = 1.67  # greatest ratio of the heights
    border: float = 0.01  # of the picture's width and height: who is seen there is about to leave or enters
    returning: bool = False  # whether who left the picture may come back as the same

    def __post_init__(self) -> None:
        """Tell the first association to ask us; raises ``ValueError`` for a tracker without one."""
        first, *rest = self.tracker.stages
        self._alike = first.similarity
        self.tracker.stages = (replace(first, similarity=self._similarity), *rest)
        lost_s = self.tracker.track_buffer / NOMINAL_RATE
        self._longest_s = max(self.remember_s, lost_s) + 1 / self.frame_rate
        self.reset()

    @property
    def frame_rate(self) -> float:
        """Nominal frames per second."""
        return self.tracker.frame_rate

    def reset(self) -> None:
        """Forget everything; the next id is 1."""
        self.tracker.reset()
        self._time = 0.0  # nominal frames
        self._known: dict[int, Known] = {}  # by our id
        self._ours: dict[int, int] = {}  # id of the tracker within -> ours
        self._next_id = 1
        self._features: Features | None = None
        self._looks: dict[int, FloatArray] = {}  # row of a detection of this frame -> (D,)

    def update(self, detections: Detections, dt: float = 1.0, features: Features | None = None) -> Tracks:
        """Match the boxes of one frame as `BYTETracker.update`; ``features`` gives the looks of its rows.

        ``features`` is asked for ``budget`` rows at most. Without it only places count in this frame.
        """
        self._features, self._looks = features, {}
        self._time += dt
        tracks = self.tracker.update(detections, dt)
        if features is not None:
            self._recognize(tracks)
        tracks = replace(tracks, track_id=self._named(tracks.track_id))
        self._remember(tracks, detections)
        return tracks[np.argsort(tracks.track_id)]

    def warp(self, transform: FloatArray) -> None:
        """Move all tracks, and where the lost were last seen, as the picture moved."""
        self.tracker.warp(transform)
        for known in self._known.values():
            known.xyxy = warp_xyxy(known.xyxy[None], transform)[0]

    def forget(self) -> None:
        """Drop everybody; ids go on."""
        self.tracker.forget()
        self._known.clear()
        self._ours.clear()

    def state(self) -> dict[str, Any]:
        """Return everything it knows for pickle or JSON: plain lists and numbers, looks as base64."""
        known = [
            [ours, one.xyxy.tolist(), one.seen_s, one.taken if one.vectors else None, _packed(one.vectors)]
            for ours, one in self._known.items()
        ]
        return {
            "next_id": self._next_id,
            "memory": {"time": self._time, "known": known},
            "ours": [list(pair) for pair in self._ours.items()],
            "tracker": self.tracker.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken, with the options of this one."""
        known = {
            ours: Known(np.array(xyxy), seen_s, _unpacked(vectors), -np.inf if taken is None else taken)
            for ours, xyxy, seen_s, taken, vectors in state["memory"]["known"]
        }
        self.tracker.restore(state["tracker"])
        self._time, self._known, self._next_id = state["memory"]["time"], known, state["next_id"]
        self._ours = dict(state["ours"])

    def _similarity(self, pairs: Pairs, context: AssociationContext) -> FloatArray:
        """Return the similarity the tracker has, corrected by looks where pairs compete."""
        alike = self._alike(pairs, context)
        if self._features is None:
            return alike
        near = (pairs.iou >= self.contact_iou).nonzero()[0]
        row, column = pairs.row[near], pairs.column[near]
        crowded = (np.bincount(row)[row] > 1) | (np.bincount(column)[column] > 1)
        lost = context.track_state[row] == LOST
        compared: dict[int, FloatArray] = {}  # pair -> the mean look of its track
        for pair, track_id in zip(
            near[crowded | lost].tolist(),
            context.track_id[row[crowded | lost]].tolist(),
            strict=True,
        ):
            known = self._known.get(self._ours.get(track_id, 0))
            if known is not None and known.vectors:
                compared[pair] = known.mean()
        source = context.source[pairs.column[list(compared)]].tolist()
        self._look(source)
        corrected: FloatArray = alike.copy()
        for (pair, mean), row_of_box in zip(compared.items(), source, strict=True):
            if row_of_box in self._looks:
                corrected[pair] += float(self._looks[row_of_box] @ mean) - self.neutral
        return corrected

    def _look(self, source: list[int]) -> None:
        """Have features of these rows computed, as far as the budget goes."""
        wanted = [row for row in dict.fromkeys(source) if row not in self._looks]
        wanted = wanted[: self.budget - len(self._looks)]
        if wanted and self._features is not None:
            looks = self._features(np.array(wanted))
            for row, look in zip(wanted, looks, strict=True):
                if np.isfinite(look).all():  # by what is no number nobody is known
                    self._looks[row] = look

    def _recognize(self, tracks: Tracks) -> None:
        """Let tracks that are shown for the first time continue identities that are gone."""
        now_s = self._time / self.frame_rate
        new = [row for row, track_id in enumerate(tracks.track_id.tolist()) if track_id not in self._ours]
        visible = {self._ours.get(track_id) for track_id in tracks.track_id.tolist()}
        gone = [
            ours
            for ours, known in self._known.items()
            if ours not in visible
            and known.vectors
            and now_s - known.seen_s <= self.remember_s
            and (self.returning or not self._at_border(known.xyxy))
        ]
        new = [row for row in new if self.returning or not self._at_border(tracks.xyxy[row])]
        possible = [
            (row, ours)
            for row in new
            for ours in gone
            if self._within_reach(self._known[ours], tracks.xyxy[row], now_s)
        ]
        if not possible:
            return
        self._look([int(tracks.source[row]) for row, _ in possible])
        pairs = [
            (row, ours, self._known[ours].likeness(self._looks[int(tracks.source[row])]) - self.neutral)
            for row, ours in possible
            if int(tracks.source[row]) in self._looks
        ]
        pairs = [pair for pair in pairs if pair[2] > 0]
        if pairs:
            row, ours, gain = (np.array(values) for values in zip(*pairs, strict=True))
            for chosen in best_matching(row, ours, gain, (row.max() + 1, ours.max() + 1)).tolist():
                self._continue(int(ours[chosen]), int(tracks.track_id[row[chosen]]))

    def _continue(self, ours: int, track_id: int) -> None:
        before = [theirs for theirs, mine in self._ours.items() if mine == ours]
        for theirs in before:
            del self._ours[theirs]
        self.tracker.forget(before)
        self._ours[track_id] = ours

    def _within_reach(self, known: Known, xyxy: FloatArray, now_s: float) -> bool:
        height, height_before = xyxy[3] - xyxy[1], known.xyxy[3] - known.xyxy[1]
        if not 1 / self.growth <= height / height_before <= self.growth:
            return False
        way = np.hypot(*(xyxy[:2] + xyxy[2:] - known.xyxy[:2] - known.xyxy[2:])) / 2
        reach = (self.near + self.speed * (now_s - known.seen_s)) * (height + height_before) / 2
        return bool(way <= reach)

    def _at_border(self, xyxy: FloatArray) -> bool:
        if self.size is None:
            return False
        width, height = self.size
        x, y = self.border * width, self.border * height
        return bool(xyxy[0] < x or xyxy[1] < y or xyxy[2] > width - x or xyxy[3] > height - y)

    def _named(self, track_id: IntArray) -> IntArray:
        """Return our ids, giving new ones where there are none."""
        for theirs in track_id.tolist():
            if theirs not in self._ours:
                self._ours[theirs] = self._next_id
                self._next_id += 1
        return np.array([self._ours[theirs] for theirs in track_id.tolist()], np.int64)

    def _remember(self, tracks: Tracks, detections: Detections) -> None:
        """Note where everybody is, take the looks that are due, and forget who is gone for long."""
        now_s = self._time / self.frame_rate
        clean = self._unobstructed(tracks, detections) if self._features is not None else []
        due: list[tuple[Known, int]] = []
        for ours, xyxy, source in zip(
            tracks.track_id.tolist(), tracks.xyxy, tracks.source.tolist(), strict=True
        ):
            known = self._known.setdefault(ours, Known(xyxy, now_s))
            known.xyxy, known.seen_s = xyxy, now_s
            age = self._time - known.taken
            if source in clean and (
                age >= self.refresh[1] or (age >= self.refresh[0] and source in self._looks)
            ):
                due.append((known, source))
        self._look([source for _, source in due])
        for known, source in due:
            if source in self._looks:
                known.vectors = [*known.vectors, self._looks[source]][-self.gallery :]
                known.taken = self._time
        if tracks_forgotten := [
            ours for ours, known in self._known.items() if now_s - known.seen_s > self._longest_s
        ]:
            for ours in tracks_forgotten:
                del self._known[ours]
            self._ours = {theirs: ours for theirs, ours in self._ours.items() if ours in self._known}

    def _unobstructed(self, tracks: Tracks, detections: Detections) -> set[int]:
        """Return the rows of detections that show their object and little else."""
        rows = tracks.source[tracks.score >= self.clean_score]
        pairs = overlapping(columns(detections.xyxy[rows]), columns(detections.xyxy))
        covered = (pairs.iou > self.clean_iou) & (rows[pairs.row] != pairs.column)
        return set(rows.tolist()) - set(rows[pairs.row[covered]].tolist())


def _packed(vectors: list[FloatArray]) -> list[str]:
    """Return (D,) vectors as text, bit for bit: as numbers they would be three times as long."""
    return [base64.b64encode(one.astype("<f4").tobytes()).decode() for one in vectors]


def _unpacked(texts: list[str]) -> list[FloatArray]:
    return [np.frombuffer(base64.b64decode(text), "<f4").astype(np.float32) for text in texts]
