"""Identities by appearance, but only where boxes compete and where a lost object may be back.

This file uses no picture: whoever calls ``update`` hands in a function that returns the embeddings of the
detections it is asked for. Most frames ask for few: a pair of a track and a detection is compared when the
boxes overlap and one of the two overlaps another candidate as well, or when the track was lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from bytetrack.assignment import best_matching
from bytetrack.association import LOST, AssociationContext
from bytetrack.boxes import Pairs, occluded
from bytetrack.byte_tracker import BYTETracker
from bytetrack.gallery import Identity, Reentry, identities_from_lists
from bytetrack.life import NOMINAL_RATE
from bytetrack.types import Detections, FloatArray, IntArray, Tracks
from bytetrack.warp import warp_xyxy

Embed: TypeAlias = Callable[[IntArray], FloatArray]  # rows of detections (K,) -> (K, F), each of length 1
Comparable: TypeAlias = Callable[[FloatArray], FloatArray]  # embeddings (K, F) -> (K, F'), each of length 1


@dataclass(eq=False)
class AppearanceTracker:
    """A tracker that also compares what its objects look like.

    Wraps a `BYTETracker`: in crowds the first association is corrected by appearance, and a new track may
    continue an identity that was lost. Ids count from 1 and leave no number out.
    """

    tracker: BYTETracker
    size: tuple[float, float] | None = None  # width, height of the picture; None: it has no border
    neutral: float = 0.6  # cosine similarity that is evidence neither for nor against the same object
    competing_iou: float = 0.1  # from which on a track and a detection are candidates for one another
    max_occluded_iou: float = 0.3  # an embedding enters the gallery if no other box overlaps it more,
    min_score: float = 0.4  # and its detection has this score
    gallery_size: int = 8  # embeddings per identity
    refresh: tuple[float, float] = (10, 20)  # nominal frames after which one is added: if computed; always
    budget: int = 8  # most embeddings per frame
    remember_s: float = 20.0  # how long after it was last seen an identity can be continued
    returning: bool = False  # whether an object that left the picture may continue its identity
    comparable: Comparable | None = None  # what embeddings are compared by, where that is being learnt

    def __post_init__(self) -> None:
        """Correct the first stage; of a tracker without stages, as SORT, only the lost are recognised."""
        for first in self.tracker.stages[:1]:
            self._uncorrected = first.similarity
            self.tracker.stages = (replace(first, similarity=self._similarity), *self.tracker.stages[1:])
        lost_s = self.tracker.track_buffer / NOMINAL_RATE
        self._longest_s = max(self.remember_s, lost_s) + 1 / self.frame_rate
        self._reentry = Reentry(self.size)
        self.reset()

    @property
    def frame_rate(self) -> float:
        """Nominal frames per second."""
        return self.tracker.frame_rate

    def reset(self) -> None:
        """Forget everything; the next id is 1."""
        self.tracker.reset()
        self._time = 0.0  # nominal frames
        self._identities: dict[int, Identity] = {}  # by our id
        self._our_id: dict[int, int] = {}  # by the id of the wrapped tracker
        self._next_id = 1
        self._embed: Embed | None = None
        self._embeddings: dict[int, FloatArray] = {}  # (F,) by row of a detection of this frame
        self._compared: dict[int, FloatArray] = {}  # (F',) those that can be compared, by row

    def update(self, detections: Detections, dt: float = 1.0, embed: Embed | None = None) -> Tracks:
        """Match the detections of one frame as `BYTETracker.update` does.

        ``embed`` is asked for the embeddings of ``budget`` rows at most. Without it only boxes count.
        """
        self._embed, self._embeddings, self._compared = embed, {}, {}
        self._time += dt
        tracks = self.tracker.update(detections, dt)
        moved = self.tracker.scene_moved()
        if moved is not None and moved.any():  # the boxes tell that the camera moves
            self._move_last_boxes(np.column_stack((np.eye(2), moved)))
        if embed is not None:
            self._continue_lost(tracks)
        tracks = replace(tracks, track_id=self._our_ids(tracks.track_id))
        self._remember(tracks, detections)
        return tracks[np.argsort(tracks.track_id)]

    def warp(self, transform: FloatArray) -> None:
        """Move all tracks and the last boxes of the lost as the picture moved."""
        self.tracker.warp(transform)
        self._move_last_boxes(transform)

    def _move_last_boxes(self, transform: FloatArray) -> None:
        for identity in self._identities.values():
            identity.xyxy = warp_xyxy(identity.xyxy[None], transform)[0]

    def forget(self) -> None:
        """Drop all tracks and identities; the next id is not 1 again."""
        self.tracker.forget()
        self._identities.clear()
        self._our_id.clear()

    def compare_anew(self) -> None:
        """Take note that ``comparable`` has learnt: what galleries keep is compared by it anew."""
        for identity in self._identities.values():
            identity.compared = None

    def state(self) -> dict[str, Any]:
        """Return everything it knows for pickle or JSON: plain lists and numbers, embeddings as base64."""
        known = [identity.to_list(track_id) for track_id, identity in self._identities.items()]
        return {
            "next_id": self._next_id,
            "memory": {"time": self._time, "known": known},
            "ours": [list(pair) for pair in self._our_id.items()],
            "tracker": self.tracker.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken, with the options of this tracker."""
        identities = identities_from_lists(state["memory"]["known"])
        self.tracker.restore(state["tracker"])
        self._time, self._identities, self._next_id = state["memory"]["time"], identities, state["next_id"]
        self._our_id = dict(state["ours"])

    def _similarity(self, pairs: Pairs, context: AssociationContext) -> FloatArray:
        """Return the similarity of the wrapped tracker, corrected by appearance where pairs compete."""
        similarity = self._uncorrected(pairs, context)
        if self._embed is None:
            return similarity
        near = (pairs.iou >= self.competing_iou).nonzero()[0]
        row, column = pairs.row[near], pairs.column[near]
        competing = (np.bincount(row)[row] > 1) | (np.bincount(column)[column] > 1)
        compared = competing | (context.track_state[row] == LOST)
        means: dict[int, FloatArray] = {}  # the mean embedding of the track, by pair
        for pair, track_id in zip(
            near[compared].tolist(), context.track_id[row[compared]].tolist(), strict=True
        ):
            identity = self._identities.get(self._our_id.get(track_id, 0))
            if identity is not None and self._can_be_compared(identity):
                means[pair] = identity.mean()
        source = context.source[pairs.column[list(means)]].tolist()
        self._compute(source)
        corrected: FloatArray = similarity.copy()
        for (pair, mean), detection in zip(means.items(), source, strict=True):
            if detection in self._compared:
                corrected[pair] += float(self._compared[detection] @ mean) - self.neutral
        return corrected

    def _compute(self, source: list[int]) -> None:
        """Have the embeddings of these rows computed, as far as the budget allows."""
        wanted = [row for row in dict.fromkeys(source) if row not in self._embeddings]
        wanted = wanted[: self.budget - len(self._embeddings)]
        if wanted and self._embed is not None:
            embeddings = self._embed(np.array(wanted))
            compared = embeddings if self.comparable is None else self.comparable(embeddings)
            for row, embedding, one in zip(wanted, embeddings, compared, strict=True):
                if np.isfinite(embedding).all():  # nothing can be compared with what is not a number
                    self._embeddings[row] = embedding
                    if np.isfinite(one).all():  # nor with what nothing was learnt about
                        self._compared[row] = one

    def _can_be_compared(self, identity: Identity) -> bool:
        """Return whether there is anything to compare an identity by, and make it ready."""
        if identity.gallery and identity.compared is None and self.comparable is not None:
            identity.compared = self.comparable(np.array(identity.gallery))
        return bool(identity.gallery) and (
            identity.compared is None or bool(np.isfinite(identity.compared).all())
        )

    def _continue_lost(self, tracks: Tracks) -> None:
        """Let tracks that are confirmed in this frame continue identities that were lost."""
        now_s = self._time / self.frame_rate
        new = self._new_rows(tracks)
        lost = self._lost_identities(tracks, now_s) if new else []
        possible = [
            (row, track_id)
            for row in new
            for track_id in lost
            if self._reentry.possible(self._identities[track_id], tracks.xyxy[row], now_s)
        ]
        if not possible:
            return
        self._compute([int(tracks.source[row]) for row, _ in possible])
        pairs, gains = [], []
        for row, track_id in possible:
            embedding = self._compared.get(int(tracks.source[row]))
            if embedding is not None:
                gain = self._identities[track_id].cosine_similarity(embedding) - self.neutral
                if gain > 0:
                    pairs.append((row, track_id))
                    gains.append(gain)
        if pairs:
            rows, our_ids = np.array(pairs).T
            shape = int(rows.max()) + 1, int(our_ids.max()) + 1
            for chosen in best_matching(rows, our_ids, np.array(gains), shape).tolist():
                self._continue(int(our_ids[chosen]), int(tracks.track_id[rows[chosen]]))

    def _new_rows(self, tracks: Tracks) -> list[int]:
        """Return the tracks without an identity that may continue one."""
        return [
            row
            for row, track_id in enumerate(tracks.track_id.tolist())
            if track_id not in self._our_id
            and (self.returning or not self._reentry.at_border(tracks.xyxy[row]))
        ]

    def _lost_identities(self, tracks: Tracks, now_s: float) -> list[int]:
        """Return the ids of the identities that are not visible and may be continued."""
        visible = {self._our_id.get(track_id) for track_id in tracks.track_id.tolist()}
        return [
            track_id
            for track_id, identity in self._identities.items()
            if track_id not in visible
            and self._can_be_compared(identity)
            and now_s - identity.last_seen_s <= self.remember_s
            and (self.returning or not self._reentry.at_border(identity.xyxy))
        ]

    def _continue(self, our_id: int, track_id: int) -> None:
        """Give an identity to a track of the wrapped tracker, which forgets the tracks it had before."""
        before = [theirs for theirs, ours in self._our_id.items() if ours == our_id]
        for theirs in before:
            del self._our_id[theirs]
        self.tracker.forget(before)
        self._our_id[track_id] = our_id

    def _our_ids(self, track_id: IntArray) -> IntArray:
        """Return our ids, giving new ones where there are none."""
        for theirs in track_id.tolist():
            if theirs not in self._our_id:
                self._our_id[theirs] = self._next_id
                self._next_id += 1
        return np.array([self._our_id[theirs] for theirs in track_id.tolist()], np.int64)

    def _remember(self, tracks: Tracks, detections: Detections) -> None:
        """Note all boxes, add embeddings to galleries that are due, and forget identities long unseen."""
        now_s = self._time / self.frame_rate
        clear = self._unoccluded(tracks, detections) if self._embed is not None else set()
        soonest, latest = self.refresh
        due: list[tuple[Identity, int]] = []
        for track_id, xyxy, source in zip(
            tracks.track_id.tolist(), tracks.xyxy, tracks.source.tolist(), strict=True
        ):
            identity = self._identities.setdefault(track_id, Identity(xyxy, now_s))
            identity.xyxy, identity.last_seen_s = xyxy, now_s
            age = self._time - identity.sampled
            if source in clear and (age >= latest or (age >= soonest and source in self._embeddings)):
                due.append((identity, source))
        self._compute([source for _, source in due])
        for identity, source in due:
            if source in self._embeddings:
                identity.gallery = [*identity.gallery, self._embeddings[source]][-self.gallery_size :]
                identity.compared = None
                identity.sampled = self._time
        self._forget_unseen(now_s)

    def _forget_unseen(self, now_s: float) -> None:
        old = [
            track_id
            for track_id, identity in self._identities.items()
            if now_s - identity.last_seen_s > self._longest_s
        ]
        for track_id in old:
            del self._identities[track_id]
        if old:
            self._our_id = {theirs: ours for theirs, ours in self._our_id.items() if ours in self._identities}

    def _unoccluded(self, tracks: Tracks, detections: Detections) -> set[int]:
        """Return the rows of detections that show their object and little of any other."""
        rows = tracks.source[tracks.score >= self.min_score]
        return {*rows[~occluded(detections.xyxy, rows, self.max_occluded_iou)].tolist()}
