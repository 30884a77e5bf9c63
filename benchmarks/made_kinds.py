"""The kinds of made scenes, and how to make one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.made_people import people
from benchmarks.made_roads import junction, road
from benchmarks.made_scenes import Random, Scene

MAKERS: dict[str, Callable[[Random, int], Scene]] = {
    "road": road,
    "junction": junction,
    "people": people,
    "door": lambda rng, number: people(rng, number, door=True),
    "crowd": lambda rng, number: people(rng, number, crowd=True),
    "post": lambda rng, number: people(rng, number, post=True),
}


def make(kind: str, number: int) -> Scene:
    """Return the scene of this kind and number: always the same."""
    return MAKERS[kind](np.random.default_rng([sum(map(ord, kind)), number]), number)
