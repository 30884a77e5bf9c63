"""What is removed while an archive is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tracker.archive.world import clip
from tracker.archive import run, work
from tracker.archive.detect import Detect
from tracker.archive.pool import Pool
from tracker.archive.tasks import Outcome, Task, perform
from tracker.options import Options


class Careless(Pool):
    """Does one task at a time, and loses a piece once all are detected.

    A follower waits for as long as a piece is not there; this one comes back later instead.
    """

    def __init__(self, out: Path) -> None:
        self._out, self._tasks, self._lost = out, list[Task](), ""
        self.detected: list[str] = []

    def submit(self, task: Task) -> None:
        self._tasks.append(task)

    def wait(self, timeout_s: float) -> list[tuple[Task, Outcome]]:
        task = next((task for task in self._tasks if not task.waits), None)
        if task is None:
            parts = sorted(self._out.rglob("0000?.parquet"))
            if not self._lost:
                parts[1].unlink()
                self._lost = parts[1].name
                return []
            if self._lost not in [part.name for part in parts]:
                return []
            task = self._tasks[0]
        self._tasks.remove(task)
        if isinstance(task, Detect):
            self.detected.append(task.piece.part)
        return [(task, perform(task))]


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_piece_that_somebody_removes_is_detected_again(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The camera that is followed would wait for it for ever."""
    monkeypatch.setattr(work, "GONE_S", 0.0)
    monkeypatch.setenv("TRACK_WEIGHTS_DIR", str(weights.parent))
    video, out = clip(tmp_path / "clip.mp4"), tmp_path / "out"
    pool = Careless(out)
    monkeypatch.setattr(run, "_pool", lambda *_: pool)
    report = run.run_archive([str(video)], str(out), Options(imgsz=320), piece_s=1.5, quiet=True)
    assert report.status == 0 and report.rows[0].frames == 60
    assert len(pool.detected) == 5 and len(set(pool.detected)) == 4
