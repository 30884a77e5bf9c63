"""Identities of a whole file: tracks are split where looks change, and joined by looks over minutes.

The idea is that of global tracklet association (Sun et al. 2024, arXiv:2411.08216). Here every threshold is
taken from the recording: tracks that are seen together are different objects, and the halves of a track are
the same one.

1. A track is cut, perhaps, where its looks before and after differ so much that they are nearer to those of
   different objects; in time the cut is where the track met another one.
2. A piece may be continued by a later one if its object can have got there in the time between, if neither
   the end nor the beginning is at the border of the picture, and if they are more alike than
   ``different_share`` of the pieces that are seen together.
3. Of these continuations the matching of the greatest total gain is taken, one to one. The pieces of one
   track are its candidates too, with a bonus: a cut stays only if somebody else fits better.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from bytetrack import Tracks
from bytetrack.assignment import best_matching
from bytetrack.boxes import iou
from bytetrack.gallery import Identity, Reentry
from bytetrack.types import FloatArray, IntArray
from tracker.offline.looks import Looks


@dataclass(frozen=True)
class Joining:
    """The rules; measured on PETS 2009 with OSNet and with colours."""

    longest_s: float = 120.0  # between the end of a piece and its continuation
    returning: bool = False  # whether an object that left the picture may be continued
    different_share: float = 0.95  # of the pieces seen together are less alike than what is joined
    followed: float = 0.1  # gain of going on in the same track, in cosine
    cut_samples: int = 3  # least number on both sides of a cut
    near_cut_s: float = 1.0  # from the samples around a cut to the meeting that explains it
    pairs: int = 10  # of tracks seen together, and
    halved: int = 3  # tracks with samples enough for two halves: with fewer nothing is known of the recording


@dataclass(frozen=True)
class Piece:
    """A part of a track: its rows from ``first`` to ``last``, both included, in a `Film`."""

    first: int
    last: int
    look: FloatArray | None  # (F,) mean, None if it was hardly seen


class Film:
    """All boxes of all tracks, ordered by id and frame."""

    def __init__(self, tracks: Sequence[Tracks], time_s: FloatArray) -> None:
        self.tracks = tracks
        frame: IntArray = np.repeat(np.arange(len(tracks)), [len(one) for one in tracks])
        track_id = np.concatenate([one.track_id for one in tracks])
        self.order = np.lexsort((frame, track_id))
        self.frame, self.track_id = frame[self.order], track_id[self.order]
        self.xyxy = np.concatenate([one.xyxy for one in tracks])[self.order].astype(np.float64)
        self.class_id = np.concatenate([one.class_id for one in tracks])[self.order]
        self.time_s = time_s[self.frame]

    def pieces(self, looks: Mapping[int, Looks], rules: Joining, unlike: float = -np.inf) -> list[Piece]:
        """Return the tracks, cut where their looks are less alike than ``unlike``, ordered by id and time."""
        found = []
        starts = np.flatnonzero(np.diff(self.track_id, prepend=-1))
        for begin, end in pairwise([*starts.tolist(), len(self.frame)]):
            own = looks.get(int(self.track_id[begin]))
            changes = [] if own is None else _changes(own, unlike, rules.cut_samples)
            bounds = {begin, end, *(self._met(begin, end, change, rules.near_cut_s) for change in changes)}
            for first, after in pairwise(sorted(bounds)):
                look = None
                if own is not None:
                    part = own.between(int(self.frame[first]), int(self.frame[after - 1]))
                    look = part.mean() if len(part) >= 2 else None
                found.append(Piece(first, after - 1, look))
        return found

    def _met(self, begin: int, end: int, change: tuple[int, int], near_s: float) -> int:
        """Return the row from which on another object may have taken over: where they overlapped most."""
        around = [float(self.time_s[begin:end][self.frame[begin:end] == one][0]) for one in change]
        rows = np.arange(begin + 1, end)
        when = self.time_s[rows]
        rows = rows[(when > around[0] - near_s) & (when <= around[1] + near_s)]
        overlap = [self._overlap(row) for row in rows.tolist()]
        missing = self.frame[rows] - self.frame[rows - 1]
        late = np.abs(self.time_s[rows] - sum(around) / 2)
        return int(rows[np.lexsort((late, -missing, -np.array(overlap)))[0]])

    def _overlap(self, row: int) -> float:
        """Return the greatest IoU of a box with another one of its frame."""
        there = self.tracks[int(self.frame[row])]
        others = there.xyxy[there.track_id != self.track_id[row]]
        return float(iou(self.xyxy[row], others).max(initial=0.0))

    def together(self, pieces: Sequence[Piece]) -> FloatArray:
        """Return how alike the pieces of different tracks are that are seen at one time, as cosines."""
        known = sorted((one for one in pieces if one.look is not None), key=lambda one: self.frame[one.first])
        looks = np.array([one.look for one in known])
        begin = self.frame[[one.first for one in known]]
        track_id = self.track_id[[one.first for one in known]]
        found = [np.empty(0)]
        for number, one in enumerate(known):
            until = int(np.searchsorted(begin, self.frame[one.last], side="right"))
            later = slice(number + 1, until)
            found.append((looks[later] @ looks[number])[track_id[later] != track_id[number]])
        return np.concatenate(found)

    def renamed(self, pieces: Sequence[Piece], follows: Mapping[int, int]) -> list[Tracks]:
        """Return the tracks with one identity per chain of pieces; ``follows``: piece -> the one before."""
        identity: dict[int, int] = {}  # by number of the piece
        chains = 0
        for number in sorted(
            range(len(pieces)), key=lambda n: (self.frame[pieces[n].first], pieces[n].first)
        ):
            before = follows.get(number)
            chains += before is None
            identity[number] = chains if before is None else identity[before]
        track_id = np.empty(len(self.frame), np.int64)
        for number, one in enumerate(pieces):
            track_id[self.order[one.first : one.last + 1]] = identity[number]
        parts = np.split(track_id, np.cumsum([len(one) for one in self.tracks])[:-1])
        renamed = [replace(one, track_id=part) for one, part in zip(self.tracks, parts, strict=True)]
        return [one[np.argsort(one.track_id)] for one in renamed]


def join(
    tracks: Sequence[Tracks],
    time_s: FloatArray,
    looks: Mapping[int, Looks],
    size: tuple[int, int] | None,
    rules: Joining = Joining(),
) -> list[Tracks]:
    """Return the tracks of every frame with the identities of the whole file; ids from 1, without holes.

    ``looks`` are by track id; ``size`` is the picture's width and height. Where too little was seen to know
    who is who, the tracks come back as they are.
    """
    if not looks:
        return list(tracks)
    film = Film(tracks, time_s)
    halves = [own.halves() for own in looks.values() if len(own) >= 2 * rules.cut_samples]
    different = film.together(film.pieces(looks, rules))
    if len(different) < rules.pairs or len(halves) < rules.halved:
        return list(tracks)
    same = [float(first.mean() @ second.mean()) for first, second in halves]
    unlike = float(np.median(same) + np.median(different)) / 2
    pieces = film.pieces(looks, rules, unlike)
    alike = float(np.quantile(film.together(pieces), rules.different_share))
    return film.renamed(pieces, _follows(film, pieces, alike, Reentry(size), rules))


def _changes(own: Looks, unlike: float, least: int) -> list[tuple[int, int]]:
    """Return the positions of the samples before and after each change of looks."""
    if len(own) < 2 * least:  # none at all where nothing was learnt of such objects
        return []
    sums = np.cumsum(own.vector, axis=0)
    before, after = sums[least - 1 : -least], sums[-1] - sums[least - 1 : -least]
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    alike = (before * after).sum(1) / np.maximum(lengths, 1e-12)
    cut = int(alike.argmin()) + least
    if alike.min() >= unlike:
        return []
    first, second = Looks(own.position[:cut], own.vector[:cut]), Looks(own.position[cut:], own.vector[cut:])
    change = int(own.position[cut - 1]), int(own.position[cut])
    return [*_changes(first, unlike, least), change, *_changes(second, unlike, least)]


def _follows(
    film: Film, pieces: Sequence[Piece], alike: float, reentry: Reentry, rules: Joining
) -> dict[int, int]:
    """Return which piece goes on where: the later one -> the one before."""
    earlier, later, gain = [], [], []
    for number, one in enumerate(pieces[:-1]):
        if film.track_id[one.first] == film.track_id[pieces[number + 1].first]:
            before, after = one.look, pieces[number + 1].look
            more = 0.0 if before is None or after is None else float(before @ after) - alike
            earlier.append(number)
            later.append(number + 1)
            gain.append(rules.followed + max(more, 0.0))
    for number, other, more in _alike(film, pieces, alike, rules):
        if _possible(film, pieces[number], pieces[other], reentry, rules):
            earlier.append(number)
            later.append(other)
            gain.append(more)
    n = len(pieces)
    row, column = np.array(earlier, np.int64), np.array(later, np.int64)
    chosen = best_matching(row, column, np.array(gain), (n, n)) if gain else row
    follows = {later[pair]: earlier[pair] for pair in chosen.tolist()}
    taken = set(follows.values())
    for number in range(1, n):  # a cut without another owner for either side is none
        same = film.track_id[pieces[number].first] == film.track_id[pieces[number - 1].first]
        if same and number not in follows and number - 1 not in taken:
            follows[number] = number - 1
    return follows


def _alike(
    film: Film, pieces: Sequence[Piece], alike: float, rules: Joining
) -> Iterator[tuple[int, int, float]]:
    """Yield the pairs of pieces, one after the other in time, that look alike, and by how much more."""
    known = [number for number, one in enumerate(pieces) if one.look is not None]
    known.sort(key=lambda number: (film.frame[pieces[number].first], number))
    looks = np.array([pieces[number].look for number in known])
    begin_s = film.time_s[[pieces[number].first for number in known]]
    for number in known:
        end_s = film.time_s[pieces[number].last]
        low = int(np.searchsorted(begin_s, end_s, side="right"))
        high = int(np.searchsorted(begin_s, end_s + rules.longest_s, side="right"))
        more = looks[low:high] @ pieces[number].look - alike
        for at in (more > 0).nonzero()[0].tolist():
            other = known[low + at]
            if film.track_id[pieces[number].first] != film.track_id[pieces[other].first]:
                yield number, other, float(more[at])


def _possible(film: Film, before: Piece, after: Piece, reentry: Reentry, rules: Joining) -> bool:
    """Return whether the object of one piece can have gone on as that of the other."""
    left, back = film.xyxy[before.last], film.xyxy[after.first]
    if film.class_id[before.last] != film.class_id[after.last]:
        return False
    if not rules.returning and (reentry.at_border(left) or reentry.at_border(back)):
        return False
    return reentry.possible(
        Identity(left, float(film.time_s[before.last])), back, float(film.time_s[after.first])
    )
