from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tracker import threads


@pytest.mark.parametrize("limit, expected", [
    ("150000 100000", 2), ("50000 100000", 1), ("max 100000", 16), ("6400000 100000", 16), ("?", 16),
])  # fmt: skip
def test_a_containers_quota_counts_as_cores(
    limit: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(limit + "\n", encoding="ascii")
    monkeypatch.setattr(threads, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    assert threads.cores() == expected


def test_without_control_groups_affinity_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    assert threads.cores() == 3


@pytest.mark.parametrize("count", [1, 2, 3, 64])
def test_shares_fit_any_number_of_cores(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "cores", lambda: count)
    shares = threads.plan.__wrapped__()
    assert shares.inference == count
    assert 1 <= shares.opencv <= count and 1 <= shares.decoder <= 4 and 1 <= shares.encoder <= 8


def test_a_run_sets_them_for_the_process() -> None:
    """In a process of its own: the number is the whole process's."""
    script = """
import cv2
from tracker import threads
cv2.setNumThreads(7)
threads.settle()
print(cv2.getNumThreads() == threads.plan().opencv)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "True\n"
