"""What tells objects apart, learnt without any truth from tracklets: Fisher's linear discriminant.

Fisher 1936 (The use of multiple measurements in taxonomic problems); for pictures Belhumeur et al. 1997
(Eigenfaces vs. Fisherfaces); that the covariance of pairs which are the same, and of pairs which are not, is
enough to compare looks is KISSME's (Köstinger et al. 2012).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bytetrack.types import FloatArray
from tracker.threads import blas_alone
from tracker.types import Json

# The cosine of two vectors that tells nothing, as of a ReID network: `Discriminant.share` makes it so.
NEUTRAL = 0.6
BINS = 100  # of histograms of cosines, -1 to 1
BATCH = 64  # samples that are taken into the matrices together: one at a time costs ten times as much
FIRST_ROUNDS, ROUNDS = 12, 4  # of the iteration, where it begins and where it goes on


@dataclass(eq=False)
class Discriminant:
    """Learns the directions in which objects differ more than one object does from moment to moment.

    Two scatter matrices are kept: of samples around the mean of their tracklet, and of samples of one moment
    around the mean of that moment. Their generalised eigenvectors are the directions. All that was learnt
    counts half when there are ``most`` samples, so that memory is bounded and light may change.
    """

    length: int  # F, of a sample
    directions: int = 32
    shrinkage: float = 0.1  # of the mean variance within tracklets is added to each, times F per sample
    least: int = 50  # samples of each kind, and pairs of different objects, until anything is compared
    more: float = 1.3  # times as many samples, until it is solved again
    most: int = 20_000
    different_share: float = 0.9  # of different objects seen together are less alike than what is neutral
    least_auc: float = 0.75  # of telling an object again some time later; 0.5 is chance, and 1 is never wrong
    least_again: int = 5  # objects seen again, until that is asked

    def __post_init__(self) -> None:
        """Begin without knowledge."""
        f = self.length
        self._within = np.zeros((f, f), np.float32, order="F")  # lower triangles
        self._between = np.zeros((f, f), np.float32, order="F")
        self._new_within: list[FloatArray] = []  # rows that are not in them yet
        self._new_between: list[FloatArray] = []
        self._counts = np.zeros(2)  # degrees of freedom in them
        self._sum: FloatArray = np.zeros(f)
        self._samples = 0.0
        self._solved = 0.0  # degrees of freedom within when it was solved last
        self._mean: FloatArray = np.zeros(f, np.float32)
        self._turn: FloatArray | None = None  # (F, directions)
        self._unlike: FloatArray = np.zeros(BINS)  # histogram of the cosines of different objects, -1 to 1
        self._alike: FloatArray = np.zeros(BINS)  # and of one object at times that are apart

    @property
    def ready(self) -> bool:
        """Whether looks can be compared by it: enough was seen, and they do tell who is who."""
        known = self._turn is not None and self._unlike.sum() >= self.least
        return known and (self._alike.sum() < self.least_again or self.auc >= self.least_auc)

    @property
    def auc(self) -> float:
        """The part of pairs of which one object seen again is more alike than two; NaN where none were seen.

        Each was judged by what was learnt before, and nothing of it was.
        """
        pairs = self._alike.sum() * self._unlike.sum()
        below = np.cumsum(self._unlike) - self._unlike / 2
        return float(self._alike @ below / pairs) if pairs else float("nan")

    def add(
        self, samples: FloatArray, means: FloatArray, counts: FloatArray, earlier: FloatArray | None = None
    ) -> bool:
        """Learn from objects seen together: samples (K, F) and the means of their tracklets until now.

        ``counts`` (K,) is of how many samples each mean is, 0 for a tracklet that begins; ``earlier`` (K, F)
        is the mean of some time before, NaN where it is not time to compare with that. Returns whether
        vectors of `compared` have changed.
        """
        old = counts > 0
        was = self.ready
        if self._turn is not None and old.any() and len(samples) > 1:
            self._judge(samples, means, old)
        if self._turn is not None and earlier is not None:
            self._judge_again(samples, earlier)
        changed = self.ready != was
        deviation = (samples - means) * np.sqrt(counts / (counts + 1))[:, None]
        together = samples - samples.mean(0)
        self._new_within.extend(deviation[old].astype(np.float32))
        self._new_between.extend(together.astype(np.float32))
        self._counts += old.sum(), len(samples) - 1
        self._sum += samples.sum(0, dtype=np.float64)
        self._samples += len(samples)
        if max(len(self._new_within), len(self._new_between)) >= BATCH:
            self._take_in()
        if self._counts.min() >= self.least and self._counts[0] >= self.more * self._solved:
            with blas_alone():
                self._solve()
            changed = True
        if self._counts[0] > self.most:
            self._halve()
        return changed

    def directions_of(self, samples: FloatArray) -> FloatArray:
        """Return samples (K, F) turned into the directions, of length 1; NaN while nothing was learnt."""
        if self._turn is None:
            return np.full((len(samples), self.directions), np.nan, np.float32)
        turned = (samples - self._mean) @ self._turn
        unit: FloatArray = turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-12)
        return unit

    @property
    def share(self) -> float:
        """The part of a cosine that the directions are to have, so that ``NEUTRAL`` tells nothing.

        With the cosine c of the directions, 1 - share + share · c is ``NEUTRAL`` where c is what
        ``different_share`` of different objects stay below.
        """
        below = np.cumsum(self._unlike) / max(self._unlike.sum(), 1e-12)
        quantile = -1 + 2 * (int(np.searchsorted(below, self.different_share)) + 1) / len(self._unlike)
        return float(np.clip((1 - NEUTRAL) / max(1 - quantile, 1e-12), 1 - NEUTRAL, 1.0))

    def _judge(self, samples: FloatArray, means: FloatArray, old: NDArray[np.bool_]) -> None:
        """Note how alike different objects seem that are seen together, before anything is learnt of them."""
        turned, known = self.directions_of(samples), self.directions_of(means[old])
        cosines = (turned @ known.T)[~np.eye(len(samples), dtype=bool)[:, old]]
        self._unlike += np.histogram(cosines, BINS, (-1, 1))[0]

    def _judge_again(self, samples: FloatArray, earlier: FloatArray) -> None:
        """Note how alike objects are to themselves some time ago."""
        again = np.isfinite(earlier).all(axis=1)
        if again.any():
            cosines = (self.directions_of(samples[again]) * self.directions_of(earlier[again])).sum(1)
            self._alike += np.histogram(cosines, BINS, (-1, 1))[0]

    def _take_in(self) -> None:
        with blas_alone():
            self._within = _added(self._within, self._new_within)
            self._between = _added(self._between, self._new_between)
        self._new_within, self._new_between = [], []

    def _solve(self) -> None:
        """Find the directions of the greatest eigenvalues by subspace iteration, from those of before."""
        from scipy.linalg import cho_factor, cho_solve, eigh  # here: most runs learn nothing

        self._take_in()
        within = self._within.astype(np.float64) / self._counts[0]
        between = self._between.astype(np.float64) / self._counts[1]
        within.flat[:: self.length + 1] += self.shrinkage * np.trace(within) / self._counts[0]
        for matrix in (within, between):
            matrix += np.tril(matrix, -1).T
        factor = cho_factor(within, lower=True, check_finite=False)
        if self._turn is None:
            some, rounds = np.random.default_rng(0).normal(size=(self.length, self.directions)), FIRST_ROUNDS
        else:
            some, rounds = self._turn.astype(np.float64), ROUNDS
        for _ in range(rounds):
            some = cho_solve(factor, between @ np.linalg.qr(some)[0], check_finite=False)
        some = np.linalg.qr(some)[0]
        _, turn = eigh(some.T @ between @ some, some.T @ within @ some)
        self._turn = (some @ turn[:, ::-1]).astype(np.float32)
        self._mean = (self._sum / self._samples).astype(np.float32)
        self._solved = self._counts[0]
        self._unlike /= 2  # what was judged by the directions before counts less
        self._alike /= 2

    def _halve(self) -> None:
        self._take_in()
        self._within /= 2
        self._between /= 2
        self._counts /= 2
        self._sum /= 2
        self._samples /= 2
        self._solved /= 2

    def state(self) -> dict[str, Json]:
        """Return all of it for JSON, numbers bit for bit."""
        lower = np.tril_indices(self.length)
        return {
            "within": _text(self._within[lower]),
            "between": _text(self._between[lower]),
            "new": [_text(np.array(rows)) for rows in (self._new_within, self._new_between)],
            "counts": [*self._counts.tolist(), self._samples, self._solved],
            "sum": _text(self._sum),
            "mean": _text(self._mean),
            "turn": None if self._turn is None else _text(self._turn),
            "unlike": _text(self._unlike),
            "alike": _text(self._alike),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        lower = np.tril_indices(self.length)
        self._within[lower] = _array(state["within"], np.float32)
        self._between[lower] = _array(state["between"], np.float32)
        self._new_within, self._new_between = (
            list(_array(rows, np.float32).reshape(-1, self.length)) for rows in state["new"]
        )
        *counts, self._samples, self._solved = state["counts"]
        self._counts = np.array(counts)
        self._sum = _array(state["sum"], np.float64)
        self._mean = _array(state["mean"], np.float32)
        self._unlike = _array(state["unlike"], np.float64)
        self._alike = _array(state["alike"], np.float64) if "alike" in state else np.zeros(BINS)
        if state["turn"] is not None:
            self._turn = _array(state["turn"], np.float32).reshape(self.length, self.directions)


def _added(scatter: FloatArray, rows: list[FloatArray]) -> FloatArray:
    """Return a scatter matrix (lower triangle) with the outer products of rows, (F,) each, added in place."""
    if not rows:
        return scatter
    from scipy.linalg.blas import ssyrk

    columns = np.array(rows, np.float32).T
    result: FloatArray = ssyrk(1.0, columns, 1.0, scatter, lower=1, overwrite_c=1)
    return result


def _text(numbers: FloatArray) -> str:
    return base64.b64encode(np.ascontiguousarray(numbers).tobytes()).decode()


def _array(text: str, kind: type[np.floating[Any]]) -> FloatArray:
    return np.frombuffer(base64.b64decode(text), kind).copy()
