"""Processes of their own, for what cannot be done in this one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROLOGUE = """
import os, signal, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
folder = Path(sys.argv[2])
from tests.tracker.videos import noise, plain, result, scene
from tracker.sinks import VideoSink
from tracker.sources import open_source
from tracker.types import OutputError
"""


@pytest.fixture
def child(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that runs code beside ``tmp_path`` (its ``folder``) and returns what it prints."""

    def run(code: str, *before: str) -> str:
        command = [*before, sys.executable, "-c", PROLOGUE + code, str(ROOT), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode in (0, -9), done.stderr
        return done.stdout

    return run


@pytest.fixture
def small_disk(tmp_path: Path) -> Callable[[str], str]:
    """Return a function like ``child`` whose folder is a disk of half a megabyte.

    It is mounted where only the child sees it, and goes with it.
    """
    mount = f"mount -t tmpfs -o size=512k tmpfs '{tmp_path}'"
    private = ["unshare", "--mount", "sh", "-c"]
    if not shutil.which("unshare") or subprocess.run([*private, mount], capture_output=True).returncode:
        pytest.skip("mounting a small disk is not allowed here")

    def run(code: str) -> str:
        command = [*private, f'{mount} && exec "$@"', "sh", sys.executable, "-c", PROLOGUE + code]
        done = subprocess.run(
            [*command, str(ROOT), str(tmp_path)], capture_output=True, text=True, timeout=90, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
