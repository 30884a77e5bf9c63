"""What a run found and where its time went: the table at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tracker.types import Json, Result

STAGES = ("decode", "detect", "track", "plugins", "draw", "encode")


@dataclass
class Report:
    """Counts frames and distinct objects; its memory is bounded by the objects alive."""

    names: Mapping[int, str]
    forget_s: float  # an identity unseen for longer never comes back
    frames: int = 0
    earlier: int = 0  # frames of the parts of this run that came before
    objects: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.perf_counter)
    ended: float | None = None
    _alive: dict[int, tuple[int, float]] = field(default_factory=dict)
    _swept: float = float("-inf")

    def add(self, result: Result) -> None:
        """Take one frame."""
        self.frames += 1
        now = result.frame.time
        for track_id, class_id in zip(
            result.tracks.track_id.tolist(), result.tracks.class_id.tolist(), strict=True
        ):
            self._alive[track_id] = (class_id, now)
        if abs(now - self._swept) > self.forget_s:
            self._retire(now - self.forget_s)
            self._swept = now

    def distinct(self) -> Counter[str]:
        """Return the number of identities per class so far."""
        return self.objects + Counter(self._name(class_id) for class_id, _ in self._alive.values())

    def state(self) -> dict[str, Json]:
        """Return a copy of the counts, and who was seen last when."""
        alive = [[track_id, *seen] for track_id, seen in self._alive.items()]
        return {"frames": self.earlier + self.frames, "objects": dict(self.objects), "alive": alive}

    def restore(self, state: Mapping[str, Json], tracks: bool) -> None:
        """Go on from there; without ``tracks`` nobody of then comes back."""
        self.earlier, self.objects = int(state["frames"]), Counter(state["objects"])
        self._alive = {track_id: (class_id, seen) for track_id, class_id, seen in state["alive"]}
        if not tracks:
            self._retire(float("inf"))

    def elapsed_s(self) -> float:
        """Return seconds since the report was made, until it was closed."""
        return (time.perf_counter() if self.ended is None else self.ended) - self.started

    def close(self) -> None:
        """Let the time stand."""
        self.ended = time.perf_counter()

    def rows(
        self, seconds: Mapping[str, float], extra: Iterable[Sequence[tuple[str, str]]] = ()
    ) -> list[tuple[str, str]]:
        """Return the table as names and values: frames, objects per class, plugins' rows, stages."""
        elapsed = self.elapsed_s()
        rate = f", {self.frames / elapsed:.1f} fps" if elapsed > 0 else ""
        rows = [("frames", f"{self.frames} in {elapsed:.1f} s{rate}")]
        if self.earlier:
            rows.append(("before", f"{self.earlier} frames"))
        found = self.distinct()
        rows += [(name, f"{count} distinct") for name, count in found.most_common()] or [("objects", "none")]
        for more in extra:
            rows += more
        for stage in (*STAGES, *sorted(set(seconds) - set(STAGES))):
            if stage in seconds:
                per_frame = 1000 * seconds[stage] / max(1, self.frames)
                rows.append((stage, f"{seconds[stage]:.2f} s, {per_frame:.2f} ms per frame"))
        return rows

    def _retire(self, before: float) -> None:
        gone = [track_id for track_id, (_, seen) in self._alive.items() if seen < before]
        for track_id in gone:
            self.objects[self._name(self._alive.pop(track_id)[0])] += 1

    def _name(self, class_id: int) -> str:
        return self.names.get(class_id, str(class_id))
